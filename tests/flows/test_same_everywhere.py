"""One scenario, four worlds: the core asks for the same, octet by octet, in each of them."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from attrs import evolve, frozen

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.testing import (
    AsyncInMemoryTransport,
    FakeProvider,
    InMemoryTransport,
    serve,
)
from oidc_adapters.testing.transports import TellsTime
from oidc_adapters.transport.in_threads import InThreads
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.model.policy import Policy
from oidc_core.model.records import Tokens
from oidc_core.operations import discovery
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.http import Answer, AnswerTo, HttpRequest, HttpResponse, WireRequest
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.way import Channel
from tests.flows.rig import (
    NOW,
    Browser,
    honest_provider,
    returning,
    run_asyncio,
    run_trio,
    setup_for,
)
from tests.flows.tracing import AsyncTracedShell, Entry, TracedShell
from tests.refreshing import refreshed as refresh_now
from tests.refreshing import refreshed_async as refresh_now_async

POLICY: Final = Policy(quirks=frozenset({"insecure_allow_http_loopback"}))


@frozen(kw_only=True)
class Scenario:
    """The result of one run of the scenario."""

    trace: tuple[Entry, ...]
    pages: tuple[str, ...]
    cookies: tuple[str, ...]

    @property
    def requests(self) -> tuple[HttpRequest, ...]:
        return tuple([value for _, value in self.trace if isinstance(value, HttpRequest)])


def settled(trace: list[Entry]) -> tuple[Entry, ...]:
    """A trace without the headers that a real connection adds to answers."""
    return tuple([(kind, _plain(value)) for kind, value in trace])


def _plain(value: object) -> object:
    if not (isinstance(value, AnswerTo) and isinstance(value.answer, HttpResponse)):
        return value
    media_type = value.answer.header("content-type") or ""
    return value._replace(answer=evolve(value.answer, headers=(("content-type", media_type),)))


class InPlainMemory(InMemoryTransport):
    """Describes its channel as a real one describes http on loopback."""

    def send(self, request: WireRequest, clock: TellsTime) -> Answer:
        answer = super().send(request, clock)
        if not isinstance(answer, HttpResponse):
            return answer
        return evolve(answer, channel=Channel("unverified", addresses_judged=True))


class World:
    """A clock and a browser, and the settings of the client."""

    def __init__(self, provider: FakeProvider, clock: FrozenClock | None = None) -> None:
        self.provider = provider
        self.browser = Browser()
        self.clock = FrozenClock(NOW) if clock is None else clock
        self.setup = setup_for(provider, policy=POLICY)
        self.pages: list[str] = []
        self.cookies: list[str] = []

    def shell(self, kind: Callable[..., Any], transport: Any) -> Any:
        return kind(transport, Credentials(), clock=self.clock, entropy=FixedEntropy(1))

    def show(self, page: Any) -> None:
        self.pages.append(page.url)
        self.receive(page)

    def receive(self, answer: Any) -> None:
        self.cookies += [cookie.header for cookie in answer.cookies]
        self.browser.receive(answer.cookies)

    def authorize(self) -> Any:
        return self.provider.authorize(self.pages[-1], NOW).incoming(self.browser.header)

    def end_session(self) -> Incoming:
        url = self.provider.end_session(self.pages[-1], NOW)
        assert url is not None
        return returning(url, self.browser.header)

    def ended(self, trace: list[Entry]) -> Scenario:
        return Scenario(trace=settled(trace), pages=tuple(self.pages), cookies=tuple(self.cookies))


def sync_scenario(world: World, transport: Any) -> Scenario:
    shell: TracedShell = world.shell(TracedShell, transport)
    bare = world.setup.relying_party()
    rp = shell.run(bare, discovery.discover(bare))
    shell.credentials = world.setup.credentials(rp)
    client = OidcClient.of(rp, shell, MemoryPendingLogins())
    world.show(client.start_login(return_to="/orders"))
    result = client.finish_login(world.authorize())
    world.receive(result)
    world.clock.advance(30)

    def store(tokens: Tokens) -> None:
        shell.trace.append(("store", tokens))

    refreshed = refresh_now(client, result.logged_in.tokens, store)
    world.show(client.start_logout(refreshed.tokens))
    world.receive(client.finish_logout(world.end_session()))
    return world.ended(shell.trace)


async def async_scenario(world: World, transport: Any) -> Scenario:
    shell: AsyncTracedShell = world.shell(AsyncTracedShell, transport)
    bare = world.setup.relying_party()
    rp = await shell.run(bare, discovery.discover(bare))
    shell.credentials = world.setup.credentials(rp)
    client = AsyncOidcClient.of(rp, shell, MemoryPendingLogins())
    world.show(await client.start_login(return_to="/orders"))
    result = await client.finish_login(world.authorize())
    world.receive(result)
    world.clock.advance(30)

    def store(tokens: Tokens) -> None:
        shell.trace.append(("store", tokens))

    refreshed = await refresh_now_async(client, result.logged_in.tokens, store)
    world.show(await client.start_logout(refreshed.tokens))
    out = await client.finish_logout(world.end_session())
    world.receive(out)
    return world.ended(shell.trace)


def in_memory(issuer: str, transport: type[InMemoryTransport] = InMemoryTransport) -> Scenario:
    provider = honest_provider(issuer=issuer)
    return sync_scenario(World(provider), transport(provider))


def awaited(issuer: str, run: Callable[..., Any]) -> Scenario:
    provider = honest_provider(issuer=issuer)
    transport = AsyncInMemoryTransport(provider)
    scenario: Scenario = run(lambda: async_scenario(World(provider), transport))
    return scenario


def over_loopback() -> tuple[str, Scenario]:
    clock = FrozenClock(NOW)
    with serve(honest_provider(), clock) as server, Urllib3Transport() as transport:
        return server.issuer, sync_scenario(World(server.provider, clock), transport)


def over_loopback_awaited(run: Callable[..., Any]) -> tuple[str, Scenario]:
    clock = FrozenClock(NOW)
    with serve(honest_provider(), clock) as server, Urllib3Transport() as transport:

        async def main() -> Scenario:
            async with InThreads(transport) as threads:
                return await async_scenario(World(server.provider, clock), threads)

        return server.issuer, run(main)


def test_the_scenario_is_what_it_says() -> None:
    scenario = in_memory("http://127.0.0.1:1")

    assert [request.purpose for request in scenario.requests] == [
        "discovery",
        "token",
        "key_set",
        "userinfo",
        "refresh",
    ]
    assert [type(value).__name__ for kind, value in scenario.trace if kind == "result"] == [
        "RelyingParty",
        "LoginStarted",
        "LoggedIn",
        "TokensRenewed",
        "Refreshed",
        "LogoutStarted",
        "LoggedOut",
    ]


def test_it_is_the_same_twice() -> None:
    assert in_memory("http://127.0.0.1:1") == in_memory("http://127.0.0.1:1")


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_it_is_the_same_awaited(run: Callable[..., Any]) -> None:
    sync, other = in_memory("http://127.0.0.1:1"), awaited("http://127.0.0.1:1", run)

    assert sync.requests == other.requests
    assert sync.trace == other.trace
    assert (sync.pages, sync.cookies) == (other.pages, other.cookies)


def test_it_is_the_same_over_a_real_connection() -> None:
    issuer, other = over_loopback()
    sync = in_memory(issuer, InPlainMemory)

    assert sync.requests == other.requests
    assert sync.trace == other.trace
    assert (sync.pages, sync.cookies) == (other.pages, other.cookies)


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_it_is_the_same_over_a_real_connection_awaited(run: Callable[..., Any]) -> None:
    issuer, other = over_loopback_awaited(run)
    sync = in_memory(issuer, InPlainMemory)

    assert sync.requests == other.requests
    assert sync.trace == other.trace
    assert (sync.pages, sync.cookies) == (other.pages, other.cookies)


def test_each_world_says_what_it_knows_of_its_channel() -> None:
    """The one difference there may be between a real connection and a transport in memory."""
    issuer, real = over_loopback()

    assert channels(real) == {"unverified"}
    assert channels(in_memory(issuer)) == {"not_told"}


def channels(scenario: Scenario) -> set[str]:
    """Name the answers' reports about their channel, and the login's report about it."""
    values = [value for _, value in scenario.trace]
    answers = [value.answer for value in values if isinstance(value, AnswerTo)]
    logins = [value for value in values if isinstance(value, LoggedIn)]
    assert (len(answers), len(logins)) == (5, 1)
    return {
        *[answer.channel.server for answer in answers if isinstance(answer, HttpResponse)],
        *[logged_in.evidence.channel for logged_in in logins],
    }


def test_another_secret_makes_another_trace() -> None:
    """Equality means something here: values of other secrets differ."""

    class Other(World):
        def shell(self, kind: Callable[..., Any], transport: Any) -> Any:
            return kind(transport, Credentials(), clock=self.clock, entropy=FixedEntropy(2))

    provider = honest_provider(issuer="http://127.0.0.1:1")
    other = sync_scenario(Other(provider), InMemoryTransport(provider))

    assert in_memory("http://127.0.0.1:1").trace != other.trace
    assert in_memory("http://127.0.0.1:1").requests != other.requests
