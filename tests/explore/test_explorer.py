"""Every order of events in which several callers share one refresh token, over the shipped code."""

from __future__ import annotations

from typing import Any, Final

import pytest
from attrs import evolve

from oidc_core.machine import grant_answers, grant_verdicts, grants
from oidc_core.machine.grant_answers import (
    Discard,
    MarkSending,
    Store,
    Swap,
)
from oidc_core.machine.grant_outcomes import NotTaken, Pair, Refused
from oidc_core.machine.grant_verdicts import Mismatch
from oidc_core.machine.grant_writes import Fresh, written
from oidc_core.machine.grants import Claim, Doubted, Wait
from oidc_core.model.grants import GrantRecord
from tests.explore.world import BrokenError, Explorer, Limits, Provider

ALL: Final = Limits(crashes=1, losses=1, faults=1, logouts=1, attempts=1)
TWICE: Final = Limits(crashes=1, losses=0, faults=0, logouts=0, attempts=2)


@pytest.mark.parametrize(
    ("rule", "provider", "limits"),
    [
        ("never", "revokes", ALL),
        ("never", "refuses", ALL),
        ("never", "steady", ALL),
        ("never", "sometimes", ALL),
        ("once", "revokes", ALL),
        ("once", "refuses", ALL),
        ("once", "sometimes", ALL),
        ("reusable", "steady", ALL),
        ("never", "revokes", TWICE),
        ("once", "revokes", TWICE),
    ],
)
def test_every_invariant_holds(rule: Any, provider: Provider, limits: Limits) -> None:
    assert Explorer(rule=rule, provider=provider, limits=limits).explore() > 1_000


# --- mutants: each is a design that fails --------------------------------------------------------


def no_last_look(record: GrantRecord, _attempt: str, fresh: Fresh, *, now: int) -> MarkSending:
    """Whoever once had the claim sends."""
    return MarkSending(written(record, fresh, now, state="sending", sends=record.sends + 1))


def fenced(record: Any, sent: Any, outcome: Any, fresh: Any, *, now: int) -> Any:
    """Only the owner of the claim may store its pair."""
    owned = record is not None and (record.state, record.attempt) == ("sending", sent.attempt)
    if isinstance(outcome, Pair) and not owned:
        return Discard()
    return ANSWER(record, sent, outcome, fresh, now=now)


def stored_after_the_end(record: Any, sent: Any, outcome: Any, fresh: Any, *, now: int) -> Any:
    """A late pair revives an ended session."""
    if isinstance(outcome, Pair) and record is not None and record.state == "ended":
        return Store(evolve(record, generation=9, state="current"))
    return ANSWER(record, sent, outcome, fresh, now=now)


def not_taken_gives_up(record: Any, sent: Any, outcome: Any, fresh: Any, *, now: int) -> Any:
    """A gateway's 403 ends the grant."""
    if isinstance(outcome, NotTaken):
        outcome = Refused(outcome.failure)
    return ANSWER(record, sent, outcome, fresh, now=now)


def not_taken_clears_doubt(record: Any, sent: Any, outcome: Any, fresh: Any, *, now: int) -> Any:
    """One that was not taken makes the token good, though another send is in doubt."""
    decision = ANSWER(record, sent, outcome, fresh, now=now)
    if isinstance(outcome, NotTaken) and isinstance(decision, Swap):
        return Swap(evolve(decision.new, state="current", sends=0))
    return decision


def doubt_without_guard(record: Any, ask: Any, fresh: Any, **how: Any) -> Any:
    """What is in doubt is sent again at once."""
    if record is not None and record.state == "sending":
        return Claim(written(record, fresh, how["now"], state="claimed", attempt=fresh.attempt))
    return CALL(record, ask, fresh, **how)


def resent_without_end(record: Any, ask: Any, fresh: Any, **how: Any) -> Any:
    """Each doubt is resolved by another send."""
    if record is not None and record.state == "doubt":
        return Claim(written(record, fresh, how["now"], state="claimed", attempt=fresh.attempt))
    return CALL(record, ask, fresh, **how)


def handed_out_unverified(record: Any, ask: Any, fresh: Any, **how: Any) -> Any:
    """The new pair is used before its ID token was verified."""
    if record is not None and record.state == "unverified":
        return grants.Use(evolve(record.tokens, access_token=record.unverified.access.token), None)
    return CALL(record, ask, fresh, **how)


def never_abandoned(record: Any, ask: Any, fresh: Any, **how: Any) -> Any:
    """A holder that died is waited for, for ever."""
    call = CALL(record, ask, fresh, **how)
    return Wait() if isinstance(call, Doubted) else call


def revived_by_verdict(record: Any, origin: Any, verdict: Any, fresh: Any, *, now: int) -> Any:
    """A verdict counts for whatever is stored by now."""
    if record is not None and record.state == "ended" and not isinstance(verdict, Mismatch):
        return Swap(written(record, fresh, now, state="current"))
    return VERIFIED(record, origin, verdict, fresh, now=now)


ANSWER, CALL, SEND = grant_answers.decide_answer, grants.decide_call, grant_answers.decide_send
VERIFIED = grant_verdicts.decide_verified
LOSSES: Final = Limits(crashes=0, losses=2, faults=0, logouts=0, attempts=3)
CRASH: Final = Limits(crashes=1, losses=0, faults=0, logouts=0, attempts=1)
SOME: Final = Limits(crashes=1, losses=1, faults=0, logouts=1, attempts=2)


@pytest.mark.parametrize(
    ("mutant", "where", "rule"),
    [
        (no_last_look, "decide_send", "never"),
        (fenced, "decide_answer", "never"),
        (stored_after_the_end, "decide_answer", "never"),
        (not_taken_gives_up, "decide_answer", "never"),
        (not_taken_clears_doubt, "decide_answer", "once"),
        (doubt_without_guard, "decide_call", "once"),
        (resent_without_end, "decide_call", "never"),
        (handed_out_unverified, "decide_call", "never"),
        (never_abandoned, "decide_call", "once"),
        (revived_by_verdict, "decide_verified", "never"),
    ],
    ids=lambda value: value.__name__ if callable(value) else str(value),
)
def test_a_mutant_is_caught(
    monkeypatch: pytest.MonkeyPatch, mutant: Any, where: str, rule: Any
) -> None:
    for module in (grants, grant_answers, grant_verdicts):
        if hasattr(module, where):
            monkeypatch.setattr(module, where, mutant)
    limits = {not_taken_clears_doubt: LOSSES, never_abandoned: CRASH}.get(mutant, SOME)

    with pytest.raises(BrokenError):
        Explorer(rule=rule, provider="revokes", limits=limits).explore()
