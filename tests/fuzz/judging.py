"""What a fuzzed function is held to: only errors of this library leave it, and none late.

No fuzzing engine is needed for it, so the suite judges the same functions as the long runs do.
"""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING, Final

from attrs import define, field, frozen

from oidc_core.errors import OidcError

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = 0.05
"""Processor time that any input may take, instrumented as it is."""

SECONDS_PER_OCTET: Final = 0.5e-6
"""What each of its octets may add: half a second for a megabyte."""

ATTEMPTS: Final = 3
"""How often an input has to be slow, so that a busy machine is no finding."""


class TooSlow(Exception):
    """An input that takes longer than its size allows, each time."""


@frozen(kw_only=True)
class Target:
    """A function under fuzzing.

    Attributes:
        name: what it is called by on the command line.
        judge: takes any octets; it lets errors of this library pass and raises
            ``AssertionError`` for an outcome that may not be.
        seeds: inputs to begin with, most of them good.
        words: what inputs are made of, for the engine's dictionary.
        longest: how many octets an input may have: somewhat more than what is refused unread.
    """

    name: str
    judge: Callable[[bytes], None] = field(repr=False)
    seeds: tuple[bytes, ...] = field(repr=False)
    words: tuple[str, ...] = field(repr=False)
    longest: int


def bound(octets: int) -> float:
    """Return the seconds that an input of this size may take."""
    return SECONDS + octets * SECONDS_PER_OCTET


@define
class Judge:
    """Runs one target on many inputs.

    Attributes:
        target: the target.
        clock: the processor time of this process, in seconds.
        judged: how many inputs there were.
        slowest: the seconds of the input that came nearest to its bound, and that input.
        nearest: these seconds as a share of the bound.
    """

    target: Target
    clock: Callable[[], float] = process_time
    judged: int = 0
    slowest: tuple[float, bytes] = (0.0, b"")
    nearest: float = 0.0

    def __call__(self, octets: bytes) -> bool:
        """Judge an input; return whether none before came nearer to its bound.

        Raises:
            TooSlow: it exceeds the bound each time.
            Exception: what left the target and should not have.
        """
        self.judged += 1
        seconds, allowed = self._once(octets), bound(len(octets))
        if seconds <= self.nearest * allowed:
            return False
        seconds = min(seconds, *[self._once(octets) for _ in range(1, ATTEMPTS)])
        if seconds > allowed:
            message = f"{len(octets)} octets took {seconds:.3f} s, and may take {allowed:.3f} s"
            raise TooSlow(message)
        if seconds <= self.nearest * allowed:
            return False
        self.nearest, self.slowest = seconds / allowed, (seconds, octets)
        return True

    def _once(self, octets: bytes) -> float:
        began = self.clock()
        self.target.judge(octets)
        return self.clock() - began


def refused(operation: Callable[[], object]) -> bool:
    """Tell whether an operation was refused by this library; anything else raised passes on."""
    try:
        operation()
    except OidcError:
        return True
    return False
