"""Designs that fail, each in the place of one decision that ships."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve

from oidc_core.machine import grant_answers, grant_verdicts, grants
from oidc_core.machine.grant_answers import (
    Discard,
    Kept,
    MarkSending,
    ReadAgain,
    RevokePair,
    Store,
    Swap,
)
from oidc_core.machine.grant_outcomes import NoOutcome, NotTaken, Pair, Refused, Unsent
from oidc_core.machine.grant_verdicts import Mismatch, Origin, Unusable
from oidc_core.machine.grant_writes import Fresh, written
from oidc_core.machine.grants import Ask, Claim, Doubted, Use, Wait
from oidc_core.model.grants import GrantRecord

CALL: Final = grants.decide_call
SEND: Final = grant_answers.decide_send
ANSWER: Final = grant_answers.decide_answer
VERIFIED: Final = grant_verdicts.decide_verified


# --- the call ------------------------------------------------------------------------------------


def taking_over_resends(record: GrantRecord, ask: Ask, fresh: Fresh, **how: Any) -> Any:
    """An exchange that was abandoned is taken over as a mere claim would be."""
    call = CALL(record, ask, fresh, **how)
    return _claim(record, fresh, how["now"]) if isinstance(call, Doubted) else call


def doubt_before_its_guard(record: GrantRecord, ask: Ask, fresh: Fresh, **how: Any) -> Any:
    """A refresh token in doubt is sent again at once."""
    call = CALL(record, ask, fresh, **how)
    if isinstance(call, Wait) and record.state == "doubt":
        return _claim(record, fresh, how["now"])
    return call


def exchange_before_its_guard(record: GrantRecord, ask: Ask, fresh: Fresh, **how: Any) -> Any:
    """An exchange counts as abandoned at once."""
    call = CALL(record, ask, fresh, **how)
    if isinstance(call, Wait) and record.state == "sending":
        return Doubted(written(record, fresh, how["now"], state="doubt", guarded=True))
    return call


def resent_without_end(record: GrantRecord, ask: Ask, fresh: Fresh, **how: Any) -> Any:
    """Each doubt is resolved by another send."""
    if record.state == "doubt":
        return _claim(record, fresh, how["now"])
    return CALL(record, ask, fresh, **how)


def never_abandoned(record: GrantRecord, ask: Ask, fresh: Fresh, **how: Any) -> Any:
    """Everybody waits for a holder that died."""
    call = CALL(record, ask, fresh, **how)
    return Wait() if isinstance(call, Doubted) else call


def claims_never_abandoned(record: GrantRecord, ask: Ask, fresh: Fresh, **how: Any) -> Any:
    """A claim belongs to its holder, dead or alive."""
    call = CALL(record, ask, fresh, **how)
    return Wait() if isinstance(call, Claim) and record.state == "claimed" else call


def refused_token_again(record: GrantRecord, ask: Ask, fresh: Fresh, **how: Any) -> Any:
    """During an exchange each caller gets the stored access token."""
    if record.state != "current":
        return CALL(record, ask._replace(refused=None), fresh, **how)
    return CALL(record, ask, fresh, **how)


def any_refusal_exchanges(record: GrantRecord, ask: Ask, fresh: Fresh, **how: Any) -> Any:
    """Each 401 of a resource server causes an exchange."""
    if ask.refused is not None and record.state == "current":
        return _claim(record, fresh, how["now"])
    return CALL(record, ask, fresh, **how)


def no_back_off(record: GrantRecord, ask: Ask, fresh: Fresh, **how: Any) -> Any:
    """After a failure the next caller tries at once."""
    patient = evolve(record, misses=0, held_until=0)
    old = tuple([each._replace(stored_at=each.stored_at - 5) for each in record.access])
    call = CALL(evolve(patient, access=old), ask, fresh, **how)
    return _claim(record, fresh, how["now"]) if isinstance(call, Claim) else call


def unverified_handed_out(record: GrantRecord, ask: Ask, fresh: Fresh, **how: Any) -> Any:
    """The new access token is used before its ID token was verified."""
    waits = record.unverified
    if record.state == "unverified" and waits is not None and waits.access is not None:
        return Use(evolve(record.tokens, access_token=waits.access.token), None)
    return CALL(record, ask, fresh, **how)


def pair_not_held(record: GrantRecord, ask: Ask, fresh: Fresh, **how: Any) -> Any:
    """A pair of a repeated exchange is exchanged while the other request may still arrive."""
    return CALL(evolve(record, held_until=0), ask, fresh, **how)


def grace_to_its_end(record: GrantRecord, ask: Ask, fresh: Fresh, **how: Any) -> Any:
    """Within the grace a refresh token is sent again, though a request may still arrive."""
    return CALL(evolve(record, last_sent_at=record.first_sent_at), ask, fresh, **how)


# --- the last look -------------------------------------------------------------------------------


def no_last_look(record: GrantRecord, _attempt: str, fresh: Fresh, *, now: int) -> MarkSending:
    """Who once had the claim sends."""
    return MarkSending(written(record, fresh, now, state="sending", sends=record.sends + 1))


def marked_at_the_time_of_the_claim(
    record: GrantRecord, attempt: str, fresh: Fresh, *, now: int
) -> Any:
    """The mark has the time of the claim, which a process that sleeps may have read long ago."""
    return SEND(record, attempt, fresh, now=min(now, record.changed_at))


# --- the answer ----------------------------------------------------------------------------------


def late_pair_fenced(record: GrantRecord, sent: Any, outcome: Any, fresh: Fresh, **at: Any) -> Any:
    """Only the owner of the claim may store its pair."""
    mine = record.state == "sending" and record.attempt == sent.attempt
    if isinstance(outcome, Pair) and not mine:
        return Discard()
    return ANSWER(record, sent, outcome, fresh, **at)


def stored_after_logout(
    record: GrantRecord, sent: Any, outcome: Any, fresh: Fresh, **at: Any
) -> Any:
    """A late pair revives an ended session."""
    if isinstance(outcome, Pair) and record.state == "ended":
        tokens = evolve(record.tokens, refresh_token=outcome.refresh_token)
        return Store(written(record, fresh, at["now"], tokens=tokens, state="current"))
    return ANSWER(record, sent, outcome, fresh, **at)


def any_refused_caller_ends(
    record: GrantRecord, sent: Any, outcome: Any, fresh: Fresh, **at: Any
) -> Any:
    """Each ``invalid_grant`` ends the record, whose ever it is."""
    if isinstance(outcome, Refused) and record.state not in {"ended", "refused"}:
        return Swap(written(record, fresh, at["now"], state="refused", attempt=""))
    return ANSWER(record, sent, outcome, fresh, **at)


def not_taken_as_refused(
    record: GrantRecord, sent: Any, outcome: Any, fresh: Fresh, **at: Any
) -> Any:
    """The 403 of a gateway ends the grant."""
    if isinstance(outcome, NotTaken):
        outcome = Refused(outcome.failure)
    return ANSWER(record, sent, outcome, fresh, **at)


def not_taken_keeps_its_mark(
    record: GrantRecord, sent: Any, outcome: Any, fresh: Fresh, **at: Any
) -> Any:
    """A refresh token that was not taken stays in doubt."""
    if isinstance(outcome, NotTaken):
        outcome = NoOutcome(outcome.failure)
    return ANSWER(record, sent, outcome, fresh, **at)


def not_taken_clears_doubt(
    record: GrantRecord, sent: Any, outcome: Any, fresh: Fresh, **at: Any
) -> Any:
    """One send that was not taken makes the token good, though another send is in doubt."""
    decision = ANSWER(record, sent, outcome, fresh, **at)
    if isinstance(outcome, NotTaken) and isinstance(decision, Swap):
        return Swap(evolve(decision.new, state="current", sends=0))
    return decision


def not_taken_of_another(
    record: GrantRecord, sent: Any, outcome: Any, fresh: Fresh, **at: Any
) -> Any:
    """A caller takes back the mark of another exchange."""
    if isinstance(outcome, NotTaken):
        sent = sent._replace(attempt=record.attempt)
    return ANSWER(record, sent, outcome, fresh, **at)


def unsent_of_another(record: GrantRecord, sent: Any, outcome: Any, fresh: Fresh, **at: Any) -> Any:
    """A caller that sent nothing takes back the mark of one that did."""
    if isinstance(outcome, Unsent):
        sent = sent._replace(attempt=record.attempt)
    return ANSWER(record, sent, outcome, fresh, **at)


def no_outcome_as_not_taken(
    record: GrantRecord, sent: Any, outcome: Any, fresh: Fresh, **at: Any
) -> Any:
    """After a 502 the refresh token counts as good."""
    if isinstance(outcome, NoOutcome):
        outcome = NotTaken(outcome.failure)
    return ANSWER(record, sent, outcome, fresh, **at)


def dropped_without_access(
    record: GrantRecord, sent: Any, outcome: Any, fresh: Fresh, **at: Any
) -> Any:
    """An answer without an access token counts as unreadable: its refresh token is dropped."""
    if isinstance(outcome, Pair) and outcome.access is None:
        outcome = NoOutcome(grants.IN_DOUBT)
    return ANSWER(record, sent, outcome, fresh, **at)


def told_by_refresh_token(
    record: GrantRecord, sent: Any, outcome: Any, fresh: Fresh, **at: Any
) -> Any:
    """A pair with the refresh token that is stored counts as stored."""
    if isinstance(outcome, Pair) and outcome.refresh_token == record.tokens.refresh_token:
        return Kept()
    return ANSWER(record, sent, outcome, fresh, **at)


def sends_per_token(record: GrantRecord, sent: Any, outcome: Any, fresh: Fresh, **at: Any) -> Any:
    """A refresh token that the provider repeats keeps its marks over the generations."""
    decision = ANSWER(record, sent, outcome, fresh, **at)
    if isinstance(decision, Store) and isinstance(outcome, Pair) and not outcome.rotated:
        return Store(evolve(decision.new, sends=min(record.sends, 1)))
    return decision


def discarded_pair_revoked(
    record: GrantRecord, sent: Any, outcome: Any, fresh: Fresh, **at: Any
) -> Any:
    """A pair that nobody needs is revoked."""
    decision = ANSWER(record, sent, outcome, fresh, **at)
    return RevokePair() if isinstance(decision, Discard) else decision


def every_miss_forgotten(
    record: GrantRecord, sent: Any, outcome: Any, fresh: Fresh, **at: Any
) -> Any:
    """No failure is counted, and no pause follows."""
    decision = ANSWER(record, sent, outcome, fresh, **at)
    if isinstance(decision, Swap | Store):
        return type(decision)(evolve(decision.new, misses=0))
    return decision


# --- the verdict ---------------------------------------------------------------------------------


def unusable_as_mismatch(
    record: GrantRecord, origin: Any, verdict: Any, fresh: Fresh, **at: Any
) -> Any:
    """An ID token that has expired, or cannot be used, ends the session."""
    if isinstance(verdict, Unusable):
        verdict = Mismatch(verdict.failure)
    return VERIFIED(record, origin, verdict, fresh, **at)


def mismatch_as_unusable(
    record: GrantRecord, origin: Any, verdict: Any, fresh: Fresh, **at: Any
) -> Any:
    """Another session's ID token is only unusable."""
    if isinstance(verdict, Mismatch):
        verdict = Unusable(verdict.failure)
    return VERIFIED(record, origin, verdict, fresh, **at)


def unusable_keeps_access(
    record: GrantRecord, origin: Any, verdict: Any, fresh: Fresh, **at: Any
) -> Any:
    """The access token is used though its ID token cannot be."""
    decision = VERIFIED(record, origin, verdict, fresh, **at)
    waits = record.unverified
    if isinstance(verdict, Unusable) and isinstance(decision, Swap) and waits and waits.access:
        return Swap(evolve(decision.new, access=(waits.access,)))
    return decision


def unusable_stays(record: GrantRecord, origin: Any, verdict: Any, fresh: Fresh, **at: Any) -> Any:
    """An ID token that cannot be used is verified again and again."""
    if isinstance(verdict, Unusable):
        return ReadAgain()
    return VERIFIED(record, origin, verdict, fresh, **at)


def unusable_drops_refresh(
    record: GrantRecord, origin: Any, verdict: Any, fresh: Fresh, **at: Any
) -> Any:
    """With the ID token goes the refresh token."""
    decision = VERIFIED(record, origin, verdict, fresh, **at)
    if isinstance(verdict, Unusable) and isinstance(decision, Swap):
        gone = evolve(record.tokens, refresh_token=None)
        return Swap(evolve(decision.new, tokens=gone))
    return decision


def verdict_for_any_send(
    record: GrantRecord, origin: Any, verdict: Any, fresh: Fresh, **at: Any
) -> Any:
    """A verdict counts for another pair of the same generation."""
    return VERIFIED(record, Origin(origin.generation, record.born), verdict, fresh, **at)


def verdict_for_any_generation(
    record: GrantRecord, origin: Any, verdict: Any, fresh: Fresh, **at: Any
) -> Any:
    """A verdict counts for the pair that is stored by now."""
    return VERIFIED(record, Origin.of(record), verdict, fresh, **at)


def revived_by_verdict(
    record: GrantRecord, origin: Any, verdict: Any, fresh: Fresh, **at: Any
) -> Any:
    """A verdict that comes after a logout revives the session."""
    if record.state == "ended":
        return Swap(written(record, fresh, at["now"], state="current"))
    return VERIFIED(record, origin, verdict, fresh, **at)


def _claim(record: GrantRecord, fresh: Fresh, now: int) -> Claim:
    return Claim(written(record, fresh, now, state="claimed", attempt=fresh.attempt))
