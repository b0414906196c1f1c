import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any

import pytest
import trio

from oidc_adapters.runtime.concurrency import has_ended, settled, settled_within


def under_asyncio(main: Callable[[], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        return await main()

    return asyncio.run(run())


def under_trio(main: Callable[[], Awaitable[Any]]) -> Any:
    return trio.run(main)


LIBRARIES = pytest.mark.parametrize("run", [under_asyncio, under_trio])
Run = Callable[[Callable[[], Awaitable[Any]]], Any]


@LIBRARIES
def test_a_future_that_a_thread_settles_is_awaited(run: Run) -> None:
    gate = threading.Event()

    def call() -> int:
        gate.wait(10)
        return 41

    async def main() -> int:
        with ThreadPoolExecutor(1) as threads:
            future = threads.submit(call)
            assert not future.done()
            gate.set()
            return await settled(future) + await settled(future)

    assert run(main) == 82


@LIBRARIES
def test_a_failure_in_the_future_is_raised(run: Run) -> None:
    future: Future[int] = Future()

    async def main() -> int:
        threading.Thread(target=future.set_exception, args=(KeyError("k"),)).start()
        return await settled(future)

    with pytest.raises(KeyError):
        run(main)


@LIBRARIES
def test_a_cancelled_future_does_not_pass_for_a_cancelled_task(run: Run) -> None:
    future: Future[int] = Future()

    async def main() -> int:
        threading.Thread(target=future.cancel).start()
        return await settled(future)

    with pytest.raises(CancelledError):
        run(main)


def test_cancelling_a_waiter_leaves_the_future_and_the_others_under_asyncio() -> None:
    future: Future[int] = Future()

    async def main() -> tuple[bool, int]:
        gone, stays = (asyncio.ensure_future(settled(future)) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        threading.Thread(target=future.set_result, args=(5,)).start()
        return gone.cancelled(), await stays

    assert asyncio.run(main()) == (True, 5)


def test_cancelling_a_waiter_leaves_the_future_and_the_others_under_trio() -> None:
    future: Future[int] = Future()
    results: list[int] = []

    async def stay() -> None:
        results.append(await settled(future))

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stay)
            with trio.CancelScope() as scope:
                scope.cancel()
                await settled(future)
            assert scope.cancelled_caught
            assert not future.cancelled()
            threading.Thread(target=future.set_result, args=(5,)).start()

    trio.run(main)
    assert results == [5]


@LIBRARIES
def test_a_future_may_be_settled_after_the_loop_has_ended(run: Run) -> None:
    future: Future[int] = Future()

    async def by_asyncio() -> None:
        task = asyncio.ensure_future(settled(future))
        await asyncio.sleep(0)
        task.cancel()

    async def by_trio() -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            await settled(future)

    run(by_asyncio if run is under_asyncio else by_trio)
    future.set_result(1)
    assert future.result() == 1


def test_asyncio_inside_a_program_that_has_trio_loaded_is_recognised() -> None:
    future: Future[int] = Future()

    async def main() -> int:
        asyncio.get_running_loop().call_soon(future.set_result, 3)
        return await settled(future)

    assert "trio" in sys.modules
    assert asyncio.run(main()) == 3


def test_no_library_is_imported_before_it_runs() -> None:
    code = (
        "import sys, oidc_adapters.runtime.concurrency\n"
        "print([name for name in ('asyncio', 'trio') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "[]"


def test_asyncio_works_where_trio_is_not_loaded() -> None:
    code = (
        "import asyncio, sys\n"
        "from concurrent.futures import Future\n"
        "from oidc_adapters.runtime.concurrency import settled\n"
        "async def main():\n"
        "    future = Future()\n"
        "    asyncio.get_running_loop().call_soon(future.set_result, 4)\n"
        "    return await settled(future)\n"
        "print(asyncio.run(main()), 'trio' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "4 False"


@LIBRARIES
def test_waiting_for_a_future_may_end_before_it_is_settled(run: Run) -> None:
    future: Future[int] = Future()

    async def main() -> list[bool]:
        early = await settled_within(future, 0.02)
        future.set_result(1)
        return [early, await settled_within(future, 0.02), await settled_within(future, None)]

    assert run(main) == [False, True, True]


@LIBRARIES
def test_a_future_that_is_settled_in_time_ends_the_waiting(run: Run) -> None:
    future: Future[int] = Future()

    async def main() -> bool:
        threading.Thread(target=future.set_result, args=(1,)).start()
        return await settled_within(future, 10)

    assert run(main)


@LIBRARIES
def test_a_loop_ends(run: Run) -> None:
    import anyio

    async def main() -> object:
        loop = anyio.lowlevel.current_token()
        assert not has_ended(loop)
        return loop

    assert has_ended(run(main))
    assert not has_ended(None)
