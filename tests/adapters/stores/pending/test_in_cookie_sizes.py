"""How large a login's cookie is, to the octet, and that all a login demands comes back."""

from functools import partial
from math import ceil
from typing import Any, Final

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.pending import CookiePendingLogins, CookieProfile, MemorySpent
from oidc_adapters.stores.pending.cookies import BUDGET, CAP, CEILING
from oidc_adapters.stores.pending.in_cookie import RETURN_TO
from oidc_core.codec import dump_deviations
from oidc_core.endpoints.authorization import AuthenticationRequest, unasked_login
from oidc_core.model.demands import EXPECT_NO_NONCE
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.jsontypes import JsonObject
from tests.adapters.stores.pending.started import (
    NOW,
    RP,
    SECRET,
    Jar,
    jar,
    logout_started,
    put,
    received,
    refused,
    sent,
    size,
    started,
)

CODE_POINTS: Final = (("a", 1), ("é", 2), ("注", 3), ("🛒", 4))


@pytest.fixture
def store() -> CookiePendingLogins:
    return CookiePendingLogins(SECRET)


def begun(store: CookiePendingLogins, seed: int = 1, **asked: Any) -> LoginStarted:
    return started(seed, AuthenticationRequest(**asked), store=store)


def returned(store: CookiePendingLogins, login: LoginStarted) -> tuple[str, int]:
    """Where a login that was put and taken goes on, and the octets of its cookie."""
    cookies = put(store, login)
    taken = store.take(RP, login.pending.id, sent(cookies), NOW)
    assert evolve(taken.pending, return_to="") == evolve(login.pending, return_to="")
    return taken.pending.return_to, size(cookies)


def octets_of(
    store: CookiePendingLogins, login: LoginStarted, return_to: str, *, seed: int = 1
) -> int:
    """The size of a cookie, by the format: name, head, record, tag, in base64url."""
    plain = unasked_login(RP, store.secrets(FixedEntropy(seed)), NOW)
    demands = len(dump_deviations(login.pending, plain))
    record = 21 + (2 + demands if demands else 0) + len(return_to.encode())
    name = len(store.profile.login_name(login.pending.id))
    return name + len("=; ") + ceil(4 * (1 + 4 + 16 + record + 16) / 3)


# --- to the octet --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("return_to", "octets"),
    [("", 101), ("/", 102), ("/orders/2024?page=3", 126), ("/" + 137 * "a", 285)],
)
def test_a_login_with_default_demands_takes(
    store: CookiePendingLogins, return_to: str, octets: int
) -> None:
    assert returned(store, begun(store, return_to=return_to)) == (return_to, octets)


@pytest.mark.parametrize(("character", "octets"), CODE_POINTS)
def test_octets_of_return_to_count_and_not_characters(
    store: CookiePendingLogins, character: str, octets: int
) -> None:
    fits = "/" + (RETURN_TO - 1) % octets * "a" + (RETURN_TO - 1) // octets * character

    assert len(fits.encode()) == RETURN_TO
    assert returned(store, begun(store, 1, return_to=fits)) == (fits, 285)
    assert returned(store, begun(store, 2, return_to=fits + "a")) == ("", 101)
    assert returned(store, begun(store, 3, return_to="/" + 137 * character))[1] <= 285


@pytest.mark.parametrize("length", [139, 300, 3_001, 100_000])
def test_a_return_to_that_is_too_long_is_dropped_and_raises_nothing(
    store: CookiePendingLogins, length: int
) -> None:
    assert returned(store, begun(store, return_to="/".ljust(length, "a"))) == ("", 101)


@pytest.mark.parametrize(("prefix", "octets"), [("__Host-oidcs-", 400), ("__Host-oidcss-", 401)])
def test_what_a_developer_demands_fits_up_to_400_octets(prefix: str, octets: int) -> None:
    """Base64url has no length of one modulo four, so that the name makes up the last octet."""
    store = CookiePendingLogins(SECRET, profile=CookieProfile(prefix=prefix))
    login = begun(store, account=(222 - len('{"account":""}')) * "a")

    assert octets_of(store, login, "") == octets
    if octets == CAP:
        assert returned(store, login) == ("", CAP)
    else:
        error = refused(UsageError, "pending_too_large", lambda: store.put(RP, login, (), NOW))
        assert (error.found, error.expected) == (401, CAP)


@pytest.mark.parametrize("characters", [300, 3_000, 65_536, 300_000])
@pytest.mark.parametrize("return_to", ["", "/", 1_000 * "/"])
def test_what_demands_more_needs_another_store(
    store: CookiePendingLogins, characters: int, return_to: str
) -> None:
    login = begun(store, required_acr=(characters * "x",), return_to=return_to)

    refused(UsageError, "pending_too_large", lambda: store.put(RP, login, (), NOW))


@pytest.mark.parametrize("length", range(1, 139, 4))
def test_a_strangers_return_to_never_makes_demands_too_large(
    store: CookiePendingLogins, length: int
) -> None:
    """The demands fit by themselves, so it is dropped where the two do not fit together."""
    for seed, demanded in enumerate((0, 60, 70, 80, 100, 120, 140, 200, 208)):
        login = begun(store, seed, account=demanded * "a", return_to="/".ljust(length, "a"))
        fits = octets_of(store, login, login.pending.return_to, seed=seed) <= CAP
        expected = login.pending.return_to if fits else ""
        octets = octets_of(store, login, expected, seed=seed)

        assert returned(store, login) == (expected, octets)


def test_a_cookie_is_as_large_as_its_return_to_leaves_it(store: CookiePendingLogins) -> None:
    """The two extremes together: the longest return_to, and the largest demands that still fit."""
    sizes = [
        returned(
            store, begun(store, demanded, account=demanded * "a", return_to="/".ljust(138, "a"))
        )
        for demanded in range(1, 208)
    ]
    kept = [octets for return_to, octets in sizes if return_to]

    assert max(kept) == 399
    assert max(octets for _, octets in sizes) <= CAP
    assert [bool(return_to) for return_to, _ in sizes] == sorted(
        [bool(return_to) for return_to, _ in sizes], reverse=True
    )


# --- many in one browser -------------------------------------------------------------------------


def test_fourteen_tabs_that_start_at_once_stay_below_4000_octets(
    store: CookiePendingLogins,
) -> None:
    """No client sees another's cookie, so all cookies stay, and all logins finish."""
    logins = [begun(store, seed, return_to="/".ljust(138, "a")) for seed in range(14)]
    cookies: Jar = {}
    for login in logins:
        new = store.put(RP, login, (), NOW)
        assert len(new) == 1
        cookies = received(cookies, new)

    assert len(cookies) == 14
    assert size(cookies) == 14 * 285 < 4_000
    for login in logins:
        assert store.take(RP, login.pending.id, sent(cookies), NOW).pending == login.pending


def test_sixty_starts_stay_within_the_budget_and_the_newest_complete(
    store: CookiePendingLogins,
) -> None:
    cookies: Jar = {"session": "the application's own", "__Host-oidc-x": 500 * "x"}
    foreign = dict(cookies)
    logins: list[LoginStarted] = []
    for seed in range(60):
        request = AuthenticationRequest(return_to="/".ljust(138, "a"))
        logins.append(started(seed, request, now=NOW + seed, store=store))
        cookies = put(store, logins[-1], cookies)
        mine = {name: value for name, value in cookies.items() if store.profile.owns(name)}
        assert size(mine) <= BUDGET

    assert {name: cookies[name] for name in foreign} == foreign
    assert len(cookies) == 11 + len(foreign)
    for login in logins[-11:]:
        assert store.take(RP, login.pending.id, sent(cookies), NOW + 60).pending == login.pending
    for login in logins[:-11]:
        refused(
            CallbackError,
            "binding_missing",
            partial(store.take, RP, login.pending.id, sent(cookies), NOW + 60),
        )


LONGEST: Final = AuthenticationRequest(return_to="/".ljust(138, "a"))


def one_login(store: CookiePendingLogins, number: int) -> Jar:
    """The cookie of a login that began at this second: 285 octets."""
    return put(store, started(number, LONGEST, now=NOW + number, store=store))


def one_logout(store: CookiePendingLogins, number: int) -> Jar:
    """The cookie of a logout that began at this second: 122 octets."""
    pending, secrets = logout_started(store, number, now=NOW + number)
    return jar(*store.put_logout(RP, pending, secrets, (), NOW))


def gone(store: CookiePendingLogins, cookies: Jar) -> list[str]:
    """The logins that a browser with these cookies forgets for another login of 285 octets."""
    new, *forgotten = store.put(RP, started(999, LONGEST, store=store), sent(cookies), NOW)
    assert size(jar(new)) == 285
    assert all(cookie.max_age == 0 for cookie in forgotten)
    return [cookie.name for cookie in forgotten]


def test_the_oldest_go_first_logins_and_logouts_alike(store: CookiePendingLogins) -> None:
    full: Jar = one_logout(store, 7) | one_logout(store, 8) | one_logout(store, 9)
    for number in range(7):
        full |= one_login(store, 10 + 2 * number) | one_logout(store, 11 + 2 * number)
    older = [one_logout(store, 1), one_login(store, 2), one_logout(store, 3), one_login(store, 4)]

    assert size(full) == 7 * 285 + 10 * 98 == CEILING - 14 * 285 - 35
    assert gone(store, full) == []
    for old in older:
        assert gone(store, {**old, **full}) == gone(store, {**full, **old}) == [*old]
    assert {*gone(store, {**full, **older[0], **older[1]})} == {*older[0], *older[1]}


def test_what_does_not_open_goes_before_the_oldest(store: CookiePendingLogins) -> None:
    full = one_logout(store, 1)
    for number in range(7):
        full |= one_login(store, 10 + 2 * number) | one_logout(store, 11 + 2 * number)
    stranger, rotating = CookiePendingLogins(b"f" * 32), CookiePendingLogins(b"f" * 32, SECRET)
    swapped = dict(zip(one_login(store, 90), one_logout(store, 90).values(), strict=True))
    for closed in (
        {"__Host-oidc-damaged0": 400 * "x"},
        {"__Host-oidc-out-damaged0": 400 * "x"},
        one_login(stranger, 60) | one_logout(stranger, 61),
        swapped | one_login(stranger, 60),
    ):
        assert size(full) <= CEILING - 14 * 285 < size(full | closed)
        for cookies in ({**closed, **full}, {**full, **closed}):
            goes = {*gone(store, cookies)}
            assert goes
            assert goes <= closed.keys()
    assert gone(rotating, full) == []
    assert {*gone(rotating, full | {"__Host-oidc-damaged0": 400 * "x"})} == {"__Host-oidc-damaged0"}


# --- all that is demanded ------------------------------------------------------------------------

ESSENTIAL: Final = JsonObject({"essential": True})
DEMANDED: Final[dict[str, dict[str, Any]]] = {
    "redirect_uri": {"redirect_uri": RP.client.redirect_uris[1]},
    "response_mode": {"response_mode": "form_post"},
    "scope": {"scope": "openid phone"},
    "nonce": {"nonce": "the application's own nonce"},
    "account": {"account": "user-7é"},
    "max_age": {"max_age": 3_600},
    "now": {"prompt": "login"},
    "required_acr": {"required_acr": ("gold", "silver")},
    "essential claims": {"claims": JsonObject({"id_token": JsonObject({"email": ESSENTIAL})})},
    "sub": {"expected_sub": "alice"},
    "resource": {"resource": ("https://api.example/", "urn:x")},
}


@pytest.mark.parametrize("name", DEMANDED)
def test_each_demand_comes_back(store: CookiePendingLogins, name: str) -> None:
    login = begun(store, return_to="/é", **DEMANDED[name])
    assert evolve(login.pending, return_to="") != begun(store).pending

    assert returned(store, login)[0] == "/é"


@pytest.mark.parametrize(
    "changed",
    [{"sub_iss": f"{RP.issuer}/tenant"}, {"sub": "a", "sub_iss": ""}, {"nonce": EXPECT_NO_NONCE}],
)
def test_demands_that_other_starts_make_come_back(
    store: CookiePendingLogins, changed: dict[str, Any]
) -> None:
    login = begun(store)
    demands = evolve(login.pending.demands, **changed)

    assert returned(store, evolve(login, pending=evolve(login.pending, demands=demands)))[0] == ""


def test_a_usual_step_up_is_small(store: CookiePendingLogins) -> None:
    login = begun(
        store, max_age=300, required_acr=("gold",), expected_sub="248289761001", return_to="/"
    )

    assert returned(store, login) == ("/", 185)


WORD: Final = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=12
)
WORDS: Final = st.lists(WORD, max_size=2).map(tuple)
ESSENTIALS: Final = st.lists(st.text(max_size=8), max_size=2).map(
    lambda names: JsonObject({"id_token": JsonObject(dict.fromkeys(names, ESSENTIAL))})
)
REQUESTS: Final = st.builds(
    AuthenticationRequest,
    scope=st.sampled_from(["", "openid", "openid email", "phone openid"]),
    redirect_uri=st.sampled_from(["", *RP.client.redirect_uris]),
    response_mode=st.sampled_from(["query", "form_post"]),
    prompt=st.sampled_from(["", "login", "none"]),
    max_age=st.none() | st.integers(0, 10_000_000),
    required_acr=WORDS,
    claims=st.none() | ESSENTIALS,
    resource=st.lists(WORD.filter(lambda w: "#" not in w).map("urn:{}".format), max_size=2).map(
        tuple
    ),
    nonce=st.just("") | WORD,
    expected_sub=st.none() | st.text(min_size=1, max_size=12),
    account=st.text(max_size=12),
    return_to=st.text(max_size=160),
)
PROCESS: Final = CookiePendingLogins(SECRET)


@given(REQUESTS, st.integers(0, 2**32 - 1), st.integers(0, 1_000))
def test_whatever_a_login_demands_comes_back_or_is_refused_at_its_start(
    request: AuthenticationRequest, now: int, seed: int
) -> None:
    store = CookiePendingLogins(SECRET, spent=MemorySpent())
    login = started(seed, request, now=now, store=PROCESS)
    plain = unasked_login(RP, PROCESS.secrets(FixedEntropy(seed)), now)
    demands = len(dump_deviations(login.pending, plain))
    fixed = 12 + 8 + 3, 37 + 21 + (2 + demands if demands else 0)
    return_to = request.return_to

    def octets(text: str) -> int:
        return fixed[0] + ceil(4 * (fixed[1] + len(text.encode())) / 3)

    if octets("") > CAP:
        refused(UsageError, "pending_too_large", lambda: store.put(RP, login, (), now))
        return
    if len(return_to.encode()) > 138 or octets(return_to) > CAP:
        return_to = ""
    (cookie,) = store.put(RP, login, (), now)
    assert size(jar(cookie)) == octets(return_to)

    taken = store.take(RP, login.pending.id, sent(jar(cookie)), now)

    assert taken.pending == evolve(login.pending, return_to=return_to)
    assert taken.binding == login.binding
