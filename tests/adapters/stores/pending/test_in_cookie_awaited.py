"""A login in a cookie, where what is spent is awaited: taken once, and no loop waits for it."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.pending import CookiePendingLogins, MemorySpent, RecordSpent
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.testing import AsyncInMemoryTransport
from oidc_core.wire.errors import CallbackError, OidcError, StoreFailure, UsageError
from tests.adapters.stores.pending.started import (
    NOW,
    RP,
    SECRET,
    finished,
    jar,
    put,
    refused,
    sent,
    started,
)
from tests.adapters.stores.records.plugged import AwaitedRecords, PluggedRecords, failing_at
from tests.flows.rig import honest_provider, new_rig, run_asyncio, run_trio, setup_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from oidc_core.model.pending import SingleUse


class Awaited:
    """A memory of used logins, for code that awaits."""

    def __init__(self) -> None:
        self._spent = MemorySpent()
        self.asked: list[str] = []

    @property
    def single_use(self) -> SingleUse:
        return "shared"

    async def seen_once_async(self, name: str, until: int, now: int) -> Any:
        self.asked.append("awaited")
        return self._spent.seen_once(name, until, now)


class Both(Awaited):
    """The same, for code that waits too."""

    def seen_once(self, name: str, until: int, now: int) -> bool:
        self.asked.append("waited")
        return self._spent.seen_once(name, until, now)


def put_awaited(store: CookiePendingLogins, **named: Any) -> tuple[Any, dict[str, str]]:
    begun = started(store=store, **named)
    (cookie,) = run_asyncio(lambda: store.put_async(RP, begun, (), NOW))
    return begun, jar(cookie)


def taking(store: CookiePendingLogins, pending_id: str, cookies: dict[str, str]) -> Any:
    return run_asyncio(lambda: store.take_async(RP, pending_id, sent(cookies), NOW))


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
@pytest.mark.parametrize("spent", [Awaited, Both, lambda: RecordSpent(AwaitedRecords())])
def test_a_login_is_taken_once(
    spent: Callable[[], Any], run: Callable[[Callable[[], Any]], Any]
) -> None:
    store = CookiePendingLogins(SECRET, spent=spent())

    async def main() -> None:
        begun = started(store=store)
        cookies = await store.put_async(RP, begun, (), NOW)
        brought = sent(jar(*cookies))
        taken = await store.take_async(RP, begun.pending.id, brought, NOW)
        assert (taken.pending, taken.binding) == (begun.pending, begun.binding)
        assert taken.single_use == "shared"
        assert finished(begun, taken)
        with pytest.raises(CallbackError) as again:
            await store.take_async(RP, begun.pending.id, brought, NOW)
        assert again.value.code == "state_used"

    run(main)


def test_each_kind_of_code_has_its_own_call() -> None:
    spent = Both()
    store = CookiePendingLogins(SECRET, spent=spent)
    begun, cookies = put_awaited(store)
    assert taking(store, begun.pending.id, cookies)
    refused(
        CallbackError,
        "state_used",
        lambda: store.take(RP, begun.pending.id, sent(cookies), NOW),
    )
    assert spent.asked == ["awaited", "waited"]


def test_one_that_is_not_awaited_is_called_at_once() -> None:
    store = CookiePendingLogins(SECRET, spent=MemorySpent())
    begun, cookies = put_awaited(store)

    assert taking(store, begun.pending.id, cookies).single_use == "process"
    refused(CallbackError, "state_used", lambda: taking(store, begun.pending.id, cookies))


def test_a_loop_goes_on_while_a_store_is_asked() -> None:
    plugged, reached, leave = PluggedRecords(), threading.Event(), threading.Event()

    def wait(_name: str, _key: str) -> None:
        reached.set()
        assert leave.wait(20)

    store = CookiePendingLogins(SECRET, spent=RecordSpent(plugged))
    begun = started(store=store)
    cookies = sent(put(store, begun))
    plugged.before = wait

    async def main() -> None:
        taking = asyncio.create_task(store.take_async(RP, begun.pending.id, cookies, NOW))
        assert await asyncio.to_thread(reached.wait, 20)
        assert not taking.done()
        leave.set()
        assert (await taking).pending == begun.pending

    run_asyncio(lambda: asyncio.wait_for(main(), 20))


def test_of_many_tasks_one_takes_a_login() -> None:
    store = CookiePendingLogins(SECRET, spent=RecordSpent(PluggedRecords()))
    begun = started(store=store)
    cookies = sent(put(store, begun))

    async def take() -> bool:
        with suppress(CallbackError):
            await store.take_async(RP, begun.pending.id, cookies, NOW)
            return True
        return False

    async def main() -> list[bool]:
        return [*await asyncio.gather(*[take() for _ in range(20)])]

    assert run_asyncio(main).count(True) == 1


# --- failures ------------------------------------------------------------------------------------


class Vague(Awaited):
    """Answers neither yes nor no."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    async def seen_once_async(self, name: str, until: int, now: int) -> Any:
        return self.answer


@pytest.mark.parametrize("answer", [None, 1, 0, "OK", [], object()])
def test_neither_yes_nor_no_lets_nobody_in(answer: object) -> None:
    store = CookiePendingLogins(SECRET, spent=Vague(answer))
    begun, cookies = put_awaited(store)

    error = refused(
        StoreFailure, "store_unavailable", lambda: taking(store, begun.pending.id, cookies)
    )
    assert (error.about, error.found) == ("spent logins", type(answer).__name__)


def test_a_store_that_fails_lets_nobody_in() -> None:
    plugged = PluggedRecords()
    store = CookiePendingLogins(SECRET, spent=RecordSpent(AwaitedRecords(plugged)))
    begun, cookies = put_awaited(store)
    plugged.before = failing_at("create")

    error = refused(
        StoreFailure, "store_unavailable", lambda: taking(store, begun.pending.id, cookies)
    )
    assert error.about == "spent logins"
    assert isinstance(error.__cause__, ConnectionError)


@pytest.mark.parametrize(
    ("spent", "about"),
    [(Awaited, "spent"), (lambda: RecordSpent(AwaitedRecords()), "records")],
)
def test_code_that_waits_is_refused_at_the_start(spent: Callable[[], Any], about: str) -> None:
    store = CookiePendingLogins(SECRET, spent=spent())
    begun, cookies = put_awaited(store)

    for call in (
        partial(store.put, RP, begun, (), NOW),
        partial(store.take, RP, begun.pending.id, sent(cookies), NOW),
    ):
        assert refused(UsageError, "config_invalid", call).about == about
    with pytest.raises(OidcError) as refusal:
        new_rig(pending=store).start()
    assert (refusal.value.code, refusal.value.about) == ("config_invalid", about)


@pytest.mark.parametrize("given", [object(), 5, "spent"])
def test_what_is_neither_is_refused(given: Any) -> None:
    error = refused(UsageError, "config_invalid", lambda: CookiePendingLogins(SECRET, spent=given))
    assert error.about == "spent"


# --- whole logins --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "records", [MemoryRecords, PluggedRecords, AwaitedRecords], ids=lambda each: each.__name__
)
def test_a_client_that_awaits_logs_in_once(records: Callable[[], Any]) -> None:
    provider = honest_provider()
    pending = CookiePendingLogins(SECRET, spent=RecordSpent(records()))

    async def main() -> None:
        client = await AsyncOidcClient.discover(
            setup_for(provider),
            pending,
            transport=AsyncInMemoryTransport(provider),
            clock=FrozenClock(NOW),
            entropy=FixedEntropy(1),
        )
        page = await client.start_login()
        cookie = "; ".join(f"{each.name}={each.value}" for each in page.cookies)
        brought = provider.authorize(page.url, NOW).incoming(cookie)
        assert (await client.finish_login(brought)).logged_in.identity.subject == "alice"
        with pytest.raises(CallbackError) as again:
            await client.finish_login(brought)
        assert again.value.code == "state_used"

    run_asyncio(main)


def test_a_client_that_waits_logs_in_once() -> None:
    rig = new_rig(pending=CookiePendingLogins(SECRET, spent=RecordSpent(PluggedRecords())))
    evidence = rig.log_in().logged_in.evidence.authorization_response

    assert evidence is not None
    assert evidence.notes == ("single_use: shared",)
