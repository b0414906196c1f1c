"""The last look before an exchange, and its outcome."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_core.machine.grant_answers import (
    ClaimLost,
    Discard,
    Kept,
    MarkSending,
    ReadAgain,
    RevokePair,
    Sent,
    Store,
    Swap,
    decide_answer,
    decide_send,
    with_access,
)
from oidc_core.machine.grant_outcomes import (
    NewAccess,
    NoOutcome,
    NotTaken,
    Outcome,
    Pair,
    Refused,
    Unsent,
)
from oidc_core.machine.grants import SEND_GUARD
from oidc_core.model.grants import MOST_ACCESS, GrantRecord, Target, Unverified
from oidc_core.wire.way import Channel
from tests.unit.machine.grants_records import (
    API,
    DOWN,
    FRESH,
    GRANTED,
    NEW,
    NOW,
    UTC,
    access,
    record,
)

SENT = Sent("attempt-1", 0, 1)
SECOND = SENT._replace(number=2)
SENDING = record(state="sending", attempt="attempt-1", sends=1)
DOUBT = record(state="doubt", attempt="attempt-1", sends=1, guarded=True)
PAIR = Pair("refresh-2", True, NewAccess("access-2", "openid profile", 60, None))
WITHOUT = PAIR._replace(access=None, failure=DOWN)
BARE = NotTaken(DOWN, bare_400=True)


def judged(kept: GrantRecord | None, outcome: Outcome, sent: Sent = SENT, **how: Any) -> object:
    return decide_answer(kept, sent, outcome, FRESH, now=NOW, utc=UTC, **how)


def written(
    kept: GrantRecord | None, outcome: Outcome, sent: Sent = SENT, **how: Any
) -> GrantRecord:
    decision = judged(kept, outcome, sent, **how)
    assert isinstance(decision, Store | Swap)
    assert (decision.new.version, decision.new.changed_at) == ("version-2", NOW)
    return decision.new


# --- the last look -------------------------------------------------------------------------------


def test_only_who_holds_the_claim_sends() -> None:
    claimed = record(state="claimed", attempt="attempt-1")
    marked = decide_send(claimed, "attempt-1", FRESH, now=NOW)
    assert isinstance(marked, MarkSending)
    assert (marked.new.state, marked.new.sends) == ("sending", 1)
    for kept in (None, record(), SENDING, record(state="claimed", attempt="attempt-0")):
        assert decide_send(kept, "attempt-1", FRESH, now=NOW) == ClaimLost()


def test_the_first_mark_of_a_refresh_token_is_remembered() -> None:
    for sends, first in ((0, NOW), (1, 5), (2, 5)):
        kept = record(state="claimed", attempt="attempt-1", sends=sends, first_sent_at=5)
        marked = decide_send(kept, "attempt-1", FRESH, now=NOW)
        assert isinstance(marked, MarkSending)
        assert (marked.new.first_sent_at, marked.new.last_sent_at) == (first, NOW)


# --- a pair --------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["current", "claimed", "sending", "doubt", "refused"])
def test_a_pair_is_stored_whoever_owns_the_claim(state: Any) -> None:
    kept = record(state=state, attempt="another", sends=1, bare_400=True, guarded=True, misses=3)
    new = written(kept, PAIR)
    assert (new.tokens.refresh_token, new.generation) == ("refresh-2", 1)
    assert (new.parent, new.born) == (0, 1)
    assert (new.state, new.attempt, new.sends) == ("current", "", 0)
    assert (new.misses, new.last_failure, new.bare_400, new.guarded) == (0, None, False, False)
    assert (new.access, new.rotates, new.unverified) == ((NEW,), True, None)


def test_a_pair_changes_no_fact_of_the_login() -> None:
    """A refresh with a narrower scope narrows only its own access token."""
    narrow = PAIR._replace(access=NewAccess("access-2", "openid", 60, 7))
    new = written(SENDING, narrow, SENT._replace(target=API))
    assert new.tokens.scope == GRANTED.scope
    got = access("access-2", target=API, scope="openid", stored_at=NOW, lifetime=60, expires_at=7)
    assert new.access == (access(), got)


def test_a_pair_with_an_id_token_is_not_accepted_yet() -> None:
    channel = Channel("verified", addresses_judged=True)
    kept = record(state="sending", attempt="attempt-1", sends=1, misses=2, last_failure=DOWN)
    new = written(kept, PAIR._replace(id_token="a.b.c", channel=channel))
    assert (new.state, new.access) == ("unverified", ())
    assert new.unverified == Unverified("a.b.c", NEW, UTC, channel)
    assert (new.misses, new.last_failure) == (2, DOWN)


def test_a_pair_without_an_access_token_is_a_miss_that_keeps_its_refresh_token() -> None:
    new = written(SENDING, WITHOUT)
    assert (new.state, new.access, new.misses) == ("current", (), 1)
    assert (new.tokens.refresh_token, new.last_failure) == ("refresh-2", DOWN)
    silent = record(state="sending", attempt="attempt-1", sends=1, last_failure=DOWN)
    assert written(silent, WITHOUT._replace(failure=None)).last_failure == DOWN


def test_a_pair_is_told_by_where_it_came_from() -> None:
    stored = record(generation=1, parent=0, born=1)
    assert judged(stored, PAIR) == Kept()
    later = written(stored, PAIR, SECOND)
    assert (later.generation, later.parent, later.born) == (1, 0, 2)
    assert later.tokens.refresh_token == "refresh-2"
    assert judged(record(generation=1, parent=0, born=3), PAIR) == Discard()
    assert judged(record(generation=2, parent=1, born=1), PAIR) == Discard()
    assert judged(record(generation=2, parent=1, born=1), PAIR, SECOND) == Discard()


@pytest.mark.parametrize(
    ("state", "sends", "replaced"),
    [
        ("current", 0, True),
        ("unverified", 0, True),
        ("claimed", 0, False),
        ("claimed", 1, False),
        ("sending", 1, False),
        ("doubt", 1, False),
        ("refused", 1, True),
        ("refused", 2, False),
    ],
)
def test_a_pair_that_is_in_use_is_not_replaced(state: Any, sends: int, replaced: bool) -> None:
    """Its exchange may bring a pair that is newer than this one."""
    kept = record(generation=1, parent=0, born=1, state=state, attempt="x", sends=sends)
    assert isinstance(judged(kept, PAIR, SECOND), Store) == replaced
    assert replaced or judged(kept, PAIR, SECOND) == Discard()


def test_after_the_end_a_pair_is_revoked() -> None:
    assert judged(record(state="ended"), PAIR) == RevokePair()
    assert judged(None, PAIR) == RevokePair()


def test_a_pair_of_a_token_that_was_sent_twice_is_held() -> None:
    """The other request may still arrive, and must not meet a newer token."""
    twice = record(state="sending", attempt="attempt-1", sends=2, last_sent_at=NOW - 3)
    assert written(SENDING, PAIR).held_until == 0
    assert written(twice, PAIR).held_until == NOW - 3 + SEND_GUARD
    assert written(twice, PAIR, send_guard=7).held_until == NOW - 3 + 7


def test_a_grant_keeps_a_few_access_tokens() -> None:
    targets = [Target(str(number)) for number in range(MOST_ACCESS)]
    held = tuple([access(target=target) for target in targets])
    full = record(access=held)
    again = access("again", target=targets[0])
    assert with_access(full, targets[0], again) == (*held[1:], again)
    other = access("other", target=API)
    assert with_access(full, API, other) == (*held[1:], other)
    assert with_access(full, targets[0], None) == held[1:]


# --- anything else -------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [Refused(DOWN), NotTaken(DOWN), NoOutcome(DOWN), Unsent()])
@pytest.mark.parametrize(
    "kept",
    [
        None,
        record(),
        record(state="claimed", attempt="attempt-0"),
        record(state="sending", attempt="attempt-0", sends=1),
        record(state="doubt", attempt="attempt-1", sends=2),
        record(state="doubt", attempt="attempt-0", sends=1),
        record(state="doubt", sends=1, generation=1),
        record(state="ended"),
    ],
)
def test_only_the_current_attempt_says_anything_else(kept: Any, outcome: Any) -> None:
    """A late refusal of an older attempt ends nobody's session."""
    assert judged(kept, outcome) == ReadAgain()


@pytest.mark.parametrize("outcome", [Refused(DOWN), NotTaken(DOWN), NoOutcome(DOWN)])
def test_of_a_claim_only_an_unsent_request_says_anything(outcome: Any) -> None:
    assert judged(record(state="claimed", attempt="attempt-1"), outcome) == ReadAgain()


@pytest.mark.parametrize(("sends", "state"), [(0, "current"), (1, "doubt"), (2, "doubt")])
def test_a_claim_whose_mark_may_come_late_is_written_over(sends: int, state: str) -> None:
    """The write of the mark failed: it may still be applied to the version that it expects."""
    kept = record(state="claimed", attempt="attempt-1", sends=sends)
    answer = judged(kept, Unsent())
    assert isinstance(answer, Swap)
    assert (answer.new.state, answer.new.attempt, answer.new.sends) == (state, "", sends)
    assert answer.new.version != kept.version


@pytest.mark.parametrize("outcome", [Refused(DOWN), NoOutcome(DOWN)])
def test_what_comes_late_neither_refuses_nor_doubts_again(outcome: Any) -> None:
    assert judged(DOUBT, outcome) == ReadAgain()


def test_a_refusal_of_the_current_attempt_counts() -> None:
    new = written(SENDING, Refused(DOWN))
    assert (new.state, new.attempt, new.last_failure) == ("refused", "", DOWN)
    assert (new.tokens, new.access) == (SENDING.tokens, SENDING.access)


def test_the_second_bare_400_is_a_refusal() -> None:
    first = written(SENDING, BARE)
    assert (first.state, first.bare_400, first.sends, first.misses) == ("current", True, 0, 1)
    again = record(state="sending", attempt="attempt-1", sends=1, bare_400=True)
    second = written(again, BARE)
    stale = DOWN._replace(kind="stale", retryable="restart")
    assert (second.state, second.last_failure) == ("refused", stale)
    assert written(again, NotTaken(DOWN)).bare_400
    assert written(again, Unsent()).bare_400
    late = record(state="doubt", attempt="attempt-1", sends=1, bare_400=True)
    assert written(late, BARE).state == "current"


def test_what_was_not_taken_takes_its_mark_back() -> None:
    new = written(SENDING, NotTaken(DOWN))
    assert (new.state, new.attempt, new.sends, new.misses) == ("current", "", 0, 1)
    assert new.last_failure == DOWN
    second = record(state="sending", attempt="attempt-1", sends=2, guarded=True)
    new = written(second, NotTaken(DOWN), SECOND)
    assert (new.state, new.attempt, new.sends, new.guarded) == ("doubt", "", 1, True)


def test_what_was_not_taken_heals_a_doubt_that_was_only_its_own() -> None:
    for outcome in (NotTaken(DOWN), Unsent()):
        healed = written(DOUBT, outcome)
        assert (healed.state, healed.sends) == ("current", 0)


def test_a_write_that_was_repeated_takes_no_mark_of_another_back() -> None:
    """A store that fails may have written: its caller decides a second time."""
    second = record(state="sending", attempt="attempt-1", sends=2)
    once = written(second, NotTaken(DOWN), SECOND)
    assert judged(once, NotTaken(DOWN), SECOND) == ReadAgain()
    first = written(SENDING, NotTaken(DOWN))
    assert judged(first, NotTaken(DOWN)) == ReadAgain()


def test_what_never_left_is_no_miss() -> None:
    kept = record(state="sending", attempt="attempt-1", sends=1, misses=2, last_failure=DOWN)
    new = written(kept, Unsent())
    assert (new.state, new.sends, new.misses, new.last_failure) == ("current", 0, 2, DOWN)
    assert not written(SENDING, Unsent()).bare_400


def test_what_nobody_knows_is_in_doubt() -> None:
    kept = record(state="sending", attempt="attempt-1", sends=2, guarded=True)
    new = written(kept, NoOutcome(DOWN), SECOND)
    assert (new.state, new.attempt, new.sends) == ("doubt", "attempt-1", 2)
    assert (new.guarded, new.last_failure, new.misses) == (False, DOWN, 0)
