"""Code that awaits, under asyncio and trio."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from oidc_adapters.testing.transport_worlds import Tasks
from tests.flows.rig import run_asyncio, run_trio


def block() -> None:
    time.sleep(0.05)


BOTH = pytest.mark.parametrize("run", [run_asyncio, run_trio])


@BOTH
def test_a_blocked_loop_is_measured(run: Any) -> None:
    world, gaps = Tasks(), dict[str, float]()

    async def blocks() -> None:
        await world.pause(0.01)
        block()

    async def waits() -> None:
        await world.pause(0.06)

    async def measure() -> None:
        gaps["blocked"] = await world.worst_gap([blocks])
        gaps["free"] = min([await world.worst_gap([waits]) for _ in range(5)])

    run(measure)
    assert gaps["blocked"] >= 0.045
    assert gaps["free"] < 0.03


@BOTH
def test_a_task_is_cancelled_when_it_is_ready(run: Any) -> None:
    world, begun, took = Tasks(), [0], [0.0]

    async def work() -> None:
        begun[0] += 1
        await world.pause(30)

    async def cancel() -> None:
        took[0] = await world.cancelled(work, lambda: bool(begun[0]))

    run(cancel)
    assert begun == [1]
    assert took[0] < 1


@BOTH
def test_work_is_done_together(run: Any) -> None:
    world, order = Tasks(), list[int]()

    def worker(number: int) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            await world.pause(0.05 / (number + 1))
            order.append(number)

        return work

    async def all_of_them() -> None:
        await world.together([worker(number) for number in range(3)])

    run(all_of_them)
    assert sorted(order) == [0, 1, 2]
