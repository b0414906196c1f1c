import pickle
from itertools import permutations

import pytest
from attrs import evolve

from oidc_adapters.stores.pending import CookiePendingLogins, CookieProfile, MemorySpent, SetCookie
from oidc_adapters.stores.pending.cookies import MAX_PER_BROWSER
from oidc_adapters.stores.pending.in_cookie import MAX_COOKIE
from oidc_adapters.stores.sealed_box import SealedBox
from oidc_core.codec import dump_pending_login
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.pending import SingleUse
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.errors import CallbackError, OidcError, StoreFailure, UsageError
from tests.adapters.stores.pending.started import SECRET, jar, size, started
from tests.flows.rig import NOW


@pytest.fixture
def store() -> CookiePendingLogins:
    return CookiePendingLogins(SECRET)


def refusal(store: CookiePendingLogins, pending_id: str, cookies: dict[str, str]) -> OidcError:
    with pytest.raises(OidcError) as caught:
        store.take(pending_id, cookies, NOW)
    return caught.value


def test_a_login_is_put_and_taken_once(store: CookiePendingLogins) -> None:
    login = started()
    cookies = jar(*store.put(login, {}, NOW))

    taken = store.take(login.pending.id, cookies, NOW)

    assert (taken.pending, taken.binding) == (login.pending, login.binding)
    assert taken.single_use == "process"
    assert jar(*store.put(login, {}, NOW), *taken.cookies) == {}
    again = refusal(store, login.pending.id, cookies)
    assert isinstance(again, CallbackError)
    assert again.code == "state_used"


def test_it_is_taken_once_as_long_as_it_could_be_finished() -> None:
    """Both clocks go on: the one that can be set, and the one that cannot."""
    passed = [0.0]
    store = CookiePendingLogins(SECRET, spent=MemorySpent(elapsed=lambda: passed[0]))
    login = started()
    cookies = jar(*store.put(login, {}, NOW))
    store.take(login.pending.id, cookies, NOW)

    passed[0] = 1_200.0
    with pytest.raises(CallbackError) as caught:
        store.take(login.pending.id, cookies, NOW + 1_200)
    assert caught.value.code == "state_used"


def test_it_is_taken_once_though_the_clock_goes_wrong_meanwhile(store: CookiePendingLogins) -> None:
    login, another = started(1), started(2, now=NOW + 3_600)
    cookies = jar(*store.put(login, {}, NOW))
    others = jar(*store.put(another, {}, NOW + 3_600))
    store.take(login.pending.id, cookies, NOW)
    store.take(another.pending.id, others, NOW + 3_600)

    assert refusal(store, login.pending.id, cookies).code == "state_used"


def test_what_would_be_remembered_no_longer_is_refused(store: CookiePendingLogins) -> None:
    login = started()
    cookies = jar(*store.put(login, {}, NOW))

    for _ in range(2):
        with pytest.raises(CallbackError) as caught:
            store.take(login.pending.id, cookies, NOW + 1_201)
        assert (caught.value.code, caught.value.found) == ("state_expired", 1_201)


def test_a_cookie_is_typically_under_a_kibibyte(store: CookiePendingLogins) -> None:
    request = AuthenticationRequest(
        scope="openid profile email offline_access", return_to="/orders/2024?page=3"
    )

    (cookie,) = store.put(started(request=request), {}, NOW)

    assert len(f"{cookie.name}={cookie.value}") <= 1_024
    assert cookie.max_age == 600


def test_a_cookie_shows_nothing_of_its_login_but_its_age(store: CookiePendingLogins) -> None:
    login = started()
    (cookie,) = store.put(login, {}, NOW)
    pending = login.pending

    for secret in (pending.state, pending.demands.nonce, pending.code_verifier):
        assert str(secret) not in cookie.value
    assert pending.state not in cookie.name


@pytest.mark.parametrize("characters", [3_800, 100_000])
def test_a_login_that_is_too_large_is_refused_when_it_starts(
    store: CookiePendingLogins, characters: int
) -> None:
    login = started(request=AuthenticationRequest(return_to=characters * "x"))

    with pytest.raises(UsageError) as caught:
        store.put(login, {}, NOW)

    assert caught.value.code == "pending_too_large"
    assert caught.value.expected == MAX_COOKIE


def test_the_largest_login_fits(store: CookiePendingLogins) -> None:
    largest = 0
    for characters in range(2_000, 3_000):
        request = AuthenticationRequest(return_to=characters * "x")
        try:
            cookies = jar(*store.put(started(request=request), {}, NOW))
        except UsageError:
            break
        largest = size(cookies)

    assert MAX_COOKIE - 5 < largest <= MAX_COOKIE + 1


def test_a_browser_without_the_cookie_is_refused(store: CookiePendingLogins) -> None:
    login, another = started(1), started(2)
    store.put(login, {}, NOW)
    others = jar(*store.put(another, {}, NOW))

    for cookies in ({}, others):
        error = refusal(store, login.pending.id, cookies)
        assert isinstance(error, CallbackError)
        assert (error.code, error.about) == ("binding_missing", "cookie")


def test_another_logins_cookie_does_not_do(store: CookiePendingLogins) -> None:
    login, another = started(1), started(2)
    (foreign,) = store.put(another, {}, NOW)
    own = store.profile.prefix + login.pending.id

    error = refusal(store, login.pending.id, {own: foreign.value})

    assert isinstance(error, StoreFailure)
    assert error.code == "seal_invalid"


def test_a_changed_cookie_is_refused(store: CookiePendingLogins) -> None:
    login = started()
    ((name, value),) = jar(*store.put(login, {}, NOW)).items()
    created_at, binding, sealed = value.split(".")
    for changed in (
        "",
        ".",
        "..",
        "x",
        value + "x",
        f"{created_at}.{binding}.",
        sealed,
        value[1:-1],
    ):
        assert refusal(store, login.pending.id, {name: changed}).code == "seal_invalid"


def test_the_binding_comes_out_as_the_browser_brought_it(store: CookiePendingLogins) -> None:
    """The core compares it with the digest that is sealed."""
    login = started()
    ((name, value),) = jar(*store.put(login, {}, NOW)).items()
    created_at, _, sealed = value.split(".")

    taken = store.take(login.pending.id, {name: f"{created_at}.other.{sealed}"}, NOW)

    assert taken.binding == "other"
    assert taken.pending == login.pending


def test_what_is_sealed_must_be_a_login(store: CookiePendingLogins) -> None:
    login = started()
    label = f"pending {login.pending.id}"
    name = store.profile.prefix + login.pending.id
    box = SealedBox(SECRET)
    good = dump_pending_login(login.pending)
    for text, code in (
        ("", "record_invalid"),
        ("[]", "record_invalid"),
        (good.replace('"v":', '"v":9'), "record_version_unknown"),
        (good.replace('"started_at"', '"started"'), "record_invalid"),
        (good.replace('"demands"', '"demand"'), "record_invalid"),
        (good.replace('"connection"', '"connected"'), "record_invalid"),
    ):
        sealed = box.close(text, label=label)
        error = refusal(store, login.pending.id, {name: f"{NOW}.b.{sealed}"})
        assert isinstance(error, StoreFailure)
        assert error.code == code


def test_a_secret_can_be_rotated_while_logins_are_in_flight() -> None:
    login, new = started(), b"n" * 32
    cookies = jar(*CookiePendingLogins(SECRET).put(login, {}, NOW))

    taken = CookiePendingLogins(new, SECRET).take(login.pending.id, cookies, NOW)

    assert taken.pending == login.pending
    assert refusal(CookiePendingLogins(new), login.pending.id, cookies).code == "seal_invalid"


def test_sealing_secrets_are_required() -> None:
    with pytest.raises(UsageError) as caught:
        CookiePendingLogins()

    assert caught.value.code == "config_invalid"


class SharedSpent:
    """Shared among processes."""

    def __init__(self) -> None:
        self._spent = MemorySpent()

    @property
    def single_use(self) -> SingleUse:
        return "shared"

    def seen_once(self, name: str, until: int, now: int) -> bool:
        return self._spent.seen_once(name, until, now)


def test_two_processes_that_share_what_is_spent_take_a_login_once() -> None:
    spent, login = SharedSpent(), started()
    here, there = CookiePendingLogins(SECRET, spent=spent), CookiePendingLogins(SECRET, spent=spent)
    cookies = jar(*here.put(login, {}, NOW))

    assert there.take(login.pending.id, cookies, NOW).single_use == "shared"
    assert refusal(here, login.pending.id, cookies).code == "state_used"


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_three_logins_in_a_browser_finish_in_any_order(
    store: CookiePendingLogins, order: tuple[int, ...]
) -> None:
    logins: list[LoginStarted] = [started(seed, now=NOW + seed) for seed in range(3)]
    cookies: dict[str, str] = {}
    for login in logins:
        new = store.put(login, cookies, NOW)
        cookies = _received(cookies, new)

    for number in order:
        login = logins[number]
        taken = store.take(login.pending.id, cookies, NOW)
        assert (taken.pending, taken.binding) == (login.pending, login.binding)
        cookies = _received(cookies, taken.cookies)

    assert cookies == {}


def test_sixty_starts_stay_within_the_budget_and_the_newest_completes(
    store: CookiePendingLogins,
) -> None:
    cookies: dict[str, str] = {"session": "the application's own"}
    login, mine = started(60), dict[str, str]()
    for seed in range(60):
        login = started(seed, now=NOW + seed)
        cookies = _received(cookies, store.put(login, cookies, NOW + seed))
        mine = {name: value for name, value in cookies.items() if store.profile.owns(name)}

        assert size(mine) <= 4_096
        assert len(mine) <= MAX_PER_BROWSER
        assert "session" in cookies

    assert len(mine) >= 3
    assert store.take(login.pending.id, cookies, NOW + 60).pending == login.pending


def _received(cookies: dict[str, str], new: tuple[SetCookie, ...]) -> dict[str, str]:
    kept = dict(cookies)
    for cookie in new:
        kept.pop(cookie.name, None)
        if cookie.max_age:
            kept[cookie.name] = cookie.value
    return kept


def test_the_profile_and_the_lifetime_are_the_cookies() -> None:
    profile = CookieProfile.insecure_for_loopback_development()
    store = CookiePendingLogins(SECRET, profile=profile, lifetime=60)
    login = started()

    (cookie,) = store.put(login, {}, NOW)

    assert cookie.header.startswith(f"oidc-{login.pending.id}={NOW}.")
    assert "; Max-Age=60;" in cookie.header
    assert not cookie.header.endswith("Secure")
    assert store.take(login.pending.id, jar(cookie), NOW).pending == login.pending


def test_nothing_secret_shows_nor_is_pickled() -> None:
    store = CookiePendingLogins(b"canary" * 6)
    login = started()
    cookies = store.put(login, {}, NOW)
    taken = store.take(login.pending.id, jar(*cookies), NOW)
    pending = login.pending

    shown = f"{store!r} {cookies!r} {taken!r} {taken} {evolve(taken)!r}"
    nonce = str(pending.demands.nonce)
    for secret in ("canary", login.binding, pending.state, nonce, pending.code_verifier):
        assert secret not in shown
    with pytest.raises(TypeError):
        pickle.dumps(store)


class Down:
    """A store of the application that is out of reach."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    @property
    def single_use(self) -> SingleUse:
        return "shared"

    def seen_once(self, name: str, until: int, now: int) -> bool:
        raise self.fault


@pytest.mark.parametrize(
    "fault", [ConnectionError("refused"), TimeoutError(), KeyError("k"), ValueError("no integer")]
)
def test_a_store_of_spent_logins_that_fails_lets_nobody_in(fault: Exception) -> None:
    store = CookiePendingLogins(SECRET, spent=Down(fault))
    login = started()
    (cookie,) = store.put(login, {}, NOW)

    with pytest.raises(StoreFailure) as failure:
        store.take(login.pending.id, {cookie.name: cookie.value}, NOW)

    assert (failure.value.code, failure.value.about) == ("store_unavailable", "spent logins")
    assert failure.value.__cause__ is fault


def test_a_store_of_spent_logins_that_is_full_lets_nobody_in() -> None:
    store = CookiePendingLogins(SECRET, spent=MemorySpent(cap=1))
    first, second = started(1), started(2)
    cookies: dict[str, str] = {}
    for login in (first, second):
        (cookie,) = store.put(login, {}, NOW)
        cookies[cookie.name] = cookie.value
    store.take(first.pending.id, cookies, NOW)

    with pytest.raises(StoreFailure) as failure:
        store.take(second.pending.id, cookies, NOW)
    assert failure.value.code == "store_full"
    with pytest.raises(CallbackError) as replay:
        store.take(first.pending.id, cookies, NOW)
    assert replay.value.code == "state_used"
