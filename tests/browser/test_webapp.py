"""The example web application and the fake provider, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest
from examples.webapp.fake import fake_provider
from examples.webapp.serving import running

if TYPE_CHECKING:
    from collections.abc import Generator

    from playwright.async_api import Page

    from tests.browser.chromium import Chromium, Tab

pytestmark = pytest.mark.slow

MOST_TABS: Final = 12
HELLO: Final = "Hello, Alice Adams"


@pytest.fixture(scope="module")
def origin() -> Generator[str]:
    with running(fake_provider) as origin:
        yield origin


async def press(page: Page, name: str) -> None:
    """Press a button with the mouse."""
    await page.get_by_role("button", name=name, exact=True).click()


async def log_in(tab: Tab, origin: str) -> None:
    """Log in as the first user, with the mouse."""
    await tab.page.goto(f"{origin}/")
    await press(tab.page, "Log in")
    await press(tab.page, "Sign in and allow")
    await tab.page.wait_for_url(f"{origin}/claims")


FOCUSED: Final = """() => {
    const each = document.activeElement;
    if (each === null || each === document.body) return null;
    return [each.innerText || each.value || "", getComputedStyle(each).outlineStyle];
}"""
"""What the focused element says, and its outline, both of one moment."""


async def tab_to(page: Page, text: str) -> None:
    """Press the Tab key until what has the focus says this; the focus can be seen."""
    await page.wait_for_load_state()  # the end of loading may move the focus
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        found: list[str] | None = await page.evaluate(FOCUSED)
        if found is None:
            continue  # after the last one comes the browser itself, then the first one
        said, style = found
        assert style != "none", said
        if said.startswith(text):
            return
    pytest.fail(f"no Tab leads to {text}")


def test_a_login_by_mouse(browser: Chromium, origin: str) -> None:
    async def steps() -> None:
        async with browser.tab() as tab:
            await log_in(tab, origin)
            page = tab.page
            told = page.get_by_text("The issuer is the provider, exactly")

            assert await page.title() == "Your data · Example application"
            assert HELLO in await tab.text()
            assert "alice@op.example" in await tab.text()
            assert not await told.is_visible()
            await page.get_by_text("How do we know this?").click()
            assert await told.is_visible()

            await press(page, "Refresh")
            assert "only some seconds old" in await tab.text()
            for _ in range(8):  # tokens younger than five seconds are not replaced
                await page.wait_for_timeout(1_000)
                await press(page, "Refresh")
                if "replaced" in await page.get_by_role("status").inner_text():
                    break
            assert re.search(r"access token #\w{8} .* was replaced by #\w{8} ", await tab.text())

            await press(page, "Log out")
            await page.wait_for_url(f"{origin}/goodbye")
            assert "You are logged out" in await tab.text()
            await page.goto(f"{origin}/claims")
            assert "/login?" in page.url
            assert tab.errors == []

    browser.walk(steps())


def test_a_login_by_keyboard_alone(browser: Chromium, origin: str) -> None:
    async def steps() -> None:
        async with browser.tab() as tab:
            page, keys = tab.page, tab.page.keyboard
            await page.goto(f"{origin}/")
            await keys.press("Tab")
            assert await page.locator(":focus").inner_text() == "Skip to the content"
            await keys.press("Enter")
            await tab_to(page, "Log in")
            await keys.press("Enter")
            await page.wait_for_url("**/authorize?**")
            await tab_to(page, "alice")
            await keys.press("ArrowDown")
            await keys.press("ArrowUp")
            await tab_to(page, "Sign in and allow")
            await keys.press("Enter")
            await page.wait_for_url(f"{origin}/claims")
            assert HELLO in await tab.text()

            await tab_to(page, "How do we know this?")
            await keys.press("Enter")
            assert await page.get_by_text("The issuer is the provider, exactly").is_visible()
            await tab_to(page, "Refresh")
            await keys.press("Enter")
            await page.get_by_role("status").wait_for()
            await tab_to(page, "Log out")
            await keys.press("Enter")
            await page.wait_for_url(f"{origin}/goodbye")
            assert tab.errors == []

    browser.walk(steps())


def test_a_user_who_refuses_gets_a_page_with_a_way_on(browser: Chromium, origin: str) -> None:
    async def steps() -> None:
        async with browser.tab() as tab:
            page = tab.page
            await page.goto(f"{origin}/")
            await press(page, "Log in")
            await press(page, "Refuse")
            assert "You are not logged in" in await tab.text()
            await page.get_by_role("link", name="Log in").click()
            await press(page, "Log in")
            await press(page, "Sign in and allow")
            await page.wait_for_url(f"{origin}/claims")

    browser.walk(steps())


def test_the_way_back_and_a_callback_that_is_loaded_again(browser: Chromium, origin: str) -> None:
    async def steps() -> None:
        async with browser.tab() as tab, browser.tab() as stranger:
            page, requested = tab.page, list[str]()
            page.on("request", lambda request: requested.append(request.url))
            await log_in(tab, origin)
            (callback,) = [url for url in requested if "/callback?" in url]
            await page.go_back()
            assert "Sign in" in await tab.text()
            await press(page, "Sign in and allow")
            await page.wait_for_url(f"{origin}/")
            assert "You are logged in" in await tab.text()

            await page.goto(callback)
            assert page.url == f"{origin}/"
            await page.get_by_role("link", name="Show your data").click()
            await page.reload()
            assert HELLO in await tab.text()

            assert "Please log in again" in await stranger.go(callback)
            await stranger.page.get_by_role("link", name="Go to the start page").click()
            assert "Log in with one click" in await stranger.text()

    browser.walk(steps())


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_is_wider_than_its_window(browser: Chromium, origin: str, width: int) -> None:
    async def steps() -> None:
        async with browser.tab(viewport={"width": width, "height": 800}) as tab:
            await log_in(tab, origin)
            await tab.page.get_by_text("How do we know this?").click()
            for path in ("/claims", "/", "/nowhere", "/logout", "/login"):
                await tab.page.goto(f"{origin}{path}")
                wide = await tab.page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, path

    browser.walk(steps())
