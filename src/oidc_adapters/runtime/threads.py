"""Blocking calls for asyncio and trio alike, in separate threads."""

import os
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from threading import Lock
from types import TracebackType
from typing import Any, Generic, TypeVar

from oidc_adapters.runtime.concurrency import settled, settled_within

T = TypeVar("T")


class NeverBegunError(Exception):
    """A call whose turn did not come in time; it will never be made."""


class ThreadsClosedError(RuntimeError):
    """A call came when the threads were closed, or waited for its turn then."""


class Work(Generic[T]):
    """A call, and what will come of it."""

    __slots__ = ("call", "future", "lane")

    def __init__(self, lane: Hashable, call: Callable[[], T]) -> None:
        self.lane = lane
        self.call = call
        self.future: Future[T] = Future()

    def perform(self) -> None:
        """Make the call, unless nobody waits for it any more."""
        if not self.future.set_running_or_notify_cancel():
            return
        with self:
            self.future.set_result(self.call())

    def __enter__(self) -> None:
        """Begin the call."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Hand its unchanged exception to the caller who waits."""
        if error is not None:
            self.future.set_exception(error)
        return True


class _Lane:
    """The calls of one kind: how many are running, and which wait."""

    __slots__ = ("running", "waiting")

    def __init__(self) -> None:
        self.running = 0
        self.waiting: deque[Work[Any]] = deque()

    def following(self) -> "Work[Any] | None":
        """Take the next call for which somebody still waits."""
        while self.waiting:
            work = self.waiting.popleft()
            if not work.future.cancelled():
                return work
        return None


class OwnThreads:
    """A pool of threads that nobody else uses up, and no lane of calls alone.

    They are started when first needed and reused; a forked process starts its own.

    Args:
        count: how many calls may run at a time; further ones wait for their turn.
        name: what the threads are called.
        share: how many of these may be of one lane; all of them by default.
    """

    __slots__ = ("_count", "_lanes", "_lock", "_name", "_pool", "_process", "_share")

    def __init__(self, count: int, name: str, *, share: int | None = None) -> None:
        self._count = count
        self._name = name
        self._share = count if share is None else share
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._pool = ThreadPoolExecutor(self._count, thread_name_prefix=self._name)
        self._lock = Lock()
        self._lanes: dict[Hashable, _Lane] = {}

    async def run(
        self, call: Callable[[], T], *, lane: Hashable = None, within: float | None = None
    ) -> T:
        """Return what a blocking call returns, or raise what it raises.

        If the waiting task is cancelled, a call that has not begun is never made; one that has
        runs to its end, and its result is dropped.

        Args:
            call: the call.
            lane: its kind: calls of one kind must not keep the calls of others waiting.
            within: the seconds after which it is not begun any more.

        Raises:
            NeverBegunError: if it was not begun in that time.
            ThreadsClosedError: if the threads were closed.
        """
        if self._process != os.getpid():  # the threads stayed behind in the parent
            self._start()
        context = copy_context()
        work = Work(lane, lambda: context.run(call))
        self._admit(work)
        future = work.future
        try:
            if within is not None and not await settled_within(future, within) and future.cancel():
                raise NeverBegunError
            return await settled(future)
        finally:
            future.cancel()  # takes effect only while no thread has taken it up

    def _admit(self, work: Work[Any]) -> None:
        """Give a call its thread, or let it wait until one of its lane is done."""
        with self._lock:
            lane = self._lanes.setdefault(work.lane, _Lane())
            if lane.running >= self._share:
                lane.waiting.append(work)
                return
            lane.running += 1
        self._submit(work)

    def _submit(self, work: Work[Any] | None) -> None:
        while work is not None:
            try:
                self._pool.submit(self._perform, work)
            except RuntimeError as closed:
                if work.future.set_running_or_notify_cancel():
                    work.future.set_exception(ThreadsClosedError(str(closed)))
                work = self._following(work.lane)
            else:
                return

    def _perform(self, work: Work[Any]) -> None:
        work.perform()
        self._submit(self._following(work.lane))

    def _following(self, name: Hashable) -> Work[Any] | None:
        """Return what takes the place in a lane that has just become free."""
        with self._lock:
            lane = self._lanes[name]
            work = lane.following()
            if work is None:
                lane.running -= 1
                if not lane.running:
                    del self._lanes[name]
            return work

    def close(self) -> None:
        """Let the threads end once their calls have; no thread is begun any more."""
        self._pool.shutdown(wait=False)
