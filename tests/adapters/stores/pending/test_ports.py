import pytest

from oidc_adapters.stores.pending import (
    CookiePendingLogins,
    CookieProfile,
    MemoryPendingLogins,
    MemorySpent,
    PendingLogins,
    Spent,
    Taken,
)
from tests.adapters.stores.pending.started import SECRET, jar, started
from tests.flows.rig import NOW

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


def test_what_was_taken_shows_no_secret() -> None:
    login = started()
    taken = Taken(pending=login.pending, binding="canary", cookies=(), single_use="provider_only")

    shown = f"{taken!r} {taken}"
    assert "canary" not in shown
    for secret in (login.pending.state, login.pending.nonce, login.pending.code_verifier):
        assert secret not in shown
