"""A provider with faults when it ends sessions (OIDC Back-Channel Logout §2.4 to §2.6)."""

from collections.abc import Callable
from typing import Final

from attrs import evolve

from oidc_adapters.testing.misbehaviours import forgeries
from oidc_adapters.testing.misbehaviours.changes import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours.conditions import (
    PLAIN_ID_TOKEN,
    SIGNATURES,
    Condition,
    Needs,
    always,
    both,
    distrusts,
    logout_younger_than,
    of_policy,
)
from oidc_adapters.testing.misbehaviours.rows import cleartext
from oidc_adapters.testing.parties import BackchannelLogout
from oidc_adapters.testing.signing import JwtDraft, SigningKey
from oidc_adapters.testing.signing_keys import private_key


def _row(
    name: str,
    code: str,
    summary: str,
    changes: Changes,
    *,
    needs: Needs = "",
    when: Condition = always,
) -> Misbehaviour:
    return Misbehaviour(
        name=name,
        endpoint="logout",
        during="logout",
        code=code,
        summary=summary,
        needs=needs,
        changes=changes,
        when=when,
    )


def _token(
    name: str,
    code: str,
    summary: str,
    change: forgeries.JwtChange,
    when: Condition = always,
) -> Misbehaviour:
    return _row(name, code, summary, Changes(logout_token=change), when=when)


def _request(
    name: str, summary: str, change: Callable[[BackchannelLogout], BackchannelLogout]
) -> Misbehaviour:
    return _row(name, "logout_request_invalid", summary, Changes(logout=change))


def _of_nobody(draft: JwtDraft) -> str:
    return draft.without_claims("sub", "sid").signed()


def _id_token(draft: JwtDraft) -> str:
    return draft.without_claims("events", "jti").with_header(typ="JWT").signed()


def _other_algorithm(draft: JwtDraft) -> str:
    alg = "ES384" if draft.key.alg != "ES384" else "ES512"
    key = SigningKey(alg=alg, kid=draft.key.kid, private=private_key(alg, "provider"))
    return draft.signed_by(key).signed()


def _twice(logout: BackchannelLogout) -> BackchannelLogout:
    return evolve(logout, form=logout.form + b"&" + logout.form)


def _nothing(logout: BackchannelLogout) -> BackchannelLogout:
    return evolve(logout, form=b"")


def _json(logout: BackchannelLogout) -> BackchannelLogout:
    return evolve(logout, content_type="application/json")


_SIGNATURE: Final = (
    _token(
        "logout_alg_none",
        "alg_not_allowed",
        "ends a session by a token without a signature",
        forgeries.unsigned,
        when=PLAIN_ID_TOKEN,
    ),
    _token(
        "logout_hs256_with_public_key",
        "alg_not_allowed",
        "takes its public key for an HMAC secret when it ends a session",
        forgeries.hmac_with_public_key,
        when=SIGNATURES,
    ),
    _token(
        "logout_other_alg",
        "alg_not_allowed",
        "ends a session by a token that is signed in an unregistered way",
        _other_algorithm,
    ),
    _token(
        "logout_bad_signature",
        "signature_invalid",
        "ends a session by a token with a damaged signature",
        forgeries.damaged_signature,
    ),
    _token(
        "logout_other_user_after_signing",
        "signature_invalid",
        "changes whose session ends after signing",
        forgeries.changed_after_signing,
    ),
    _token(
        "logout_by_stranger",
        "signature_invalid",
        "has a stranger end a session under its own kid",
        forgeries.signed_by_stranger,
    ),
    _token(
        "logout_unknown_kid",
        "key_not_found",
        "ends a session by a key that it does not publish",
        forgeries.with_header("kid", "unpublished"),
        when=SIGNATURES,
    ),
    _token(
        "logout_typ_access_token",
        "typ_unexpected",
        "offers an access token as logout token",
        forgeries.with_header("typ", "at+jwt"),
    ),
    _row(
        "logout_cleartext_where_encrypted",
        "encryption_missing",
        "does not encrypt the logout token",
        Changes(encrypted=cleartext),
        needs="encrypted_id_token",
    ),
)
_CLAIMS: Final = (
    _token(
        "logout_other_iss",
        "iss_mismatch",
        "ends a session in another provider's name",
        forgeries.with_claim("iss", "https://other.example"),
    ),
    _token(
        "logout_other_aud",
        "aud_mismatch",
        "ends a session at another client",
        forgeries.with_claim("aud", "another-client"),
    ),
    _token(
        "logout_extra_audience",
        "aud_untrusted",
        "names a further client when it ends a session",
        forgeries.plus_audience,
        when=both(PLAIN_ID_TOKEN, distrusts("another-client")),
    ),
    _token(
        "logout_expired",
        "exp_expired",
        "ends a session by an expired token",
        forgeries.claim_earlier("exp", 3_600),
    ),
    _token(
        "logout_no_exp",
        "exp_missing",
        "ends a session by a token without an end",
        forgeries.without_claim("exp"),
    ),
    _token(
        "logout_in_future",
        "iat_in_future",
        "ends a session by a token of tomorrow",
        forgeries.claim_later("iat", 86_400),
    ),
    _token(
        "logout_ten_minutes_old",
        "iat_too_old",
        "ends a session by a token that is ten minutes old",
        forgeries.claim_earlier("iat", 600),
        when=logout_younger_than(600),
    ),
    _token(
        "logout_nobody",
        "logout_subject_missing",
        "ends the session of nobody",
        _of_nobody,
    ),
    _token(
        "logout_sub_number",
        "sub_malformed",
        "names the user by a number when it ends a session",
        forgeries.with_claim("sub", 1),
    ),
    _token(
        "logout_sid_number",
        "sid_malformed",
        "names the session by a number",
        forgeries.with_claim("sid", 1),
    ),
    _token(
        "logout_no_event",
        "events_missing",
        "ends a session without the event",
        forgeries.without_claim("events"),
    ),
    _token(
        "logout_other_event",
        "event_unexpected",
        "names another event",
        forgeries.with_claim("events", {"http://schemas.openid.net/event/other": {}}),
    ),
    _token(
        "logout_events_in_list",
        "events_malformed",
        "names the event in a list",
        forgeries.with_claim("events", ["http://schemas.openid.net/event/backchannel-logout"]),
    ),
    _token(
        "logout_by_id_token",
        "events_missing",
        "offers an ID token as logout token",
        _id_token,
        when=of_policy(lambda policy: not policy.require_logout_typ),
    ),
    _token(
        "logout_with_nonce",
        "claim_forbidden",
        "ends a session by a token with a nonce",
        forgeries.with_claim("nonce", "a-nonce"),
    ),
    _token(
        "logout_no_jti",
        "jti_missing",
        "gives a logout token no name",
        forgeries.without_claim("jti"),
    ),
    _token(
        "logout_replayed",
        "logout_token_used",
        "ends a session twice by tokens of one name",
        forgeries.with_claim("jti", "the-same-again"),
    ),
)
_REQUEST: Final = (
    _request("logout_token_twice", "posts two logout tokens in one form", _twice),
    _request("logout_token_missing", "posts no logout token", _nothing),
    _request("logout_as_json", "posts something else than a form", _json),
)

ROWS: Final = (*_SIGNATURE, *_CLAIMS, *_REQUEST)
