"""What was used up, in the memory of this process."""

from threading import Lock
from typing import Literal


class MemorySpent:
    """Remembers names until they expire, oldest first, up to a cap.

    At the cap the oldest are forgotten early: they are the next to expire, and the provider still
    refuses a code it has seen.
    """

    __slots__ = ("_cap", "_lock", "_names")

    def __init__(self, *, cap: int = 100_000) -> None:
        self._names: dict[str, int] = {}
        self._cap = cap
        self._lock = Lock()

    @property
    def single_use(self) -> Literal["process"]:
        """It knows of this process only."""
        return "process"

    def seen_once(self, name: str, until: int, now: int) -> bool:
        """Return whether this is the first time for ``name``."""
        with self._lock:
            if self._names.get(name, now - 1) >= now:
                return False
            while self._names:
                oldest = next(iter(self._names))
                if self._names[oldest] >= now and len(self._names) < self._cap:
                    break
                del self._names[oldest]
            self._names[name] = until
            return True
