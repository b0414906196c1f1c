"""Logouts in the memory of one process; the browser keeps its binding secret."""

from collections.abc import Callable
from functools import partial

import pytest

from oidc_adapters.stores.pending import (
    MemoryPendingLogins,
    TakenLogout,
)
from oidc_core.endpoints.end_session import LogoutRequest
from oidc_core.model.pending import pending_id_of
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import logout
from oidc_core.wire.errors import CallbackError, StoreFailure
from tests.adapters.stores.pending.started import (
    NOW,
    RP,
    Jar,
    all_taken,
    came_back,
    jar,
    logout_started,
    put,
    refused,
    sent,
    started,
)


@pytest.fixture
def store() -> MemoryPendingLogins:
    return MemoryPendingLogins()


def ended(
    store: MemoryPendingLogins, seed: int = 1, *, now: int = NOW, uri: str = ""
) -> tuple[PendingLogout, Jar]:
    request = LogoutRequest(post_logout_redirect_uri=uri)
    pending, secrets = logout_started(store, seed, request, now=now)
    return pending, jar(*store.put_logout(RP, pending, secrets, (), now))


def taking(
    store: MemoryPendingLogins,
    state: str,
    cookies: Jar,
    *,
    now: int = NOW,
    rp: RelyingParty = RP,
) -> Callable[[], TakenLogout]:
    return partial(store.take_logout, rp, pending_id_of(state), sent(cookies), now)


def test_a_logout_is_over_when_its_time_is(store: MemoryPendingLogins) -> None:
    pending, cookies = ended(store)

    for now in (NOW + 601, NOW - 601):
        late = taking(store, pending.state, cookies, now=now)
        refused(CallbackError, "logout_state_mismatch", late)
    taken = taking(store, pending.state, cookies, now=NOW + 600)()
    refused(
        CallbackError,
        "logout_expired",
        partial(logout.finish, RP, taken.pending, came_back(pending.state), now=NOW + 601),
    )


def test_logouts_have_a_cap_of_their_own() -> None:
    store = MemoryPendingLogins(cap=1)
    put(store, started())
    ended(store, 1)

    refused(StoreFailure, "pending_too_many", partial(ended, store, 2))
    ended(store, 3, now=NOW + 601)
    assert len(store) == 1


def test_a_logout_is_taken_once_among_threads(store: MemoryPendingLogins) -> None:
    logouts = [ended(store, seed) for seed in range(200)]

    def take(pending: PendingLogout, cookies: Jar) -> str:
        return taking(store, pending.state, cookies)().pending.state

    taken = all_taken([partial(take, *each) for each in logouts])

    assert sorted(taken) == sorted(pending.state for pending, _ in logouts)
