import asyncio
import contextvars
import os
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from oidc_adapters.runtime.threads import OwnThreads
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

    with pytest.raises(RuntimeError):
        asyncio.run(threads.run(lambda: None))
