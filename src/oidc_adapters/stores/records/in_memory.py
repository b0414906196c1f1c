"""Records in the memory of this process."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final, Literal, NamedTuple

from oidc_adapters.runtime.boot_clock import uptime
from oidc_adapters.runtime.clock import Clock, SystemClock
from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.stores.records.ports import SLACK, Found, Times
from oidc_core.wire.errors import StoreFailure
from oidc_core.wire.settings import as_count, as_setting

_SYSTEM: Final = SystemClock()
_CLEANED: Final = 100
_EARLIER: Final = 1_000


class _Record(NamedTuple):
    version: str
    value: str
    until: int


class MemoryRecords:
    """Keeps records in a dict: for one process, for tests, for command lines.

    At the cap a further record is refused and no other is dropped.  A forked process goes on with
    a copy: use a store that processes share there.

    Args:
        cap: how many records there may be.
        clock: tells ``times.utc``.
        elapsed: tells ``times.now``: seconds since some moment, which no one can set.
    """

    __slots__ = ("_cap", "_clock", "_due", "_elapsed", "_process", "_records")

    def __init__(
        self,
        *,
        cap: int = 100_000,
        clock: Clock = _SYSTEM,
        elapsed: Callable[[], float] = uptime,
    ) -> None:
        self._cap = as_count(cap, "cap")
        self._clock = as_setting(clock, Clock, "clock")
        self._elapsed = as_setting(elapsed, Callable[[], float], "elapsed")
        self._process = ProcessLock()
        self._records: dict[str, _Record] = {}
        self._due: list[tuple[int, str]] = []  # each record by its newest end, and earlier ends

    @property
    def single_use(self) -> Literal["process"]:
        """It knows of this process only."""
        return "process"

    def times(self) -> Times:
        """Return the times of this process."""
        return Times(now=int(self._elapsed()), utc=self._clock.now())

    def read(self, key: str, /) -> Found | None:
        """Return a record."""
        record = self._records.get(key)
        return None if record is None else Found(record.value, record.version, self.times())

    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        """Put a record under a key that has no record.

        Raises:
            StoreFailure: ``store_full`` at the cap.
        """
        with self._process.lock:
            self._clean(_CLEANED)
            if key in self._records:
                return False
            if len(self._records) >= self._cap:
                raise StoreFailure("store_full", found=self._cap, about="records")
            self._put(key, _Record(version, value, until))
            return True

    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        """Put a record in the place of one that has the expected version."""
        with self._process.lock:
            if not self._has(key, expected):
                return False
            self._put(key, _Record(version, value, until))
            return True

    def remove(self, key: str, expected: str, /) -> bool:
        """Remove a record that has the expected version."""
        with self._process.lock:
            if not self._has(key, expected):
                return False
            del self._records[key]
            return True

    def clean(self, most: int = 1_000, /) -> int:
        """Remove records that expired more than an hour ago."""
        with self._process.lock:
            return self._clean(most)

    def close(self) -> None:
        """Do nothing: the records go with the store."""

    def _has(self, key: str, version: str) -> bool:
        record = self._records.get(key)
        return record is not None and record.version == version

    def _put(self, key: str, record: _Record) -> None:
        before = self._records.get(key)
        self._records[key] = record
        if before is None or before.until != record.until:
            heappush(self._due, (record.until, key))
            if len(self._due) > 2 * len(self._records) + _EARLIER:
                self._due = sorted((each.until, name) for name, each in self._records.items())

    def _clean(self, most: int) -> int:
        """Go through what was due; an end that a record no longer has costs nothing else."""
        removed, before = 0, self._clock.now() - SLACK
        while self._due and self._due[0][0] < before and removed < most:
            until, key = heappop(self._due)
            record = self._records.get(key)
            if record is not None and record.until == until:
                del self._records[key]
                removed += 1
        return removed
