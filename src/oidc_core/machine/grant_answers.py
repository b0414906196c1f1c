"""Decisions about one exchange: the last look before it is sent, and its outcome."""

from typing import NamedTuple

from attrs import evolve

from oidc_core.machine.grant_outcomes import (
    NoOutcome,
    NotTaken,
    Outcome,
    Pair,
    Refused,
    Unsent,
)
from oidc_core.machine.grant_writes import Fresh, written
from oidc_core.machine.grants import SEND_GUARD
from oidc_core.model.grants import (
    MOST_ACCESS,
    Access,
    Failure,
    GrantRecord,
    GrantState,
    Target,
    Unverified,
)


class MarkSending(NamedTuple):
    """Write this, then send the request."""

    new: GrantRecord


class ClaimLost(NamedTuple):
    """Another caller took the claim over, or the session ended: send nothing."""


def decide_send(
    record: GrantRecord | None, attempt: str, fresh: Fresh, *, now: int
) -> MarkSending | ClaimLost:
    """Take the last look before the request leaves."""
    if record is None or record.state != "claimed" or record.attempt != attempt:
        return ClaimLost()
    sends = record.sends + 1
    return MarkSending(
        written(
            record,
            fresh,
            now,
            state="sending",
            sends=sends,
            first_sent_at=now if sends == 1 else record.first_sent_at,
            last_sent_at=now,
        )
    )


class Sent(NamedTuple):
    """An exchange that its holder sent.

    Attributes:
        attempt: its name.
        parent: the generation whose refresh token was sent.
        number: which send of that token it was, from 1 on.
        target: the target of the access token.
    """

    attempt: str
    parent: int
    number: int
    target: Target = Target()


class Store(NamedTuple):
    """Write this: it holds a new pair, which may be the only live one."""

    new: GrantRecord


class Swap(NamedTuple):
    """Write this."""

    new: GrantRecord


class Kept(NamedTuple):
    """This answer's pair is in the record already."""


class Discard(NamedTuple):
    """Drop this pair: a newer one is stored.  To revoke it could end them all."""


class RevokePair(NamedTuple):
    """Revoke this pair: the session ended meanwhile."""


class ReadAgain(NamedTuple):
    """The record no longer waits for this outcome: read it, and decide again."""


class Nothing(NamedTuple):
    """There is nothing to do."""


def decide_answer(
    record: GrantRecord | None,
    sent: Sent,
    outcome: Outcome,
    fresh: Fresh,
    *,
    now: int,
    utc: int = 0,
    send_guard: int = SEND_GUARD,
) -> Store | Swap | Kept | Discard | RevokePair | ReadAgain:
    """Decide about the outcome of an exchange, even if another caller owns the claim by now.

    Args:
        record: what was read, ``None`` if there is nothing.
        sent: the exchange.
        outcome: its outcome.
        fresh: random values for a write.
        now: the store's time at the read.
        utc: when the answer was received, in seconds since the epoch; a new ID token is judged at
            that time.
        send_guard: seconds after which a request that was sent has arrived.
    """
    if isinstance(outcome, Pair):
        if record is None:
            return RevokePair()
        return _pair(record, sent, outcome, fresh, now=now, utc=utc, send_guard=send_guard)
    if record is None or record.attempt != sent.attempt:
        return ReadAgain()
    new = _without_pair(record, outcome, fresh, now)
    return ReadAgain() if new is None else Swap(new)


def _without_pair(
    record: GrantRecord, outcome: Refused | NotTaken | NoOutcome | Unsent, fresh: Fresh, now: int
) -> GrantRecord | None:
    """Return what the last exchange makes of its record, ``None`` if that is settled already.

    In doubt, too, a record has the name of its exchange: nobody takes the mark of another back.
    """
    mine, only = record.state == "sending", record.state == "doubt" and record.sends == 1
    if isinstance(outcome, Refused):
        return _refused(record, outcome.failure, fresh, now) if mine else None
    if isinstance(outcome, NoOutcome):
        return _doubted(record, outcome.failure, fresh, now) if mine else None
    if isinstance(outcome, Unsent):
        given_back = mine or only or record.state == "claimed"
        return _taken_back(record, fresh, now) if given_back else None
    if mine and outcome.bare_400 and record.bare_400:
        # The second time that nobody says why.
        failure = outcome.failure._replace(kind="stale", retryable="restart")
        return _refused(record, failure, fresh, now)
    return _not_taken(record, outcome, fresh, now) if mine or only else None


def _pair(
    record: GrantRecord,
    sent: Sent,
    pair: Pair,
    fresh: Fresh,
    *,
    now: int,
    utc: int,
    send_guard: int,
) -> Store | Kept | Discard | RevokePair:
    """Judge a pair by the generation it came from: no refresh token is compared."""
    if record.state == "ended":
        return RevokePair()
    if (record.parent, record.born) == (sent.parent, sent.number):
        return Kept()
    if record.generation == sent.parent:
        # An earlier request for the same token may still arrive.  A provider that takes it again
        # must not meet a newer token meanwhile.
        held = record.last_sent_at + send_guard if record.sends > 1 else 0
        new = _with_pair(record, sent, pair, fresh, now=now, utc=utc)
        return Store(evolve(new, generation=record.generation + 1, held_until=held))
    if record.parent == sent.parent and record.born < sent.number and _is_replaceable(record):
        return Store(_with_pair(record, sent, pair, fresh, now=now, utc=utc))
    return Discard()


def _is_replaceable(record: GrantRecord) -> bool:
    """Return whether no exchange of the stored pair can bring another one."""
    unsettled = record.sends - (record.state == "refused")
    return record.state != "claimed" and unsettled <= 0


def _with_pair(
    record: GrantRecord, sent: Sent, pair: Pair, fresh: Fresh, *, now: int, utc: int
) -> GrantRecord:
    # A pair with an ID token is accepted only once that is verified.
    access = _access(pair, sent.target, now)
    waits = None
    if pair.id_token is not None:
        waits = Unverified(pair.id_token, access, utc, pair.channel)
    taken = access if waits is None else None
    missed = waits is None and access is None
    return written(
        record,
        fresh,
        now,
        tokens=evolve(record.tokens, refresh_token=pair.refresh_token),
        access=with_access(record, sent.target, taken),
        parent=sent.parent,
        born=sent.number,
        state="current" if waits is None else "unverified",
        attempt="",
        sends=0,
        rotates=pair.rotated,
        misses=0 if taken else record.misses + missed,
        guarded=False,
        bare_400=False,
        last_failure=None if taken else pair.failure or record.last_failure,
        unverified=waits,
    )


def _access(pair: Pair, target: Target, now: int) -> Access | None:
    new = pair.access
    if new is None:
        return None
    return Access(target, new.token, new.scope, now, new.lifetime, new.expires_at)


def with_access(record: GrantRecord, target: Target, new: Access | None) -> tuple[Access, ...]:
    """Return the access tokens of a record with another one for a target, or without one."""
    others = [each for each in record.access if each.target != target]
    return tuple([*others, new][-MOST_ACCESS:] if new else others)


def _refused(record: GrantRecord, failure: Failure, fresh: Fresh, now: int) -> GrantRecord:
    return written(record, fresh, now, state="refused", attempt="", last_failure=failure)


def _doubted(record: GrantRecord, failure: Failure, fresh: Fresh, now: int) -> GrantRecord:
    return written(record, fresh, now, state="doubt", guarded=False, last_failure=failure)


def _taken_back(record: GrantRecord, fresh: Fresh, now: int) -> GrantRecord:
    """Take the mark of this send back, or its claim if there is no mark yet.

    Without another mark the refresh token is as good as before.  To give a claim back is a write: a
    mark that was believed lost cannot be applied after it.
    """
    sends = record.sends if record.state == "claimed" else max(0, record.sends - 1)
    state: GrantState = "doubt" if sends else "current"
    return written(record, fresh, now, state=state, attempt="", sends=sends)


def _not_taken(record: GrantRecord, outcome: NotTaken, fresh: Fresh, now: int) -> GrantRecord:
    return evolve(
        _taken_back(record, fresh, now),
        misses=record.misses + 1,
        bare_400=record.bare_400 or outcome.bare_400,
        last_failure=outcome.failure,
    )
