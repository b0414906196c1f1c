"""A world to make moves in, one after the other."""

from __future__ import annotations

from typing import Any

from oidc_adapters.testing.attackers import AttackerMachine, AttackSettings
from oidc_adapters.testing.attackers.machine import InvariantBroken
from oidc_adapters.testing.attackers.observations import Call, Held
from oidc_adapters.testing.attackers.world import HONEST, World


def machine(layout: str = "own path", store: str = "memory", **settings: Any) -> AttackerMachine:
    """Return a machine whose run has begun, without logins."""

    class Machine(AttackerMachine):
        attack = AttackSettings(**settings)

    made = Machine()
    made.world = made._made(layout, store)
    return made


def logged_in(made: AttackerMachine, name: str = "alice", issuer: str = HONEST) -> Held:
    """Log a user in, and return the session."""
    world = made.world
    browser = world.browsers[name]
    world.start(browser, browser.tabs[0], issuer, 0)
    for _ in range(2):
        world.open(browser, browser.tabs[0], browser.tabs[0].following)
    made.every_invariant_holds()
    return world.history.sessions[browser.sessions[-1]]


def last(world: World) -> Call:
    return world.history.calls[-1]


def broken(made: AttackerMachine) -> str:
    """Return the invariant that is broken, or an empty text."""
    try:
        made.every_invariant_holds()
    except InvariantBroken as error:
        return error.invariant
    return ""
