"""A client, a provider and a browser in one process, for flows that read as scripts."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import trio
from attrs import evolve, field, frozen
from cryptography.hazmat.primitives.asymmetric import ec

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.results import LoginResult, Redirect
from oidc_adapters.credentials.client_keys import DecryptionKey
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.pending import MemoryPendingLogins, PendingLogins
from oidc_adapters.stores.provider_keys import ProviderKeys
from oidc_adapters.testing import (
    AsyncInMemoryTransport,
    AuthorizationResponse,
    FakeClient,
    FakeProvider,
    InMemoryTransport,
    Misbehaviour,
)
from oidc_core.endpoints.authorization import DEFAULT_REQUEST, AuthenticationRequest, Callback
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import DEFAULT_POLICY, Policy
from oidc_core.operations.backchannel_logout import receive, refuse_repeat
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.incoming import Incoming
from tests.refreshing import refreshed, refreshed_async

NOW: Final = 1_700_000_000
SCOPE: Final = "openid profile email offline_access"
SEALING_SECRET: Final = b"a sealing secret of 32 octets or so"
FAKE_CLIENT: Final = FakeClient()
REDIRECT_URI: Final = FAKE_CLIENT.redirect_uris[0]
DECRYPTION_KEY: Final = DecryptionKey(ec.derive_private_key(7, ec.SECP256R1()), kid="decryption")


def run_asyncio(main: Callable[[], Awaitable[Any]]) -> Any:
    import asyncio

    async def run() -> Any:
        return await main()

    return asyncio.run(run())


def run_trio(main: Callable[[], Awaitable[Any]]) -> Any:
    return trio.run(main)


def honest_provider(**changed: Any) -> FakeProvider:
    """A provider whose keys are made at once, so that no test waits for an RSA key."""
    settings: dict[str, Any] = {"id_token_alg": "EdDSA", **changed}
    return FakeProvider(**settings)


def setup_for(provider: FakeProvider, **changed: Any) -> ClientSetup:
    """The settings of the provider's first client."""
    client = provider.clients[0]
    settings: dict[str, Any] = {
        "issuer": provider.issuer,
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "redirect_uri": client.redirect_uris[0],
        "post_logout_redirect_uri": client.post_logout_redirect_uris[0],
        "scope": SCOPE,
    }
    if "registration" in changed:  # it says all of this itself
        for name in ("client_id", "redirect_uri", "post_logout_redirect_uri", "scope"):
            del settings[name]
    return ClientSetup(**{**settings, **changed})


class Browser:
    """Keeps cookies, as far as a login needs it."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def receive(self, cookies: tuple[SetCookie, ...]) -> None:
        for cookie in cookies:
            if cookie.max_age == 0:
                self.cookies.pop(cookie.name, None)
            else:
                self.cookies[cookie.name] = cookie.value

    @property
    def header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


def arrived(callback: AuthorizationResponse) -> Callback:
    """The core's view of an authorization response."""
    return Callback.of(callback.incoming())


def returning(url: str, cookie: str = "") -> Incoming:
    """The web application's view of a browser that comes to a URL."""
    base, _, query = url.partition("?")
    return Incoming(method="GET", url=base, query=query, cookie=cookie)


@frozen(kw_only=True)
class Rig:
    """One client at one provider, with the clock both go by."""

    provider: FakeProvider
    transport: InMemoryTransport
    clock: FrozenClock
    client: OidcClient
    browser: Browser = field(factory=Browser)

    def start(self, request: AuthenticationRequest = DEFAULT_REQUEST, **named: Any) -> Redirect:
        redirect = self.client.start_login(request, cookie=self.browser.header, **named)
        self.browser.receive(redirect.cookies)
        return redirect

    def visit(self, redirect: Redirect, **named: Any) -> Incoming:
        return self.provider.authorize(redirect.url, self.clock.now(), **named).incoming()

    def finish(self, incoming: Incoming, **named: Any) -> LoginResult:
        brought = evolve(incoming, cookie=self.browser.header)
        result = self.client.finish_login(brought, **named)
        self.browser.receive(result.cookies)
        return result

    def log_in(self, request: AuthenticationRequest = DEFAULT_REQUEST, **named: Any) -> LoginResult:
        return self.finish(self.visit(self.start(request), **named))


def new_rig(
    provider: FakeProvider | None = None,
    *,
    pending: PendingLogins | None = None,
    keys: ProviderKeys | None = None,
    seed: int = 1,
    **settings: Any,
) -> Rig:
    """Discover a provider in memory."""
    behind = honest_provider() if provider is None else provider
    transport, clock = InMemoryTransport(behind), FrozenClock(NOW)
    client = OidcClient.discover(
        setup_for(behind, **settings),
        MemoryPendingLogins() if pending is None else pending,
        transport=transport,
        keys=keys,
        clock=clock,
        entropy=FixedEntropy(seed),
    )
    return Rig(provider=behind, transport=transport, clock=clock, client=client)


@frozen(kw_only=True)
class Misbehaving:
    """Everything that triggers one misbehaviour: a provider, settings, a request."""

    row: Misbehaviour
    alg: str = "EdDSA"

    @property
    def provider(self) -> FakeProvider:
        alg = "EdDSA" if self.row.needs == "EdDSA" else self.alg
        signed = alg if self.row.needs in {"signed_userinfo", "encrypted_userinfo"} else None
        client = evolve(FAKE_CLIENT, userinfo_signed_response_alg=signed, **self.encryption)
        misbehave = None if self.row.during in {"refresh", "logout"} else self.row.name
        return FakeProvider(id_token_alg=alg, clients=(client,), misbehave=misbehave)

    @property
    def encryption(self) -> dict[str, Any]:
        """The fake client's registration about encryption."""
        encrypted = self.row.needs.partition("encrypted_")[2]
        if not encrypted:
            return {}
        return {
            "jwks": (DECRYPTION_KEY.public_jwk(),),
            f"{encrypted}_encrypted_response_alg": "ECDH-ES+A128KW",
            f"{encrypted}_encrypted_response_enc": "A128GCM",
        }

    @property
    def policy(self) -> Policy:
        if self.row.during == "userinfo":
            return evolve(DEFAULT_POLICY, userinfo="required")
        strict = self.row.needs == "strict"
        return evolve(
            DEFAULT_POLICY,
            userinfo="optional" if self.row.endpoint == "discovery" else "never",
            require_at_hash=strict,
            require_logout_typ=strict,
            require_essential_claims=strict,
            forbid_extra_scope=strict,
        )

    @property
    def setup(self) -> ClientSetup:
        client = FAKE_CLIENT
        registration = ClientRegistration(
            client_id=client.client_id,
            redirect_uris=client.redirect_uris,
            post_logout_redirect_uris=client.post_logout_redirect_uris,
            scope=SCOPE,
            backchannel_logout_session_required=self.row.needs == "strict",
            userinfo_signed_response_alg=self.provider.clients[0].userinfo_signed_response_alg,
            **{name: value for name, value in self.encryption.items() if name != "jwks"},
        )
        return setup_for(
            self.provider,
            registration=registration,
            policy=self.policy,
            decryption_keys=(DECRYPTION_KEY,) if self.encryption else (),
        )

    @property
    def request(self) -> AuthenticationRequest:
        if self.row.needs == "max_age":
            return AuthenticationRequest(max_age=600)
        if self.row.needs == "acr":
            return AuthenticationRequest(required_acr=("urn:example:two-factor",))
        if self.row.needs == "strict":
            return AuthenticationRequest(claims={"id_token": {"email": {"essential": True}}})
        return DEFAULT_REQUEST

    def run(self, transport: InMemoryTransport) -> None:
        """Go on until the client refuses."""
        clock, browser, provider = FrozenClock(NOW), Browser(), transport.provider
        client = OidcClient.discover(
            self.setup,
            MemoryPendingLogins(),
            transport=transport,
            clock=clock,
            entropy=FixedEntropy(1),
        )
        redirect = client.start_login(self.request)
        browser.receive(redirect.cookies)
        incoming = provider.authorize(redirect.url, NOW).incoming(browser.header)
        result = client.finish_login(incoming)
        provider.misbehave = self.row.name
        refreshed(client, result.logged_in.tokens)
        tokens, used = result.logged_in.tokens, set[str]()
        for _ in range(2):
            logout = provider.backchannel_logout(NOW, sub=tokens.subject, sid=tokens.sid)
            notice = client.shell.run(client.rp, receive(client.rp, logout.incoming(), now=NOW))
            refuse_repeat(notice, used=notice.once in used)
            used.add(notice.once)

    async def run_async(self, transport: AsyncInMemoryTransport) -> None:
        """The same, awaited."""
        clock, browser, provider = FrozenClock(NOW), Browser(), transport.provider
        client = await AsyncOidcClient.discover(
            self.setup,
            MemoryPendingLogins(),
            transport=transport,
            clock=clock,
            entropy=FixedEntropy(1),
        )
        redirect = await client.start_login(self.request)
        browser.receive(redirect.cookies)
        incoming = provider.authorize(redirect.url, NOW).incoming(browser.header)
        result = await client.finish_login(incoming)
        provider.misbehave = self.row.name
        await refreshed_async(client, result.logged_in.tokens)
        tokens, used = result.logged_in.tokens, set[str]()
        for _ in range(2):
            logout = provider.backchannel_logout(NOW, sub=tokens.subject, sid=tokens.sid)
            step = receive(client.rp, logout.incoming(), now=NOW)
            notice = await client.shell.run(client.rp, step)
            refuse_repeat(notice, used=notice.once in used)
            used.add(notice.once)
