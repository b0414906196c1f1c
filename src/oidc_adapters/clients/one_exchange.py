"""One exchange of a refresh token, from its claim to its outcome in the store.

Once its request may have left, nothing breaks it off but the end of the process: the answer may
bring the only live refresh token, and is stored even if the store comes back an hour later.
"""

from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final

from attrs import evolve

from oidc_adapters.clients.doors import Doors, Operation
from oidc_adapters.runtime.boot_clock import uptime
from oidc_adapters.runtime.events import RefreshRefused, TokensRefreshed
from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.stores.grants import Key
from oidc_core.machine.grant_answers import (
    ClaimLost,
    RevokePair,
    Sent,
    Store,
    Swap,
    decide_answer,
    decide_send,
)
from oidc_core.machine.grant_outcomes import Outcome, Pair, Unsent
from oidc_core.machine.grant_writes import Fresh
from oidc_core.machine.steps import Step
from oidc_core.model.grants import GrantRecord, Target
from oidc_core.operations import grants, revocation
from oidc_core.operations.refresh import TokensRenewed
from oidc_core.wire.errors import OidcError, TransportFailure

SEND_WITHIN: Final = 2.0
"""Seconds after its mark within which a request leaves, or not at all."""

_RETRY: Final = 0.5
"""Seconds after which a store that failed is asked again, or a record that another changed."""


class _InDoubt:
    """Says of every exception of an application's transport that nobody knows what was sent."""

    def __enter__(self) -> None:
        """Begin to send."""

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        fault: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if isinstance(fault, Exception) and not isinstance(fault, OidcError):
            raise TransportFailure("refresh_in_doubt", cause=type(fault).__name__) from fault


_IN_DOUBT: Final = _InDoubt()
_STORE: Final = FailsClosed("grants")


class OneExchange:
    """An exchange that this process has claimed.

    Args:
        doors: the client.
        of: the key of the grant.
        claimed: the record with the claim, as it was written.
        target: the scope and the resources of the access token.
        fresh: gives random values for a write.
        faults: gets the error of an exchange that failed.
    """

    __slots__ = ("_claimed", "_doors", "_faults", "_fresh", "_of", "_operation", "_target")

    def __init__(
        self,
        doors: Doors,
        of: Key,
        claimed: GrantRecord,
        target: Target,
        *,
        fresh: Callable[[], Fresh],
        faults: list[OidcError],
    ) -> None:
        self._doors = doors
        self._of = of
        self._claimed = claimed
        self._target = target
        self._fresh = fresh
        self._faults = faults
        self._operation: Operation | None = None

    async def make(self, operation: Operation, step: Step[TokensRenewed]) -> None:
        """Mark the exchange, send it, and store its outcome.

        Raises:
            OidcError: the request could not be sent, as where a setting is wrong or the store
                failed.
        """
        self._operation = operation
        sent = await self._marked()
        if sent is None:
            return
        outcome, unsent = await self._outcome(operation, step)
        await self._settle(sent, outcome)
        if unsent is not None:
            raise unsent

    async def _marked(self) -> Sent | None:
        """Write down that the request may leave; return ``None`` if it must not.

        The write itself is the last look: it fails if anybody else took the claim over.  The mark
        has its own time, since the process may have stopped after its claim: others would give an
        exchange up that seems old.
        """
        claimed, began, doors = self._claimed, uptime(), self._doors
        times = await doors.grants.times(doors.records)
        look = decide_send(claimed, claimed.attempt, self._fresh(), now=times.now)
        if isinstance(look, ClaimLost):
            return None
        new = look.new
        sent = Sent(new.attempt, new.generation, new.sends, self._target)
        try:
            written = await self._replace(claimed, new)
        except OidcError:  # nobody knows whether it was applied
            await self._settle(sent, Unsent())
            return None
        if written and uptime() - began > SEND_WITHIN:
            await self._settle(sent, Unsent())
            return None
        return sent if written else None

    async def _outcome(
        self, operation: Operation, step: Step[TokensRenewed]
    ) -> tuple[Outcome, OidcError | None]:
        """Send the request; return its outcome, and the error of one that never left."""
        try:
            with _IN_DOUBT:
                return grants.pair_of(await operation.run(step)), None
        except OidcError as error:
            self._doors.refused(RefreshRefused, error)
            self._faults.append(error)
            outcome = grants.outcome_of(error)
            return outcome, error if isinstance(outcome, Unsent) else None

    async def _revoke(self, pair: Pair) -> None:
        """Revoke a pair that came after the session had ended, where the provider can do so.

        If that fails, nobody has the pair all the same.
        """
        operation, access = self._operation, pair.access
        if operation is None or operation.rp.provider.revocation_endpoint is None:
            return
        tokens = evolve(
            self._claimed.tokens,
            refresh_token=pair.refresh_token,
            access_token="" if access is None else access.token,
        )
        for each in revocation.to_revoke(tokens):
            with suppress(Exception):
                await operation.run(revocation.revoke(operation.rp, tokens, each))

    async def _settle(self, sent: Sent, outcome: Outcome) -> None:
        """Store an outcome, however long the store needs, as long as the session lasts.

        A store may fail in any way: one in a folder refuses that once others can write to it.
        """
        began, doors = uptime(), self._doors
        while True:
            try:
                with _STORE:
                    if await self._stored(sent, outcome, began):
                        return
            except OidcError:
                if doors.clock.now() > self._claimed.until:
                    return
            await doors.pause(_RETRY)

    async def _stored(self, sent: Sent, outcome: Outcome, began: float) -> bool:
        """Decide about an outcome by the record as it is now; return whether that is settled."""
        record, (now, utc) = await self._doors.grants.read(self._doors.records, self._of)
        age = round(uptime() - began)
        decision = decide_answer(
            record,
            sent,
            outcome.aged(age) if isinstance(outcome, Pair) else outcome,
            self._fresh(),
            now=now,
            utc=utc - age,
            send_guard=self._doors.grants.guards.send,
        )
        if isinstance(decision, RevokePair) and isinstance(outcome, Pair):
            await self._revoke(outcome)
        if record is None or not isinstance(decision, Store | Swap):
            return True
        if not await self._replace(record, decision.new):
            return False
        if isinstance(decision, Store) and decision.new.state == "current":
            self._doors.tell(TokensRefreshed)
        return True

    async def _replace(self, before: GrantRecord, new: GrantRecord) -> bool:
        doors = self._doors
        return await doors.grants.replace(doors.records, self._of, before.version, new)
