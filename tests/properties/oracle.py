"""The required result of a distorted answer of a provider: decided without a line of the library.

The rules come from the specifications and from the library's own promises, written down a second
time: strict where a rule reads a member, silent elsewhere. A verdict is a set of ends that are
right: :data:`LOGGED_IN`, or codes of errors.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOGGED_IN: Final = "logged in"
ABSENT: Final = object()
"""In place of a member that is left out."""

Verdict = frozenset[str]

IN: Final[Verdict] = frozenset({LOGGED_IN})
_UNSUPPORTED: Final[Verdict] = frozenset({"unsupported_by_provider"})
_METADATA: Final[Verdict] = frozenset({"metadata_invalid"})
_ENDPOINT: Final[Verdict] = frozenset({"metadata_invalid", "metadata_endpoint_invalid"})
_NO_ALG: Final[Verdict] = frozenset({"alg_not_allowed"})
_NO_KEY: Final[Verdict] = frozenset({"key_not_found"})

_BIG: Final = 2**64
_BEARER: Final = re.compile(r"[!-~]+")


def readable(value: object) -> bool:
    """Return whether a value can be read at all: Unicode text, numbers of a sane size."""
    if isinstance(value, str):
        return not any("\ud800" <= each <= "\udfff" for each in value)
    if isinstance(value, bool) or not isinstance(value, int | float | list | dict):
        return True
    if isinstance(value, int | float):
        return abs(value) < _BIG
    if isinstance(value, dict):
        members = cast("dict[object, object]", value)
        return all(map(readable, [*members, *members.values()]))
    return all(map(readable, cast("list[object]", value)))


def absent(value: object) -> bool:
    """Return whether a member counts as absent: it is left out, or null."""
    return value is ABSENT or value is None


def listed(value: object) -> list[str] | None:
    """Return a list of supported values; ``None`` if no list can be read."""
    if isinstance(value, str) and readable(value):
        return [value] if value else None
    return texts(value)


def texts(value: object) -> list[str] | None:
    """Return a list of readable texts, ``None`` for anything else."""
    if not isinstance(value, list) or not readable(cast("list[object]", value)):
        return None
    found = [each for each in cast("list[object]", value) if isinstance(each, str)]
    return found if len(found) == len(cast("list[object]", value)) else None


# --- metadata ------------------------------------------------------------------------------------


def _issuer(value: object, good: object) -> Verdict:
    if not isinstance(value, str) or not readable(value):
        return _METADATA
    return IN if value == good else frozenset({"metadata_issuer_mismatch"})


def _needed(value: object, good: object) -> Verdict:
    if absent(value):
        return _UNSUPPORTED
    return IN if value == good else _ENDPOINT


def _used(value: object, good: object) -> Verdict:
    return IN if absent(value) or value == good else _ENDPOINT


def _harmless_flag(value: object, _good: object) -> Verdict:
    return IN if absent(value) or isinstance(value, bool) else _METADATA


def _forbidding_flag(value: object, _good: object) -> Verdict:
    if value is True:
        return _UNSUPPORTED
    return _harmless_flag(value, _good)


def _algorithms(value: object, _good: object) -> Verdict:
    """Without a name it is RS256 (OIDC Core §3.1.3.7, 7), and the token is ES256."""
    names = listed(value)
    if not names or ("RS256" in names and "ES256" not in names):
        return _NO_ALG
    return IN if "ES256" in names else _UNSUPPORTED


def _names(*one_of: str) -> Callable[[object, object], Verdict]:
    """Return the rule of a list that rules out what it does not name; an empty one does not."""

    def verdict(value: object, _good: object) -> Verdict:
        names = listed(value)
        return IN if not names or not {*one_of}.isdisjoint(names) else _UNSUPPORTED

    return verdict


METADATA: Final[Mapping[str, Callable[[object, object], Verdict]]] = {
    "issuer": _issuer,
    "authorization_endpoint": _needed,
    "token_endpoint": _needed,
    "jwks_uri": _needed,
    "userinfo_endpoint": _used,
    "authorization_response_iss_parameter_supported": _harmless_flag,
    "tls_client_certificate_bound_access_tokens": _harmless_flag,
    "require_pushed_authorization_requests": _forbidding_flag,
    "require_signed_request_object": _forbidding_flag,
    "id_token_signing_alg_values_supported": _algorithms,
    "token_endpoint_auth_methods_supported": _names("client_secret_basic"),
    "response_types_supported": _names("code"),
    "response_modes_supported": _names("query"),
    "grant_types_supported": _names("authorization_code"),
    "code_challenge_methods_supported": _names("S256"),
}
"""The members that a rule reads in a login, each with its rule."""


# --- the token answer ----------------------------------------------------------------------------


def _access_token(value: object, good: object) -> Verdict:
    if value == good:
        return IN
    if isinstance(value, str) and readable(value) and value:
        wrong = "at_hash_mismatch" if _BEARER.fullmatch(value) else "access_token_malformed"
        return frozenset({wrong})
    return frozenset({"token_response_invalid", "access_token_malformed"})


def _token_type(value: object, _good: object) -> Verdict:
    good = isinstance(value, str) and value.lower() == "bearer"
    return IN if good else frozenset({"token_type_mismatch"})


def _id_token(value: object, good: object) -> Verdict:
    if value == good:
        return IN
    if absent(value) or value == "":
        return frozenset({"id_token_missing"})
    return frozenset({"token_response_invalid", "jws_malformed", "base64url_malformed"})


def _error(value: object, _good: object) -> Verdict:
    if absent(value):
        return IN
    spelled = (
        isinstance(value, str) and value and all(" " <= c <= "~" and c not in '"\\' for c in value)
    )
    return frozenset({"provider_error" if spelled else "token_response_invalid"})


TOKENS: Final[Mapping[str, Callable[[object, object], Verdict]]] = {
    "access_token": _access_token,
    "token_type": _token_type,
    "id_token": _id_token,
    "error": _error,
}


# --- UserInfo ------------------------------------------------------------------------------------


def _same_user(value: object, good: object) -> Verdict:
    """It ends a login that does not depend on it only if it is about somebody else."""
    return IN if absent(value) or value == good else frozenset({"sub_mismatch", "sub_malformed"})


USERINFO: Final[Mapping[str, Callable[[object, object], Verdict]]] = {"sub": _same_user}


# --- a key of the key set ------------------------------------------------------------------------

_MALFORMED: Final[Verdict] = frozenset({"jwk_invalid"})
_OTHER_USE: Final[Verdict] = frozenset({"key_use_mismatch"})


def _material(value: object, good: object) -> Verdict:
    return IN if value == good else _MALFORMED


def _private(value: object, _good: object) -> Verdict:
    return IN if absent(value) else frozenset({"key_not_public"})


def _name(value: object, good: object) -> Verdict:
    return IN if value == good else _NO_KEY


def _use(value: object, _good: object) -> Verdict:
    if absent(value) or value == "sig":
        return IN
    return _OTHER_USE if isinstance(value, str) and readable(value) else _MALFORMED


def _algorithm_of_key(value: object, _good: object) -> Verdict:
    if absent(value) or value == "ES256":
        return IN
    if not isinstance(value, str) or not readable(value):
        return _MALFORMED
    # A known algorithm of other keys contradicts the key; an unknown one is for something else.
    return _MALFORMED if value == "RS256" else frozenset({"key_alg_mismatch"})


def _operations(value: object, _good: object) -> Verdict:
    if absent(value):
        return IN
    names = texts(value)
    if names is None or len({*names}) != len(names):
        return _MALFORMED
    # The good key says that its use is ``sig``, which both have to say (RFC 7517 §4.3).
    return IN if "verify" in names and {*names} <= {"sign", "verify"} else _OTHER_USE


KEY: Final[Mapping[str, Callable[[object, object], Verdict]]] = {
    "kty": _material,
    "crv": _material,
    "x": _material,
    "y": _material,
    "kid": _name,
    "use": _use,
    "alg": _algorithm_of_key,
    "key_ops": _operations,
    "d": _private,
}


# --- the claims of an ID token -------------------------------------------------------------------

LEEWAY: Final = 60
AGE: Final = 86_400
_DATE: Final = 2**53
_SUBJECT: Final = re.compile(r"[ -~]{1,255}")


def _code(code: str) -> Verdict:
    return frozenset({code})


def _seconds(value: object) -> int | None:
    """Return a NumericDate in whole seconds, ``None`` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < _DATE else None


def _claim_issuer(value: object, good: object) -> Verdict:
    if absent(value):
        return _code("iss_missing")
    if not isinstance(value, str) or not readable(value):
        return _code("iss_malformed")
    return IN if value == good else _code("iss_mismatch")


def _claim_subject(value: object, _good: object) -> Verdict:
    if absent(value):
        return _code("sub_missing")
    fits = isinstance(value, str) and _SUBJECT.fullmatch(value)
    return IN if fits else _code("sub_malformed")


def _claim_audience(value: object, good: object) -> Verdict:
    if absent(value):
        return _code("aud_missing")
    names = [value] if isinstance(value, str) and readable(value) else texts(value)
    if names is None:
        return _code("aud_malformed")
    if good not in names:
        return _code("aud_mismatch")
    return IN if {*names} == {good} else _code("aud_untrusted")


def party(client_id: str) -> Callable[[object, object], Verdict]:
    """Return the rule of ``azp`` at a client."""

    def verdict(value: object, _good: object) -> Verdict:
        if absent(value) or value == client_id:
            return IN
        text = isinstance(value, str) and readable(value)
        return _code("azp_mismatch" if text else "azp_malformed")

    return verdict


def _claim_expiry(value: object, good: object) -> Verdict:
    if absent(value):
        return _code("exp_missing")
    exp, now = _seconds(value), _now(good)
    if exp is None:
        return _code("exp_malformed")
    return IN if exp + LEEWAY > now else _code("exp_expired")


def _now(expiry: object) -> int:
    """The good token lives for five minutes."""
    return expiry - 300 if isinstance(expiry, int) else 0


def _claim_issued(value: object, good: object) -> Verdict:
    if absent(value):
        return _code("iat_missing")
    iat, now = _seconds(value), good if isinstance(good, int) else 0
    if iat is None:
        return _code("iat_malformed")
    if iat > now + LEEWAY:
        return _code("iat_in_future")
    return IN if iat >= now - AGE - LEEWAY else _code("iat_too_old")


def not_before(now: int) -> Callable[[object, object], Verdict]:
    """Return the rule of ``nbf`` at a time."""

    def verdict(value: object, _good: object) -> Verdict:
        if absent(value):
            return IN
        nbf = _seconds(value)
        if nbf is None:
            return _code("nbf_malformed")
        return IN if nbf <= now + LEEWAY else _code("nbf_in_future")

    return verdict


def _claim_nonce(value: object, good: object) -> Verdict:
    if absent(value):
        return _code("nonce_missing")
    return IN if value == good else _code("nonce_mismatch")


def _claim_hash(value: object, good: object) -> Verdict:
    return IN if absent(value) or value == good else _code("at_hash_mismatch")


def _claim_of_other_tokens(value: object, _good: object) -> Verdict:
    """Even null says that this is a token of another kind."""
    return IN if value is ABSENT else _code("claim_forbidden")


CLAIMS: Final[Mapping[str, Callable[[object, object], Verdict]]] = {
    "iss": _claim_issuer,
    "sub": _claim_subject,
    "aud": _claim_audience,
    "exp": _claim_expiry,
    "iat": _claim_issued,
    "nonce": _claim_nonce,
    "at_hash": _claim_hash,
    "events": _claim_of_other_tokens,
    "token_introspection": _claim_of_other_tokens,
}
"""The claims of an ID token that a rule reads, without ``azp`` and ``nbf``."""
