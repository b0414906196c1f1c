"""Browsers follow redirects, keep tabs apart, go back, and visit providers."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_adapters.testing.applications.browsers import MOST_HOPS, Step, step_of
from oidc_adapters.testing.applications.links import PageForm
from tests.adapters.testing.applications.site import SITE, House, shows, to

STATE = "a-state-of-22-characters"


def asked(house: House, state: str = STATE) -> House:
    """Have the browser wait at the provider."""
    house.browser.go(house.browser.tab(0), Step(house.authorization_url(state)))
    return house


def test_a_browser_follows_redirects_and_keeps_cookies() -> None:
    seen: list[dict[str, Any]] = []

    def last(environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], str]:
        seen.append(environ)
        return 200, [], "<title>Here</title>"

    house = House({"/": to("/next#part", "a=1; Path=/"), "/next": last})
    tab = house.browser.tab(0)
    house.browser.open(tab, "/")

    assert (tab.url, tab.history) == (f"{SITE}/next", [f"{SITE}/next"])
    assert tab.content is not None
    assert tab.content.title == "Here"
    assert seen[0]["HTTP_COOKIE"] == "a=1"
    assert seen[0]["HTTP_SEC_FETCH_SITE"] == "none"
    assert house.browser.tabs == (tab,)


def test_a_form_names_its_origin() -> None:
    seen: list[dict[str, Any]] = []

    def taken(environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], str]:
        seen.append({**environ, "body": environ["wsgi.input"].read()})
        return 200, [], ""

    house = House({"/": shows(""), "/taken": taken})
    tab = house.browser.tab(0)
    house.browser.open(tab, "/")
    fields = (("a", "1 2"),)
    house.browser.press(tab, PageForm(action=f"{SITE}/taken", method="post", fields=fields))
    house.browser.press(tab, PageForm(action=f"{SITE}/taken?x=1", method="get", fields=fields))

    assert (seen[0]["HTTP_ORIGIN"], seen[0]["HTTP_SEC_FETCH_SITE"]) == (SITE, "same-origin")
    assert (seen[0]["body"], seen[1]["QUERY_STRING"]) == (b"a=1+2", "a=1+2")
    assert "HTTP_ORIGIN" not in seen[1]
    assert tab.history == [f"{SITE}/", f"{SITE}/taken?a=1+2"]


def test_the_back_button_asks_again_for_the_page_before() -> None:
    house = House({"/": shows("one"), "/two": shows("two")})
    tab = house.browser.tab(0)
    house.browser.back(tab)
    assert house.book.visits == []
    for path in ("/", "/two"):
        house.browser.open(tab, path)
    house.browser.back(tab)
    house.browser.back(tab)

    assert [visit.request.url for visit in house.book.visits] == [
        f"{SITE}/", f"{SITE}/two", f"{SITE}/",
    ]  # fmt: skip
    assert tab.history == [f"{SITE}/"]


def test_a_circle_is_seen() -> None:
    house = House({"/": to("/b"), "/b": to("/")})
    house.browser.open(house.browser.tab(0), "/")

    assert len(house.book.visits) == MOST_HOPS
    assert house.book.loops == ["browser 0, tab 0: /b -> / -> /b -> / -> /b -> /"]


def test_a_browser_leaves_the_site_for_other_sites() -> None:
    house = House({"/": to("https://evil.example/")})
    tab = house.browser.tab(0)
    house.browser.open(tab, "/")

    assert (len(house.book.visits), tab.content, tab.asked) == (1, None, "")


def test_a_person_is_asked_once_and_known_afterwards() -> None:
    house = asked(House({"/callback": shows("")}))
    tab = house.browser.tab(0)
    assert tab.asked
    response = house.browser.answered(tab, "alice")
    assert response is not None
    assert house.browser.sessions["https://op.example"].sub == "alice"
    house.browser.go(tab, step_of(response, house.world.providers[0]))

    house.browser.go(tab, Step(house.authorization_url("another-state-of-27-characters")))
    assert tab.asked == ""
    assert [visit.request.url.partition("?")[0] for visit in house.book.visits] == [
        f"{SITE}/callback"
    ] * 2


def test_another_account_is_another_session() -> None:
    house = asked(House({}))
    house.browser.answered(house.browser.tab(0), "alice")
    tab = house.browser.tab(1)
    tab.asked = house.authorization_url(STATE)
    house.browser.answered(tab, "bob")

    assert house.browser.sessions["https://op.example"].sub == "bob"


def test_a_provider_that_is_down_or_refuses_leads_nowhere() -> None:
    house = asked(House({}))
    tab = house.browser.tab(0)
    house.world.lines.down.add("https://op.example")
    assert house.browser.answered(tab, "alice") is None
    house.browser.go(tab, Step(house.authorization_url(STATE)))
    assert tab.asked == ""
    house.world.lines.down.clear()
    tab.asked = "https://op.example/authorize?client_id=nobody"
    assert house.browser.answered(tab, "alice") is None
    house.browser.go(tab, Step("https://op.example/elsewhere"))
    assert house.book.visits == []


def test_a_login_by_form_post_crosses_sites() -> None:
    seen: list[dict[str, Any]] = []

    def callback(environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], str]:
        seen.append(environ)
        return 200, [], ""

    cookies = ("lax=1; Path=/", "none=1; Path=/; SameSite=None; Secure")
    house = House({"/": to("/there", *cookies), "/there": shows(""), "/callback": callback})
    tab = house.browser.tab(0)
    house.browser.open(tab, "/")
    tab.asked = house.authorization_url(STATE) + "&response_mode=form_post"
    response = house.browser.answered(tab, "alice")
    assert response is not None
    house.browser.go(tab, step_of(response, house.world.providers[0]))

    assert (seen[0]["REQUEST_METHOD"], seen[0]["HTTP_COOKIE"]) == ("POST", "none=1")
    assert seen[0]["HTTP_ORIGIN"] == "https://op.example"
    assert seen[0]["HTTP_SEC_FETCH_SITE"] == "cross-site"


def test_the_end_of_a_session_at_the_provider() -> None:
    house = asked(House({"/logged-out": shows("out")}))
    tab = house.browser.tab(0)
    house.browser.answered(tab, "alice")
    client = house.world.providers[0].clients[0]
    back = f"client_id={client.client_id}&post_logout_redirect_uri={SITE}/logged-out"
    house.browser.go(tab, Step("https://op.example/end-session", back, SITE))

    assert house.browser.sessions == {}
    assert tab.url == f"{SITE}/logged-out"
    house.browser.go(tab, Step("https://op.example/end-session?id_token_hint=odd"))
    assert len(house.book.visits) == 1


def test_a_hostile_provider_mixes_two_logins_up() -> None:
    house = House({}, connections=2)
    tab = house.browser.tab(0)
    house.browser.mixed_up(tab)
    assert tab.asked == ""
    tab.asked = house.authorization_url(STATE, place=1)
    house.browser.mixed_up(tab)

    assert tab.asked.startswith("https://op.example/authorize?")
    assert "client_id=application-at-op" in tab.asked
    assert f"state={STATE}" in tab.asked
    assert house.browser.answered(tab, "alice") is not None


@pytest.mark.parametrize(
    ("sub", "sid", "left"),
    [("alice", None, 0), (None, "one", 0), ("bob", None, 1), (None, "x", 1)],
)
def test_an_ended_session_lets_nobody_be_signed_in(
    sub: str | None, sid: str | None, left: int
) -> None:
    browser = House({}).browser
    browser.identities[("https://op.example", "alice")] = "one"
    browser.session_ended("https://elsewhere.example", sub=sub, sid=sid)
    assert browser.identities
    browser.session_ended("https://op.example", sub=sub, sid=sid)
    assert len(browser.identities) == left
    browser.signed_out()
    assert browser.identities == {}
