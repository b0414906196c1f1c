"""The time: the system's clock, and one that a test moves by hand."""

from time import time
from typing import Protocol

from oidc_core.wire.settings import check_kind


class Clock(Protocol):
    """Tells the time; the core itself never asks."""

    def now(self) -> int:
        """Return the seconds since the epoch (NumericDate, RFC 7519 §2)."""
        ...


class SystemClock:
    """The clock of the machine."""

    __slots__ = ()

    def now(self) -> int:
        """Return the current second, rounded down."""
        return int(time())


class FrozenClock:
    """A clock that does not move until it is told to."""

    __slots__ = ("_now",)

    def __init__(self, now: int) -> None:
        check_kind(now, int, about="now")
        self._now = now

    def now(self) -> int:
        """Return the second that it shows."""
        return self._now

    def advance(self, seconds: int) -> None:
        """Move by so many seconds; a negative number moves it back, as an operator might."""
        check_kind(seconds, int, about="seconds")
        self._now += seconds
