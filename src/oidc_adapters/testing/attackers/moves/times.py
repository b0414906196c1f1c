"""The moves of time: it passes, clocks are set, and keys change."""

from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import rule

from oidc_adapters.testing.attackers.moves.base import Moves

STEPS: Final = (1, 1, 5, 30, 61, 299, 301, 700, -5)


class TimeMoves(Moves):
    """Time passes, and keys change."""

    @rule(seconds=st.sampled_from(STEPS))
    def wait(self, *, seconds: int) -> None:
        """Let time pass, or set the clock back a little."""
        self.world.clock.advance(seconds)
        self.world.history.tell("time", "passes", {"seconds": str(seconds)})
        self.reached("a clock set back" if seconds < 0 else "time passed")

    @rule(hostile=st.booleans(), keep_previous=st.booleans())
    def rotate(self, *, hostile: bool, keep_previous: bool) -> None:
        """Let a provider sign with a new key."""
        provider = self.world.hostile if hostile else self.world.honest
        provider.rotate_keys(keep_previous=keep_previous)
        self.world.history.tell(provider.issuer, "rotates its keys")
        self.reached("keys rotated")
