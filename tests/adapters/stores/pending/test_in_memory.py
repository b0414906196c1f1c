"""Logins in the memory of one process; the browser keeps its binding secret."""

from functools import partial
from typing import Final

import pytest
from attrs import evolve

from oidc_adapters.stores.pending import (
    MemoryPendingLogins,
)
from oidc_core.machine.steps import Exchange
from oidc_core.model.policy import Policy
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import CallbackError, StoreFailure
from tests.adapters.stores.pending.started import (
    NOW,
    RP,
    Jar,
    all_taken,
    finished,
    jar,
    put,
    refused,
    sent,
    started,
)

SHORT: Final = evolve(RP, policy=Policy(login_lifetime=60))
LONG: Final = evolve(RP, policy=Policy(login_lifetime=86_400))


@pytest.fixture
def store() -> MemoryPendingLogins:
    return MemoryPendingLogins()


def code(
    store: MemoryPendingLogins,
    pending_id: str,
    cookies: Jar,
    *,
    now: int = NOW,
    rp: RelyingParty = RP,
) -> str:
    with pytest.raises(CallbackError) as caught:
        store.take(rp, pending_id, sent(cookies), now)
    return caught.value.code


# --- logins --------------------------------------------------------------------------------------


def test_a_login_is_put_and_taken_once(store: MemoryPendingLogins) -> None:
    begun = started(store=store)
    cookies = put(store, begun)
    assert len(store) == 1

    taken = store.take(RP, begun.pending.id, sent(cookies), NOW)

    assert (taken.pending, taken.binding) == (begun.pending, begun.binding)
    assert taken.single_use == "process"
    assert [cookie.max_age for cookie in taken.cookies] == [0]
    assert len(store) == 0
    assert isinstance(finished(begun, taken), Exchange)
    assert code(store, begun.pending.id, cookies) == "state_unknown"


# --- time and room -------------------------------------------------------------------------------


def test_a_login_is_over_when_its_time_is(store: MemoryPendingLogins) -> None:
    first, second = started(1), started(2)
    cookies = put(store, second, put(store, first))

    assert store.take(RP, first.pending.id, sent(cookies), NOW + 600).pending == first.pending
    assert code(store, second.pending.id, cookies, now=NOW + 601) == "state_unknown"


def test_at_the_cap_new_logins_are_refused_and_none_is_dropped() -> None:
    store = MemoryPendingLogins(cap=3)
    logins = [started(seed, now=NOW + seed) for seed in range(3)]
    cookies = jar(*[cookie for begun in logins for cookie in store.put(RP, begun, (), NOW)])

    for seed in range(3, 50):
        error = refused(
            StoreFailure, "pending_too_many", partial(store.put, RP, started(seed), (), NOW)
        )
        assert (error.found, error.retryable) == (3, "later")

    for begun in (logins[1], logins[0]):
        assert store.take(RP, begun.pending.id, sent(cookies), NOW).pending == begun.pending
        store.put(RP, started(50 + len(store)), (), NOW)


def test_what_is_over_makes_room() -> None:
    store = MemoryPendingLogins(cap=2)
    for seed, now in enumerate((NOW, NOW + 30, NOW + 61)):
        store.put(SHORT, started(seed, now=now), (), now)

    assert len(store) == 2


def test_a_login_of_a_longer_lifetime_keeps_no_room_from_others() -> None:
    """Clients of one store may have different policies."""
    store = MemoryPendingLogins(cap=3)
    first = started(100)
    cookies = jar(*store.put(LONG, first, (), NOW))
    for number in range(20):
        now = NOW + 61 * number
        store.put(SHORT, started(2 * number, now=now), (), now)
        store.put(SHORT, started(2 * number + 1, now=now), (), now)

    assert len(store) == 3
    taken = store.take(LONG, first.pending.id, sent(cookies), NOW + 86_400)
    assert taken.pending == first.pending


def test_a_login_of_the_future_keeps_no_room_from_others() -> None:
    store = MemoryPendingLogins(cap=2)
    store.put(SHORT, started(1, now=NOW + 86_400), (), NOW + 86_400)

    for seed in range(2, 5):
        now = NOW + 61 * seed
        store.put(SHORT, started(seed, now=now), (), now)

    assert len(store) == 1


def test_taking_is_atomic_among_threads(store: MemoryPendingLogins) -> None:
    logins = [started(seed) for seed in range(500)]
    cookies = [sent(put(store, begun)) for begun in logins]

    def take(number: int) -> str:
        return store.take(RP, logins[number].pending.id, cookies[number], NOW).pending.state

    taken = all_taken([partial(take, number) for number in range(500)])

    assert sorted(taken) == sorted(begun.pending.state for begun in logins)
    assert len(store) == 0


# --- the store itself ----------------------------------------------------------------------------
