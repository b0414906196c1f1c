"""The rules for a fuzzed function: it refuses by a code or takes, never late.

No fuzzing engine is needed for it, so the suite judges the same functions as the long runs do.
"""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import Final, TypeVar

from attrs import define, field, frozen

from oidc_core.wire.errors import ProtocolViolation

T = TypeVar("T")

SECONDS: Final = 0.05
"""Processor time that any input may take."""

SECONDS_PER_OCTET: Final = 0.5e-6
"""The time that each of its octets may add: half a second for a megabyte."""

INSTRUMENTED: Final = 3.0
"""The factor by which recording coverage slows code down, measured with JSON of only numbers."""

ATTEMPTS: Final = 3
"""How often an input must be slow, so that a busy machine does not cause a finding."""


class TooSlow(Exception):
    """An input that takes longer than its size allows, each time."""


@frozen(kw_only=True)
class Target:
    """A function under fuzzing.

    Attributes:
        name: what it is called by on the command line.
        judge: takes any octets and returns the codes they were refused with; it raises
            ``AssertionError`` for a forbidden outcome, and lets foreign errors through.
        seeds: inputs to begin with, most of them good.
        words: the words that inputs consist of, for the engine's dictionary.
        longest: how many octets an input may have: slightly more than the limit beyond which it is
            refused unread.
    """

    name: str
    judge: Callable[[bytes], frozenset[str]] = field(repr=False)
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
        slack: by how much every bound is multiplied.
        judged: how many inputs there were.
        slowest: the seconds of the input that came nearest to its bound, and that input.
        nearest: these seconds as a share of the bound.
        codes: the codes of the refused inputs.
    """

    target: Target
    clock: Callable[[], float] = process_time
    slack: float = 1.0
    judged: int = 0
    slowest: tuple[float, bytes] = (0.0, b"")
    nearest: float = 0.0
    codes: frozenset[str] = frozenset()

    def __call__(self, octets: bytes) -> bool:
        """Judge an input; return whether it is news: refused with a new code, or slower.

        Raises:
            TooSlow: it exceeds the bound each time.
            Exception: what left the target and should not have.
        """
        self.judged += 1
        known = self.codes
        seconds, allowed = self._once(octets), self.slack * bound(len(octets))
        if seconds <= self.nearest * allowed:
            return self.codes != known
        seconds = min(seconds, *[self._once(octets) for _ in range(1, ATTEMPTS)])
        if seconds > allowed:
            message = f"{len(octets)} octets took {seconds:.3f} s, and may take {allowed:.3f} s"
            raise TooSlow(message)
        if seconds <= self.nearest * allowed:
            return self.codes != known
        self.nearest, self.slowest = seconds / allowed, (seconds, octets)
        return True

    def _once(self, octets: bytes) -> float:
        began = self.clock()
        codes = self.target.judge(octets)
        seconds = self.clock() - began
        if not codes <= self.codes:
            self.codes |= codes
        return seconds


def outcome(operation: Callable[[], T]) -> T | ProtocolViolation:
    """Return what an operation does, or how it was refused; anything else raised passes on.

    Not even another error of this library may be raised: the other errors are not meant for text of
    strangers.
    """
    try:
        return operation()
    except ProtocolViolation as violation:
        str(violation)
        return violation
