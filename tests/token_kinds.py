"""One good token of each kind, all for the same client and user, as one provider signs them.

Each kind is here with its own ``typ``; where the specification lets it go without, also without.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen

from oidc_core.jose.algorithms import half_hash
from tests.parties import ACCESS_TOKEN, CLIENT_ID, ISSUER, NOW, REDIRECT_URI, SUB, secrets

NONCE: Final = secrets().nonce
"""The nonce of the login that the ID token belongs to."""

_BASE: Final = {"iss": ISSUER, "aud": CLIENT_ID, "iat": NOW}
_EXP: Final = {"exp": NOW + 300}

CLAIMS: Final[dict[str, dict[str, Any]]] = {
    "id_token": {
        **_BASE,
        **_EXP,
        "sub": SUB,
        "nonce": NONCE,
        "auth_time": NOW,
        "at_hash": half_hash("ES256", "P-256", ACCESS_TOKEN),
    },
    "access_token": {
        **_BASE,
        **_EXP,
        "sub": SUB,
        "client_id": CLIENT_ID,
        "jti": "at-1",
        "scope": "openid",
    },
    "logout_token": {
        **_BASE,
        **_EXP,
        "sub": SUB,
        "sid": "session-1",
        "jti": "lt-1",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    },
    "security_event": {
        **_BASE,
        "sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": SUB},
        "jti": "set-1",
        "events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {}},
    },
    "userinfo": {"iss": ISSUER, "aud": CLIENT_ID, "sub": SUB, "email": "alice@op.example"},
    "authorization_response": {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        **_EXP,
        "code": "code-1",
        "state": secrets().state,
    },
    "request_object": {
        "iss": CLIENT_ID,
        "aud": ISSUER,
        **_EXP,
        "client_id": CLIENT_ID,
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": "openid",
        "nonce": NONCE,
        "state": secrets().state,
    },
    "dpop_proof": {"jti": "p-1", "htm": "POST", "htu": f"{ISSUER}/token", "iat": NOW},
    "introspection_response": {**_BASE, "token_introspection": {"active": True, "sub": SUB}},
}
TYPES: Final[dict[str, tuple[str | None, ...]]] = {
    "id_token": (None, "JWT", "JOSE", "ID+JWT", "application/id+jwt"),
    "access_token": ("at+jwt", "application/at+jwt"),
    "logout_token": (None, "JWT", "logout+jwt", "application/logout+jwt"),
    "security_event": ("secevent+jwt", "application/secevent+jwt"),
    "userinfo": (None, "JWT", "token-userinfo+jwt", "application/token-userinfo+jwt"),
    "authorization_response": (None, "JWT"),
    "request_object": (None, "JWT", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt"),
    "dpop_proof": ("dpop+jwt",),
    "introspection_response": ("token-introspection+jwt",),
}


@frozen(kw_only=True)
class Example:
    """A token of one kind, under one of its ``typ``."""

    kind: str
    typ: str | None
    claims: dict[str, Any]

    @property
    def id(self) -> str:
        """The name that a test has that takes it."""
        return f"{self.kind} {self.typ or 'untyped'}"


EXAMPLES: Final = [
    Example(kind=kind, typ=typ, claims=CLAIMS[kind])
    for kind, types in TYPES.items()
    for typ in types
]
