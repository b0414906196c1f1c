"""Sessions for tests of the index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.records import MemoryRecords, at_once
from oidc_adapters.stores.session_values import IndexedSession, SessionKey
from oidc_adapters.stores.sessions import EndMany, SessionIndex, ToldLogout
from oidc_core.model.connection import Connection
from tests.adapters.stores.records.plugged import PluggedRecords

ISSUER: Final = "https://op.example"
CONNECTION: Final = Connection(ISSUER, "client", "", "", "")
SECRET: Final = "a sealing secret of 32 octets or so"
UTC: Final = 1_700_000_000


def session(session_id: str = "session-1", **changed: Any) -> IndexedSession:
    """Return a session of a login at ``UTC``."""
    members: dict[str, Any] = {
        "session_id": session_id,
        "issuer": ISSUER,
        "subject": "alice",
        "sid": "sid-1",
        "issued_at": UTC,
        "began_at": UTC - 5,
        "until": UTC + 86_400,
    }
    return IndexedSession(**{**members, **changed})


def logout(**changed: Any) -> ToldLogout:
    """Return a logout of all sessions of the user, a little later."""
    members: dict[str, Any] = {
        "connection": CONNECTION,
        "issuer": ISSUER,
        "subject": "alice",
        "sid": None,
        "issued_at": UTC + 10,
        "now": UTC + 10,
    }
    return ToldLogout(**{**members, **changed})


def ends(ended: list[str], *failing: str) -> EndMany:
    """Return what ends sessions, but for some, and writes their names down."""

    async def end(sessions: tuple[IndexedSession, ...]) -> set[SessionKey]:
        done = [each for each in sessions if each.session_id not in failing]
        ended.extend([each.session_id for each in done])
        return {each.key for each in done}

    return end


def a_place(clock: FrozenClock | None = None) -> tuple[PluggedRecords, SessionIndex]:
    """Return an index in memory, and its store."""
    records = PluggedRecords(MemoryRecords(clock=clock or FrozenClock(UTC), elapsed=lambda: 5.0))
    return records, SessionIndex(records, SECRET)


def of_alice(index: SessionIndex) -> list[str]:
    """Return the names of the user's sessions, newest first."""
    return [each.session_id for each in index.of_subject(CONNECTION, ISSUER, "alice")]


def of_sid(index: SessionIndex, sid: str = "sid-1") -> list[str]:
    """Return the names of the sessions that belong to one of the provider."""
    return [each.session_id for each in index.of_sid(CONNECTION, ISSUER, sid)]


def end(index: SessionIndex, told: ToldLogout, *failing: str) -> tuple[bool, list[str]]:
    """End what a logout is about; return whether all ended, and their names."""
    ended: list[str] = []
    return at_once(index.ended(index.waiting, told, ends(ended, *failing))), ended


def many(index: SessionIndex, count: int, **changed: Any) -> list[str]:
    """Add sessions of one user; return their names."""
    names = [f"s-{number}" for number in range(count)]
    for number, name in enumerate(names):
        index.add(CONNECTION, session(name, **{"sid": f"sid-{number}", **changed}))
    return names


def quiet(_name: str, _key: str) -> None:
    """Do nothing at the calls of a store."""


def at_call(records: PluggedRecords, number: int, act: Callable[[], object]) -> None:
    """Do something before one call of the store, once."""
    left = [number]

    def before(_name: str, _key: str) -> None:
        left[0] -= 1
        if left[0] == -1:
            act()

    records.before = before
