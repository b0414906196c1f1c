"""A caller wants an access token."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from oidc_core.machine.grants import (
    ABANDONED,
    BUSY,
    CLAIM_GUARD,
    IN_DOUBT,
    MOST_PATIENCE,
    SEND_GUARD,
    TOKEN_REFUSED,
    Ask,
    Call,
    Claim,
    Doubted,
    Guards,
    LogIn,
    Use,
    Verify,
    Wait,
    Withhold,
    decide_call,
)
from oidc_core.model.grants import Access, GrantRecord
from oidc_core.model.resends import Grace
from tests.unit.machine.grants_records import (
    API,
    DOWN,
    EXPIRED,
    FRESH,
    GRANTED,
    NOW,
    WAITS,
    access,
    due,
    record,
)

REFUSED = Ask(refused="access-1")
LONG_AGO = 10**6


def call(kept: GrantRecord | None, ask: Ask = REFUSED, **how: Any) -> Call:
    asked: dict[str, Any] = {"now": NOW, **how}
    return decide_call(kept, ask, FRESH, **asked)


def use(kept: Access, remaining: int | None = 300) -> Use:
    return Use(evolve(GRANTED, access_token=kept.token, expires_at=kept.expires_at), remaining)


# --- a token that is good ------------------------------------------------------------------------


def test_a_good_token_is_handed_out() -> None:
    kept = access(expires_at=7)
    assert call(record(access=(kept,)), Ask()) == use(kept)
    assert call(record(), Ask(leeway=299)) == use(access())
    endless = access(lifetime=None)
    assert call(record(access=(endless,)), Ask()) == use(endless, None)


def test_a_caller_with_an_older_token_gets_the_newer_one() -> None:
    assert call(record(), Ask(refused="access-0")) == use(access())


def test_each_target_has_its_own_token() -> None:
    other = access("access-3", target=API, scope="openid")
    both = record(access=(access(), other))
    tokens = evolve(GRANTED, access_token="access-3", scope="openid", resource=API.resource)
    assert call(both, Ask(target=API)) == Use(tokens, 300)
    assert call(both, Ask()) == use(access())
    assert isinstance(call(record(), Ask(target=API)), Claim)


def test_what_a_caller_asks_for_hides_the_token_that_was_refused() -> None:
    assert "access-1" not in repr(REFUSED)
    assert repr(REFUSED) == f"Ask(leeway=30, refused=…, target={REFUSED.target!r})"
    assert "refused=None" in repr(Ask())


# --- a claim -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", [Ask(leeway=300), REFUSED])
def test_an_exchange_is_claimed_where_the_token_is_due_or_refused(ask: Ask) -> None:
    answer = call(record(), ask)
    assert isinstance(answer, Claim)
    new = answer.new
    assert (new.state, new.attempt, new.version) == ("claimed", "attempt-2", "version-2")
    assert (new.changed_at, new.sends, new.generation) == (NOW, 0, 0)


@pytest.mark.parametrize(
    ("kept", "answer"),
    [
        (None, LogIn("unknown")),
        (record(state="refused", last_failure=DOWN), LogIn("refused", DOWN)),
        (record(state="ended"), LogIn("ended")),
    ],
)
def test_only_a_login_helps(kept: GrantRecord | None, answer: LogIn) -> None:
    assert call(kept, Ask()) == answer


def test_without_a_refresh_token_an_access_token_serves_until_it_expires() -> None:
    tokens = evolve(GRANTED, refresh_token=None)
    held = call(record(tokens=tokens), Ask(leeway=300))
    assert held == Use(evolve(tokens, access_token="access-1"), 300)
    assert call(due(tokens=tokens), Ask()) == LogIn("expired")
    assert call(record(tokens=tokens)) == LogIn("expired")
    assert call(record(tokens=tokens, access=()), Ask()) == LogIn("expired")


def test_a_new_id_token_is_verified_before_anything_else() -> None:
    kept = record(state="unverified", unverified=WAITS, access=())
    assert call(kept, Ask()) == Verify(kept)


def test_a_token_of_another_target_waits_for_no_verification() -> None:
    kept = record(state="unverified", unverified=WAITS, access=(access(target=API),))
    assert isinstance(call(kept, Ask(target=API)), Use)
    assert isinstance(call(kept, Ask(leeway=300, target=API)), Verify)


# --- a server is not asked without end -----------------------------------------------------------


def test_a_young_token_is_not_replaced_whoever_refuses_it() -> None:
    """A resource server that refuses everything causes no storm."""
    kept = record(access=(access(stored_at=NOW - 1),))
    assert call(kept) == Withhold(TOKEN_REFUSED, 4)
    assert isinstance(call(kept, now=NOW + 4), Claim)


def test_a_young_token_that_is_due_is_handed_out_and_then_withheld() -> None:
    """A lifetime of a second does not make each call an exchange."""
    kept = record(access=(access(stored_at=NOW, lifetime=1),))
    assert call(kept, Ask()) == use(access(), 1)
    assert call(kept, Ask(), now=NOW + 1) == Withhold(BUSY, 4)
    assert isinstance(call(kept, Ask(), now=NOW + 5), Claim)


@pytest.mark.parametrize(
    ("misses", "wait"), [(1, 10), (2, 20), (5, 160), (6, MOST_PATIENCE), (60, MOST_PATIENCE)]
)
def test_each_failure_doubles_the_wait(misses: int, wait: int) -> None:
    kept = due(misses=misses, last_failure=DOWN)
    failed_at = NOW - 500
    assert call(kept, now=failed_at + wait - 1) == Withhold(DOWN, 1)
    assert isinstance(call(kept, now=failed_at + wait), Claim)
    usable = record(misses=misses, changed_at=NOW, last_failure=DOWN)
    assert call(usable, Ask(leeway=300)) == use(access())


def test_a_pair_without_an_access_token_waits_as_a_failure_does() -> None:
    kept = record(access=(), misses=1, changed_at=NOW, last_failure=DOWN)
    assert call(kept, Ask()) == Withhold(DOWN, 10)
    assert isinstance(call(kept, Ask(), now=NOW + 10), Claim)


def test_a_token_that_may_not_be_sent_yet_is_held() -> None:
    kept = due(held_until=NOW + 10)
    assert call(kept) == Withhold(TOKEN_REFUSED, 10)
    assert call(kept, Ask()) == Withhold(BUSY, 10)
    assert isinstance(call(kept, now=NOW + 10), Claim)


def test_nobody_waits_for_a_time_that_a_restored_store_no_longer_knows() -> None:
    later = NOW + LONG_AGO
    for kept in (
        due(held_until=later),
        due(misses=3, changed_at=later, last_failure=DOWN),
        record(access=(access(stored_at=later),)),
    ):
        assert isinstance(call(kept), Claim)
    slightly = due(held_until=NOW + SEND_GUARD + 5)
    assert call(slightly, Ask()) == Withhold(BUSY, SEND_GUARD)


# --- beside another caller -----------------------------------------------------------------------


@pytest.mark.parametrize("state", ["claimed", "sending", "doubt"])
def test_who_has_a_usable_token_waits_for_nobody(state: Any) -> None:
    kept = record(state=state, attempt="attempt-1", sends=1)
    assert call(kept, Ask(leeway=300)) == use(access())


@pytest.mark.parametrize(
    "how", [{"watched": CLAIM_GUARD}, {"watched": 0, "now": NOW - 500 + ABANDONED}]
)
def test_a_claim_is_taken_over_once_it_was_watched_long_enough(how: Any) -> None:
    kept = due(state="claimed", attempt="attempt-1")
    assert call(kept, watched=CLAIM_GUARD - 1) == Wait()
    answer = call(kept, **how)
    assert isinstance(answer, Claim)
    assert answer.new.attempt == "attempt-2"


@pytest.mark.parametrize(
    "how", [{"watched": SEND_GUARD}, {"watched": 0, "now": NOW - 500 + ABANDONED}]
)
def test_an_abandoned_exchange_is_in_doubt(how: Any) -> None:
    kept = due(state="sending", attempt="attempt-1", sends=1)
    assert call(kept, watched=SEND_GUARD - 1) == Wait()
    answer = call(kept, **how)
    assert isinstance(answer, Doubted)
    new = answer.new
    assert (new.state, new.attempt, new.sends) == ("doubt", "attempt-1", 1)
    assert (new.guarded, new.last_failure) == (True, IN_DOUBT)


@pytest.mark.parametrize("state", ["claimed", "sending"])
def test_a_store_that_was_restored_abandons_nobody(state: Any) -> None:
    """Its holder may be alive: only watching it tells."""
    kept = due(state=state, attempt="attempt-1", sends=1, changed_at=NOW + LONG_AGO)
    assert call(kept) == Wait()
    assert not isinstance(call(kept, watched=SEND_GUARD), Wait)


def test_guards_are_settings() -> None:
    guards = Guards(claim=1, send=2)
    claimed = due(state="claimed", attempt="attempt-1")
    assert call(claimed, guards=guards) == Wait()
    assert isinstance(call(claimed, guards=guards, watched=1), Claim)
    sending = due(state="sending", attempt="attempt-1", sends=1)
    assert call(sending, guards=guards, watched=1) == Wait()
    assert isinstance(call(sending, guards=guards, watched=2), Doubted)


# --- in doubt ------------------------------------------------------------------------------------


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
        (Grace(60), True, 1, True),
        (Grace(60), True, 2, False),
    ],
)
def test_a_doubt_is_resent_as_the_rule_has_it(
    resend: Any, rotates: bool | None, sends: int, again: bool
) -> None:
    kept = due(state="doubt", sends=sends, rotates=rotates, guarded=True, last_failure=DOWN)
    answer = call(kept, resend=resend)
    assert isinstance(answer, Claim) == again
    assert again or answer == Withhold(IN_DOUBT, None)


@pytest.mark.parametrize("rotates", [None, False, True])
@pytest.mark.parametrize("resend", ["once", Grace(5)])
def test_a_doubt_of_a_living_holder_is_resent_after_the_guard(
    resend: Any, rotates: bool | None
) -> None:
    """Also where the provider was seen not to rotate, and where its grace is too short."""
    kept = due(state="doubt", sends=1, rotates=rotates, first_sent_at=NOW, last_failure=DOWN)
    assert call(kept, resend=resend) == Wait()
    assert isinstance(call(kept, resend=resend, watched=SEND_GUARD), Claim)
    assert isinstance(call(kept, resend=resend, now=NOW - 500 + ABANDONED), Claim)
    assert call(kept, resend="never") == Withhold(IN_DOUBT, None)


@pytest.mark.parametrize(("sends", "wait"), [(1, 10), (2, 20), (3, 40)])
def test_a_provider_that_never_rotates_is_asked_again_after_a_while(sends: int, wait: int) -> None:
    kept = due(state="doubt", sends=sends, changed_at=NOW)
    assert call(kept, resend="reusable", now=NOW + wait - 1) == Wait()
    assert isinstance(call(kept, resend="reusable", now=NOW + wait), Claim)


def test_within_its_grace_a_provider_is_asked_again_at_once() -> None:
    grace = Grace(SEND_GUARD)
    kept = due(state="doubt", sends=1, first_sent_at=NOW, last_sent_at=NOW, changed_at=NOW)
    assert isinstance(call(kept, resend=grace), Claim)
    assert isinstance(call(kept, resend=grace, now=NOW + SEND_GUARD - 1), Claim)
    assert call(kept, resend=grace, now=NOW + SEND_GUARD) == Wait()
    assert isinstance(call(evolve(kept, sends=3), resend=grace), Claim)
    assert call(evolve(kept, sends=4), resend=grace) == Withhold(IN_DOUBT, None)


@pytest.mark.parametrize(("last", "again"), [(30, True), (31, False)])
def test_a_request_that_could_arrive_after_the_grace_is_not_overtaken(
    last: int, again: bool
) -> None:
    """The provider would end the pair that another request brings."""
    sent = {"first_sent_at": NOW - last, "last_sent_at": NOW}
    kept = due(state="doubt", sends=2, changed_at=NOW, **sent)
    answer = call(kept, resend=Grace(30 + SEND_GUARD))
    assert isinstance(answer, Claim) if again else answer == Withhold(IN_DOUBT, None)


def test_a_grace_that_a_restored_store_cannot_measure_is_none() -> None:
    kept = due(state="doubt", sends=1, first_sent_at=NOW + LONG_AGO, changed_at=NOW)
    assert call(kept, resend=Grace(60)) == Wait()


def test_a_resend_that_was_not_taken_backs_off() -> None:
    """A provider that has no time is not asked by every caller in turn."""
    kept = due(
        state="doubt", sends=1, guarded=True, misses=1, changed_at=NOW - 3, last_failure=DOWN
    )
    for resend in ("once", "reusable", Grace(60)):
        assert call(kept, resend=resend) == Withhold(DOWN, 7)
        assert isinstance(call(kept, resend=resend, now=NOW + 7), Claim)
    assert call(evolve(kept, last_failure=None)) == Withhold(IN_DOUBT, 7)


def test_an_expired_token_is_never_handed_out() -> None:
    for state in ("current", "claimed", "sending", "doubt", "refused", "ended"):
        kept = due(state=state, attempt="attempt-1", sends=1, guarded=True)
        assert not isinstance(call(kept, Ask()), Use)
        assert not isinstance(call(record(state=state, access=(access(),), sends=1)), Use)
    assert EXPIRED.remaining(NOW) == -100
