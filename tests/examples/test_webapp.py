"""The example web application, by Flask's test client and a fake provider in memory."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from socket import create_server
from typing import TYPE_CHECKING, Any, Final
from urllib.request import urlopen

import pytest
from examples.webapp.application import POLICY, web_application
from examples.webapp.configuration import Configuration, read
from examples.webapp.fake import fake_provider
from examples.webapp.serving import HERE, main, running
from examples.webapp.wording import lines, moment

from oidc_adapters import FrozenClock, MemoryRecords, SystemClock
from oidc_adapters.testing import FakeClient, FakeProvider, InMemoryTransport
from oidc_core import JsonObject, UsageError
from tests.adapters.web.visiting import NAVIGATION
from tests.parties import refused

if TYPE_CHECKING:
    from collections.abc import Generator

BASE: Final = "https://rp.example"
CLIENT: Final = FakeClient(post_logout_redirect_uris=(f"{BASE}/after-logout",))


class Site:
    """The application and a browser."""

    def __init__(self, provider: FakeProvider | None = None, **changed: Any) -> None:
        self.provider = provider or FakeProvider(clients=(CLIENT,))
        self.transport = InMemoryTransport(self.provider)
        self.clock = FrozenClock(SystemClock().now())
        settings: dict[str, Any] = {
            "issuer": self.provider.issuer,
            "client_id": CLIENT.client_id,
            "client_secret": CLIENT.client_secret,
            "scopes": ("openid", "profile", "email", "offline_access"),
            "redirect_uri": f"{BASE}/callback",
            "post_logout_redirect_uri": f"{BASE}/after-logout",
            **changed,
        }
        records = MemoryRecords(clock=self.clock, elapsed=lambda: float(self.clock.now()))
        self.app = web_application(
            Configuration(**settings), OIDC_TRANSPORT=self.transport, OIDC_RECORDS=records
        )
        self.browser: Any = self.app.test_client()

    def ask(self, url: str, method: str = "GET", **named: Any) -> Any:
        return self.browser.open(url, base_url=BASE, method=method, headers=NAVIGATION, **named)

    def at_provider(self, **named: Any) -> Any:
        """Press *Log in*, decide at the provider, and come back."""
        started = self.ask("/login", "POST", data={"return_to": "/claims"})
        response = self.provider.authorize(started.location, SystemClock().now(), **named)
        return self.ask(response.url.removeprefix(BASE))


class Reader(HTMLParser):
    """Finds what the policy of the pages forbids."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = [name for name, _ in attrs if name == "style" or name.startswith("on")]
        self.inline += [*named, *([tag] if tag in {"script", "style"} else [])]


def test_a_login_shows_the_claims_and_what_was_checked() -> None:
    site = Site()
    start = site.ask("/")
    arrived = site.at_provider()
    page = site.ask("/claims")

    assert '<form method="post" action="/login">' in start.text
    assert arrived.location == "/claims"
    for shown in ("Hello, Alice Adams", "alice@op.example", "The ID token", "RS256", "UserInfo"):
        assert shown in page.text
    assert page.text.count('<li class="passed">') > 15
    assert "You are logged in" in site.ask("/").text


def test_a_refresh_shows_that_the_tokens_changed_and_no_token() -> None:
    site = Site()
    site.at_provider()
    too_soon = site.ask("/refresh", "POST")
    first = site.ask("/claims").text
    site.clock.advance(10)
    refreshed = site.ask("/refresh", "POST")
    page = site.ask("/claims").text

    assert (too_soon.location, refreshed.location) == ("/claims#tokens", "/claims#tokens")
    assert "only some seconds old" in first
    assert "The access token #" in page
    assert "The refresh token was replaced, too." in page
    issued = (*site.provider.ledger.access_tokens, *site.provider.ledger.refresh_tokens)
    assert len(issued) >= 4
    assert not [token for token in issued if token in page]


def test_a_refresh_without_a_refresh_token() -> None:
    site = Site(scopes=("openid", "profile"))
    site.at_provider()
    page = site.ask("/claims").text
    site.ask("/refresh", "POST")

    assert "the login service gave none" in page
    assert 'action="/refresh"' not in page
    assert "gave no refresh token" in site.ask("/claims").text


def test_an_application_that_refreshes_nothing() -> None:
    site = Site(do_refresh=False)
    site.at_provider()

    assert "it refreshes no tokens" in site.ask("/claims").text
    assert site.ask("/refresh", "POST").location == "/claims#tokens"
    assert "replaced" not in site.ask("/claims").text


def test_a_refresh_that_the_provider_refuses_leads_to_a_page() -> None:
    site = Site()
    site.at_provider()
    site.clock.advance(10)
    site.provider.ledger.refresh_tokens.clear()
    page = site.ask("/refresh", "POST")

    assert page.status_code == 400
    assert "Please log in again" in page.text
    assert site.ask("/claims").location == "/login?return_to=%2Fclaims"


def test_a_logout_ends_here_and_at_the_provider() -> None:
    site = Site()
    site.at_provider()
    left = site.ask("/logout", "POST")
    back = site.provider.end_session(left.location, SystemClock().now())
    assert back is not None
    after = site.ask(back.removeprefix(BASE))

    assert after.location == "/goodbye"
    assert "You are logged out" in site.ask("/goodbye").text
    assert site.ask("/claims").status_code == 303


def test_a_user_who_is_logged_in_is_not_told_good_bye() -> None:
    site = Site()
    site.at_provider()

    assert site.ask("/goodbye").location == "/"


@pytest.mark.parametrize(
    ("url", "method", "status", "title"),
    [
        ("/nowhere", "GET", 404, "There is no such page"),
        ("/refresh", "GET", 405, "This page is opened in another way"),
        ("/callback", "GET", 400, "Something went wrong"),
        ("/login", "GET", 200, "Log in"),
        ("/logout", "GET", 200, "Log out?"),
    ],
)
def test_every_page_has_a_title_and_a_way_on(
    url: str, method: str, status: int, title: str
) -> None:
    page = Site().ask(url, method)

    assert page.status_code == status
    assert f'<h1 id="title">{title}</h1>' in page.text
    assert 'class="ways"' in page.text
    assert ("<form" in page.text) or 'href="/">Go to the start page' in page.text


def test_a_login_that_was_refused_is_a_page_with_a_way_on() -> None:
    page = Site().at_provider(approve=False)

    assert page.status_code == 403
    assert "You are not logged in" in page.text
    assert 'href="/login?return_to=%2Fclaims"' in page.text


def test_a_provider_that_is_wrong_is_a_page_with_a_code() -> None:
    page = Site(FakeProvider(clients=(CLIENT,), misbehave="wrong_nonce")).at_provider()

    assert page.status_code >= 400
    assert "nonce_mismatch" in page.text


def test_no_page_has_anything_inline_or_from_elsewhere() -> None:
    site = Site()
    before = [site.ask(url) for url in ("/", "/login", "/nowhere", "/callback", "/goodbye")]
    site.at_provider()
    for page in (*before, *[site.ask(url) for url in ("/", "/claims", "/logout")]):
        assert page.headers["content-security-policy"] == POLICY
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] in {"same-origin", "strict-origin", "no-referrer"}
        assert Reader(page.text).inline == []
        assert 'lang="en"' in page.text
    with site.ask("/static/style.css") as style:
        assert not [found for found in ("@import", "url(") if found in style.text]


def test_what_a_provider_says_is_escaped() -> None:
    from oidc_adapters.testing import FakeUser

    nasty = "<script>alert(1)</script>"
    user = FakeUser(sub="mallory", claims={"name": nasty, "nickname": nasty, "groups": [nasty]})
    site = Site(FakeProvider(clients=(CLIENT,), users=(user,)), claims=("groups",))
    site.at_provider()
    page = site.ask("/claims")

    assert Reader(page.text).inline == []
    assert page.text.count("&lt;script&gt;") >= 3


# --- its settings --------------------------------------------------------------------------------

GOOD: Final = 'issuer = "https://op.example"\nclient_id = "rp"\nclient_secret = "secret"\n'


def test_the_template_names_every_setting(tmp_path: Path) -> None:
    text = (HERE / "config.toml.example").read_text("utf-8")
    filled = tmp_path / "config.toml"
    filled.write_text(text.replace('= ""', '= "given"'), "utf-8")

    assert read(filled) == Configuration(
        issuer="https://login.example.com", client_id="given", client_secret="given"
    )
    assert "secret" not in repr(read(filled)).replace("client_secret", "")


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("not toml", "config.toml"),
        ('issuer = "https://op.example"\n', "client_id"),
        (GOOD + "scope = 1\n", "scope"),
        (GOOD + 'scopes = "openid"\n', "scopes"),
        (GOOD + "scopes = [1]\n", "scopes"),
        (GOOD + 'do_refresh = "yes"\n', "do_refresh"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, about: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")

    assert refused(UsageError, "config_invalid", lambda: read(path)).about == about


def _free_port() -> int:
    with create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("https://", ""), "The settings do not fit"),
        (GOOD + 'post_logout_redirect_uri = "http://evil.example/"\n', "The settings do not fit"),
        (None, "The example cannot start"),
    ],
)
def test_a_start_that_fails_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, said: str
) -> None:
    path = tmp_path / "config.toml"
    if text is not None:
        path.write_text(
            text + f'redirect_uri = "http://localhost:{_free_port()}/callback"', "utf-8"
        )

    assert main([str(path)]) == 2
    assert said in capsys.readouterr().err


@pytest.fixture(scope="module")
def origin() -> Generator[str]:
    with running(fake_provider) as origin:
        yield origin


def test_it_runs_with_nothing_else(origin: str) -> None:
    with urlopen(f"{origin}/") as answer:
        assert "fake one" in answer.read().decode()


def test_a_port_in_use_is_said(origin: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--fake", "--port", origin.rpartition(":")[2]]) == 2
    assert "cannot start" in capsys.readouterr().err


# --- its words -----------------------------------------------------------------------------------


def test_claims_are_told_in_words() -> None:
    claims = JsonObject(
        {
            "groups": ("a", "b"),
            "address": JsonObject({"country": "NL"}),
            "email_verified": True,
            "updated_at": 0,
            "level": 3,
            "mixed": ("a", 1),
        }
    )
    told = {line.name: line.value for line in lines(claims)}

    assert list(told) == ["email_verified", "address", "updated_at", "groups", "level", "mixed"]
    assert told == {
        "email_verified": "yes",
        "address": '{"country":"NL"}',
        "updated_at": "1 January 1970, 00:00:00 UTC",
        "groups": "a, b",
        "level": "3",
        "mixed": '["a",1]',
    }


def test_a_time_that_nobody_knows() -> None:
    assert moment(None) == "unknown"
    assert moment(10**20) == str(10**20)
