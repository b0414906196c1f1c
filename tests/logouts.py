"""Logout tokens for unit tests, and the request that brings one."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from oidc_core.endpoints.logout_token import LOGOUT_EVENT
from oidc_core.wire.incoming import Incoming
from tests.parties import CLIENT_ID, ISSUER, NOW, SUB
from tests.signing import signed

SID: Final = "session-1"
JTI: Final = "logout-1"
URI: Final = "https://rp.example/backchannel-logout"
FORM: Final = "application/x-www-form-urlencoded"


def logout_claims(**changes: object) -> dict[str, object]:
    """Return the claims of a good logout token; a change to ``None`` leaves the claim out."""
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "iat": NOW,
        "exp": NOW + 120,
        "jti": JTI,
        "sub": SUB,
        "sid": SID,
        "events": {LOGOUT_EVENT: {}},
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def logout_token(**changes: object) -> str:
    """Return a logout token, signed by the provider."""
    return signed(logout_claims(**changes), typ="logout+jwt")


def posted(token: str | None, **changed: Any) -> Incoming:
    """Return the request at the ``backchannel_logout_uri``, as a provider makes it."""
    body = b"" if token is None else urlencode({"logout_token": token}).encode()
    members: dict[str, Any] = {"method": "POST", "url": URI, "body": body, "content_type": FORM}
    return Incoming(**{**members, **changed})
