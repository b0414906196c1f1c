"""Clients and sessions behind one set of coroutines."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_adapters.clients.connections import AsyncConnections, Connections
from oidc_adapters.web.parties import AwaitingParties, Parties, WaitingParties, WaitingSessions
from oidc_adapters.web.sessions import AsyncSessions
from oidc_core.wire.settings import as_setting
from tests.adapters.web.visiting import KINDS, house
from tests.flows.rig import NOW


@KINDS
@pytest.mark.parametrize("several", [False, True])
def test_one_client_is_a_set_of_one(awaits: bool, several: bool) -> None:
    client = house(awaits=awaits).client
    kind: Any = AwaitingParties if awaits else WaitingParties
    group: Any = AsyncConnections if awaits else Connections
    parties = kind(group(client) if several else client)

    assert as_setting(parties, Parties, "parties") is parties
    assert parties.clients == (client,)
    assert parties.rps == (client.rp,)
    assert parties.now() == NOW


def test_sessions_that_wait_fit_the_awaited_port() -> None:
    sessions = WaitingSessions(house().sessions)

    assert as_setting(sessions, AsyncSessions, "sessions") is sessions
    assert len(sessions.reserve()) == 43
    assert [each.max_age for each in sessions.forgotten()] == [0]
