"""Providers' key sets in the memory of each process, with a store behind that they all share."""

from functools import partial
from typing import Final

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.stores.answers_in_records import WAIT, SharedAnswers, name_of
from oidc_adapters.stores.kept_answer import Kept
from oidc_adapters.stores.provider_keys import (
    EMPTY,
    Landed,
    MemoryProviderKeys,
    Send,
    SendAsync,
)
from oidc_adapters.stores.records.both import at_once
from oidc_adapters.stores.records.callers import Side
from oidc_adapters.stores.records.ports import AsyncRecords, Records
from oidc_core.machine.key_fetching import STALE_IF_ERROR, Fetch, KeyRecord, decide, fetched
from oidc_core.machine.steps import KeysAnswer, KeysFound, KeysWithheld
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import AnswerTo, HttpRequest, HttpResponse, KeysWanted

_KEYS: Final = "provider keys"


class RecordProviderKeys(MemoryProviderKeys):
    """Key sets in the memory of this process, and in a store that other processes share.

    Where memory has no set that is new enough, the store is read, and only then the provider is
    asked; of several processes at the same moment, one asks and the others wait up to 2 seconds
    for its answer.  A set from the store is judged as if it had just come, with the time at which
    it was fetched.  One that is wanted because another lacked a key has to have that key.

    How often a provider may be asked is counted in each process: strangers who name unknown keys
    cause as many fetches as for :class:`~oidc_adapters.stores.provider_keys.MemoryProviderKeys`,
    times the number of processes.

    No login waits for a store that is away, longer than its driver does: memory and provider
    answer without it, and :attr:`failure` tells.  Give the driver a timeout of a few seconds.
    Who can write the store can put a set back that the provider published before, within a day
    after it was due; they can add no key.

    Give it to clients only whose transports trust the same certificate authorities.

    Args:
        records: the store; one that waits serves waiting and awaiting clients, one that is awaited
            serves awaiting clients.
        secrets: the sealing secrets, newest first; the same in all processes.
        cap: how many sets are kept in memory.

    Raises:
        UsageError: ``config_invalid``.
    """

    __slots__ = ("_answers", "_looked")

    def __init__(
        self, records: Records | AsyncRecords, *secrets: bytes | str, cap: int = 1_024
    ) -> None:
        super().__init__(cap=cap)
        self._answers = SharedAnswers(records, secrets, _KEYS)
        self._looked: dict[tuple[object, ...], int] = {}

    @property
    def failure(self) -> OidcError | None:
        """The failure of the store in its newest use; ``None`` if that went well."""
        return self._answers.failure

    def _withheld(self, wanted: KeysWanted, now: int) -> KeysAnswer | None:
        """Answer; but look into the store, once a second, before a key set is withheld."""
        answer = super()._withheld(wanted, now)
        if not isinstance(answer, KeysWithheld) or self._looked.get(wanted.kept_under) == now:
            return answer
        if len(self._looked) >= self._cap:
            self._looked.clear()
        self._looked[wanted.kept_under] = now
        return None

    def _patience(self, wanted: KeysWanted) -> int:
        return super()._patience(wanted) + WAIT

    def _fetch(self, wanted: KeysWanted, send: Send, clock: Clock) -> Landed:
        async def sending(request: HttpRequest) -> AnswerTo:
            return send(request)

        return at_once(self._shared(self._answers.waiting, wanted, sending, clock))

    async def _fetch_async(self, wanted: KeysWanted, send: SendAsync, clock: Clock) -> Landed:
        return await self._shared(self._answers.awaiting, wanted, send, clock)

    async def _shared(
        self, side: Side, wanted: KeysWanted, send: SendAsync, clock: Clock
    ) -> Landed:
        """Take a set out of the store, or fetch it and keep it there."""
        landed: list[Landed] = []
        fetch = super()._fetch_async
        may_fetch = isinstance(decide(self._record(wanted), wanted, clock.now()), Fetch)
        name = name_of("keys", wanted.kept_under)
        take = partial(self._taken, wanted, clock, may_fetch=may_fetch)

        async def ask() -> HttpResponse | None:
            received: list[AnswerTo] = []

            async def sending(request: HttpRequest) -> AnswerTo:
                received.append(await send(request))
                return received[0]

            landed.append(await fetch(wanted, sending, clock))
            answer = received[0].answer if landed[0].renewed else None
            return answer if isinstance(answer, HttpResponse) else None

        if may_fetch:
            life = wanted.max_age + STALE_IF_ERROR
            await self._answers.through(side, name, take, ask, clock=clock, life=life)
        else:
            await self._answers.look(side, name, take, clock)
        found = None if landed else self._kept(wanted, clock.now())
        if found is not None:
            return Landed(wanted, found, None)
        if not landed:
            await ask()
        return landed[0]

    def _taken(self, wanted: KeysWanted, clock: Clock, kept: Kept, *, may_fetch: bool) -> bool:
        """Take a set that some process fetched into memory; return whether it is enough."""
        now, before = clock.now(), self._record(wanted)
        record = _renewed(before, wanted, kept, now)
        # Of a key without a name only a fetch tells whether the provider has it by now.
        unnamed = wanted.newer_than is not None and wanted.missing_kid is None
        if record is None or (may_fetch and unnamed):
            return False
        with self._process.lock:
            known = self._records.get(wanted.kept_under)
            if (known or EMPTY) is not before:
                return False
            if known is None:
                self._make_room(now)
            self._write(wanted, record)
        return isinstance(decide(record, wanted, now), KeysFound)


def _renewed(before: KeyRecord, wanted: KeysWanted, kept: Kept, now: int) -> KeyRecord | None:
    """Return a record with a set from the store, if it is newer and has what is missing."""
    fetched_at = now - kept.age
    if before.key_set is not None and fetched_at <= before.fetched_at:
        return None
    record, answer = fetched(before, wanted, kept.response, fetched_at)
    if not isinstance(answer, KeysFound) or record.fault is not None:
        return None
    kid = wanted.missing_kid
    return None if kid is not None and not answer.key_set.has(kid) else record
