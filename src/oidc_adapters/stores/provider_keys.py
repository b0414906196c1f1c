"""Where providers' key sets are kept: in memory, under the core's refresh policy, or fixed.

The store decides nothing.  It asks :func:`oidc_core.machine.key_fetching.decide`, has a set fetched
once for all who want it meanwhile, and writes down what the policy says.  A fetch belongs to none
of its callers (:mod:`oidc_adapters.runtime.single_flight`): it goes on when they are cancelled, so
the fetch that they took out of the budget still brings the keys.
"""

from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError
from functools import partial
from typing import Final, NamedTuple, Protocol, TypeAlias

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.runtime.single_flight import SingleFlight
from oidc_core.jose.key_set import KeySet
from oidc_core.machine.key_fetching import (
    Fetch,
    KeyRecord,
    broken_off,
    decide,
    failed,
    fetched,
    forgettable,
    not_fetched,
)
from oidc_core.machine.steps import KeysAnswer, KeysFound
from oidc_core.wire.errors import StoreFailure
from oidc_core.wire.http import Answer, AnswerTo, HttpRequest, KeysWanted, NoAnswer
from oidc_core.wire.settings import as_count, check_kind

Send: TypeAlias = Callable[[HttpRequest], AnswerTo]
SendAsync: TypeAlias = Callable[[HttpRequest], Awaitable[AnswerTo]]

_Source: TypeAlias = tuple[object, ...]

EMPTY: Final = KeyRecord()
"""The record of keys that were never fetched."""

_PATIENCE: Final = 1
"""Seconds that are waited for a fetch beyond its own deadline, for its answer to be read."""


class Landed(NamedTuple):
    """The result of a fetch.

    Attributes:
        wanted: for whom.
        answer: for that caller, or the exception of its sender.
        renewed: whether there is a new set; ``None`` if that caller might not fetch at all, or its
            sender raised: the next caller has another sender.
    """

    wanted: KeysWanted
    answer: KeysAnswer | Exception
    renewed: bool | None


class ProviderKeys(Protocol):
    """Gives the key sets of providers."""

    def find(self, wanted: KeysWanted, send: Send, clock: Clock, /) -> KeysAnswer:
        """Return the key set of an issuer; ``send`` fetches it if it is not here."""
        ...

    async def find_async(self, wanted: KeysWanted, send: SendAsync, clock: Clock, /) -> KeysAnswer:
        """Return the key set of an issuer; ``send`` fetches it if it is not here."""
        ...


class MemoryProviderKeys:
    """Key sets in the memory of this process, for any number of issuers.

    Clients that share one share their key sets: give it to clients only whose transports trust the
    same certificate authorities.

    Args:
        cap: how many sets are kept.  Beyond it the one that was fetched longest ago is forgotten,
            which costs another fetch; while that would undo what holds fetches back, a further
            provider is refused.
    """

    __slots__ = ("_cap", "_flights", "_process", "_records")

    def __init__(self, *, cap: int = 1_024) -> None:
        self._records: dict[_Source, KeyRecord] = {}
        self._cap = as_count(cap, "cap")
        self._flights = SingleFlight[Landed]()
        self._process = ProcessLock()

    def find(self, wanted: KeysWanted, send: Send, clock: Clock, /) -> KeysAnswer:
        """Return the key set of an issuer; one caller fetches, the others wait for it.

        Raises:
            StoreFailure: ``store_full``.
        """
        while True:
            answer = self._kept(wanted, clock.now()) or self._withheld(wanted, clock.now())
            if answer is not None:
                return answer
            work, seconds = partial(self._fetch, wanted, send, clock), self._patience(wanted)
            try:
                landed = self._flights.run(wanted.kept_under, work, seconds=seconds)
            except (TimeoutError, CancelledError):
                return self._left_behind(wanted, clock.now(), renewed=False)
            answer = self._of_flight(landed, wanted, clock)
            if answer is not None:
                return answer

    async def find_async(self, wanted: KeysWanted, send: SendAsync, clock: Clock, /) -> KeysAnswer:
        """Return the key set of an issuer, like :meth:`find`, from a fetch of any loop."""
        while True:
            answer = self._kept(wanted, clock.now()) or self._withheld(wanted, clock.now())
            if answer is not None:
                return answer
            work, seconds = partial(self._fetch_async, wanted, send, clock), self._patience(wanted)
            try:
                landed = await self._flights.run_async(wanted.kept_under, work, seconds=seconds)
            except (TimeoutError, CancelledError):
                return self._left_behind(wanted, clock.now(), renewed=False)
            answer = self._of_flight(landed, wanted, clock)
            if answer is not None:
                return answer

    def _kept(self, wanted: KeysWanted, now: int) -> KeysFound | None:
        """Answer from memory, which is enough for most callers."""
        decision = decide(self._record(wanted), wanted, now)
        return decision if isinstance(decision, KeysFound) else None

    def _withheld(self, wanted: KeysWanted, now: int) -> KeysAnswer | None:
        """Answer, or say that there is a fetch to make or to wait for.

        Callers who might not begin their own fetch also wait for a running one.
        """
        if wanted.kept_under in self._flights:
            return None
        # after the flights: one that just ended has written its record
        decision = decide(self._record(wanted), wanted, now)
        return None if isinstance(decision, Fetch) else decision

    def _fetch(self, wanted: KeysWanted, send: Send, clock: Clock) -> Landed:
        withheld = self._begin(wanted, clock.now())
        if withheld is not None:
            return withheld
        try:
            received = send(wanted.request).answer
        except BaseException as fault:
            if isinstance(fault, Exception):
                return Landed(wanted, fault, None)
            self._give_up(wanted)
            raise
        return self._keep(wanted, received, clock.now())

    async def _fetch_async(self, wanted: KeysWanted, send: SendAsync, clock: Clock) -> Landed:
        withheld = self._begin(wanted, clock.now())
        if withheld is not None:
            return withheld
        try:
            received = (await send(wanted.request)).answer
        except BaseException as fault:
            if isinstance(fault, Exception):
                return Landed(wanted, fault, None)
            self._give_up(wanted)
            raise
        return self._keep(wanted, received, clock.now())

    def _begin(self, wanted: KeysWanted, now: int) -> Landed | None:
        """Take a fetch out of its bucket; if the bucket is empty, somebody was quicker."""
        with self._process.lock:
            record = self._records.get(wanted.kept_under)
            decision = decide(record or EMPTY, wanted, now)
            if not isinstance(decision, Fetch):
                return Landed(wanted, decision, None)
            if record is None:
                self._make_room(now)
            self._write(wanted, decision.record)
        return None

    def _keep(self, wanted: KeysWanted, received: Answer, now: int) -> Landed:
        """Write down the answer, and answer from it; it is read again if the record has changed.

        A provider's document is never read within the lock: that may take its time.
        """
        while True:
            before = self._record(wanted)
            if isinstance(received, NoAnswer):
                record, answer = not_fetched(before, wanted, received, now)
            else:
                record, answer = fetched(before, wanted, received, now)
            with self._process.lock:
                if self._records.get(wanted.kept_under, EMPTY) is before:
                    self._write(wanted, record)
                    return Landed(wanted, answer, record.fault is None)

    def _give_up(self, wanted: KeysWanted) -> None:
        """Give a fetch back that was not even made to fail: its loop or thread ended."""
        with self._process.lock:
            record = self._records.get(wanted.kept_under)
            if record is not None:
                self._write(wanted, broken_off(record, wanted))

    def _record(self, wanted: KeysWanted) -> KeyRecord:
        with self._process.lock:
            return self._records.get(wanted.kept_under, EMPTY)

    def _write(self, wanted: KeysWanted, record: KeyRecord) -> None:
        """Put a record behind all that were written before it."""
        source = wanted.kept_under
        self._records.pop(source, None)
        self._records[source] = record

    def _make_room(self, now: int) -> None:
        if len(self._records) < self._cap:
            return
        oldest = next(iter(self._records))
        if not forgettable(self._records[oldest], now):
            raise StoreFailure("store_full", found=self._cap, about="provider keys")
        del self._records[oldest]

    def _of_flight(self, landed: Landed, wanted: KeysWanted, clock: Clock) -> KeysAnswer | None:
        """Answer from a flight; of one that might not fetch nobody else learns anything.

        Raises:
            Exception: what this caller's own sender raised.
        """
        if landed.wanted is wanted:
            if isinstance(landed.answer, Exception):
                raise landed.answer
            return landed.answer
        if landed.renewed is None:
            return None
        return self._left_behind(wanted, clock.now(), renewed=landed.renewed)

    def _left_behind(self, wanted: KeysWanted, now: int, *, renewed: bool) -> KeysAnswer:
        """Answer from the set of somebody else's fetch, without another one."""
        record = self._record(wanted)
        if renewed and record.key_set is not None:
            return KeysFound(wanted.issuer, wanted.jwks_uri, record.key_set, record.fetched_at, now)
        return failed(record, wanted, now)[1]

    def _patience(self, wanted: KeysWanted) -> int:
        """Return how long to wait: what never lands, as in a loop blocked here, has failed then."""
        return wanted.request.deadline + _PATIENCE


class StaticProviderKeys:
    """One key set that was configured and is never fetched."""

    __slots__ = ("_key_set",)

    def __init__(self, key_set: KeySet) -> None:
        check_kind(key_set, KeySet, about="key_set", code="config_invalid")
        self._key_set = key_set

    def find(self, wanted: KeysWanted, _send: Send, clock: Clock, /) -> KeysAnswer:
        """Return the configured set."""
        now = clock.now()
        return KeysFound(wanted.issuer, wanted.jwks_uri, self._key_set, now, now)

    async def find_async(self, wanted: KeysWanted, _send: SendAsync, clock: Clock, /) -> KeysAnswer:
        """Return the configured set."""
        now = clock.now()
        return KeysFound(wanted.issuer, wanted.jwks_uri, self._key_set, now, now)
