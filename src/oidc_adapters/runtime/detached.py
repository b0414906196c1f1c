"""Work that goes on even if its caller stops waiting for it.

An answer that brings the only live refresh token must be stored, even if the request that asked for
it is cancelled.  So that work does not run in its caller: it has a separate thread, or a task of
the loop.  ``close`` waits for work that has not ended.
"""

import atexit
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from threading import Thread
from time import monotonic
from typing import Final
from weakref import WeakSet, finalize

from oidc_adapters.runtime.concurrency import settled_within
from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.runtime.single_flight import SingleFlight
from oidc_adapters.runtime.threads import Work

AT_EXIT: Final = 30.0
"""Seconds that a process waits at its end for work that has not ended."""


class _Running:
    """The work that has not ended; a forked process does not have the work of its parent."""

    __slots__ = ("_futures", "_process")

    def __init__(self) -> None:
        self._futures: set[tuple[int, Future[None]]] = set()
        self._process = ProcessLock()

    def add(self, future: Future[None]) -> None:
        mine = (os.getpid(), future)
        with self._process.lock:
            self._futures.add(mine)
        future.add_done_callback(partial(self._ended, mine))

    def _ended(self, mine: tuple[int, Future[None]], _: Future[None]) -> None:
        with self._process.lock:
            self._futures.discard(mine)

    def here(self) -> list[Future[None]]:
        with self._process.lock:
            return [future for process, future in self._futures if process == os.getpid()]


class DetachedThreads:
    """Work in separate threads.  At its end the process waits for them, for a limited time."""

    __slots__ = ("__weakref__", "_running")

    def __init__(self) -> None:
        self._running = _Running()
        _ALL.add(self)

    def run(self, call: Callable[[], None], seconds: float) -> bool:
        """Begin work, and wait for its end; return whether it came in time.

        Where no further thread can be started, the caller does the work itself.

        Raises:
            Exception: what the work raises, if that comes in time.
        """
        work = Work(None, partial(copy_context().run, call))
        self._running.add(work.future)
        try:
            Thread(target=work.perform, name="oidc-exchange", daemon=True).start()
        except RuntimeError:  # there are too many, or the interpreter ends
            work.perform()
        if not _settled(work.future, seconds):
            return False
        work.future.result()
        return True

    def close(self, seconds: float) -> bool:
        """Wait for the work that has started; return whether all of it ended in time."""
        end = monotonic() + seconds
        return all(_settled(each, end - monotonic()) for each in self._running.here())


_ALL: Final[WeakSet[DetachedThreads]] = WeakSet()


def _drain() -> None:
    """Wait for work that has not ended when the interpreter ends."""
    end = monotonic() + AT_EXIT
    for each in list(_ALL):
        each.close(end - monotonic())


# At its end the interpreter also closes things by a hook of ``weakref``, such as connections.  It
# runs the hooks in reverse order: the one that is registered first comes after this one.
finalize(_drain, int)
atexit.register(_drain)


def _settled(future: Future[None], seconds: float) -> bool:
    with suppress(TimeoutError):
        future.exception(max(0.0, seconds))
    return future.done()


class DetachedTasks:
    """Work in tasks of the running loop, of asyncio or of trio, which no caller cancels."""

    __slots__ = ("_flights", "_running")

    def __init__(self) -> None:
        self._flights = SingleFlight[None](repeatable=False)
        self._running = _Running()

    async def run(self, work: Callable[[], Awaitable[None]], seconds: float) -> bool:
        """Begin work, and wait for its end, like :meth:`DetachedThreads.run`.

        Raises:
            concurrent.futures.CancelledError: the loop ends.
            Exception: what the work raises, if that comes in time.
        """
        ended = Future[None]()

        async def tracked() -> None:
            try:
                await work()
            finally:
                ended.set_result(None)

        self._running.add(ended)
        try:
            await self._flights.run_async(ended, tracked, seconds=seconds)
        except TimeoutError:
            return False
        except CancelledError:  # its loop ended, perhaps before it began
            if not ended.done():
                ended.set_result(None)
            raise
        return True

    async def close(self, seconds: float) -> bool:
        """Wait for the work that has started, like :meth:`DetachedThreads.close`."""
        end = monotonic() + seconds
        waited = [
            await settled_within(each, max(0.0, end - monotonic())) for each in self._running.here()
        ]
        return all(waited)
