"""Where providers' key sets are kept: in memory, under the core's refresh policy, or fixed.

The store decides nothing.  It asks :func:`oidc_core.machine.keys.decide`, lets one thread or task
at a time fetch a set while all others wait for it, and writes down what the policy says.  Waiting
goes through ``concurrent.futures``, so one store serves threads and any number of event loops.
"""

import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Final, Protocol, TypeAlias

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.concurrency import settled
from oidc_adapters.runtime.locks import ProcessLock
from oidc_core.jose.jwk import KeySet
from oidc_core.machine.key_fetching import Fetch, KeyRecord, decide, failed, fetched
from oidc_core.machine.steps import KeysAnswer, KeysFound
from oidc_core.wire.http import Answer, AnswerTo, HttpRequest, KeysWanted, NoAnswer
from oidc_core.wire.settings import check_kind

Send: TypeAlias = Callable[[HttpRequest], AnswerTo]
SendAsync: TypeAlias = Callable[[HttpRequest], Awaitable[AnswerTo]]

_Source: TypeAlias = tuple[str, str, bool]
_Flight: TypeAlias = Future[bool | None]
"""A fetch under way; its result is whether there is a new set, ``None`` if it was broken off."""

_EMPTY: Final = KeyRecord()


class ProviderKeys(Protocol):
    """Gives the key sets of providers."""

    def find(self, wanted: KeysWanted, send: Send, clock: Clock, /) -> KeysAnswer:
        """Return the key set of an issuer; ``send`` fetches it if need be."""
        ...

    async def find_async(self, wanted: KeysWanted, send: SendAsync, clock: Clock, /) -> KeysAnswer:
        """Return the key set of an issuer; ``send`` fetches it if need be."""
        ...


class MemoryProviderKeys:
    """Key sets in the memory of this process, for any number of issuers."""

    __slots__ = ("_flights", "_process", "_records")

    def __init__(self) -> None:
        self._records: dict[_Source, KeyRecord] = {}
        # The process is in the key, for a fork leaves the threads of its parent's fetches behind.
        self._flights: dict[tuple[int, _Source], _Flight] = {}
        self._process = ProcessLock()

    def find(self, wanted: KeysWanted, send: Send, clock: Clock, /) -> KeysAnswer:
        """Return the key set of an issuer; one caller fetches, the others wait for it."""
        while True:
            flight, mine, answer = self._begin(wanted, clock.now())
            if answer is not None:
                return answer
            if mine:
                break
            renewed = _waited_for(flight, wanted.request.deadline)
            if renewed is not None:
                return self._after(wanted, clock.now(), renewed=renewed)
        received: Answer | None = None
        try:
            received = send(wanted.request).answer
        finally:
            result = self._end(wanted, received, clock)
        return result

    async def find_async(self, wanted: KeysWanted, send: SendAsync, clock: Clock, /) -> KeysAnswer:
        """Return the key set of an issuer; one caller fetches, the others wait for it."""
        while True:
            flight, mine, answer = self._begin(wanted, clock.now())
            if answer is not None:
                return answer
            if mine:
                break
            renewed = await settled(flight)
            if renewed is not None:
                return self._after(wanted, clock.now(), renewed=renewed)
        received: Answer | None = None
        try:
            received = (await send(wanted.request)).answer
        finally:
            result = self._end(wanted, received, clock)
        return result

    def _begin(self, wanted: KeysWanted, now: int) -> tuple[_Flight, bool, KeysAnswer | None]:
        """Decide: an answer at once, a fetch of one's own, or somebody else's to wait for.

        A fetch under way serves also those who might not begin one of their own.
        """
        source = wanted.kept_under
        with self._process.lock:
            decision = decide(self._records.get(source, _EMPTY), wanted, now)
            if isinstance(decision, KeysFound):
                return _LANDED, False, decision
            flight = self._flights.get((os.getpid(), source))
            if flight is not None:
                return flight, False, None
            if not isinstance(decision, Fetch):
                return _LANDED, False, decision
            self._records[source] = decision.record
            flight = self._flights[os.getpid(), source] = Future()
            return flight, True, None

    def _end(self, wanted: KeysWanted, received: Answer | None, clock: Clock) -> KeysAnswer:
        """Write down the outcome and let those who wait go on, whatever happened."""
        source = wanted.kept_under
        renewed: bool | None = None
        try:
            now = clock.now()
            with self._process.lock:
                before = self._records.get(source, _EMPTY)
                if received is None or isinstance(received, NoAnswer):
                    record, answer = failed(before, wanted, now)
                else:
                    record, answer = fetched(before, wanted, received, now)
                self._records[source] = record
            renewed = None if received is None else record is not before
        finally:
            with self._process.lock:
                flight = self._flights.pop((os.getpid(), source))
            flight.set_result(renewed)
        return answer

    def _after(self, wanted: KeysWanted, now: int, *, renewed: bool) -> KeysAnswer:
        """Answer from what somebody else's fetch left behind, without another one."""
        with self._process.lock:
            record = self._records.get(wanted.kept_under, _EMPTY)
        if renewed and record.key_set is not None:
            return KeysFound(wanted.issuer, wanted.jwks_uri, record.key_set, record.fetched_at, now)
        return failed(record, wanted, now)[1]


def _waited_for(flight: _Flight, seconds: int) -> bool | None:
    """Wait as long as a fetch may take: what never lands, as in a loop blocked here, has failed."""
    try:
        return flight.result(seconds)
    except TimeoutError:
        return False


_LANDED: Final[_Flight] = Future()


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
