from __future__ import annotations

from oidc_adapters.testing.samples import NOW, SampleClock
from oidc_core import UsageError
from tests.parties import refused


def test_a_clock_shows_one_reading_after_another_and_then_stands_still() -> None:
    clock = SampleClock(jumps=[60, -90]).clock()

    assert [clock.now() for _ in range(5)] == [NOW, NOW + 60, NOW - 30, NOW - 30, NOW - 30]


def test_each_clock_of_a_sample_begins_anew() -> None:
    sample = SampleClock(start=10, jumps=(1,))

    assert [sample.clock().now(), sample.clock().now()] == [10, 10]


def test_no_clock_shows_a_time_before_the_epoch() -> None:
    assert SampleClock(start=5, jumps=(-5,)).readings == (5, 0)
    refused(UsageError, "config_invalid", lambda: SampleClock(start=5, jumps=(-6,)))
