"""The book knows secrets and logins from outside, and has a readable trace."""

from __future__ import annotations

from oidc_adapters.testing.applications.visits import PageAnswer, SentRequest, Visit
from tests.adapters.testing.applications.site import SITE, House, to, visit_of

STATE = "a-state-of-22-characters"


def test_a_redirect_to_a_provider_tells_state_nonce_and_browser() -> None:
    house = House({})
    url = house.authorization_url(STATE)
    house.book.visited(visit_of(303, (("location", url),)), 1)

    assert house.book.starts == {STATE: 1}
    assert house.book.secrets[STATE].kind == "state"
    assert house.book.secrets[f"nonce-of-{STATE}"] == ("nonce", "https://op.example")
    house.book.visited(visit_of(303, (("location", url),)), 0)
    assert house.book.starts == {STATE: 1}


def test_a_cookie_that_scripts_cannot_read_is_a_secret() -> None:
    house = House({})
    cookies = (
        ("set-cookie", "session=a-value-of-the-session; HttpOnly"),
        ("set-cookie", "csrf=a-value-for-the-scripts"),
        ("set-cookie", "flag=short; HttpOnly"),
    )
    house.book.visited(visit_of(200, cookies), 0)

    found = {text for text, secret in house.book.secrets.items() if secret.kind == "cookie"}
    assert found == {"a-value-of-the-session"}


def test_a_login_tells_code_tokens_and_verifier() -> None:
    from tests.adapters.testing.applications.planted import FlaskMachine

    machine = FlaskMachine()
    machine.log_in(browser=0, tab=0, user="alice")
    kinds = {secret.kind for secret in machine.book.secrets.values()}
    machine.teardown()

    assert kinds == {
        "access token", "client secret", "code", "cookie", "id token", "nonce", "sealing key",
        "state", "verifier",
    }  # fmt: skip
    granted = next(iter(machine.book.granted.values()))
    assert (granted.browser, granted.sub, granted.issuer) == (0, "alice", "https://op.example")


def test_a_trace_shows_no_secret_and_no_cookie() -> None:
    house = House({})
    house.book.keep("code", "a-code-of-22-characters")
    query = f"code=a-code-of-22-characters&note=short&long={'x' * 40}"
    house.book.move("a_move()")
    house.book.visited(visit_of(303, (("location", "/there"),), url=f"{SITE}/callback?{query}"), 0)
    house.book.visited(visit_of(200, (), "<title>Hello</title>"), 0)
    house.book.visited(visit_of(200, (), "{}", navigates=False), 0)
    house.book.visited(visit_of(503, (), "{}", navigates=False), 0)

    place = "  browser 0, tab 0: GET"
    assert house.book.trace == [
        "a_move()",
        f"{place} /callback?code=<code>&note=short&long=<40 characters> -> 303 /there",
        f'{place} / -> 200 "Hello"',
        f"{place} / -> 503",
    ]


def test_a_url_of_another_site_is_shown_without_its_query() -> None:
    house = House({"/": to("https://op.example/authorize?state=secret")})
    house.browser.open(house.browser.tab(0), "/")

    assert house.book.trace == [
        "  browser 0, tab 0: GET / -> 303 https://op.example/authorize",
    ]
    assert house.book.shown("https://app.example.evil.example/?a=1") == (
        "https://app.example.evil.example/"
    )


def test_an_answer_that_is_no_json_object_has_no_tokens() -> None:
    house = House({})
    before = {**house.book.secrets}
    request = SentRequest(method="GET", url=f"{SITE}/")
    visit = Visit(
        place="x", request=request, answer=PageAnswer(status=200), navigates=False, troubled=False
    )
    house.world.providers[0].misbehave = "token_array"
    house.book.visited(visit, None)

    assert house.book.secrets == before
    assert house.book.redeemed == []
