"""An application meets users with many groups, wrong hosts and hostile ways back."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.testing import FakeUser
from oidc_core.model.policy import Policy
from tests.adapters.web.test_flask import Site
from tests.adapters.web.visiting import BASE, NAVIGATION, Visitor, cookie_logins, house

GROUPS: Final = [f"department-{number}/team-of-the-long-name" for number in range(400)]
HOSTILE: Final = (
    "//evil.example",
    "///evil.example",
    "////evil.example/a",
    "https://evil.example",
    "https:evil.example",
    "https:///evil.example",
    "ftp://evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,hello",
    "mailto:mallory@evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/\x00/evil.example",
    "https://rp.example@evil.example",
    "//rp.example@evil.example",
    "https://rp.example.evil.example/",
    "@evil.example",
    "evil.example",
    ".evil.example",
    "/a//evil.example",
)


@pytest.mark.parametrize("kept", [(), ("groups",)], ids=["left out", "kept"])
@pytest.mark.parametrize("store", ["memory", "cookie"])
def test_a_user_of_400_groups_has_small_cookies(store: str, kept: tuple[str, ...]) -> None:
    user = FakeUser(sub="alice", claims={"groups": GROUPS})
    browser = Visitor(
        at=house(
            users=(user,),
            unasked=("groups",),
            pending=cookie_logins() if store == "cookie" else None,
            settings={"claims": kept},
            setup={"policy": Policy()},
        )
    )
    challenge = browser.ask("/orders")
    started = browser.ask(challenge.header("location") or "")
    begun = browser.header
    done = browser.bring(browser.at_provider(started))
    session = browser.session

    assert (done.status, done.header("location")) == (303, "/orders")
    assert max(len(begun), len(browser.header)) < 1_000
    assert session is not None
    assert dict(session.claims) == ({"groups": (*GROUPS,)} if kept else {})


@pytest.mark.parametrize(
    "seen", ["http://10.0.0.7:8000", "http://rp.example", "https://evil.example"]
)
def test_the_host_of_a_request_decides_no_redirect_uri(seen: str) -> None:
    """A proxy ends TLS and forwards nothing, or somebody sends another ``Host``."""
    site = Site()

    def ask(url: str) -> Any:
        return site.browser.open(url, base_url=seen, headers=NAVIGATION)

    challenge = ask("/orders")
    started = ask(challenge.location)
    response = site.provider.authorize(started.location, SystemClock().now())
    done = ask(response.url.removeprefix(BASE))
    bodies = [request.body for request, _ in site.transport.exchanges if request.body]
    url = str(started.location)

    assert parse_qs(urlsplit(url).query)["redirect_uri"] == [f"{BASE}/callback"]
    assert parse_qs(bodies[0].decode())["redirect_uri"] == [f"{BASE}/callback"]
    assert (challenge.location, done.location) == ("/login?return_to=%2Forders", "/orders")
    assert ask("/orders").text == "alice Alice Adams"


def test_there_are_many_hostile_ways_back() -> None:
    assert len({*HOSTILE}) >= 25


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_way_back_is_refused_at_the_start_and_at_the_end(hostile: str) -> None:
    browser = Visitor(at=house())
    started = browser.at.web.login(browser.request("/login", form=[("return_to", hostile)]))
    browser.keep(started)
    assert browser.bring(browser.at_provider(started)).header("location") == "/"

    page = browser.at.client.start_login(return_to=hostile)  # as if nobody had looked
    browser.cookies.update((cookie.name, cookie.value) for cookie in page.cookies)
    response = browser.at.provider.authorize(page.url, browser.at.clock.now())
    assert browser.bring(response).header("location") == "/"
