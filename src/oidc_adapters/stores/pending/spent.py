"""What was used up, in the memory of this process."""

from collections.abc import Callable
from time import monotonic
from typing import Literal

from oidc_adapters.runtime.locks import ProcessLock


class MemorySpent:
    """Remembers names until they expire, oldest first, up to a cap.

    A clock that is set forward and right again must not have let a name go that is in time then.
    So one is forgotten only when as many seconds have also passed in truth.

    At the cap the oldest are forgotten early: they are the next to expire, and the provider still
    refuses a code it has seen.

    Args:
        cap: how many names are remembered at most.
        elapsed: seconds since some moment, which no one can set.
    """

    __slots__ = ("_cap", "_elapsed", "_names", "_process")

    def __init__(self, *, cap: int = 100_000, elapsed: Callable[[], float] = monotonic) -> None:
        self._names: dict[str, tuple[int, float]] = {}
        self._cap = cap
        self._elapsed = elapsed
        self._process = ProcessLock()

    @property
    def single_use(self) -> Literal["process"]:
        """It knows of this process only."""
        return "process"

    def seen_once(self, name: str, until: int, now: int) -> bool:
        """Return whether this is the first time for ``name``, as far as it is remembered."""
        with self._process.lock:
            passed = self._elapsed()
            self._expire(now, passed)
            if name in self._names:
                return False
            if len(self._names) >= self._cap:
                del self._names[next(iter(self._names))]
            self._names[name] = (until, passed + until - now)
            return True

    def _expire(self, now: int, passed: float) -> None:
        while self._names:
            oldest = next(iter(self._names))
            until, due = self._names[oldest]
            if until >= now or due >= passed:
                return
            del self._names[oldest]
