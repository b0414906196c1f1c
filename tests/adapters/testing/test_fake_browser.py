"""A browser that logs in by the test client of a framework."""

from __future__ import annotations

from typing import Any, Final

import pytest
from attrs import field, frozen

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing import FakeBrowser, FakeClient, FakeProvider
from oidc_adapters.testing.claims import SCOPE_CLAIMS
from oidc_core.wire.errors import UsageError
from tests.flows.rig import FAKE_CLIENT, NOW, honest_provider
from tests.parties import refused

AUTHORIZE: Final = (
    "/authorize?client_id={0.client_id}&redirect_uri={0.redirect_uris[0]}&response_type=code"
    "&scope=openid%20email&state=s&code_challenge_method=S256&code_challenge=" + 43 * "a"
)


@frozen
class Answer:
    """The answer of an application, as the frameworks spell it."""

    status_code: int
    headers: dict[str, str] = field(factory=dict[str, str])
    content: bytes = b"a page"


class Application:
    """A test client like Django's, and the application behind it."""

    handler = None

    def __init__(self, provider: FakeProvider, answers: dict[str, Answer] | None = None) -> None:
        url = provider.issuer + AUTHORIZE.format(provider.clients[0])
        self.answers = {
            "/orders?page=2": Answer(302, {"Location": "https://rp.example/enter?next=x"}),
            "/enter?next=x": Answer(303, {"Location": url}),
            "/login": Answer(303, {"Location": url + "&response_mode=form_post"}),
            "/callback": Answer(303, {"Location": "/orders?page=2"}),
            **(answers or {}),
        }
        self.asked: list[tuple[str, str, bytes, str]] = []

    def generic(
        self, method: str, path: str, data: bytes, content_type: str, *, headers: dict[str, str]
    ) -> Answer:
        self.asked.append((method, path.partition("&state")[0], data, headers["Sec-Fetch-Site"]))
        assert content_type == headers.get("Content-Type", "")
        return self.answers.get(path) or self.answers[path.partition("?")[0]]


def browser_at(provider: FakeProvider) -> FakeBrowser:
    return FakeBrowser(provider=provider, clock=FrozenClock(NOW))


def test_a_login_from_a_page_and_back() -> None:
    provider = honest_provider()
    client = Application(provider)

    assert browser_at(provider).logged_in(client, page="/orders?page=2") is client
    methods = [(method, path.partition("?code")[0]) for method, path, _, _ in client.asked]
    assert methods == [("GET", "/orders?page=2"), ("POST", "/enter?next=x"), ("GET", "/callback")]
    assert [site for _, _, _, site in client.asked] == ["same-origin", "same-origin", "cross-site"]


def test_a_callback_that_is_a_form() -> None:
    provider = honest_provider()
    client = Application(provider)

    browser_at(provider).logged_in(client)

    method, path, body, site = client.asked[-1]
    assert (method, path, site) == ("POST", "/callback", "cross-site")
    assert b"code=" in body


def test_users_and_claims_are_chosen_by_the_test() -> None:
    provider = honest_provider()
    browser = browser_at(provider)
    client = Application(provider)

    browser.logged_in(client, sub="bob")
    assert [user.sub for user in provider.users] == ["alice", "bob"]
    browser.logged_in(client, sub="bob", claims={"email": "b@rp.example", "groups": ["staff"]})
    browser.logged_in(client, sub="zoe")

    assert [user.sub for user in provider.users] == ["zoe", "bob", "alice"]
    assert provider.user("bob").claims == {"email": "b@rp.example", "groups": ["staff"]}
    assert provider.unasked == ("groups",)
    assert "email" in SCOPE_CLAIMS["email"]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"/callback": Answer(400)}, "the login failed: 400 a page"),
        ({"/callback": Answer(303, {"Location": "/"})}, "the login led to /, not back to /orders"),
        (
            {"/callback": Answer(303, {"Location": "https://op.example/authorize"})},
            "the login failed: 303 https://op.example/authorize",
        ),
        ({"/enter?next=x": Answer(503)}, "the login failed: 503 a page"),
        ({"/orders?page=2": Answer(200)}, "/orders[?]page=2 does not lead to a login: 200 a page"),
    ],
)
def test_a_login_that_fails(answers: dict[str, Answer], message: str) -> None:
    provider = honest_provider()

    with pytest.raises(AssertionError, match=message):
        browser_at(provider).logged_in(Application(provider, answers), page="/orders?page=2")


def test_a_user_who_refuses() -> None:
    provider = honest_provider()
    client = Application(provider)

    browser_at(provider).log_in(client, page="/orders?page=2", approve=False)

    assert "error=access_denied" in client.asked[-1][1]


class Awaiting:
    """A client that is awaited."""

    base_url = "http://testserver"

    async def request(self) -> None:
        """Ask."""

    async def aclose(self) -> None:
        """Close."""


@pytest.mark.parametrize("client", [object(), Awaiting()])
def test_a_client_of_another_kind_is_refused(client: object) -> None:
    browser = browser_at(FakeProvider(clients=(FakeClient(),)))

    refused(UsageError, "parameter_invalid", lambda: browser.log_in(client))


def test_settings_are_judged() -> None:
    wrong: Any = "op.example"

    refused(UsageError, "config_invalid", lambda: FakeBrowser(provider=wrong, clock=wrong))


def test_a_secure_cookie_needs_an_https_client() -> None:
    starlette: Any = pytest.importorskip("starlette.testclient", reason="Starlette is needed")
    provider = honest_provider(clients=(FAKE_CLIENT,))
    browser = browser_at(provider)

    async def app(_scope: object, _receive: object, send: Any) -> None:
        url = provider.issuer + AUTHORIZE.format(FAKE_CLIENT)
        headers = [(b"location", url.encode())]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    answer = browser.log_in(starlette.TestClient(app, base_url="https://testserver"))

    assert answer.status_code == 303
    refused(UsageError, "parameter_invalid", lambda: browser.log_in(starlette.TestClient(app)))


def test_the_session_at_the_provider_belongs_to_the_client() -> None:
    provider = honest_provider()
    browser = browser_at(provider)
    one, other = Application(provider), Application(provider)

    browser.logged_in(one, sub="bob")
    browser.logged_in(one)
    browser.logged_in(other)

    assert subs_of(provider) == ["bob", "bob", "alice"]
    first, second = browser.session(one), browser.session(other)
    assert first is not None
    assert second is not None
    assert (first.sub, second.sub) == ("bob", "alice")


def test_another_user_leaves_the_session() -> None:
    provider = honest_provider()
    browser, client = browser_at(provider), Application(provider)

    browser.logged_in(client, sub="bob")
    browser.logged_in(client, sub="alice")
    browser.forget(client)
    browser.logged_in(client, claims={"email": "a@rp.example"})

    assert subs_of(provider) == ["bob", "alice", "alice"]
    sids = [code.family.grant.sid for code in provider.ledger.codes.values()]
    assert len({*sids}) == 3


def test_a_silent_login_is_answered_from_the_session_alone() -> None:
    provider = honest_provider()
    browser, client = browser_at(provider), Application(provider)
    url = client.answers["/login"].headers["Location"] + "&prompt=none"
    client.answers["/silent"] = Answer(303, {"Location": url})

    browser.log_in(client, login_path="/silent")
    browser.logged_in(client, sub="bob")
    browser.log_in(client, login_path="/silent", sub="alice")

    assert b"error=login_required" in client.asked[1][2]
    assert subs_of(provider) == ["bob", "bob"]


def test_an_application_names_its_user_by_a_hint() -> None:
    provider = honest_provider()
    browser, client = browser_at(provider), Application(provider)
    url = client.answers["/login"].headers["Location"] + "&login_hint=bob%40op.example"
    client.answers["/login"] = Answer(303, {"Location": url})

    browser.logged_in(client)

    assert subs_of(provider) == ["bob"]


def subs_of(provider: FakeProvider) -> list[str]:
    return [code.family.grant.sub for code in provider.ledger.codes.values()]
