"""The closed table of error codes: what went wrong, whose fault it is, what to do about it.

A code is a promise.  It is never renamed and never reused, tests assert it, and an application may
branch on it.  For each code the table names the class of error, the stage of the protocol, whether
trying again can help, the kind of refusal, the sentence of the specification, and what to fix.  An
error may know better than its row: a status of 503 heals by itself, a status of 404 does not.
"""

from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

Fault: TypeAlias = Literal["protocol", "provider", "callback", "transport", "store", "usage"]
Retryable: TypeAlias = Literal["no", "restart", "later"]
Kind: TypeAlias = Literal["user", "stale", "configuration", "later", "interaction", "suspicious"]


class CodeRow(NamedTuple):
    """A code and its meaning.

    ``retryable`` says whether trying again helps.  ``no``: somebody must change something first.
    ``restart``: a new login can end differently though nobody changes anything.  ``later``: the
    same operation can end differently after a while.

    ``kind`` says what to tell the user.  ``user``: the user decided so.  ``stale``: the login is
    too old or was used before.  ``configuration``: an operator has to change something.  ``later``:
    a service is down.  ``interaction``: the user has to do something at the provider.
    ``suspicious``: it may be an attack.
    """

    code: str
    fault: Fault
    stage: str
    retryable: Retryable
    kind: Kind
    spec: str
    hint: str


_Group: TypeAlias = tuple[Fault, str, Retryable, Kind]
_Entry: TypeAlias = tuple[str, str, str]


def _rows(group: _Group, *entries: _Entry) -> tuple[CodeRow, ...]:
    return tuple([CodeRow(code, *group, spec, hint) for code, spec, hint in entries])


_CORE = "OIDC Core "
_ID_TOKEN = "OIDC Core §3.1.3.7, "
_6749 = "RFC 6749 "

_CALLBACK: Final = (
    *_rows(
        ("callback", "callback", "restart", "stale"),
        ("state_unknown", _6749 + "§10.12", "no login with this state is waiting; start a new one"),
        ("state_expired", "RFC 9700 §4.7", "the login took too long; start a new one"),
        ("state_used", _6749 + "§4.1.2", "this login was finished before; start a new one"),
        ("policy_changed", "RFC 9700 §4.4", "the policy changed during the login; start a new one"),
        (
            "session_ended",
            "OIDC Back-Channel Logout §2.7",
            "the provider ended this session meanwhile; start a new login",
        ),
        (
            "binding_missing",
            "RFC 9700 §4.7",
            "the browser sent no login cookie: it is late or keeps no cookies",
        ),
    ),
    *_rows(
        ("callback", "callback", "no", "stale"),
        (
            "logout_state_mismatch",
            "RP-Initiated Logout §3",
            "this browser asked for no such logout",
        ),
        ("logout_expired", "RP-Initiated Logout §3", "the logout took too long; it is done"),
    ),
    *_rows(
        ("callback", "callback", "no", "suspicious"),
        ("state_missing", _6749 + "§10.12", "the callback has no state, so it belongs to no login"),
        ("state_mismatch", _6749 + "§10.12", "the callback belongs to another login"),
        ("binding_mismatch", "RFC 9700 §4.7", "the login was started in another browser"),
        ("binding_duplicated", "RFC 6265 §5.4", "the browser sent the login cookie twice"),
        ("parameter_unexpected", "RFC 9700 §4.6", "this callback must not carry tokens"),
        ("parameter_duplicated", _6749 + "§3.1", "each parameter may be given once"),
        ("parameter_too_long", _6749 + "§3.1", "the callback exceeds Policy.limits"),
        ("parameter_malformed", _6749 + "appendix A", "the callback breaks the grammar"),
        ("code_missing", _6749 + "§4.1.2", "the callback carries neither code nor error"),
        ("response_ambiguous", _6749 + "§4.1.2", "the callback carries both code and error"),
        ("cookie_invalid", "RFC 9700 §4.7", "the cookie is damaged or foreign"),
        ("response_iss_mismatch", "RFC 9207 §2.4", "the response comes from another provider"),
        ("connection_mismatch", "RFC 9700 §4.4", "the login belongs to another connection"),
        ("method_unexpected", _6749 + "§4.1.2", "a callback comes with GET or POST"),
    ),
    *_rows(
        ("callback", "callback", "no", "configuration"),
        (
            "response_mode_mismatch",
            "OAuth Multiple Response Types §2.1",
            "the provider did not heed response_mode; ask for one it supports",
        ),
        (
            "redirect_uri_mismatch",
            "RFC 9700 §4.4.2",
            "pass the configured URL of the route, never one built from Host",
        ),
        (
            "cookie_key_unknown",
            "RFC 9700 §4.7",
            "give all workers the same sealing secrets, and keep replaced ones",
        ),
        ("response_iss_missing", "RFC 9207 §2.4", "the provider promised iss and did not send it"),
    ),
    *_rows(
        ("callback", "callback", "no", "user"),
        ("account_mismatch", "RFC 9700 §4.7", "another user has logged in meanwhile"),
        ("account_refused", _CORE + "§5.7", "the application has no account for this user"),
    ),
)
_PROVIDER: Final = (
    *_rows(
        ("provider", "provider", "no", "configuration"),
        ("provider_error", _6749 + "§4.1.2.1, §5.2", "the provider refused; error says why"),
    ),
    *_rows(
        ("protocol", "metadata", "no", "configuration"),
        ("metadata_invalid", "OIDC Discovery §3", "the provider's metadata is not usable"),
        ("metadata_issuer_mismatch", "OIDC Discovery §4.3", "configure the issuer as published"),
        ("metadata_endpoint_invalid", "OIDC Discovery §3", "the provider must publish https URLs"),
    ),
    *_rows(
        ("protocol", "metadata", "restart", "stale"),
        ("metadata_changed", "OIDC Discovery §4.3", "an endpoint moved during the login"),
    ),
    *_rows(
        ("protocol", "json", "no", "configuration"),
        ("json_not_utf8", "RFC 8259 §8.1", "the provider must send UTF-8 without BOM"),
        ("json_malformed", "RFC 8259 §2", "the provider sent something that is not JSON"),
        ("json_member_duplicated", "RFC 8259 §4", "the same member must not be given twice"),
        ("json_number_invalid", "RFC 8259 §6", "a number is not finite or too long"),
        ("json_string_invalid", "RFC 8259 §8.2", "a string is not Unicode"),
        ("json_too_deep", "RFC 8259 §9", "the JSON is nested too deeply"),
        ("json_too_large", "RFC 8259 §9", "the JSON exceeds Policy.limits"),
        ("json_not_object", "RFC 7519 §7.2", "a JSON object is expected"),
    ),
)
_JOSE: Final = (
    *_rows(
        ("protocol", "jose", "no", "configuration"),
        ("token_too_large", "RFC 7515 §3.1", "the token exceeds Policy.limits"),
        ("jws_malformed", "RFC 7515 §7.1", "a compact JWS has three parts"),
        ("jwe_malformed", "RFC 7516 §7.1", "a compact JWE has five parts"),
        ("base64url_malformed", "RFC 7515 §2", "a part is not base64url without padding"),
        ("jose_header_invalid", "RFC 7515 §4", "the JOSE header is not usable"),
        ("crit_unsupported", "RFC 7515 §4.1.11", "no critical header extension is supported"),
        ("cty_unexpected", "RFC 7515 §4.1.10", "the content is not a set of claims"),
        ("alg_not_allowed", "OIDC Core §3.1.3.7, 7", "register the algorithm or change it"),
        ("key_alg_mismatch", "RFC 7517 §4.4", "the key is for another algorithm"),
        ("kid_malformed", "RFC 7515 §4.1.4", "kid is a short string"),
        ("key_ambiguous", "OIDC Core §10.1", "several keys fit: the provider must send kid"),
        ("key_use_mismatch", "RFC 7517 §4.2", "the key is not for signatures"),
        ("key_too_small", "RFC 7518 §3.3", "use a longer key"),
        ("key_too_large", "RFC 8725 §3.5", "the key is larger than the library verifies"),
        ("key_weak", "RFC 8725 §3.5", "the key is known to be broken: replace it"),
        ("jwk_invalid", "RFC 7517 §4", "the key is malformed"),
        ("jwks_invalid", "RFC 7517 §5", "the key set is malformed"),
        ("kid_duplicated", "RFC 7517 §4.5", "two different keys share a kid"),
        ("key_not_public", "RFC 7517 §9.3", "a private key was published: replace it"),
        (
            "encryption_missing",
            _ID_TOKEN + "1",
            "encryption is registered: the token must be encrypted",
        ),
        ("encryption_unexpected", _ID_TOKEN + "1", "no encryption is registered: see the member"),
        ("encryption_mismatch", "RFC 7518 §4.1, §5.1", "use the alg and enc that were registered"),
        ("zip_unsupported", "RFC 7516 §4.1.3", "compressed content is not supported"),
        ("decryption_failed", "RFC 7516 §11.5", "the token cannot be decrypted; why is never told"),
        ("signature_missing", "RFC 7519 §11.2", "an encrypted token must be signed first"),
    ),
    *_rows(
        ("protocol", "jose", "no", "suspicious"),
        ("typ_unexpected", "RFC 8725 §3.11", "this is a token of another kind"),
        ("claim_forbidden", "RFC 8725 §3.12", "no token of the expected kind has this claim"),
        ("key_not_found", "OIDC Core §10.1", "the provider publishes no such key"),
        ("signature_length_mismatch", "RFC 7518 §3.4", "the signature has the wrong length"),
        ("signature_invalid", "OIDC Core §3.1.3.7, 6", "forged, damaged or signed by a stranger"),
    ),
)
_CLAIMS: Final = (
    *_rows(
        ("protocol", "id_token", "no", "configuration"),
        ("id_token_missing", _CORE + "§3.1.3.3", "is this an OAuth provider without OpenID?"),
        ("iss_missing", _ID_TOKEN + "2", "the token names no issuer"),
        ("iss_malformed", _CORE + "§2", "iss is a URL in a string"),
        ("aud_missing", _ID_TOKEN + "3", "the token names no audience"),
        ("aud_malformed", _CORE + "§2", "aud is a string or a list of strings"),
        ("aud_untrusted", _ID_TOKEN + "3", "name the further audience in trusted_audiences"),
        ("azp_malformed", _CORE + "§2", "azp is a string"),
        ("exp_missing", _CORE + "§2", "the token does not say when it expires"),
        ("exp_malformed", _CORE + "§2", "exp is a number of seconds"),
        ("exp_expired", _ID_TOKEN + "9", "the token has expired; check both clocks"),
        ("iat_missing", _CORE + "§2", "the token does not say when it was issued"),
        ("iat_malformed", _CORE + "§2", "iat is a number of seconds"),
        ("iat_in_future", _ID_TOKEN + "10", "this clock is behind the provider's; check both"),
        ("iat_too_old", _ID_TOKEN + "10", "the token was issued too long ago; check both clocks"),
        ("nbf_malformed", "RFC 7519 §4.1.5", "nbf is a number of seconds"),
        ("nbf_in_future", "RFC 7519 §4.1.5", "this clock is behind the provider's; check both"),
        ("nonce_missing", _ID_TOKEN + "11", "the token lacks nonce; see quirk nonce_not_echoed"),
        ("sub_missing", _CORE + "§2", "the provider names no user"),
        ("sub_malformed", _CORE + "§2", "sub is a string of 1 to 255 ASCII characters"),
        ("sub_placeholder", _CORE + "§2", "the provider sends the same sub for every user"),
        ("at_hash_missing", _CORE + "§3.1.3.8", "the policy requires at_hash"),
        ("auth_time_missing", _CORE + "§2", "auth_time is required when max_age is sent"),
        ("auth_time_malformed", _CORE + "§2", "auth_time is a number of seconds"),
        ("auth_time_in_future", _CORE + "§2", "this clock is behind the provider's; check both"),
        ("claim_missing", _CORE + "§5.5.1", "an essential claim is missing"),
    ),
    *_rows(
        ("protocol", "id_token", "no", "suspicious"),
        ("iss_mismatch", _ID_TOKEN + "2", "the token is from another issuer"),
        ("aud_mismatch", _ID_TOKEN + "3", "the token is for another client"),
        (
            "azp_mismatch",
            _ID_TOKEN + "5",
            "another client got the token; a validation accepts trusted_parties",
        ),
        (
            "nonce_unexpected",
            _ID_TOKEN + "11",
            "the token is of another login: this one sent no nonce",
        ),
        ("nonce_mismatch", _ID_TOKEN + "11", "the token belongs to another login"),
        ("sub_mismatch", _CORE + "§3.1.2.1, §5.3.2, §12.2", "the answer is about another user"),
        (
            "at_hash_mismatch",
            _CORE + "§3.1.3.8",
            "the access token does not belong to the ID token",
        ),
        ("auth_time_mismatch", _CORE + "§12.2", "auth_time is older than in the login's ID token"),
    ),
    *_rows(
        ("protocol", "id_token", "no", "interaction"),
        ("acr_missing", _ID_TOKEN + "12", "the provider did not say how the user authenticated"),
        ("acr_mismatch", _ID_TOKEN + "12", "the authentication was weaker than required"),
        ("auth_time_too_old", _ID_TOKEN + "13", "the user authenticated too long ago"),
    ),
)
_BACK_CHANNEL = "Back-Channel Logout "
_FRONT_CHANNEL = "Front-Channel Logout "

_LOGOUT: Final = (
    *_rows(
        ("protocol", "logout", "no", "suspicious"),
        ("logout_request_invalid", _BACK_CHANNEL + "§2.5", "post a form with one logout_token"),
        ("logout_subject_missing", _BACK_CHANNEL + "§2.6, 5", "the token names no sub and no sid"),
        ("events_missing", _BACK_CHANNEL + "§2.6, 6", "the token names no event"),
        ("events_malformed", "RFC 8417 §2.2", "events is an object, and each event in it too"),
        ("event_unexpected", _BACK_CHANNEL + "§2.6, 6", "the token names no back-channel logout"),
    ),
    *_rows(
        ("protocol", "logout", "no", "configuration"),
        ("sid_missing", _BACK_CHANNEL + "§2.2", "the client is registered as one that needs sid"),
        ("sid_malformed", _BACK_CHANNEL + "§2.4", "sid is a string that is not blank"),
        ("jti_missing", _BACK_CHANNEL + "§2.4", "the token has no identifier"),
        ("jti_malformed", "RFC 7519 §4.1.7", "jti is a string that is not blank"),
    ),
    *_rows(
        ("protocol", "logout", "no", "stale"),
        ("logout_token_used", _BACK_CHANNEL + "§2.6, 8", "this logout is done; send a new token"),
    ),
    *_rows(
        ("callback", "logout", "no", "suspicious"),
        ("logout_session_missing", _FRONT_CHANNEL + "§2", "a frame names both iss and sid"),
        ("logout_iss_mismatch", _FRONT_CHANNEL + "§2", "the logout is from another provider"),
    ),
)
_EXCHANGE: Final = (
    *_rows(
        ("protocol", "tokens", "no", "configuration"),
        ("token_response_invalid", _CORE + "§3.1.3.3", "the token response is malformed"),
        ("access_token_malformed", "RFC 6750 §2.1", "the access token has characters it must not"),
        ("channel_unverified", _CORE + "§16.17", "use a transport that verifies the server"),
        ("token_type_mismatch", _6749 + "§7.1", "the client asked for the token type Bearer only"),
        ("scope_unexpected", _6749 + "§5.1", "the provider granted more than the client asked for"),
    ),
    *_rows(
        ("protocol", "http", "no", "configuration"),
        ("http_status_unexpected", _6749 + "§5", "the provider answered with an unexpected status"),
        ("http_redirect_refused", "RFC 9700 §4.12", "back-channel redirects are never followed"),
        (
            "dpop_nonce_repeated",
            "RFC 9449 §8",
            "the provider demands DPoP nonces again and again",
        ),
        ("content_type_unexpected", _CORE + "§3.1.3.3", "the answer has another media type"),
    ),
    *_rows(
        ("transport", "http", "later", "later"),
        ("http_timeout", "RFC 9110 §15.5.9", "the provider did not answer in time"),
        ("http_connect_failed", "RFC 9110 §4.2", "the provider cannot be reached"),
        ("http_malformed", "RFC 9112 §8", "the connection broke or the answer was not HTTP"),
        ("keys_unavailable", "OIDC Core §10.1.1", "the key set cannot be fetched right now"),
        ("refresh_in_doubt", _6749 + "§6", "it is unknown whether the refresh token was used"),
        (
            "code_in_doubt",
            _6749 + "§4.1.2",
            "it is unknown whether the code was used; log in later",
        ),
    ),
    *_rows(
        ("transport", "http", "no", "configuration"),
        ("tls_failed", _CORE + "§16.17", "the provider's certificate cannot be verified"),
        ("http_too_large", "RFC 9110 §15.5.14", "the answer exceeds Policy.limits"),
        ("content_encoding_unexpected", "RFC 9110 §8.4", "the client offered no Content-Encoding"),
        (
            "address_not_allowed",
            "RFC 9728 §7.7",
            "not public; if the host is yours, name its origin in the policy",
        ),
    ),
)
_STORE: Final = (
    *_rows(
        ("store", "store", "later", "later"),
        ("store_unavailable", "", "the store failed, and the library accepted nothing"),
        ("pending_too_many", "RFC 9700 §4.7", "too many logins are in flight; try again later"),
        ("store_full", "", "the store is full, and the library accepted nothing"),
        ("refresh_busy", _6749 + "§6", "somebody else is refreshing these tokens; try again later"),
        ("token_refused", "RFC 6750 §3.1", "a token just issued is refused: check its audience"),
    ),
    *_rows(
        ("store", "store", "restart", "stale"),
        ("grant_unknown", "", "the store has no tokens of this session; log in again"),
        ("grant_ended", "", "this session has ended; log in again"),
        ("grant_expired", _6749 + "§6", "the access token has expired, and nothing renews it"),
    ),
    *_rows(
        ("store", "store", "no", "configuration"),
        ("seal_invalid", "", "the stored value is damaged, foreign or sealed with another key"),
        ("record_invalid", "", "the stored value does not have the expected shape"),
        ("record_version_unknown", "", "another version of the library wrote the stored value"),
    ),
)
_USAGE: Final = _rows(
    ("usage", "usage", "no", "configuration"),
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
        "give each provider its own path, or set response_iss for each",
    ),
    (
        "pkce_or_nonce_required",
        "RFC 9700 §2.1.1",
        "if only its metadata is silent about PKCE, set metadata_overrides",
    ),
    ("issuer_invalid", "OIDC Discovery §3", "an issuer is an https URL without query"),
    ("issuer_not_allowed", "RFC 9700 §4.4", "add the issuer to those configured"),
    ("url_invalid", "RFC 3986 §3", "give an absolute URL"),
    (
        "url_scheme_not_allowed",
        _CORE + "§16.17",
        "give an https URL; locally, see quirk insecure_allow_http_loopback",
    ),
    ("url_userinfo_not_allowed", "RFC 3986 §3.2.1", "a URL must not contain credentials"),
    ("url_host_invalid", "RFC 3986 §3.2.2", "give the host's ASCII name or address"),
    (
        "url_address_not_allowed",
        "RFC 9728 §7.7",
        "not public; if the host is yours, name its origin in the policy",
    ),
    ("url_port_invalid", "RFC 3986 §3.2.3", "a port is 1 to 65535"),
    ("parameter_reserved", _CORE + "§3.1.2.1", "the library sets this parameter itself"),
    ("parameter_invalid", _CORE + "§3.1.2.1", "correct the parameter that the message names"),
    ("client_issuer_mismatch", "RFC 9700 §4.4", "these credentials are for another issuer"),
    ("credential_missing", _CORE + "§9", "give the client's secret or key to the adapter"),
    (
        "unsupported_by_provider",
        "OIDC Discovery §3",
        "the metadata does not name it; if that is wrong: metadata_overrides",
    ),
    ("entropy_failure", "RFC 6749 §10.10", "secrets must be fresh and long enough"),
    ("origin_not_allowed", "RFC 9700 §4.9", "this request must not go to that origin"),
    ("pending_too_large", "RFC 6265 §6.1", "demand less, or keep logins in a store on the server"),
    ("refresh_token_missing", _6749 + "§6", "the provider issued no refresh token"),
    ("login_unknown", _CORE + "§12.2", "give id_token= of the login, to compare its user with"),
)

_TABLE: Final = (*_CALLBACK, *_PROVIDER, *_JOSE, *_CLAIMS, *_LOGOUT, *_EXCHANGE, *_STORE, *_USAGE)

CODES: Final = MappingProxyType({row.code: row for row in _TABLE})
"""Code to row; :class:`oidc_core.wire.errors.OidcError` reads it."""
