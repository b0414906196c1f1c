"""One store for code that waits and for code that awaits.

Code that uses a store is written once, as coroutines over :class:`AsyncRecords`.  Code that waits
runs them to their end at once: over :class:`AtOnce` they never suspend.
"""

from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from inspect import iscoroutinefunction
from typing import TypeVar, cast

from oidc_adapters.runtime.threads import OwnThreads, ThreadsClosedError
from oidc_adapters.stores.records.ports import AsyncRecords, Found, Records, Times
from oidc_core.model.pending import SingleUse
from oidc_core.wire.errors import UsageError

T = TypeVar("T")


def at_once(work: Coroutine[object, None, T]) -> T:
    """Run a coroutine that waits for nothing to its end, and return its result.

    Raises:
        RuntimeError: it awaits something that is not there at once.
        Exception: what it raises.
    """
    try:
        work.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    work.close()
    message = "this coroutine must be awaited"
    raise RuntimeError(message)


def for_waiting(records: Records | AsyncRecords) -> AsyncRecords:
    """Return a store for coroutines that :func:`at_once` runs.

    Raises:
        UsageError: ``config_invalid`` for a store that is awaited.
    """
    if is_awaited(records):
        expected = "a store that waits, as a client that waits cannot await one"
        found = type(records).__name__
        raise UsageError("config_invalid", about="records", found=found, expected=expected)
    return AtOnce(cast("Records", records))


def for_awaiting(records: Records | AsyncRecords) -> AsyncRecords:
    """Return a store for code that awaits; a store that waits runs in separate threads.

    A store in the memory of this process answers at once, without threads.
    """
    if is_awaited(records):
        return cast("AsyncRecords", records)
    waiting = cast("Records", records)
    return AtOnce(waiting) if waiting.single_use == "process" else InThreads(waiting)


def is_awaited(records: Records | AsyncRecords) -> bool:
    """Return whether the calls of a store are awaited."""
    return iscoroutinefunction(records.read)


class AtOnce:
    """A store that waits, behind calls that await: each blocks until it is done."""

    __slots__ = ("_records",)

    def __init__(self, records: Records) -> None:
        self._records = records

    @property
    def single_use(self) -> SingleUse:
        """How far the store reaches."""
        return self._records.single_use

    async def times(self) -> Times:
        """Return the times of the store."""
        return self._records.times()

    async def read(self, key: str, /) -> Found | None:
        """Read a record."""
        return self._records.read(key)

    async def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        """Create a record."""
        return self._records.create(key, version, value, until)

    async def replace(
        self, key: str, expected: str, version: str, value: str, until: int, /
    ) -> bool:
        """Replace a record."""
        return self._records.replace(key, expected, version, value, until)

    async def remove(self, key: str, expected: str, /) -> bool:
        """Remove a record."""
        return self._records.remove(key, expected)

    async def clean(self, most: int = 1_000, /) -> int:
        """Remove expired records."""
        return self._records.clean(most)

    async def close(self) -> None:
        """Close the store."""
        self._records.close()


class InThreads:
    """A store that waits, in separate threads, so that no event loop waits for it.

    Args:
        records: the store; it must serve several threads at once.
        threads: how many of its calls may run at a time.
    """

    __slots__ = ("_records", "_threads")

    def __init__(self, records: Records, *, threads: int = 8) -> None:
        self._records = records
        self._threads = OwnThreads(threads, "oidc-records")

    @property
    def single_use(self) -> SingleUse:
        """How far the store reaches."""
        return self._records.single_use

    async def times(self) -> Times:
        """Return the times of the store."""
        return await self._threads.run(self._records.times)

    async def read(self, key: str, /) -> Found | None:
        """Read a record."""
        return await self._threads.run(partial(self._records.read, key))

    async def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        """Create a record."""
        return await self._threads.run(partial(self._records.create, key, version, value, until))

    async def replace(
        self, key: str, expected: str, version: str, value: str, until: int, /
    ) -> bool:
        """Replace a record."""
        call = partial(self._records.replace, key, expected, version, value, until)
        return await self._threads.run(call)

    async def remove(self, key: str, expected: str, /) -> bool:
        """Remove a record."""
        return await self._threads.run(partial(self._records.remove, key, expected))

    async def clean(self, most: int = 1_000, /) -> int:
        """Remove expired records."""
        return await self._threads.run(partial(self._records.clean, most))

    async def close(self) -> None:
        """Close the store and its threads; a second time is fine."""
        with suppress(ThreadsClosedError):
            await self._threads.run(self._records.close)
            self._threads.close()
