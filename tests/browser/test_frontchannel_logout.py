"""The provider's logout page ends the session of an application, in a real browser.

The page is at 127.0.0.1.  An application at ``localhost`` is another site for the browser: its
frame gets no cookie.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.testing import serve
from tests.browser.application import COOKIE, NOBODY, Application, StagingProvider, running

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.browser.chromium import Chromium

HELLO = "hello, alice"


@pytest.fixture(params=["127.0.0.1", "localhost"], ids=["same-site", "cross-site"])
def application(request: pytest.FixtureRequest) -> Generator[Application]:
    with running(request.param) as application:
        yield application


def frame(application: Application, **named: str | None) -> str:
    """Return what a page has to have to load the application's frame."""
    query = urlencode({name: value for name, value in named.items() if value is not None})
    return f'<iframe src="{application.origin}/frame?{escape(query)}"></iframe>'


def sid_of(application: Application) -> str:
    """Return the provider's session of the only login."""
    (login,) = application.sessions.values()
    assert login.logged_in.tokens.sid is not None
    return login.logged_in.tokens.sid


@pytest.mark.req("OIDCFCL-2-05")
def test_a_logout_at_the_provider_ends_the_session(
    browser: Chromium, application: Application
) -> None:
    async def steps() -> None:
        async with browser.tab() as tab:
            assert await tab.go(f"{application.origin}/login") == HELLO
            sid = sid_of(application)

            text = await tab.go(f"{application.provider.issuer}/end-session")

            assert "Signed out" in text
            named = urlencode({"iss": application.provider.issuer, "sid": sid})
            assert tab.answered == {f"{application.origin}/frame?{named}": 200}
            assert tab.errors == []
            assert application.sessions == {}
            assert await tab.go(f"{application.origin}/") == NOBODY

    browser.walk(steps())
    crosses = application.origin.startswith("http://localhost")
    assert [COOKIE in cookie for cookie in application.framed] == [not crosses]


def test_a_logout_that_the_application_begins_comes_back_to_it(
    browser: Chromium, application: Application
) -> None:
    async def steps() -> None:
        async with browser.tab() as tab:
            await tab.go(f"{application.origin}/login")
            async with tab.page.expect_navigation(url=f"{application.origin}/?state=*"):
                await tab.go(f"{application.origin}/logout")
            assert await tab.text() == NOBODY
            assert [*tab.answered.values()] == [200]
            assert tab.errors == []

    browser.walk(steps())
    assert len(application.framed) == 1


def test_a_session_of_another_browser_ends_by_its_name_alone(
    browser: Chromium, application: Application
) -> None:
    async def steps() -> None:
        async with browser.tab() as tab, browser.tab() as other:
            await tab.go(f"{application.origin}/login")
            sid = sid_of(application)
            framing = frame(application, iss=application.provider.issuer, sid=sid)
            await other.go(application.provider.stage(framing))
            assert [*other.answered.values()] == [200]
            assert await tab.go(f"{application.origin}/") == NOBODY

    browser.walk(steps())
    assert application.framed == [""]


@pytest.mark.parametrize(
    ("named", "status"),
    [
        ({"iss": "https://other.example"}, 400),
        ({"sid": "unknown"}, 200),
        ({"sid": None}, 400),
        ({"iss": None}, 400),
        ({"iss": None, "sid": None}, 400),
    ],
    ids=["foreign issuer", "unknown sid", "no sid", "no issuer", "neither"],
)
def test_a_frame_that_names_no_session_of_the_provider_ends_nothing(
    browser: Chromium, application: Application, named: dict[str, str | None], status: int
) -> None:
    async def steps() -> None:
        async with browser.tab() as tab:
            await tab.go(f"{application.origin}/login")
            right = {"iss": application.provider.issuer, "sid": sid_of(application)}
            await tab.go(application.provider.stage(frame(application, **{**right, **named})))
            assert [*tab.answered.values()] == [status]
            assert await tab.go(f"{application.origin}/") == HELLO

    browser.walk(steps())
    assert len(application.sessions) == 1


def test_no_page_of_a_stranger_is_shown_the_frame(
    browser: Chromium, application: Application
) -> None:
    async def steps(stranger: StagingProvider) -> None:
        async with browser.tab() as tab:
            framing = frame(application, iss=application.provider.issuer, sid="unknown")
            await tab.go(stranger.stage(framing))
            assert any("frame-ancestors" in error for error in tab.errors), tab.errors

    with serve(StagingProvider(), SystemClock()) as served:
        assert isinstance(served.provider, StagingProvider)
        browser.walk(steps(served.provider))
