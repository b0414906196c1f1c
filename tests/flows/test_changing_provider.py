"""The provider changes while the client runs: the client learns of it, and nobody restarts it."""

from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.testing import AsyncInMemoryTransport, InMemoryTransport
from oidc_core.machine.metadata_fetching import REREAD
from oidc_core.model.client import ClientRegistration
from oidc_core.wire.errors import OidcError
from tests.flows.mixing import settled
from tests.flows.rig import NOW, Browser, honest_provider, setup_for

KINDS = pytest.mark.parametrize("awaits", [False, True], ids=["sync", "async"])
CHANGED: Final = honest_provider(id_token_alg="ES256")


class Switch:
    """A transport to the provider that is there now."""

    judges_addresses = True

    def __init__(self) -> None:
        self.to = InMemoryTransport(honest_provider())

    def send(self, request: Any, clock: Any) -> Any:
        return self.to.send(request, clock)


class AsyncSwitch:
    """The same, awaited."""

    judges_addresses = True

    def __init__(self) -> None:
        self.to: Any = AsyncInMemoryTransport(honest_provider())

    async def send(self, request: Any, clock: Any) -> Any:
        return await self.to.send(request, clock)


class Site:
    """An application, and the provider that is behind it now."""

    def __init__(self, *, awaits: bool, **changed: Any) -> None:
        self.awaits, self.clock, self.browser = awaits, FrozenClock(NOW), Browser()
        self.network: Any = AsyncSwitch() if awaits else Switch()
        kind: Any = AsyncOidcClient if awaits else OidcClient
        setup = setup_for(self.network.to.provider, **changed)
        self.client: Any = kind(
            setup, MemoryPendingLogins(), transport=self.network, clock=self.clock
        )

    def becomes(self, provider: Any) -> None:
        """From now on this provider answers."""
        transport: Any = AsyncInMemoryTransport if self.awaits else InMemoryTransport
        self.network.to = transport(provider)

    def log_in(self) -> Any:
        page = settled(self.client.start_login(cookie=self.browser.header))
        self.browser.receive(page.cookies)
        response = self.network.to.provider.authorize(page.url, self.clock.now())
        incoming = response.incoming(self.browser.header)
        try:
            result = settled(self.client.finish_login(incoming))
        except OidcError as error:
            self.browser.receive(error.cookies)
            raise
        self.browser.receive(result.cookies)
        return result.logged_in.evidence.id_token.alg

    def refused(self) -> OidcError:
        with pytest.raises(OidcError) as caught:
            self.log_in()
        return caught.value


@KINDS
def test_an_algorithm_that_is_new_ends_one_login_and_not_the_next(awaits: bool) -> None:
    site = Site(awaits=awaits)
    assert site.log_in() == "EdDSA"
    site.becomes(CHANGED)
    site.clock.advance(REREAD)

    error = site.refused()

    assert (error.code, error.retryable, error.kind) == ("alg_not_allowed", "restart", "stale")
    assert "id_token_signing_alg_values_supported" in error.hint
    assert site.log_in() == "ES256"


@KINDS
def test_it_is_read_again_though_the_browser_is_told_not_to_start_again(awaits: bool) -> None:
    site = Site(awaits=awaits)
    site.log_in()
    site.becomes(CHANGED)

    first, second = site.refused(), site.refused()  # metadata is too young to be read again
    site.clock.advance(REREAD)

    assert (first.retryable, second.retryable) == ("restart", "no")
    assert site.log_in() == "ES256"


@KINDS
def test_an_algorithm_that_the_client_did_not_register_has_nothing_read_again(awaits: bool) -> None:
    known = honest_provider().clients[0]
    registration = ClientRegistration(
        client_id=known.client_id,
        redirect_uris=known.redirect_uris,
        id_token_signed_response_alg="EdDSA",
    )
    site = Site(awaits=awaits, registration=registration)
    site.log_in()
    site.becomes(CHANGED)
    site.clock.advance(REREAD)

    error = site.refused()
    site.refused()

    assert (error.code, error.retryable) == ("alg_not_allowed", "no")
    urls = [request.url for request, _ in site.network.to.exchanges]
    assert not any("/.well-known/" in url for url in urls)


@KINDS
def test_a_new_issuer_at_the_old_address_is_never_believed(awaits: bool) -> None:
    site = Site(awaits=awaits)
    site.log_in()
    site.becomes(evolve(honest_provider(), misbehave="wrong_issuer"))
    site.clock.advance(86_400)

    assert site.log_in() == "EdDSA"
    assert site.client.rp.provider.issuer == "https://op.example"
