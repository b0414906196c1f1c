"""A clock that jumps between two readings, as if somebody set it during a login."""

from typing import Final

from attrs import field, frozen

from oidc_adapters.testing.samples.parties import NOW
from oidc_adapters.testing.samples.sample import Sample
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import check_fields, check_kind, fields_of


def _jumps(value: list[int] | tuple[int, ...]) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, list) else value


@frozen(kw_only=True, repr=False)
class SampleClock(Sample):
    """The readings of a clock.

    Attributes:
        start: the first reading, in seconds since the epoch.
        jumps: by how many seconds each further reading differs from the one before; after the last
            of them the clock no longer moves.
    """

    start: int = NOW
    jumps: tuple[int, ...] = field(default=(), converter=_jumps)

    def __attrs_post_init__(self) -> None:
        check_fields(self, _CLOCK)
        if min(self.readings) < 0:
            raise UsageError("config_invalid", about="jumps", expected="no time before the epoch")

    @property
    def readings(self) -> tuple[int, ...]:
        """The times that the clock shows, one after the other."""
        shown = [self.start]
        for seconds in self.jumps:
            shown.append(shown[-1] + seconds)
        return tuple(shown)

    def clock(self) -> "JumpingClock":
        """Return a clock at its first reading."""
        return JumpingClock(self)


_CLOCK: Final = fields_of(SampleClock)


class JumpingClock:
    """A clock for a client or a :class:`~oidc_adapters.Shell` that shows one reading after another.

    Args:
        sample: its readings.

    Raises:
        UsageError: ``parameter_invalid`` for anything else.
    """

    __slots__ = ("_left", "_shown")

    def __init__(self, sample: SampleClock) -> None:
        check_kind(sample, SampleClock, about="sample")
        self._left = iter(sample.readings)
        self._shown = sample.start

    def now(self) -> int:
        """Return the next reading, or the last one again."""
        self._shown = next(self._left, self._shown)
        return self._shown
