"""Blocking calls and their results, awaited under asyncio or trio, whichever is running.

Neither library is imported before it runs, so a program without a loop pays for none, and no lock
or future here belongs to one loop.
"""

import sys
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


async def in_thread(call: Callable[[*Ts], T], *args: *Ts) -> T:
    """Make a blocking call in a thread of the running library and return its result.

    If the waiting task is cancelled the call runs to its end and its result is dropped: a thread
    cannot be stopped, so what it does has to be bounded by a deadline of its own.
    """
    trio = _running_trio()
    result: T
    if trio is not None:
        result = await trio.to_thread.run_sync(call, *args, abandon_on_cancel=True)
    else:
        result = await import_module("asyncio").to_thread(call, *args)
    return result


async def settled(future: Future[T]) -> T:
    """Wait for a future that some thread will settle, without blocking a thread meanwhile.

    Several tasks, also of different loops, may wait for the same future.  Cancelling one of them
    cancels neither the future nor the others.

    Raises:
        concurrent.futures.CancelledError: if the future itself was cancelled.
        BaseException: what the future's call raised.
    """
    if not future.done():
        trio = _running_trio()
        await (_asyncio_wait(future) if trio is None else _trio_wait(future, trio))
    return future.result()


def _running_trio() -> ModuleType | None:
    """Return trio if this very task is one of its own, also where asyncio hosts it as a guest."""
    trio = sys.modules.get("trio")
    if trio is not None:
        with suppress(RuntimeError):
            trio.lowlevel.current_task()
            return trio
    return None


async def _asyncio_wait(future: Future[T]) -> None:
    loop = import_module("asyncio").get_running_loop()
    waiter = loop.create_future()

    def arrive() -> None:
        if not waiter.done():  # the waiting task may have been cancelled meanwhile
            waiter.set_result(None)

    def settle(_: Future[T]) -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(arrive)

    future.add_done_callback(settle)
    await waiter


async def _trio_wait(future: Future[T], trio: ModuleType) -> None:
    arrived = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def settle(_: Future[T]) -> None:
        with suppress(trio.RunFinishedError):  # the run is over: nobody waits any more
            token.run_sync_soon(arrived.set)

    future.add_done_callback(settle)
    await arrived.wait()
