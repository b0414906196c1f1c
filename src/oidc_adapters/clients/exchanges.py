"""How a caller comes to a usable access token: the decisions of the core, carried out.

Written once, as coroutines; code that waits runs them to their end at once.  The core decides
(:mod:`oidc_core.machine.grants`); here is the loop that reads, writes and sends for it, and the
watch over the exchanges of others.
"""

from collections.abc import Callable
from functools import partial
from math import inf
from os import urandom
from typing import Final, NamedTuple

from attrs import define, field

from oidc_adapters.clients.doors import Doors, Operation
from oidc_adapters.clients.one_exchange import OneExchange
from oidc_adapters.runtime.boot_clock import uptime
from oidc_adapters.runtime.events import RefreshRefused, TokensRefreshed
from oidc_adapters.stores.grants import Held, Key
from oidc_core.machine.grant_answers import Swap
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
    Ask,
    Call,
    Claim,
    Doubted,
    LogIn,
    Use,
    Verify,
    Wait,
    Withhold,
    decide_call,
)
from oidc_core.model.grants import GrantRecord, Unverified
from oidc_core.model.records import Tokens
from oidc_core.operations import grants
from oidc_core.wire.errors import OidcError, StoreFailure
from oidc_core.wire.http import DEADLINE

_STORE_PATIENCE: Final = 10.0
"""Seconds for which a caller waits for its own exchange to be stored, beyond its deadline."""

_LEAST_PAUSE: Final = 0.025
_MOST_PAUSE: Final = 0.25
_MOST_WATCHED: Final = 1.0
_MOST_WATCHES: Final = 10_000
_MOST_EXCHANGES: Final = 4
"""Exchanges of one call: within a grace a refresh token is sent three times more.  A store whose
clock runs backwards would have a caller make them without end."""

_ID: Final = 22
"""Characters of the name of a grant: more than 128 random bits."""

_VERSION: Final = 16
"""Characters of a version, and of the name of an exchange: 96 random bits."""


class Copy(NamedTuple):
    """Tokens in the memory of this process.

    Attributes:
        tokens: what is handed out.
        trusted_until: until when nobody has to look at the store, by :func:`uptime`.
        expires: when the access token expires, by the same clock.
    """

    tokens: Tokens
    trusted_until: float
    expires: float

    def serves(self, leeway: int) -> bool:
        """Return whether it is trusted, and its access token valid for so many seconds more."""
        now = uptime()
        return now < self.trusted_until and 0 <= leeway < self.expires - now


class Watch:
    """For how long the callers of this process have seen a record unchanged.

    Only time counts in which the store answered: between two looks at most a second.
    """

    __slots__ = ("_looked", "_seen", "_version")

    def __init__(self) -> None:
        self._version = ""
        self._seen = 0.0
        self._looked = 0.0

    def look(self, version: str, now: float) -> float:
        """Note a look at the record, and return for how many seconds it has been the same."""
        if version == self._version:
            self._seen += min(max(0.0, now - self._looked), _MOST_WATCHED)
        else:
            self._version, self._seen = version, 0.0
        self._looked = now
        return self._seen


@define
class _SoFar:
    """What one call has done: how many exchanges, and the errors of those that failed."""

    exchanges: int = 0
    faults: list[OidcError] = field(factory=list[OidcError])


class Exchanges:
    """Everything that one process does with the grants of one client."""

    __slots__ = ("_doors", "_watches")

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._watches: dict[str, Watch] = {}

    async def keep(
        self, key_of: Callable[[str], Key], tokens: Tokens, ends_at: int | None = None
    ) -> str:
        """Write the first record of a grant, under a name that nobody can guess; return the name.

        Args:
            key_of: returns the key of a name.
            tokens: of the login.
            ends_at: when the provider says that the session ends, in seconds since the epoch.

        Raises:
            StoreFailure: ``store_unavailable``.
        """
        doors = self._doors
        grant_id = doors.entropy.token()[:_ID]
        now, utc = await doors.grants.times(doors.records)
        here, until = doors.clock.now(), utc + doors.grants.lifetime
        until = until if ends_at is None else min(until, ends_at)
        record = grants.first_record(tokens, self._fresh(), now=now, utc=here, until=until)
        if not await doors.grants.create(doors.records, key_of(grant_id), record):
            raise StoreFailure("store_unavailable", about="grants", cause="duplicate_id")
        return grant_id

    async def fresh(self, of: Key, ask: Ask) -> Copy:
        """Return a usable access token, by an exchange if one is needed.

        After its time a caller takes no step a second time, so that it ends even if a store fails
        again and again.

        Raises:
            OidcError: why there is no copy.
        """
        doors, so_far, taken = self._doors, _SoFar(), set[type[Call]]()
        end = uptime() + doors.grants.patience
        while True:
            looked = uptime()
            held = await doors.grants.read(doors.records, of)
            answer = self._decided(of, held, ask, looked)
            if isinstance(answer, Use):
                return _copied(answer, looked, doors.grants.trusted)
            if isinstance(answer, Withhold | LogIn):
                raise _explained(grants.error_of(answer), so_far.faults)
            late = looked >= end and (isinstance(answer, Wait) or type(answer) in taken)
            if late or (isinstance(answer, Claim) and so_far.exchanges >= _MOST_EXCHANGES):
                raise StoreFailure("refresh_busy")
            taken.add(type(answer))
            try:
                if isinstance(answer, Wait) or not await self._step(of, held, answer, ask, so_far):
                    await doors.pause(_jitter())
            except OidcError as error:
                return self._still_good(of, held, ask, looked, error)

    def _still_good(self, of: Key, held: Held, ask: Ask, looked: float, error: OidcError) -> Copy:
        """Return an access token that could not be renewed now, as long as it is valid.

        Raises:
            OidcError: there is none, or the error does not pass by itself.
        """
        answer = self._decided(of, held, ask._replace(leeway=0), looked)
        if isinstance(answer, Use) and error.retryable == "later":
            copy = _copied(answer, looked, self._doors.grants.trusted)
            if uptime() < copy.expires:
                return copy
        raise error

    async def end(self, of: Key) -> GrantRecord | None:
        """End a grant finally; return the record that it had, or ``None`` without a record.

        Raises:
            StoreFailure: ``store_unavailable``; ``refresh_busy`` if others change the record for
                longer than this caller waits.
        """
        doors, until = self._doors, uptime() + self._doors.grants.patience
        while True:
            held = await doors.grants.read(doors.records, of)
            decision = decide_end(held.record, self._fresh(), now=held.times.now)
            if not isinstance(decision, Swap) or await self._ended(of, held, decision.new):
                return held.record
            if uptime() >= until:
                raise StoreFailure("refresh_busy")
            await doors.pause(_jitter())

    async def _ended(self, of: Key, held: Held, tombstone: GrantRecord) -> bool:
        """Write a tombstone; if its outcome is unknown, look whether it is there.

        The caller needs the tokens that it replaced, and nobody else has them.
        """
        try:
            return await self._replace(of, held, tombstone)
        except OidcError:
            found = (await self._doors.grants.read(self._doors.records, of)).record
            if found is None or found.version != tombstone.version:
                raise
            return True

    def _decided(self, of: Key, held: Held, ask: Ask, looked: float) -> Call:
        record, times = held
        if record is not None and times.utc >= record.until:
            return LogIn("ended")
        watched = 0.0 if record is None else self._watched(of, record, looked)
        return decide_call(
            record,
            ask,
            self._fresh(),
            now=times.now,
            watched=watched,
            resend=self._doors.rp.policy.resend_in_doubt,
            guards=self._doors.grants.guards,
        )

    def _watched(self, of: Key, record: GrantRecord, looked: float) -> float:
        """Return for how long the callers of this process have seen an exchange as it is.

        Callers that do not wait for it look, too: they must not end the watch of callers that wait.
        """
        if record.state not in {"claimed", "sending", "doubt"}:
            self._watches.pop(of.name, None)
            return 0.0
        if len(self._watches) >= _MOST_WATCHES:
            self._watches.clear()
        return self._watches.setdefault(of.name, Watch()).look(record.version, looked)

    async def _step(
        self,
        of: Key,
        held: Held,
        decided: Claim | Verify | Doubted,
        ask: Ask,
        so_far: _SoFar,
    ) -> bool:
        """Take the step that was decided; return whether the record is another one now."""
        if isinstance(decided, Verify):
            return await self._verify(of, decided.record, so_far)
        if isinstance(decided, Claim):
            return await self._exchange(of, held, decided.new, ask, so_far)
        return await self._replace(of, held, decided.new)

    async def _replace(self, of: Key, held: Held, new: GrantRecord) -> bool:
        expected = "" if held.record is None else held.record.version
        return await self._doors.grants.replace(self._doors.records, of, expected, new)

    async def _exchange(
        self, of: Key, held: Held, claimed: GrantRecord, ask: Ask, so_far: _SoFar
    ) -> bool:
        """Claim the exchange, and make it; the caller waits for its own no longer than it may take.

        It returns whether the claim was written.

        Raises:
            OidcError: the client sent nothing, because a setting is wrong or the store failed.
        """
        doors = self._doors
        operation = await doors.ready()
        step = grants.exchange(operation.rp, claimed, ask.target)
        if not await self._replace(of, held, claimed):
            return False
        so_far.exchanges += 1
        exchange = OneExchange(
            doors, of, claimed, ask.target, fresh=self._fresh, faults=so_far.faults
        )
        work = partial(exchange.make, operation, step)
        await doors.detached(work, DEADLINE + _STORE_PATIENCE)
        return True

    async def _verify(self, of: Key, record: GrantRecord, so_far: _SoFar) -> bool:
        """Verify the new ID token of a record, which any caller may do; return whether it counts.

        Raises:
            OidcError: it cannot be verified now, as where keys are missing.
        """
        doors, waits = self._doors, record.unverified
        if waits is None:
            return False
        operation = await doors.ready()
        verdict: Refreshed | Mismatch | Unusable
        try:
            await _judged(operation, record, waits)
            verdict = Refreshed()
        except OidcError as error:
            doors.refused(RefreshRefused, error)
            found = grants.verdict_of(error)
            if found is None:
                raise
            so_far.faults.append(error)
            verdict = found
        times = await doors.grants.times(doors.records)
        decision = decide_verified(record, Origin.of(record), verdict, self._fresh(), now=times.now)
        if not isinstance(decision, Swap):
            return False
        written = await self._replace(of, Held(record, times), decision.new)
        if written and isinstance(verdict, Refreshed):
            doors.tell(TokensRefreshed)
        return written

    def _fresh(self) -> Fresh:
        drawn = self._doors.entropy.token()
        return Fresh(drawn[:_VERSION], drawn[_VERSION : 2 * _VERSION])


def _copied(use: Use, looked: float, trusted: float) -> Copy:
    lasts = inf if use.remaining is None else use.remaining
    return Copy(use.tokens, looked + trusted, looked + lasts)


async def _judged(operation: Operation, record: GrantRecord, waits: Unverified) -> None:
    """Verify a new ID token at the time of its receipt, by either clock of the store.

    Somebody may have set the wall clock of the machine that received it.  No session ends for that,
    as the store has another clock, which nobody sets.

    Raises:
        OidcError: it is refused, or cannot be verified now.
    """
    try:
        await operation.run(grants.verification(operation.rp, record, waits))
    except OidcError as error:
        if not grants.hangs_on_the_clock(error):
            raise
        waits = waits._replace(received_at=record.changed_at)
        try:
            await operation.run(grants.verification(operation.rp, record, waits))
        except OidcError:
            raise error from None


def _explained(error: OidcError, faults: list[OidcError]) -> OidcError:
    """Return why there is no token, with every detail if this caller's own exchange failed."""
    if not faults or faults[-1].code != error.code:
        return error
    own = faults[-1]
    own.kind, own.retryable, own.retry_after = error.kind, error.retryable, error.retry_after
    return own


def _jitter() -> float:
    return _LEAST_PAUSE + urandom(1)[0] / 255 * (_MOST_PAUSE - _LEAST_PAUSE)
