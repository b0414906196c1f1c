"""An application with sessions of its own, an index, and a provider that ends some of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from attrs import evolve, field, frozen

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.results import LoginResult
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.events import Event
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.stores.sessions import SessionIndex
from oidc_adapters.testing import (
    AsyncInMemoryTransport,
    BackchannelLogout,
    FakeProvider,
    InMemoryTransport,
)
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import OidcError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.replies import Reply
from tests.adapters.stores.records.plugged import AwaitedRecords, PluggedRecords
from tests.flows.mixing import settled
from tests.flows.rig import FAKE_CLIENT, NOW, SEALING_SECRET, honest_provider, setup_for

KINDS: Final = pytest.mark.parametrize("awaits", [False, True], ids=["sync", "async"])
CLIENT: Final = evolve(
    FAKE_CLIENT,
    backchannel_logout_uri="https://rp.example/backchannel-logout",
    frontchannel_logout_uri="https://rp.example/frontchannel-logout",
)


class Application:
    """Keeps sessions, and writes down which were ended."""

    def __init__(self) -> None:
        self.sessions: dict[str, str] = {}
        self.ended: list[str] = []
        self.failing: set[str] = set()

    def end_session(self, session_id: str) -> None:
        if session_id in self.failing:
            message = "the application's own store is away"
            raise ConnectionError(message)
        self.sessions.pop(session_id, None)
        self.ended.append(session_id)

    async def end_session_async(self, session_id: str) -> None:
        self.end_session(session_id)


@frozen(kw_only=True)
class House:
    """One application in one or several processes."""

    provider: FakeProvider
    transport: Any
    clock: FrozenClock
    records: PluggedRecords
    application: Application
    clients: list[Any]
    heard: list[Event] = field(factory=list[Event])

    @property
    def client(self) -> Any:
        return self.clients[0]

    def log_in(self, number: int = 0, *, user: str | None = None, **named: Any) -> LoginResult:
        """Log a user in at one of the processes, with a new session at the provider."""
        client = self.clients[number]
        page = settled(client.start_login())
        return self.come_back(page, number, user=user, **named)

    def come_back(
        self, page: Any, number: int = 0, *, user: str | None = None, **named: Any
    ) -> LoginResult:
        response = self.provider.authorize(page.url, self.clock.now(), user=user)
        header = "; ".join(f"{cookie.name}={cookie.value}" for cookie in page.cookies)
        incoming = response.incoming(header)
        result: LoginResult = settled(self.clients[number].finish_login(incoming, **named))
        self.application.sessions[named.get("session_id") or result.grant_id] = "alive"
        return result

    def logout(self, **named: Any) -> BackchannelLogout:
        return self.provider.backchannel_logout(self.clock.now(), **named)

    def post(self, logout: BackchannelLogout | Incoming, number: int = 0) -> Reply:
        incoming = logout if isinstance(logout, Incoming) else logout.incoming()
        reply: Reply = settled(self.clients[number].backchannel_logout(incoming))
        return reply

    def frame(self, url: str, number: int = 0) -> Reply:
        base, _, query = url.partition("?")
        incoming = Incoming(method="GET", url=base, query=query)
        reply: Reply = settled(self.clients[number].frontchannel_logout(incoming))
        return reply

    def code_of(self, result: LoginResult, number: int = 0) -> str:
        """Return the code with which tokens are refused, or nothing if there are some."""
        return code_of(lambda: settled(self.clients[number].tokens(result.grant_id).fresh()))


def code_of(call: Callable[[], object]) -> str:
    try:
        call()
    except OidcError as error:
        return error.code
    return ""


def house(
    *,
    awaits: bool = False,
    processes: int = 1,
    grants: bool = True,
    trusted: float = 0,
    index: dict[str, Any] | None = None,
    policy: Policy | None = None,
    setup: dict[str, Any] | None = None,
    **changed: Any,
) -> House:
    """Return an application; each client of it passes for a process."""
    provider = honest_provider(**{"clients": (CLIENT,), **changed})
    clock, heard, application = FrozenClock(NOW), list[Event](), Application()
    transport: Any = (AsyncInMemoryTransport if awaits else InMemoryTransport)(provider)
    memory = PluggedRecords(MemoryRecords(clock=clock, elapsed=lambda: float(clock.now())))
    records: Any = AwaitedRecords(memory) if awaits else memory
    kind: Any = AsyncOidcClient if awaits else OidcClient
    end = application.end_session_async if awaits else application.end_session
    settings: dict[str, Any] = {"end_session": end, **(index or {})}
    clients = [
        kind(
            setup_for(provider, policy=policy or Policy(userinfo="never"), **(setup or {})),
            MemoryPendingLogins(),
            transport=transport,
            clock=clock,
            grants=Grants(records, SEALING_SECRET, trusted=trusted) if grants else None,
            sessions=SessionIndex(records, SEALING_SECRET, **settings),
            on_event=heard.append,
        )
        for _ in range(processes)
    ]
    return House(
        provider=provider,
        transport=transport,
        clock=clock,
        records=memory,
        application=application,
        clients=clients,
        heard=heard,
    )


def beside(here: House) -> House:
    """Return the same application as another process sees it, which waits."""
    client = OidcClient(
        setup_for(here.provider, policy=Policy(userinfo="never")),
        here.client.pending,
        transport=InMemoryTransport(here.provider),
        clock=here.clock,
        grants=Grants(here.records, SEALING_SECRET, trusted=0),
        sessions=SessionIndex(
            here.records, SEALING_SECRET, end_session=here.application.end_session
        ),
    )
    return evolve(here, clients=[client])
