"""A place of records: its handles and keys, and what is seen there."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import pytest

from oidc_adapters.stores.records import AtOnce, MemoryRecords, at_once
from oidc_adapters.testing.record_place import (
    Place,
    check_absent,
    check_holds,
    create_in,
    found_in,
    replace_in,
)

T = TypeVar("T")


class Counted(MemoryRecords):
    closed = 0

    def close(self) -> None:
        self.closed += 1


async def one_by_one(works: Sequence[Callable[[], Coroutine[Any, Any, T]]], /) -> list[T]:
    return [await work() for work in works]


def test_every_handle_is_closed() -> None:
    made = [Counted(), Counted()]
    opened = iter(made)
    place = Place(lambda: AtOnce(next(opened)), one_by_one)
    place.store()
    place.store()

    at_once(place.close())

    assert [each.closed for each in made] == [1, 1]


def test_two_places_share_no_key() -> None:
    places = [Place(lambda: AtOnce(MemoryRecords()), one_by_one) for _ in range(2)]

    assert len({place.key(name) for place in places for name in ("a", "b")}) == 4


def test_what_is_seen_there() -> None:
    store = AtOnce(MemoryRecords())

    async def main() -> None:
        await check_absent(store, "a")
        await create_in(store, "a")
        assert (await found_in(store, "a")).version == "first"
        assert await replace_in(store, "a", "first", "second", "new")
        assert not await replace_in(store, "a", "first", "second", "new")
        await check_holds(store, "a", "second", "new")
        for wrong in (
            check_absent(store, "a"),
            create_in(store, "a"),
            found_in(store, "b"),
            check_holds(store, "a", "first", "new"),
            check_holds(store, "a", "second", "a value"),
        ):
            with pytest.raises(AssertionError):
                await wrong

    at_once(main())
