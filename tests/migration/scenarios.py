"""Users of an application before and after its migration; each scenario is for both sides."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tests.migration.stages import CLIENT, LIFETIME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.migration.stages import Stage, Visitor


def asks_for_a_login(browser: Visitor, page: str) -> bool:
    """Whether a page leads to the provider."""
    return browser.start(page).startswith(f"{browser.provider.issuer}/authorize?")


def login(stage: Stage) -> list[object]:
    """A user opens a page, logs in, and sees it."""
    answer = stage.browser().log_in("/orders")
    return [answer.status, answer.text]


def way_back(stage: Stage) -> list[object]:
    """The way back leads to the page that was asked for, with its query."""
    answer = stage.browser().log_in("/orders?page=2")
    return [answer.status, answer.text]


def refused(stage: Stage) -> list[object]:
    """The user cancels at the provider: the application asks for no tokens, and for a login."""
    stage.token_requests()
    browser = stage.browser()
    answer = browser.finish(browser.at_provider(browser.start("/orders"), approve=False))[0]
    return [answer.status, stage.token_requests(), asks_for_a_login(browser, "/orders")]


def logout(stage: Stage) -> list[object]:
    """A logout ends the session here and at the provider, which learns whose it was."""
    browser = stage.browser()
    browser.log_in("/orders")
    asked, answer = browser.leave()
    hinted = stage.provider.ledger.id_tokens[asked["id_token_hint"][0]].client_id
    came_back = asked["post_logout_redirect_uri"][0] in CLIENT.post_logout_redirect_uris
    shown = [hinted, came_back, answer.status, "Log out" in answer.text]
    return [*shown, asks_for_a_login(browser, "/orders")]


def api_call(stage: Stage) -> list[object]:
    """A page calls an API with the user's token."""
    stage.token_requests()
    browser = stage.browser()
    browser.log_in("/orders")
    return [json.loads(browser.ask("/report")[0].text), stage.token_requests()]


def refresh(stage: Stage, later: Callable[[Visitor], None] | None = None) -> list[object]:
    """The access token has expired: one request for another, and the page shows the same."""
    browser = stage.browser()
    stage.provider.token_lifetime = LIFETIME
    browser.log_in("/orders")
    stage.token_requests()
    stage.provider.token_lifetime = 3_600
    if later is None:
        stage.clock.moved += LIFETIME + 1
    else:
        later(browser)
    first, second = [json.loads(browser.finish("/report")[0].text) for _ in range(2)]
    return [first, first == second, stage.token_requests()]


SCENARIOS: Final[Mapping[str, Callable[..., list[object]]]] = MappingProxyType(
    {
        "login": login,
        "way back": way_back,
        "refused": refused,
        "logout": logout,
        "API call": api_call,
        "refresh": refresh,
    }
)
