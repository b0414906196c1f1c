"""What was used up, in the memory of this process."""

from collections.abc import Callable
from hashlib import sha256
from math import ceil
from time import monotonic
from typing import Final, Literal

from oidc_adapters.runtime.locks import ProcessLock
from oidc_core.wire.errors import StoreFailure
from oidc_core.wire.settings import as_count, as_setting

_OCTETS: Final = 16


class MemorySpent:
    """Remembers names until they expire, oldest first, up to a cap.

    A clock that is set forward and right again must not have let a name go that is in time then.
    So one is forgotten only when as many seconds have also passed in truth.

    At the cap a further name is refused and none is forgotten early: a login that was finished
    could be finished once more.  A name takes about 110 octets, so the default is 110 MB at most,
    and enough for 800 finished logins a second.

    Args:
        cap: how many names are remembered at most.
        elapsed: seconds since some moment, which no one can set.
    """

    __slots__ = ("_cap", "_elapsed", "_last", "_names", "_process")

    def __init__(self, *, cap: int = 1_000_000, elapsed: Callable[[], float] = monotonic) -> None:
        self._names: dict[bytes, tuple[int, int]] = {}
        self._last = (0, 0)
        self._cap = as_count(cap, "cap")
        self._elapsed = as_setting(elapsed, Callable[[], float], "elapsed")
        self._process = ProcessLock()

    @property
    def single_use(self) -> Literal["process"]:
        """It knows of this process only."""
        return "process"

    def seen_once(self, name: str, until: int, now: int) -> bool:
        """Return whether this is the first time for ``name``.

        Raises:
            StoreFailure: ``store_full`` at the cap.
        """
        key = _octets(name)
        with self._process.lock:
            passed = self._elapsed()
            self._expire(now, passed)
            if key in self._names:
                return False
            if len(self._names) >= self._cap:
                raise StoreFailure("store_full", found=self._cap, about="spent logins")
            self._names[key] = self._times(until, ceil(passed) + max(0, until - now))
            return True

    def _times(self, until: int, due: int) -> tuple[int, int]:
        """Return both times; names of the same second share them, which is most of their size."""
        if self._last != (until, due):
            self._last = (until, due)
        return self._last

    def _expire(self, now: int, passed: float) -> None:
        while self._names:
            oldest = next(iter(self._names))
            until, due = self._names[oldest]
            if until >= now or due >= passed:
                return
            del self._names[oldest]


def _octets(name: str) -> bytes:
    """Return 128 bits for a name: it takes little room, and no two names share them by chance."""
    return sha256(name.encode("utf-8", "surrogatepass")).digest()[:_OCTETS]
