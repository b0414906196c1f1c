"""The pages of the example, of the library and of its fake provider, judged by axe-core."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from examples.webapp.fake import fake_provider
from examples.webapp.serving import running

from oidc_adapters.web import Page, WayOn, page_html
from oidc_adapters.web.pages import elsewhere
from tests.browser.test_webapp import log_in, press
from tests.interop.install import Unavailable
from tests.interop.node import find_node, installed_packages

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.browser.chromium import Chromium, Tab

pytestmark = [pytest.mark.slow, pytest.mark.interop]

SOURCE: Final = Path(__file__).parent / "axe"
LOOKS: Final = pytest.mark.parametrize(
    "look",
    [
        {
            "viewport": {"width": width, "height": 800},
            "color_scheme": scheme,
            "bypass_csp": True,  # axe-core is a script, which no page of these may have
        }
        for width in (1280, 390)
        for scheme in ("light", "dark")
    ],
    ids=lambda look: f"{look['viewport']['width']}-{look['color_scheme']}",
)
HOME: Final = WayOn(label="Go to the start page", url="/")
OUT: Final = WayOn(label="Log out", url="/logout", method="post", fields=(("a", "b"),))
OWN: Final = (
    Page(title="Log out?", text="You will be logged out.", ways=(OUT, HOME)),
    elsewhere(HOME),
)


@pytest.fixture(scope="module")
def axe() -> Path:
    try:
        return installed_packages(find_node(), SOURCE) / "node_modules/axe-core/axe.min.js"
    except Unavailable as why:
        pytest.skip(f"no axe-core: {why}")


@pytest.fixture(scope="module")
def origin() -> Generator[str]:
    with running(fake_provider) as origin:
        yield origin


async def findings(tab: Tab, axe: Path) -> list[str]:
    """Return the findings of axe-core on the page, and its open questions."""
    await tab.page.add_script_tag(path=axe)
    result: dict[str, Any] = await tab.page.evaluate("axe.run()")
    assert len(result["passes"]) > 8, "axe-core has judged nothing"
    return [
        f"{tab.page.url}: {found['id']}: {node['html']} {node.get('failureSummary')}"
        for kind in ("violations", "incomplete")
        for found in result[kind]
        for node in found["nodes"]
    ]


@LOOKS
def test_the_example_has_no_findings(
    browser: Chromium, origin: str, axe: Path, look: dict[str, Any]
) -> None:
    async def steps() -> None:
        async with browser.tab(**look) as tab:
            page, found = tab.page, list[str]()
            await page.goto(f"{origin}/")
            found += await findings(tab, axe)
            await press(page, "Log in")
            found += await findings(tab, axe)
            await press(page, "Refuse")
            found += await findings(tab, axe)
            await page.goto(f"{origin}/callback")
            found += await findings(tab, axe)
            await page.goto(f"{origin}/nowhere")
            found += await findings(tab, axe)
            await page.goto(f"{origin}/login")
            found += await findings(tab, axe)
            await log_in(tab, origin)
            found += await findings(tab, axe)
            await page.get_by_text("How do we know this?").click()
            found += await findings(tab, axe)
            await press(page, "Refresh")
            found += await findings(tab, axe)
            await page.goto(f"{origin}/logout")
            found += await findings(tab, axe)
            await page.goto(f"{origin}/")
            found += await findings(tab, axe)
            await press(page, "Log out")
            found += await findings(tab, axe)
            assert found == []

    browser.walk(steps())


@LOOKS
def test_the_pages_of_the_library_have_no_findings(
    browser: Chromium, axe: Path, look: dict[str, Any]
) -> None:
    async def steps() -> None:
        async with browser.tab(**look) as tab:
            for page in OWN:
                await tab.page.set_content(page_html(page))
                assert await findings(tab, axe) == []

    browser.walk(steps())


def test_a_finding_is_seen(browser: Chromium, axe: Path) -> None:
    async def steps() -> None:
        async with browser.tab() as tab:
            pale = page_html(OWN[0]).replace("color:#1c1c1c", "color:#ccc")
            await tab.page.set_content(pale.replace(' lang="en"', ""))
            found = {each.split(": ")[1] for each in await findings(tab, axe)}
            assert {"html-has-lang", "color-contrast"} <= found

    browser.walk(steps())
