"""The duties of a store of records for several callers at once."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

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

RACERS: Final = 8
"""How many threads or tasks write to one record at the same time."""

ROUNDS: Final = 12
"""How often they do."""


async def handles(place: Place) -> None:
    """A record that one handle writes, another handle sees at once."""
    store, other = place.store(), place.store()
    keys = [place.key(f"{number}") for number in range(20)]
    for key in keys:
        await check_absent(other, key)
        await create_in(store, key)
        await check_holds(other, key, "first", "a value")
        check(await replace_in(other, key, "first", "second", "new"), "it was not replaced")
        await check_holds(store, key, "second", "new")
        check(await store.remove(key, "second") is True, "it was not removed")
        await check_absent(other, key)


async def racing_creates(place: Place) -> None:
    """Of several who create a record, exactly one succeeds."""
    stores = (place.store(), place.store())
    for number in range(ROUNDS):
        key = place.key(f"{number}")

        async def racer(own: int, key: str = key) -> bool:
            store = stores[own % 2]
            until = (await store.times()).utc + LIFE
            return await store.create(key, f"version-{own}", f"value {own}", until)

        winner = _winner(await _race(place, racer))
        for store in stores:
            await check_holds(store, key, f"version-{winner}", f"value {winner}")


async def racing_replaces(place: Place) -> None:
    """Of several who replace one version, exactly one succeeds, and the record is that one's."""
    stores, key = (place.store(), place.store()), place.key()
    last = "first"
    await create_in(stores[0], key, last)
    for number in range(ROUNDS):

        async def racer(own: int, expected: str = last, number: int = number) -> bool:
            version, value = f"version-{number}-{own}", f"value {number} {own}"
            return await replace_in(stores[own % 2], key, expected, version, value)

        winner = _winner(await _race(place, racer))
        last = f"version-{number}-{winner}"
        for store in stores:
            await check_holds(store, key, last, f"value {number} {winner}")


async def racing_removes(place: Place) -> None:
    """Of several who remove a record, exactly one succeeds."""
    stores = (place.store(), place.store())
    for number in range(ROUNDS):
        key = place.key(f"{number}")
        await create_in(stores[0], key)

        async def racer(own: int, key: str = key) -> bool:
            return await stores[own % 2].remove(key, "first")

        _winner(await _race(place, racer))
        for store in stores:
            await check_absent(store, key)


async def racing_counters(place: Place) -> None:
    """Several who read, count on and replace until it succeeds lose no count."""
    stores, key = (place.store(), place.store()), place.key()
    await create_in(stores[0], key, "0", "0" * 100)

    async def racer(own: int) -> bool:
        store = stores[own % 2]
        for _ in range(1_000):
            found = await found_in(store, key)
            count = int(found.version.partition(" ")[0])
            check(found.value == f"{count}" * 100, "value and version are of two writes")
            version, value = f"{count + 1} {own}", f"{count + 1}" * 100
            if await replace_in(store, key, found.version, version, value):
                return True
        message = "another caller is always first"
        raise AssertionError(message)

    check(all(await _race(place, racer)), "a racer gave up")
    count = (await found_in(stores[0], key)).version.partition(" ")[0]
    check(count == f"{RACERS}", f"{RACERS} have counted to {count}")


async def _race(place: Place, racer: Callable[[int], Coroutine[Any, Any, bool]]) -> list[bool]:
    def of(own: int) -> Callable[[], Coroutine[Any, Any, bool]]:
        return lambda: racer(own)

    return await place.together([of(own) for own in range(RACERS)])


def _winner(answers: Sequence[bool]) -> int:
    """Return which one succeeded."""
    check(all(type(each) is bool for each in answers), f"answers were {answers!r}")
    check(answers.count(True) == 1, f"{answers.count(True)} of {len(answers)} succeeded")
    return answers.index(True)
