"""Records in memory: the duties of every store, and what is its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.records import SLACK, AtOnce, InThreads, MemoryRecords, Times
from oidc_adapters.testing import (
    ASYNC_RECORDS_DUTIES,
    RECORDS_DUTIES,
    AsyncRecordsDuty,
    RecordsDuty,
)
from oidc_core.wire.errors import StoreFailure, UsageError
from tests.flows.rig import NOW, run_asyncio, run_trio


@pytest.mark.parametrize("duty", RECORDS_DUTIES, ids=str)
def test_it_does_its_duty(duty: RecordsDuty) -> None:
    store = MemoryRecords()

    duty(lambda: store)


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
@pytest.mark.parametrize("awaited", [AtOnce, InThreads])
@pytest.mark.parametrize("duty", ASYNC_RECORDS_DUTIES, ids=str)
def test_it_does_its_duty_for_code_that_awaits(
    duty: AsyncRecordsDuty,
    awaited: type[AtOnce | InThreads],
    run: Callable[[Callable[[], Any]], object],
) -> None:
    store = MemoryRecords()

    async def main() -> None:
        await duty(lambda: awaited(store))

    run(main)


def test_its_times_are_those_it_was_given() -> None:
    clock, elapsed = FrozenClock(NOW), [5.9]
    store = MemoryRecords(clock=clock, elapsed=lambda: elapsed[0])
    store.create("a", "1", "v", NOW + 60)

    assert store.times() == Times(now=5, utc=NOW)
    clock.advance(-100)
    elapsed[0] = 7.0
    found = store.read("a")
    assert found is not None
    assert found.times == Times(now=7, utc=NOW - 100)


def test_it_speaks_for_its_process() -> None:
    assert MemoryRecords().single_use == "process"


def test_at_the_cap_a_further_record_is_refused_and_none_is_dropped() -> None:
    store = MemoryRecords(cap=2, clock=FrozenClock(NOW))
    assert store.create("a", "1", "v", NOW)
    assert store.create("b", "1", "v", NOW)

    with pytest.raises(StoreFailure) as refusal:
        store.create("c", "1", "v", NOW)

    assert (refusal.value.code, refusal.value.found) == ("store_full", 2)
    assert not store.create("a", "2", "v", NOW)
    assert store.read("a")
    assert store.read("b")


@pytest.mark.parametrize("cap", [0, -1, True, "2", None])
def test_a_cap_is_a_whole_number(cap: Any) -> None:
    with pytest.raises(UsageError) as refusal:
        MemoryRecords(cap=cap)

    assert (refusal.value.code, refusal.value.about) == ("config_invalid", "cap")


def test_creating_makes_room_of_what_expired_an_hour_ago() -> None:
    clock = FrozenClock(NOW)
    store = MemoryRecords(cap=2, clock=clock)
    assert store.create("a", "1", "v", NOW + 60)
    assert store.create("b", "1", "v", NOW + 60)
    assert store.replace("b", "1", "2", "v", NOW + 600)

    clock.advance(60 + SLACK)
    with pytest.raises(StoreFailure):
        store.create("c", "1", "v", NOW)
    clock.advance(1)

    assert store.create("c", "1", "v", NOW + 60)
    assert store.read("a") is None
    assert store.read("b") is not None


def test_one_that_is_replaced_often_takes_no_more_room() -> None:
    store = MemoryRecords(clock=FrozenClock(NOW))
    store.create("a", "0", "v", NOW)
    for number in range(5_000):
        assert store.replace("a", f"{number}", f"{number + 1}", "v", NOW + number % 7)

    assert len(store._due) <= 1_003
