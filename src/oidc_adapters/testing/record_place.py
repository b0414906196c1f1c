"""A place of records that duties are tried on, and what is seen there."""

from collections.abc import Callable, Coroutine, Sequence
from secrets import token_urlsafe
from typing import Any, Final, Protocol, TypeVar

from oidc_adapters.stores.records import AsyncRecords, Found

T = TypeVar("T")

LIFE: Final = 600
"""Seconds until a record expires."""


class Together(Protocol):
    """Runs pieces of work at the same time."""

    async def __call__(self, works: Sequence[Callable[[], Coroutine[Any, Any, T]]], /) -> list[T]:
        """Return what each returns, in their order."""
        ...


class Place:
    """A place of records: handles of it, keys that are new to it, and a way to race for them.

    Args:
        opened: opens one more handle.
        together: runs the racers.
    """

    __slots__ = ("_handles", "_mark", "_opened", "together")

    def __init__(self, opened: Callable[[], AsyncRecords], together: Together) -> None:
        self._opened = opened
        self._handles: list[AsyncRecords] = []
        self._mark = token_urlsafe(9)
        self.together = together

    def store(self) -> AsyncRecords:
        """Return one more handle."""
        handle = self._opened()
        self._handles.append(handle)
        return handle

    def key(self, name: str = "record") -> str:
        """Return a key that nobody else uses."""
        return f"duty:{self._mark}:{name}"

    async def close(self) -> None:
        """Close every handle."""
        for handle in self._handles:
            await handle.close()


def check(fulfilled: object, otherwise: str) -> None:
    """Refuse a store that does not do its duty."""
    if not fulfilled:
        raise AssertionError(otherwise)


async def create_in(
    store: AsyncRecords, key: str, version: str = "first", value: str = "a value", life: int = LIFE
) -> None:
    """Create a record that expires after so many seconds; it must succeed."""
    until = (await store.times()).utc + life
    made = await store.create(key, version, value, until)
    check(made is True, f"create returned {made!r} where no record was")


async def replace_in(
    store: AsyncRecords, key: str, expected: str, version: str, value: str
) -> bool:
    """Replace a record; return whether it succeeded."""
    until = (await store.times()).utc + LIFE
    done = await store.replace(key, expected, version, value, until)
    check(type(done) is bool, f"replace returned {done!r}")
    return done


async def found_in(store: AsyncRecords, key: str) -> Found:
    """Return a record that is there."""
    found = await store.read(key)
    if found is None:
        message = "read returned None for a record that is there"
        raise AssertionError(message)
    return found


async def check_holds(store: AsyncRecords, key: str, version: str, value: str) -> None:
    """Refuse a store where a record is not of this version and value."""
    found = await found_in(store, key)
    check(found.version == version, f"the version is {found.version!r}, not {version!r}")
    check(found.value == value, f"the value of version {version!r} is not as written")


async def check_absent(store: AsyncRecords, key: str) -> None:
    """Refuse a store that has a record under this key."""
    found = await store.read(key)
    check(found is None, f"read returned {found!r} where no record is")
