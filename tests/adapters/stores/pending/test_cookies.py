"""Names and attributes of the cookies of logins and logouts, and the budget for them all."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_adapters.stores.pending.cookies import (
    AT_ONCE,
    BUDGET,
    CAP,
    CEILING,
    COOKIE_PREFIX,
    CookieProfile,
    octets,
    only_value,
)
from oidc_core.model.pending import pending_id_of
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.errors import CallbackError, UsageError

PROFILE: Final = CookieProfile()
DEVELOPMENT: Final = CookieProfile.insecure_for_loopback_development()
PENDING_ID: Final = "AbC_-890_and_so_on_22c"
DATED: Final = 1_700_000_000

Pair = tuple[str, str]


def age(_name: str, value: str) -> int | None:
    """Read a date in front of a value; what is ``damaged`` does not open."""
    text = value.partition(".")[0]
    return None if text == "damaged" else int(text)


def cookie(number: int, size: int = 200, date: int | str = DATED, *, logout: bool = False) -> Pair:
    """A cookie of so many octets of the request, whose name ends with a number."""
    waiting = f"{number:08}"
    name = PROFILE.logout_name(waiting) if logout else PROFILE.login_name(waiting)
    return name, f"{date}.".ljust(size - len(name) - 3, "x")


def evicted(*cookies: Pair, new: int = 200) -> list[int]:
    """The numbers of the cookies that go when a cookie of so many octets comes."""
    name, value = cookie(99_999_999, new)
    gone = PROFILE.evicted(cookies, SetCookie(name, value, 600, "Lax", secure=True), age)
    assert all(one.max_age == 0 and one.value == "" for one in gone)
    return [int(one.name[-8:]) for one in gone]


# --- names and attributes ------------------------------------------------------------------------


def test_a_cookie_is_the_browsers_and_the_hosts_own() -> None:
    made = PROFILE.cookie(PROFILE.login_name(PENDING_ID), "value", 600)

    assert made.header == (
        "__Host-oidc-AbC_-890=value; Max-Age=600; Path=/; HttpOnly; SameSite=Lax; Secure"
    )


def test_the_cookie_of_a_logout_has_a_name_of_its_own() -> None:
    assert PROFILE.logout_name(PENDING_ID) == "__Host-oidc-out-AbC_-890"
    assert DEVELOPMENT.logout_name(PENDING_ID) == "oidc-out-AbC_-890"


def test_a_form_post_needs_a_cookie_that_crosses_sites() -> None:
    assert PROFILE.cookie("a", "v", 600, across=True).same_site == "None"
    # A browser drops SameSite=None without Secure.
    assert DEVELOPMENT.cookie("a", "v", 600, across=True).same_site == "Lax"


def test_the_development_profile_is_without_host_and_secure() -> None:
    name = DEVELOPMENT.login_name(PENDING_ID)

    assert CookieProfile(prefix="oidc-", secure=False) == DEVELOPMENT
    assert DEVELOPMENT.cookie(name, "v", 600).header == (
        "oidc-AbC_-890=v; Max-Age=600; Path=/; HttpOnly; SameSite=Lax"
    )
    assert DEVELOPMENT.forgotten(name).header == (
        "oidc-AbC_-890=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
    )


def test_a_deletion_has_the_attributes_that_a_host_cookie_needs() -> None:
    assert PROFILE.forgotten("__Host-oidc-x").header == (
        "__Host-oidc-x=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure"
    )


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        " ",
        "a b",
        "a=",
        "a;",
        "a,",
        "a\n",
        'a"',
        "é",
        "a\0",
        "a/b",
        65 * "a",
        None,
        5,
        b"a",
        ["a"],
    ],
    ids=ascii,
)
def test_a_prefix_that_is_no_cookie_name_is_refused(prefix: Any) -> None:
    with pytest.raises(UsageError) as caught:
        CookieProfile(prefix=prefix)

    assert (caught.value.code, caught.value.about) == ("config_invalid", "prefix")
    shown = prefix if isinstance(prefix, str) else type(prefix).__name__
    assert caught.value.found == shown


@pytest.mark.parametrize("secure", [None, 0, 1, "yes", "False"])
def test_secure_is_a_truth(secure: Any) -> None:
    with pytest.raises(UsageError) as caught:
        CookieProfile(secure=secure)

    assert (caught.value.code, caught.value.about) == ("config_invalid", "secure")
    assert caught.value.found == type(secure).__name__


@pytest.mark.parametrize(
    "prefix",
    ["__Host-oidc-", "__Host-", "__host-a", "__HOST-A", "__Secure-a", "__secure-", "__Http-a"],
)
def test_a_prefix_that_browsers_guard_needs_secure(prefix: str) -> None:
    with pytest.raises(UsageError) as caught:
        CookieProfile(prefix=prefix, secure=False)

    assert (caught.value.code, caught.value.about) == ("config_invalid", "secure")


@pytest.mark.parametrize("prefix", ["oidc-", "__host-a", "__HOST-A", "__Secure-a", "__Http-a", "_"])
def test_a_secure_cookie_has_the_prefix_that_keeps_neighbours_out(prefix: str) -> None:
    """Without it, any other host of the site may set a cookie of this name (RFC 6265bis §4.1.3)."""
    with pytest.raises(UsageError) as caught:
        CookieProfile(prefix=prefix)

    error = caught.value
    assert (error.code, error.about, error.found) == ("config_invalid", "prefix", prefix)
    assert CookieProfile(prefix="__Host-" + prefix).secure


@pytest.mark.parametrize("prefix", ["_Host-a", "Host-", "a__Host-", "__Hosta-"])
def test_another_prefix_may_do_without(prefix: str) -> None:
    assert CookieProfile(prefix=prefix, secure=False).prefix == prefix


# --- whose a cookie is ---------------------------------------------------------------------------


def test_a_profile_knows_its_own_cookies() -> None:
    for number in range(50):
        waiting = pending_id_of(f"{number}")
        login, logout = PROFILE.login_name(waiting), PROFILE.logout_name(waiting)
        assert login == COOKIE_PREFIX + waiting[:8]
        assert (PROFILE.owns(login), PROFILE.is_logout(login)) == (True, False)
        assert (PROFILE.owns(logout), PROFILE.is_logout(logout)) == (True, True)
        for name in (login, logout):
            assert not DEVELOPMENT.owns(name)
            assert DEVELOPMENT.owns(name.removeprefix("__Host-"))
            assert not PROFILE.owns(name.removeprefix("__Host-"))


FOREIGN: Final = [
    "",
    "x",
    "session",
    7 * "a",
    9 * "a",
    22 * "a",
    7 * "a" + "\n",
    8 * "a" + "\n",
    7 * "a" + "é",
    7 * "a" + ".",
    7 * "a" + " ",
    " " + 8 * "a",
    "out-",
    "out-" + 7 * "a",
    "out-" + 9 * "a",
    "Out-" + 8 * "a",
    "out_" + 8 * "a",
    "out-out-" + 8 * "a",
    "app-" + 8 * "a",
]


@pytest.mark.parametrize("name", FOREIGN, ids=ascii)
def test_other_cookies_are_no_logins_and_never_go(name: str) -> None:
    foreign = PROFILE.prefix + name
    full = [cookie(number, date=DATED + number) for number in range(20)]

    assert not PROFILE.owns(foreign)
    assert evicted((foreign, 5_000 * "x"), (foreign, 5_000 * "y")) == []
    assert evicted(*full, (foreign, "x"), (foreign, "x")) == [0]


@pytest.mark.parametrize("other", ["__Host-oidc-b-", "__Host-oidc", "__Host-", "__Host-OIDC-"])
def test_another_applications_cookies_are_not_ours(other: str) -> None:
    theirs = CookieProfile(prefix=other)
    for name in (theirs.login_name(PENDING_ID), theirs.logout_name(PENDING_ID)):
        assert theirs.owns(name)
        assert not PROFILE.owns(name)
    assert not theirs.owns(PROFILE.login_name(PENDING_ID))


def test_the_id_of_a_login_may_start_as_that_of_a_logout() -> None:
    assert PROFILE.owns(PROFILE.prefix + "out-aaaa")
    assert not PROFILE.is_logout(PROFILE.prefix + "out-aaaa")


# --- the budget ----------------------------------------------------------------------------------


def test_a_cookie_takes_up_what_it_takes_in_a_header() -> None:
    name, value = cookie(1, 285)

    assert octets(name, value) == len(f"{name}={value}; ") == 285


@pytest.mark.parametrize(
    ("size", "others"), [(102, 38), (200, 19), (285, 10), (CAP, 3), (CAP + 100, 0)]
)
def test_so_many_of_one_size_stay(size: int, others: int) -> None:
    assert evicted(*[cookie(number, size) for number in range(others)], new=size) == []
    assert len(evicted(*[cookie(number, size) for number in range(others + 1)], new=size)) == 1


@pytest.mark.parametrize("size", [102, 200, 285, 350, CAP])
def test_fourteen_that_start_at_once_leave_room_whatever_waited_before(size: int) -> None:
    """None of them sees the cookies of the others, and each drops the same older ones."""
    waiting = [cookie(number, 285, DATED + number) for number in range(40)]
    for wave in range(1, 4):
        gone = evicted(*waiting, new=size)
        stays = [one for one in waiting if int(one[0][-8:]) not in gone]
        starts = [cookie(100 * wave + number, size, DATED + 100 * wave) for number in range(14)]
        waiting = [*stays, *starts]
        assert sum(octets(*one) for one in waiting) <= CEILING


def test_nothing_goes_while_there_is_room() -> None:
    assert evicted() == []
    assert evicted(cookie(1), cookie(2), ("session", 5_000 * "s")) == []


def test_the_budget_holds_to_the_octet() -> None:
    assert evicted(cookie(1, 1_900), cookie(2, 1_900), new=200) == []
    assert evicted(cookie(1, 1_900), cookie(2, 1_900, DATED + 1), new=201) == [1]
    assert evicted(cookie(1, 1_505), cookie(2, 1_505), new=285) == []
    assert evicted(cookie(1, 1_505), cookie(2, 1_506, DATED + 1), new=285) == [1]


def test_the_oldest_go_first() -> None:
    full = [cookie(number, date=DATED + number) for number in range(20)]

    assert evicted(*full[1:]) == []
    assert evicted(*full) == evicted(*reversed(full)) == [0]
    assert sorted(evicted(*full, cookie(20, date=DATED - 1))) == [0, 20]
    assert sorted(evicted(*full, new=CAP)) == [*range(13)]
    assert sorted(evicted(*full, new=BUDGET)) == [*range(20)]


def test_what_does_not_open_goes_before_the_oldest() -> None:
    full = [cookie(number, date=DATED + number) for number in range(19)]

    assert evicted(*full, cookie(50, date="damaged")) == [50]
    assert sorted(evicted(*full, cookie(50, date="damaged"), cookie(51, date=0))) == [50, 51]
    assert evicted(*full[1:], cookie(50, 20, "damaged"), cookie(51, date=1)) == [50]


def test_cookies_of_logouts_go_by_the_same_rule() -> None:
    full = [cookie(number, date=DATED + number, logout=number % 2 == 0) for number in range(20)]

    assert evicted(*full) == [0]
    assert sorted(evicted(*full, cookie(50, date="damaged", logout=True))) == [0, 50]


def test_the_new_cookie_takes_the_place_of_its_name() -> None:
    full = [cookie(number, date=DATED + number) for number in range(19)]

    assert evicted(*full, cookie(99_999_999, 3_000, "damaged")) == []


def test_a_name_that_is_there_twice_counts_twice_and_goes_once() -> None:
    full = [cookie(number, date=DATED + number) for number in range(18)]
    twice = [cookie(50, date="damaged"), cookie(50, date=1)]

    assert evicted(*full, *twice) == [50]


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(30, CAP), st.integers(0, 9) | st.just("damaged")),
        max_size=40,
    ),
    st.integers(30, CAP),
)
def test_what_stays_is_within_the_budget_and_no_older_than_what_goes(
    drawn: list[tuple[int, int, Any]], new: int
) -> None:
    cookies = [cookie(*one) for one in {one[0]: one for one in drawn}.values()]

    gone = evicted(*cookies, new=new)
    stays = [one for one in cookies if int(one[0][-8:]) not in gone]
    goes = [one for one in cookies if int(one[0][-8:]) in gone]

    room = min(BUDGET - new, CEILING - AT_ONCE * new)
    assert sum(octets(*one) for one in stays) <= room
    assert len(gone) == len(set(gone)) == len(goes)
    if goes:
        newest = max(goes, key=lambda one: age(*one) or 0)
        assert all((age(*one) or 0) >= (age(*newest) or 0) for one in stays)
        assert sum(octets(*one) for one in stays) > room - CAP


# --- the only value ------------------------------------------------------------------------------


def test_a_value_is_found_by_its_name_alone() -> None:
    pairs = (("a", "1"), ("b", "2"), ("b", "3"), ("A", "4"), (" a", "5"))

    assert only_value(pairs, "a") == "1"
    assert only_value(pairs, "c") == only_value((), "a") == ""


@pytest.mark.parametrize("values", [("1", "2"), ("1", "1"), ("", "1"), ("", ""), ("1", "2", "3")])
def test_a_value_that_is_there_twice_is_refused(values: tuple[str, ...]) -> None:
    with pytest.raises(CallbackError) as caught:
        only_value(tuple(("a", value) for value in values), "a")

    assert (caught.value.code, caught.value.about) == ("binding_duplicated", "cookie")
