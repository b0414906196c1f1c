"""Decisions about any record of a shared grant, however it came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_core import codec
from oidc_core.machine.grant_answers import (
    Discard,
    Kept,
    MarkSending,
    RevokePair,
    Sent,
    Store,
    Swap,
    decide_answer,
    decide_send,
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
from oidc_core.machine.grant_verdicts import (
    Mismatch,
    Origin,
    Refreshed,
    Unusable,
    decide_end,
    decide_verified,
)
from oidc_core.machine.grant_writes import Fresh
from oidc_core.machine.grants import (
    ABANDONED,
    Ask,
    Claim,
    Doubted,
    LogIn,
    Use,
    Verify,
    Wait,
    Withhold,
    decide_call,
)
from oidc_core.model.grants import MOST_ACCESS, GrantRecord
from oidc_core.model.resends import Grace
from oidc_core.operations.grants import error_of
from oidc_core.wire.errors import OidcError
from oidc_core.wire.way import CHANNELS
from tests.strategies import failures, grant_records, targets

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from oidc_core.machine.grants import Call
    from oidc_core.model.resends import ResendInDoubt

FRESH: Final = Fresh("a new version", "a new attempt")
TIMES: Final = st.integers(0, 1_000) | st.integers(0, 2**53 - 1)
RECORDS: Final = grant_records(TIMES)
ATTEMPTS: Final = st.sampled_from(("attempt-1", "attempt-2"))
RULES: Final[SearchStrategy[ResendInDoubt]] = st.sampled_from(
    ("never", "once", "reusable", Grace(5), Grace(60))
)
ASKS: Final = st.builds(
    Ask,
    leeway=st.integers(-10, 1_000),
    refused=st.none() | st.text(max_size=3),
    target=targets(),
)
WATCHED: Final = st.sampled_from((0.0, 4.9, 5.0, 29.9, 30.0, 1e9))


def sents() -> SearchStrategy[Sent]:
    """Exchanges, often those of the record."""
    return st.builds(
        Sent,
        attempt=ATTEMPTS,
        parent=st.integers(-1, 5),
        number=st.integers(1, 5),
        target=targets(),
    )


def pairs() -> SearchStrategy[Pair]:
    """Pairs that answers bring."""
    return st.builds(
        Pair,
        refresh_token=st.just("a new refresh token"),
        rotated=st.booleans(),
        access=st.none()
        | st.builds(
            NewAccess,
            token=st.text(max_size=3),
            scope=st.text(max_size=3),
            lifetime=st.none() | st.integers(-5, 1_000),
            expires_at=st.none() | TIMES,
        ),
        failure=st.none() | failures(),
        id_token=st.none() | st.text(max_size=5),
        channel=st.sampled_from(CHANNELS),
    )


def outcomes() -> SearchStrategy[Outcome]:
    """Outcomes of any kind."""
    return (
        pairs()
        | failures().map(Refused)
        | st.builds(NotTaken, failures(), st.booleans())
        | failures().map(NoOutcome)
        | st.just(Unsent())
    )


VERDICTS: Final = (
    st.just(Refreshed()) | st.builds(Mismatch, failures()) | st.builds(Unusable, failures())
)


def check_write(old: GrantRecord, new: GrantRecord, now: int, *, pair: bool = False) -> None:
    """Check what holds of every write."""
    assert (new.version, new.changed_at, new.until) == (FRESH.version, now, old.until)
    assert old.state != "ended"
    assert new.generation - old.generation in ({0, 1} if pair else {0})
    assert len(new.access) <= max(MOST_ACCESS, len(old.access))
    facts = ("issuer", "client_id", "subject", "scope", "resource", "sid", "nonce", "auth_time")
    for name in facts:
        assert getattr(new.tokens, name) == getattr(old.tokens, name)
    if new.state != "ended":
        expected = "a new refresh token" if pair else old.tokens.refresh_token
        assert new.tokens.refresh_token == expected
        assert new.tokens.id_token == old.tokens.id_token
    assert codec.load_grant(codec.dump_grant(new)) == new


@given(st.none() | RECORDS, ASKS, TIMES, WATCHED, RULES)
def test_a_call_is_answered(
    record: GrantRecord | None, ask: Ask, now: int, watched: float, rule: ResendInDoubt
) -> None:
    call: Call = decide_call(record, ask, FRESH, now=now, watched=watched, resend=rule)

    if isinstance(call, Use):
        assert record is not None
        assert call.tokens.access_token != ask.refused
        assert call.remaining is None or call.remaining > 0
        assert record.state not in {"refused", "ended"}
        held = [each for each in record.access if each.target == ask.target]
        assert call.tokens.access_token in [each.token for each in held]
    elif isinstance(call, Claim | Doubted):
        assert record is not None
        check_write(record, call.new, now)
        assert call.new.sends == record.sends
    elif isinstance(call, Verify):
        assert call.record is record
        assert call.record.state == "unverified"
    elif isinstance(call, Withhold | LogIn):
        error = error_of(call)
        assert isinstance(error, OidcError)
        assert isinstance(call, Withhold) or error.retryable == "restart"
        assert str(error)
    else:
        assert call == Wait()


@given(RECORDS, ASKS, st.integers(0, 1_000), RULES)
def test_who_may_be_sending_is_never_overtaken(
    record: GrantRecord, ask: Ask, age: int, rule: ResendInDoubt
) -> None:
    """However the clock of the store jumped: only who watched, or ten minutes, take its place."""
    now = record.changed_at + min(age, ABANDONED - 1)
    for before in (now, 0):
        call = decide_call(record, ask, FRESH, now=min(before, now), watched=4, resend=rule)
        if record.state in {"claimed", "sending"}:
            assert not isinstance(call, Claim | Doubted)


@given(st.none() | RECORDS, ATTEMPTS, TIMES)
def test_the_last_look_is_for_the_holder(
    record: GrantRecord | None, attempt: str, now: int
) -> None:
    look = decide_send(record, attempt, FRESH, now=now)
    if isinstance(look, MarkSending):
        assert record is not None
        assert (record.state, record.attempt) == ("claimed", attempt)
        check_write(record, look.new, now)
        assert look.new.sends == record.sends + 1
    else:
        assert record is None or (record.state, record.attempt) != ("claimed", attempt)


@given(st.none() | RECORDS, sents(), outcomes(), TIMES, TIMES)
def test_an_outcome_is_judged(
    record: GrantRecord | None, sent: Sent, outcome: Outcome, now: int, utc: int
) -> None:
    decision = decide_answer(record, sent, outcome, FRESH, now=now, utc=utc)

    pair = isinstance(outcome, Pair)
    if isinstance(decision, Store | Swap):
        assert record is not None
        check_write(record, decision.new, now, pair=pair)
        assert isinstance(decision, Store) == pair
        assert decision.new.state != "ended"
        assert pair or decision.new.sends in {record.sends, max(0, record.sends - 1)}
    assert pair == isinstance(decision, Store | Kept | Discard | RevokePair)
    assert isinstance(decision, RevokePair) == (
        pair and (record is None or record.state == "ended")
    )


@given(RECORDS, sents(), pairs())
def test_a_pair_of_the_stored_refresh_token_is_stored(
    record: GrantRecord, sent: Sent, pair: Pair
) -> None:
    sent = sent._replace(parent=record.generation)
    decision = decide_answer(record, sent, pair, FRESH, now=5)
    stored_before = (record.parent, record.born) == (sent.parent, sent.number)
    assert isinstance(decision, Store) == (record.state != "ended" and not stored_before)


@given(RECORDS, st.data(), VERDICTS, TIMES)
def test_a_verdict_is_written_down(
    record: GrantRecord, data: st.DataObject, verdict: Any, now: int
) -> None:
    origin = data.draw(st.just(Origin.of(record)) | st.builds(Origin, st.integers(), st.integers()))
    decision = decide_verified(record, origin, verdict, FRESH, now=now)
    if isinstance(decision, Swap):
        assert origin == Origin.of(record)
        check_write(record, decision.new, now)
        assert (decision.new.state == "ended") == isinstance(verdict, Mismatch)
        assert decision.new.unverified is None
    else:
        assert (
            record.state != "unverified" or record.unverified is None or origin != Origin.of(record)
        )


@given(RECORDS, TIMES)
def test_an_end_leaves_no_token(record: GrantRecord, now: int) -> None:
    decision = decide_end(record, FRESH, now=now)
    assert isinstance(decision, Swap) == (record.state != "ended")
    if isinstance(decision, Swap):
        check_write(record, decision.new, now)
        new = decision.new
        assert (new.access, new.tokens.refresh_token, new.unverified) == ((), None, None)


@pytest.mark.parametrize("answer", [Withhold, LogIn])
@given(failure=failures(), seconds=st.none() | st.integers(0, 300))
def test_every_failure_becomes_an_error(answer: Any, failure: Any, seconds: Any) -> None:
    found = Withhold(failure, seconds) if answer is Withhold else LogIn("refused", failure)
    error = error_of(found)
    assert str(error)
    assert error.retryable == (failure.retryable if answer is Withhold else "restart")
