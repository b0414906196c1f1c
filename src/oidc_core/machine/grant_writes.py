"""Each write of a grant record: it gets a new version, and the time of the store."""

from typing import NamedTuple, TypedDict, Unpack

from attrs import evolve

from oidc_core.model.grants import Access, Failure, GrantRecord, GrantState, Unverified
from oidc_core.model.records import Tokens


class Fresh(NamedTuple):
    """Random values for one write: its version, and the name of an exchange it may begin."""

    version: str
    attempt: str


class Changes(TypedDict, total=False):
    """Members of a record that a write changes."""

    tokens: Tokens
    access: tuple[Access, ...]
    hint: str | None
    generation: int
    parent: int
    born: int
    state: GrantState
    attempt: str
    sends: int
    first_sent_at: int
    last_sent_at: int
    held_until: int
    rotates: bool | None
    misses: int
    guarded: bool
    bare_400: bool
    last_failure: Failure | None
    unverified: Unverified | None


def written(record: GrantRecord, fresh: Fresh, now: int, **changes: Unpack[Changes]) -> GrantRecord:
    """Return the record with changes, as it is written at a time."""
    return evolve(record, version=fresh.version, changed_at=now, **changes)
