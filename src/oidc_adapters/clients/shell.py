"""The shell: the world the core asks for, and the loop that lets it ask.

**Send each request once, exactly as prepared, and resume the step it came from with that answer or
with the failure; a step may be thrown away at any time.**
"""

from typing import Final, TypeVar

from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.clock import Clock, SystemClock
from oidc_adapters.runtime.entropy import Entropy, SystemEntropy
from oidc_adapters.runtime.fails_closed import unavailable
from oidc_adapters.stores.provider_keys import MemoryProviderKeys, ProviderKeys
from oidc_adapters.transport import AsyncTransport, Transport, judges_addresses
from oidc_core.machine.steps import Done, Exchange, KeysAnswer, Step, resume
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import OidcError, UsageError
from oidc_core.wire.http import AnswerTo, HttpRequest, KeysWanted
from oidc_core.wire.settings import check_kind

T = TypeVar("T")

_KEYS: Final = "provider keys"


def check_transport(transport: object) -> None:
    """Refuse a transport where addresses have to be judged, unless it says that it judges them.

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
    """

    __slots__ = ("_keys", "clock", "credentials", "entropy", "transport")

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        keys: ProviderKeys | None = None,
        *,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
    ) -> None:
        _check(transport, credentials, keys, clock, entropy)
        self.transport = transport
        self.credentials = credentials
        self._keys: ProviderKeys = MemoryProviderKeys() if keys is None else keys
        self.clock: Clock = SystemClock() if clock is None else clock
        self.entropy: Entropy = SystemEntropy() if entropy is None else entropy

    def send(self, request: HttpRequest) -> AnswerTo:
        """Prepare a request, send it once, and return the answer or the failure.

        Raises:
            UsageError: ``config_invalid`` for a transport that does not do what the policy leaves
                to it; else as :meth:`Credentials.prepare`.
        """
        if request.way.judged:
            check_transport(self.transport)
        wire = self.credentials.prepare(request, now=self.clock.now(), entropy=self.entropy)
        answer = self.transport.send(wire, self.clock)
        if self.credentials.nonces is not None:
            self.credentials.nonces.remember(request, answer)
        return AnswerTo(request, answer)

    def keys(self, wanted: KeysWanted) -> KeysAnswer:
        """Return a provider's key set, or why there is none.

        Raises:
            StoreFailure: ``store_unavailable`` for whatever the store raises.
        """
        try:
            return self._keys.find(wanted, self.send, self.clock)
        except OidcError:
            raise
        except Exception as fault:
            raise unavailable(fault, _KEYS) from fault

    def run(self, rp: RelyingParty, step: Step[T]) -> T:
        """Drive an operation to its end and return its result.

        Raises:
            OidcError: what the operation is refused with.
        """
        while not isinstance(step, Done):
            if isinstance(step, Exchange):
                step = resume(rp, step, self.send(step.request))
            else:
                step = resume(rp, step, self.keys(step.wanted))
        return step.result


class AsyncShell:
    """Everything an operation needs of the world, for code that awaits; as :class:`Shell`."""

    __slots__ = ("_keys", "clock", "credentials", "entropy", "transport")

    def __init__(
        self,
        transport: AsyncTransport,
        credentials: Credentials,
        keys: ProviderKeys | None = None,
        *,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
    ) -> None:
        _check(transport, credentials, keys, clock, entropy)
        self.transport = transport
        self.credentials = credentials
        self._keys: ProviderKeys = MemoryProviderKeys() if keys is None else keys
        self.clock: Clock = SystemClock() if clock is None else clock
        self.entropy: Entropy = SystemEntropy() if entropy is None else entropy

    async def send(self, request: HttpRequest) -> AnswerTo:
        """Prepare a request, send it once, and return the answer or the failure.

        Raises:
            UsageError: ``config_invalid`` for a transport that does not do what the policy leaves
                to it; else as :meth:`Credentials.prepare`.
        """
        if request.way.judged:
            check_transport(self.transport)
        now = self.clock.now()
        wire = await self.credentials.prepare_async(request, now=now, entropy=self.entropy)
        answer = await self.transport.send(wire, self.clock)
        if self.credentials.nonces is not None:
            self.credentials.nonces.remember(request, answer)
        return AnswerTo(request, answer)

    async def keys(self, wanted: KeysWanted) -> KeysAnswer:
        """Return a provider's key set, or why there is none; as :meth:`Shell.keys`."""
        try:
            return await self._keys.find_async(wanted, self.send, self.clock)
        except OidcError:
            raise
        except Exception as fault:
            raise unavailable(fault, _KEYS) from fault

    async def run(self, rp: RelyingParty, step: Step[T]) -> T:
        """Drive an operation to its end and return its result.

        Raises:
            OidcError: what the operation is refused with.
        """
        while not isinstance(step, Done):
            if isinstance(step, Exchange):
                step = resume(rp, step, await self.send(step.request))
            else:
                step = resume(rp, step, await self.keys(step.wanted))
        return step.result


def _check(
    transport: object, credentials: object, keys: object, clock: object, entropy: object
) -> None:
    """Refuse what cannot be asked for anything."""
    for name, value, kind in (
        ("transport", transport, Transport),
        ("credentials", credentials, Credentials),
        ("keys", keys, ProviderKeys | None),
        ("clock", clock, Clock | None),
        ("entropy", entropy, Entropy | None),
    ):
        check_kind(value, kind, about=name, code="config_invalid")
