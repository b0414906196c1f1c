"""The used names, in the memory of this process."""

from collections.abc import Callable
from hashlib import sha256
from heapq import heappop, heappush
from math import ceil
from time import monotonic
from typing import Final, Literal

from oidc_adapters.runtime.locks import ProcessLock
from oidc_core.wire.errors import StoreFailure
from oidc_core.wire.settings import as_count, as_setting

_OCTETS: Final = 16


class MemorySpent:
    """Remembers names until they expire, up to a cap.

    A clock that is set forward and right again must not have let a name go that is in time then.
    So one is forgotten only when as many seconds have also passed in truth. Each entry that has
    expired goes then: one that lasts long does not hold up later ones.

    At the cap a further name is refused and no name is forgotten early: a login that was finished
    could be finished once more. A name takes 100 to 140 octets, so the default is 140 MB at most,
    and enough for 800 finished logins a second.

    Args:
        cap: how many names are remembered at most.
        elapsed: seconds since some moment, which no one can set.
    """

    __slots__ = ("_cap", "_due", "_elapsed", "_late", "_names", "_process", "_together")

    def __init__(self, *, cap: int = 1_000_000, elapsed: Callable[[], float] = monotonic) -> None:
        self._names: dict[bytes, None] = {}  # takes half the room of a set
        # Names by both their times: those of one second go together, and sorting them is cheap.
        self._together: dict[tuple[int, int], list[bytes]] = {}
        self._due: list[tuple[int, int]] = []
        self._late: list[tuple[int, int]] = []
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
            self._names[key] = None
            self._keep(key, until, ceil(passed) + max(0, until - now))
            return True

    def _keep(self, key: bytes, until: int, due: int) -> None:
        times = (due, until)
        names = self._together.get(times)
        if names is None:
            self._together[times] = [key]
            heappush(self._due, times)
        else:
            names.append(key)

    def _expire(self, now: int, passed: float) -> None:
        """Forget expired names by the seconds that passed, and then also by the clock."""
        while self._due and self._due[0][0] < passed:
            due, until = heappop(self._due)
            heappush(self._late, (until, due))
        while self._late and self._late[0][0] < now:
            until, due = heappop(self._late)
            for name in self._together.pop((due, until)):
                del self._names[name]


def _octets(name: str) -> bytes:
    """Return 128 bits for a name: it takes little room, and names practically never share them."""
    return sha256(name.encode("utf-8", "surrogatepass")).digest()[:_OCTETS]
