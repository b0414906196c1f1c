"""How the end of a session reaches the application, in both kinds of clients."""

from __future__ import annotations

import asyncio
import threading
from types import coroutine
from typing import TYPE_CHECKING, Any

import pytest

from oidc_adapters.clients import end_doors
from oidc_adapters.clients.end_doors import AwaitingEndDoors, WaitingEndDoors
from oidc_adapters.stores.records import at_once
from oidc_core.wire.errors import StoreFailure, UsageError
from tests.adapters.clients.test_session_tokens import KINDS, site
from tests.flows.rig import run_asyncio

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


def doors_of(*, awaits: bool) -> Any:
    life = site(awaits=awaits).client._life
    return AwaitingEndDoors(life) if awaits else WaitingEndDoors(life)


def run(awaits: bool, work: Callable[[], Any]) -> None:
    run_asyncio(work) if awaits else at_once(work())


def public(kind: type) -> list[str]:
    return [name for name in vars(kind) if not name.startswith("_")]


def test_both_have_the_same_members() -> None:
    assert public(WaitingEndDoors) == public(AwaitingEndDoors)


@KINDS
def test_they_know_their_client(awaits: bool) -> None:
    here = site(awaits=awaits)
    life = here.client._life
    doors: Any = AwaitingEndDoors(life) if awaits else WaitingEndDoors(life)
    assert doors.rp is here.client.rp
    assert doors.clock is here.clock


@KINDS
def test_the_application_is_told_the_name_of_a_session(awaits: bool) -> None:
    doors, told = doors_of(awaits=awaits), list[str]()
    run(awaits, lambda: doors.call(told.append, "a-session"))
    assert told == ["a-session"]


def test_a_function_of_the_application_may_be_awaited() -> None:
    doors, told = doors_of(awaits=True), list[str]()

    async def end_session(name: str) -> None:
        await asyncio.sleep(0)
        told.append(name)

    run_asyncio(lambda: doors.call(end_session, "a-session"))
    assert told == ["a-session"]


def test_a_client_that_waits_does_not_leave_a_session_to_a_coroutine() -> None:
    """Nobody would await it, and the session would go on."""

    async def end_session(_name: str) -> None:
        """End a session, if it is awaited."""

    @coroutine
    def end_by_generator(_name: str) -> Generator[None]:
        """End a session, if it is awaited."""
        yield

    doors = doors_of(awaits=False)
    for each in (end_session, end_by_generator):
        with pytest.raises(UsageError) as caught:
            at_once(doors.call(each, "a-session"))
        assert (caught.value.code, caught.value.about) == ("config_invalid", "end_session")


@KINDS
def test_the_work_of_a_logout_is_done_once_and_its_failure_is_told(awaits: bool) -> None:
    doors, done = doors_of(awaits=awaits), list[int]()

    async def work() -> None:
        done.append(1)
        raise StoreFailure("store_unavailable", about="grants")

    with pytest.raises(StoreFailure) as caught:
        run(awaits, lambda: doors.together("a-logout", work))
    assert (caught.value.code, caught.value.about) == ("store_unavailable", "grants")
    assert done == [1]


def test_who_waits_for_the_same_logout_in_another_thread_is_told_to_repeat_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(end_doors, "PATIENCE", 0.05)
    doors = doors_of(awaits=False)
    began, may_end = threading.Event(), threading.Event()

    async def slow() -> None:
        began.set()
        may_end.wait(10)

    async def other() -> None:
        raise AssertionError

    thread = threading.Thread(target=lambda: at_once(doors.together("a-logout", slow)))
    thread.start()
    try:
        assert began.wait(10)
        with pytest.raises(StoreFailure) as caught:
            at_once(doors.together("a-logout", other))
    finally:
        may_end.set()
        thread.join(10)
    assert caught.value.code == "store_unavailable"


def test_the_work_of_a_logout_goes_on_after_its_provider_was_told_to_repeat_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(end_doors, "PATIENCE", 0.05)
    doors, done = doors_of(awaits=True), list[int]()

    async def main() -> None:
        may_end = asyncio.Event()

        async def slow() -> None:
            await may_end.wait()
            done.append(1)

        with pytest.raises(StoreFailure) as caught:
            await doors.together("a-logout", slow)
        assert caught.value.code == "store_unavailable"
        may_end.set()
        for _ in range(5):
            await asyncio.sleep(0)

    run_asyncio(main)
    assert done == [1]
