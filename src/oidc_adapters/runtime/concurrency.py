"""The results of threads, awaited under asyncio or trio, the one that is running.

Neither library is imported before it runs, so a program without a loop pays for neither, and no
lock or future here belongs to one loop.
"""

import sys
from concurrent.futures import Future
from contextlib import suppress
from importlib import import_module
from math import inf
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


async def settled(future: Future[T], seconds: float | None = None) -> T:
    """Wait for a future that some thread will settle, without blocking a thread meanwhile.

    Several tasks, also of different loops, may wait for the same future.  Cancelling one of them
    cancels neither the future nor the others.

    Args:
        future: the awaited result.
        seconds: how long; without, for as long as it takes.

    Raises:
        TimeoutError: if it is not settled by then.
        concurrent.futures.CancelledError: if the future itself was cancelled.
        BaseException: what the future's call raised.
    """
    if not await settled_within(future, seconds):
        raise TimeoutError
    return future.result()


async def settled_within(future: Future[T], seconds: float | None) -> bool:
    """Wait for a future, but no longer than so many seconds; return whether it is settled."""
    if not future.done():
        trio = running_trio()
        if trio is None:
            await _asyncio_wait(future, seconds)
        else:
            await _trio_wait(future, trio, seconds)
    return future.done()


def running_trio() -> ModuleType | None:
    """Return trio if this task belongs to it, also where asyncio hosts it as a guest."""
    trio = sys.modules.get("trio")
    if trio is not None:
        with suppress(RuntimeError):
            trio.lowlevel.current_task()
            return trio
    return None


def has_ended(loop: object) -> bool:
    """Return whether an event loop will never run again.

    Args:
        loop: of asyncio, or a token of trio or anyio; ``None`` does not end.
    """
    loop = getattr(loop, "native_token", loop)
    is_closed = getattr(loop, "is_closed", None)
    if is_closed is not None:
        return bool(is_closed())
    try:
        getattr(loop, "run_sync_soon", _nothing)(_nothing)
    except RuntimeError:  # trio's RunFinishedError
        return True
    return False


def _nothing(*_: object) -> None:
    """Do nothing."""


async def _asyncio_wait(future: Future[T], seconds: float | None) -> None:
    loop = import_module("asyncio").get_running_loop()
    waiter = loop.create_future()

    def arrive() -> None:
        if not waiter.done():  # the waiting task may have been cancelled meanwhile
            waiter.set_result(None)

    def settle(_: Future[T]) -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(arrive)

    future.add_done_callback(settle)
    timer = None if seconds is None else loop.call_later(seconds, arrive)
    try:
        await waiter
    finally:
        if timer is not None:
            timer.cancel()


async def _trio_wait(future: Future[T], trio: ModuleType, seconds: float | None) -> None:
    arrived = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def settle(_: Future[T]) -> None:
        with suppress(trio.RunFinishedError):  # the run has ended: nobody waits any more
            token.run_sync_soon(arrived.set)

    future.add_done_callback(settle)
    with trio.move_on_after(inf if seconds is None else seconds):
        await arrived.wait()
