"""Times in words."""

from datetime import UTC, datetime
from typing import Final

_LATEST: Final = 253_402_300_799  # the end of the year 9999, beyond which no calendar goes
_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def date_text(seconds: int) -> str:
    """Return a time since the epoch as a date, or an empty string beyond every calendar."""
    if not 0 <= seconds <= _LATEST:
        return ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def length_text(seconds: int) -> str:
    """Return a length of time in its largest unit, as in ``5 minutes``."""
    unit, size = next(((u, s) for u, s in _UNITS if abs(seconds) >= s), _UNITS[-1])
    number = abs(seconds) // size
    return f"{number} {unit}{'' if number == 1 else 's'}"


def distance_text(seconds: int, now: int) -> str:
    """Return how far a time is away, as in ``in 5 minutes`` or ``2 hours ago``."""
    if seconds == now:
        return "now"
    length = length_text(seconds - now)
    return f"in {length}" if seconds > now else f"{length} ago"
