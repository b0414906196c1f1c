"""Usual designs for shared refresh tokens, faults that no design survives, and their failures."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from oidc_core.machine import grants
from oidc_core.machine.grant_answers import ReadAgain
from oidc_core.machine.grant_outcomes import Pair
from oidc_core.machine.grant_writes import Fresh, written
from oidc_core.machine.grants import Ask, Claim, Wait
from oidc_core.model.grants import GrantRecord
from tests.explore import mutants
from tests.explore.records import AT_WILL, FINE, TIMELY, Decisions
from tests.explore.world import Setting, Spent

NEVER: Final = Setting("never", "revokes", AT_WILL)
ONCE: Final = Setting("once", "revokes", TIMELY)


class Design(NamedTuple):
    """A design, by the decisions that make it, and where it fails.

    Attributes:
        name: as in the page about shared refresh tokens.
        decisions: what the callers do.
        setting: in which the explorer looks for a failure.
        broken: the invariant that breaks first.
    """

    name: str
    decisions: Decisions
    setting: Setting
    broken: str


def no_lock(record: GrantRecord, ask: Ask, fresh: Fresh, **how: Any) -> Any:
    """Nobody waits for another process."""
    call = grants.decide_call(record, ask, fresh, **how)
    if isinstance(call, Wait):
        return Claim(written(record, fresh, how["now"], state="claimed", attempt=fresh.attempt))
    return call


def stored_after_verification(
    record: GrantRecord, sent: Any, outcome: Any, fresh: Fresh, **at: Any
) -> Any:
    """A pair is stored once its ID token is accepted; otherwise an error is raised."""
    if isinstance(outcome, Pair) and outcome.id_token == "unusable":
        return ReadAgain()
    return mutants.ANSWER(record, sent, outcome, fresh, **at)


DESIGNS: Final = [
    Design(
        "A lock within one process, or no lock while the lock service is down",
        Decisions(call=no_lock, send=mutants.no_last_look),
        ONCE,
        "I2",
    ),
    Design(
        "A lock that ends before the exchange does",
        Decisions(call=mutants.taking_over_resends),
        ONCE._replace(clock=AT_WILL),
        "I2",
    ),
    Design(
        "No second look once the lock is held", Decisions(send=mutants.no_last_look), ONCE, "I2"
    ),
    Design(
        "The pair is stored after its ID token is verified",
        Decisions(answer=stored_after_verification),
        NEVER._replace(id_tokens=("unusable",)),
        "I3",
    ),
    Design(
        "The caller that hears `invalid_grant` deletes the tokens",
        Decisions(answer=mutants.any_refused_caller_ends),
        ONCE._replace(provider="refuses", clock=AT_WILL),
        "I6",
    ),
    Design(
        "A lock with fencing numbers, which refuse a late write",
        Decisions(answer=mutants.late_pair_fenced),
        NEVER,
        "I3",
    ),
    Design(
        "A write that does not look whether the user logged out",
        Decisions(answer=mutants.stored_after_logout),
        NEVER._replace(most=Spent(logouts=1)),
        "I4",
    ),
]

LIMITS: Final = [
    Design(
        "`once`, and a process that stops for longer than the guard with the new pair in its hands",
        Decisions(),
        ONCE._replace(clock=AT_WILL),
        "I2",
    ),
    Design(
        "`reusable` at a provider that does rotate",
        Decisions(),
        ONCE._replace(rule="reusable", clock=FINE, most=Spent(losses=1)),
        "I2",
    ),
    Design(
        "A store that loses a write which it acknowledged",
        Decisions(),
        NEVER._replace(answers=frozenset({"forgets"}), most=Spent(strange=1)),
        "I1",
    ),
    Design(
        "A gateway that says 403 after the provider took the token",
        Decisions(),
        NEVER._replace(answers=frozenset({"lies"})),
        "I1",
    ),
]
