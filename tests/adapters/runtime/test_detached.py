"""Work that its caller may stop waiting for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import nullcontext
from threading import Event, Thread, current_thread
from typing import Any

import pytest

from oidc_adapters.runtime.detached import DetachedTasks, DetachedThreads
from tests.flows.rig import run_asyncio, run_trio

LIBRARIES = pytest.mark.parametrize("run", [run_asyncio, run_trio])


def _fails() -> None:
    message = "of its own"
    raise LookupError(message)


async def _fails_later() -> None:
    _fails()


class TestDetachedThreads:
    def test_work_runs_in_a_thread_of_its_own(self) -> None:
        threads: list[object] = []

        assert DetachedThreads().run(lambda: threads.append(current_thread()), 5)

        assert threads != [current_thread()]

    def test_what_the_work_raises_comes_to_its_caller(self) -> None:
        with pytest.raises(LookupError, match="of its own"):
            DetachedThreads().run(_fails, 5)

    def test_work_goes_on_when_its_caller_waits_no_longer(self) -> None:
        may_end, detached = Event(), DetachedThreads()
        done: list[int] = []

        def work() -> None:
            may_end.wait(5)
            done.append(1)

        assert not detached.run(work, 0)
        assert not detached.close(0)
        may_end.set()
        assert detached.close(5)
        assert done == [1]

    @pytest.mark.parametrize("work", [_fails, lambda: None])
    def test_where_no_thread_can_be_started_the_caller_works(
        self, monkeypatch: pytest.MonkeyPatch, work: Any
    ) -> None:
        def start(_: object) -> None:
            message = "can't start new thread"
            raise RuntimeError(message)

        monkeypatch.setattr(Thread, "start", start)
        detached = DetachedThreads()

        with nullcontext() if work is not _fails else pytest.raises(LookupError):
            assert detached.run(work, 5)
        assert detached.close(0)

    def test_a_process_that_ends_lets_its_work_end(self) -> None:
        script = """
from threading import Event
from oidc_adapters.runtime.detached import DetachedThreads
detached = DetachedThreads()
def work():
    Event().wait(0.3)
    print("stored", flush=True)
detached.run(work, 0)
"""
        ran = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
        )
        assert ran.stdout == "stored\n"

    def test_what_is_closed_at_the_end_is_open_until_then(self) -> None:
        script = """
import time, weakref
from oidc_adapters.runtime.detached import DetachedThreads
class Connection: pass
connection = Connection()
weakref.finalize(connection, print, "closed", flush=True)
def work():
    time.sleep(0.2)
    print("stored", flush=True)
detached = DetachedThreads()
detached.run(work, 0)
"""
        ran = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
        )
        assert ran.stdout.endswith("stored\nclosed\n")


class TestDetachedTasks:
    @LIBRARIES
    def test_work_ends_within_its_time(self, run: Any) -> None:
        done: list[int] = []

        async def work() -> None:
            done.append(1)

        async def main() -> bool:
            return await DetachedTasks().run(work, 5)

        assert run(main)
        assert done == [1]

    @LIBRARIES
    def test_what_the_work_raises_comes_to_its_caller(self, run: Any) -> None:
        async def main() -> None:
            with pytest.raises(LookupError, match="of its own"):
                await DetachedTasks().run(_fails_later, 5)

        run(main)

    def test_work_goes_on_when_its_caller_is_cancelled(self) -> None:
        done: list[int] = []

        async def main() -> None:
            detached, begun, may_end = DetachedTasks(), asyncio.Event(), asyncio.Event()

            async def work() -> None:
                begun.set()
                await may_end.wait()
                done.append(1)

            caller = asyncio.create_task(detached.run(work, 5))
            await begun.wait()
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
            assert not await detached.close(0)
            may_end.set()
            assert await detached.close(5)

        asyncio.run(main())
        assert done == [1]

    def test_a_caller_waits_only_so_long(self) -> None:
        async def main() -> tuple[bool, bool]:
            detached, may_end = DetachedTasks(), asyncio.Event()

            async def work() -> None:
                await may_end.wait()

            in_time = await detached.run(work, 0.01)
            may_end.set()
            return in_time, await detached.close(5)

        assert asyncio.run(main()) == (False, True)
