"""An application with web routes, browsers that visit it, and the provider they log in at."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import pytest
from attrs import evolve, field, frozen

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import CookiePendingLogins, MemoryPendingLogins
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.stores.sessions import SessionIndex
from oidc_adapters.testing import (
    AsyncInMemoryTransport,
    AuthorizationResponse,
    FakeProvider,
    InMemoryTransport,
    Session,
)
from oidc_adapters.web import (
    AsyncRecordSessions,
    AsyncWebLogin,
    RecordSessions,
    WebLogin,
    WebRequest,
    WebSession,
    WebSetup,
)
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.policy import Policy
from oidc_core.wire.replies import Reply
from tests.adapters.stores.records.plugged import AwaitedRecords, PluggedRecords
from tests.flows.mixing import settled
from tests.flows.rig import FAKE_CLIENT, NOW, SEALING_SECRET, honest_provider, setup_for

KINDS: Final = pytest.mark.parametrize("awaits", [False, True], ids=["sync", "async"])
BASE: Final = "https://rp.example"
CLIENT: Final = evolve(
    FAKE_CLIENT,
    post_logout_redirect_uris=(f"{BASE}/goodbye",),
    backchannel_logout_uri=f"{BASE}/backchannel-logout",
    frontchannel_logout_uri=f"{BASE}/frontchannel-logout",
)
NAVIGATION: Final = {
    "accept": "text/html,application/xhtml+xml",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-site": "same-origin",
}
FETCH: Final = {"accept": "*/*", "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin"}
ELSEWHERE: Final = {"sec-fetch-site": "cross-site"}


@frozen(kw_only=True)
class House:
    """One application."""

    provider: FakeProvider
    transport: Any
    clock: FrozenClock
    records: PluggedRecords
    client: Any
    sessions: Any
    web: Any

    def route(self, request: WebRequest) -> Reply:
        """Call the route of a path; any other path is a page for users who are logged in."""
        routes: dict[str, Any] = {
            "/login": self.web.login,
            "/callback": self.web.callback,
            "/logout": self.web.logout,
            "/goodbye": self.web.after_logout,
            "/backchannel-logout": self.web.backchannel_logout,
            "/frontchannel-logout": self.web.frontchannel_logout,
        }
        first = "/" + request.path.split("/")[1]  # the rest names a provider, if there are several
        found = settled(routes.get(first, self.web.required)(request))
        if isinstance(found, WebSession):
            return Reply(status=200, body=f"page of {found.identity.subject}".encode())
        assert isinstance(found, Reply)
        assert found.header("cache-control") == "no-store"
        assert found.header("referrer-policy") in {"no-referrer", "strict-origin"}
        return found


def house(
    *,
    awaits: bool = False,
    pending: Any = None,
    settings: dict[str, Any] | None = None,
    sessions: dict[str, Any] | None = None,
    setup: dict[str, Any] | None = None,
    beside: House | None = None,
    **changed: Any,
) -> House:
    """Return an application whose links start logins, unless the settings say otherwise.

    One that stands ``beside`` another is a further process of the same application.
    """
    provider = beside.provider if beside else honest_provider(**{"clients": (CLIENT,), **changed})
    clock = beside.clock if beside else FrozenClock(NOW)
    transport: Any = (AsyncInMemoryTransport if awaits else InMemoryTransport)(provider)
    memory = PluggedRecords(MemoryRecords(clock=clock, elapsed=lambda: float(clock.now())))
    memory = beside.records if beside else memory
    records: Any = AwaitedRecords(memory) if awaits else memory
    kind: Any = AsyncOidcClient if awaits else OidcClient
    kept: Any = (AsyncRecordSessions if awaits else RecordSessions)(
        records, SEALING_SECRET, **(sessions or {})
    )
    client = kind(
        setup_for(provider, **{"policy": Policy(userinfo="never"), **(setup or {})}),
        MemoryPendingLogins() if pending is None else pending,
        transport=transport,
        clock=clock,
        grants=Grants(records, SEALING_SECRET, trusted=0),
        sessions=SessionIndex(records, SEALING_SECRET, end_session=kept.end),
    )
    chosen: dict[str, Any] = {"login_by_get": True, **(settings or {})}
    web: Any = (AsyncWebLogin if awaits else WebLogin)(client, kept, WebSetup(**chosen))
    return House(
        provider=provider,
        transport=transport,
        clock=clock,
        records=memory,
        client=client,
        sessions=kept,
        web=web,
    )


@frozen(kw_only=True)
class Visitor:
    """A browser: it keeps cookies and follows redirects."""

    at: House
    cookies: dict[str, str] = field(factory=dict[str, str])
    trail: list[str] = field(factory=list[str])

    @property
    def header(self) -> str:
        """Return its ``Cookie`` header."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def request(self, target: str, **changed: Any) -> WebRequest:
        """Return the request that it would make, by default a navigation with its cookies."""
        path, _, query = target.partition("?")
        form = changed.get("form")
        headers = {**NAVIGATION, "cookie": self.header, **changed.get("headers", {})}
        if form is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        return WebRequest.of(
            "GET" if form is None else "POST",
            path,
            query=query,
            headers=headers.items(),
            body=b"" if form is None else urlencode(form).encode(),
        )

    def ask(self, target: str, **changed: Any) -> Reply:
        """Make one request, and keep the cookies of the answer."""
        reply = self.at.route(self.request(target, **changed))
        self.trail.append(f"{reply.status} {target.partition('?')[0]}")
        self.keep(reply)
        return reply

    def keep(self, reply: Reply) -> None:
        """Keep the cookies of an answer."""
        for name, value in reply.headers:
            if name == "set-cookie":
                cookie, _, rest = value.partition(";")
                known, _, text = cookie.partition("=")
                if "Max-Age=0;" in rest:
                    self.cookies.pop(known, None)
                else:
                    self.cookies[known] = text

    def at_provider(
        self, reply: Reply, *, session: Session | None = None, **named: Any
    ) -> AuthorizationResponse:
        """Arrive at the provider; return the message that the browser brings back."""
        url = reply.header("location") or ""
        assert url.startswith(self.at.provider.issuer), reply
        return self.at.provider.authorize(url, self.at.clock.now(), session=session, **named)

    def bring(self, response: AuthorizationResponse, **changed: Any) -> Reply:
        """Bring a message back to the callback."""
        _, _, target = response.url.removeprefix("https://").partition("/")
        if response.form is None:
            return self.ask(f"/{target}", headers=ELSEWHERE, **changed)
        form = parse_qsl(response.form.decode())
        return self.ask(f"/{target}", headers=ELSEWHERE, form=form, **changed)

    def log_in(self, target: str = "/orders", **named: Any) -> Reply:
        """Ask for a page, log in, and return the answer of the callback."""
        challenge = self.ask(target)
        started = self.ask(challenge.header("location") or "")
        return self.bring(self.at_provider(started, **named))

    @property
    def session(self) -> WebSession | None:
        """Return its session in the application."""
        found = settled(self.at.web.user(self.request("/orders")))
        assert found is None or isinstance(found, WebSession)
        return found


def cookie_logins() -> CookiePendingLogins:
    """Return logins that wait in cookies."""
    return CookiePendingLogins(SEALING_SECRET)


def form_post() -> dict[str, Any]:
    """Return the settings of logins whose callback is a POST."""
    return {"request": AuthenticationRequest(response_mode="form_post")}
