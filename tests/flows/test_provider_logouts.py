"""Logouts that the provider begins: a bad token ends no session, and each has its code."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.stores.sessions import SessionIndex
from oidc_adapters.testing import (
    MISBEHAVIOURS,
    AsyncInMemoryTransport,
    InMemoryTransport,
    Misbehaviour,
)
from oidc_core.wire.replies import Reply
from tests.flows.mixing import settled
from tests.flows.rig import NOW, SEALING_SECRET, Misbehaving

ROWS = [row for row in MISBEHAVIOURS.values() if row.during == "logout"]


def test_there_are_rows() -> None:
    assert len(ROWS) > 25


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
@pytest.mark.parametrize("awaits", [False, True], ids=["sync", "async"])
def test_a_bad_logout_token_is_answered_with_400_and_ends_no_session(
    row: Misbehaviour, awaits: bool
) -> None:
    case, ended = Misbehaving(row=row), list[str]()
    provider, clock = case.provider, FrozenClock(NOW)
    records = MemoryRecords(clock=clock)
    kind: Any = AsyncOidcClient if awaits else OidcClient
    transport: Any = (AsyncInMemoryTransport if awaits else InMemoryTransport)(provider)
    client = kind(
        case.setup,
        MemoryPendingLogins(),
        transport=transport,
        clock=clock,
        grants=Grants(records, SEALING_SECRET, trusted=0),
        sessions=SessionIndex(records, SEALING_SECRET, end_session=ended.append),
    )
    page = settled(client.start_login())
    header = "; ".join(f"{cookie.name}={cookie.value}" for cookie in page.cookies)
    result = settled(client.finish_login(provider.authorize(page.url, NOW).incoming(header)))
    provider.misbehave = row.name
    replayed = row.code == "logout_token_used"

    replies: list[Reply] = []
    for _ in range(1 + replayed):
        logout = provider.backchannel_logout(
            NOW, sub=result.logged_in.identity.subject, sid=result.logged_in.id_token.sid
        )
        replies.append(settled(client.backchannel_logout(logout.incoming())))

    reply = replies[-1]
    assert (reply.status, reply.header("content-type")) == (400, "application/json")
    assert reply.header("cache-control") == "no-store"
    said = reply.body.decode()
    assert '"error":"invalid_request"' in said
    assert said.partition('"error_description":"')[2].startswith(row.code)
    if not replayed:
        assert ended == []
        assert settled(client.tokens(result.grant_id).fresh()).subject == "alice"
    else:
        assert ended == [result.grant_id]
