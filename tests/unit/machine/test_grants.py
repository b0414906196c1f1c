"""What a caller does that wants an access token."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_core.machine.grants import (
    ABANDONED,
    CLAIM_GUARD,
    IN_DOUBT,
    MOST_PATIENCE,
    SEND_GUARD,
    TOKEN_REFUSED,
    Ask,
    Call,
    Claim,
    Doubted,
    LogIn,
    Use,
    Verify,
    Wait,
    Withhold,
    decide_call,
)
from oidc_core.model.grants import GrantRecord
from tests.unit.machine.grants_records import DOWN, FRESH, NOW, record

EXPIRED = {"stored_at": NOW - 500, "lifetime": 400, "changed_at": NOW - 500}
REFUSED = Ask(refused="access-1")


def call(kept: GrantRecord | None, ask: Ask = REFUSED, **how: Any) -> Call:
    asked: dict[str, Any] = {"now": NOW, **how}
    return decide_call(kept, ask, FRESH, **asked)


def test_a_good_token_is_handed_out() -> None:
    kept = record()
    assert call(kept, Ask()) == Use(kept.tokens)
    assert call(kept, Ask(leeway=299)) == Use(kept.tokens)
    assert call(record(lifetime=None), Ask()) == Use(kept.tokens)


def test_a_caller_with_an_older_token_gets_the_newer_one() -> None:
    kept = record()
    assert call(kept, Ask(refused="access-0")) == Use(kept.tokens)


@pytest.mark.parametrize("ask", [Ask(leeway=300), REFUSED])
def test_an_exchange_is_claimed_where_the_token_is_due_or_refused(ask: Ask) -> None:
    answer = call(record(), ask)
    assert isinstance(answer, Claim)
    new = answer.new
    assert (new.state, new.attempt, new.version) == ("claimed", "attempt-2", "version-2")
    assert (new.changed_at, new.sends, new.generation) == (NOW, 0, 0)


@pytest.mark.parametrize(
    ("kept", "reason"),
    [(None, "unknown"), (record(state="refused"), "refused"), (record(state="ended"), "ended")],
)
def test_only_a_login_helps(kept: GrantRecord | None, reason: str) -> None:
    answer = call(kept, Ask())
    assert isinstance(answer, LogIn)
    assert answer.reason == reason


def test_a_new_id_token_is_verified_before_anything_else() -> None:
    assert call(record(state="unverified", unverified="a.b.c"), Ask()) == Verify("a.b.c")


def test_a_young_token_is_not_replaced_whoever_refuses_it() -> None:
    """A resource server that refuses everything causes no storm."""
    kept = record(stored_at=NOW - 1)
    assert call(kept) == Withhold(TOKEN_REFUSED, 4)
    assert isinstance(call(kept, now=NOW + 4), Claim)
    assert call(record(stored_at=NOW, lifetime=1), Ask()) == Use(kept.tokens)


@pytest.mark.parametrize(
    ("misses", "wait"), [(1, 10), (2, 20), (5, 160), (6, MOST_PATIENCE), (60, MOST_PATIENCE)]
)
def test_each_failure_doubles_the_wait(misses: int, wait: int) -> None:
    kept = record(**EXPIRED, misses=misses, last_failure=DOWN)
    failed_at = NOW - 500
    assert call(kept, now=failed_at + wait - 1) == Withhold(DOWN, 1)
    assert isinstance(call(kept, now=failed_at + wait), Claim)
    usable = record(misses=misses, changed_at=NOW, last_failure=DOWN)
    assert call(usable, Ask(leeway=300)) == Use(usable.tokens)


def test_a_pair_without_an_access_token_waits_as_a_failure_does() -> None:
    kept = record(usable=False, misses=1, stored_at=NOW, changed_at=NOW, last_failure=DOWN)
    assert call(kept, Ask()) == Withhold(DOWN, 10)
    assert isinstance(call(kept, Ask(), now=NOW + 10), Claim)


@pytest.mark.parametrize("state", ["claimed", "sending", "doubt"])
def test_who_has_a_usable_token_waits_for_nobody(state: Any) -> None:
    kept = record(state=state, attempt="attempt-1", sends=1)
    assert call(kept, Ask(leeway=300)) == Use(kept.tokens)


def test_a_claim_is_taken_over_once_it_was_watched_long_enough() -> None:
    kept = record(**EXPIRED, state="claimed", attempt="attempt-1")
    assert call(kept, watched=CLAIM_GUARD - 1) == Wait()
    answer = call(kept, watched=CLAIM_GUARD)
    assert isinstance(answer, Claim)
    assert answer.new.attempt == "attempt-2"


@pytest.mark.parametrize(
    "how", [{"watched": SEND_GUARD}, {"watched": 0, "now": NOW - 500 + ABANDONED}]
)
def test_an_abandoned_exchange_is_in_doubt(how: Any) -> None:
    kept = record(**EXPIRED, state="sending", attempt="attempt-1", sends=1)
    assert call(kept, watched=SEND_GUARD - 1) == Wait()
    answer = call(kept, **how)
    assert isinstance(answer, Doubted)
    assert (answer.new.state, answer.new.attempt, answer.new.guarded) == ("doubt", "", True)


@pytest.mark.parametrize(
    ("resend", "rotates", "sends", "again"),
    [
        ("never", None, 1, False),
        ("never", False, 1, False),
        ("once", None, 1, True),
        ("once", True, 2, False),
        ("once", False, 3, True),
        ("once", False, 4, False),
        ("reusable", True, 3, True),
        ("reusable", None, 4, False),
    ],
)
def test_a_doubt_is_resent_as_the_rule_has_it(
    resend: Any, rotates: bool | None, sends: int, again: bool
) -> None:
    kept = record(**EXPIRED, state="doubt", sends=sends, rotates=rotates, guarded=True)
    answer = call(kept, resend=resend)
    assert isinstance(answer, Claim) == again
    assert again or answer == Withhold(IN_DOUBT, None)


def test_a_doubt_of_a_living_holder_is_resent_after_the_guard() -> None:
    kept = record(**EXPIRED, state="doubt", sends=1, last_failure=DOWN)
    assert call(kept) == Wait()
    assert isinstance(call(kept, watched=SEND_GUARD), Claim)
    assert call(kept, resend="never") == Withhold(DOWN, None)
