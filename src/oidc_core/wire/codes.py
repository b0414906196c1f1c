"""The closed table of error codes: what went wrong, whose fault it is, what to do about it.

A code is a promise.  It is never renamed and never reused, tests assert it, and an application may
branch on it.  The table says of each code which class of error carries it, at which stage of the
protocol it arises, whether trying again can help, which sentence of which specification is at
stake, and what to fix.
"""

from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

Fault: TypeAlias = Literal["protocol", "provider", "callback", "transport", "store", "usage"]
Retryable: TypeAlias = Literal["no", "restart", "later"]


class CodeRow(NamedTuple):
    """What is known of one code.

    ``retryable``: ``no`` (something must be changed first), ``restart`` (start a new login),
    ``later`` (the same thing may succeed in a while).
    """

    code: str
    fault: Fault
    stage: str
    retryable: Retryable
    spec: str
    hint: str


_Entry: TypeAlias = tuple[str, str, str]


def _rows(fault: Fault, stage: str, retryable: Retryable, *entries: _Entry) -> list[CodeRow]:
    return [CodeRow(code, fault, stage, retryable, spec, hint) for code, spec, hint in entries]


_CORE = "OIDC Core "
_ID_TOKEN = "OIDC Core §3.1.3.7, "
_6749 = "RFC 6749 "

_TABLE: Final[tuple[CodeRow, ...]] = (
    *_rows(
        "callback",
        "callback",
        "restart",
        ("state_missing", _6749 + "§10.12", "start a new login; the callback names none"),
        ("state_unknown", _6749 + "§10.12", "start a new login; no login with this state waits"),
        ("state_mismatch", _6749 + "§10.12", "start a new login; the callback is of another one"),
        ("state_expired", "RFC 9700 §4.7", "the login took too long; start a new one"),
        ("state_used", _6749 + "§4.1.2", "this login was finished before; start a new one"),
        ("binding_missing", "RFC 9700 §4.7", "the browser brought no login cookie; start again"),
        ("binding_mismatch", "RFC 9700 §4.7", "the login was started in another browser"),
        ("binding_duplicated", "RFC 6265 §5.4", "the browser sent the login cookie twice"),
        ("response_mode_mismatch", "OAuth Multiple Response Types §2.1", "see response_mode"),
        ("parameter_unexpected", "RFC 9700 §4.6", "tokens do not belong into this callback"),
        ("parameter_duplicated", _6749 + "§3.1", "each parameter may be given once"),
        ("parameter_too_long", _6749 + "§3.1", "the callback exceeds the limits"),
        ("parameter_malformed", _6749 + "appendix A", "the callback breaks the grammar"),
        ("code_missing", _6749 + "§4.1.2", "the callback carries neither code nor error"),
        ("response_ambiguous", _6749 + "§4.1.2", "the callback carries both code and error"),
        (
            "redirect_uri_mismatch",
            "RFC 9700 §4.4.2",
            "pass the configured URL of the route, never one built from Host",
        ),
        ("cookie_invalid", "RFC 9700 §4.7", "the cookie is damaged or foreign; start a new login"),
        (
            "cookie_key_unknown",
            "RFC 9700 §4.7",
            "give all workers the same sealing secrets, and keep replaced ones",
        ),
        ("response_iss_missing", "RFC 9207 §2.4", "the provider promised iss and did not send it"),
        ("response_iss_mismatch", "RFC 9207 §2.4", "the response comes from another provider"),
        (
            "policy_changed",
            "RFC 9700 §4.4",
            "start again: the policy is not the one it began with",
        ),
        ("connection_mismatch", "RFC 9700 §4.4", "the login belongs to another connection"),
        ("account_mismatch", "RFC 9700 §4.7", "another user is logged in by now"),
        ("logout_state_mismatch", "RP-Initiated Logout §3", "the logout was not asked for here"),
        ("logout_expired", "RP-Initiated Logout §3", "the logout took too long; it is done"),
        ("method_unexpected", _6749 + "§4.1.2", "a callback comes with GET or POST"),
    ),
    *_rows(
        "provider",
        "provider",
        "restart",
        ("provider_error", _6749 + "§4.1.2.1, §5.2", "the provider refused; see error"),
    ),
    *_rows(
        "protocol",
        "metadata",
        "no",
        ("metadata_invalid", "OIDC Discovery §3", "the provider's metadata is not usable"),
        ("metadata_issuer_mismatch", "OIDC Discovery §4.3", "configure the issuer as published"),
        ("metadata_endpoint_invalid", "OIDC Discovery §3", "the provider must publish https URLs"),
    ),
    *_rows(
        "protocol",
        "metadata",
        "restart",
        ("metadata_changed", "OIDC Discovery §4.3", "an endpoint moved during the login"),
    ),
    *_rows(
        "protocol",
        "json",
        "no",
        ("json_not_utf8", "RFC 8259 §8.1", "the provider must send UTF-8 without BOM"),
        ("json_malformed", "RFC 8259 §2", "the provider sent something that is not JSON"),
        ("json_member_duplicated", "RFC 8259 §4", "a member stands twice: nobody can tell which"),
        ("json_number_invalid", "RFC 8259 §6", "a number is not finite or too long"),
        ("json_string_invalid", "RFC 8259 §8.2", "a string is too long or no Unicode"),
        ("json_too_deep", "RFC 8259 §9", "the JSON is nested too deeply"),
        ("json_too_large", "RFC 8259 §9", "the JSON exceeds the limits"),
        ("json_not_object", "RFC 7519 §7.2", "a JSON object is expected"),
    ),
    *_rows(
        "protocol",
        "jose",
        "no",
        ("token_too_large", "RFC 7515 §3.1", "the token exceeds the limits"),
        ("jws_malformed", "RFC 7515 §7.1", "a compact JWS has three parts"),
        ("jwe_malformed", "RFC 7516 §7.1", "a compact JWE has five parts"),
        ("base64url_malformed", "RFC 7515 §2", "a part is not base64url without padding"),
        ("jose_header_invalid", "RFC 7515 §4", "the JOSE header is not usable"),
        ("crit_unsupported", "RFC 7515 §4.1.11", "no critical header extension is supported"),
        ("typ_unexpected", "RFC 8725 §3.11", "this is a token of another kind"),
        ("cty_unexpected", "RFC 7515 §4.1.10", "the content is no set of claims"),
        ("claim_forbidden", "RFC 8725 §3.12", "no token of the expected kind has this claim"),
        ("alg_not_allowed", "OIDC Core §3.1.3.7, 7", "register the algorithm or change it"),
        ("key_alg_mismatch", "RFC 7517 §4.4", "the key is for another algorithm"),
        ("kid_malformed", "RFC 7515 §4.1.4", "kid is a short string"),
        ("key_not_found", "OIDC Core §10.1", "the provider publishes no such key"),
        ("key_ambiguous", "OIDC Core §10.1", "several keys fit: the provider must send kid"),
        ("key_use_mismatch", "RFC 7517 §4.2", "the key is not for signatures"),
        ("key_too_small", "RFC 7518 §3.3", "use a longer key"),
        ("key_too_large", "RFC 8725 §3.5", "the key is beyond what is verified here"),
        ("key_weak", "RFC 8725 §3.5", "the key is known to be broken: replace it"),
        ("jwk_invalid", "RFC 7517 §4", "the key is malformed"),
        ("jwks_invalid", "RFC 7517 §5", "the key set is malformed"),
        ("kid_duplicated", "RFC 7517 §4.5", "two different keys share a kid"),
        ("key_not_public", "RFC 7517 §9.3", "a private key was published: replace it"),
        ("signature_length_mismatch", "RFC 7518 §3.4", "the signature has the wrong length"),
        ("signature_invalid", "OIDC Core §3.1.3.7, 6", "forged, damaged or signed by a stranger"),
        ("encryption_missing", _ID_TOKEN + "1", "encryption was registered; this is not encrypted"),
        ("encryption_mismatch", "RFC 7518 §4.1, §5.1", "use the alg and enc that were registered"),
        ("zip_unsupported", "RFC 7516 §4.1.3", "no compressed content is taken"),
        ("decryption_failed", "RFC 7516 §11.5", "it cannot be decrypted; why is never told"),
        ("signature_missing", "RFC 7519 §11.2", "what is encrypted has to be signed first"),
    ),
    *_rows(
        "protocol",
        "id_token",
        "restart",
        ("id_token_missing", _CORE + "§3.1.3.3", "ask for the scope openid"),
        ("iss_missing", _ID_TOKEN + "2", "the token names no issuer"),
        ("iss_malformed", _CORE + "§2", "iss is a URL in a string"),
        ("iss_mismatch", _ID_TOKEN + "2", "the token is from another issuer"),
        ("aud_missing", _ID_TOKEN + "3", "the token names no audience"),
        ("aud_malformed", _CORE + "§2", "aud is a string or a list of strings"),
        ("aud_mismatch", _ID_TOKEN + "3", "the token is for another client"),
        ("aud_untrusted", _ID_TOKEN + "3", "name the further audience as trusted, or refuse it"),
        ("azp_malformed", _CORE + "§2", "azp is a string"),
        ("azp_mismatch", _ID_TOKEN + "5", "the token was issued to another client"),
        ("exp_missing", _CORE + "§2", "the token has no end"),
        ("exp_malformed", _CORE + "§2", "exp is a number of seconds"),
        ("exp_expired", _ID_TOKEN + "9", "the token has expired; check both clocks"),
        ("iat_missing", _CORE + "§2", "the token does not say when it was issued"),
        ("iat_malformed", _CORE + "§2", "iat is a number of seconds"),
        ("iat_in_future", _ID_TOKEN + "10", "this clock is behind the provider's"),
        ("iat_too_old", _ID_TOKEN + "10", "the token was issued too long ago"),
        ("nbf_malformed", "RFC 7519 §4.1.5", "nbf is a number of seconds"),
        ("nbf_in_future", "RFC 7519 §4.1.5", "this clock is behind the provider's"),
        ("nonce_missing", _ID_TOKEN + "11", "the token lacks the nonce that was sent"),
        ("nonce_unexpected", _ID_TOKEN + "11", "no nonce was sent: this is another login's token"),
        ("nonce_mismatch", _ID_TOKEN + "11", "the token belongs to another login"),
        ("sub_missing", _CORE + "§2", "nobody is named as the user"),
        ("sub_malformed", _CORE + "§2", "sub is a string of 1 to 255 ASCII characters"),
        ("sub_mismatch", _CORE + "§3.1.2.1, §5.3.2, §12.2", "this is another user"),
        ("sub_placeholder", _CORE + "§2", "the provider names every user alike"),
        ("at_hash_missing", _CORE + "§3.1.3.8", "the policy requires at_hash"),
        ("at_hash_mismatch", _CORE + "§3.1.3.8", "the access token is not the token's own"),
        ("acr_missing", _ID_TOKEN + "12", "the provider did not say how the user authenticated"),
        ("acr_mismatch", _ID_TOKEN + "12", "the authentication was weaker than required"),
        ("auth_time_missing", _CORE + "§2", "auth_time is required when max_age is sent"),
        ("auth_time_malformed", _CORE + "§2", "auth_time is a number of seconds"),
        ("auth_time_in_future", _CORE + "§2", "this clock is behind the provider's"),
        ("auth_time_too_old", _ID_TOKEN + "13", "the user authenticated too long ago"),
        ("auth_time_mismatch", _CORE + "§12.2", "auth_time is older than that of the login"),
        ("claim_missing", _CORE + "§5.5.1", "an essential claim is missing"),
    ),
    *_rows(
        "protocol",
        "tokens",
        "restart",
        ("token_response_invalid", _CORE + "§3.1.3.3", "the token answer is malformed"),
        ("access_token_malformed", "RFC 6750 §2.1", "the access token has foreign characters"),
        ("channel_unverified", _CORE + "§16.17", "use a transport that verifies the server"),
        ("token_type_mismatch", _6749 + "§7.1", "only the token type Bearer was asked for"),
        ("scope_unexpected", _6749 + "§5.1", "the provider granted more than was asked"),
    ),
    *_rows(
        "protocol",
        "http",
        "later",
        ("http_status_unexpected", _6749 + "§5", "the provider answered with an unexpected status"),
        ("http_redirect_refused", "RFC 9700 §4.12", "back-channel redirects are never followed"),
        (
            "dpop_nonce_repeated",
            "RFC 9449 §8",
            "the provider asks for one DPoP nonce after the other",
        ),
        ("content_type_unexpected", _CORE + "§3.1.3.3", "the answer is of another media type"),
    ),
    *_rows(
        "transport",
        "http",
        "later",
        ("http_timeout", "RFC 9110 §15.5.9", "the provider was too slow"),
        ("http_connect_failed", "RFC 9110 §4.2", "the provider cannot be reached"),
        ("tls_failed", _CORE + "§16.17", "the TLS certificate does not hold; add a CA if private"),
        ("http_malformed", "RFC 9112 §8", "the connection broke or was no HTTP"),
        ("http_too_large", "RFC 9110 §15.5.14", "the answer exceeds the limits"),
        (
            "content_encoding_unexpected",
            "RFC 9110 §8.4",
            "a Content-Encoding was used though none was offered",
        ),
        ("keys_unavailable", "OIDC Core §10.1.1", "the key set cannot be fetched right now"),
        ("refresh_in_doubt", _6749 + "§6", "nobody knows if the refresh token was used"),
    ),
    *_rows(
        "transport",
        "http",
        "no",
        (
            "address_not_allowed",
            "RFC 9728 §7.7",
            "not public; if the host is yours, name its origin in the policy",
        ),
    ),
    *_rows(
        "transport",
        "http",
        "restart",
        (
            "code_in_doubt",
            _6749 + "§4.1.2",
            "nobody knows if the code was used; start a new login",
        ),
    ),
    *_rows(
        "store",
        "store",
        "later",
        ("store_unavailable", "", "the store failed; nothing was accepted"),
        ("pending_too_many", "RFC 9700 §4.7", "too many logins are in flight; try again later"),
        ("store_full", "", "the store is full of what must not be forgotten; nothing was accepted"),
    ),
    *_rows(
        "store",
        "store",
        "restart",
        ("seal_invalid", "", "the stored value is damaged, foreign or of another key"),
        ("record_invalid", "", "the stored value does not have the shape it should have"),
        ("record_version_unknown", "", "the stored value was written by another version"),
    ),
    *_rows(
        "usage",
        "usage",
        "no",
        ("foreign_step", "", "resume a step with the relying party that made it"),
        ("answer_foreign", "", "resume a step with the answer to its own request"),
        ("answer_unexpected", "", "resume a step with the kind of answer it asked for"),
        ("config_invalid", "", "correct the setting that the message names"),
        (
            "redirect_uri_unknown",
            "RFC 9700 §4.4.2",
            "pass the configured URL of the route, never one built from Host",
        ),
        (
            "redirect_uri_shared",
            "RFC 9700 §4.4.2",
            "give each provider a path of its own, or see response_iss",
        ),
        (
            "pkce_or_nonce_required",
            "RFC 9700 §2.1.1",
            "if only its metadata is silent about PKCE, see metadata_overrides",
        ),
        ("issuer_invalid", "OIDC Discovery §3", "an issuer is an https URL without query"),
        ("issuer_not_allowed", "RFC 9700 §4.4", "add the issuer to those configured"),
        ("url_invalid", "RFC 3986 §3", "give an absolute URL"),
        ("url_scheme_not_allowed", _CORE + "§16.17", "give an https URL"),
        ("url_userinfo_not_allowed", "RFC 3986 §3.2.1", "credentials in URLs are never used"),
        ("url_host_invalid", "RFC 3986 §3.2.2", "give the host's ASCII name or address"),
        (
            "url_address_not_allowed",
            "RFC 9728 §7.7",
            "not public; if the host is yours, name its origin in the policy",
        ),
        ("url_port_invalid", "RFC 3986 §3.2.3", "a port is 1 to 65535"),
        ("parameter_reserved", _CORE + "§3.1.2.1", "the library sets this parameter itself"),
        ("parameter_invalid", _CORE + "§3.1.2.1", "correct the parameter that the message names"),
        ("client_issuer_mismatch", "RFC 9700 §4.4", "these credentials are another issuer's"),
        ("credential_missing", _CORE + "§9", "give the client's secret or key to the adapter"),
        ("unsupported_by_provider", "OIDC Discovery §3", "the provider does not offer this"),
        ("entropy_failure", "RFC 6749 §10.10", "secrets must be fresh and long enough"),
        ("origin_not_allowed", "RFC 9700 §4.9", "this request may not go to that origin"),
        (
            "pending_too_large",
            "RFC 6265 §6.1",
            "demand less, or keep such logins in a store on the server",
        ),
        ("refresh_token_missing", _6749 + "§6", "no refresh token was issued"),
        ("login_unknown", _CORE + "§12.2", "give id_token= of the login, to compare its user with"),
    ),
)

CODES: Final = MappingProxyType({row.code: row for row in _TABLE})
"""Code to row; :class:`oidc_core.wire.errors.OidcError` reads it."""
