"""The invariants, by name; each is checked where it could break."""

from __future__ import annotations

from typing import Final

from oidc_core.model.resends import Grace
from tests.explore.records import Facts
from tests.explore.world import Caller, Setting, World

INVARIANTS: Final = {
    "I1": "a refresh token is sent more often than the rule allows",
    "I2": "a revocation destroys a pair that the record or a living holder has",
    "I3": "a live pair is dropped, and the stored refresh token is dead",
    "I4": "an ended session comes back",
    "I5": "nothing went wrong, and the grant is lost",
    "I6": "the grant is given up while its refresh token lives",
    "I7": "nothing leads on from here",
    "I8": "a caller gets the access token that it named as refused",
    "I9": "an exchange starts without need, or without a pause after the last one",
    "I10": "after an unusable ID token the session cannot be refreshed",
    "I11": "without a crash nothing leads to tokens, to an end or to a known doubt",
    "I12": "an access token is used whose ID token was not accepted",
}


class BrokenError(AssertionError):
    """An invariant does not hold."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: {INVARIANTS[name]}")
        self.name = name
        self.way: tuple[str, ...] = ()


def most_sends(setting: Setting) -> int:
    """Return how often the refresh token of one generation may be sent."""
    if setting.rule == "never":
        return 1
    if setting.rule == "once":  # a provider that was seen not to rotate is asked again
        return 4 if setting.provider in {"steady", "sometimes"} else 2
    return 4


def check_sends(setting: Setting, sends: tuple[int, int]) -> None:
    """Check how often refresh tokens were sent (I1)."""
    if max(sends) > most_sends(setting):
        raise BrokenError("I1")


def check_revocation(world: World, refresh: int, callers: list[Caller]) -> None:
    """Check that a revocation destroys nothing that anybody has (I2)."""
    if refresh in world.live or any(_holds(world, each) for each in callers):
        raise BrokenError("I2")


def _holds(world: World, caller: Caller) -> bool:
    held = caller.held
    return caller.at == "answered" and held.what == "pair" and held.refresh in world.live


def check_write(world: World, before: Facts, after: Facts, *, ends: bool, bare: bool) -> None:
    """Check a write.

    Args:
        world: in which it is written.
        before, after: the record.
        ends: whether it writes down a logout, or a verdict that ends the session.
        bare: whether the provider's answer was a 400 without an OAuth error.
    """
    if before.state == "ended" != after.state:
        raise BrokenError("I4")
    if ends:
        if after.state != "ended":
            raise BrokenError("I12")
        return
    if after.state == "ended" != before.state:
        raise BrokenError("I6")
    if after.state == "refused" != before.state and before.refresh in world.live and not bare:
        raise BrokenError("I6")
    if before.refresh in world.live and after.refresh not in world.live:
        raise BrokenError("I3")


def check_dropped(world: World, caller: Caller, record: Facts) -> None:
    """Check what a caller drops (I3)."""
    if _holds(world, caller) and record.refresh not in world.live and record.state != "ended":
        raise BrokenError("I3")


def check_unusable(before: Facts, after: Facts) -> None:
    """Check what is left after an ID token that cannot be used (I10)."""
    if after.refresh != before.refresh or after.state != "current":
        raise BrokenError("I10")


def check_use(record: Facts, refused: str, token: str) -> None:
    """Check an access token that is handed out (I8, I12)."""
    if token == refused:
        raise BrokenError("I8")
    if token not in record.tokens or token.endswith(("unusable", "other")):
        raise BrokenError("I12")


def check_claim(record: Facts, refused: str, target: int, hot: int) -> None:
    """Check that an exchange has a reason, and that the last one was not a moment ago (I9)."""
    if record.state != "current":
        return
    fresh = record.fresh[target]
    if hot >> target & 1 or fresh not in {"", refused}:
        raise BrokenError("I9")


def grace_seconds(setting: Setting) -> int | None:
    """Return for how long the provider has promised to take a used refresh token again."""
    return setting.rule.seconds if isinstance(setting.rule, Grace) else None
