"""Work that several callers want at the same time, done once for all of them.

The work belongs to no single caller: one who is cancelled, or whose deadline has passed, leaves it
to the others, and it goes on even if nobody waits any more. Under asyncio it is a task of the loop
that began it, under trio a system task; a caller that blocks does it in its own thread.
"""

import os
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from contextvars import copy_context
from copy import copy
from importlib import import_module
from threading import get_ident
from time import monotonic
from types import ModuleType
from typing import Final, Generic, TypeAlias, TypeVar

from oidc_adapters.runtime.concurrency import running_trio, settled_within
from oidc_adapters.runtime.locks import ProcessLock
from oidc_core.wire.errors import OidcError

T = TypeVar("T")

_LOOK: Final = 1.0
"""Seconds after which waiting callers look whether the work can still go on."""

_Name: TypeAlias = tuple[int, Hashable]


class SingleFlight(Generic[T]):
    """The running work, by key: a caller who wants the same meanwhile waits for the same result.

    The key must name *every* input that decides the result: a caller who joins gets the result that
    the first one asked for. An exception of the work goes to all callers who wait for it, and is
    forgotten then. Each caller gets their own copy of an :class:`OidcError`, which they may add
    facts of their login to.

    Work that ends with its thread or its loop (``KeyboardInterrupt``, ``SystemExit``, a task
    cancelled at shutdown, a loop that was closed) has no result: one of the waiting callers, or the
    next caller, begins again.

    Threads and any number of event loops may share one. A forked process starts from nothing.

    Args:
        repeatable: ``False`` for work that must not be done twice, as where a request may have left
            already: waiting callers are told then that it was broken off.
    """

    __slots__ = ("_flights", "_process", "_repeatable")

    def __init__(self, *, repeatable: bool = True) -> None:
        # The process is in the name, for a fork leaves the threads of its parent's flights behind.
        self._flights: dict[_Name, _Flight[T]] = {}
        self._process = ProcessLock()
        self._repeatable = repeatable

    def __contains__(self, key: Hashable) -> bool:
        """Whether this still runs; work whose loop has ended does not."""
        flight = self._flights.get((os.getpid(), key))
        return flight is not None and flight.alive()

    def run(self, key: Hashable, work: Callable[[], T], *, seconds: float) -> T:
        """Do work in this thread, or wait for the one who does it already.

        Args:
            key: every input that decides the result.
            work: is begun without a lock, so it may take its time.
            seconds: how long to wait for others; work in this thread has its own deadline.

        Raises:
            TimeoutError: the deadline has passed, or the work itself would wait here for its own
                end; the work goes on.
            concurrent.futures.CancelledError: it was broken off, and is not repeatable.
            Exception: what the work raises.
        """
        end = monotonic() + seconds
        while True:
            name, flight, mine = self._board(key)
            if mine:
                return self._lead(name, flight, work)
            if flight.leader == get_ident():
                raise TimeoutError
            flight.wait(end)
            try:
                return flight.result()
            except _BrokenOffError:
                self._check_repeatable()

    async def run_async(
        self, key: Hashable, work: Callable[[], Awaitable[T]], *, seconds: float
    ) -> T:
        """Begin work as a task, or join it, and wait in either case as long as the deadline lets.

        Raises:
            TimeoutError: the deadline has passed; the work goes on.
            concurrent.futures.CancelledError: its task was cancelled, and this caller, who began
                it, was not; or it was broken off, and is not repeatable.
            Exception: what the work raises.
        """
        end = monotonic() + seconds
        while True:
            name, flight, mine = self._board(key)
            if mine:
                self._spawn(name, flight, work)
            await flight.wait_async(end)
            try:
                return flight.result()
            except _BrokenOffError:
                if mine:  # do not begin again for work that always ends so
                    raise CancelledError from None
                self._check_repeatable()

    def _check_repeatable(self) -> None:
        if not self._repeatable:
            raise CancelledError from None

    def _board(self, key: Hashable) -> "tuple[_Name, _Flight[T], bool]":
        """Return the running work, or the work that this caller must do now."""
        name, own = (os.getpid(), key), _Flight[T]()
        while True:
            with self._process.lock:
                flight = self._flights.setdefault(name, own)
            if flight is own or flight.alive():
                return name, flight, flight is own
            self._landed(name, flight)
            flight.break_off()

    def _lead(self, name: _Name, flight: "_Flight[T]", work: Callable[[], T]) -> T:
        flight.leader = get_ident()
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
        """Tell waiting callers about a failure or that there is no result."""
        self._landed(name, flight)
        if isinstance(fault, Exception):
            flight.fail(fault)
        else:
            flight.break_off()

    def _landed(self, name: _Name, flight: "_Flight[T]") -> None:
        """Make room for the next flight of that name."""
        with self._process.lock:
            if self._flights.get(name) is flight:
                self._flights.pop(name, None)  # a coroutine that ended just now may have done it


class _BrokenOffError(Exception):
    """The work ended with its thread or loop, and has neither result nor failure."""


def _in_a_thread() -> bool:
    """Say that work goes on: a thread ends no work without saying so."""
    return True


class _Flight(Generic[T]):
    """One piece of running work.

    Attributes:
        future: its result; the first one counts, because a loop that was taken for dead may still
            go on.
        alive: whether the work can go on.
        leader: the thread that does the work; 0 if a task does it.
    """

    __slots__ = ("_task", "alive", "future", "leader")

    def __init__(self) -> None:
        self.future: Future[T] = Future()
        self.alive: Callable[[], bool] = _in_a_thread
        self.leader = 0
        self._task: object = None

    def succeed(self, result: T) -> None:
        with suppress(InvalidStateError):
            self.future.set_result(result)

    def fail(self, fault: Exception) -> None:
        """Keep a failure, as it is before its leader adds anything to it."""
        with suppress(InvalidStateError):
            self.future.set_exception(_of_ones_own(fault))

    def break_off(self) -> None:
        self.fail(_BrokenOffError())

    def wait(self, end: float) -> None:
        """Wait until it is settled, or break it off if it cannot go on.

        Raises:
            TimeoutError: it goes on when the deadline has passed.
        """
        while not self._settled(_slice(end)):
            self._look(end)

    async def wait_async(self, end: float) -> None:
        """Wait as :meth:`wait` does, without blocking a thread."""
        while not await settled_within(self.future, _slice(end)):
            self._look(end)

    def _settled(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            self.future.exception(seconds)
        return self.future.done()

    def _look(self, end: float) -> None:
        """Break off work that cannot go on, for example where a loop was closed unnoticed."""
        if not self.alive():
            self.break_off()
        elif monotonic() >= end:
            raise TimeoutError

    def result(self) -> T:
        """Return the result of settled work; its failure is raised as the caller's own.

        Raises:
            Exception: the failure.
        """
        fault = self.future.exception()
        if isinstance(fault, Exception):
            raise _of_ones_own(fault)
        return self.future.result()

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


def _slice(end: float) -> float:
    return max(0.0, min(_LOOK, end - monotonic()))


def _of_ones_own(fault: Exception) -> Exception:
    """Return an error that is nobody else's: each login writes its own facts into it.

    It repeats its cause, and the place where the work raised it.
    """
    if not isinstance(fault, OidcError):
        return fault
    own = copy(fault).with_traceback(fault.__traceback__)
    own.__cause__ = fault.__cause__
    return own
