import pytest

from oidc_adapters.stores.pending import CookieProfile
from oidc_adapters.stores.pending.binding import binding_cookies, taken_by
from oidc_core.model.pending import PendingLogin
from oidc_core.wire.errors import CallbackError
from tests.adapters.stores.pending.started import jar, started
from tests.flows.rig import NOW

LOGIN, ANOTHER = started(1), started(2)
PROFILE = CookieProfile()
NAME = f"{PROFILE.prefix}{LOGIN.pending.id}"


def refusal(pending: PendingLogin | None, cookies: dict[str, str]) -> tuple[str, str]:
    with pytest.raises(CallbackError) as caught:
        taken_by(PROFILE, pending, cookies, "shared")
    return caught.value.code, caught.value.about


def test_the_cookie_holds_the_secret_and_nothing_else() -> None:
    (cookie,) = binding_cookies(PROFILE, LOGIN, {}, 60)

    assert (cookie.name, cookie.value) == (NAME, f"{NOW}.{LOGIN.binding}")
    assert cookie.max_age == 60


def test_the_oldest_cookies_beyond_the_budget_are_deleted() -> None:
    old = {f"{PROFILE.prefix}{number:032x}": f"{NOW - number}.x" for number in range(1, 11)}

    new, *gone = binding_cookies(PROFILE, LOGIN, old, 60)

    assert new.name == NAME
    assert [(cookie.name, cookie.max_age) for cookie in gone] == [(f"{PROFILE.prefix}{10:032x}", 0)]


def test_the_browser_that_started_a_login_takes_it_and_forgets_it() -> None:
    cookies = jar(*binding_cookies(PROFILE, LOGIN, {}, 60))

    taken = taken_by(PROFILE, LOGIN.pending, cookies, "shared")

    assert (taken.pending, taken.binding) == (LOGIN.pending, LOGIN.binding)
    assert taken.single_use == "shared"
    assert [(cookie.name, cookie.max_age) for cookie in taken.cookies] == [(NAME, 0)]


def test_nobody_else_takes_it() -> None:
    others = jar(*binding_cookies(PROFILE, ANOTHER, {}, 60))

    assert refusal(None, {NAME: f"{NOW}.{LOGIN.binding}"}) == ("state_unknown", "")
    for nothing in ({}, others, {NAME: ""}, {NAME: LOGIN.binding}, {NAME: f"{NOW}."}):
        assert refusal(LOGIN.pending, nothing) == ("binding_missing", "cookie")
    for wrong in (ANOTHER.binding, f"{LOGIN.binding}x", LOGIN.pending.binding_digest):
        assert refusal(LOGIN.pending, {NAME: f"{NOW}.{wrong}"}) == ("binding_mismatch", "cookie")
