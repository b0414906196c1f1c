import pytest

from oidc_adapters.stores.pending import CookieProfile, SetCookie
from oidc_adapters.stores.pending.cookies import BUDGET, MAX_PER_BROWSER
from oidc_core.endpoints.authorization import COOKIE_PREFIX, AuthenticationRequest
from tests.adapters.stores.pending.started import started
from tests.flows.rig import NOW

PROFILE = CookieProfile()
DEVELOPMENT = CookieProfile.insecure_for_loopback_development()
FORM_POST = AuthenticationRequest(response_mode="form_post")


def name_of(label: str) -> str:
    """The name of a login's cookie, in which a label can be read again."""
    return PROFILE.prefix + label.encode().ljust(16, b"\0").hex()


def label_of(name: str) -> str:
    return bytes.fromhex(name.removeprefix(PROFILE.prefix)).rstrip(b"\0").decode()


def cookie(label: str, created_at: object = NOW, size: int = 100) -> tuple[str, str]:
    return name_of(label), f"{created_at}.{'x' * (size - len(f'{created_at}.'))}"


def evicted(*cookies: tuple[str, str], new: int = 100) -> list[str]:
    """The labels of what has to go when a cookie of so many octets comes."""
    coming = SetCookie(
        name=name_of("new"), value=new * "n", max_age=600, same_site="Lax", secure=True
    )
    gone = PROFILE.evicted(dict(cookies), coming)
    assert all(one.max_age == 0 and one.value == "" for one in gone)
    return sorted([label_of(one.name) for one in gone])


def test_a_cookie_of_a_login_is_the_browsers_and_the_hosts_own() -> None:
    pending = started().pending

    made = PROFILE.cookie(pending, "value", 600)

    assert made.header == (
        f"__Host-oidc-{pending.id}={NOW}.value; Max-Age=600; Path=/; HttpOnly; SameSite=Lax; Secure"
    )


def test_a_form_post_needs_a_cookie_that_crosses_sites() -> None:
    made = PROFILE.cookie(started(request=FORM_POST).pending, "value", 600)

    assert made.header.endswith("; HttpOnly; SameSite=None; Secure")


@pytest.mark.parametrize("request_", [AuthenticationRequest(), FORM_POST])
def test_the_development_profile_is_without_host_and_secure(
    request_: AuthenticationRequest,
) -> None:
    pending = started(request=request_).pending

    made = DEVELOPMENT.cookie(pending, "value", 600)

    assert made.header == (
        f"oidc-{pending.id}={NOW}.value; Max-Age=600; Path=/; HttpOnly; SameSite=Lax"
    )
    assert DEVELOPMENT.forgotten("oidc-x").header == (
        "oidc-x=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
    )


def test_a_deletion_has_the_attributes_that_a_host_cookie_needs() -> None:
    assert PROFILE.forgotten("__Host-oidc-x").header == (
        "__Host-oidc-x=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure"
    )


def test_a_profile_knows_its_own_cookies() -> None:
    for seed in range(20):
        waiting = started(seed).pending.id
        assert PROFILE.owns(COOKIE_PREFIX + waiting)
        assert DEVELOPMENT.owns(f"oidc-{waiting}")
        assert not PROFILE.owns(f"oidc-{waiting}")
        assert not PROFILE.owns(waiting)


@pytest.mark.parametrize(
    "name", ["", "logout", "session", 31 * "a", 33 * "a", 32 * "A", 32 * "g", 32 * "a" + "\n"]
)
def test_other_cookies_are_no_logins_and_never_go(name: str) -> None:
    full = [cookie(f"{number}", NOW + number, 20) for number in range(MAX_PER_BROWSER)]

    assert not PROFILE.owns(PROFILE.prefix + name)
    assert evicted((PROFILE.prefix + name, 5_000 * "x")) == []
    assert evicted(*full, (PROFILE.prefix + name, "x")) == ["0"]


def test_no_value_shows() -> None:
    made = PROFILE.cookie(started().pending, "canary", 600)

    assert "canary" not in f"{made!r} {made}"


def test_nothing_goes_while_there_is_room() -> None:
    assert evicted() == []
    assert evicted(cookie("a"), cookie("b"), ("session", 5_000 * "s")) == []


def test_the_oldest_go_first_when_there_are_too_many() -> None:
    full = [cookie(f"{number}", NOW + number, 20) for number in range(MAX_PER_BROWSER)]

    assert evicted(*full[:-1]) == []
    assert evicted(*full) == ["0"]
    assert evicted(*reversed(full)) == ["0"]
    assert evicted(*full, cookie("early", NOW - 1, 20)) == ["0", "early"]


def test_the_oldest_go_first_when_they_are_too_large() -> None:
    three = [cookie(name, NOW + at, 1_200) for at, name in enumerate(("oldest", "older", "old"))]

    assert evicted(*three, new=200) == []
    assert evicted(*three, new=400) == ["oldest"]
    assert evicted(*three, new=1_600) == ["older", "oldest"]
    assert evicted(*three, new=3_600) == ["old", "older", "oldest"]


def test_the_budget_holds_to_the_octet() -> None:
    name, value = cookie("old", size=1_000)
    taken = len(name) + len(value) + 3 + len(name_of("new")) + 3

    assert evicted((name, value), new=BUDGET - taken) == []
    assert evicted((name, value), new=BUDGET - taken + 1) == ["old"]


@pytest.mark.parametrize(
    "odd", ["", "x", "-1", "+5", " 7", "1e9", "\u0663", "\u00b2", "1" * 12, "1" * 5_000]
)
def test_whatever_has_no_date_counts_as_oldest(odd: str) -> None:
    full = [cookie(f"{number}", NOW, 20) for number in range(MAX_PER_BROWSER - 1)]

    assert evicted(*full, (name_of("odd"), f"{odd}.x")) == ["odd"]
