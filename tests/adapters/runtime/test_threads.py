import asyncio
import contextvars
import os
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from oidc_adapters.runtime.threads import NeverBegunError, OwnThreads, ThreadsClosedError
from tests.flows.rig import run_asyncio, run_trio

Run = Callable[[Callable[[], Awaitable[Any]]], Any]
LIBRARIES = pytest.mark.parametrize("run", [run_asyncio, run_trio])
WHO = contextvars.ContextVar("WHO", default="nobody")


@LIBRARIES
def test_a_call_is_made_in_a_thread_of_that_name_and_in_the_context_of_its_caller(run: Run) -> None:
    async def main() -> tuple[str, str]:
        threads = OwnThreads(1, "own")
        WHO.set("alice")
        found = await threads.run(lambda: (threading.current_thread().name, WHO.get()))
        threads.close()
        return found

    name, who = run(main)
    assert name.startswith("own")
    assert who == "alice"


@LIBRARIES
def test_what_a_call_raises_is_raised(run: Run) -> None:
    def broken() -> None:
        raise KeyError("k")

    async def main() -> None:
        threads = OwnThreads(1, "own")
        try:
            await threads.run(broken)
        finally:
            threads.close()

    with pytest.raises(KeyError):
        run(main)


def test_a_call_that_has_not_begun_is_never_made_if_nobody_waits_for_it() -> None:
    gate, entered, made = threading.Event(), threading.Event(), list[str]()

    def first() -> None:
        entered.set()
        gate.wait(10)

    async def main() -> None:
        threads = OwnThreads(1, "own")
        running = asyncio.create_task(threads.run(first))
        await asyncio.sleep(0)
        assert entered.wait(10)
        waiting = asyncio.create_task(threads.run(lambda: made.append("second")))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        gate.set()
        await running
        await threads.run(lambda: made.append("third"))
        threads.close()

    asyncio.run(main())
    assert made == ["third"]


def test_a_forked_process_starts_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> bool:
        threads = OwnThreads(1, "own")
        await threads.run(lambda: None)
        left_behind = threads._pool
        monkeypatch.setattr(os, "getpid", lambda: -1)  # as it is in the child
        await threads.run(lambda: None)
        left_behind.shutdown()
        renewed = threads._pool is not left_behind
        threads.close()
        return renewed

    assert asyncio.run(main())


def test_no_call_is_begun_once_they_are_closed() -> None:
    threads = OwnThreads(1, "own")
    threads.close()

    with pytest.raises(ThreadsClosedError):
        asyncio.run(threads.run(lambda: None))


# --- lanes ---------------------------------------------------------------------------------------


class Gate:
    """A call that ends when it is let go."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Semaphore(0)

    def __call__(self) -> str:
        self.entered.release()
        self.opened.wait(10)
        return "through"


def test_a_lane_keeps_only_its_share_of_the_threads() -> None:
    gate, made = Gate(), list[str]()

    async def main() -> list[str]:
        threads = OwnThreads(4, "own", share=2)
        dead = [asyncio.create_task(threads.run(gate, lane="dead")) for _ in range(3)]
        for _ in range(2):
            assert await asyncio.to_thread(gate.entered.acquire, timeout=10)
        await threads.run(lambda: made.append("alive"), lane="alive", within=5)
        assert not gate.entered.acquire(blocking=False)  # the third of them waits
        gate.opened.set()
        through = await asyncio.gather(*dead)
        threads.close()
        return through

    assert asyncio.run(main()) == ["through"] * 3
    assert made == ["alive"]


def test_a_call_whose_turn_does_not_come_in_time_is_never_made() -> None:
    gate, made = Gate(), list[str]()

    async def main() -> None:
        threads = OwnThreads(1, "own")
        running = asyncio.create_task(threads.run(gate))
        await asyncio.to_thread(gate.entered.acquire, timeout=10)
        with pytest.raises(NeverBegunError):
            await threads.run(lambda: made.append("late"), within=0.05)
        gate.opened.set()
        assert await running == "through"
        await threads.run(lambda: made.append("next"))
        threads.close()

    asyncio.run(main())
    assert made == ["next"]


def test_a_call_that_has_begun_is_waited_for() -> None:
    gate = Gate()

    async def main() -> str:
        threads = OwnThreads(1, "own")
        running = asyncio.create_task(threads.run(gate, within=0.05))
        await asyncio.to_thread(gate.entered.acquire, timeout=10)
        done, _ = await asyncio.wait([running], timeout=0.2)
        assert not done
        gate.opened.set()
        threads.close()
        return await running

    assert asyncio.run(main()) == "through"


def test_what_waits_for_its_lane_is_not_begun_once_they_are_closed() -> None:
    gate, made = Gate(), list[str]()

    async def main() -> None:
        threads = OwnThreads(4, "own", share=1)
        running = asyncio.create_task(threads.run(gate))
        await asyncio.to_thread(gate.entered.acquire, timeout=10)
        waiting = asyncio.create_task(threads.run(lambda: made.append("late")))
        await asyncio.sleep(0)
        threads.close()
        gate.opened.set()
        await running
        with pytest.raises(ThreadsClosedError):
            await waiting

    asyncio.run(main())
    assert made == []


def test_a_lane_in_which_nothing_runs_is_forgotten() -> None:
    async def main() -> int:
        threads = OwnThreads(4, "own", share=1)
        await asyncio.gather(*[threads.run(lambda: None, lane=each % 7) for each in range(50)])
        threads.close()
        threads._pool.shutdown()
        return len(threads._lanes)

    assert asyncio.run(main()) == 0
