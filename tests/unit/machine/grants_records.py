"""Records of a grant, for the tests of its decisions."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve

from oidc_core.machine.grant_writes import Fresh
from oidc_core.model.grants import Access, Failure, GrantRecord, Target, Unverified
from oidc_core.model.records import Tokens

NOW: Final = 1_000
UTC: Final = 1_800_000_000
FRESH: Final = Fresh("version-2", "attempt-2")
DOWN: Final = Failure("http_status_unexpected", "later", "later")
LOGIN: Final = Target()
API: Final = Target("openid", ("https://api.example/",))
GRANTED: Final = Tokens(
    issuer="https://op.example",
    client_id="client-1",
    access_token="",
    refresh_token="refresh-1",
    id_token="header.claims.signature",
    scope="openid profile",
    subject="alice",
)


def access(token: str = "access-1", **changes: Any) -> Access:
    """Return an access token that is good for a while yet."""
    return Access(LOGIN, token, "openid profile", NOW - 100, 400)._replace(**changes)


EXPIRED: Final = access(stored_at=NOW - 500)
NEW: Final = access("access-2", stored_at=NOW, lifetime=60)
WAITS: Final = Unverified("a.b.c", NEW, UTC)


def record(**changes: Any) -> GrantRecord:
    """Return a record whose access token is good for a while yet."""
    good = GrantRecord(
        version="version-1",
        tokens=GRANTED,
        access=(access(),),
        changed_at=NOW - 100,
        until=UTC + 10_000,
    )
    return evolve(good, **changes)


def due(**changes: Any) -> GrantRecord:
    """Return a record whose access token expired a while ago."""
    return record(**{"access": (EXPIRED,), "changed_at": NOW - 500, **changes})
