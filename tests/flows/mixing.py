"""Two providers, one of them run by an attacker, and the application that has a client at each."""

from __future__ import annotations

import inspect
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from attrs import evolve, field, frozen

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.connections import AsyncConnections, Connections
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.pending import CookiePendingLogins, MemoryPendingLogins, PendingLogins
from oidc_adapters.testing import (
    AsyncInMemoryTransport,
    AuthorizationResponse,
    FakeClient,
    FakeProvider,
    InMemoryTransport,
)
from oidc_core.wire.errors import OidcError, ProviderError
from tests.flows.rig import NOW, SEALING_SECRET, Browser, honest_provider, run_asyncio

HONEST: Final = "https://honest.example"
HOSTILE: Final = "https://hostile.example"
BASE: Final = "https://rp.example/callback"
LAYOUTS: Final = {
    "own path": (f"{BASE}/honest", f"{BASE}/hostile"),
    "shared path": (BASE, BASE),
    "query differs": (f"{BASE}?op=honest", f"{BASE}?op=hostile"),
}
DECLARED: Final = {
    "both": (True, True),
    "honest": (True, False),
    "hostile": (False, True),
    "neither": (False, False),
}
STORES: Final = ("cookie", "memory", "their own")
SPEAKS: Final = ("announces", "sends", "silent")
"""A provider's practice about ``iss``: it says so and sends it, sends it only, does neither."""


def stores(name: str) -> tuple[PendingLogins, PendingLogins]:
    if name == "cookie":
        shared: PendingLogins = CookiePendingLogins(SEALING_SECRET)
        return shared, shared
    if name == "memory":
        shared = MemoryPendingLogins()
        return shared, shared
    return MemoryPendingLogins(), MemoryPendingLogins()


def settled(result: Any) -> Any:
    """Return the result of a call, whether it waits or must be awaited."""
    return run_asyncio(lambda: result) if inspect.isawaitable(result) else result


@frozen(kw_only=True)
class Cell:
    """One configuration."""

    layout: str
    declared: str
    honest: str
    hostile: str
    store: str
    awaits: bool = False

    def __str__(self) -> str:
        named = (self.layout, f"declared: {self.declared}", self.honest, self.hostile, self.store)
        return ", ".join((*named, "async") if self.awaits else named)


def provider_of(issuer: str, speaks: str, uri: str) -> FakeProvider:
    client = FakeClient(client_id=f"client at {issuer[8:]}", redirect_uris=(uri,))
    return honest_provider(issuer=issuer, clients=(client,), sends_iss=speaks != "silent")


def setup_of(provider: FakeProvider, speaks: str, *, required: bool) -> ClientSetup:
    (client,) = provider.clients
    silent = {"authorization_response_iss_parameter_supported": False}
    return ClientSetup(
        issuer=provider.issuer,
        client_id=client.client_id,
        client_secret=client.client_secret,
        redirect_uri=client.redirect_uris[0],
        post_logout_redirect_uri=f"{BASE}/bye",
        response_iss="required" if required else "as_announced",
        metadata_overrides=silent if speaks == "sends" else {},  # as if it had not been announced
    )


@frozen(kw_only=True)
class Side:
    """A client at its provider."""

    provider: FakeProvider
    transport: InMemoryTransport | AsyncInMemoryTransport
    client: OidcClient | AsyncOidcClient

    @property
    def uri(self) -> str:
        return self.provider.clients[0].redirect_uris[0]

    @property
    def requests(self) -> list[str]:
        return [request.url for request, _ in self.transport.exchanges]


def side(setup: ClientSetup, provider: FakeProvider, store: PendingLogins, **how: Any) -> Side:
    seed, awaits = how["seed"], how["awaits"]
    transport: Any = AsyncInMemoryTransport(provider) if awaits else InMemoryTransport(provider)
    kind: Any = AsyncOidcClient if awaits else OidcClient
    client = settled(
        kind.discover(
            setup,
            store,
            transport=transport,
            clock=FrozenClock(NOW),
            entropy=FixedEntropy(seed),
        )
    )
    return Side(provider=provider, transport=transport, client=client)


@frozen(kw_only=True)
class Scene:
    """The application with both clients, and a browser."""

    honest: Side
    hostile: Side
    connections: Any
    browser: Browser = field(factory=Browser)

    @classmethod
    def of(cls, cell: Cell) -> Scene:
        """Set it up.

        Raises:
            UsageError: the configuration is refused.
        """
        uris, required = LAYOUTS[cell.layout], DECLARED[cell.declared]
        sides: list[tuple[ClientSetup, FakeProvider]] = []
        for place, (issuer, speaks) in enumerate(((HONEST, cell.honest), (HOSTILE, cell.hostile))):
            provider = provider_of(issuer, speaks, uris[place])
            setup = setup_of(provider, speaks, required=required[place])
            sides.append((setup, provider))
        kept = stores(cell.store)
        honest, hostile = [
            side(setup, provider, kept[place], seed=place + 1, awaits=cell.awaits)
            for place, (setup, provider) in enumerate(sides)
        ]
        kind: Any = AsyncConnections if cell.awaits else Connections
        connections = kind(honest.client, hostile.client)
        return cls(honest=honest, hostile=hostile, connections=connections)

    def start(self, at: Side) -> str:
        """Start a login; return where the browser is sent."""
        page = settled(at.client.start_login(cookie=self.browser.header))
        self.browser.receive(page.cookies)
        return str(page.url)

    def honest_response(self) -> AuthorizationResponse:
        """A login at the honest provider, as far as its response."""
        return self.honest.provider.authorize(self.start(self.honest), NOW)

    def mixed_up(self) -> AuthorizationResponse:
        """A login at the hostile provider, which sends the browser on to the honest one."""
        asked = dict(parse_qsl(self.start(self.hostile).partition("?")[2]))
        asked["client_id"] = self.honest.provider.clients[0].client_id
        asked["redirect_uri"] = self.honest.uri
        return self.honest.provider.authorize(f"{HONEST}/authorize?{urlencode(asked)}", NOW)

    def bring(self, response: AuthorizationResponse) -> str:
        """Let the browser bring a response; return which login finished, or the refusal's code."""
        try:
            result = settled(self.connections.finish_login(response.incoming(self.browser.header)))
        except OidcError as error:
            self.browser.receive(error.cookies)
            return str(error.error) if isinstance(error, ProviderError) else error.code
        self.browser.receive(result.cookies)
        assert result.connection.issuer == result.logged_in.identity.issuer
        return f"logged in at {result.connection.issuer[8:].partition('.')[0]}"


def without_iss(response: AuthorizationResponse) -> AuthorizationResponse:
    kept = tuple([pair for pair in response.parameters if pair[0] != "iss"])
    return evolve(response, parameters=kept)


def with_iss(response: AuthorizationResponse, iss: str) -> AuthorizationResponse:
    stripped = without_iss(response)
    return evolve(stripped, parameters=(*stripped.parameters, ("iss", iss)))
