"""When a store cleans up by itself."""

from __future__ import annotations

from itertools import chain, repeat

from oidc_adapters.stores.records.cleaning import NowAndThen


def test_it_is_time_at_once_and_then_once_a_minute() -> None:
    moments = iter([100.0, 100.0, 100.5, 159.9, 160.0, 160.1, 500.0])
    cleanings = NowAndThen(lambda: next(moments))

    assert [cleanings.due() for _ in range(6)] == [True, False, False, True, False, True]


def test_a_clock_that_stands_still_is_asked_in_vain() -> None:
    moments = chain(repeat(0.0, 2), repeat(59.0))
    cleanings = NowAndThen(lambda: next(moments))

    assert cleanings.due()
    assert not any(cleanings.due() for _ in range(5))
