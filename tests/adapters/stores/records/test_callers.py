"""One store as both kinds of callers reach it."""

import pickle
from collections.abc import Awaitable, Callable, Coroutine
from time import monotonic
from typing import Any, cast

import pytest

from oidc_adapters.stores.records import AtOnce, InThreads, MemoryRecords, at_once
from oidc_adapters.stores.records.callers import Callers, new_version
from oidc_core.wire.errors import UsageError
from tests.adapters.stores.records.plugged import AwaitedRecords, PluggedRecords
from tests.flows.rig import run_asyncio, run_trio


def test_a_store_that_waits_serves_both() -> None:
    callers = Callers(PluggedRecords())

    assert isinstance(callers.waiting.records, AtOnce)
    assert isinstance(callers.awaiting.records, InThreads)
    assert callers.single_use == "shared"


def test_one_in_memory_needs_no_threads() -> None:
    callers = Callers(MemoryRecords())

    assert isinstance(callers.awaiting.records, AtOnce)
    assert callers.single_use == "process"


def test_a_store_that_is_awaited_serves_no_code_that_waits() -> None:
    store = AwaitedRecords()
    callers = Callers(store)

    assert callers.awaiting.records is store
    with pytest.raises(UsageError) as caught:
        _ = callers.waiting
    assert (caught.value.code, caught.value.about) == ("config_invalid", "records")
    assert "AwaitedRecords" in str(caught.value)


def test_anything_else_is_no_store() -> None:
    odd: Any = "records"
    with pytest.raises(UsageError) as caught:
        Callers(odd)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "records")


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_each_side_lets_time_pass(run: Callable[[Callable[[], Awaitable[None]]], None]) -> None:
    callers = Callers(PluggedRecords())

    async def waited() -> None:
        at_once(cast("Coroutine[object, None, None]", callers.waiting.pause(0.02)))

    async def awaited() -> None:
        await callers.awaiting.pause(0.02)

    for pause in (waited, awaited):
        began = monotonic()
        run(pause)
        assert monotonic() - began >= 0.019


def test_no_two_versions_are_the_same() -> None:
    assert len({new_version() for _ in range(1_000)}) == 1_000


def test_a_store_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Callers(MemoryRecords()))
