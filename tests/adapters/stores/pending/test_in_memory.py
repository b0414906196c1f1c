import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import permutations

import pytest

from oidc_adapters.stores.pending import CookieProfile, MemoryPendingLogins
from oidc_adapters.stores.pending.cookies import MAX_PER_BROWSER
from oidc_core.wire.errors import CallbackError, OidcError, StoreFailure
from tests.adapters.stores.pending.started import jar, started
from tests.flows.rig import NOW


@pytest.fixture
def store() -> MemoryPendingLogins:
    return MemoryPendingLogins()


def refusal(
    store: MemoryPendingLogins, pending_id: str, cookies: dict[str, str], now: int = NOW
) -> str:
    with pytest.raises(OidcError) as caught:
        store.take(pending_id, cookies, now)
    assert isinstance(caught.value, CallbackError)
    return caught.value.code


def test_a_login_is_put_and_taken_once(store: MemoryPendingLogins) -> None:
    login = started()
    cookies = jar(*store.put(login, {}, NOW))
    assert len(store) == 1

    taken = store.take(login.pending.id, cookies, NOW)

    assert (taken.pending, taken.binding) == (login.pending, login.binding)
    assert taken.single_use == "process"
    assert [cookie.max_age for cookie in taken.cookies] == [0]
    assert len(store) == 0
    assert refusal(store, login.pending.id, cookies) == "state_unknown"


def test_a_cookie_holds_the_binding_and_nothing_else(store: MemoryPendingLogins) -> None:
    login = started()

    (cookie,) = store.put(login, {}, NOW)

    assert cookie.value == f"{NOW}.{login.binding}"
    assert cookie.name == f"__Host-oidc-{login.pending.id}"
    assert cookie.max_age == 600


def test_another_browser_is_refused_and_ends_nobodys_login(store: MemoryPendingLogins) -> None:
    login, another = started(1), started(2)
    own = jar(*store.put(login, {}, NOW))
    others = jar(*store.put(another, {}, NOW))
    name = f"__Host-oidc-{login.pending.id}"

    assert refusal(store, login.pending.id, {}) == "binding_missing"
    assert refusal(store, login.pending.id, others) == "binding_missing"
    for value in ("", ".", f"{NOW}.", login.binding):
        assert refusal(store, login.pending.id, {name: value}) == "binding_missing"
    for value in (f"{NOW}.{another.binding}", f"{NOW}.{login.binding}x", "..", f"{NOW}. "):
        assert refusal(store, login.pending.id, {name: value}) == "binding_mismatch"
    assert len(store) == 2
    assert store.take(login.pending.id, own, NOW).pending == login.pending


def test_an_unknown_login_is_refused(store: MemoryPendingLogins) -> None:
    assert refusal(store, "unknown", {"__Host-oidc-unknown": "x"}) == "state_unknown"


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_three_logins_in_a_browser_finish_in_any_order(
    store: MemoryPendingLogins, order: tuple[int, ...]
) -> None:
    logins = [started(seed) for seed in range(3)]
    cookies: dict[str, str] = {}
    for login in logins:
        cookies |= jar(*store.put(login, cookies, NOW))

    for number in order:
        assert store.take(logins[number].pending.id, cookies, NOW).pending == logins[number].pending


def test_a_browser_has_a_handful_of_logins_at_most(store: MemoryPendingLogins) -> None:
    cookies: dict[str, str] = {}
    login = started(60)
    for seed in range(60):
        login = started(seed, now=NOW + seed)
        for cookie in store.put(login, cookies, NOW + seed):
            cookies.pop(cookie.name, None)
            if cookie.max_age:
                cookies[cookie.name] = cookie.value
        assert len(cookies) <= MAX_PER_BROWSER

    assert len(cookies) == MAX_PER_BROWSER
    assert store.take(login.pending.id, cookies, NOW + 60).pending == login.pending


def test_a_login_is_over_when_its_time_is(store: MemoryPendingLogins) -> None:
    first, second = started(1), started(2)
    cookies = jar(*store.put(first, {}, NOW), *store.put(second, {}, NOW))

    assert store.take(first.pending.id, cookies, NOW + 600).pending == first.pending
    assert refusal(store, second.pending.id, cookies, NOW + 601) == "state_unknown"
    assert len(store) == 0


def test_at_the_cap_new_logins_are_refused_and_none_is_dropped() -> None:
    store = MemoryPendingLogins(cap=3)
    logins = [started(seed, now=NOW + seed) for seed in range(3)]
    cookies = jar(*[cookie for login in logins for cookie in store.put(login, {}, NOW)])

    for seed in range(3, 50):
        with pytest.raises(StoreFailure) as caught:
            store.put(started(seed), {}, NOW)
        assert (caught.value.code, caught.value.found) == ("pending_too_many", 3)
        assert caught.value.retryable == "later"

    assert store.take(logins[1].pending.id, cookies, NOW).pending == logins[1].pending
    store.put(started(50), {}, NOW)
    assert store.take(logins[0].pending.id, cookies, NOW).pending == logins[0].pending


def test_what_is_over_makes_room() -> None:
    store = MemoryPendingLogins(cap=2, lifetime=60)
    store.put(started(1), {}, NOW)
    store.put(started(2, now=NOW + 30), {}, NOW + 30)

    store.put(started(3, now=NOW + 61), {}, NOW + 61)

    assert len(store) == 2


def test_a_login_of_the_future_keeps_no_room_from_others() -> None:
    store = MemoryPendingLogins(cap=2, lifetime=60)
    store.put(started(1, now=NOW + 86_400), {}, NOW + 86_400)

    for seed in range(2, 5):
        now = NOW + 61 * seed
        store.put(started(seed, now=now), {}, now)

    assert len(store) == 1


def test_taking_is_atomic_among_threads(store: MemoryPendingLogins) -> None:
    logins = [started(seed) for seed in range(2_000)]
    cookies = [jar(*store.put(login, {}, NOW)) for login in logins]
    barrier = threading.Barrier(8)

    def take_all() -> list[str]:
        barrier.wait(30)
        taken: list[str] = []
        for login, own in zip(logins, cookies, strict=True):
            with suppress(CallbackError):
                taken.append(store.take(login.pending.id, own, NOW).pending.state)
        return taken

    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(take_all) for _ in range(8)]
        taken = [state for future in futures for state in future.result(60)]

    assert sorted(taken) == sorted(login.pending.state for login in logins)
    assert len(store) == 0


def test_the_profile_is_the_cookies() -> None:
    profile = CookieProfile.insecure_for_loopback_development()
    store = MemoryPendingLogins(profile=profile)
    login = started()

    (cookie,) = store.put(login, {}, NOW)

    assert store.profile is profile
    assert cookie.name == f"oidc-{login.pending.id}"
    assert store.take(login.pending.id, jar(cookie), NOW).binding == login.binding
