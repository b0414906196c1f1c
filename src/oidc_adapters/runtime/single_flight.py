"""Work that several callers want at the same time, done once for all of them.

The work belongs to none of its callers: one who is cancelled, or whose deadline is over, leaves it
to the others, and it goes on even if nobody waits any more.  Under asyncio it is a task of the loop
that began it, under trio a system task; a caller that blocks does it in its own thread.
"""

import os
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from contextvars import copy_context
from importlib import import_module
from time import monotonic
from types import ModuleType
from typing import Generic, TypeAlias, TypeVar

from oidc_adapters.runtime.concurrency import running_trio, settled
from oidc_adapters.runtime.locks import ProcessLock

T = TypeVar("T")

_Name: TypeAlias = tuple[int, Hashable]


class SingleFlight(Generic[T]):
    """What is under way, by key: who wants the same meanwhile waits for the same result.

    The key has to name *every* input that decides the result: whoever joins gets what the first one
    asked for.  What the work raises goes to all who wait for it, and is forgotten then.

    Work that ends with its thread or its loop (``KeyboardInterrupt``, ``SystemExit``, a task
    cancelled at shutdown, a loop that was closed) has no result: one of those who wait, or the next
    caller, begins again.

    Threads and any number of event loops may share one.  A forked process starts afresh.

    Args:
        repeatable: ``False`` for work that must not be done twice, as where a request may have left
            already: those who wait are told then that it was broken off.
    """

    __slots__ = ("_flights", "_process", "_repeatable")

    def __init__(self, *, repeatable: bool = True) -> None:
        # The process is in the name, for a fork leaves the threads of its parent's flights behind.
        self._flights: dict[_Name, _Flight[T]] = {}
        self._process = ProcessLock()
        self._repeatable = repeatable

    def __contains__(self, key: Hashable) -> bool:
        """Whether this is under way."""
        return (os.getpid(), key) in self._flights

    def run(self, key: Hashable, work: Callable[[], T], *, seconds: float) -> T:
        """Do work in this thread, or wait for whoever does it already.

        Args:
            key: every input that decides the result.
            work: is begun without a lock, so it may take its time.
            seconds: how long to wait for others; work in this thread has a deadline of its own.

        Raises:
            TimeoutError: the deadline is over; the work goes on.
            concurrent.futures.CancelledError: it was broken off, and is not repeatable.
            Exception: what the work raises.
        """
        end = monotonic() + seconds
        while True:
            name, flight, mine = self._board(key)
            if mine:
                return self._lead(name, flight, work)
            try:
                return flight.future.result(max(0.0, end - monotonic()))
            except _BrokenOffError:
                self._check_repeatable()

    async def run_async(
        self, key: Hashable, work: Callable[[], Awaitable[T]], *, seconds: float
    ) -> T:
        """Begin work as a task, or join it, and wait in either case as long as the deadline lets.

        Raises:
            TimeoutError: the deadline is over; the work goes on.
            concurrent.futures.CancelledError: its task was cancelled, and this caller, who began
                it, was not; or it was broken off, and is not repeatable.
            Exception: what the work raises.
        """
        end = monotonic() + seconds
        while True:
            name, flight, mine = self._board(key)
            if mine:
                self._spawn(name, flight, work)
            try:
                return await settled(flight.future, max(0.0, end - monotonic()))
            except _BrokenOffError:
                if mine:  # work that always ends so must not be begun for ever
                    raise CancelledError from None
                self._check_repeatable()

    def _check_repeatable(self) -> None:
        if not self._repeatable:
            raise CancelledError from None

    def _board(self, key: Hashable) -> "tuple[_Name, _Flight[T], bool]":
        """Return what is under way, or what this caller has to do now."""
        name = (os.getpid(), key)
        with self._process.lock:
            lost = self._flights.get(name)
            if lost is not None and lost.alive():
                return name, lost, False
            flight = self._flights[name] = _Flight[T]()
        if lost is not None:
            lost.break_off()
        return name, flight, True

    def _lead(self, name: _Name, flight: "_Flight[T]", work: Callable[[], T]) -> T:
        try:
            result = work()
        except BaseException as fault:
            self._failed(name, flight, fault)
            raise
        self._landed(name, flight)
        flight.succeed(result)
        return result

    def _spawn(self, name: _Name, flight: "_Flight[T]", work: Callable[[], Awaitable[T]]) -> None:
        """Begin the work as a task of this loop, in the context of the caller who wants it."""

        async def fly() -> None:
            try:
                result = await work()
            except BaseException as fault:
                self._failed(name, flight, fault)
                if not isinstance(fault, Exception):
                    raise  # its loop has to know that the task was cancelled
            else:
                self._landed(name, flight)
                flight.succeed(result)

        trio = running_trio()
        try:
            if trio is None:
                # A task that is cancelled before its first step never comes to its ``except``.
                flight.begin_under_asyncio(fly, lambda: self._failed(name, flight, GeneratorExit()))
            else:
                flight.begin_under_trio(fly, trio)
        except BaseException as fault:
            self._failed(name, flight, fault)
            raise

    def _failed(self, name: _Name, flight: "_Flight[T]", fault: BaseException) -> None:
        """Tell those who wait, of a failure or that there is no result."""
        self._landed(name, flight)
        if isinstance(fault, Exception):
            flight.fail(fault)
        else:
            flight.break_off()

    def _landed(self, name: _Name, flight: "_Flight[T]") -> None:
        """Make room for the next flight of that name."""
        with self._process.lock:
            if self._flights.get(name) is flight:
                del self._flights[name]


class _BrokenOffError(Exception):
    """The work ended with its thread or loop, and has neither result nor failure."""


def _in_a_thread() -> bool:
    """Say that work goes on: a thread ends no work without saying so."""
    return True


class _Flight(Generic[T]):
    """One piece of work under way.

    Attributes:
        future: its result; whichever comes first counts, for a loop that was taken for dead may
            still go on.
        alive: whether the work can go on.
    """

    __slots__ = ("_task", "alive", "future")

    def __init__(self) -> None:
        self.future: Future[T] = Future()
        self.alive: Callable[[], bool] = _in_a_thread
        self._task: object = None

    def succeed(self, result: T) -> None:
        with suppress(InvalidStateError):
            self.future.set_result(result)

    def fail(self, fault: Exception) -> None:
        with suppress(InvalidStateError):
            self.future.set_exception(fault)

    def break_off(self) -> None:
        self.fail(_BrokenOffError())

    def begin_under_asyncio(
        self, fly: Callable[[], Awaitable[None]], ended: Callable[[], None]
    ) -> None:
        asyncio = import_module("asyncio")
        loop = asyncio.get_running_loop()
        self.alive = loop.is_running

        def done(_: object) -> None:
            ended()

        # asyncio itself only holds a task weakly.
        task = self._task = loop.create_task(fly())
        task.add_done_callback(done)

    def begin_under_trio(self, fly: Callable[[], Awaitable[None]], trio: ModuleType) -> None:
        token = trio.lowlevel.current_trio_token()

        def alive() -> bool:
            try:
                token.run_sync_soon(_in_a_thread, idempotent=True)
            except trio.RunFinishedError:
                return False
            return True

        self.alive = alive
        trio.lowlevel.spawn_system_task(fly, name="oidc shared work", context=copy_context())
