"""One store for code that waits and for code that awaits."""

from __future__ import annotations

import asyncio
import threading

import pytest
import trio

from oidc_adapters.stores.records import (
    AtOnce,
    Found,
    InThreads,
    Times,
    at_once,
    for_awaiting,
    for_waiting,
)
from oidc_core.model.pending import SingleUse
from oidc_core.wire.errors import UsageError


async def _ready() -> int:
    return 3


async def _fails() -> None:
    message = "of its own"
    raise LookupError(message)


def test_what_waits_for_nothing_ends_at_once() -> None:
    assert at_once(_ready()) == 3


def test_an_exception_comes_out_unchanged() -> None:
    with pytest.raises(LookupError, match="of its own"):
        at_once(_fails())


async def _sleeps() -> None:
    await asyncio.Future()


def test_what_has_to_wait_says_so() -> None:
    async def within_a_loop() -> None:
        with pytest.raises(RuntimeError, match="must be awaited"):
            at_once(_sleeps())

    asyncio.run(within_a_loop())


class _Kept:
    """A store of one record that never changes."""

    def __init__(self, reach: SingleUse) -> None:
        self.single_use: SingleUse = reach

    def times(self) -> Times:
        return Times(1, 2)

    def read(self, key: str, /) -> Found | None:
        return Found(key, "v", self.times())

    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        return False

    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        return expected == "v"

    def remove(self, key: str, expected: str, /) -> bool:
        return expected == "v"

    def clean(self, most: int = 1_000, /) -> int:
        return most

    def close(self) -> None:
        """Do nothing: this store opens no file."""


async def _asked(records: AtOnce | InThreads) -> list[object]:
    answers: list[object] = [
        records.single_use,
        await records.times(),
        await records.read("k"),
        await records.create("k", "v", "x", 1),
        await records.replace("k", "v", "w", "x", 1),
        await records.remove("k", "w"),
        await records.clean(3),
    ]
    await records.close()
    await records.close()
    return answers


def _answers(reach: SingleUse) -> list[object]:
    times = Times(1, 2)
    return [reach, times, Found("k", "v", times), False, True, False, 3]


def test_a_store_that_waits_serves_code_that_awaits_from_threads() -> None:
    records = for_awaiting(_Kept("shared"))

    assert isinstance(records, InThreads)
    assert asyncio.run(_asked(records)) == _answers("shared")


def test_a_store_of_this_process_answers_at_once() -> None:
    records = for_awaiting(_Kept("process"))

    assert isinstance(records, AtOnce)
    assert at_once(_asked(records)) == _answers("process")


def test_code_that_waits_cannot_await_a_store() -> None:
    awaited = AtOnce(_Kept("shared"))

    assert for_awaiting(awaited) is awaited
    assert isinstance(for_waiting(_Kept("shared")), AtOnce)
    with pytest.raises(UsageError) as refused:
        for_waiting(awaited)
    assert refused.value.code == "config_invalid"


class _Slow(_Kept):
    """A store that answers when a test lets it."""

    def __init__(self) -> None:
        super().__init__("shared")
        self.let_go, self.both = threading.Event(), threading.Event()
        self.running: list[str] = []
        self.most = 0

    def read(self, key: str, /) -> Found | None:
        self.running.append(key)
        self.most = max(self.most, len(self.running))
        if len(self.running) > 1:
            self.both.set()
        assert self.let_go.wait(20)
        self.running.remove(key)
        return super().read(key)


def test_no_loop_of_asyncio_waits_for_a_store_that_waits() -> None:
    store = _Slow()
    records = InThreads(store)

    async def main() -> Found | None:
        read = asyncio.create_task(records.read("k"))
        await asyncio.sleep(0)
        assert not read.done()
        store.let_go.set()
        return await read

    found = asyncio.run(main())
    assert found is not None
    assert found.version == "v"


def test_no_loop_of_trio_waits_for_a_store_that_waits() -> None:
    store = _Slow()
    records = InThreads(store)
    found: list[Found | None] = []

    async def reader() -> None:
        found.append(await records.read("k"))

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(reader)
            await trio.lowlevel.checkpoint()
            assert found == []
            store.let_go.set()

    trio.run(main)
    assert [each.version for each in found if each] == ["v"]


def test_only_so_many_calls_run_at_a_time() -> None:
    store = _Slow()
    records = InThreads(store, threads=2)

    async def main() -> list[Found | None]:
        reads = [asyncio.create_task(records.read(f"{number}")) for number in range(5)]
        assert await asyncio.to_thread(store.both.wait, 20)
        store.let_go.set()
        return await asyncio.gather(*reads)

    assert len(asyncio.run(main())) == 5
    assert store.most == 2
