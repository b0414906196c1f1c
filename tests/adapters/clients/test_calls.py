"""The common part of the calls of both clients."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from oidc_adapters.clients.calls import (
    Departure,
    answering,
    arrived,
    clearing,
    cookies_in,
    finishing,
    mark_forgotten,
    restarting_once,
    starting,
)
from oidc_adapters.clients.results import EndedSession
from oidc_adapters.stores.pending import CookieProfile, Taken
from oidc_adapters.stores.pending.ports import LogoutSecrets
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.endpoints.end_session import LogoutRequest
from oidc_core.machine.steps import Exchange
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.errors import (
    CallbackError,
    OidcError,
    ProtocolViolation,
    StoreFailure,
    TransportFailure,
    UsageError,
)
from oidc_core.wire.incoming import Incoming
from tests.flows.rig import NOW, new_rig
from tests.parties import RP, callback, done, query_of, secrets, started

PROFILE = CookieProfile()
NAME = PROFILE.login_name("12345678")
FORGOTTEN = PROFILE.forgotten(NAME)
WAITING = evolve(started().pending, return_to="/orders")


# --- cookies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["a=1; b=2; a=3", b"a=1; b=2; a=3"])
def test_a_cookie_header_is_read_as_it_came(header: str | bytes) -> None:
    assert cookies_in(header) == (("a", "1"), ("b", "2"), ("a", "3"))


def test_octets_of_a_cookie_header_are_never_too_odd() -> None:
    assert cookies_in(b"a=\xff\x00") == (("a", "\xff\x00"),)
    assert cookies_in("") == cookies_in(b"") == ()


@pytest.mark.parametrize("parsed", [{"a": "1"}, (("a", "1"),), None, 5, bytearray(b"a=1")])
def test_cookies_that_were_parsed_are_refused(parsed: Any) -> None:
    with pytest.raises(UsageError) as caught:
        cookies_in(parsed)
    error = caught.value
    assert (error.code, error.about) == ("parameter_invalid", "cookie")
    assert error.expected == "str or bytes"
    assert f"{error.found}".startswith(type(parsed).__name__)


# --- starting ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "given", "kept"),
    [
        ("", "", ""),
        ("/a", "", "/a"),
        ("", "/b", "/b"),
        ("/a", "/b", "/b"),
        ("/a", "/\ud800", ""),
        ("", "\udfff", ""),
        ("", "/\ud7ff\ue000\U0010ffff", "/\ud7ff\ue000\U0010ffff"),
    ],
)
def test_a_return_to_that_can_be_kept_is_kept(asked: str, given: str, kept: str) -> None:
    request = AuthenticationRequest(return_to=asked)
    assert done(starting(RP, secrets(), request, given, NOW)).pending.return_to == kept


def test_a_login_that_was_taken_is_finished() -> None:
    login = done(starting(RP, secrets(), AuthenticationRequest(), "", NOW))
    taken = Taken(pending=login.pending, binding=login.binding, cookies=(), single_use="shared")

    step = finishing(RP, taken, callback(login), NOW, "")

    assert isinstance(step, Exchange)
    assert (step.request.purpose, step.request.url) == ("token", RP.provider.token_endpoint)
    stranger = Taken(pending=login.pending, binding="another", cookies=(), single_use="shared")
    with pytest.raises(CallbackError) as caught:
        finishing(RP, stranger, callback(login), NOW, "")
    assert caught.value.code == "binding_mismatch"


def test_a_link_is_finished_by_the_account_that_began_it() -> None:
    request = AuthenticationRequest(account="account-1")
    login = done(starting(RP, secrets(), request, "", NOW))
    taken = Taken(pending=login.pending, binding=login.binding, cookies=(), single_use="shared")

    assert isinstance(finishing(RP, taken, callback(login), NOW, "account-1"), Exchange)
    with pytest.raises(CallbackError) as caught:
        finishing(RP, taken, callback(login), NOW, "account-2")
    assert caught.value.code == "account_mismatch"


def test_a_logout_hints_at_the_session_that_ends_unless_told_otherwise() -> None:
    rig = new_rig()
    rp, tokens = rig.client.rp, rig.log_in().logged_in.tokens
    earlier = rig.log_in(user="bob").logged_in.tokens.id_token
    named = LogoutRequest(id_token_hint=earlier, logout_hint="alice")

    for given, request, hint in (
        (tokens, None, tokens.id_token),
        (EndedSession(tokens, (), earlier), None, earlier),
        (EndedSession(tokens, (), tokens.id_token), named, earlier),
        (tokens, LogoutRequest(logout_hint="alice"), tokens.id_token),
        (tokens, named, earlier),
        (None, named, earlier),
        (None, None, None),
    ):
        url = done(Departure(rp, request, LogoutSecrets("a-state", ""), NOW).started(given)).url
        asked = dict(query_of(url))
        assert asked.get("id_token_hint") == hint
        assert asked.get("logout_hint") == ("alice" if request else None)
        assert asked["state"] == "a-state"


# --- failures that can be answered ---------------------------------------------------------------


def at(cookie: str) -> Incoming:
    return Incoming(method="GET", url="https://rp.example/callback", cookie=cookie)


def cleared(error: OidcError, cookie: str = f"{NAME}=x") -> tuple[SetCookie, ...]:
    with pytest.raises(type(error)) as caught, clearing(PROFILE, NAME, at(cookie)):
        raise error
    told = caught.value
    assert (told.code, told.return_to, error.cookies) == (error.code, "", ())
    return told.cookies


@pytest.mark.parametrize(
    "code",
    ["state_unknown", "state_used", "state_expired", "binding_mismatch", "cookie_invalid",
     "cookie_key_unknown", "logout_state_mismatch"],
)  # fmt: skip
def test_a_login_that_cannot_be_finished_is_forgotten(code: str) -> None:
    assert cleared(CallbackError(code)) == (FORGOTTEN,)
    assert cleared(CallbackError(code), f"other=1; {NAME}=") == (FORGOTTEN,)


@pytest.mark.parametrize("cookie", ["", "other=1", f"x{NAME}=1", f"{NAME}x=1"])
def test_a_browser_is_told_of_no_cookie_that_it_did_not_bring(cookie: str) -> None:
    assert cleared(CallbackError("binding_missing"), cookie) == ()


@pytest.mark.parametrize("code", ["connection_mismatch", "binding_duplicated"])
def test_a_login_that_waits_on_is_not_forgotten(code: str) -> None:
    assert cleared(CallbackError(code)) == ()


def test_a_failure_that_is_not_the_browser_s_clears_nothing() -> None:
    assert cleared(StoreFailure("store_unavailable")) == ()
    assert cleared(UsageError("config_invalid")) == ()


def test_nothing_is_cleared_where_nothing_fails() -> None:
    with clearing(PROFILE, NAME, at(f"{NAME}=x")), answering((FORGOTTEN,), WAITING):
        reached = True
    assert reached


@pytest.mark.parametrize(
    "error",
    [
        CallbackError("response_iss_missing"),
        ProtocolViolation("signature_invalid"),
        TransportFailure("code_in_doubt"),
        StoreFailure("store_unavailable"),
        UsageError("config_invalid"),
    ],
    ids=lambda error: error.code,
)
def test_what_fails_once_the_login_is_known_says_how_to_go_on(error: OidcError) -> None:
    with pytest.raises(type(error)) as caught, answering((FORGOTTEN,), WAITING):
        raise error
    told = caught.value
    assert (told.code, told.cookies, told.return_to) == (error.code, (FORGOTTEN,), "/orders")
    assert (error.cookies, error.return_to) == ((), "")


def test_two_logins_that_fail_with_one_error_are_answered_apart() -> None:
    """Both may have waited for one key set; neither learns where the other one goes."""
    shared, told = TransportFailure("keys_unavailable"), list[TransportFailure]()
    for return_to in ("/alice", "/bob"):
        with (
            pytest.raises(TransportFailure) as caught,
            answering((FORGOTTEN,), evolve(WAITING, return_to=return_to)),
        ):
            raise shared
        told.append(caught.value)
    assert [error.return_to for error in told] == ["/alice", "/bob"]
    assert {f"{error}" for error in told} == {f"{shared}"}


@pytest.mark.parametrize(
    "code",
    [
        "state_missing",
        "state_mismatch",
        "binding_missing",
        "binding_mismatch",
        "parameter_too_long",
    ],
)
def test_a_browser_that_did_not_start_the_login_is_led_nowhere(code: str) -> None:
    with (
        pytest.raises(CallbackError) as caught,
        answering((FORGOTTEN,), evolve(WAITING, return_to="/victims/page")),
    ):
        raise CallbackError(code)
    assert (caught.value.cookies, caught.value.return_to) == ((FORGOTTEN,), "")


def test_a_callback_that_is_too_long_proves_nothing_about_its_browser() -> None:
    """A store of an application may leave the binding to the rules, which come afterwards."""
    pending = evolve(WAITING, account="user-7")
    taken = Taken(pending=pending, binding="another's", cookies=(), single_use="process")
    query = f"code={'c' * 20_000}&state={pending.state}"
    huge = arrived(Incoming(method="GET", url=pending.redirect_uri, query=query), "")

    with pytest.raises(CallbackError) as caught, answering((FORGOTTEN,), pending):
        finishing(RP, taken, huge, NOW, "")

    error = caught.value
    assert error.code == "parameter_too_long"
    assert (error.return_to, error.account, error.connection) == ("", "", ())


def test_what_is_no_error_of_this_library_passes() -> None:
    with pytest.raises(KeyError), answering((FORGOTTEN,)), clearing(PROFILE, NAME, at("")):
        raise KeyError


# --- one restart in a row ------------------------------------------------------------------------

AGAIN = "__Host-oidc-again"


def restarted(
    error: OidcError, cookie: str, method: str = "GET"
) -> tuple[str, list[tuple[str, int, str]]]:
    """Return what `retryable` became, and the cookies to set."""
    brought = evolve(at(cookie), method=method)
    with pytest.raises(type(error)) as caught, restarting_once(PROFILE, brought):
        raise error
    told = caught.value
    assert (told.code, error.cookies) == (error.code, ())
    assert (told.hint == error.hint) == (told.retryable == error.retryable)
    return told.retryable, [(each.name, each.max_age, each.same_site) for each in told.cookies]


def test_a_browser_that_keeps_cookies_is_told_to_start_again_once() -> None:
    first = restarted(CallbackError("state_used"), f"{NAME}=x")
    assert first == ("restart", [(AGAIN, 600, "Lax")])
    second = restarted(CallbackError("state_used"), f"{NAME}=x; {AGAIN}=1")
    assert second == ("no", [(AGAIN, 0, "Lax")])


def test_the_mark_of_a_restart_comes_back_across_sites_where_the_callback_did() -> None:
    posted = restarted(CallbackError("state_used"), f"{NAME}=x", "POST")
    assert posted == ("restart", [(AGAIN, 600, "None")])


@pytest.mark.parametrize("cookie", ["", "session=1", f"x{NAME}=1", "__Host-oidc-againx=1"])
def test_a_browser_that_brings_no_cookie_of_ours_is_not_told_to_start_again(cookie: str) -> None:
    assert restarted(CallbackError("binding_missing"), cookie) == ("no", [])


@pytest.mark.parametrize(
    "error",
    [TransportFailure("code_in_doubt"), CallbackError("state_mismatch"), UsageError("url_invalid")],
    ids=lambda error: error.code,
)
def test_what_a_new_login_does_not_heal_stays_as_it_is(error: OidcError) -> None:
    for cookie in (f"{NAME}=x", f"{NAME}=x; {AGAIN}=1"):
        assert restarted(error, cookie) == (error.retryable, [])


@pytest.mark.parametrize(
    ("cookie", "why"),
    [
        (f"{NAME}=x; {AGAIN}=1", "a new login has just failed in the same way, so show a page"),
        ("", "the browser brought no cookie of this application, so show a page"),
    ],
)
def test_the_hint_says_why_nothing_is_started_again(cookie: str, why: str) -> None:
    with pytest.raises(CallbackError) as caught, restarting_once(PROFILE, at(cookie)):
        raise CallbackError("state_used")
    assert caught.value.hint == f"this login was finished before; start a new one; {why}"


def test_a_login_that_succeeds_clears_the_mark_away() -> None:
    assert mark_forgotten(PROFILE, at(f"{NAME}=x")) == ()
    assert mark_forgotten(PROFILE, at(f"{AGAIN}=1; {AGAIN}=2")) == (PROFILE.forgotten(AGAIN),)


def test_the_mark_is_no_cookie_of_a_login() -> None:
    assert not PROFILE.owns(PROFILE.restarted)
    assert PROFILE.restarted == AGAIN
