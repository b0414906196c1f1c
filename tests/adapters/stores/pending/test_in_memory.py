"""Logins in the memory of one process; the browser keeps its binding secret."""

import pickle
from functools import partial
from itertools import permutations
from typing import Final

import pytest
from attrs import evolve

from oidc_adapters.stores.pending import (
    CookieProfile,
    LogoutSecrets,
    MemoryPendingLogins,
)
from oidc_adapters.stores.pending.cookies import BUDGET
from oidc_adapters.stores.pending.in_memory import RETURN_TO
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.machine.steps import Exchange
from oidc_core.model.policy import Policy
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import CallbackError, ProtocolViolation, StoreFailure
from tests.adapters.stores.pending.started import (
    ISSUER,
    NOW,
    OTHER_CLIENT,
    RP,
    Jar,
    all_taken,
    finished,
    jar,
    put,
    refused,
    sent,
    size,
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


def test_a_cookie_holds_the_binding_and_nothing_else(store: MemoryPendingLogins) -> None:
    begun = started(store=store)

    (cookie,) = store.put(RP, begun, (), NOW)

    name = f"__Host-oidc-{begun.pending.id[:8]}"
    assert cookie == (name, f"{NOW}.{begun.binding}", 600, "Lax", True)


def test_a_form_post_needs_a_cookie_that_crosses_sites(store: MemoryPendingLogins) -> None:
    begun = started(store=store, request=AuthenticationRequest(response_mode="form_post"))

    assert store.put(RP, begun, (), NOW)[0].same_site == "None"


def test_another_browser_is_refused_and_ends_nobodys_login(store: MemoryPendingLogins) -> None:
    begun, another = started(1), started(2)
    own, others = put(store, begun), put(store, another)
    ((name, value),) = own.items()

    assert code(store, begun.pending.id, {}) == "binding_missing"
    assert code(store, begun.pending.id, others) == "binding_missing"
    for changed in ("", ".", f"{NOW}.", begun.binding):
        assert code(store, begun.pending.id, {name: changed}) == "binding_missing"
    for changed in (f"{NOW}.{another.binding}", value + "x", value[:-1], "..", f"{NOW}. ", ".é"):
        assert code(store, begun.pending.id, {name: changed}) == "binding_mismatch"
    refused(
        CallbackError,
        "binding_duplicated",
        partial(store.take, RP, begun.pending.id, (*sent(own), *sent(own)), NOW),
    )
    assert len(store) == 2
    assert store.take(RP, begun.pending.id, sent(own), NOW).pending == begun.pending


def test_a_doubled_cookie_of_another_login_does_not_disturb(store: MemoryPendingLogins) -> None:
    begun, another = started(1), started(2)
    own, others = sent(put(store, begun)), sent(put(store, another))
    foreign = (("__Host-oidc-x", "1"), ("__Host-oidc-x", "2"))

    taken = store.take(RP, begun.pending.id, (*others, *own, *others, *foreign), NOW)

    assert taken.pending == begun.pending


def test_an_unknown_login_is_refused(store: MemoryPendingLogins) -> None:
    assert code(store, "unknown", {"__Host-oidc-unknown": "x"}) == "state_unknown"
    assert not store.belongs(RP, "unknown", ())


def test_a_login_of_another_client_is_refused_and_can_still_be_taken(
    store: MemoryPendingLogins,
) -> None:
    begun = started()
    cookies = put(store, begun)
    for _ in range(2):
        assert not store.belongs(OTHER_CLIENT, begun.pending.id, sent(cookies))
        assert code(store, begun.pending.id, cookies, rp=OTHER_CLIENT) == "connection_mismatch"
        assert store.belongs(RP, begun.pending.id, sent(cookies))

    assert store.take(RP, begun.pending.id, sent(cookies), NOW).pending == begun.pending


def test_what_changed_meanwhile_is_told_by_the_core(store: MemoryPendingLogins) -> None:
    moved = evolve(RP, provider=evolve(RP.provider, token_endpoint=f"{ISSUER}/moved"))
    begun, another = started(1), started(2)
    cookies = put(store, another, put(store, begun))
    taken = store.take(moved, begun.pending.id, sent(cookies), NOW)
    refused(ProtocolViolation, "metadata_changed", partial(finished, begun, taken, rp=moved))
    taken = store.take(SHORT, another.pending.id, sent(cookies), NOW)
    refused(CallbackError, "policy_changed", partial(finished, another, taken, rp=SHORT))


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_three_logins_in_a_browser_finish_in_any_order(
    store: MemoryPendingLogins, order: tuple[int, ...]
) -> None:
    logins = [started(seed) for seed in range(3)]
    cookies: Jar = {}
    for begun in logins:
        cookies = put(store, begun, cookies)

    for number in order:
        begun = logins[number]
        assert store.take(RP, begun.pending.id, sent(cookies), NOW).pending == begun.pending


@pytest.mark.parametrize("character", ["a", "é", "🛒"])
def test_a_return_to_of_1024_characters_is_kept_and_no_longer_one(
    store: MemoryPendingLogins, character: str
) -> None:
    for length, kept in ((RETURN_TO, True), (RETURN_TO + 1, False), (100_000, False)):
        return_to = "/".ljust(length, character)
        begun = started(request=AuthenticationRequest(return_to=return_to))
        taken = store.take(RP, begun.pending.id, sent(put(store, begun)), NOW)
        assert taken.pending == evolve(begun.pending, return_to=return_to if kept else "")


def test_the_cookies_of_a_browser_stay_within_its_budget(store: MemoryPendingLogins) -> None:
    cookies: Jar = {"session": "the application's own", "__Host-oidc-x": 500 * "x"}
    foreign = dict(cookies)
    begun = started(90)
    for seed in range(90):
        begun = started(seed, now=NOW + seed)
        cookies = put(store, begun, cookies)
        mine = {name: value for name, value in cookies.items() if store.profile.owns(name)}
        assert size(mine) <= BUDGET

    assert {name: cookies[name] for name in foreign} == foreign
    each = len(f"__Host-oidc-12345678={NOW}.{begun.binding}; ")
    assert len(cookies) - len(foreign) == BUDGET // each < 90
    assert store.take(RP, begun.pending.id, sent(cookies), NOW + 90).pending == begun.pending
    assert code(store, started(0).pending.id, cookies, now=NOW + 90) == "binding_missing"


@pytest.mark.parametrize(
    "odd", ["", "x", "-1", "+5", " 7", "1e9", "\u0663", "²", "1" * 11, "1" * 2_990]
)
def test_whatever_has_no_date_goes_first(store: MemoryPendingLogins, odd: str) -> None:
    cookies: Jar = {"__Host-oidc-undated0": f"{odd}.".ljust(3_000, "x")}
    for seed in range(13):
        cookies = put(store, started(seed, now=NOW + seed), cookies)
    assert "__Host-oidc-undated0" not in cookies
    assert len(cookies) == 13


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


def test_the_profile_is_the_cookies() -> None:
    profile = CookieProfile.insecure_for_loopback_development()
    store = MemoryPendingLogins(profile=profile)
    begun = started()

    (cookie,) = store.put(RP, begun, (), NOW)

    assert store.profile is profile
    assert cookie.name == f"oidc-{begun.pending.id[:8]}"
    assert store.take(RP, begun.pending.id, sent(jar(cookie)), NOW).binding == begun.binding


def test_nothing_secret_shows_nor_is_pickled(store: MemoryPendingLogins) -> None:
    begun = started()
    secrets = LogoutSecrets("canary-state", "canary-binding")
    cookies = put(store, begun)

    assert "canary" not in f"{secrets!r} {secrets}"
    assert begun.binding not in f"{store!r} {store.put(RP, started(2), sent(cookies), NOW)!r}"
    with pytest.raises(TypeError):
        pickle.dumps(store)
