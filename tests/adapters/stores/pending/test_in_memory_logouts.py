"""Logouts in the memory of one process; the browser keeps its binding secret."""

from collections.abc import Callable
from functools import partial

import pytest

from oidc_adapters.stores.pending import (
    MemoryPendingLogins,
    TakenLogout,
)
from oidc_adapters.stores.pending.cookies import BUDGET
from oidc_core.endpoints.end_session import LogoutRequest
from oidc_core.machine.steps import Done
from oidc_core.model.pending import pending_id_of
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import logout
from oidc_core.wire.errors import CallbackError, StoreFailure
from tests.adapters.stores.pending.started import (
    NOW,
    OTHER_CLIENT,
    RP,
    Jar,
    all_taken,
    came_back,
    jar,
    logout_started,
    put,
    received,
    refused,
    sent,
    size,
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


@pytest.mark.parametrize("uri", RP.client.post_logout_redirect_uris)
def test_a_logout_is_put_and_taken_once(store: MemoryPendingLogins, uri: str) -> None:
    pending, cookies = ended(store, uri=uri)
    ((name, value),) = cookies.items()
    assert name == "__Host-oidc-out-" + pending_id_of(pending.state)[:8]
    assert pending.state not in value

    taken = taking(store, pending.state, cookies)()

    assert taken.pending == pending
    assert received(cookies, taken.cookies) == {}
    step = logout.finish(RP, taken.pending, came_back(pending.state), now=NOW)
    assert isinstance(step, Done)
    assert step.result.post_logout_redirect_uri == uri
    refused(CallbackError, "logout_state_mismatch", taking(store, pending.state, cookies))


def test_a_logout_is_its_browsers_and_its_clients(store: MemoryPendingLogins) -> None:
    pending, cookies = ended(store, 1)
    other, others = ended(store, 2)
    (name,), (foreign,) = cookies, others.values()
    wrong: tuple[Jar, ...] = ({}, others, {name: ""}, {name: foreign}, {name: "x"}, {name: "."})
    for brought in wrong:
        refused(CallbackError, "logout_state_mismatch", taking(store, pending.state, brought))
    for state in ("", "x", other.state):
        refused(CallbackError, "logout_state_mismatch", taking(store, state, cookies))
    twice = (*sent(cookies), *sent(cookies), *sent(others))
    take = partial(store.take_logout, RP, pending_id_of(pending.state), twice, NOW)
    refused(CallbackError, "binding_duplicated", take)
    mismatch = taking(store, pending.state, cookies, rp=OTHER_CLIENT)
    assert refused(CallbackError, "connection_mismatch", mismatch).about == "client"

    assert store.take_logout(RP, pending_id_of(other.state), twice, NOW).pending == other
    assert taking(store, pending.state, cookies)().pending == pending


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


def test_logouts_stay_within_the_browsers_budget(store: MemoryPendingLogins) -> None:
    cookies: Jar = {}
    for seed in range(90):
        pending, secrets = logout_started(store, seed, now=NOW + seed)
        cookies = received(
            cookies, store.put_logout(RP, pending, secrets, sent(cookies), NOW + seed)
        )
        assert size(cookies) <= BUDGET
    assert len(cookies) < 90


def test_a_logout_is_taken_once_among_threads(store: MemoryPendingLogins) -> None:
    logouts = [ended(store, seed) for seed in range(200)]

    def take(pending: PendingLogout, cookies: Jar) -> str:
        return taking(store, pending.state, cookies)().pending.state

    taken = all_taken([partial(take, *each) for each in logouts])

    assert sorted(taken) == sorted(pending.state for pending, _ in logouts)
