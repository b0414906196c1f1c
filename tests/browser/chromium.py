"""Debian's Chromium without a window, driven by Playwright, which downloads no browser here."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from importlib.util import find_spec
from shutil import which
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from playwright.async_api import Browser, ConsoleMessage, Page, Playwright, Response

PATIENCE: Final = 20.0
"""Seconds after which a browser that shows nothing is a failure."""
PROGRAMS: Final = ("chromium", "chromium-browser")
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def lacking() -> str | None:
    """Return what this machine lacks to run the browser, or nothing."""
    if find_spec("playwright") is None:
        return "the package playwright is needed"
    if _program() is None:
        return "a program named chromium is needed"
    return None


def _program() -> str | None:
    return next((found for each in PROGRAMS if (found := which(each))), None)


class Chromium:
    """A browser, and the loop that it is driven in."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def open(self) -> None:
        """Start the browser."""
        self._runner.run(self._open())

    async def _open(self) -> None:
        from playwright.async_api import async_playwright

        self._playwright = await async_playwright().start()
        self._browser = await self._playwright.chromium.launch(
            executable_path=_program(), headless=True, args=[*_FLAGS], timeout=1000 * PATIENCE
        )

    def close(self) -> None:
        """End the browser."""
        with self._runner:
            self._runner.run(self._close())

    async def _close(self) -> None:
        if self._browser is not None:
            await self._browser.close()
        if self._playwright is not None:
            await self._playwright.stop()

    def walk(self, steps: Coroutine[None, None, None]) -> None:
        """Let a person walk."""
        self._runner.run(asyncio.wait_for(steps, 2 * PATIENCE))

    @asynccontextmanager
    async def tab(self, **options: Any) -> AsyncGenerator[Tab]:
        """Open one tab of a browser that has been nowhere yet.

        Playwright's ``new_context`` explains the options, as in the size of the window.
        """
        assert self._browser is not None
        context = await self._browser.new_context(**options)
        context.set_default_timeout(1000 * PATIENCE)
        try:
            page = await context.new_page()
            yield Tab(page)
        finally:
            await context.close()


class Tab:
    """A tab; it writes down what its console says, and what its frames were answered.

    Attributes:
        page: as Playwright has it.
        errors: the errors and warnings of the console, but for a site without an icon.
        answered: status by URL, of every document in a frame.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors = list[str]()
        self.answered = dict[str, int]()
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("response", self._received)

    def _said(self, message: ConsoleMessage) -> None:
        asks_icon = message.location.get("url", "").endswith("/favicon.ico")
        if message.type in {"error", "warning"} and not asks_icon:
            self.errors.append(message.text)

    def _received(self, response: Response) -> None:
        if response.frame != self.page.main_frame:
            self.answered[response.url] = response.status

    async def go(self, url: str) -> str:
        """Load a page and return its text."""
        await self.page.goto(url)
        return await self.text()

    async def text(self) -> str:
        """Return the text of the page that is shown."""
        return await self.page.inner_text("body")
