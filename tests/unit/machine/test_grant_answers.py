"""What becomes of an exchange."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_core.machine.grant_answers import (
    ClaimLost,
    Discard,
    Kept,
    MarkSending,
    NoOutcome,
    NotTaken,
    Outcome,
    Pair,
    ReadAgain,
    Refused,
    RevokePair,
    Sent,
    Store,
    Swap,
    decide_answer,
    decide_send,
)
from oidc_core.model.grants import GrantRecord
from tests.unit.machine.grants_records import DOWN, FRESH, NOW, record, tokens

SENT = Sent("attempt-1", 0, 1)
SENDING = record(state="sending", attempt="attempt-1", sends=1)
PAIR = Pair(tokens("access-2", "refresh-2"), True, None, 60, True)
BARE = NotTaken(DOWN, bare_400=True)


def judged(kept: GrantRecord | None, outcome: Outcome, sent: Sent = SENT) -> object:
    return decide_answer(kept, sent, outcome, FRESH, now=NOW)


def written(kept: GrantRecord | None, outcome: Outcome, sent: Sent = SENT) -> GrantRecord:
    decision = judged(kept, outcome, sent)
    assert isinstance(decision, Store | Swap)
    return decision.new


def test_only_who_holds_the_claim_sends() -> None:
    claimed = record(state="claimed", attempt="attempt-1")
    marked = decide_send(claimed, "attempt-1", FRESH, now=NOW)
    assert isinstance(marked, MarkSending)
    assert (marked.new.state, marked.new.sends) == ("sending", 1)
    for kept in (None, record(), SENDING, record(state="claimed", attempt="attempt-0")):
        assert decide_send(kept, "attempt-1", FRESH, now=NOW) == ClaimLost()


def test_a_pair_is_stored_whoever_owns_the_claim() -> None:
    for kept in (SENDING, record(state="doubt", sends=1), record(state="refused"), record()):
        new = written(kept, PAIR)
        assert (new.tokens, new.generation, new.parent, new.born) == (PAIR.tokens, 1, 0, 1)
        assert (new.state, new.sends, new.misses, new.last_failure) == ("current", 0, 0, None)
        assert (new.stored_at, new.lifetime, new.rotates, new.usable) == (NOW, 60, True, True)


def test_a_pair_with_an_id_token_is_not_accepted_yet() -> None:
    kept = record(state="sending", attempt="attempt-1", sends=1, misses=2, last_failure=DOWN)
    new = written(kept, PAIR._replace(id_token="a.b.c"))
    assert (new.state, new.unverified, new.misses) == ("unverified", "a.b.c", 2)
    assert new.last_failure == DOWN


def test_a_pair_without_an_access_token_is_a_miss_that_keeps_its_refresh_token() -> None:
    new = written(SENDING, PAIR._replace(usable=False))
    assert (new.state, new.usable, new.misses) == ("current", False, 1)
    assert new.tokens.refresh_token == "refresh-2"


def test_a_pair_is_told_by_where_it_came_from() -> None:
    stored = record(generation=1, parent=0, born=1)
    assert judged(stored, PAIR) == Kept()
    later = written(stored, PAIR, SENT._replace(number=2))
    assert (later.generation, later.born, later.tokens) == (1, 2, PAIR.tokens)
    for state in ("claimed", "sending"):
        busy = record(generation=1, parent=0, born=1, state=state, attempt="x")
        assert judged(busy, PAIR, SENT._replace(number=2)) == Discard()
    assert judged(record(generation=1, parent=0, born=3), PAIR) == Discard()
    assert judged(record(generation=2, parent=1, born=1), PAIR) == Discard()


def test_after_the_end_a_pair_is_revoked() -> None:
    assert judged(record(state="ended"), PAIR) == RevokePair()
    assert judged(None, PAIR) == RevokePair()


@pytest.mark.parametrize("outcome", [Refused(DOWN), NotTaken(DOWN), NoOutcome(DOWN)])
@pytest.mark.parametrize(
    "kept",
    [
        None,
        record(),
        record(state="sending", attempt="attempt-0", sends=1),
        record(state="doubt", sends=2),
        record(state="doubt", sends=1, generation=1),
        record(state="ended"),
    ],
)
def test_only_the_current_attempt_says_anything_else(kept: Any, outcome: Any) -> None:
    """A late refusal of an older attempt ends nobody's session."""
    assert judged(kept, outcome) == ReadAgain()


def test_a_refusal_of_the_current_attempt_counts() -> None:
    new = written(SENDING, Refused(DOWN))
    assert (new.state, new.last_failure, new.tokens) == ("refused", DOWN, SENDING.tokens)


def test_the_second_bare_400_is_a_refusal() -> None:
    first = written(SENDING, BARE)
    assert (first.state, first.bare_400, first.sends, first.misses) == ("current", True, 0, 1)
    again = record(state="sending", attempt="attempt-1", sends=1, bare_400=True)
    assert written(again, BARE).state == "refused"
    assert written(again, NotTaken(DOWN)).bare_400


def test_what_was_not_taken_takes_its_mark_back() -> None:
    assert written(SENDING, NotTaken(DOWN)).state == "current"
    second = record(state="sending", attempt="attempt-1", sends=2)
    new = written(second, NotTaken(DOWN), SENT._replace(number=2))
    assert (new.state, new.sends) == ("doubt", 1)
    healed = written(record(state="doubt", sends=1, guarded=True), NotTaken(DOWN))
    assert (healed.state, healed.sends) == ("current", 0)


def test_what_nobody_knows_is_in_doubt() -> None:
    new = written(SENDING, NoOutcome(DOWN))
    assert (new.state, new.attempt, new.sends, new.guarded) == ("doubt", "", 1, False)
    assert new.last_failure == DOWN
