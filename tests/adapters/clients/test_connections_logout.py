"""Several clients side by side: a logout ends the sessions of one of them."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve, frozen

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.connections import AsyncConnections, Connections
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.stores.sessions import SessionIndex
from oidc_adapters.testing import AsyncInMemoryTransport, FakeProvider, InMemoryTransport
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.replies import Reply
from tests.adapters.clients.logging_out import CLIENT, KINDS
from tests.adapters.stores.records.plugged import AwaitedRecords, PluggedRecords, failing_at
from tests.flows.mixing import settled
from tests.flows.rig import NOW, SEALING_SECRET, honest_provider, setup_for
from tests.indexed import quiet

OTHER = evolve(
    CLIENT,
    client_id="other",
    redirect_uris=("https://rp.example/other",),
    frontchannel_logout_uri="https://rp.example/other-frame",
)
SECOND = "https://second.example"
THIRD = evolve(OTHER, client_id="third", redirect_uris=("https://rp.example/third",))


@frozen(kw_only=True)
class Branch:
    """One client, its provider, and the sessions that the provider ended there."""

    client: Any
    provider: FakeProvider
    records: PluggedRecords
    ended: list[str]

    def log_in(self, session_id: str) -> str:
        """Log a user in; return the provider's session."""
        page = settled(self.client.start_login())
        header = "; ".join(f"{cookie.name}={cookie.value}" for cookie in page.cookies)
        incoming = self.provider.authorize(page.url, NOW).incoming(header)
        result = settled(self.client.finish_login(incoming, session_id=session_id))
        sid: str = result.logged_in.id_token.sid
        return sid


def branch(
    provider: FakeProvider,
    number: int = 0,
    *,
    awaits: bool,
    indexed: bool = True,
    connection_id: str = "",
) -> Branch:
    registered = provider.clients[number]
    clock, ended = FrozenClock(NOW), list[str]()
    records = PluggedRecords(MemoryRecords(clock=clock))
    kept: Any = AwaitedRecords(records) if awaits else records
    kind: Any = AsyncOidcClient if awaits else OidcClient
    registration = ClientRegistration(
        client_id=registered.client_id,
        redirect_uris=registered.redirect_uris,
        frontchannel_logout_uri=registered.frontchannel_logout_uri,
        scope="openid",
        connection_id=connection_id,
    )
    client = kind(
        setup_for(provider, registration=registration, policy=Policy(userinfo="never")),
        MemoryPendingLogins(),
        transport=(AsyncInMemoryTransport if awaits else InMemoryTransport)(provider),
        clock=clock,
        sessions=SessionIndex(kept, SEALING_SECRET, end_session=ended.append) if indexed else None,
    )
    return Branch(client=client, provider=provider, records=records, ended=ended)


def together(*branches: Branch) -> Any:
    kind: Any = AsyncConnections if isinstance(branches[0].client, AsyncOidcClient) else Connections
    return kind(*[each.client for each in branches])


def post(all_of_them: Any, provider: FakeProvider, **named: Any) -> Reply:
    incoming = provider.backchannel_logout(NOW, **named).incoming()
    reply: Reply = settled(all_of_them.backchannel_logout(incoming))
    return reply


def a_provider(**changed: Any) -> FakeProvider:
    return honest_provider(clients=(CLIENT, OTHER, THIRD), **changed)


@KINDS
def test_a_logout_token_finds_the_client_that_it_is_for(awaits: bool) -> None:
    one, two = a_provider(), a_provider(issuer="https://second.example", seed=7)
    here = [
        branch(one, awaits=awaits),
        branch(one, 1, awaits=awaits),
        branch(two, 2, awaits=awaits),
    ]
    all_of_them = together(*here)
    for each in here:
        each.log_in("s")

    assert post(all_of_them, one, sub="alice", client_id="other").status == 200
    assert [each.ended for each in here] == [[], ["s"], []]
    assert post(all_of_them, two, sub="alice", client_id="third").status == 200
    assert [each.ended for each in here] == [[], ["s"], ["s"]]
    replayed = two.backchannel_logout(NOW, sub="alice", client_id="third").incoming()
    assert [settled(all_of_them.backchannel_logout(replayed)).status for _ in "12"] == [200, 400]


@KINDS
def test_a_logout_token_for_nobody_ends_nothing(awaits: bool) -> None:
    one, two = a_provider(), a_provider(issuer="https://second.example")
    here = branch(one, awaits=awaits)
    here.log_in("s")
    all_of_them = together(here)
    for reply, code in (
        (post(all_of_them, two, sub="alice"), "iss_mismatch"),
        (post(all_of_them, one, sub="alice", client_id="other"), "aud_mismatch"),
    ):
        assert reply.status == 400
        assert code.encode() in reply.body
    for body in (b"", b"logout_token=x"):
        incoming = Incoming(method="POST", url=None, body=body)
        assert settled(all_of_them.backchannel_logout(incoming)).status == 400
    assert here.ended == []
    anything: Any = "no request"
    for call in (all_of_them.backchannel_logout, all_of_them.frontchannel_logout):
        with pytest.raises(UsageError):
            settled(call(anything))


@KINDS
def test_of_two_connections_of_one_client_each_ends_its_own_sessions(awaits: bool) -> None:
    one = a_provider()
    here = [branch(one, awaits=awaits, connection_id=name) for name in ("a", "b")]
    for number, each in enumerate(here):
        each.log_in(f"s-{number}")
    all_of_them = together(*here)
    logout = one.backchannel_logout(NOW, sub="alice").incoming()
    here[1].records.before = failing_at("create")

    replies: list[int] = []
    for _ in range(3):
        replies.append(settled(all_of_them.backchannel_logout(logout)).status)
        here[1].records.before = quiet

    assert replies == [503, 200, 400]
    assert [each.ended for each in here] == [["s-0"], ["s-1"]]


@KINDS
def test_a_frame_finds_the_session_at_each_client_of_the_provider(awaits: bool) -> None:
    one = a_provider()
    here = [branch(one, awaits=awaits), branch(one, 1, awaits=awaits)]
    sids = [each.log_in(f"s-{number}") for number, each in enumerate(here)]
    all_of_them = together(*here)

    def frame(query: str) -> Reply:
        incoming = Incoming(method="GET", url="https://rp.example/other-frame", query=query)
        reply: Reply = settled(all_of_them.frontchannel_logout(incoming))
        return reply

    reply = frame(f"iss=https%3A%2F%2Fop.example&sid={sids[1]}")
    assert reply.status == 200
    assert "https://op.example" in (reply.header("content-security-policy") or "")
    assert [each.ended for each in here] == [[], ["s-1"]]
    assert frame("").status == 200
    assert frame("iss=https%3A%2F%2Fother.example&sid=s").status == 400
    assert frame("iss=https%3A%2F%2Fop.example").status == 400
    assert [each.ended for each in here] == [[], ["s-1"]]


@KINDS
def test_clients_without_an_index_take_no_logout(awaits: bool) -> None:
    one = a_provider()
    bare = branch(one, awaits=awaits, indexed=False)
    with_index = branch(one, 1, awaits=awaits)
    with_index.log_in("s")
    assert post(together(bare, with_index), one, sub="alice", client_id="other").status == 200
    assert with_index.ended == ["s"]
    reply = post(together(bare, with_index), one, sub="alice")
    assert (reply.status, b"aud_mismatch" in reply.body) == (400, True)
    for call in ("backchannel_logout", "frontchannel_logout"):
        with pytest.raises(UsageError) as caught:
            settled(getattr(together(bare), call)(one.backchannel_logout(NOW, sub="a").incoming()))
        assert (caught.value.code, caught.value.about) == ("config_invalid", "sessions")


@KINDS
def test_an_error_of_the_application_is_no_refusal_of_the_logout(awaits: bool) -> None:
    """Another client that knows no such session must not make it a success."""
    provider = a_provider()
    first = branch(provider, awaits=awaits)
    second = branch(provider, awaits=awaits, connection_id="second")
    all_of_them = together(first, second)
    first.log_in("s")

    def fail(_name: str) -> None:
        raise CallbackError("session_ended")

    first.client.session_ends.indexed.sessions.end_session = fail
    reply = post(all_of_them, provider, sub="alice")

    assert (reply.status, reply.header("cache-control")) == (503, "no-store")
    assert b"store_unavailable" in reply.body


@KINDS
def test_a_frame_of_an_unknown_provider_learns_no_provider(awaits: bool) -> None:
    here = [
        branch(a_provider(), awaits=awaits),
        branch(a_provider(issuer=SECOND), 1, awaits=awaits),
    ]
    incoming = Incoming(
        method="GET", url=str(CLIENT.frontchannel_logout_uri), query="iss=https%3A%2F%2Fx&sid=s"
    )

    reply = settled(together(*here).frontchannel_logout(incoming))

    assert reply.status == 400
    policy = "default-src 'none'; frame-ancestors 'none'"
    assert reply.header("content-security-policy") == policy
