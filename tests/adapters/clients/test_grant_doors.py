"""The doors of both kinds of clients do the same."""

from __future__ import annotations

from time import monotonic
from typing import Any

from oidc_adapters.clients.grant_doors import AwaitingDoors, WaitingDoors
from oidc_adapters.stores.records import at_once
from tests.adapters.clients.test_session_tokens import KINDS, site
from tests.flows.rig import run_asyncio


def public(kind: type) -> list[str]:
    return [name for name in vars(kind) if not name.startswith("_")]


def test_both_have_the_same_members() -> None:
    assert public(WaitingDoors) == public(AwaitingDoors)


@KINDS
def test_a_pause_lasts(awaits: bool) -> None:
    doors: Any = site(awaits=awaits).client._doors

    async def paused() -> None:
        await doors.pause(0.05)

    began = monotonic()
    run_asyncio(paused) if awaits else at_once(paused())
    assert 0.04 < monotonic() - began < 5


@KINDS
def test_they_know_their_client(awaits: bool) -> None:
    here = site(awaits=awaits)
    doors = here.client._doors
    assert doors.rp is here.client.rp
    assert doors.clock is here.clock
    assert doors.entropy is here.client.shell.entropy
