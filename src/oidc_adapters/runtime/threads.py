"""Blocking calls for asyncio and trio alike, in threads of their own."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from oidc_adapters.runtime.concurrency import settled

T = TypeVar("T")


class OwnThreads:
    """A pool of threads that nobody else uses up.

    They are started when first needed and reused; a forked process starts its own.

    Args:
        count: how many calls may run at a time; further ones wait for their turn.
        name: what the threads are called.
    """

    __slots__ = ("_count", "_name", "_pool", "_process")

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._pool = ThreadPoolExecutor(self._count, thread_name_prefix=self._name)

    async def run(self, call: Callable[[], T]) -> T:
        """Return what a blocking call returns, or raise what it raises.

        If the waiting task is cancelled, a call that has not begun is never made; one that has
        runs to its end, and its result is dropped.
        """
        if self._process != os.getpid():  # the threads stayed behind in the parent
            self._start()
        future = self._pool.submit(copy_context().run, call)
        try:
            return await settled(future)
        finally:
            future.cancel()  # takes effect only while no thread has taken it up

    def close(self) -> None:
        """Let the threads end once their calls have; none is begun any more."""
        self._pool.shutdown(wait=False)
