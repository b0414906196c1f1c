"""How a grant goes on after the new ID token was verified, and how it ends."""

from typing import NamedTuple

from attrs import evolve

from oidc_core.machine.grant_answers import Nothing, ReadAgain, Swap
from oidc_core.machine.grant_writes import Fresh, written
from oidc_core.model.grants import Failure, GrantRecord


class Refreshed(NamedTuple):
    """The new ID token was accepted."""


class Mismatch(NamedTuple):
    """The new ID token is about another issuer, user, client or login: the session is over."""

    failure: Failure


class Unusable(NamedTuple):
    """The new ID token was refused for good, though not for being another session's."""

    failure: Failure


def decide_verified(
    record: GrantRecord | None,
    generation: int,
    verdict: Refreshed | Mismatch | Unusable,
    fresh: Fresh,
    *,
    now: int,
) -> Swap | ReadAgain:
    """Write a verdict down; it counts only for the generation it was made for."""
    if record is None or record.state != "unverified" or record.generation != generation:
        return ReadAgain()
    if isinstance(verdict, Mismatch):
        return Swap(_tombstone(record, fresh, now, verdict.failure))
    if isinstance(verdict, Unusable):
        return Swap(
            written(
                record,
                fresh,
                now,
                state="current",
                usable=False,
                unverified=None,
                misses=record.misses + 1,
                last_failure=verdict.failure,
            )
        )
    accepted = record.usable
    return Swap(
        written(
            record,
            fresh,
            now,
            state="current",
            unverified=None,
            misses=0 if accepted else record.misses + 1,
            last_failure=None if accepted else record.last_failure,
        )
    )


def decide_end(record: GrantRecord | None, fresh: Fresh, *, now: int) -> Swap | Nothing:
    """End a grant: a tombstone takes its place, so that no late pair revives it.

    The caller revokes the tokens of the record that it read.
    """
    if record is None or record.state == "ended":
        return Nothing()
    return Swap(_tombstone(record, fresh, now, None))


def _tombstone(record: GrantRecord, fresh: Fresh, now: int, failure: Failure | None) -> GrantRecord:
    tokens = evolve(record.tokens, access_token="", refresh_token=None, id_token="")
    return written(
        record,
        fresh,
        now,
        tokens=tokens,
        usable=False,
        state="ended",
        attempt="",
        unverified=None,
        last_failure=failure,
    )
