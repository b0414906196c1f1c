"""How a grant goes on after the new ID token was verified, and how it ends."""

from typing import NamedTuple

from attrs import evolve

from oidc_core.machine.grant_answers import Nothing, ReadAgain, Swap, with_access
from oidc_core.machine.grant_writes import Fresh, written
from oidc_core.model.grants import Failure, GrantRecord


class Refreshed(NamedTuple):
    """The new ID token was accepted."""


class Mismatch(NamedTuple):
    """The new ID token is about another issuer, user, client or login: the session ends."""

    failure: Failure


class Unusable(NamedTuple):
    """The new ID token was refused for good, though not for being another session's."""

    failure: Failure


class Origin(NamedTuple):
    """Which pair a verdict is about: its generation, and the send that brought it."""

    generation: int
    born: int

    @classmethod
    def of(cls, record: GrantRecord) -> "Origin":
        """Return the origin of a record's current pair."""
        return cls(record.generation, record.born)


def decide_verified(
    record: GrantRecord | None,
    origin: Origin,
    verdict: Refreshed | Mismatch | Unusable,
    fresh: Fresh,
    *,
    now: int,
) -> Swap | ReadAgain:
    """Write a verdict down; it counts only for the pair it was made for.

    A late pair may take the place of another one of the same generation.
    """
    waits = None if record is None else record.unverified
    if record is None or waits is None or record.state != "unverified":
        return ReadAgain()
    if Origin.of(record) != origin:
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
                unverified=None,
                misses=record.misses + 1,
                last_failure=verdict.failure,
            )
        )
    access = waits.access
    new = written(record, fresh, now, state="current", unverified=None, hint=waits.id_token)
    if access is None:
        return Swap(evolve(new, misses=record.misses + 1))
    kept = with_access(record, access.target, access)
    return Swap(evolve(new, access=kept, misses=0, last_failure=None))


def decide_end(record: GrantRecord | None, fresh: Fresh, *, now: int) -> Swap | Nothing:
    """End a grant: a tombstone takes its place, so that no late pair revives it.

    The caller revokes the tokens of the record that it read.
    """
    if record is None or record.state == "ended":
        return Nothing()
    return Swap(_tombstone(record, fresh, now, None))


def _tombstone(record: GrantRecord, fresh: Fresh, now: int, failure: Failure | None) -> GrantRecord:
    return written(
        record,
        fresh,
        now,
        tokens=evolve(record.tokens, access_token="", refresh_token=None, id_token=""),
        access=(),
        hint=None,
        state="ended",
        attempt="",
        unverified=None,
        last_failure=failure,
    )
