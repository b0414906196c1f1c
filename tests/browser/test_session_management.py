"""The application's frame asks the provider's frame in a real browser (Session Management 1.0).

Application and provider are on one site, 127.0.0.1, but for the last test.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import pytest

from tests.browser.application import NOBODY, Application, running

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from playwright.async_api import Frame

    from tests.browser.chromium import Chromium, Tab

pytestmark = pytest.mark.slow

HELLO: Final = "hello, alice"
SPY: Final = """() => {
  window.heard = [];
  addEventListener("message", (event) => { if (event.origin === origin) heard.push(event.data); });
}"""
BEAT: Final = 1000
"""Milliseconds between two questions."""


@pytest.fixture
def application() -> Generator[Application]:
    with running("127.0.0.1") as application:
        yield application


class Watch:
    """A page of the application that watches, and what its frame hears of the provider."""

    def __init__(self, tab: Tab, frame: Frame) -> None:
        self.tab, self.frame = tab, frame

    async def hears(self, word: str) -> None:
        """Wait until the provider's frame answers by a word."""
        await self.frame.wait_for_function("word => heard.at(-1) === word", arg=word)

    async def heard(self) -> int:
        """Return how many answers there were."""
        count: int = await self.frame.evaluate("heard.length")
        return count

    async def told(self) -> str:
        """Return what the application's page was told."""
        return await self.tab.page.inner_text("#heard")


async def watch(tab: Tab, application: Application) -> Watch:
    """Open the page that watches."""
    await tab.page.goto(f"{application.origin}/watched")
    (frame,) = [each for each in tab.page.frames if each.url == f"{application.origin}/session"]
    await frame.evaluate(SPY)
    return Watch(tab, frame)


@asynccontextmanager
async def watching(browser: Chromium, application: Application) -> AsyncGenerator[Watch]:
    """Log in, and open the page that watches."""
    async with browser.tab() as tab:
        assert await tab.go(f"{application.origin}/login") == HELLO
        watched = await watch(tab, application)
        await watched.hears("unchanged")
        yield watched
        assert tab.errors == []


async def elsewhere(tab: Tab, url: str) -> None:
    """Go to a URL in another tab of the same browser; no frame reaches the application."""
    other = await tab.page.context.new_page()
    await other.route("**/frame?*", lambda route: route.abort())
    await other.goto(url)
    await other.close()


async def leave_provider(tab: Tab, application: Application) -> None:
    """Log out at the provider, as by another application."""
    await elsewhere(tab, f"{application.provider.issuer}/end-session")


@pytest.mark.req("OIDCSM-3.1-01", "OIDCSM-3.1-02", "OIDCSM-3.1-03")
def test_a_logout_at_the_provider_is_told_once(browser: Chromium, application: Application) -> None:
    """The module ``session-management`` of the OpenID Foundation's client tests."""

    async def steps() -> None:
        async with watching(browser, application) as watched:
            assert await watched.told() == ""
            await leave_provider(watched.tab, application)
            await watched.hears("changed")
            await watched.tab.page.wait_for_timeout(1.5 * BEAT)
            assert await watched.told() == "changed;"
            assert await watched.tab.go(f"{application.origin}/again") == NOBODY
            assert application.sessions == {}

    browser.walk(steps())


@pytest.mark.req("OIDCSM-3.1-05")
def test_the_same_user_in_another_session_goes_on_with_another_session_state(
    browser: Chromium, application: Application
) -> None:
    async def steps() -> None:
        async with watching(browser, application) as watched:
            (before,) = [each.logged_in for each in application.sessions.values()]
            await leave_provider(watched.tab, application)
            login = application.client.start_login()
            await elsewhere(watched.tab, login.url.replace("%2Fcallback", "%2Felsewhere"))
            await watched.hears("changed")
            assert await watched.tab.go(f"{application.origin}/again") == HELLO
            after = [*application.sessions.values()][-1].logged_in
            assert after.identity == before.identity
            assert after.session_state != before.session_state
            renewed = await watch(watched.tab, application)
            await renewed.hears("unchanged")
            assert await renewed.told() == ""

    browser.walk(steps())


@pytest.mark.req("OIDCSM-3.1-04")
def test_an_error_stops_the_questions_and_is_no_reason_for_a_login(
    browser: Chromium, application: Application
) -> None:
    async def steps() -> None:
        async with watching(browser, application) as watched:
            await watched.frame.evaluate("provider.postMessage('malformed', origin)")
            await watched.hears("error")
            count = await watched.heard()
            await watched.tab.page.wait_for_timeout(1.5 * BEAT)
            assert await watched.heard() == count
            assert await watched.told() == ""

    browser.walk(steps())


@pytest.mark.req("OIDCSM-3.1-02")
def test_messages_of_others_are_ignored(browser: Chromium, application: Application) -> None:
    async def steps() -> None:
        async with watching(browser, application) as watched:
            await watched.tab.page.evaluate("frames[0].postMessage('changed', '*')")
            await watched.frame.evaluate("postMessage('changed', '*')")
            count = await watched.heard()
            await watched.frame.wait_for_function("count => heard.length > count", arg=count)
            await watched.hears("unchanged")
            assert await watched.told() == ""

    browser.walk(steps())


def test_a_browser_that_blocks_the_cookie_of_another_site_says_changed_at_once(
    browser: Chromium,
) -> None:
    """A private window of Chromium blocks it; the login that follows brings the same user."""

    async def steps(application: Application) -> None:
        async with browser.tab() as tab:
            assert await tab.go(f"{application.origin}/login") == HELLO
            for _ in range(2):
                watched = await watch(tab, application)
                await watched.tab.page.wait_for_function(
                    "document.getElementById('heard').textContent === 'changed;'"
                )
                assert await tab.go(f"{application.origin}/again") == HELLO

    with running("localhost") as application:
        browser.walk(steps(application))
