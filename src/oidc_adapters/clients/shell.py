"""The shell: the world the core asks for, and the loop that lets it ask.

**Send each request once, exactly as prepared, and resume the step it came from with that answer or
with the failure; a step may be thrown away at any time.**
"""

from time import perf_counter
from typing import Final, TypeVar

from attrs import evolve

from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.boot_clock import uptime
from oidc_adapters.runtime.clock import Clock, SystemClock
from oidc_adapters.runtime.entropy import Entropy, SystemEntropy
from oidc_adapters.runtime.events import Events
from oidc_adapters.runtime.fails_closed import unavailable
from oidc_adapters.stores.provider_keys import MemoryProviderKeys, ProviderKeys
from oidc_adapters.transport import AsyncTransport, Transport, judges_addresses
from oidc_core.machine.steps import Done, Exchange, KeysAnswer, Step, resume
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import OidcError, UsageError
from oidc_core.wire.http import (
    Answer,
    AnswerTo,
    HttpRequest,
    KeysWanted,
    NoAnswer,
    WireRequest,
)
from oidc_core.wire.settings import check_kind

T = TypeVar("T")

_KEYS: Final = "provider keys"


def check_transport(transport: object) -> None:
    """Refuse a transport where addresses must be judged, unless it says that it judges them.

    Raises:
        UsageError: ``config_invalid``.
    """
    if not judges_addresses(transport):
        expected = "one that judges addresses, or the quirk proxy_enforces_addresses"
        found = type(transport).__name__
        raise UsageError("config_invalid", about="transport", found=found, expected=expected)


class Shell:
    """Everything an operation needs of the world, for code that waits.

    Args:
        transport: sends requests.
        credentials: prepares them.
        keys: has the key sets of providers; in memory by default.
        clock: tells the time; the system's by default.
        entropy: gives secrets; the operating system's by default.

    Attributes:
        events: gets a report about requests and key sets, where a client has a callable for events.
    """

    __slots__ = ("_keys", "clock", "credentials", "entropy", "events", "transport")

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        keys: ProviderKeys | None = None,
        *,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
    ) -> None:
        check_kind(transport, Transport, about="transport", code="config_invalid")
        _check(credentials, keys, clock, entropy)
        self.transport = transport
        self.credentials = credentials
        self._keys: ProviderKeys = MemoryProviderKeys() if keys is None else keys
        self.clock: Clock = SystemClock() if clock is None else clock
        self.entropy: Entropy = SystemEntropy() if entropy is None else entropy
        self.events: Events | None = None

    def send(self, request: HttpRequest) -> AnswerTo:
        """Prepare a request, send it once, and return the answer or the failure.

        The time to prepare it, as where a key service signs, is part of its deadline.

        Raises:
            UsageError: ``config_invalid`` for a transport that does not do its part of the policy;
                otherwise like :meth:`Credentials.prepare`.
        """
        if request.way.judged:
            check_transport(self.transport)
        began = uptime()
        prepared = self.credentials.prepare(request, now=self.clock.now(), entropy=self.entropy)
        wire = _in_time(prepared, uptime() - began)
        if wire is None:
            return _too_late(request, self.clock)
        if self.events is None:
            answer = self.transport.send(wire, self.clock)
        else:
            answer = self._timed(self.events, request, wire)
        if self.credentials.nonces is not None:
            self.credentials.nonces.remember(request, answer)
        return AnswerTo(request, answer)

    def keys(self, wanted: KeysWanted) -> KeysAnswer:
        """Return a provider's key set, or the reason why it is missing.

        Raises:
            StoreFailure: ``store_unavailable`` for every exception of the store.
        """
        try:
            if self.events is None:
                return self._keys.find(wanted, self.send, self.clock)
            return self._told(self.events, wanted)
        except OidcError:
            raise
        except Exception as fault:
            raise unavailable(fault, _KEYS) from fault

    def _timed(self, events: Events, request: HttpRequest, wire: WireRequest) -> Answer:
        began = perf_counter()
        answer = self.transport.send(wire, self.clock)
        events.sent(request, answer, perf_counter() - began)
        return answer

    def _told(self, events: Events, wanted: KeysWanted) -> KeysAnswer:
        asked: list[HttpRequest] = []

        def send(request: HttpRequest) -> AnswerTo:
            asked.append(request)
            return self.send(request)

        answer = self._keys.find(wanted, send, self.clock)
        events.keys(wanted, answer, asked=bool(asked))
        return answer

    def run(self, rp: RelyingParty, step: Step[T]) -> T:
        """Drive an operation to its end and return its result.

        Raises:
            OidcError: the refusal of the operation.
        """
        while not isinstance(step, Done):
            if isinstance(step, Exchange):
                step = resume(rp, step, self.send(step.request))
            else:
                step = resume(rp, step, self.keys(step.wanted))
        return step.result


class AsyncShell:
    """Everything an operation needs of the world, for code that awaits, like :class:`Shell`."""

    __slots__ = ("_keys", "clock", "credentials", "entropy", "events", "transport")

    def __init__(
        self,
        transport: AsyncTransport,
        credentials: Credentials,
        keys: ProviderKeys | None = None,
        *,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
    ) -> None:
        check_kind(transport, AsyncTransport, about="transport", code="config_invalid")
        _check(credentials, keys, clock, entropy)
        self.transport = transport
        self.credentials = credentials
        self._keys: ProviderKeys = MemoryProviderKeys() if keys is None else keys
        self.clock: Clock = SystemClock() if clock is None else clock
        self.entropy: Entropy = SystemEntropy() if entropy is None else entropy
        self.events: Events | None = None

    async def send(self, request: HttpRequest) -> AnswerTo:
        """Prepare a request, send it once, and return the answer or the failure.

        The time to prepare it, as where a key service signs, is part of its deadline.

        Raises:
            UsageError: ``config_invalid`` for a transport that does not do its part of the policy;
                otherwise like :meth:`Credentials.prepare`.
        """
        if request.way.judged:
            check_transport(self.transport)
        now, began = self.clock.now(), uptime()
        prepared = await self.credentials.prepare_async(request, now=now, entropy=self.entropy)
        wire = _in_time(prepared, uptime() - began)
        if wire is None:
            return _too_late(request, self.clock)
        if self.events is None:
            answer = await self.transport.send(wire, self.clock)
        else:
            answer = await self._timed(self.events, request, wire)
        if self.credentials.nonces is not None:
            self.credentials.nonces.remember(request, answer)
        return AnswerTo(request, answer)

    async def keys(self, wanted: KeysWanted) -> KeysAnswer:
        """Return a provider's key set, or the reason why it is missing, like :meth:`Shell.keys`."""
        try:
            if self.events is None:
                return await self._keys.find_async(wanted, self.send, self.clock)
            return await self._told(self.events, wanted)
        except OidcError:
            raise
        except Exception as fault:
            raise unavailable(fault, _KEYS) from fault

    async def _timed(self, events: Events, request: HttpRequest, wire: WireRequest) -> Answer:
        began = perf_counter()
        answer = await self.transport.send(wire, self.clock)
        events.sent(request, answer, perf_counter() - began)
        return answer

    async def _told(self, events: Events, wanted: KeysWanted) -> KeysAnswer:
        asked: list[HttpRequest] = []

        async def send(request: HttpRequest) -> AnswerTo:
            asked.append(request)
            return await self.send(request)

        answer = await self._keys.find_async(wanted, send, self.clock)
        events.keys(wanted, answer, asked=bool(asked))
        return answer

    async def run(self, rp: RelyingParty, step: Step[T]) -> T:
        """Drive an operation to its end and return its result.

        Raises:
            OidcError: the refusal of the operation.
        """
        while not isinstance(step, Done):
            if isinstance(step, Exchange):
                step = resume(rp, step, await self.send(step.request))
            else:
                step = resume(rp, step, await self.keys(step.wanted))
        return step.result


def _in_time(wire: WireRequest, spent: float) -> WireRequest | None:
    """Return a request with the rest of its deadline, ``None`` if there is no rest.

    Other processes count on it: they send a refresh token again once no request can be on its way.
    """
    seconds = int(spent)
    if seconds >= wire.deadline:
        return None
    return evolve(wire, deadline=wire.deadline - seconds) if seconds else wire


def _too_late(request: HttpRequest, clock: Clock) -> AnswerTo:
    return AnswerTo(request, NoAnswer("no", "http_timeout", clock.now()))


def _check(credentials: object, keys: object, clock: object, entropy: object) -> None:
    """Refuse what cannot be asked for anything."""
    for name, value, kind in (
        ("credentials", credentials, Credentials),
        ("keys", keys, ProviderKeys | None),
        ("clock", clock, Clock | None),
        ("entropy", entropy, Entropy | None),
    ):
        check_kind(value, kind, about=name, code="config_invalid")
