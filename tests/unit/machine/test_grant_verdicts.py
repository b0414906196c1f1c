"""How a grant goes on after a verification, and how it ends."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_core.machine.grant_answers import Nothing, ReadAgain, Swap
from oidc_core.machine.grant_verdicts import (
    Mismatch,
    Refreshed,
    Unusable,
    decide_end,
    decide_verified,
)
from oidc_core.model.grants import GrantRecord
from tests.unit.machine.grants_records import DOWN, FRESH, NOW, record

UNVERIFIED = record(
    state="unverified", unverified="a.b.c", generation=1, misses=2, last_failure=DOWN
)


def after(verdict: Any, kept: GrantRecord = UNVERIFIED) -> GrantRecord:
    decision = decide_verified(kept, 1, verdict, FRESH, now=NOW)
    assert isinstance(decision, Swap)
    return decision.new


def test_an_accepted_pair_clears_what_failed_before() -> None:
    new = after(Refreshed())
    assert (new.state, new.unverified, new.misses, new.last_failure) == ("current", None, 0, None)
    assert (new.usable, new.tokens) == (True, UNVERIFIED.tokens)


def test_a_pair_without_an_access_token_is_a_miss_though_its_id_token_holds() -> None:
    without = record(
        state="unverified", unverified="a.b.c", generation=1, usable=False, last_failure=DOWN
    )
    new = after(Refreshed(), without)
    assert (new.state, new.misses, new.last_failure, new.usable) == ("current", 1, DOWN, False)


def test_an_id_token_of_another_session_ends_this_one() -> None:
    new = after(Mismatch(DOWN))
    assert (new.state, new.usable, new.last_failure) == ("ended", False, DOWN)
    assert (new.tokens.access_token, new.tokens.refresh_token) == ("", None)


def test_an_unusable_id_token_costs_the_access_token_only() -> None:
    new = after(Unusable(DOWN))
    assert (new.state, new.usable, new.unverified, new.misses) == ("current", False, None, 3)
    assert new.tokens.refresh_token == "refresh-1"


@pytest.mark.parametrize(
    "kept", [None, record(generation=1), record(state="unverified", generation=2)]
)
def test_a_verdict_counts_only_for_its_generation(kept: Any) -> None:
    assert decide_verified(kept, 1, Refreshed(), FRESH, now=NOW) == ReadAgain()


def test_the_end_is_final_and_holds_no_token() -> None:
    ended = decide_end(record(state="sending", attempt="attempt-1", sends=1), FRESH, now=NOW)
    assert isinstance(ended, Swap)
    new = ended.new
    assert (new.state, new.attempt, new.usable, new.unverified) == ("ended", "", False, None)
    assert (new.tokens.refresh_token, new.tokens.id_token) == (None, "")
    assert decide_end(new, FRESH, now=NOW) == decide_end(None, FRESH, now=NOW) == Nothing()
