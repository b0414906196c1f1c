"""What the callers of one grant may do: pure decisions over one record, which a store applies.

A provider checks no fencing number, so a lease cannot prevent a second send.  Two things take its
place.  An exchange is recorded as *sending* before its first octet leaves: from then on its refresh
token counts as spent until the outcome is known.  And a pair that came is judged by the generation
it came from, never by who owns the claim: it may be the only live one.

Each decision takes the record that was read, and returns the record to write or what to do without
a write.  The writer replaces a record only if it still has the version that was read; after a lost
race it reads again and asks again.
"""

from typing import Final, Literal, NamedTuple, TypeAlias

from oidc_core.machine.grant_writes import Fresh, written
from oidc_core.model.grants import Failure, GrantRecord
from oidc_core.model.records import Tokens

ResendInDoubt: TypeAlias = Literal["never", "once", "reusable"]
"""Whether a refresh token may be sent again whose last send has an unknown outcome.

``once``: one time, after the guard.  ``never``: not at all; the user has to log in again.
``reusable``: at a provider that never rotates; at most three times.
"""

CLAIM_GUARD: Final = 5
"""Seconds that a caller watches a claim before it takes the claim over."""

SEND_GUARD: Final = 30
"""Seconds that a caller watches an exchange before its outcome counts as unknown: the deadline of
the exchange, the patience of its holder with the store, and a margin of ten seconds."""

ABANDONED: Final = 600
"""Seconds by the store's clock after which an exchange is abandoned, for processes that live too
short to watch one."""

YOUNG: Final = 5
"""Seconds for which nothing replaces a new access token, whoever refuses it."""

MOST_PATIENCE: Final = 300
_FIRST_PATIENCE: Final = 5
_RESENDS: Final = 3


class Ask(NamedTuple):
    """What a caller asks for.

    Attributes:
        leeway: seconds before its expiry at which an access token is due.
        refused: an access token that a resource server refused, if one did.
    """

    leeway: int = 30
    refused: str | None = None


class Use(NamedTuple):
    """Hand these tokens out."""

    tokens: Tokens


class Claim(NamedTuple):
    """Write this, then prepare the exchange."""

    new: GrantRecord


class Wait(NamedTuple):
    """Somebody else is at it: read again after a moment."""


class Verify(NamedTuple):
    """Verify this new ID token; no exchange is needed."""

    id_token: str


class Doubted(NamedTuple):
    """Write this: an exchange was abandoned, and nobody knows whether its token was taken."""

    new: GrantRecord


class Withhold(NamedTuple):
    """There is no token now: this is why, and after how many seconds asking again can help."""

    failure: Failure
    seconds: int | None


class LogIn(NamedTuple):
    """Only a new login helps: the grant is unknown, refused or ended."""

    reason: Literal["unknown", "refused", "ended"]


Call: TypeAlias = Use | Claim | Wait | Verify | Doubted | Withhold | LogIn

IN_DOUBT: Final = Failure("refresh_in_doubt", "stale", "restart")
TOKEN_REFUSED: Final = Failure("token_refused", "later", "later")


def decide_call(
    record: GrantRecord | None,
    ask: Ask,
    fresh: Fresh,
    *,
    now: int,
    watched: int = 0,
    resend: ResendInDoubt = "once",
) -> Call:
    """Decide what a caller does that wants an access token.

    Args:
        record: what was read, ``None`` if there is nothing.
        ask: what the caller asks for.
        fresh: random values for a write.
        now: the store's time at the read.
        watched: for how many seconds this caller has seen this very version.
        resend: whether a refresh token in doubt may be sent again.
    """
    if record is None:
        return LogIn("unknown")
    if record.state == "refused":
        return LogIn("refused")
    if record.state == "ended":
        return LogIn("ended")
    if record.state == "unverified":
        return Verify(record.unverified or "")
    if not _wanted(record, ask, now):
        return Use(record.tokens)
    if record.state == "current":
        return _from_current(record, ask, fresh, now)
    # Another exchange is under way or in doubt: who still has a usable token takes that.
    if is_usable(record, ask, now):
        return Use(record.tokens)
    return _beside(record, fresh, now, watched, resend)


def _beside(
    record: GrantRecord, fresh: Fresh, now: int, watched: int, resend: ResendInDoubt
) -> Call:
    """Wait for the exchange of another caller, or take its place once it is over."""
    abandoned = watched >= SEND_GUARD or now - record.changed_at >= ABANDONED
    if record.state == "claimed":
        return _claimed(record, fresh, now) if watched >= CLAIM_GUARD else Wait()
    if record.state == "sending":
        if not abandoned:
            return Wait()
        return Doubted(written(record, fresh, now, state="doubt", attempt="", guarded=True))
    if record.sends > _resends(record, resend):
        return Withhold(record.last_failure or IN_DOUBT, None)
    if not (record.guarded or abandoned):
        return Wait()
    return _claimed(record, fresh, now)


def is_usable(record: GrantRecord, ask: Ask, now: int) -> bool:
    """Return whether the access token may be handed out: neither expired nor refused."""
    remaining = record.remaining(now)
    expired = remaining is not None and remaining <= 0
    return record.usable and not expired and record.tokens.access_token != ask.refused


def _wanted(record: GrantRecord, ask: Ask, now: int) -> bool:
    """Return whether a new access token is wanted: this one is due, missing or refused.

    A caller that names an older token than the stored one gets the stored one.
    """
    remaining = record.remaining(now)
    due = remaining is not None and remaining <= ask.leeway
    return due or not is_usable(record, ask, now)


def _from_current(record: GrantRecord, ask: Ask, fresh: Fresh, now: int) -> Call:
    """Begin an exchange, unless one failed or brought this very token a moment ago."""
    left = _patience(record, now)
    if left <= 0:
        return _claimed(record, fresh, now)
    if is_usable(record, ask, now):
        return Use(record.tokens)
    return Withhold(record.last_failure or TOKEN_REFUSED, left)


def _patience(record: GrantRecord, now: int) -> int:
    """Return for how many seconds no exchange starts: no server is asked without end."""
    young = record.stored_at + YOUNG - now if record.usable else 0
    if not record.misses:
        return young
    wait = min(MOST_PATIENCE, _FIRST_PATIENCE << min(record.misses, 6))
    return max(young, record.changed_at + wait - now)


def _resends(record: GrantRecord, resend: ResendInDoubt) -> int:
    if resend == "never":
        return 0
    return _RESENDS if resend == "reusable" or record.rotates is False else 1


def _claimed(record: GrantRecord, fresh: Fresh, now: int) -> Claim:
    return Claim(written(record, fresh, now, state="claimed", attempt=fresh.attempt))
