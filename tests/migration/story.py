"""Users of a Django project before, during and after its migration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from attrs import define, field

from oidc_adapters.testing import FakeUser
from tests.comparison.sites import Request
from tests.migration import mistakes
from tests.migration.projects import projects
from tests.migration.scenarios import SCENARIOS, asks_for_a_login
from tests.migration.stages import Stage

if TYPE_CHECKING:
    from tests.migration.projects import Projects
    from tests.migration.stages import Visitor


def played() -> dict[str, Any]:
    """Play all, and return what was seen."""
    found: dict[str, Any] = {}
    for side in ("before", "after"):
        with projects() as (stage, project):
            project.become(side)
            found[side] = {
                name: play(stage) for name, play in SCENARIOS.items() if name != "refresh"
            }
            found[side] |= {
                "refresh": _refresh(stage, side),
                "ended": _ended(stage, side),
                "link": _link(stage, side),
            }
            found[f"mistakes {side}"] = mistakes.played(stage, "from-mozilla-django-oidc")
    with projects() as (stage, project):
        found["switch"] = _switch(stage, project)
    return found


def _session(browser: Visitor) -> Any:
    from django.contrib.sessions.backends.db import SessionStore

    return SessionStore(browser.cookies.get("sessionid"))


def _account(browser: Visitor) -> str | None:
    """Return the username that a browser is logged in with at Django."""
    from django.contrib.auth.models import User

    key = _session(browser).get("_auth_user_id")
    return None if key is None else User.objects.get(pk=key).username


def _ask_again(browser: Visitor) -> None:
    """Have ``SessionRefresh`` ask the provider at the next request."""
    session = _session(browser)
    session["oidc_id_token_expiration"] = 0
    session.save()


def _refresh(stage: Stage, side: str) -> Any:
    return SCENARIOS["refresh"](stage, _ask_again if side == "before" else None)


def _ended(stage: Stage, side: str) -> list[Any]:
    """The provider has ended the session of the user."""
    browser = stage.browser()
    browser.log_in("/orders")
    if side == "before":
        _ask_again(browser)
        browser.session = None
        answer = browser.finish("/orders")[0]
        return [answer.status, asks_for_a_login(browser, "/orders")]
    told = stage.provider.backchannel_logout(stage.clock.now(), sub="alice")
    headers = {"Content-Type": told.content_type}
    path = urlsplit(told.uri or "").path
    answer = stage.site.ask([Request(path=path, headers=headers, method="POST", body=told.form)])[0]
    return [answer.status, asks_for_a_login(browser, "/orders")]


def _link(stage: Stage, side: str) -> bool:
    """Another site leads a user to the callback, with an error; is the user still logged in?"""
    browser = stage.browser("bob")
    browser.log_in("/orders")
    callback = "/oidc/callback/" if side == "before" else "/callback"
    browser.ask(f"{callback}?error=access_denied")
    return browser.ask("/orders")[0].status == 200


@define
class _People:
    """The people of a project, their browsers, and the accounts that they had before.

    Attributes:
        stage: where they log in.
        known: whose account a username is.
    """

    stage: Stage
    known: dict[str, str] = field(factory=dict[str, str])

    def said(self, sub: str, **claims: object) -> None:
        """Have the provider know somebody, with a verified address unless told otherwise."""
        name = {"name": sub.title(), "given_name": sub.title(), "family_name": "Doe"}
        address = {"email": f"{sub}@op.example", "email_verified": True}
        others = [user for user in self.stage.provider.users if user.sub != sub]
        self.stage.provider.users = (
            *others,
            FakeUser(sub=sub, claims={**name, **address, **claims}),
        )

    def door(self, sub: str, path: str) -> str:
        """Log in with a new browser, and say whose account it has then."""
        return self.seen(self.stage.browser(sub), path)

    def seen(self, browser: Visitor, path: str) -> str:
        """Log in, and say whose account the browser has then."""
        answer = browser.log_in(path)
        account = _account(browser)
        if account is None:
            return f"{answer.status} {answer.text.partition('Code: ')[2].partition('<')[0]}"
        self.known.setdefault(account, f"{browser.user}, new")
        return self.known[account]


OLD: Final = "/oidc/authenticate/"
NEW: Final = "/login"


def _switch(stage: Stage, project: Projects) -> dict[str, object]:
    """Users log in before, during and after the switch, and when it has been undone."""
    people = _People(stage)
    for sub in ("alice", "carol", "dave", "erin", "grace"):
        people.said(sub)
    people.said("bob", email_verified=False)
    project.become("before")
    alice, erin = _before(people), stage.browser("erin")
    project.become("during")
    found = _during(people, alice, erin)
    project.become("after")
    found |= _after(people, alice, erin)
    project.become("before")
    return found | _undone(people, erin)


def _before(people: _People) -> Visitor:
    """Make accounts: two of the staff, and those of users who log in; return alice's browser."""
    from django.contrib.auth.models import User

    for sub in ("dave", "grace"):
        User.objects.create_user(sub, f"{sub}@op.example", "a password", is_staff=True)
        people.known[sub] = sub
    browsers = {sub: people.stage.browser(sub) for sub in ("alice", "bob", "carol")}
    for sub, browser in browsers.items():
        browser.log_in("/orders")
        people.known[_account(browser) or ""] = sub
    return browsers["alice"]


def _during(people: _People, alice: Visitor, erin: Visitor) -> dict[str, object]:
    return {
        "during: session of before": alice.ask("/orders")[0].status == 200,
        "during: bob, old door": people.door("bob", OLD),
        "during: bob, new door": people.door("bob", NEW),
        "during: dave, old door": people.door("dave", OLD),
        "during: dave, new door": people.door("dave", NEW),
        "during: erin, new door": people.seen(erin, NEW),
        "during: grace, new door": people.door("grace", NEW),
        "during: logout, old session": _leaves(people.stage.browser("bob"), OLD),
        "during: logout, new session": _leaves(people.stage.browser("bob"), NEW),
    }


def _leaves(browser: Visitor, path: str) -> bool:
    """Log in and out; is the user out here, and did the provider learn of it?"""
    browser.log_in(path)
    asked, _ = browser.leave()
    return "id_token_hint" in asked and _account(browser) is None


def _after(people: _People, alice: Visitor, erin: Visitor) -> dict[str, object]:
    found: dict[str, object] = {
        "after: session of before": asks_for_a_login(alice, "/orders"),
        "after: session of during": erin.ask("/orders")[0].status == 200,
        "after: alice": people.seen(alice, "/orders"),
        "after: bob": people.door("bob", "/orders"),
        "after: grace": people.door("grace", "/orders"),
    }
    people.said("alice", email="alice@elsewhere.example")
    people.said("mallory", email="alice@op.example")
    people.said("carol", email_verified=False)
    found |= {
        "after: alice, another address": people.door("alice", "/orders"),
        "after: mallory, alice's address": people.door("mallory", "/orders"),
        "after: carol, address not verified": people.door("carol", "/orders"),
    }
    people.said("carol")
    people.said("alice")
    return found | {"after: carol": people.door("carol", "/orders")}


def _undone(people: _People, erin: Visitor) -> dict[str, object]:
    from django.contrib.auth.models import User

    return {
        "undone: session of after": asks_for_a_login(erin, "/orders"),
        "undone: alice": people.door("alice", "/orders"),
        "undone: erin": people.door("erin", "/orders"),
        "undone: further accounts": User.objects.count() - len(people.known),
    }
