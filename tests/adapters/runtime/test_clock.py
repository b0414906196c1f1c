from time import time

from oidc_adapters.runtime.clock import Clock, FrozenClock, SystemClock


def test_the_system_clock_gives_whole_seconds_since_the_epoch() -> None:
    before = int(time())
    now = SystemClock().now()
    assert type(now) is int
    assert before <= now <= before + 60


def test_a_frozen_clock_stands_still_until_it_is_moved() -> None:
    clock = FrozenClock(1_700_000_000)
    assert (clock.now(), clock.now()) == (1_700_000_000, 1_700_000_000)
    clock.advance(61)
    assert clock.now() == 1_700_000_061
    clock.advance(-1)
    assert clock.now() == 1_700_000_060


def test_both_are_clocks() -> None:
    clocks: tuple[Clock, ...] = (SystemClock(), FrozenClock(0))
    assert [clock.now() >= 0 for clock in clocks] == [True, True]
