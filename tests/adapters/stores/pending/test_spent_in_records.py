"""Used names in a store of records: all callers together see each once, or every login fails."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from oidc_adapters.runtime.clock import FrozenClock, SystemClock
from oidc_adapters.stores.pending import RecordSpent
from oidc_adapters.stores.records import SLACK, MemoryRecords
from oidc_adapters.stores.records.files import FileRecords
from oidc_core.wire.errors import OidcError, UsageError
from tests.adapters.stores.pending.started import refused
from tests.adapters.stores.records.plugged import AwaitedRecords, PluggedRecords, failing_at
from tests.flows.rig import NOW, run_asyncio, run_trio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RUNS = pytest.mark.parametrize("run", [run_asyncio, run_trio])


def test_a_name_is_seen_once_by_all_who_share_the_store(tmp_path: Path) -> None:
    here, there = (RecordSpent(FileRecords(tmp_path / "own")) for _ in range(2))

    assert here.seen_once("a", NOW + 60, NOW)
    assert not there.seen_once("a", NOW + 60, NOW)
    assert not here.seen_once("a", NOW + 60, NOW)
    assert there.seen_once("b", NOW + 60, NOW)
    assert here.single_use == "shared"
    assert RecordSpent(MemoryRecords()).single_use == "process"


@RUNS
@pytest.mark.parametrize("opened", [MemoryRecords, PluggedRecords, AwaitedRecords])
def test_a_name_is_seen_once_by_code_that_awaits(
    opened: Callable[[], Any], run: Callable[[Callable[[], Any]], Any]
) -> None:
    spent = RecordSpent(opened())

    async def main() -> list[bool]:
        return [await spent.seen_once_async(name, NOW + 60, NOW) for name in "aba"]

    assert run(main) == [True, True, False]


def test_code_that_waits_and_code_that_awaits_share_what_is_spent() -> None:
    spent = RecordSpent(PluggedRecords())
    assert spent.seen_once("a", NOW + 60, NOW)
    assert run_asyncio(lambda: spent.seen_once_async("b", NOW + 60, NOW))

    assert not spent.seen_once("b", NOW + 60, NOW)
    assert not run_asyncio(lambda: spent.seen_once_async("a", NOW + 60, NOW))


def test_threads_see_a_name_once_among_them() -> None:
    spent, barrier = RecordSpent(MemoryRecords()), threading.Barrier(8)

    def count(_: int) -> int:
        barrier.wait(10)
        return sum(spent.seen_once(f"{number}", NOW + 60, NOW) for number in range(200))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(count, range(8))) == 200


def test_the_store_learns_no_name() -> None:
    plugged, keys = PluggedRecords(), list[str]()
    plugged.before = lambda _name, key: keys.append(key)
    RecordSpent(plugged).seen_once("canary", NOW + 60, NOW)
    RecordSpent(plugged).seen_once("\ud800" * 9_000, NOW + 60, NOW)

    assert [(key[:6], len(key)) for key in keys] == [("spent:", 49)] * 2
    assert "canary" not in keys[0]
    assert plugged.calls == ["create", "create"]


def test_a_name_is_forgotten_an_hour_after_its_time() -> None:
    now = SystemClock().now()
    clock = FrozenClock(now)
    records = MemoryRecords(clock=clock)
    spent = RecordSpent(records)
    spent.seen_once("a", now + 60, now)

    clock.advance(60 + SLACK)
    assert not spent.seen_once("a", now + 60, now)
    clock.advance(60)
    assert spent.seen_once("a", now + 60, now)


def test_a_clock_of_the_past_as_in_tests_forgets_nothing() -> None:
    records = MemoryRecords()
    spent = RecordSpent(records)
    assert spent.seen_once("a", NOW + 60, NOW)
    records.clean()
    assert not spent.seen_once("a", NOW + 60, NOW)


# --- failures ------------------------------------------------------------------------------------


def unavailable(call: Callable[[], object]) -> None:
    with pytest.raises(OidcError) as caught:
        call()
    assert (caught.value.code, caught.value.about) == ("store_unavailable", "spent logins")
    assert isinstance(caught.value.__cause__, ConnectionError)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_store_that_fails_lets_nobody_in(when: str) -> None:
    plugged = PluggedRecords()
    setattr(plugged, when, failing_at("create"))

    unavailable(lambda: RecordSpent(plugged).seen_once("a", NOW + 60, NOW))
    for records in (plugged, AwaitedRecords(plugged)):
        spent = RecordSpent(records)
        unavailable(partial(run_asyncio, partial(spent.seen_once_async, "b", NOW + 60, NOW)))


def test_a_name_of_which_it_is_not_known_whether_it_was_written_counts_as_used() -> None:
    plugged = PluggedRecords()
    plugged.after = failing_at("create")
    spent = RecordSpent(plugged)
    unavailable(lambda: spent.seen_once("a", NOW + 60, NOW))
    plugged.after = lambda _name, _key: None

    assert not spent.seen_once("a", NOW + 60, NOW)


def test_code_that_waits_needs_a_store_that_waits() -> None:
    spent = RecordSpent(AwaitedRecords())
    for call in (spent.check_waiting, partial(spent.seen_once, "a", NOW + 60, NOW)):
        assert refused(UsageError, "config_invalid", call).about == "records"
    RecordSpent(PluggedRecords()).check_waiting()


def test_what_is_no_store_is_refused() -> None:
    nothing: Any = object()
    assert refused(UsageError, "config_invalid", lambda: RecordSpent(nothing)).about == "records"
