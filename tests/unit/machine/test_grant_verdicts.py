"""How a grant goes on after a verification, and how it ends."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from oidc_core.machine.grant_answers import Nothing, ReadAgain, Swap
from oidc_core.machine.grant_verdicts import (
    Mismatch,
    Origin,
    Refreshed,
    Unusable,
    decide_end,
    decide_verified,
)
from oidc_core.model.grants import GrantRecord
from tests.unit.machine.grants_records import API, DOWN, FRESH, NEW, NOW, WAITS, access, record

OTHER = access(target=API)
ORIGIN = Origin(1, 2)
UNVERIFIED = record(
    state="unverified",
    unverified=WAITS,
    access=(OTHER,),
    generation=1,
    born=2,
    misses=2,
    last_failure=DOWN,
)


def after(verdict: Any, kept: GrantRecord = UNVERIFIED) -> GrantRecord:
    decision = decide_verified(kept, Origin.of(kept), verdict, FRESH, now=NOW)
    assert isinstance(decision, Swap)
    assert (decision.new.version, decision.new.changed_at) == ("version-2", NOW)
    return decision.new


def test_an_accepted_pair_clears_what_failed_before() -> None:
    new = after(Refreshed())
    assert (new.state, new.unverified, new.misses, new.last_failure) == ("current", None, 0, None)
    assert (new.access, new.hint, new.tokens) == ((OTHER, NEW), "a.b.c", UNVERIFIED.tokens)


def test_a_pair_without_an_access_token_is_a_miss_though_its_id_token_holds() -> None:
    new = after(Refreshed(), evolve(UNVERIFIED, unverified=WAITS._replace(access=None)))
    assert (new.state, new.misses, new.last_failure) == ("current", 3, DOWN)
    assert (new.access, new.hint) == ((OTHER,), "a.b.c")


def test_an_id_token_of_another_session_ends_this_one() -> None:
    new = after(Mismatch(DOWN))
    assert (new.state, new.access, new.last_failure) == ("ended", (), DOWN)
    assert (new.unverified, new.hint) == (None, None)
    assert (new.tokens.access_token, new.tokens.refresh_token) == ("", None)


def test_an_unusable_id_token_costs_the_access_token_only() -> None:
    failure = DOWN._replace(code="exp_expired")
    new = after(Unusable(failure))
    assert (new.state, new.access, new.unverified) == ("current", (OTHER,), None)
    assert (new.misses, new.last_failure, new.hint) == (3, failure, None)
    assert new.tokens.refresh_token == "refresh-1"


@pytest.mark.parametrize(
    "kept",
    [
        None,
        record(generation=1, born=2),
        evolve(UNVERIFIED, generation=2),
        evolve(UNVERIFIED, born=3),
        evolve(UNVERIFIED, unverified=None),
        evolve(UNVERIFIED, state="ended"),
    ],
)
@pytest.mark.parametrize("verdict", [Refreshed(), Mismatch(DOWN), Unusable(DOWN)])
def test_a_verdict_counts_only_for_its_pair(kept: Any, verdict: Any) -> None:
    assert decide_verified(kept, ORIGIN, verdict, FRESH, now=NOW) == ReadAgain()


@pytest.mark.parametrize(
    "state", ["current", "claimed", "sending", "doubt", "unverified", "refused"]
)
def test_the_end_is_final_and_holds_no_token(state: Any) -> None:
    kept = evolve(UNVERIFIED, state=state, attempt="attempt-1", sends=1, hint="x.y.z")
    ended = decide_end(kept, FRESH, now=NOW)
    assert isinstance(ended, Swap)
    new = ended.new
    assert (new.state, new.attempt, new.access, new.unverified) == ("ended", "", (), None)
    assert (new.tokens.refresh_token, new.tokens.id_token, new.hint) == (None, "", None)
    assert new.last_failure is None
    assert decide_end(new, FRESH, now=NOW) == decide_end(None, FRESH, now=NOW) == Nothing()
