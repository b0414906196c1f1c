"""Stores that a machine takes away and gives back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.stores.records.both import AtOnce
from oidc_adapters.testing.applications.stores import (
    Outage,
    StoreIsDownError,
    WorldRecords,
)

UNTIL = 4_000_000_000
CALLS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("times", ()),
    ("read", ("key",)),
    ("create", ("other", "1", "value", UNTIL)),
    ("replace", ("key", "1", "2", "value", UNTIL)),
    ("remove", ("key", "2")),
    ("clean", ()),
)


def both() -> tuple[WorldRecords, AtOnce, Outage]:
    outage = Outage()
    records = WorldRecords(MemoryRecords(), outage)
    return records, AtOnce(records), outage


def test_both_kinds_are_one_store() -> None:
    records, awaited, _ = both()

    assert records.create("key", "1", "value", UNTIL)
    found = asyncio.run(awaited.read("key"))
    assert found is not None
    assert (found.value, found.version) == ("value", "1")
    assert asyncio.run(awaited.replace("key", "1", "2", "new", UNTIL))
    assert not records.replace("key", "1", "3", "newer", UNTIL)
    assert asyncio.run(awaited.create("other", "1", "value", UNTIL))
    assert asyncio.run(awaited.remove("other", "1"))
    assert not records.remove("other", "1")
    assert asyncio.run(awaited.clean()) == records.clean() == 0
    assert asyncio.run(awaited.times()).utc >= found.times.utc
    assert records.single_use == awaited.single_use == "shared"
    records.close()
    asyncio.run(awaited.close())
    assert records.read("key") is not None


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_each_call_fails_while_the_store_is_down(name: str, arguments: tuple[Any, ...]) -> None:
    records, awaited, outage = both()
    records.create("key", "1", "value", UNTIL)
    outage.down = True

    with pytest.raises(StoreIsDownError):
        getattr(records, name)(*arguments)
    with pytest.raises(StoreIsDownError):
        asyncio.run(getattr(awaited, name)(*arguments))
    outage.down = False
    getattr(records, name)(*arguments)
