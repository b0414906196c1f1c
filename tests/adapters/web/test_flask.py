"""A Flask application, by Flask's own test client and a fake provider."""

from __future__ import annotations

from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.testing import InMemoryTransport
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.wire.errors import StoreFailure, UsageError
from tests.adapters.web.visiting import BASE, CLIENT, FETCH, NAVIGATION
from tests.flows.rig import honest_provider
from tests.parties import refused

flask: Any = pytest.importorskip("flask", reason="Flask is not installed")

SECRET: Final = "a secret of this application, 32 octets or more"


class Site:
    """An application and a browser."""

    def __init__(self, **config: Any) -> None:
        from oidc_adapters.web.flask import Oidc

        uri = config.get("OIDC_REDIRECT_URI", f"{BASE}/callback")
        left = config.get("OIDC_POST_LOGOUT_REDIRECT_URI", f"{BASE}/goodbye")
        known = evolve(CLIENT, redirect_uris=(uri,), post_logout_redirect_uris=(left,))
        self.provider = honest_provider(clients=(known,))
        self.transport = InMemoryTransport(self.provider)
        self.app = flask.Flask(__name__)
        self.app.config |= {
            "OIDC_ISSUER": self.provider.issuer,
            "OIDC_CLIENT_ID": CLIENT.client_id,
            "OIDC_CLIENT_SECRET": CLIENT.client_secret,
            "OIDC_REDIRECT_URI": uri,
            "OIDC_POST_LOGOUT_REDIRECT_URI": left,
            "OIDC_SECRET": SECRET,
            "OIDC_RECORDS": MemoryRecords(),
            "OIDC_TRANSPORT": self.transport,
            "OIDC_LOGIN_BY_GET": True,
            **config,
        }
        self.oidc = Oidc(self.app)
        oidc = self.oidc

        def index() -> str:
            return "nobody" if oidc.user is None else "somebody"

        @oidc.required
        def orders() -> str:
            return f"{oidc.session.identity.subject} {oidc.session.claims['name']}"

        @oidc.required
        def tokens() -> str:
            return str(bool(oidc.tokens.fresh().access_token))

        def later() -> str:
            raise StoreFailure("refresh_busy", retry_after=3)

        def wrong() -> str:
            return oidc.session.session_id

        views = {
            "/": index,
            "/orders": orders,
            "/tokens": tokens,
            "/later": later,
            "/wrong": wrong,
        }
        for path, view in views.items():
            self.app.add_url_rule(path, view_func=view)
        self.browser: Any = self.app.test_client()

    def ask(self, url: str, method: str = "GET", **named: Any) -> Any:
        headers = named.pop("headers", NAVIGATION)
        return self.browser.open(url, base_url=BASE, method=method, headers=headers, **named)

    def log_in(self, page: str = "/orders") -> Any:
        reply = self.ask(page)
        reply = self.ask(reply.location)
        response = self.provider.authorize(reply.location, SystemClock().now())
        return self.ask(response.url.removeprefix(BASE))


def test_a_page_is_for_users_who_are_logged_in() -> None:
    site = Site()

    assert site.ask("/").text == "nobody"
    assert site.ask("/orders?page=2").location == "/login?return_to=%2Forders%3Fpage%3D2"
    assert site.log_in("/orders?page=2").location == "/orders?page=2"
    assert site.ask("/orders").text == "alice Alice Adams"
    assert site.ask("/tokens").text == "True"
    assert site.ask("/").text == "somebody"


def test_a_logout_here_and_at_the_provider() -> None:
    site = Site()
    site.log_in()

    left = site.ask("/logout", "POST")
    back = site.provider.end_session(left.location, now=SystemClock().now())
    assert back is not None

    assert site.ask(back.removeprefix(BASE)).location == "/"
    assert site.ask("/orders").status_code == 303


def test_the_provider_logs_a_user_out() -> None:
    site = Site()
    site.log_in()
    told = site.provider.backchannel_logout(SystemClock().now(), sub="alice")

    reply = site.ask(
        "/backchannel-logout", "POST", data=told.form, content_type=told.content_type, headers={}
    )

    assert reply.status_code == 200
    assert site.ask("/orders").status_code == 303


def test_a_script_gets_a_status() -> None:
    reply = Site().ask("/orders", headers=FETCH)

    assert (reply.status_code, reply.json["error"]) == (401, "login_required")


def test_an_error_in_a_view_is_a_page() -> None:
    reply = Site().ask("/later")

    assert (reply.status_code, reply.headers["retry-after"]) == (503, "3")
    assert "Please try again in a few minutes" in reply.text


def test_a_view_without_a_user_is_told_so() -> None:
    reply = Site().ask("/wrong")

    assert reply.status_code == 500
    assert "parameter_invalid" in reply.text


def test_cookies_of_the_session() -> None:
    cookies = Site().log_in().headers.getlist("set-cookie")

    assert any(each.startswith("__Host-session=") for each in cookies)
    assert all("HttpOnly" in each and "Secure" in each for each in cookies)


def test_development_on_this_machine() -> None:
    site = Site(OIDC_REDIRECT_URI="http://localhost:5000/callback")

    started = site.ask("/login")

    assert "Secure" not in started.headers["set-cookie"]


def test_an_application_under_a_path(tmp_path: Any) -> None:
    site = Site(
        OIDC_REDIRECT_URI=f"{BASE}/app/callback",
        OIDC_LOGIN_PATH="/app/login",
        APPLICATION_ROOT="/app",
        OIDC_RECORDS=str(tmp_path / "oidc.db"),
    )
    rules = {str(rule) for rule in site.app.url_map.iter_rules()}

    assert {"/callback", "/login", "/logout", "/backchannel-logout"} <= rules


def test_a_view_may_be_a_coroutine_function() -> None:
    pytest.importorskip("asgiref", reason="asgiref is not installed")
    site = Site()

    @site.oidc.required
    async def awaited() -> str:
        return f"{site.oidc.session.identity.subject} later"

    site.app.add_url_rule("/awaited", view_func=awaited)

    assert site.ask("/awaited").status_code == 303
    site.log_in()
    assert site.ask("/awaited").text == "alice later"


def test_an_application_that_another_one_mounts() -> None:
    site = Site(
        OIDC_REDIRECT_URI=f"{BASE}/app/callback",
        OIDC_POST_LOGOUT_REDIRECT_URI=f"{BASE}/app/goodbye",
        OIDC_LOGIN_PATH="/app/login",
        OIDC_LOGOUT_PATH="/app/logout",
        OIDC_HOME="/app/",
        APPLICATION_ROOT="/app",
    )

    def ask(path: str) -> Any:
        return site.browser.open(path, base_url=f"{BASE}/app/", headers=NAVIGATION)

    challenge = ask("/orders")
    started = ask(challenge.location.removeprefix("/app"))
    response = site.provider.authorize(started.location, SystemClock().now())
    back = ask(response.url.removeprefix(f"{BASE}/app"))

    assert challenge.location == "/app/login?return_to=%2Fapp%2Forders"
    assert back.location == "/app/orders"
    assert ask("/orders").text == "alice Alice Adams"


def test_a_view_asks_for_more() -> None:
    site = Site(OIDC_CLAIMS=("name", "acr"))
    wanted = "urn:example:two-factor"

    @site.oidc.required
    def safe() -> Any:
        if site.oidc.session.claims.get("acr") == wanted:
            return "open"
        return site.oidc.step_up(AuthenticationRequest(acr_values=wanted))

    site.app.add_url_rule("/safe", view_func=safe)
    site.log_in()
    asked = site.ask("/safe?door=2")
    response = site.provider.authorize(asked.location, SystemClock().now())
    back = site.ask(response.url.removeprefix(BASE))

    assert back.location == "/safe?door=2"
    assert site.ask(back.location).text == "open"


def test_a_body_that_no_route_needs_is_refused_unread() -> None:
    reply = Site().ask("/callback", "POST", data=b"a" * 131_073)

    assert reply.status_code == 413


def test_settings_are_judged() -> None:
    for wrong in (
        {"OIDC_SECRET": None},
        {"OIDC_SECRET": "short"},
        {"OIDC_ISSUER": "op.example"},
        {"OIDC_RECORDS": 1},
        {"OIDC_HOME": "https://evil.example"},
    ):
        with pytest.raises(UsageError):
            Site(**wrong)


def test_the_tokens_of_nobody() -> None:
    site = Site()
    with site.app.test_request_context("/"):
        refused(UsageError, "parameter_invalid", lambda: site.oidc.tokens)


def test_caches_are_told_that_a_page_depends_on_the_cookie() -> None:
    site = Site()
    site.log_in()

    assert site.ask("/orders").headers["vary"] == "Cookie"
    assert site.ask("/").headers["vary"] == "Cookie"


def test_a_context_that_the_application_pushed_shares_no_session() -> None:
    site = Site()
    with site.app.app_context():  # as by `app.app_context().push()` in a module
        assert site.ask("/").text == "nobody"
        site.log_in()
        assert site.ask("/").text == "somebody"
        stranger = site.app.test_client()
        reply = stranger.open("/", base_url=BASE, headers=NAVIGATION)

    assert reply.text == "nobody"
