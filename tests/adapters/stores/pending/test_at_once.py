"""A store in which nothing waits is the same where one awaits."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from oidc_adapters.stores.pending import (
    CookiePendingLogins,
    MemoryPendingLogins,
    PendingLogins,
    Taken,
    TakenLogout,
)
from oidc_adapters.stores.pending.at_once import AtOnce
from oidc_core.model.pending import pending_id_of
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.errors import CallbackError
from tests.adapters.stores.pending.started import (
    NOW,
    OTHER_CLIENT,
    RP,
    SECRET,
    jar,
    logout_started,
    refused,
    sent,
    started,
)
from tests.flows.rig import run_asyncio, run_trio

Run = Callable[[Callable[[], Awaitable[Any]]], Any]

STORES: Final[dict[str, Callable[[], AtOnce]]] = {
    "cookie": lambda: CookiePendingLogins(SECRET),
    "memory": MemoryPendingLogins,
}
EACH: Final = pytest.mark.parametrize("kind", STORES)
RUNS: Final = pytest.mark.parametrize("run", [run_asyncio, run_trio])


@RUNS
@EACH
def test_a_login_is_put_found_and_taken_once(kind: str, run: Run) -> None:
    store: PendingLogins = STORES[kind]()
    begun = started(store=store)
    pending_id = begun.pending.id

    async def main() -> tuple[tuple[SetCookie, ...], bool, bool, Taken]:
        new = await store.put_async(RP, begun, (), NOW)
        cookies = sent(jar(*new))
        here = await store.belongs_async(RP, pending_id, cookies)
        there = await store.belongs_async(OTHER_CLIENT, pending_id, cookies)
        return new, here, there, await store.take_async(RP, pending_id, cookies, NOW)

    new, here, there, taken = run(main)

    assert [cookie.name for cookie in new] == [store.profile.login_name(pending_id)]
    assert (here, there) == (True, False)
    assert (taken.pending, taken.binding) == (begun.pending, begun.binding)
    cookies = sent(jar(*new))
    with pytest.raises(CallbackError) as caught:
        run(lambda: store.take_async(RP, pending_id, cookies, NOW))
    again = refused(
        CallbackError, caught.value.code, lambda: store.take(RP, pending_id, cookies, NOW)
    )
    assert again.code == {"cookie": "state_used", "memory": "state_unknown"}[kind]


@RUNS
@EACH
def test_a_logout_is_put_and_taken(kind: str, run: Run) -> None:
    store: PendingLogins = STORES[kind]()
    pending, secrets = logout_started(store)
    pending_id = pending_id_of(pending.state)

    async def main() -> TakenLogout:
        new = await store.put_logout_async(RP, pending, secrets, (), NOW)
        return await store.take_logout_async(RP, pending_id, sent(jar(*new)), NOW)

    assert run(main).pending == pending
    with pytest.raises(CallbackError) as caught:
        run(lambda: store.take_logout_async(RP, pending_id, (), NOW))
    assert caught.value.code == "logout_state_mismatch"


@RUNS
@EACH
def test_what_was_put_without_waiting_can_be_awaited_and_the_reverse(kind: str, run: Run) -> None:
    store: PendingLogins = STORES[kind]()
    first, second = started(1, store=store), started(2, store=store)
    put = sent(jar(*store.put(RP, first, (), NOW)))
    awaited = sent(jar(*run(lambda: store.put_async(RP, second, put, NOW))))

    assert run(lambda: store.take_async(RP, first.pending.id, put, NOW)).pending == first.pending
    assert store.take(RP, second.pending.id, awaited, NOW).pending == second.pending


@EACH
def test_the_stores_answer_at_once(kind: str) -> None:
    """Their coroutines end at the first step, so that no loop is needed."""
    store = STORES[kind]()
    begun = started(store=store)
    coroutine = store.put_async(RP, begun, (), NOW)

    with pytest.raises(StopIteration) as caught:
        coroutine.send(None)
    assert caught.value.value[0].name == store.profile.login_name(begun.pending.id)
