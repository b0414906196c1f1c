"""A provider with faults in the ID token of a login (OIDC Core §3.1.3.7, RFC 7515, RFC 8725)."""

from typing import Final

from oidc_adapters.testing.misbehaviours import forgeries
from oidc_adapters.testing.misbehaviours.conditions import (
    PLAIN_ID_TOKEN,
    SIGNATURES,
    authenticated_within,
    both,
    demands_acr,
    distrusts,
    within,
    without_quirk,
    younger_than,
)
from oidc_adapters.testing.misbehaviours.rows import id_token_row
from oidc_core.wire.limits import LIMITS

_FORM: Final = (
    id_token_row(
        "id_token_two_parts",
        "jws_malformed",
        "sends an ID token of two parts",
        forgeries.two_parts,
        when=PLAIN_ID_TOKEN,
    ),
    id_token_row(
        "id_token_five_parts",
        "jws_malformed",
        "sends an ID token of five parts",
        forgeries.five_parts,
        when=PLAIN_ID_TOKEN,
    ),
    id_token_row(
        "id_token_padded",
        "base64url_malformed",
        "sends an ID token with padding",
        forgeries.padded,
        when=PLAIN_ID_TOKEN,
    ),
    id_token_row(
        "id_token_stray_bits",
        "base64url_malformed",
        "signs base64url that nobody would write",
        forgeries.stray_bits,
    ),
    id_token_row(
        "id_token_too_large",
        "token_too_large",
        "sends an ID token beyond the limit",
        forgeries.padded_to(LIMITS.id_token),
        when=within("id_token", LIMITS.id_token + 1),
    ),
    id_token_row(
        "id_token_duplicate_alg",
        "json_member_duplicated",
        "names two algorithms in one header",
        forgeries.duplicate_alg,
    ),
    id_token_row(
        "id_token_header_array",
        "jose_header_invalid",
        "sends a header that is an array",
        forgeries.header_not_an_object,
    ),
    id_token_row(
        "id_token_crit",
        "crit_unsupported",
        "demands an extension of the header",
        forgeries.with_header("crit", ["exp"]),
    ),
    id_token_row(
        "id_token_typ_access_token",
        "typ_unexpected",
        "offers an access token as ID token",
        forgeries.with_header("typ", "at+jwt"),
    ),
    id_token_row(
        "id_token_typ_logout_token",
        "typ_unexpected",
        "offers a logout token as ID token",
        forgeries.with_header("typ", "logout+jwt"),
    ),
    id_token_row(
        "id_token_kid_number",
        "kid_malformed",
        "names its key by a number",
        forgeries.with_header("kid", 1),
    ),
    id_token_row(
        "id_token_duplicate_sub",
        "json_member_duplicated",
        "names two users in one ID token",
        forgeries.duplicate_sub,
    ),
    id_token_row(
        "id_token_payload_array",
        "json_not_object",
        "signs an array",
        forgeries.with_payload(b'["alice"]'),
    ),
    id_token_row(
        "id_token_payload_utf16", "json_not_utf8", "signs claims in UTF-16", forgeries.utf16_payload
    ),
    id_token_row(
        "id_token_nan",
        "json_number_invalid",
        "signs an invalid number",
        forgeries.with_rendered_claim("x", "NaN"),
    ),
    id_token_row(
        "id_token_lone_surrogate",
        "azp_malformed",
        "signs half a character",
        forgeries.with_rendered_claim("azp", '"\\ud800"'),
    ),
    id_token_row(
        "id_token_nested",
        "json_too_deep",
        "nests claims a hundred times",
        forgeries.with_rendered_claim("x", 100 * "[" + 100 * "]"),
    ),
)

_SIGNATURE: Final = (
    id_token_row(
        "alg_none",
        "alg_not_allowed",
        "sends an ID token without a signature",
        forgeries.unsigned,
        when=PLAIN_ID_TOKEN,
    ),
    id_token_row(
        "alg_none_with_signature",
        "alg_not_allowed",
        "says that there is no signature and sends one",
        forgeries.unsigned_with_signature,
        when=PLAIN_ID_TOKEN,
    ),
    id_token_row(
        "hs256_with_public_key",
        "alg_not_allowed",
        "takes its public key for an HMAC secret",
        forgeries.hmac_with_public_key,
        when=SIGNATURES,
    ),
    id_token_row(
        "bad_signature", "signature_invalid", "damages the signature", forgeries.damaged_signature
    ),
    id_token_row(
        "changed_after_signing",
        "signature_invalid",
        "changes the user after signing",
        forgeries.changed_after_signing,
    ),
    id_token_row(
        "stranger_under_known_kid",
        "signature_invalid",
        "has a stranger sign under its own kid",
        forgeries.signed_by_stranger,
    ),
    id_token_row(
        "embedded_key",
        "signature_invalid",
        "has a stranger sign who sends his key along",
        forgeries.signed_by_embedded_key,
    ),
    id_token_row(
        "unknown_kid",
        "key_not_found",
        "names a key that it does not publish",
        forgeries.with_header("kid", "unpublished"),
        when=SIGNATURES,
    ),
)

_CLAIMS: Final = (
    id_token_row(
        "id_token_wrong_iss",
        "iss_mismatch",
        "names another issuer",
        forgeries.with_claim("iss", "https://other.example"),
    ),
    id_token_row(
        "id_token_no_iss",
        "iss_missing",
        "names no issuer",
        forgeries.without_claim("iss"),
        when=PLAIN_ID_TOKEN,
    ),
    id_token_row(
        "wrong_aud",
        "aud_mismatch",
        "names another client as audience",
        forgeries.with_claim("aud", "another-client"),
    ),
    id_token_row(
        "no_aud",
        "aud_missing",
        "names no audience",
        forgeries.without_claim("aud"),
        when=PLAIN_ID_TOKEN,
    ),
    id_token_row(
        "extra_audience",
        "aud_untrusted",
        "names a further audience",
        forgeries.plus_audience,
        when=both(PLAIN_ID_TOKEN, distrusts("another-client")),
    ),
    id_token_row(
        "wrong_azp",
        "azp_mismatch",
        "names another client as authorized party",
        forgeries.with_claim("azp", "another-client"),
    ),
    id_token_row("expired", "exp_expired", "sends an expired ID token", forgeries.expired),
    id_token_row(
        "no_exp",
        "exp_missing",
        "sends an ID token without an end",
        forgeries.without_claim("exp"),
    ),
    id_token_row(
        "exp_as_string",
        "exp_malformed",
        "writes the end as a string",
        forgeries.with_claim("exp", "4102444800"),
    ),
    id_token_row(
        "exp_1e300",
        "exp_malformed",
        "sends an ID token that never ends",
        forgeries.with_claim("exp", 1e300),
    ),
    id_token_row(
        "iat_in_future",
        "iat_in_future",
        "sends an ID token of tomorrow",
        forgeries.claim_later("iat", 86_400),
    ),
    id_token_row(
        "no_iat",
        "iat_missing",
        "does not say when it issued the ID token",
        forgeries.without_claim("iat"),
    ),
    id_token_row(
        "week_old",
        "iat_too_old",
        "sends an ID token of last week",
        forgeries.week_old,
        when=younger_than(7 * 86_400),
    ),
    id_token_row(
        "nbf_in_future",
        "nbf_in_future",
        "sends an ID token for tomorrow",
        forgeries.claim_later("nbf", 86_400),
    ),
    id_token_row(
        "wrong_nonce",
        "nonce_mismatch",
        "returns another nonce",
        forgeries.with_claim("nonce", "another-nonce"),
    ),
    id_token_row(
        "no_nonce",
        "nonce_missing",
        "returns no nonce",
        forgeries.without_claim("nonce"),
        when=without_quirk("nonce_not_echoed"),
    ),
    id_token_row(
        "nonce_not_supported",
        "nonce_missing",
        "returns no nonce and says so",
        lambda draft: draft.without_claims("nonce").with_claims(nonce_supported=False).signed(),
        when=without_quirk("nonce_not_echoed"),
    ),
    id_token_row("no_sub", "sub_missing", "names no user", forgeries.without_claim("sub")),
    id_token_row(
        "empty_sub", "sub_malformed", "names a user by nothing", forgeries.with_claim("sub", "")
    ),
    id_token_row(
        "long_sub",
        "sub_malformed",
        "names a user by 256 characters",
        forgeries.with_claim("sub", 256 * "a"),
    ),
    id_token_row(
        "sub_not_ascii",
        "sub_malformed",
        "names a user beyond ASCII",
        forgeries.with_claim("sub", "\u00e5lice"),
    ),
    id_token_row(
        "sub_number", "sub_malformed", "names a user by a number", forgeries.with_claim("sub", 1)
    ),
    id_token_row(
        "wrong_at_hash",
        "at_hash_mismatch",
        "binds the ID token to another access token",
        forgeries.with_claim("at_hash", 22 * "A"),
    ),
    id_token_row(
        "no_auth_time",
        "auth_time_missing",
        "does not say when the user authenticated",
        forgeries.without_claim("auth_time"),
        needs="max_age",
    ),
    id_token_row(
        "old_auth_time",
        "auth_time_too_old",
        "authenticated the user long ago",
        forgeries.claim_earlier("auth_time", 30 * 86_400),
        needs="max_age",
        when=authenticated_within(30 * 86_400),
    ),
    id_token_row(
        "weaker_acr",
        "acr_mismatch",
        "authenticated the user in a weaker way",
        forgeries.with_claim("acr", "urn:example:none"),
        needs="acr",
        when=demands_acr("urn:example:none"),
    ),
)

ROWS: Final = (*_FORM, *_SIGNATURE, *_CLAIMS)
