"""Records of a grant, for the tests of its decisions."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from oidc_core.machine.grant_writes import Fresh
from oidc_core.model.grants import Failure, GrantRecord
from oidc_core.model.records import Tokens

NOW = 1_000
FRESH = Fresh("version-2", "attempt-2")
DOWN = Failure("http_status_unexpected", "later", "later")


def tokens(access: str = "access-1", refresh: str = "refresh-1") -> Tokens:
    """Return the tokens of a session."""
    return Tokens(
        issuer="https://op.example",
        client_id="client-1",
        access_token=access,
        refresh_token=refresh,
        id_token="header.claims.signature",
        scope="openid",
        subject="alice",
    )


def record(**changes: Any) -> GrantRecord:
    """Return a record whose access token is good for a while yet."""
    good = GrantRecord(
        version="version-1",
        tokens=tokens(),
        stored_at=NOW - 100,
        lifetime=400,
        changed_at=NOW - 100,
        until=NOW + 10_000,
    )
    return evolve(good, **changes)
