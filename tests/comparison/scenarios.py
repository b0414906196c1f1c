"""What happens to people who log in, scenario by scenario; each returns what was seen."""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from tests.comparison.browser import FETCH, MOST
from tests.comparison.columns import CLIENT, WRONG, stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.comparison.columns import Column, Stage
    from tests.comparison.sites import Answer

TABS: Final = 14
AT_ONCE: Final = 5
LIFETIME: Final = 11
"""Seconds of an access token that is over soon; ours renews none that is younger than ten."""


def seen(answer: Answer) -> str:
    """Say in few words what a browser shows."""
    if _greets(answer):
        return f"{answer.status}, logged in"
    _, found, rest = answer.text.partition("Code: ")
    if found:
        return f"{answer.status}, page `{rest.partition('<')[0]}`"
    if answer.location:
        return f"{answer.status}, redirect without end"
    if answer.status >= 500:
        return f"{answer.status}, exception"
    return f"{answer.status}, page `{answer.text.replace('<h1>', '').replace('</h1>', '')[:40]}`"


def _greets(answer: Answer) -> bool:
    return answer.text.strip('"').startswith("Hello ")


def _logins(stage: Stage) -> str:
    return _count(len(stage.token_requests("authorization_code")), "code exchange")


def _count(number: int, what: str, plural: str = "s") -> str:
    return f"{number} {what}{'' if number == 1 else plural}"


def login(stage: Stage) -> str:
    """A login, as it should be."""
    return seen(stage.browser().log_in())


def two_tabs(stage: Stage) -> str:
    """Two tabs start a login one after the other; the older one finishes first."""
    browser = stage.browser()
    urls = [browser.start(), browser.start()]
    answers = [browser.finish(browser.at_provider(url))[0] for url in urls]
    return "; ".join(seen(answer) for answer in answers)


def _finished(answers: list[Answer]) -> str:
    count = sum(_greets(answer) for answer in answers)
    others = sorted({seen(each) for each in answers if not _greets(each)})
    return "; ".join([f"{count} of {len(answers)} logged in", *others])


def tabs_at_once(stage: Stage) -> str:
    """A browser restores fourteen tabs: all ask at the same time, and all come back so."""
    browser = stage.browser()
    urls = browser.starts(["/"] * TABS)
    return _finished(browser.finish(*[browser.at_provider(url) for url in urls]))


def tabs_in_turn(stage: Stage) -> str:
    """Fourteen tabs start a login in turn, then finish in turn."""
    browser = stage.browser()
    urls = [browser.start() for _ in range(TABS)]
    answers = [browser.finish(browser.at_provider(url))[0] for url in urls]
    return _finished(answers)


def back_button(stage: Stage) -> str:
    """After the login the user goes back to the provider's page, and sends it once more."""
    browser = stage.browser()
    url = browser.start()
    browser.finish(browser.at_provider(url))
    return seen(browser.finish(browser.at_provider(url))[0])


def replay(stage: Stage) -> str:
    """The browser asks for the same callback once more."""
    browser = stage.browser()
    callback = browser.at_provider(browser.start())
    browser.finish(callback)
    stage.mark()
    return f"{seen(browser.finish(callback)[0])}; {_logins(stage)}"


def wrong_state(stage: Stage) -> str:
    """The callback has another ``state``."""
    browser = stage.browser()
    stage.provider.misbehave = "wrong_state"
    callback = browser.at_provider(browser.start())
    stage.mark()
    return f"{seen(browser.finish(callback)[0])}; {_logins(stage)}"


def wrong_iss(stage: Stage) -> str:
    """The callback has the ``iss`` of another provider (RFC 9207)."""
    browser = stage.browser()
    stage.provider.misbehave = "wrong_iss"
    callback = browser.at_provider(browser.start())
    stage.mark()
    return f"{seen(browser.finish(callback)[0])}; {_logins(stage)}"


def down_at_start(stage: Stage) -> str:
    """The provider drops connections when the first login starts."""
    stage.provider.misbehave = "metadata_dropped"
    try:
        return f"led to {stage.browser().start()}"
    except LookupError as stopped:
        return seen(stopped.args[0])


def down_at_callback(stage: Stage) -> str:
    """The token endpoint drops connections."""
    browser = stage.browser()
    callback = browser.at_provider(browser.start())
    stage.provider.misbehave = "token_dropped"
    return seen(browser.finish(callback)[0])


def expiry(stage: Stage) -> str:
    """The access token is over, and five requests of one session need it at the same time."""
    browser = stage.browser()
    stage.provider.token_lifetime = LIFETIME
    browser.log_in()
    time.sleep(LIFETIME + 0.5)
    stage.provider.token_lifetime = 3_600
    stage.mark()
    answers = browser.ask(*["/report"] * AT_ONCE)
    statuses = stage.token_requests("refresh_token")
    refused = sum(status != 200 for status in statuses)
    good = sum(_has_report(answer) for answer in answers)
    later = "answered" if _has_report(browser.ask("/report")[0]) else "not answered"
    count = _count(len(statuses), "refresh", "es")
    told = f"{good} of {AT_ONCE} answered; {count}, {refused} refused as reuse"
    return f"{told}; the next request {later}"


def _has_report(answer: Answer) -> bool:
    return answer.status == 200 and '"sub":"alice"' in answer.text.replace(" ", "")


def cancelled(stage: Stage) -> str:
    """The user cancels at the provider (``access_denied``)."""
    browser = stage.browser()
    return seen(browser.finish(browser.at_provider(browser.start(), approve=False))[0])


def wrong_secret(stage: Stage) -> str:
    """The client secret is wrong, and the user has a session at the provider."""
    browser = stage.browser()
    answer = browser.log_in()
    loops = "" if browser.asked < MOST else ", a loop"
    return f"{seen(answer)}; {browser.asked} requests{loops}"


def login_csrf(stage: Stage) -> str:
    """The browser is led to the callback of a stranger's login."""
    stranger, browser = stage.browser("bob"), stage.browser()
    callback = stranger.at_provider(stranger.start())
    answer = browser.ask(callback)[0]
    then = browser.ask("/")[0]
    inside = "logged in as the stranger" if _greets(then) else "not logged in"
    return f"{seen(answer) if not answer.location else answer.status}; {inside}"


def way_back(stage: Stage) -> str:
    """A link to the login names a page elsewhere as the way back."""
    browser = stage.browser()
    names = ("return_to", "next", "url")
    link = "/login?" + urlencode(dict.fromkeys(names, "https://evil.example/"))
    callback = browser.at_provider(browser.start(link))
    answer = browser.ask(callback)[0]
    return f"led to `{answer.location}`"


def identifier(stage: Stage) -> str:
    """Whether a session has another identifier after the login."""
    browser = stage.browser()
    url = browser.start()
    before = dict(browser.cookies)
    browser.finish(browser.at_provider(url))
    kept = [name for name, value in browser.cookies.items() if before.get(name) == value]
    return "the same as before" if kept else "changed"


def script(stage: Stage) -> str:
    """A script asks for the page without a session."""
    answer = stage.browser().ask("/", headers=FETCH)[0]
    return f"{answer.status}" + (" to the login" if answer.location else "")


SCENARIOS: Final[Mapping[str, Callable[[Stage], str]]] = MappingProxyType(
    {
        "A login": login,
        "Two tabs": two_tabs,
        "Fourteen restored tabs, at once": tabs_at_once,
        "Fourteen tabs, in turn": tabs_in_turn,
        "Back button after the login": back_button,
        "Replay of a callback": replay,
        "Wrong `state`": wrong_state,
        "Wrong `iss` in the callback": wrong_iss,
        "Provider down at the start": down_at_start,
        "Provider down at the callback": down_at_callback,
        "Five requests at expiry": expiry,
        "Cancelled at the provider": cancelled,
        "Wrong client secret": wrong_secret,
        "A stranger's callback": login_csrf,
        "A way back to another site": way_back,
        "Identifier of the session": identifier,
        "A script without a session": script,
    }
)


def outcome(column: Column, name: str) -> str:
    """Play a scenario with a fresh application."""
    secret = WRONG if name == "Wrong client secret" else CLIENT.client_secret
    with stage(column, secret=secret) as made:
        return SCENARIOS[name](made)
