"""The application's frame asks the provider's frame in a real browser (Session Management 1.0).

The provider is at 127.0.0.1, so an application at ``localhost`` is another site: the cookie of the
provider is a third-party one then, which Chromium sends as it is started here.
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


@pytest.fixture(params=["127.0.0.1", "localhost"], ids=["same-site", "cross-site"])
def application(request: pytest.FixtureRequest) -> Generator[Application]:
    with running(request.param) as application:
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


async def elsewhere(tab: Tab, *urls: str) -> None:
    """Go to URLs in another tab of the same browser."""
    other = await tab.page.context.new_page()
    for url in urls:
        await other.goto(url)
    await other.close()


@pytest.mark.req("OIDCSM-3.1-01", "OIDCSM-3.1-02", "OIDCSM-3.1-03")
def test_a_logout_at_the_provider_is_told_once(browser: Chromium, application: Application) -> None:
    """The module ``session-management`` of the OpenID Foundation's client tests."""

    async def steps() -> None:
        async with watching(browser, application) as watched:
            assert await watched.told() == ""
            # The provider's own frames are not shown, so the application does not know of it yet.
            await elsewhere_without_frames(watched.tab, application)
            await watched.hears("changed")
            await watched.tab.page.wait_for_timeout(1.5 * BEAT)
            assert await watched.told() == "changed;"
            assert await watched.tab.go(f"{application.origin}/again") == NOBODY
            assert application.sessions == {}

    browser.walk(steps())


async def elsewhere_without_frames(tab: Tab, application: Application) -> None:
    """Log out at the provider where no frame reaches the application."""
    other = await tab.page.context.new_page()
    await other.route("**/frame?*", lambda route: route.abort())
    await other.goto(f"{application.provider.issuer}/end-session")
    await other.close()


@pytest.mark.req("OIDCSM-3.1-05")
def test_the_same_user_in_another_session_goes_on_with_another_session_state(
    browser: Chromium, application: Application
) -> None:
    async def steps() -> None:
        async with watching(browser, application) as watched:
            (before,) = [each.logged_in for each in application.sessions.values()]
            await elsewhere_without_frames(watched.tab, application)
            # Another application of the same provider: its user is the same.
            login = application.client.start_login()
            await elsewhere(watched.tab, login.url)
            await watched.hears("changed")
            assert await watched.tab.go(f"{application.origin}/again") == HELLO
            after = [*application.sessions.values()][-1].logged_in
            assert after.identity == before.identity
            assert after.session_state != before.session_state
            watched = await watch(watched.tab, application)
            await watched.hears("unchanged")
            assert await watched.told() == ""

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
