from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from oidc_adapters.stores.pending import (
    CookiePendingLogins,
    CookieProfile,
    MemoryPendingLogins,
    MemorySpent,
    PendingLogins,
    SetCookie,
    Spent,
    Taken,
)
from oidc_core.wire.errors import CallbackError
from tests.adapters.stores.pending.started import SECRET, jar, started
from tests.flows.rig import NOW, run_asyncio, run_trio

Run = Callable[[Callable[[], Awaitable[Any]]], Any]

STORES: tuple[PendingLogins, ...] = (CookiePendingLogins(SECRET), MemoryPendingLogins())
SPENT: Spent = MemorySpent()


@pytest.mark.parametrize("store", STORES, ids=lambda store: type(store).__name__)
def test_every_store_keeps_the_ports_promises(store: PendingLogins) -> None:
    login = started(7)
    cookies = store.put(login, {}, NOW)

    taken = store.take(login.pending.id, jar(*cookies), NOW)

    assert isinstance(store.profile, CookieProfile)
    assert isinstance(taken, Taken)
    assert taken.pending == login.pending
    assert [cookie.name for cookie in taken.cookies] == [cookies[0].name]
    assert taken.single_use == SPENT.single_use == "process"


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
@pytest.mark.parametrize(
    ("new", "again"),
    [(lambda: CookiePendingLogins(SECRET), "state_used"), (MemoryPendingLogins, "state_unknown")],
    ids=["cookie", "memory"],
)
def test_a_store_is_the_same_where_one_awaits(
    new: Callable[[], PendingLogins], again: str, run: Run
) -> None:
    store, login, other = new(), started(8), started(9)

    async def main() -> tuple[tuple[SetCookie, ...], Taken]:
        cookies = await store.put_async(login, {}, NOW)
        return cookies, await store.take_async(login.pending.id, jar(*cookies), NOW)

    cookies, taken = run(main)

    assert [cookie.name for cookie in cookies] == [store.profile.prefix + login.pending.id]
    assert (taken.pending, taken.binding) == (login.pending, login.binding)
    with pytest.raises(CallbackError) as caught:
        run(lambda: store.take_async(login.pending.id, jar(*cookies), NOW))
    assert caught.value.code == again

    put = store.put(other, {}, NOW)
    awaited = run(lambda: store.take_async(other.pending.id, jar(*put), NOW))
    assert awaited.pending == other.pending


def test_what_was_taken_shows_no_secret() -> None:
    login = started()
    taken = Taken(pending=login.pending, binding="canary", cookies=(), single_use="provider_only")

    shown = f"{taken!r} {taken}"
    assert "canary" not in shown
    pending = login.pending
    for secret in (pending.state, str(pending.demands.nonce), pending.code_verifier):
        assert secret not in shown
