"""What becomes of an exchange: the last look before it is sent, and its outcome."""

from typing import NamedTuple, TypeAlias

from oidc_core.machine.grant_writes import Fresh, written
from oidc_core.model.grants import Failure, GrantRecord
from oidc_core.model.records import Tokens


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
    return MarkSending(written(record, fresh, now, state="sending", sends=record.sends + 1))


class Pair(NamedTuple):
    """New tokens that an answer brought.

    Attributes:
        tokens: the pair; the refresh token that was sent, if the answer brought none.
        usable: whether the answer has an access token that may be handed out.
        id_token: the new ID token, unverified, if there is one.
        lifetime: of the access token in seconds, if that is known.
        rotated: whether the answer brought another refresh token.
    """

    tokens: Tokens
    usable: bool
    id_token: str | None
    lifetime: int | None
    rotated: bool


class Refused(NamedTuple):
    """The provider refused the refresh token: ``invalid_grant``."""

    failure: Failure


class NotTaken(NamedTuple):
    """The provider did not take the refresh token, so that it is as good as before.

    ``bare_400``: it was a 400 without an OAuth error.  A gateway may have said the first one.
    """

    failure: Failure
    bare_400: bool = False


class NoOutcome(NamedTuple):
    """Nobody knows whether the provider took the refresh token."""

    failure: Failure


Outcome: TypeAlias = Pair | Refused | NotTaken | NoOutcome


class Sent(NamedTuple):
    """An exchange that its holder sent.

    Attributes:
        attempt: its name.
        parent: the generation whose refresh token was sent.
        number: which send of that token it was, from 1 on.
    """

    attempt: str
    parent: int
    number: int


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
    """The record says nothing about this exchange any more: read it, and decide anew."""


class Nothing(NamedTuple):
    """There is nothing to do."""


def decide_answer(
    record: GrantRecord | None, sent: Sent, outcome: Outcome, fresh: Fresh, *, now: int
) -> Store | Swap | Kept | Discard | RevokePair | ReadAgain:
    """Decide what becomes of the outcome of an exchange, whoever owns the claim by now."""
    if record is None:
        return RevokePair() if isinstance(outcome, Pair) else ReadAgain()
    if isinstance(outcome, Pair):
        return _pair(record, sent, outcome, fresh, now)
    mine = record.state == "sending" and record.attempt == sent.attempt
    if isinstance(outcome, Refused) or _second_bare_400(record, outcome):
        return Swap(_refused(record, outcome.failure, fresh, now)) if mine else ReadAgain()
    if isinstance(outcome, NoOutcome):
        return Swap(_doubted(record, outcome.failure, fresh, now)) if mine else ReadAgain()
    only = record.state == "doubt" and record.generation == sent.parent and record.sends == 1
    if not mine and not only:
        return ReadAgain()
    return Swap(_not_taken(record, outcome, fresh, now))


def _second_bare_400(record: GrantRecord, outcome: Refused | NotTaken | NoOutcome) -> bool:
    return isinstance(outcome, NotTaken) and outcome.bare_400 and record.bare_400


def _pair(
    record: GrantRecord, sent: Sent, pair: Pair, fresh: Fresh, now: int
) -> Store | Kept | Discard | RevokePair:
    """Judge a pair by the generation it came from: no refresh token is compared."""
    if record.state == "ended":
        return RevokePair()
    if (record.parent, record.born) == (sent.parent, sent.number):
        return Kept()
    if record.generation == sent.parent:
        return Store(_with_pair(record, sent, pair, fresh, now, generation=record.generation + 1))
    busy = record.state in {"claimed", "sending"}
    if record.parent == sent.parent and record.born < sent.number and not busy:
        return Store(_with_pair(record, sent, pair, fresh, now, generation=record.generation))
    return Discard()


def _with_pair(
    record: GrantRecord, sent: Sent, pair: Pair, fresh: Fresh, now: int, *, generation: int
) -> GrantRecord:
    # A pair with an ID token is accepted only once that is verified.
    taken = pair.usable and pair.id_token is None
    missed = not pair.usable and pair.id_token is None
    return written(
        record,
        fresh,
        now,
        tokens=pair.tokens,
        usable=pair.usable,
        generation=generation,
        parent=sent.parent,
        born=sent.number,
        state="current" if pair.id_token is None else "unverified",
        attempt="",
        sends=0,
        rotates=pair.rotated,
        misses=0 if taken else record.misses + missed,
        guarded=False,
        bare_400=False,
        last_failure=None if taken else record.last_failure,
        unverified=pair.id_token,
        stored_at=now,
        lifetime=pair.lifetime,
    )


def _refused(record: GrantRecord, failure: Failure, fresh: Fresh, now: int) -> GrantRecord:
    return written(record, fresh, now, state="refused", attempt="", last_failure=failure)


def _doubted(record: GrantRecord, failure: Failure, fresh: Fresh, now: int) -> GrantRecord:
    return written(
        record, fresh, now, state="doubt", attempt="", guarded=False, last_failure=failure
    )


def _not_taken(record: GrantRecord, outcome: NotTaken, fresh: Fresh, now: int) -> GrantRecord:
    """Take the mark of this send back: without another one the refresh token is good again."""
    sends = record.sends - 1
    return written(
        record,
        fresh,
        now,
        state="doubt" if sends else "current",
        attempt="",
        sends=sends,
        misses=record.misses + 1,
        bare_400=record.bare_400 or outcome.bare_400,
        last_failure=outcome.failure,
    )
