"""Decisions for the callers of one grant: pure functions of one record, which a store applies.

A provider checks no fencing number, so a lease cannot prevent a second send.  Two things take its
place.  An exchange is recorded as *sending* before its first octet leaves: from then on its refresh
token counts as spent until the outcome is known.  And a pair that came is judged by the generation
it came from, never by who owns the claim: it may be the only live one.

Each decision takes the record that was read, and returns the record to write or what to do without
a write.  The writer replaces a record only if it still has the version that was read; after a lost
race it reads again and asks again.
"""

from typing import Final, Literal, NamedTuple, TypeAlias

from attrs import evolve

from oidc_core.machine.grant_writes import Fresh, written
from oidc_core.model.grants import Access, Failure, GrantRecord, Target, elapsed
from oidc_core.model.records import Tokens
from oidc_core.model.resends import Grace, ResendInDoubt

CLAIM_GUARD: Final = 5
"""Seconds that a caller watches a claim before it takes the claim over."""

SEND_GUARD: Final = 30
"""Seconds that a caller watches an exchange before its outcome counts as unknown: the deadline of
the exchange, the patience of its holder with the store, and a margin of ten seconds."""

ABANDONED: Final = 600
"""Seconds by the store's clock after which an exchange is abandoned, for processes that live too
short to watch one."""

YOUNG: Final = 5
"""Seconds for which nothing replaces a new access token, even if a server refuses it."""

MOST_PATIENCE: Final = 300
_FIRST_PATIENCE: Final = 5
_RESENDS: Final = 3


class Guards(NamedTuple):
    """For how many seconds a caller watches a claim, and an exchange, before it acts."""

    claim: int = CLAIM_GUARD
    send: int = SEND_GUARD


class Ask(NamedTuple):
    """The wishes of a caller.

    Attributes:
        leeway: seconds before its expiry at which an access token is due.
        refused: an access token that a resource server refused, or ``None``.
        target: the target of the access token; by default that of the login.
    """

    leeway: int = 30
    refused: str | None = None
    target: Target = Target()

    def __repr__(self) -> str:
        refused = None if self.refused is None else "…"
        return f"Ask(leeway={self.leeway}, refused={refused}, target={self.target!r})"


class Use(NamedTuple):
    """Hand these tokens out; ``remaining``: for how many seconds, if that is known."""

    tokens: Tokens
    remaining: int | None


class Claim(NamedTuple):
    """Write this, then prepare the exchange."""

    new: GrantRecord


class Wait(NamedTuple):
    """Somebody else is at it: read again after a moment."""


class Verify(NamedTuple):
    """Verify the new ID token of this record; no exchange is needed."""

    record: GrantRecord


class Doubted(NamedTuple):
    """Write this: an exchange was abandoned, and nobody knows whether its token was taken."""

    new: GrantRecord


class Withhold(NamedTuple):
    """There is no token now: this is why, and after how many seconds asking again can help."""

    failure: Failure
    seconds: int | None


LogInReason: TypeAlias = Literal["unknown", "refused", "ended", "expired"]


class LogIn(NamedTuple):
    """Only a new login helps: the grant is unknown, refused or ended.

    ``expired``: the access token is no longer usable, and there is no refresh token.
    """

    reason: LogInReason
    failure: Failure | None = None


Call: TypeAlias = Use | Claim | Wait | Verify | Doubted | Withhold | LogIn

IN_DOUBT: Final = Failure("refresh_in_doubt", "stale", "restart")
TOKEN_REFUSED: Final = Failure("token_refused", "later", "later")
BUSY: Final = Failure("refresh_busy", "later", "later")
GUARDS: Final = Guards()


def decide_call(
    record: GrantRecord | None,
    ask: Ask,
    fresh: Fresh,
    *,
    now: int,
    watched: float = 0,
    resend: ResendInDoubt = "once",
    guards: Guards = GUARDS,
) -> Call:
    """Decide what a caller does that wants an access token.

    Args:
        record: what was read, ``None`` if there is nothing.
        ask: the wishes of the caller.
        fresh: random values for a write.
        now: the store's time at the read.
        watched: for how many seconds this caller has seen this version of the record.
        resend: whether a refresh token in doubt may be sent again.
        guards: for how long others are watched.
    """
    if record is None:
        return LogIn("unknown")
    if record.state == "refused":
        return LogIn("refused", record.last_failure)
    if record.state == "ended":
        return LogIn("ended", record.last_failure)
    access = record.access_for(ask.target)
    usable = access if access is not None and _is_usable(access, ask, now) else None
    if usable is not None and not _is_due(usable, ask, now):
        return _use(record, usable, now)
    if record.state == "unverified":
        return Verify(record)
    look = _Look(fresh, now, watched, resend, guards)
    return _without_a_fresh_one(record, access, usable, ask, look)


class _Look(NamedTuple):
    """One look at a record: arguments of :func:`decide_call`."""

    fresh: Fresh
    now: int
    watched: float
    resend: ResendInDoubt
    guards: Guards


def _without_a_fresh_one(
    record: GrantRecord, access: Access | None, usable: Access | None, ask: Ask, look: _Look
) -> Call:
    """Decide where the access token is due, refused or not there."""
    wait = _patience(record, access, look) if record.state == "current" else 0
    renewable = record.tokens.refresh_token is not None
    # Another caller makes an exchange, or one is in doubt or ended a moment ago: a caller with a
    # usable token takes that.
    if usable is not None and (wait > 0 or record.state != "current" or not renewable):
        return _use(record, usable, look.now)
    if not renewable:
        return LogIn("expired")
    if wait > 0:
        return Withhold(record.last_failure or _reason(access, ask), wait)
    return _claimed(record, look) if record.state == "current" else _beside(record, look)


def _use(record: GrantRecord, access: Access, now: int) -> Use:
    tokens = evolve(
        record.tokens,
        access_token=access.token,
        scope=access.scope,
        resource=access.target.resource or record.tokens.resource,
        expires_at=access.expires_at,
    )
    return Use(tokens, access.remaining(now))


def _is_usable(access: Access, ask: Ask, now: int) -> bool:
    """Return whether an access token may be handed out: neither expired nor refused."""
    remaining = access.remaining(now)
    return (remaining is None or remaining > 0) and access.token != ask.refused


def _is_due(access: Access, ask: Ask, now: int) -> bool:
    remaining = access.remaining(now)
    return remaining is not None and remaining <= ask.leeway


def _reason(access: Access | None, ask: Ask) -> Failure:
    """Return why a caller waits where nothing has failed."""
    return BUSY if access is None or access.token != ask.refused else TOKEN_REFUSED


def _patience(record: GrantRecord, access: Access | None, look: _Look) -> int:
    """Return for how many seconds no exchange starts: no server is asked without end."""
    now, guard = look.now, look.guards.send
    young = 0 if access is None else YOUNG - elapsed(access.stored_at, now)
    held = guard - elapsed(record.held_until - guard, now)
    return max(young, held, _after_failure(record, now))


def _after_failure(record: GrantRecord, now: int) -> int:
    """Return for how many seconds no exchange starts because the last ones failed."""
    if not record.misses:
        return 0
    return _back_off(record.misses) - elapsed(record.changed_at, now)


def _back_off(failures: int) -> int:
    return min(MOST_PATIENCE, _FIRST_PATIENCE << min(failures, 6))


def _beside(record: GrantRecord, look: _Look) -> Call:
    """Wait for the exchange of another caller, or take its place once its guard has passed."""
    # A time of the future counts as now here: a store that was restored abandons nobody.
    old = look.now - record.changed_at >= ABANDONED
    if record.state == "claimed":
        return _claimed(record, look) if old or look.watched >= look.guards.claim else Wait()
    abandoned = old or look.watched >= look.guards.send
    if record.state == "doubt":
        return _in_doubt(record, look, abandoned=abandoned)
    if not abandoned:
        return Wait()
    fresh, now = look.fresh, look.now
    return Doubted(written(record, fresh, now, state="doubt", guarded=True, last_failure=IN_DOUBT))


def _in_doubt(record: GrantRecord, look: _Look, *, abandoned: bool) -> Call:
    """Send a refresh token again if the rule allows it, once every request has arrived."""
    in_grace = record.sends <= _RESENDS and _in_grace(record, look)
    if not in_grace and record.sends > _resends(record, look.resend):
        return Withhold(IN_DOUBT, None)
    wait = _after_failure(record, look.now)
    if wait > 0:
        return Withhold(record.last_failure or IN_DOUBT, wait)
    age = elapsed(record.changed_at, look.now)
    backed_off = look.resend == "reusable" and age >= _back_off(record.sends)
    again = in_grace or backed_off or record.guarded or abandoned
    return _claimed(record, look) if again else Wait()


def _in_grace(record: GrantRecord, look: _Look) -> bool:
    """Return whether the provider takes the refresh token again, as it has promised.

    It must also take the last request, even if that arrives late: a request that arrives after the
    grace could end the pair that another request brings.
    """
    grace, first = look.resend, record.first_sent_at
    if not isinstance(grace, Grace):
        return False
    arrives = elapsed(first, record.last_sent_at) + look.guards.send
    return arrives <= grace.seconds and elapsed(first, look.now) < grace.seconds


def _resends(record: GrantRecord, resend: ResendInDoubt) -> int:
    if resend == "never":
        return 0
    return _RESENDS if resend == "reusable" or record.rotates is False else 1


def _claimed(record: GrantRecord, look: _Look) -> Claim:
    fresh = look.fresh
    return Claim(written(record, fresh, look.now, state="claimed", attempt=fresh.attempt))
