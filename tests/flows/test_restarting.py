"""An application that does what `retryable` says, to the letter, never goes round in circles.

The user has a single sign-on session: the provider answers at once, so only the application itself
ends a loop. Each such failure repeats every time.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import pytest
from attrs import evolve, field, frozen

from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import Clock, FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.pending import (
    CookiePendingLogins,
    MemoryPendingLogins,
    PendingLogins,
)
from oidc_adapters.testing import MISBEHAVIOURS, FakeProvider, InMemoryTransport, Misbehaviour
from oidc_core.endpoints.authorization import DEFAULT_REQUEST, AuthenticationRequest
from oidc_core.wire.codes import CODES
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import Answer, HttpResponse, NoAnswer, Sent, WireRequest
from oidc_core.wire.incoming import Incoming
from tests.flows.rig import NOW, Browser, Misbehaving, honest_provider, setup_for
from tests.rows import parameters

ROUNDS: Final = 5
"""Where the browser gives up; no application may come that far."""

SECRET: Final = bytes(range(32))

Tamper = Callable[[Incoming], Incoming]
Respond = Callable[[Answer], Answer]


def untouched(incoming: Incoming) -> Incoming:
    return incoming


def undisturbed(answer: Answer) -> Answer:
    return answer


@frozen(kw_only=True)
class Disturbed:
    """A transport in front of a fake provider that disturbs each answer of the token endpoint."""

    inner: InMemoryTransport
    respond: Respond

    def send(self, request: WireRequest, clock: Clock) -> Answer:
        answer = self.inner.send(request, clock)
        return self.respond(answer) if request.url.endswith("/token") else answer


class CookielessBrowser(Browser):
    """Keeps no cookie at all."""

    def receive(self, cookies: tuple[SetCookie, ...]) -> None:
        del cookies


@frozen(kw_only=True)
class Application:
    """A web application that obeys `retryable`, and writes down how each round ended."""

    client: OidcClient
    provider: FakeProvider
    clock: FrozenClock = field(factory=lambda: FrozenClock(NOW))
    browser: Browser = field(factory=Browser)
    tamper: Tamper = untouched
    seconds: int = 0
    request: AuthenticationRequest = DEFAULT_REQUEST
    ends: list[str] = field(factory=list[str])

    def visited(self) -> OidcError | None:
        """Serve one visit of the user, with as many redirects as the errors ask for."""
        return_to = "/orders"
        for _ in range(ROUNDS):
            redirect = self.client.start_login(
                self.request, return_to=return_to, cookie=self.browser.header
            )
            self.browser.receive(redirect.cookies)
            came = self.provider.authorize(redirect.url, self.clock.now()).incoming()
            self.clock.advance(self.seconds)
            brought = self.tamper(evolve(came, cookie=self.browser.header))
            try:
                result = self.client.finish_login(brought)
            except OidcError as error:
                self.ends.append(f"{error.code} {error.retryable}")
                self.browser.receive(error.cookies)
                if error.retryable != "restart":
                    return error
                return_to = error.return_to
            else:
                self.browser.receive(result.cookies)
                self.ends.append("logged in")
                return None
        return None


def application(
    *,
    store: PendingLogins | None = None,
    provider: FakeProvider | None = None,
    respond: Respond = undisturbed,
    browser: Browser | None = None,
    tamper: Tamper = untouched,
    seconds: int = 0,
) -> Application:
    behind = honest_provider() if provider is None else provider
    clock = FrozenClock(NOW)
    client = OidcClient.discover(
        setup_for(behind),
        CookiePendingLogins(SECRET) if store is None else store,
        transport=Disturbed(inner=InMemoryTransport(behind), respond=respond),
        clock=clock,
        entropy=FixedEntropy(1),
    )
    return Application(
        client=client,
        provider=behind,
        clock=clock,
        browser=Browser() if browser is None else browser,
        tamper=tamper,
        seconds=seconds,
    )


def in_memory(
    *, browser: Browser | None = None, tamper: Tamper = untouched, seconds: int = 0
) -> Application:
    return application(store=MemoryPendingLogins(), browser=browser, tamper=tamper, seconds=seconds)


def answering(status: int, body: bytes, media_type: str = "application/json") -> Respond:
    def respond(_: Answer) -> Answer:
        return HttpResponse(status, (("content-type", media_type),), body, NOW)

    return respond


def no_answer(code: str, sent: Sent = "maybe") -> Respond:
    return lambda _: NoAnswer(sent, code, NOW)


def query(**changed: str | None) -> Tamper:
    """Change parameters of the callback; `None` leaves one out."""

    def tamper(incoming: Incoming) -> Incoming:
        pairs = [pair.partition("=") for pair in incoming.query.split("&")]
        held: dict[str, str | None] = {name: value for name, _, value in pairs}
        held |= changed
        kept = [f"{name}={value}" for name, value in held.items() if value is not None]
        return evolve(incoming, query="&".join(kept))

    return tamper


def without_cookie(incoming: Incoming) -> Incoming:
    return evolve(incoming, cookie="")


def with_cookie(value: str) -> Tamper:
    """Have the browser bring another value in the place of each cookie of a login."""

    def tamper(incoming: Incoming) -> Incoming:
        own = [f"{name}={value}" for name, _ in incoming.cookies]
        return evolve(incoming, cookie="; ".join(own))

    return tamper


def twice(incoming: Incoming) -> Incoming:
    return evolve(incoming, cookie=f"{incoming.cookie}; {incoming.cookie}")


def elsewhere(incoming: Incoming) -> Incoming:
    return evolve(incoming, url="https://rp.example/elsewhere")


def posted(incoming: Incoming) -> Incoming:
    return evolve(incoming, method="POST", query="", body=incoming.query.encode())


ERRORS: Final = (
    "access_denied",
    "login_required",
    "consent_required",
    "invalid_grant",
    "invalid_client",
    "unauthorized_client",
    "invalid_scope",
    "invalid_request",
    "server_error",
    "temporarily_unavailable",
    "unheard_of",
)


FAILURES: Final = tuple([row.code for row in CODES.values() if row.fault == "transport"])


def persistent() -> Iterator[tuple[str, Callable[[], Application]]]:
    """Everything that goes wrong with each login, by name."""
    for name, tamper in (
        ("no state", query(state=None)),
        ("another state", query(state="x" * 43)),
        ("no code", query(code=None)),
        ("code and error", query(error="access_denied")),
        ("state twice", query(state="x&state=y")),
        ("a token", query(access_token="x")),
        ("a grammar", query(code="%00")),
        ("another iss", query(iss="https%3A%2F%2Fother.example")),
        ("no iss", query(iss=None)),
        ("no cookie", without_cookie),
        ("a damaged cookie", with_cookie("x")),
        ("another browser's cookie", with_cookie("1.another")),
        ("cookies twice", twice),
        ("another route", elsewhere),
        ("another mode", posted),
        *[(f"callback {e}", query(code=None, error=e)) for e in ERRORS],
    ):
        yield name, partial(application, tamper=tamper)
        yield f"{name}, memory", partial(in_memory, tamper=tamper)
    for error in ERRORS:
        for status in (400, 401, 429, 500, 503):
            respond = answering(status, b'{"error":"%b"}' % error.encode())
            yield f"token {status} {error}", partial(application, respond=respond)
    for name, respond in (
        ("html", answering(200, b"<html>", "text/html")),
        ("not found", answering(404, b"")),
        ("bad request", answering(400, b"")),
        ("unavailable", answering(503, b"")),
        ("no json", answering(200, b"{")),
        ("no tokens", answering(200, b"{}")),
        ("redirect", answering(302, b"")),
        *[(code, no_answer(code)) for code in FAILURES],
        *[(f"{code}, not sent", no_answer(code, "no")) for code in FAILURES],
    ):
        yield f"token {name}", partial(application, respond=respond)
    yield "no cookies", lambda: application(browser=CookielessBrowser())
    yield "no cookies, memory", lambda: in_memory(browser=CookielessBrowser())
    yield "too late", lambda: application(seconds=700)
    yield "far too late", lambda: application(seconds=2_000)
    yield "too late, memory", lambda: in_memory(seconds=700)
    yield "a small store", lambda: application(store=MemoryPendingLogins(cap=1), seconds=599)


PERSISTENT: Final = dict(persistent())


@pytest.mark.parametrize("name", PERSISTENT)
def test_no_failure_is_a_loop(name: str) -> None:
    app = PERSISTENT[name]()

    error = app.visited()

    assert error is not None, app.ends
    assert error.retryable in {"no", "later"}
    assert len(app.ends) <= 2, app.ends


@pytest.mark.parametrize("row", parameters(MISBEHAVIOURS.values()))
def test_no_misbehaviour_is_a_loop(row: Misbehaviour) -> None:
    if row.during not in {"login", "userinfo"}:
        assert row.during in {"discovery", "refresh", "logout"}
        return
    case = Misbehaving(row=row)
    provider = case.provider
    clock = FrozenClock(NOW)
    client = OidcClient.discover(
        case.setup,
        MemoryPendingLogins(),
        transport=InMemoryTransport(provider),
        clock=clock,
        entropy=FixedEntropy(1),
    )
    app = Application(client=client, provider=provider, clock=clock, request=case.request)

    error = app.visited()

    assert error is not None
    assert error.code == row.code
    assert len(app.ends) <= 2, app.ends


@pytest.mark.parametrize("store", [CookiePendingLogins(SECRET), MemoryPendingLogins()])
def test_what_a_new_login_heals_takes_one_extra_round_trip(store: PendingLogins) -> None:
    """The mark of the restart is gone after it, so that the next failure is a first one again."""
    failing = [True]

    def once(answer: Answer) -> Answer:
        if failing.pop() if failing else False:
            return HttpResponse(
                400, (("content-type", "application/json"),), b'{"error":"invalid_grant"}', NOW
            )
        return answer

    app = application(store=store, respond=once)
    for _ in range(2):
        assert app.visited() is None
        assert app.ends == ["provider_error restart", "logged in"]
        assert not any("again" in name for name in app.browser.cookies)
        failing.append(True)
        app.ends.clear()


def test_a_restart_says_where_the_application_goes_on() -> None:
    app = application(respond=answering(400, b'{"error":"invalid_grant"}'))

    error = app.visited()

    assert error is not None
    assert app.ends == ["provider_error restart", "provider_error no"]
    assert (error.return_to, error.connection) == ("/orders", app.client.rp.connection)
    assert (error.kind, error.answer_status) == ("stale", 400)
    assert not any("again" in name for name in app.browser.cookies)


def test_a_callback_that_came_twice_starts_one_new_login() -> None:
    app = application()
    redirect = app.client.start_login()
    app.browser.receive(redirect.cookies)
    came = app.provider.authorize(redirect.url, NOW).incoming(app.browser.header)
    app.client.finish_login(came)

    with pytest.raises(OidcError) as caught:
        app.client.finish_login(came)

    assert (caught.value.code, caught.value.retryable) == ("state_used", "restart")
    app.browser.receive(caught.value.cookies)
    assert app.visited() is None
    assert (app.ends, app.browser.cookies) == (["logged in"], {})


def ends_of(names: Iterator[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        app = PERSISTENT[name]()
        app.visited()
        found |= {end.partition(" ")[0] for end in app.ends}
    return found


def test_the_failures_above_end_with_every_code_that_a_callback_can_have() -> None:
    """Those of a callback, an exchange and a store; the codes of tokens are the misbehaviours'."""
    wanted = {row.code for row in CODES.values() if row.fault in {"callback", "transport"}}
    assert wanted - ends_of(iter(PERSISTENT)) == {*ELSEWHERE}


ELSEWHERE: Final = {
    "account_mismatch": "only where an identity is added to an account",
    "account_refused": "only where an application has accounts of its own",
    "connection_mismatch": "only where several clients share a store",
    "cookie_key_unknown": "only where workers have different secrets",
    "logout_expired": "of a logout",
    "logout_iss_mismatch": "of a logout in a frame",
    "logout_session_missing": "of a logout in a frame",
    "logout_state_mismatch": "of a logout",
    "method_unexpected": "the request is refused before a client sees it",
    "parameter_too_long": "the request is refused before a client sees it",
    "session_ended": "only where a client names its sessions",
    "policy_changed": "only where a policy is changed meanwhile",
    "state_mismatch": "only where a store hands out another login",
    "state_used": "only where a callback comes twice",
}
