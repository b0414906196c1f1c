"""Whole logins by the origins that are named: behind a back channel, and without exemptions."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from attrs import evolve, field, frozen

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.testing import AsyncInMemoryTransport, FakeProvider, InMemoryTransport
from oidc_adapters.testing.transports import TellsTime
from oidc_adapters.transport.in_threads import InThreads
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.machine.dpop import proof_of, with_proof
from oidc_core.machine.steps import Exchange
from oidc_core.model.evidence import evidence_json
from oidc_core.model.origins import PUBLIC_ONLY
from oidc_core.model.policy import Policy
from oidc_core.operations.discovery import discover
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.addresses import Reach
from oidc_core.wire.errors import OidcError, ProtocolViolation, UsageError
from oidc_core.wire.http import Answer, HttpRequest, HttpResponse, WireRequest
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.way import Channel, ChannelState
from tests.flows.rig import NOW, Browser, honest_provider, run_asyncio, run_trio, setup_for
from tests.refreshing import refreshed as refresh_now

PUBLISHED: Final = "https://id.example"
KEYCLOAK: Final = "http://keycloak:8080"
CONTAINERS: Final = Policy(
    name="containers", insecure_http_origins={KEYCLOAK}, back_channel={PUBLISHED: KEYCLOAK}
)

UNVERIFIED: Final = Channel("unverified", addresses_judged=True)


@frozen
class Network:
    """Where hosts have other names: the client asks the provider by its own name."""

    provider: FakeProvider
    inner: str = PUBLISHED
    channel: Channel = UNVERIFIED
    asked: list[tuple[str, Reach]] = field(factory=list[tuple[str, Reach]])

    def send(self, request: WireRequest, clock: TellsTime) -> Answer:
        self.asked.append((request.url, request.reach))
        assert request.url.startswith(self.inner + "/"), request.url
        url = PUBLISHED + request.url.removeprefix(self.inner)
        answer = self.provider.answer(evolve(request, url=url), clock.now())
        if not isinstance(answer, HttpResponse):
            return answer
        return evolve(answer, channel=self.channel)


def logged_in_over(transport: Any, setup: ClientSetup, provider: FakeProvider) -> LoggedIn:
    client = OidcClient.discover(
        setup, MemoryPendingLogins(), transport=transport, clock=FrozenClock(NOW)
    )
    browser = Browser()
    page = client.start_login()
    browser.receive(page.cookies)
    assert page.url.startswith(f"{PUBLISHED}/")
    incoming = provider.authorize(page.url, NOW).incoming(browser.header)
    logged_in = client.finish_login(incoming).logged_in
    goodbye = client.start_logout(logged_in.tokens)
    assert goodbye.url.startswith(f"{PUBLISHED}/")
    refreshed = refresh_now(client, logged_in.tokens, lambda _tokens: None)
    assert refreshed.evidence is not None
    assert [brought for brought, _ in refreshed.evidence.channels][-1] == "key_set"
    return logged_in


def test_everything_of_the_librarys_own_goes_along_the_back_channel_and_the_browser_never() -> None:
    provider = honest_provider(issuer=PUBLISHED)
    network = Network(provider, inner=KEYCLOAK)
    logged_in = logged_in_over(network, setup_for(provider, policy=CONTAINERS), provider)

    assert logged_in.identity.issuer == PUBLISHED
    assert {reach for _, reach in network.asked} == {"private"}
    assert len(network.asked) >= 5  # metadata, tokens, keys, UserInfo, refresh
    relaxations = logged_in.evidence.id_token.relaxations
    assert relaxations == (
        f"insecure_http_origins {KEYCLOAK}",
        f"back_channel {PUBLISHED}:443 {KEYCLOAK}",
    )


def test_metadata_may_be_asked_for_at_the_inner_name_and_name_the_inner_endpoints() -> None:
    """As Keycloak does where its back channel is dynamic: no rewrite, and no other origin."""
    policy = Policy(insecure_http_origins={KEYCLOAK})
    bare = setup_for(honest_provider(issuer=PUBLISHED), policy=policy).relying_party()
    found = evolve(
        bare,
        discovery_url=f"{KEYCLOAK}/.well-known/openid-configuration",
        provider=evolve(
            bare.provider,
            authorization_endpoint=f"{PUBLISHED}/authorize",
            token_endpoint=f"{KEYCLOAK}/token",
            jwks_uri=f"{KEYCLOAK}/jwks",
        ),
    )
    assert found.targets["token_endpoint"].way.reach == "private"
    assert found.targets["authorization_endpoint"].way.reach == "any"
    with pytest.raises(UsageError) as caught:
        evolve(found, provider=evolve(found.provider, jwks_uri="http://keycloak:9000/jwks"))
    assert (caught.value.code, caught.value.about) == ("url_scheme_not_allowed", "jwks_uri")


def test_assertions_and_proofs_name_what_is_published() -> None:
    """Who the server is does not change with the way there."""
    provider = honest_provider(issuer=PUBLISHED)
    setup = setup_for(provider, policy=CONTAINERS)
    client = OidcClient.discover(
        setup, MemoryPendingLogins(), transport=Network(provider, KEYCLOAK)
    )
    target = client.rp.targets["token_endpoint"]
    step_request = client.rp.keys_wanted["solicited"].request
    assert step_request.url.startswith(PUBLISHED)
    assert (step_request.way.url or "").startswith(KEYCLOAK)
    asked = evolve(step_request, method="POST", url=target.url, way=target.way)
    proving = with_proof(asked, "thumbprint")
    proof = proof_of(proving)
    assert proof is not None
    assert proof.htu == target.url


@pytest.mark.parametrize("server", ["verified", "not_told"])
@pytest.mark.parametrize("judged", [True, False])
def test_evidence_tells_of_each_exchange_how_its_answer_came(
    server: ChannelState, judged: bool
) -> None:
    provider, channel = honest_provider(issuer=PUBLISHED), Channel(server, judged)
    logged_in = logged_in_over(Network(provider, channel=channel), setup_for(provider), provider)
    assert logged_in.evidence.channels == tuple(
        (brought, channel) for brought in ("metadata", "id_token", "key_set", "userinfo")
    )
    assert logged_in.channel == server
    told = JsonObject({"server": server, "addresses_judged": judged})
    written = evidence_json(logged_in.evidence.id_token)["channels"]
    assert written == JsonObject({"metadata": told, "id_token": told, "key_set": told})
    assert logged_in.evidence.authorization_response is not None
    assert [*logged_in.evidence.authorization_response.channels] == [("metadata", channel)]


def test_tls_that_verified_nobody_is_refused_whatever_the_policy_demands() -> None:
    provider = honest_provider(issuer=PUBLISHED)
    network = Network(provider, channel=Channel("unverified", addresses_judged=True))
    with pytest.raises(ProtocolViolation) as caught:
        OidcClient.discover(setup_for(provider), MemoryPendingLogins(), transport=network)
    assert (caught.value.code, caught.value.found) == ("channel_unverified", "unverified")
    assert len(network.asked) == 1  # the metadata: nothing secret left


STRICT: Final = Policy(name="strict", addresses=PUBLIC_ONLY)


def refusal(call: Callable[[], object]) -> OidcError:
    with pytest.raises(OidcError) as caught:
        call()
    return caught.value


def test_where_nobody_is_exempt_a_transport_that_does_not_judge_sends_nothing() -> None:
    provider = honest_provider(issuer=PUBLISHED)
    network = Network(provider, channel=Channel("verified"))
    setup = setup_for(provider, policy=STRICT)
    error = refusal(lambda: OidcClient.discover(setup, MemoryPendingLogins(), transport=network))
    assert (error.code, error.about, error.found) == ("config_invalid", "transport", "Network")
    metadata = OidcClient.discover(
        setup_for(provider), MemoryPendingLogins(), transport=network
    ).rp.provider
    asked = len(network.asked)
    given = evolve(setup, metadata=metadata)
    error = refusal(lambda: OidcClient.discover(given, MemoryPendingLogins(), transport=network))
    assert (error.code, error.about) == ("config_invalid", "transport")
    assert len(network.asked) == asked


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_the_same_awaited(run: Callable[[Callable[[], Awaitable[Any]]], Any]) -> None:
    provider = honest_provider(issuer=PUBLISHED)
    setup = setup_for(provider, policy=STRICT)
    with Urllib3Transport(proxy="http://127.0.0.1:9") as proxied:
        threads = InThreads(proxied)
        error = refusal(
            lambda: run(
                lambda: AsyncOidcClient.discover(setup, MemoryPendingLogins(), transport=threads)
            )
        )
        threads.close()
    assert (error.code, error.about, error.found) == ("config_invalid", "transport", "InThreads")
    client = run(
        lambda: AsyncOidcClient.discover(
            setup, MemoryPendingLogins(), transport=AsyncInMemoryTransport(provider)
        )
    )
    assert client.rp.provider.issuer == PUBLISHED


def test_a_proxy_that_keeps_requests_from_what_is_near_is_named_and_told() -> None:
    provider = honest_provider(issuer=PUBLISHED)
    policy = evolve(STRICT, quirks=frozenset({"proxy_enforces_addresses"}))
    network = Network(provider, channel=Channel("verified"))
    logged_in = logged_in_over(network, setup_for(provider, policy=policy), provider)
    assert logged_in.evidence.id_token.relaxations == ("proxy_enforces_addresses",)
    assert {channel for _, channel in logged_in.evidence.channels} == {Channel("verified")}
    assert {reach for _, reach in network.asked} == {"public"}


def test_a_transport_in_memory_serves_the_strictest_policy() -> None:
    provider = honest_provider(issuer=PUBLISHED)
    logged_in = logged_in_over(
        InMemoryTransport(provider), setup_for(provider, policy=STRICT), provider
    )
    assert {channel for _, channel in logged_in.evidence.channels} == {
        Channel("not_told", addresses_judged=True)
    }


@pytest.mark.parametrize(
    "issuer",
    [
        "https://127.0.0.1",
        "https://localhost:8443",
        "https://169.254.169.254/latest",
        "https://[fd00::1]",
        "https://[::1]:8443",
        "https://10.20.30.40/realms/a",
        "https://metadata.google.internal",
    ],
)
def test_no_user_types_in_an_issuer_that_is_near(issuer: str) -> None:
    setup = ClientSetup(
        issuer=issuer,
        client_id="c",
        redirect_uri="https://app.example/cb",
        token_endpoint_auth_method="none",
        policy=STRICT,
    )
    error = refusal(setup.relying_party)
    assert (error.code, error.about) == ("url_address_not_allowed", "issuer")
    evolve(setup, policy=Policy()).relying_party()  # the developer's own


def test_a_name_that_a_user_types_in_is_judged_when_it_is_dialled() -> None:
    setup = ClientSetup(
        issuer="https://localhost.example",
        client_id="c",
        redirect_uri="https://app.example/cb",
        token_endpoint_auth_method="none",
        policy=STRICT,
    )
    request = _discovery(setup)
    assert (request.way.reach, request.way.judged) == ("public", True)
    named = _discovery(evolve(setup, policy=Policy()))
    assert (named.way.reach, named.way.judged) == ("any", False)


def _discovery(setup: ClientSetup) -> HttpRequest:
    step = discover(setup.relying_party())
    assert isinstance(step, Exchange)
    return step.request
