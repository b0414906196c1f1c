"""The table of duties, for code that waits and for code that awaits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.records import AtOnce, Found, MemoryRecords
from oidc_adapters.testing import (
    ASYNC_RECORDS_DUTIES,
    ASYNC_UNREACHABLE_RECORDS,
    RECORDS_DUTIES,
    UNREACHABLE_RECORDS,
)
from tests.flows.rig import NOW, run_asyncio, run_trio


def test_a_duty_has_a_name_and_a_sentence() -> None:
    names = [str(duty) for duty in RECORDS_DUTIES]

    assert names == [str(duty) for duty in ASYNC_RECORDS_DUTIES]
    assert len({*names}) == len(names)
    assert all(duty.sentence.endswith(".") for duty in (*RECORDS_DUTIES, UNREACHABLE_RECORDS))
    assert ASYNC_UNREACHABLE_RECORDS.sentence == UNREACHABLE_RECORDS.sentence


class Unreachable(MemoryRecords):
    """A store that has lost its place, except for one call."""

    def __init__(self, quiet: str = "") -> None:
        super().__init__(clock=FrozenClock(NOW))
        self._quiet = quiet

    def _reach(self, call: str) -> None:
        if call != self._quiet:
            raise ConnectionError

    def read(self, key: str, /) -> Found | None:
        self._reach("read")
        return super().read(key)

    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        self._reach("create")
        return super().create(key, version, value, until)

    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        self._reach("replace")
        return super().replace(key, expected, version, value, until)

    def remove(self, key: str, expected: str, /) -> bool:
        self._reach("remove")
        return super().remove(key, expected)


def _unopened() -> MemoryRecords:
    raise PermissionError


@pytest.mark.parametrize("opened", [Unreachable, _unopened])
def test_a_store_that_raises_when_it_cannot_be_reached_is_right(
    opened: Callable[[], MemoryRecords],
) -> None:
    UNREACHABLE_RECORDS(opened)


@pytest.mark.parametrize("quiet", ["read", "create", "replace", "remove"])
def test_one_that_answers_when_it_cannot_be_reached_is_not(quiet: str) -> None:
    with pytest.raises(AssertionError, match=f"{quiet} returned instead of raising"):
        UNREACHABLE_RECORDS(lambda: Unreachable(quiet))


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_the_same_for_code_that_awaits(run: Callable[[Callable[[], Any]], object]) -> None:
    async def right() -> None:
        await ASYNC_UNREACHABLE_RECORDS(lambda: AtOnce(Unreachable()))

    async def wrong() -> None:
        with pytest.raises(AssertionError):
            await ASYNC_UNREACHABLE_RECORDS(lambda: AtOnce(Unreachable("read")))

    run(right)
    run(wrong)
