"""``./bench --stores``: what it costs to find a session by its user, and by ``sid``.

Each session belongs to another user, so an index of a million sessions has two million lists.  A
few of them are written by the index itself, and are asked for.  All others have the names and the
size of such lists; nobody reads what is in them.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from time import time
from typing import Final

from benchmarks.stores import ENGINES, HELD, ROUNDS, SIZES, Engine, Figure, timed
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.stores.session_lists import ListName
from oidc_adapters.stores.session_values import IndexedSession
from oidc_adapters.stores.sessions import SessionIndex
from oidc_core.model.connection import Connection

_SECRET: Final = bytes(range(32))
_ISSUER: Final = "https://op.example"
_CONNECTION: Final = Connection(_ISSUER, "client", "", "", "")
_DAY: Final = 86_400


def session_figures(sizes: Sequence[int] = SIZES, rounds: int = ROUNDS) -> list[Figure]:
    """Measure the index in every engine that is on this machine, and in memory."""
    found: list[Figure] = []
    for name, opened in {"memory": _memory, **ENGINES}.items():
        with ExitStack() as stack:
            engines = stack.enter_context(opened(len(sizes)))
            if engines:
                found += _of_engine(name, engines, sizes, rounds)
    return found


def _of_engine(
    name: str, engines: Sequence[Engine], sizes: Sequence[int], rounds: int
) -> list[Figure]:
    indexes = [_filled(engine, size) for engine, size in zip(engines, sizes, strict=True)]

    def by_subject(at: int, number: int) -> None:
        session = _session(number)
        found = indexes[at].of_subject(_CONNECTION, _ISSUER, session.subject)
        assert [each.session_id for each in found] == [session.session_id]

    def by_sid(at: int, number: int) -> None:
        session = _session(number)
        found = indexes[at].of_sid(_CONNECTION, _ISSUER, session.sid or "")
        assert [each.session_id for each in found] == [session.session_id]

    return [
        Figure(name, "sessions found by sub", timed(by_subject, sizes, rounds)),
        Figure(name, "sessions found by sid", timed(by_sid, sizes, rounds)),
    ]


def _filled(engine: Engine, size: int) -> SessionIndex:
    """Return an index of so many sessions."""
    index, until = SessionIndex(engine.records, _SECRET), int(time()) + _DAY
    for number in range(HELD):
        index.add(_CONNECTION, _session(number))
    one = engine.records.read(_lists(_session(0))[0])
    assert one is not None
    keys = (key for number in range(HELD, size) for key in _lists(_session(number)))
    engine.put(keys, one.value, until)
    return index


def _session(number: int) -> IndexedSession:
    now = int(time())
    return IndexedSession(
        session_id=f"session-{number}",
        grant_id=f"session-{number}",
        issuer=_ISSUER,
        subject=f"user-{number}",
        sid=f"sid-{number}",
        issued_at=now,
        began_at=now,
        until=now + _DAY,
    )


def _lists(session: IndexedSession) -> tuple[str, str]:
    """Return the keys of a session's lists."""
    of_user = ListName.of_subject(_CONNECTION, _ISSUER, session.subject)
    return of_user.key, ListName.of_sid(_CONNECTION, _ISSUER, session.sid or "").key


@contextmanager
def _memory(many: int) -> Generator[list[Engine]]:
    yield [_in_memory() for _ in range(many)]


def _in_memory() -> Engine:
    records = MemoryRecords(cap=10_000_000)

    def put(keys: Iterable[str], value: str, until: int) -> None:
        for key in keys:
            assert records.create(key, "v", value, until)

    def fill(begin: str, number: int, until: int) -> None:
        put((f"{begin}{each}" for each in range(number)), "a value", until)

    return Engine(records, fill, put)
