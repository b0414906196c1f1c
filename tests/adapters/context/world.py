"""A provider, a clock and a context, as the tests of this folder use them."""

import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from oidc_adapters.context import (
    DEFAULT_SCOPES,
    Failure,
    OIDCCtx,
    flow_get_authorization_code,
    flow_get_token,
    flow_request_authorization_code,
)
from oidc_adapters.context.outcomes import TokenDict
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.testing import (
    FakeClient,
    FakeProvider,
    InMemoryTransport,
)
from oidc_adapters.testing.transports import TellsTime
from oidc_core.wire.http import Answer, NoAnswer, WireRequest
from tests.adapters.testing.raw_client import unb64

NOW: Final = 1_800_000_000
ISSUER: Final = "https://op.example"
REDIRECT_URI: Final = "https://rp.example/auth/login"
CLIENT: Final = FakeClient(
    redirect_uris=(REDIRECT_URI,), token_endpoint_auth_method="client_secret_post"
)
SCOPES: Final = (*DEFAULT_SCOPES, "offline_access")
BROWSER: Final = "the-session-identifier-of-one-browser"


class Line(InMemoryTransport):
    """The way to the provider, which a test may tamper with; and an application's own transport."""

    tamper: Callable[[WireRequest, TellsTime], Answer] | None = None
    closed = False

    def send(self, request: WireRequest, clock: TellsTime) -> Answer:
        return self.through(request, clock) if self.tamper is None else self.tamper(request, clock)

    def through(self, request: WireRequest, clock: TellsTime) -> Answer:
        """Send a request, untampered with."""
        return super().send(request, clock)

    def close(self) -> None:
        self.closed = True

    def cut(self, path: str) -> None:
        """Let an endpoint be out of reach."""

        def unreachable(request: WireRequest, clock: TellsTime) -> Answer:
            if request.url.endswith(path):
                return NoAnswer("no", "http_connect_failed", clock.now())
            return self.through(request, clock)

        self.tamper = unreachable


class World:
    """A provider, a clock, and the context that uses both."""

    def __init__(
        self,
        provider: FakeProvider | None = None,
        *,
        issuer: str = ISSUER,
        transport: Line | None = None,
        **settings: Any,
    ) -> None:
        self.clock = FrozenClock(NOW)
        self.provider = provider or FakeProvider(clients=(CLIENT,))
        self.transport = transport or Line(self.provider)
        given: dict[str, Any] = {"scopes": SCOPES, "random_device": FixedEntropy(1), **settings}
        self.ctx = OIDCCtx(
            issuer,
            REDIRECT_URI,
            CLIENT.client_id,
            CLIENT.client_secret,
            transport=self.transport,
            clock=self.clock,
            **given,
        )

    def callback(self, url: str | None = None, **wishes: Any) -> dict[str, str]:
        """Let a browser go to the provider and return with this query."""
        url = url or flow_request_authorization_code(self.ctx, **wishes)
        return dict(self.provider.authorize(url, self.clock.now()).parameters)

    def code(self, **wishes: Any) -> str:
        return text(flow_get_authorization_code(self.ctx, self.callback(**wishes)))

    def tokens(self, **wishes: Any) -> TokenDict:
        return plain(flow_get_token(self.ctx, self.code(**wishes)))

    def forms(self, grant_type: str) -> list[dict[str, list[str]]]:
        """The forms that went to the token endpoint for a grant."""
        bodies = [request.body for request, _ in self.transport.exchanges if request.body]
        forms = [parse_qs(body.decode()) for body in bodies]
        return [form for form in forms if form["grant_type"] == [grant_type]]

    def fetched(self, path: str) -> int:
        return sum(request.url.endswith(path) for request, _ in self.transport.exchanges)


def text(outcome: str | Failure) -> str:
    assert isinstance(outcome, str), outcome
    return outcome


def plain(outcome: TokenDict | Failure) -> TokenDict:
    assert isinstance(outcome, dict), outcome
    return outcome


def parameters(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


def claims_of(id_token: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(unb64(id_token.split(".")[1]))
    return claims


def restarted(misbehave: str | None = None, **settings: Any) -> tuple[World, TokenDict]:
    """Return a context that knows nothing, and the tokens of a login at its provider."""
    provider = FakeProvider(clients=(CLIENT,), misbehave=misbehave)
    tokens = World(provider).tokens()
    return World(provider, random_device=FixedEntropy(2), **settings), tokens
