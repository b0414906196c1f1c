"""When a store cleans up by itself."""

from collections.abc import Callable
from time import monotonic
from typing import Final

_BETWEEN: Final = 60


class NowAndThen:
    """Says once a minute that it is time; the first time at once.

    Two threads that ask in the same moment may both be told so.

    Args:
        elapsed: tells the seconds since some moment, which no one can set.
    """

    __slots__ = ("_elapsed", "_next")

    def __init__(self, elapsed: Callable[[], float] = monotonic) -> None:
        self._elapsed = elapsed
        self._next = elapsed()

    def due(self) -> bool:
        """Return whether it is time, and start the next minute if so."""
        now = self._elapsed()
        if now < self._next:
            return False
        self._next = now + _BETWEEN
        return True
