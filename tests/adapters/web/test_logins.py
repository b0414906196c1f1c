"""The web routes as a browser meets them, over a fake provider."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final, cast

import pytest
from attrs import evolve

from oidc_adapters.web import RecordSessions, WebLogin, WebRequest
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.policy import Policy
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.errors import CallbackError, OidcError, StoreFailure, UsageError
from tests.adapters.web.visiting import (
    BASE,
    CLIENT,
    ELSEWHERE,
    FETCH,
    KINDS,
    Visitor,
    cookie_logins,
    form_post,
    house,
)
from tests.flows.mixing import settled
from tests.flows.rig import SEALING_SECRET
from tests.parties import refused

COOKIE: Final = "__Host-session"


@KINDS
def test_a_whole_login_and_logout(awaits: bool) -> None:
    browser = Visitor(at=house(awaits=awaits, setup={"policy": Policy()}))

    challenge = browser.ask("/orders?page=2")
    done = browser.log_in("/orders?page=2")
    page = browser.ask("/orders?page=2")
    session = browser.session

    assert challenge.header("location") == "/login?return_to=%2Forders%3Fpage%3D2"
    assert (done.status, done.header("location")) == (303, "/orders?page=2")
    assert done.header("referrer-policy") == "no-referrer"
    assert page.body == b"page of alice"
    assert session is not None
    assert dict(session.claims) == {
        "name": "Alice Adams",
        "preferred_username": "alice",
        "email": "alice@op.example",
        "email_verified": True,
    }
    assert list(browser.cookies) == [COOKIE]

    left = browser.ask("/logout", form=[])
    url = left.header("location") or ""
    back = browser.at.provider.end_session(url, now=browser.at.clock.now())

    assert back is not None
    assert back.startswith(f"{BASE}/goodbye?state=")
    assert browser.session is None
    assert browser.ask(back.removeprefix(BASE)).header("location") == "/"
    assert browser.cookies == {}
    with pytest.raises(OidcError) as ended:
        settled(browser.at.web.tokens(session).fresh())
    assert ended.value.code == "grant_ended"


@KINDS
def test_the_cookie_of_a_session_that_ended_opens_nothing(awaits: bool) -> None:
    browser = Visitor(at=house(awaits=awaits))
    browser.log_in()
    thief = Visitor(at=browser.at, cookies=dict(browser.cookies))

    browser.ask("/logout", form=[])

    assert thief.session is None


def test_a_login_gives_the_browser_another_session() -> None:
    browser = Visitor(at=house())
    browser.log_in()
    before, old = dict(browser.cookies), browser.session
    assert old is not None

    started = browser.ask("/login", form=[("return_to", "/")])
    browser.bring(browser.at_provider(started, user="bob"))
    new = browser.session

    assert new is not None
    assert (old.identity.subject, new.identity.subject) == ("alice", "bob")
    assert new.session_id != old.session_id
    assert Visitor(at=browser.at, cookies=before).session is None
    with pytest.raises(OidcError) as ended:
        browser.at.web.tokens(old).fresh()
    assert ended.value.code == "grant_ended"


@KINDS
@pytest.mark.parametrize("tabs", [2, 14])
@pytest.mark.parametrize("store", ["memory", "cookie"])
def test_restored_tabs_each_come_to_their_own_page(awaits: bool, tabs: int, store: str) -> None:
    pending = cookie_logins() if store == "cookie" else None
    browser = Visitor(at=house(awaits=awaits, pending=pending))
    pages = [f"/page/{number}" for number in range(tabs)]

    challenges = [browser.ask(page) for page in pages]
    started = [browser.ask(each.header("location") or "") for each in challenges]
    responses = [browser.at_provider(each) for each in started]
    done = [browser.bring(each) for each in reversed(responses)]

    assert [each.header("location") for each in reversed(done)] == pages
    assert {browser.ask(page).body for page in pages} == {b"page of alice"}
    assert list(browser.cookies) == [COOKIE]


def test_the_session_before_serves_the_requests_of_other_tabs_for_some_seconds() -> None:
    browser = Visitor(at=house())
    responses = [browser.at_provider(browser.ask(f"/login?return_to=/{tab}")) for tab in "ab"]
    browser.bring(responses[0])
    first = Visitor(at=browser.at, cookies=dict(browser.cookies))
    browser.bring(responses[1])

    assert first.ask("/a").body == b"page of alice"
    browser.at.clock.advance(31)
    assert first.ask("/a").status == 303
    assert browser.ask("/a").body == b"page of alice"


@KINDS
@pytest.mark.parametrize("store", ["memory", "cookie"])
def test_a_replayed_callback_sends_a_browser_that_is_logged_in_on_its_way(
    awaits: bool, store: str
) -> None:
    pending = cookie_logins() if store == "cookie" else None
    browser = Visitor(at=house(awaits=awaits, pending=pending))
    response = browser.at_provider(browser.ask("/login?return_to=/orders"))
    browser.bring(response)
    session, sent = browser.session, len(browser.at.transport.exchanges)

    again = browser.bring(response)  # the back button, a reload, or a double click

    assert (again.status, again.header("location")) == (303, "/")
    assert browser.session == session
    assert len(browser.at.transport.exchanges) == sent
    assert list(browser.cookies) == [COOKIE]


def test_the_back_button_to_the_login_leads_on() -> None:
    browser = Visitor(at=house())
    browser.log_in()

    again = browser.ask("/login?return_to=/orders")

    assert (again.status, again.header("location")) == (303, "/orders")


def test_a_callback_in_another_browser_is_refused() -> None:
    browser = Visitor(at=house())
    response = browser.at_provider(browser.ask("/login"))
    stranger = Visitor(at=browser.at)

    refused = stranger.bring(response)

    assert refused.status == 400
    assert b"binding_missing" in refused.body
    assert stranger.cookies == {}
    assert browser.bring(response).status == 303


@pytest.mark.parametrize("login_by_get", [False, True])
def test_a_wrong_state_starts_a_login_only_where_any_link_may(login_by_get: bool) -> None:
    at = house(pending=cookie_logins(), settings={"login_by_get": login_by_get})
    browser = Visitor(at=at)
    browser.ask("/login", form=[("return_to", "/orders")])
    sent = len(browser.at.transport.exchanges)

    refused = browser.ask(f"/callback?code=c&state={'A' * 43}&iss=https://op.example")

    assert (refused.status, b"binding_missing" in refused.body) == (
        (303, False) if login_by_get else (400, True)
    )
    assert len(browser.at.transport.exchanges) == sent
    assert COOKIE not in browser.cookies


@KINDS
def test_a_wrong_iss_is_refused_and_nothing_is_sent(awaits: bool) -> None:
    browser = Visitor(at=house(awaits=awaits))
    response = browser.at_provider(browser.ask("/login"))
    sent = len(browser.at.transport.exchanges)
    changed = dict(response.parameters) | {"iss": "https://evil.example"}

    refused = browser.ask("/callback?" + "&".join(f"{n}={v}" for n, v in changed.items()))

    assert refused.status == 400
    assert b"response_iss_mismatch" in refused.body
    assert b"evil.example" not in refused.body
    assert len(browser.at.transport.exchanges) == sent
    assert browser.session is None


@KINDS
def test_a_cancelled_login_says_so_and_offers_another(awaits: bool) -> None:
    browser = Visitor(at=house(awaits=awaits))

    refused = browser.log_in("/orders", approve=False)

    assert refused.status == 403
    assert b"You are not logged in" in refused.body
    assert b'href="/login?return_to=%2Forders"' in refused.body
    assert b"the end-user refused" not in refused.body
    assert browser.cookies == {}


@KINDS
def test_a_provider_that_is_down_at_the_start(awaits: bool) -> None:
    browser = Visitor(at=house(awaits=awaits, misbehave="metadata_500"))

    page = browser.ask("/login?return_to=/orders")

    assert page.status == 503
    assert page.header("retry-after") is None or int(page.header("retry-after") or "") > 0
    assert b"Please try again in a few minutes" in page.body
    assert b'href="/login?return_to=%2Forders"' in page.body


@KINDS
def test_a_provider_that_is_down_at_the_callback(awaits: bool) -> None:
    browser = Visitor(at=house(awaits=awaits))
    response = browser.at_provider(browser.ask("/login?return_to=/orders"))
    browser.at.provider.misbehave = "token_500"

    page = browser.bring(response)

    assert page.status == 503
    assert b'href="/login?return_to=%2Forders"' in page.body
    assert browser.session is None
    browser.at.provider.misbehave = None
    assert browser.log_in("/orders").header("location") == "/orders"


@KINDS
def test_a_login_starts_again_by_itself_once_and_never_twice(awaits: bool) -> None:
    browser = Visitor(at=house(awaits=awaits, pending=cookie_logins()))
    reply = browser.ask("/login?return_to=/orders")
    for _ in range(5):
        response = browser.at_provider(reply)  # a single sign-on session answers at once
        browser.at.clock.advance(300)  # the code has expired
        reply = browser.bring(response)
        if reply.status != 303:
            break

    assert browser.trail == ["303 /login", "303 /callback", "400 /callback"]
    assert b"Please log in again" in reply.body
    assert b'href="/login?return_to=%2Forders"' in reply.body


@KINDS
def test_a_callback_by_post_brings_the_cookies_of_its_login(awaits: bool) -> None:
    browser = Visitor(at=house(awaits=awaits, settings=form_post()))
    challenge = browser.ask("/orders")
    started = browser.ask(challenge.header("location") or "")
    cookies = [value for name, value in started.headers if name == "set-cookie"]

    done = browser.bring(browser.at_provider(started))

    assert all("SameSite=None; Secure" in each for each in cookies)
    assert (done.status, done.header("location")) == (303, "/orders")
    (session,) = [value for _, value in done.headers if value.startswith(COOKIE)]
    assert "SameSite=Lax" in session


# --- who may start what --------------------------------------------------------------------------


def test_a_login_by_post_starts_from_the_form_of_the_application_only() -> None:
    browser = Visitor(at=house(settings={"login_by_get": False}))

    page = browser.ask("/login?return_to=/orders")
    foreign = browser.ask("/login", form=[("return_to", "/orders")], headers=ELSEWHERE)
    started = browser.ask("/login", form=[("return_to", "/orders")])

    assert page.status == 200
    assert b'<form method="post" action="/login">' in page.body
    assert page.header("referrer-policy") == "strict-origin"
    assert "frame-ancestors 'none'" in (page.header("content-security-policy") or "")
    assert foreign.status == 403
    assert b"other_site" in foreign.body
    assert browser.bring(browser.at_provider(started)).header("location") == "/orders"


def test_a_logout_by_another_site_ends_nothing() -> None:
    browser = Visitor(at=house())
    browser.log_in()

    foreign = browser.ask("/logout", form=[], headers=ELSEWHERE)
    linked = browser.ask("/logout", headers=ELSEWHERE)

    assert (foreign.status, linked.status) == (403, 200)
    assert browser.session is not None


@pytest.mark.parametrize(
    "hostile",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/a//b", "javascript:x", "/\t/e"],
)
def test_the_way_back_is_a_path_of_the_application(hostile: str) -> None:
    browser = Visitor(at=house())
    started = browser.at.web.login(browser.request("/login", form=[("return_to", hostile)]))
    browser.keep(started)

    assert browser.bring(browser.at_provider(started)).header("location") == "/"


def test_a_script_gets_a_status_and_starts_nothing() -> None:
    browser = Visitor(at=house())

    fetched = browser.ask("/orders", headers=FETCH)
    htmx = browser.ask(
        "/orders/1",
        headers={**FETCH, "hx-request": "true", "hx-current-url": f"{BASE}/orders?page=2"},
    )
    login = browser.ask("/login", headers=FETCH)

    assert (fetched.status, fetched.header("content-type")) == (401, "application/json")
    assert fetched.body == b'{"error":"login_required","login_url":"/login"}'
    assert fetched.header("www-authenticate") is None
    assert (htmx.status, htmx.header("hx-redirect")) == (
        401,
        "/login?return_to=%2Forders%3Fpage%3D2",
    )
    assert login.status == 401
    assert browser.cookies == {}


# --- the provider ends sessions, and tokens ------------------------------------------------------


@KINDS
def test_a_backchannel_logout_ends_all_sessions_of_the_user(awaits: bool) -> None:
    here = house(awaits=awaits)
    browsers = [Visitor(at=here), Visitor(at=here)]
    for each in browsers:
        each.log_in()
    assert [each.session is not None for each in browsers] == [True, True]

    told = here.provider.backchannel_logout(here.clock.now(), sub="alice")
    form = [("logout_token", told.logout_token)]
    reply = Visitor(at=here).ask("/backchannel-logout", form=form, headers=ELSEWHERE)

    assert reply.status == 200
    assert [each.session for each in browsers] == [None, None]
    assert browsers[0].ask("/orders").status == 303


@KINDS
def test_a_logout_that_comes_while_a_login_is_finished_ends_it(awaits: bool) -> None:
    here = house(awaits=awaits)
    browser = Visitor(at=here)
    response = browser.at_provider(browser.ask("/login"))
    reserved: list[str] = []

    def meanwhile(name: str, key: str) -> None:
        if name == "create" and key.startswith("web-session:") and not reserved:
            reserved.append(key.partition(":")[2])
            sessions = RecordSessions(here.records, SEALING_SECRET)
            sessions.end(reserved[0])

    here.records.before = meanwhile
    refused = browser.bring(response)
    here.records.before = lambda _name, _key: None

    assert refused.status == 400
    assert b"session_ended" in refused.body
    assert browser.session is None


def test_a_frontchannel_logout_ends_the_session_of_its_sid() -> None:
    browser = Visitor(at=house())
    browser.log_in()
    session = browser.session
    assert session is not None
    browser.at.clock.advance(60)
    sid = browser.at.web.tokens(session).fresh().sid

    frame = browser.ask(
        f"/frontchannel-logout?iss=https%3A%2F%2Fop.example&sid={sid}", headers={"cookie": ""}
    )

    assert frame.status == 200
    assert browser.session is None


def test_five_requests_at_once_refresh_once() -> None:
    from concurrent.futures import ThreadPoolExecutor

    browser = Visitor(at=house())
    browser.log_in()
    session = browser.session
    assert session is not None
    browser.at.clock.advance(4_000)
    sent = len(browser.at.transport.exchanges)

    def fresh(_: int) -> str:
        token: str = browser.at.web.tokens(session).fresh().access_token
        return token

    with ThreadPoolExecutor(5) as pool:
        found = set(pool.map(fresh, range(5)))

    asked = [request.url for request, _ in browser.at.transport.exchanges[sent:]]
    assert len(found) == 1
    assert len([url for url in asked if url.endswith("/token")]) == 1


@KINDS
def test_tokens_that_are_over_end_the_session_and_ask_for_a_login(awaits: bool) -> None:
    browser = Visitor(at=house(awaits=awaits))
    browser.log_in()
    session = browser.session
    assert session is not None
    browser.at.clock.advance(120)
    settled(browser.at.web.tokens(session).end())
    with pytest.raises(OidcError) as ended:
        settled(browser.at.web.tokens(session).fresh())

    reply = settled(browser.at.web.failed(browser.request("/orders"), ended.value))

    assert reply.header("location") == "/login?return_to=%2Forders"
    assert browser.session is None


def test_a_session_that_fails_at_once_leads_to_a_page_and_not_in_circles() -> None:
    browser = Visitor(at=house())
    browser.log_in()

    error = StoreFailure("grant_expired")
    reply = browser.at.web.failed(browser.request("/orders"), error)

    assert reply.status == 400
    assert b"Please log in again" in reply.body
    assert browser.session is None


def test_a_page_that_failed_is_where_trying_again_leads() -> None:
    browser = Visitor(at=house())
    browser.log_in()

    for error, again in (
        (StoreFailure("refresh_busy"), "/login?return_to=%2Forders%3Fpage%3D2"),
        (CallbackError("state_unknown"), "/login"),
    ):
        reply = browser.at.web.failed(browser.request("/orders?page=2"), error)
        assert f'<a href="{again}">'.encode() in reply.body

    way_back = browser.ask("/login?return_to=%2Forders%3Fpage%3D2")
    assert way_back.header("location") == "/orders?page=2"


def test_an_error_of_a_script_is_json() -> None:
    browser = Visitor(at=house())
    error = StoreFailure("refresh_busy", retry_after=3)

    reply = browser.at.web.failed(browser.request("/orders", headers=FETCH), error)

    assert (reply.status, reply.header("retry-after")) == (503, "3")
    assert reply.body == b'{"error":"refresh_busy","kind":"later"}'


@KINDS
def test_a_store_that_is_away_logs_nobody_out(awaits: bool) -> None:
    browser = Visitor(at=house(awaits=awaits))
    browser.log_in()

    def away(_name: str, _key: str) -> None:
        raise ConnectionError

    browser.at.records.before = away
    page, left = browser.ask("/orders"), browser.ask("/logout", form=[])
    browser.at.records.before = lambda _name, _key: None

    assert (page.status, left.status) == (503, 503)
    assert browser.session is not None


@KINDS
def test_a_provider_that_is_down_keeps_nobody_logged_in(awaits: bool) -> None:
    browser = Visitor(at=house(awaits=awaits))
    browser.log_in()
    session = browser.session
    browser.at.provider.misbehave = "metadata_500"
    other = Visitor(at=house(awaits=awaits, beside=browser.at), cookies=browser.cookies)

    left = other.ask("/logout", form=[])

    assert (left.status, left.header("location")) == (303, "/")
    assert browser.session is None
    with pytest.raises(OidcError) as ended:
        settled(browser.at.web.tokens(session).fresh())
    assert ended.value.code == "grant_ended"


@KINDS
def test_a_session_is_known_to_every_process(awaits: bool) -> None:
    browser = Visitor(at=house(awaits=awaits, pending=cookie_logins()))
    other = house(awaits=awaits, pending=cookie_logins(), beside=browser.at)
    elsewhere = Visitor(at=other, cookies=browser.cookies)

    response = browser.at_provider(browser.ask("/login?return_to=/orders"))

    assert elsewhere.bring(response).header("location") == "/orders"
    assert browser.ask("/orders").body == b"page of alice"


@KINDS
def test_the_application_is_told_each_failure_once(awaits: bool) -> None:
    told: list[OidcError] = []
    here = house(awaits=awaits, settings={"on_failure": told.append})
    browser = Visitor(at=here)

    response = browser.at_provider(browser.ask("/login"))
    here.provider.misbehave = "token_500"
    page = browser.bring(response)
    script = browser.ask("/login", form=[], headers=FETCH)
    browser.ask("/orders")

    assert (page.status, script.status) == (503, 200)
    assert [error.code for error in told] == ["http_status_unexpected"]


# --- the application's own accounts -------------------------------------------------------------


@KINDS
def test_a_user_whom_the_application_refuses_gets_no_session(awaits: bool) -> None:
    asked: list[LoggedIn] = []
    calls: list[tuple[str, str]] = []

    def admit(logged_in: LoggedIn) -> bool:
        asked.append(logged_in)
        return logged_in.identity.subject == "alice"

    here = house(awaits=awaits, settings={"admit": admit})
    bob = Visitor(at=here)
    here.records.after = lambda name, key: calls.append((name, key))
    page = bob.bring(bob.at_provider(bob.ask("/login"), user="bob"))

    assert (page.status, b"account_refused" in page.body) == (403, True)
    assert (bob.session, bob.cookies) == (None, {})
    grant = next(key for name, key in calls if name == "create")
    assert calls.count(("replace", grant)) == 1  # it has ended: nobody can use its tokens
    assert Visitor(at=here).log_in("/orders").header("location") == "/orders"
    assert [each.identity.subject for each in asked] == ["bob", "alice"]


@KINDS
def test_an_application_that_does_not_say_lets_nobody_in(awaits: bool) -> None:
    def admit(logged_in: LoggedIn) -> Any:
        assert logged_in.return_to == "/"  # and nothing is returned

    browser = Visitor(at=house(awaits=awaits, settings={"admit": admit}))
    page = browser.log_in("/")

    assert (page.status, b"config_invalid" in page.body) == (500, True)
    assert browser.session is None


@KINDS
def test_what_an_application_raises_is_its_own_and_no_session_begins(awaits: bool) -> None:
    def admit(logged_in: LoggedIn) -> bool:
        raise LookupError(logged_in.identity.subject)

    here = house(awaits=awaits, settings={"admit": admit})
    browser = Visitor(at=here)
    response = browser.at_provider(browser.ask("/login"))

    with pytest.raises(LookupError, match="alice"):
        browser.bring(response)
    assert browser.session is None


def test_an_application_that_awaits_may_await_its_answer() -> None:
    async def admit(logged_in: LoggedIn) -> bool:
        await asyncio.sleep(0)
        return logged_in.identity.subject == "alice"

    here = house(awaits=True, settings={"admit": admit})

    assert Visitor(at=here).log_in("/orders").header("location") == "/orders"
    bob = Visitor(at=here)
    assert bob.bring(bob.at_provider(bob.ask("/login"), user="bob")).status == 403


def test_an_application_that_waits_awaits_nothing() -> None:
    async def admit(_: LoggedIn) -> bool:
        return True

    error = refused(UsageError, "config_invalid", lambda: house(settings={"admit": admit}))

    assert error.about == "admit"


# --- step-up -------------------------------------------------------------------------------------

PASSKEY: Final = AuthenticationRequest(acr_values="urn:example:two-factor")


@KINDS
def test_a_view_asks_for_more_and_the_browser_comes_back_to_it(awaits: bool) -> None:
    here = house(awaits=awaits, settings={"claims": ("acr",)})
    browser = Visitor(at=here)
    browser.log_in("/")
    before = browser.session

    wanted = settled(here.web.step_up(browser.request("/safe?door=2"), PASSKEY))
    browser.keep(wanted)
    back = browser.bring(browser.at_provider(wanted))

    assert before is not None
    assert before.claims["acr"] == "urn:example:password"
    assert back.header("location") == "/safe?door=2"
    assert browser.session is not None
    assert browser.session.claims["acr"] == "urn:example:two-factor"


def test_a_script_gets_no_step_up() -> None:
    here = house(settings={"evidence": True})
    browser = Visitor(at=here)

    reply = here.web.step_up(browser.request("/safe", headers=FETCH), PASSKEY)

    assert (reply.status, reply.header("set-cookie")) == (401, None)


@KINDS
@pytest.mark.parametrize("by_get", [False, True])
def test_a_link_to_a_step_up_starts_a_login_of_nobody_only_where_links_do(
    awaits: bool, by_get: bool
) -> None:
    here = house(awaits=awaits, settings={"login_by_get": by_get, "claims": ("acr",)})
    request = Visitor(at=here).request("/safe", headers=ELSEWHERE)

    reply = settled(here.web.step_up(request, PASSKEY))

    starts = (reply.header("location") or "").startswith("https://op.example/authorize?")
    assert (reply.status, starts) == (303, by_get)
    assert starts or reply.header("location") == "/login?return_to=%2Fsafe"


@KINDS
@pytest.mark.parametrize(
    "asked", [PASSKEY, AuthenticationRequest(required_acr=("urn:example:two-factor",))]
)
def test_a_step_up_that_no_view_can_see_is_refused(
    awaits: bool, asked: AuthenticationRequest
) -> None:
    here = house(awaits=awaits)
    request = Visitor(at=here).request("/safe")

    error = refused(UsageError, "config_invalid", lambda: settled(here.web.step_up(request, asked)))

    assert error.about == "claims"


@KINDS
def test_a_provider_that_has_less_than_a_step_up_requires_is_not_asked(awaits: bool) -> None:
    here = house(awaits=awaits, settings={"claims": ("acr",)})
    browser = Visitor(at=here)
    browser.log_in()
    asked = AuthenticationRequest(required_acr=("urn:example:more-than-there-is",))

    page = settled(here.web.step_up(browser.request("/safe"), asked))

    assert (page.status, b"unsupported_by_provider" in page.body) == (500, True)


@KINDS
def test_a_user_whom_the_provider_has_to_ask_gets_a_form_that_starts_a_login(awaits: bool) -> None:
    """A link would lead back to the page, since the user is still logged in here."""
    here = house(awaits=awaits)
    browser = Visitor(at=here)
    browser.log_in("/")

    silent = AuthenticationRequest(prompt="none")
    wanted = settled(here.web.step_up(browser.request("/safe?door=2"), silent))
    browser.keep(wanted)
    page = browser.bring(browser.at_provider(wanted))
    started = browser.ask("/login", form=[("return_to", "/safe?door=2")])

    form = (
        b'<form method="post" action="/login">'
        b'<input type="hidden" name="return_to" value="/safe?door=2"><button>Log in</button>'
    )
    assert (page.status, form in page.body, b"provider_error" in page.body) == (403, True, True)
    assert page.header("referrer-policy") == "strict-origin"
    assert browser.session is not None
    assert browser.bring(browser.at_provider(started)).header("location") == "/safe?door=2"


# --- settings ------------------------------------------------------------------------------------


def test_settings_are_judged() -> None:
    here, judged = house(), cast("Any", WebLogin)
    for wrong in (
        (here.client, RecordSessions),
        (here.client, None),
        ("client", here.sessions),
        (here.client, here.sessions, "setup"),
    ):
        refused(UsageError, "config_invalid", partial(judged, *wrong))


@KINDS
@pytest.mark.parametrize("keeps", [False, True])
def test_a_session_keeps_what_was_checked_where_the_setup_says_so(
    awaits: bool, keeps: bool
) -> None:
    settings = {"evidence": keeps}
    browser = Visitor(at=house(awaits=awaits, settings=settings, setup={"policy": Policy()}))

    browser.log_in()

    assert browser.session is not None
    told = [each["of"] for each in browser.session.evidence]
    assert told == (["authorization_response", "id_token", "userinfo"] if keeps else [])


@KINDS
def test_a_page_of_another_site_opens_no_websocket_with_a_session(awaits: bool) -> None:
    browser = Visitor(at=house(awaits=awaits))
    browser.log_in()

    def found(**headers: str) -> bool:
        asked = {"upgrade": "websocket", "cookie": browser.header, **headers}
        request = WebRequest.of("GET", "/talk", headers=asked.items())
        return settled(browser.at.web.user(request)) is not None

    assert found(origin=BASE)
    assert not found(origin="https://other.rp.example")
    assert not found()


@KINDS
def test_all_routes_by_their_paths(awaits: bool) -> None:
    web = house(awaits=awaits).web

    assert web.routes() == {
        "/login": web.login,
        "/logout": web.logout,
        "/callback": web.callback,
        "/goodbye": web.after_logout,
        "/backchannel-logout": web.backchannel_logout,
        "/frontchannel-logout": web.frontchannel_logout,
    }
    assert web.cookie_names == ("__Host-session",)
    refused(UsageError, "config_invalid", lambda: web.routes("/app"))
    refused(UsageError, "parameter_invalid", lambda: web.routes(1))


@KINDS
def test_routes_of_an_application_below_a_path(awaits: bool) -> None:
    uri = f"{BASE}/app/callback"
    clients = (evolve(CLIENT, redirect_uris=(uri,)),)
    paths = {"login_path": "/app/login", "logout_path": "/app"}
    web = house(awaits=awaits, settings=paths, setup={"redirect_uri": uri}, clients=clients).web

    assert web.routes("/app/") == {
        "/login": web.login,
        "/": web.logout,
        "/callback": web.callback,
        "/backchannel-logout": web.backchannel_logout,
        "/frontchannel-logout": web.frontchannel_logout,
    }


@KINDS
def test_a_closed_client_takes_no_login(awaits: bool) -> None:
    browser = Visitor(at=house(awaits=awaits))

    settled(browser.at.web.close())

    assert browser.ask("/login").status == 500
