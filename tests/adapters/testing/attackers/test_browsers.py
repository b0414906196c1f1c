"""Browsers: cookies as they are set and deleted."""

from oidc_adapters.testing.attackers.browsers import TABS, Browser
from oidc_core.wire.cookies import SetCookie


def test_a_browser_keeps_cookies_until_they_are_deleted() -> None:
    browser = Browser("alice")
    browser.receive((SetCookie("a", "1", 60, "Lax", True), SetCookie("b", "2", 60, "Lax", True)))
    assert browser.header == "a=1; b=2"

    browser.receive((SetCookie("a", "", 0, "Lax", True),))

    assert browser.header == "b=2"


def test_each_browser_has_tabs_of_its_own() -> None:
    first, second = Browser("alice"), Browser("bob")

    assert len(first.tabs) == TABS
    assert {*map(id, first.tabs)}.isdisjoint(map(id, second.tabs))
