"""The example web application at real providers, through their own pages in a real browser."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest
from examples.webapp.configuration import Configuration
from examples.webapp.serving import running as serving

from tests.browser.test_webapp import press
from tests.interop import parties
from tests.interop.install import Unavailable
from tests.interop.matrix import TRIED, Tried

if TYPE_CHECKING:
    from collections.abc import Generator

    from playwright.async_api import Page

    from tests.browser.chromium import Chromium

pytestmark = [pytest.mark.slow, pytest.mark.interop]


class Shown(NamedTuple):
    """A page of a provider: what a person types there, by the names of the fields, and presses."""

    typed: dict[str, str]
    pressed: str


PASSWORD: Final = {"password": parties.GIVEN.password}
LOGIN: Final = {
    "oidc_provider": (
        Shown({"login": "alice", "password": "any will do"}, "[type=submit]"),
        Shown({}, "form:has([value=consent]) [type=submit]"),
    ),
    "canaille": (
        Shown({"login": "alice"}, "form:has([name=login]) [type=submit]"),
        Shown(PASSWORD, "form:has([name=password]) [type=submit]"),
        Shown({}, "[name=answer][value=accept]"),
    ),
    "django_oauth_toolkit": (
        Shown({"username": "alice", **PASSWORD}, "button"),
        Shown({}, "[name=allow]"),
    ),
}
LOGOUT: Final = {
    "oidc_provider": (Shown({}, "[name=logout]"),),
    "canaille": (),
    "django_oauth_toolkit": (Shown({}, "[name=allow]"),),
}
NAMES: Final = {"oidc_provider": "Test alice", "canaille": "Alice Liddell"}


@contextmanager
def configured(tried: Tried, origin: str) -> Generator[Configuration]:
    """Start a provider, and register the application of that origin there."""
    callback, after = f"{origin}/callback", f"{origin}/after-logout"
    given = replace(parties.GIVEN, redirect_uri=callback, post_logout_redirect_uri=after)
    with parties.running(tried, given) as party:
        client_id, client_secret = party.register(
            {
                "id_token_alg": tried.id_token_alg,
                "redirect_uris": [callback],
                "post_logout_redirect_uris": [after],
            }
        )
        yield Configuration(
            issuer=party.issuer,
            client_id=client_id,
            client_secret=client_secret,
            redirect_uri=callback,
            post_logout_redirect_uri=after,
        )


@pytest.fixture(
    scope="module",
    params=[tried for tried in TRIED if tried.key in LOGIN],
    ids=lambda tried: tried.key,
)
def tried(request: pytest.FixtureRequest) -> Tried:
    found: Tried = request.param
    return found


@pytest.fixture(scope="module")
def origin(tried: Tried) -> Generator[str]:
    try:
        with serving(lambda origin: configured(tried, origin)) as origin:
            yield origin
    except Unavailable as why:
        pytest.skip(f"no {tried.name}: {why}")


async def walk(page: Page, shown: tuple[Shown, ...]) -> None:
    """Do what a person does on the pages of the provider."""
    for typed, pressed in shown:
        await page.locator(pressed).first.wait_for(state="attached")
        for name, text in typed.items():
            await page.locator(f"[name={name}]").fill(text)
        await page.locator(pressed).first.click()


def test_a_login_a_refresh_and_a_logout(browser: Chromium, origin: str, tried: Tried) -> None:
    async def steps() -> None:
        async with browser.tab() as tab:
            page = tab.page
            await page.goto(f"{origin}/")
            await press(page, "Log in")
            await walk(page, LOGIN[tried.key])
            await page.wait_for_url(f"{origin}/claims")
            text = await tab.text()
            assert f"Hello, {NAMES.get(tried.key, '')}" in text
            assert tried.id_token_alg in await page.inner_html("main")

            for _ in range(8):  # tokens younger than five seconds are not replaced
                await page.wait_for_timeout(1_000)
                await press(page, "Refresh")
                if "replaced" in await page.get_by_role("status").inner_text():
                    break
            assert "The refresh token was replaced, too." in await tab.text()

            await press(page, "Log out")
            await walk(page, LOGOUT[tried.key])
            await page.wait_for_url(f"{origin}/goodbye")
            assert "You are logged out" in await tab.text()
            await page.goto(f"{origin}/claims")
            assert "/login?" in page.url

    browser.walk(steps())
