"""What the routes do at their edges: other methods, stores that fail, pages of one's own."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from attrs import evolve

from oidc_adapters.testing import FakeUser
from oidc_adapters.web import Page, WebRequest, WebSession
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.endpoints.end_session import LONGEST_LOGOUT_URL
from oidc_core.model.claims import Identity
from oidc_core.model.connection import Connection
from oidc_core.wire.errors import CallbackError, StoreFailure, UsageError
from tests.adapters.stores.records.plugged import failing_at
from tests.adapters.web.visiting import CLIENT, ELSEWHERE, FETCH, KINDS, NAVIGATION, Visitor, house
from tests.flows.mixing import settled
from tests.flows.rig import NOW
from tests.parties import refused


@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_other_methods_are_not_taken(path: str) -> None:
    here = house()
    request = WebRequest.of("DELETE", path, headers=NAVIGATION.items())
    reply = here.route(request)

    assert (reply.status, reply.header("allow")) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize("path", ["/callback", "/backchannel-logout", "/frontchannel-logout"])
def test_other_methods_at_a_route_of_the_provider_are_refused(path: str) -> None:
    reply = house().route(WebRequest.of("PUT", path, headers=NAVIGATION.items()))

    assert reply.status == 400


def test_a_head_starts_no_login() -> None:
    here = house()
    reply = here.route(WebRequest.of("HEAD", "/login", headers=NAVIGATION.items()))

    assert (reply.status, reply.header("set-cookie")) == (200, None)


def test_a_script_is_not_asked_whether_to_log_out() -> None:
    reply = Visitor(at=house()).ask("/logout", headers=FETCH)

    assert (reply.status, reply.header("allow")) == (405, "POST")


def test_a_logout_without_a_session_forgets_the_cookie() -> None:
    browser = Visitor(at=house(), cookies={"__Host-session": "stale"})
    reply = browser.ask("/logout", form=[])

    assert (reply.status, reply.header("location")) == (303, "/")
    assert browser.cookies == {}


@KINDS
def test_scripts_and_htmx_are_told_where_a_logout_goes(awaits: bool) -> None:
    here = house(awaits=awaits)
    script, htmx = Visitor(at=here), Visitor(at=here)
    script.log_in()
    htmx.log_in()

    told = script.ask("/logout", form=[], headers=FETCH)
    led = htmx.ask("/logout", form=[], headers={**FETCH, "hx-request": "true"})

    assert told.status == led.status == 200
    assert told.body.startswith(b'{"location":"https://op.example/end-session?')
    assert (led.header("hx-redirect") or "").startswith("https://op.example/end-session?")
    assert script.session is None
    assert htmx.session is None


def test_a_return_from_a_logout_that_nobody_asked_for_leads_on() -> None:
    browser = Visitor(at=house(settings={"goodbye": "/bye"}))

    reply = browser.ask("/goodbye?state=x", headers=ELSEWHERE)

    assert (reply.status, reply.header("location")) == (303, "/bye")


@KINDS
def test_a_session_that_cannot_be_kept_leaves_no_tokens(awaits: bool) -> None:
    here = house(awaits=awaits)
    browser = Visitor(at=here)
    response = browser.at_provider(browser.ask("/login"))

    def away(name: str, key: str) -> None:
        if name == "create" and key.startswith("web-session:"):
            raise ConnectionError

    here.records.before = away
    page = browser.bring(response)

    assert page.status == 503
    assert browser.cookies == {}
    assert b"store_unavailable" in page.body


def test_pages_can_be_drawn_by_the_application() -> None:
    seen: list[Page] = []

    def draw(page: Page) -> str:
        seen.append(page)
        return f"ours: {page.title}"

    browser = Visitor(at=house(settings={"draw": draw}))
    reply = browser.log_in(approve=False)

    assert reply.body == b"ours: You are not logged in"
    assert [each.status for each in seen] == [403]


def test_a_session_of_a_client_that_is_gone_has_no_tokens_and_can_be_left() -> None:
    browser = Visitor(at=house())
    browser.log_in()
    session = browser.session
    assert isinstance(session, WebSession)
    other = evolve(session, connection=Connection("https://gone.example", "c", "", "", ""))
    refused(UsageError, "config_invalid", lambda: browser.at.web.tokens(other))

    browser.at.sessions.begin(evolve(other, session_id=browser.at.sessions.reserve()))


@KINDS
def test_a_session_of_another_application_is_none_and_can_be_ended(awaits: bool) -> None:
    here = house(awaits=awaits)
    name = here.sessions.reserve()
    foreign = WebSession(
        session_id=name,
        identity=Identity("https://other.example", "mallory"),
        connection=Connection("https://other.example", "other", "", "", ""),
        began_at=here.clock.now(),
    )
    (cookie,) = settled(here.sessions.begin(foreign, None))
    browser = Visitor(at=here, cookies={cookie.name: cookie.value})

    assert browser.session is None
    assert not here.web.knows(foreign)
    assert browser.ask("/orders").header("location") == "/login?return_to=%2Forders"
    assert browser.ask("/logout", form=[]).status == 303
    assert settled(here.sessions.named(name)) is None


@KINDS
def test_a_session_that_the_provider_ends_before_it_began_goes_round_in_no_circle(
    awaits: bool,
) -> None:
    alice = FakeUser(sub="alice", claims={"session_expiry": NOW})
    asked = AuthenticationRequest(claims={"id_token": {"session_expiry": None}})
    browser = Visitor(at=house(awaits=awaits, users=(alice,), settings={"request": asked}))

    page = browser.log_in()

    assert (page.status, b"session_ended" in page.body) == (400, True)
    assert "__Host-session" not in browser.cookies


@KINDS
def test_a_session_that_cannot_be_ended_goes_round_in_no_circle(awaits: bool) -> None:
    here = house(awaits=awaits)
    browser = Visitor(at=here)
    browser.log_in()
    here.clock.advance(100)
    here.records.before = failing_at("remove")

    reply = settled(here.web.failed(browser.request("/orders"), StoreFailure("grant_ended")))

    assert (reply.status, b"store_unavailable" in reply.body) == (503, True)


@KINDS
def test_a_callback_of_the_application_ends_no_session(awaits: bool) -> None:
    here = house(awaits=awaits)
    browser = Visitor(at=here)
    browser.log_in()
    here.clock.advance(100)

    reply = settled(here.web.failed(browser.request("/link"), CallbackError("state_unknown")))

    assert (reply.status, b"state_unknown" in reply.body) == (400, True)
    assert browser.session is not None


@KINDS
def test_a_grant_that_nobody_can_read_keeps_nobody_logged_in(awaits: bool) -> None:
    here, keys = house(awaits=awaits), list[str]()
    browser = Visitor(at=here)
    here.records.before = lambda _name, key: keys.append(key)
    browser.log_in()
    (key,) = {key for key in keys if key.startswith("grant:")}
    found = here.records.read(key)
    assert found is not None
    here.records.replace(key, found.version, "2", "damaged", NOW + 3_600)

    reply = browser.ask("/logout", form=[])

    assert (reply.status, reply.header("location")) == (303, "/")
    assert browser.session is None


@KINDS
def test_what_sessions_raise_at_a_logout_is_a_page(awaits: bool) -> None:
    here = house(awaits=awaits)
    browser = Visitor(at=here)
    browser.log_in()

    def refusing(name: str, key: str) -> None:
        if name == "remove" and key.startswith("web-session:"):
            raise CallbackError("account_refused")

    here.records.before = refusing

    assert browser.ask("/logout", form=[]).status == 403


def test_a_wrong_setting_is_told_to_the_application() -> None:
    here = house()
    wrong: Any = "a request"
    for call in (here.web.login, here.web.callback, here.web.user, here.web.challenge):
        refused(UsageError, "parameter_invalid", partial(call, wrong))
    request = WebRequest.of("GET", "/")
    refused(UsageError, "parameter_invalid", lambda: here.web.failed(request, "error"))


@KINDS
def test_a_callback_at_another_path_is_refused(awaits: bool) -> None:
    here = house(awaits=awaits)
    request = WebRequest.of("GET", "/elsewhere", query="code=c&state=s", headers=NAVIGATION.items())

    reply = settled(here.web.callback(request))

    assert reply.status in {400, 500}
    assert b"elsewhere" not in reply.body


@KINDS
def test_a_logout_that_is_too_long_for_a_link_is_a_form(awaits: bool) -> None:
    uri = f"https://rp.example/goodbye?{'x' * LONGEST_LOGOUT_URL}"
    here = house(awaits=awaits, clients=(evolve(CLIENT, post_logout_redirect_uris=(uri,)),))
    browser = Visitor(at=here)
    browser.log_in()

    page = browser.ask("/logout", form=[])

    assert page.status == 200
    assert b'<form method="post" action="https://op.example/end-session">' in page.body
    assert b'name="id_token_hint"' in page.body
    assert browser.session is None
    assert "__Host-session" not in browser.cookies


@KINDS
def test_a_store_that_is_away_at_a_callback_is_no_session(awaits: bool) -> None:
    here = house(awaits=awaits)
    browser = Visitor(at=here)
    browser.log_in()
    response = browser.at_provider(browser.ask("/login", form=[("return_to", "/")]))

    def away(name: str, key: str) -> None:
        if name == "read" and key.startswith("web-session:"):
            raise ConnectionError

    here.records.before = away
    done = browser.bring(response)

    assert done.status == 303


def test_tokens_that_are_over_without_a_session_ask_for_a_login() -> None:
    browser = Visitor(at=house())

    reply = browser.at.web.failed(browser.request("/orders"), StoreFailure("grant_ended"))

    assert reply.header("location") == "/login?return_to=%2Forders"


def test_paths_for_a_framework() -> None:
    web, other = house().web, house(settings={"goodbye": "/goodbye"}).web

    assert web.callback_paths == ("/callback",)
    assert web.after_logout_paths == ("/goodbye",)
    assert other.after_logout_paths == ()
