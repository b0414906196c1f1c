"""The parts of a message that may be shown: every secret becomes a fingerprint.

Two equal secrets have equal fingerprints, so one can follow a ``state`` or a token through a login
without ever seeing it.
"""

from typing import Final

from oidc_core.wire.errors import fingerprint
from oidc_core.wire.jsontypes import JsonObject, JsonValue, render

SECRETS: Final = frozenset(
    {
        "access_token", "assertion", "client_assertion", "client_secret", "code", "code_verifier",
        "id_token", "id_token_hint", "nonce", "refresh_token", "session_state", "sid", "state",
    }
)  # fmt: skip
"""Names of parameters and members whose values are never shown."""


def without_secrets(name: str, value: JsonValue) -> JsonValue:
    """Return a member's value with a fingerprint in place of each secret, at any depth."""
    if name in SECRETS and value is not None:
        return fingerprint(text_of(value))
    if isinstance(value, str) and _is_jwt(value):
        return fingerprint(value)
    if isinstance(value, JsonObject):
        members = value.members.items()
        return JsonObject({inner: without_secrets(inner, member) for inner, member in members})
    if isinstance(value, tuple):
        return tuple([without_secrets("", item) for item in value])
    return value


def _is_jwt(value: str) -> bool:
    """Return whether a text looks like a compact JWS or JWE: a JSON object begins with ``eyJ``."""
    return value.startswith("eyJ") and value.count(".") in {2, 4}


def text_of(value: JsonValue) -> str:
    """Return a value as text: a string as it is, a list of strings with commas, others as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, tuple) and value and all(isinstance(item, str) for item in value):
        return ", ".join(map(str, value))
    return render(value)


def shown_header(name: str, value: str) -> str:
    """Return a header's value as it may be shown."""
    if name in {"authorization", "www-authenticate"}:
        scheme, _, rest = value.partition(" ")
        return f"{scheme} {fingerprint(rest)}"
    if name == "cookie":
        return "; ".join([_cookie(pair.strip()) for pair in value.split(";")])
    if name == "set-cookie":
        pair, semicolon, attributes = value.partition(";")
        return _cookie(pair) + semicolon + attributes
    return value


def _cookie(pair: str) -> str:
    name, _, value = pair.partition("=")
    return f"{name}={fingerprint(value)}"


def printable(text: str) -> str:
    """Return text that cannot steer a terminal: control and invisible characters are escaped."""
    return text if text.isprintable() else ascii(text)[1:-1]
