"""The duties of a store of records for one caller, for stores that wait and stores that await."""

from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

from oidc_adapters.stores.records import SLACK, AsyncRecords
from oidc_adapters.stores.sealed_box import SealedBox
from oidc_adapters.testing.record_place import (
    LIFE,
    Place,
    check,
    check_absent,
    check_holds,
    create_in,
    found_in,
    replace_in,
)
from oidc_core.wire.errors import StoreFailure

T = TypeVar("T")

_LARGEST: Final = 512 * 1024
_EXPIRED: Final = 5


async def absent(place: Place) -> None:
    """Without a record, it reads, replaces and removes nothing."""
    store, key = place.store(), place.key()

    await check_absent(store, key)
    check(not await replace_in(store, key, "first", "second", "v"), "it replaced an absent record")
    check(await store.remove(key, "first") is False, "it removed an absent record")
    await check_absent(store, key)


async def create_once(place: Place) -> None:
    """A second record is not created, and the first one stays."""
    store, key = place.store(), place.key()
    await create_in(store, key)

    until = (await store.times()).utc + LIFE
    for version in ("second", "first"):
        again = await store.create(key, version, "another value", until)
        check(again is False, f"create returned {again!r} where a record is")
    await check_holds(store, key, "first", "a value")


async def read(place: Place) -> None:
    """Value, version and the store's own times are read."""
    store, key = place.store(), place.key()
    await create_in(store, key)

    before = await store.times()
    found = await found_in(store, key)
    after = await store.times()

    await check_holds(store, key, "first", "a value")
    check(type(found.times.now) is int, "times.now is not a whole number")
    check(type(found.times.utc) is int, "times.utc is not a whole number")
    check(before.now <= found.times.now <= after.now, "a record is read with another clock")


async def replace(place: Place) -> None:
    """A record is replaced only with the version that it has, and a lost one changes nothing."""
    store, key = place.store(), place.key()
    await create_in(store, key)

    check(not await replace_in(store, key, "other", "second", "lost"), "any version was enough")
    await check_holds(store, key, "first", "a value")
    check(await replace_in(store, key, "first", "second", "new"), "the version was not enough")
    await check_holds(store, key, "second", "new")
    check(not await replace_in(store, key, "first", "third", "lost"), "an old version was enough")
    await check_holds(store, key, "second", "new")
    check(await replace_in(store, key, "second", "third", "new"), "the same value was refused")
    await check_holds(store, key, "third", "new")


async def remove(place: Place) -> None:
    """A record is removed once, with its version; then another may be created."""
    store, key = place.store(), place.key()
    await create_in(store, key)

    check(await store.remove(key, "other") is False, "any version was enough")
    await check_holds(store, key, "first", "a value")
    check(await store.remove(key, "first") is True, "the version was not enough")
    await check_absent(store, key)
    check(await store.remove(key, "first") is False, "it was removed twice")
    check(not await replace_in(store, key, "first", "second", "v"), "a replace brought it back")
    await create_in(store, key, "second", "after it")
    await check_holds(store, key, "second", "after it")


async def values(place: Place) -> None:
    """A value is read as it was written: any text up to 512 KiB."""
    store = place.store()
    texts = (
        "x", " ", "0", "007", "1e3", "true", "null", "a\nb\r\nc\t ", " spaces ", "'\"\\%_?:;--",
        '{"a": [1]}', "ä€😀", "e\u0301\u2028", "\x01\x7f", "x" * _LARGEST, "ä" * (_LARGEST // 2),
    )  # fmt: skip
    for number, text in enumerate(texts):
        key = place.key(f"value-{number}")
        await create_in(store, key, "first", text)
        await check_holds(store, key, "first", text)
        check(await replace_in(store, key, "first", "second", text + "."), "it was not replaced")
        await check_holds(store, key, "second", text + ".")


async def keys(place: Place) -> None:
    """Keys are told apart by every character and by case, up to 255 of them."""
    store = place.store()
    start = place.key("k")
    long = start + "k" * (254 - len(start))
    names = (
        start, start + "K", start + "k", start + "k_", start + "k%", start + "k-", start + "k:",
        start + "k*", start + "k?", start + "k.", start + "k/../k", start + "k ", start + "k'",
        start + "k{1}", long, long + "1", long + "2",
    )  # fmt: skip
    for name in names:
        await create_in(store, name, "first", f"value of {name}")
    for name in names:
        await check_holds(store, name, "first", f"value of {name}")
        check(await store.remove(name, "first") is True, "it was not removed")
        await check_absent(store, name)


async def versions(place: Place) -> None:
    """A version is text, as it was written."""
    store, key = place.store(), place.key()
    await create_in(store, key, "0")

    names = ("00", "1", "1.0", "1e0", "01", "aB", "ab", "AB", "a-_", "a%_", "x" * 64)
    for before, version in zip(("0", *names), names, strict=False):
        for other in {*names} - {before}:
            check(not await replace_in(store, key, other, "z", "z"), f"{other!r} was {before!r}")
        check(await replace_in(store, key, before, version, "v"), f"{before!r} was not found")
        await check_holds(store, key, version, "v")


async def sealed(place: Place) -> None:
    """A sealed value that was copied to another key is refused there."""
    store, key, other = place.store(), place.key(), place.key("other")
    box = SealedBox(b"a sealing secret for the duties of a store")
    written = box.close("a secret", label=key)
    await create_in(store, key, "first", written)

    await check_holds(store, key, "first", written)
    found = await found_in(store, key)
    await create_in(store, other, "first", found.value)
    copied = await found_in(store, other)

    check(box.open(found.value, label=key) == "a secret", "a sealed value does not open")
    refused = ""
    try:
        box.open(copied.value, label=other)
    except StoreFailure as refusal:
        refused = refusal.code
    check(refused == "seal_invalid", "a value may be moved to another key")


# --- time ----------------------------------------------------------------------------------------


async def clock(place: Place) -> None:
    """Its clock never runs backwards, and is the same for every handle."""
    stores = (place.store(), place.store())
    last = (await stores[0].times()).now
    for _ in range(50):
        for store in stores:
            now = (await store.times()).now
            check(now >= last, f"times.now went back from {last} to {now}")
            last = now


async def expired(place: Place) -> None:
    """A record that has expired stays for an hour at least, also if the store is cleaned."""
    store = place.store()
    lives = (60, 0, -1, -60, 120 - SLACK)
    for life in lives:
        await create_in(store, place.key(f"life{life}"), life=life)

    await _clean(store)

    for life in lives:
        key = place.key(f"life{life}")
        await check_holds(store, key, "first", "a value")
        check(await replace_in(store, key, "first", "second", "v"), "one that expired is stuck")


async def clean(place: Place) -> None:
    """Cleaning removes what expired over an hour ago, no more than told, and counts it."""
    store = place.store()
    await _clean(store)
    gone = [place.key(f"gone-{number}") for number in range(_EXPIRED)]
    kept = [place.key(f"kept-{number}") for number in range(_EXPIRED)]
    for key in gone:
        await create_in(store, key, life=-SLACK - 120)
    for key in kept:
        await create_in(store, key)

    left = await _count(store, gone)
    removed = await store.clean(2)
    still = await _count(store, gone)
    check(0 <= removed <= 2, f"told to remove 2, it removed {removed}")
    check(left - still <= removed, f"it removed {left - still} and reported {removed}")
    removed += await _clean(store)
    check(left <= removed <= _EXPIRED, f"{left} had expired, and it removed {removed}")
    check(await _count(store, gone) == 0, "a record that has expired is never removed")
    check(await _count(store, kept) == _EXPIRED, "it removed a record that has not expired")
    for key in gone:
        await create_in(store, key, "second")
        await check_holds(store, key, "second", "a value")


async def _clean(store: AsyncRecords) -> int:
    """Clean until no expired record is left."""
    total = 0
    for _ in range(1_000):
        removed = await store.clean(1_000)
        check(type(removed) is int, f"clean returned {removed!r}")
        total += removed
        if not removed:
            return total
    message = "clean always finds one more"
    raise AssertionError(message)


async def _count(store: AsyncRecords, names: Sequence[str]) -> int:
    return sum([await store.read(key) is not None for key in names])


# --- failures --------------------------------------------------------------------------------


async def closed(place: Place) -> None:
    """A store that was closed raises or works, and never says what is not so."""
    store, other, key = place.store(), place.store(), place.key()
    await create_in(other, key)
    await store.read(key)
    await store.close()
    await store.close()

    until = (await other.times()).utc + LIFE
    check(await _raises(store.read(key)) or await store.read(key), "it forgot a record")
    made = await _unless_it_raises(store.create(key, "second", "lost", until))
    check(not made, "create returned True where a record is")
    done = await _unless_it_raises(store.replace(key, "first", "second", "new", until))
    await store.close()
    if done is not None:
        check(done is True, "replace returned False for the version that is there")
        await check_holds(place.store(), key, "second", "new")


async def unreachable(place: Place) -> None:
    """A store whose place cannot be reached raises: it never says that no record is there."""
    key, until = place.key(), 4_000_000_000
    stores: list[AsyncRecords] = []
    with suppress(Exception):  # it may fail already when it is opened
        stores.append(place.store())
    for store in stores:
        for name, arguments in (
            ("read", (key,)),
            ("create", (key, "first", "a value", until)),
            ("replace", (key, "first", "second", "a value", until)),
            ("remove", (key, "first")),
        ):
            call = getattr(store, name)(*arguments)
            check(await _raises(call), f"{name} returned instead of raising")


async def _raises(call: Awaitable[object]) -> bool:
    with suppress(Exception):
        await call
        return False
    return True


async def _unless_it_raises(call: Awaitable[T]) -> T | None:
    with suppress(Exception):
        return await call
    return None
