"""The documentation site in a browser: searched, on a phone, and judged by axe-core."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.browser.test_accessibility import axe, findings

if TYPE_CHECKING:
    from collections.abc import Generator

    from playwright.async_api import Request

    from tests.browser.chromium import Chromium

__all__ = ["axe"]

pytestmark = [pytest.mark.slow, pytest.mark.interop]

ROOT: Final = Path(__file__).resolve().parents[2]
SITE: Final = ROOT / "build" / "site"
PAGES: Final = (
    "index.html",
    "how-to/flask.html",
    "explanation/login-flow.html",
    "search.html?q=flask",
)
WIDE: Final = (
    "explanation/compared-with-authlib.html",
    "reference/settings.html",
    "reference/codes.html",
    "reference/steps.html",
)
UNSEEN: Final = "background color could not be determined"
"""axe-core says this about text at the edge of the window, whose colours it cannot judge."""
LOOKS: Final = pytest.mark.parametrize(
    "look",
    [
        {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
        {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    ],
    ids=lambda look: look["color_scheme"],
)


class Quiet(SimpleHTTPRequestHandler):
    """Serves the site and writes no log."""

    def log_message(self, *args: object, **kwargs: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def built() -> None:
    """The site is built, unless it is there as it must be."""
    subprocess.run([sys.executable, "scripts/site"], cwd=ROOT, check=True, timeout=300)


@pytest.fixture(scope="module")
def site(built: None) -> Generator[str]:
    """The address of the site on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=SITE)) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("state_mismatch", "reference/codes.html#state_mismatch"),
        ("nonce_mismatch", "reference/codes.html#nonce_mismatch"),
        ("Flask", "how-to/flask.html"),
        ("Django", "how-to/django.html"),
    ],
)
def test_the_search_finds_it_first(browser: Chromium, site: str, words: str, place: str) -> None:
    async def steps() -> None:
        async with browser.tab() as tab:
            await tab.page.goto(f"{site}/index.html")
            await tab.page.get_by_placeholder("Search").fill(words)
            await tab.page.keyboard.press("Enter")
            first = tab.page.locator("#search-results li a").first
            await first.click()
            await tab.page.wait_for_url(lambda url: "search.html" not in url)
            parts = urlsplit(tab.page.url)
            assert urlunsplit(("", "", parts.path, "", parts.fragment)) == f"/{place}"

    browser.walk(steps())


def test_the_search_needs_no_server(browser: Chromium, built: None) -> None:
    async def steps() -> None:
        async with browser.tab() as tab:
            await tab.page.goto(f"{SITE.as_uri()}/search.html?q=state_mismatch")
            first = tab.page.locator("#search-results li a").first
            assert await first.get_attribute("href") == "reference/codes.html#state_mismatch"
            assert await first.text_content() == "state_mismatch in Error codes"

    browser.walk(steps())


def test_nothing_is_loaded_from_elsewhere(browser: Chromium, site: str) -> None:
    asked = list[str]()

    def note(request: Request) -> None:
        asked.append(request.url)

    async def steps() -> None:
        async with browser.tab() as tab:
            tab.page.on("request", note)
            for place in (*PAGES, *WIDE):
                await tab.page.goto(f"{site}/{place}", wait_until="networkidle")
            assert tab.errors == []

    browser.walk(steps())
    assert len(asked) > len(PAGES)
    assert [url for url in asked if not url.startswith((f"{site}/", "data:"))] == []


@pytest.mark.parametrize("place", [*PAGES, *WIDE])
def test_a_phone_shows_a_page_without_moving_it_sideways(
    browser: Chromium, site: str, place: str
) -> None:
    async def steps() -> None:
        async with browser.tab(viewport={"width": 390, "height": 844}) as tab:
            await tab.page.goto(f"{site}/{place}")
            page = "document.documentElement"
            assert await tab.page.evaluate(f"{page}.scrollWidth - {page}.clientWidth") == 0

    browser.walk(steps())


@LOOKS
@pytest.mark.parametrize("place", PAGES)
def test_a_page_has_no_findings(
    browser: Chromium, site: str, axe: Path, look: dict[str, Any], place: str
) -> None:
    async def steps() -> None:
        async with browser.tab(**look) as tab:
            await tab.page.goto(f"{site}/{place}")
            found = await findings(tab, axe)
            assert [each for each in found if UNSEEN not in each] == []

    browser.walk(steps())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_is_shown_in_the_colours_of_the_page(
    browser: Chromium, site: str, scheme: str
) -> None:
    async def steps() -> None:
        async with browser.tab(color_scheme=scheme) as tab:
            await tab.page.goto(f"{site}/explanation/login-flow.html")
            shown = tab.page.locator(".picture img:visible")
            assert await shown.count() == 1
            source = await shown.get_attribute("src")
            assert source is not None
            assert source.endswith(f"-{scheme}.svg")
            assert "code" in (await shown.get_attribute("alt") or "")
            assert await shown.evaluate("(image) => image.naturalWidth") > 300

    browser.walk(steps())
