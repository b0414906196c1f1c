"""The duties of every store of records, as a table that a test of any store can run.

.. code-block:: python

    @pytest.mark.parametrize("duty", RECORDS_DUTIES, ids=str)
    def test_it_does_its_duty(duty: RecordsDuty, tmp_path: Path) -> None:
        duty(lambda: SqliteRecords(tmp_path / "records.db"))

The function opens a store.  A duty calls it several times, for several handles of one place, and
closes each of them in the end.  For a store in the memory of the process it returns one and the
same store.  Each duty uses its own keys, so one place may serve many duties, one after the other.
Nothing else may write there meanwhile.
"""

from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from threading import Barrier
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from attrs import field, frozen

from oidc_adapters.runtime.concurrency import running_trio
from oidc_adapters.stores.records import AsyncRecords, AtOnce, Records, at_once
from oidc_adapters.testing import record_duties as duties
from oidc_adapters.testing import record_races as races
from oidc_adapters.testing.record_place import Place

T = TypeVar("T")
_Work: TypeAlias = Callable[[], Coroutine[Any, Any, T]]

_PATIENCE: Final = 60


class _Row(NamedTuple):
    """A duty that does not know yet whether the store waits or awaits."""

    name: str
    sentence: str
    work: Callable[[Place], Coroutine[Any, Any, None]]

    async def perform(self, place: Place) -> None:
        """Run it, and close what it opened."""
        try:
            await self.work(place)
        finally:
            await place.close()


@frozen
class RecordsDuty:
    """A duty of a store, for code that waits; call it with a function that opens a store.

    Attributes:
        name: a word or a few, joined by hyphens.
        sentence: what the store does.
    """

    name: str
    sentence: str
    _row: _Row = field(repr=False)

    def __call__(self, opened: Callable[[], Records]) -> None:
        """Try whether a store does it.

        Args:
            opened: opens one more handle of the same place.

        Raises:
            AssertionError: the store does not; the message says how.
            Exception: what the store raised.
        """
        at_once(self._row.perform(Place(lambda: AtOnce(opened()), _in_threads)))

    def __str__(self) -> str:
        return self.name


@frozen
class AsyncRecordsDuty:
    """Something that a store has to do, for code that awaits, under asyncio or trio.

    Attributes:
        name: a word or a few, joined by hyphens.
        sentence: what the store does.
    """

    name: str
    sentence: str
    _row: _Row = field(repr=False)

    async def __call__(self, opened: Callable[[], AsyncRecords]) -> None:
        """Try whether a store does it, like :class:`RecordsDuty`."""
        await self._row.perform(Place(opened, _in_tasks))

    def __str__(self) -> str:
        return self.name


async def _in_threads(works: Sequence[_Work[T]], /) -> list[T]:
    barrier = Barrier(len(works))

    def run(work: _Work[T]) -> T:
        barrier.wait(_PATIENCE)
        return at_once(work())

    with ThreadPoolExecutor(len(works)) as threads:
        return [*threads.map(run, works)]


async def _in_tasks(works: Sequence[_Work[T]], /) -> list[T]:
    found: dict[int, T] = {}

    async def run(number: int, work: _Work[T]) -> None:
        found[number] = await work()

    trio = running_trio()
    if trio is None:
        asyncio = import_module("asyncio")
        await asyncio.gather(*[run(*each) for each in enumerate(works)])
    else:
        async with trio.open_nursery() as nursery:
            for each in enumerate(works):
                nursery.start_soon(run, *each)
    return [found[number] for number in range(len(works))]


_ROWS: Final = (
    _Row("absent", "Without a record, it reads, replaces and removes nothing.", duties.absent),
    _Row("create-once", "A second record is not created over the first.", duties.create_once),
    _Row("read", "Value, version and the times of the store are read.", duties.read),
    _Row("replace", "Only the version that is there is replaced.", duties.replace),
    _Row("remove", "A record is removed once; then another may be created.", duties.remove),
    _Row("values", "A value is read as it was written, up to 512 KiB.", duties.values),
    _Row("keys", "Keys are told apart by every one of their characters.", duties.keys),
    _Row("versions", "A version is text, as it was written.", duties.versions),
    _Row("sealed", "A sealed value is refused under another key.", duties.sealed),
    _Row("clock", "Its clock never runs backwards, for all handles.", duties.clock),
    _Row("expired", "A record that has expired stays for an hour at least.", duties.expired),
    _Row("clean", "Cleaning removes what expired over an hour ago.", duties.clean),
    _Row("handles", "A record that one handle writes, another handle sees at once.", races.handles),
    _Row("racing-creates", "Of several who create one, one succeeds.", races.racing_creates),
    _Row("racing-replaces", "Of several who replace one, one succeeds.", races.racing_replaces),
    _Row("racing-removes", "Of several who remove one, one succeeds.", races.racing_removes),
    _Row(
        "racing-counters",
        "If several callers count up, every count is kept.",
        races.racing_counters,
    ),
    _Row("closed", "After it is closed, it raises or says the truth.", duties.closed),
)
_UNREACHABLE: Final = _Row(
    "unreachable", "If its place cannot be reached, it raises.", duties.unreachable
)

RECORDS_DUTIES: Final = tuple([RecordsDuty(row.name, row.sentence, row) for row in _ROWS])
"""The duties of a store, for code that waits."""

ASYNC_RECORDS_DUTIES: Final = tuple([AsyncRecordsDuty(r.name, r.sentence, r) for r in _ROWS])
"""The duties of a store, for code that awaits."""

UNREACHABLE_RECORDS: Final = RecordsDuty(*_UNREACHABLE[:2], _UNREACHABLE)
"""The duty of a store that cannot reach its place: call it with a function that opens one."""

ASYNC_UNREACHABLE_RECORDS: Final = AsyncRecordsDuty(*_UNREACHABLE[:2], _UNREACHABLE)
"""The duty of a store that cannot reach its place, for code that awaits."""
