"""A clock that every process of a machine shares and nobody can set: the time since it started.

A store keeps an anchor: which start of the machine it is of, and a number that makes the seconds
since then look like those since the epoch.  Within one start the clock runs on through every change
of the wall clock.  After the next start the store anchors it again, and no earlier than it was.

Linux, and a container on it, counts the time that it sleeps and gives each start an identifier.
Elsewhere there is no identifier: a new start is seen by fewer seconds since it, or by a wall clock
that is more than a minute ahead of the anchor.  If somebody sets that clock forward there, this one
follows; if somebody sets it back, this one does not.
"""

import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_CLOCKS: Final = ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC_RAW")  # of Linux and of macOS, awake or asleep
_CLOCK: Final[int | None] = next(
    (getattr(time, name) for name in _CLOCKS if hasattr(time, name)), None
)
_AHEAD: Final = 60


class Boot(NamedTuple):
    """The running start of a machine.

    Attributes:
        id: the identifier of this start; empty where the system does not give one.
        elapsed: seconds since then.
    """

    id: str
    elapsed: int


def this_boot() -> Boot:
    """Return the start of this machine."""
    return Boot(_id_of(_BOOT_ID), int(uptime()))


def uptime() -> float:
    """Return seconds that nobody sets, of sleep too where the system counts them.

    A token expires, and others go on, while a machine sleeps; ``time.monotonic`` may stand still.
    """
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


@cache
def _id_of(path: Path) -> str:
    """Return the identifier: no process lives longer than its start of the machine."""
    with suppress(OSError):
        return path.read_text("ascii").strip()
    return ""


class Anchor(NamedTuple):
    """The part of a clock that a store keeps, so that all its callers have the same clock.

    Attributes:
        boot_id: of which start it is.
        elapsed: how long after it the store was anchored.
        offset: what is added to the seconds since the start.
    """

    boot_id: str
    elapsed: int
    offset: int

    def now(self, boot: Boot) -> int:
        """Return the time."""
        return self.offset + boot.elapsed

    def text(self) -> str:
        """Return it as the text that :func:`anchor_of` reads."""
        return f"{self.offset} {self.elapsed} {self.boot_id}"


def anchor_of(text: str) -> Anchor | None:
    """Read an anchor; ``None`` if the text is not an anchor."""
    offset, _, rest = text.strip().partition(" ")
    elapsed, _, boot_id = rest.partition(" ")
    with suppress(ValueError):
        return Anchor(boot_id, int(elapsed), int(offset))
    return None


def anchored(kept: Anchor | None, boot: Boot, utc: int, last: int) -> Anchor:
    """Return the anchor that a store keeps, or a new one after a start of the machine.

    Call it where no other caller anchors the same store at that moment.

    Args:
        kept: the anchor that it keeps.
        boot: the running start.
        utc: seconds since the epoch, by the wall clock.
        last: the latest time that the store knows of; a new anchor is not earlier.
    """
    if kept is not None and _is_of(kept, boot, utc):
        return kept
    return Anchor(boot.id, boot.elapsed, max(utc, last) - boot.elapsed)


def _is_of(kept: Anchor, boot: Boot, utc: int) -> bool:
    if kept.boot_id != boot.id or boot.elapsed < kept.elapsed:
        return False
    return bool(boot.id) or utc - kept.now(boot) <= _AHEAD
