"""The application's parts of a context: its transport, clock and random device.

Each may fail in any way and return anything; here that becomes an error that the calls of the
context return as a value.
"""

from typing import Final

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.transport import Transport, judges_addresses
from oidc_core.model.pending import LoginSecrets
from oidc_core.wire.errors import StoreFailure, UsageError
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest

_SENT: Final = FailsClosed("transport")
_TOLD: Final = FailsClosed("clock")
_FURTHEST: Final = 2**53
"""Seconds beyond which no clock tells the time; JSON has no such numbers (RFC 8259 §6)."""


class PluggedTransport:
    """A transport that may raise: nobody knows then whether the request has arrived.

    Attributes:
        judges_addresses: as the transport itself says.
    """

    __slots__ = ("_transport", "judges_addresses")

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.judges_addresses = judges_addresses(transport)

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        """Send a request; every exception is a failure of the exchange.

        Raises:
            UsageError: as the transport raised it.
        """
        try:
            with _SENT:
                return self._transport.send(request, clock)
        except StoreFailure:
            return NoAnswer("maybe", "http_malformed", clock.now())


class PluggedClock:
    """A clock that may raise, or tell no whole seconds."""

    __slots__ = ("_clock",)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> int:
        """Return the seconds since the epoch.

        Raises:
            StoreFailure: ``store_unavailable`` for every exception of the clock.
            UsageError: ``config_invalid`` for anything but whole seconds.
        """
        with _TOLD:
            now: object = self._clock.now()
        if type(now) is not int or abs(now) > _FURTHEST:
            found = type(now).__name__
            raise UsageError("config_invalid", about="clock", found=found, expected="whole seconds")
        return now


class PluggedEntropy:
    """A random device that may raise, or give no secrets."""

    __slots__ = ("_device",)

    def __init__(self, device: Entropy) -> None:
        self._device = device

    def login_secrets(self) -> LoginSecrets:
        """Return the secrets of one login.

        Raises:
            UsageError: ``entropy_failure`` for anything else.
        """
        try:
            secrets = self._device.login_secrets()
        except Exception as fault:
            raise _failed(fault, "LoginSecrets") from fault
        return _secrets(secrets)

    def token(self) -> str:
        """Return one secret.

        Raises:
            UsageError: ``entropy_failure`` for anything else.
        """
        try:
            token = self._device.token()
        except Exception as fault:
            raise _failed(fault, "text") from fault
        return _text(token)


def _secrets(given: object) -> LoginSecrets:
    if not isinstance(given, LoginSecrets):
        raise _failed(given, "LoginSecrets")
    return given


def _text(given: object) -> str:
    if not isinstance(given, str) or not given:
        raise _failed(given, "text")
    return given


def _failed(found: object, expected: str) -> UsageError:
    return UsageError("entropy_failure", found=type(found).__name__, expected=expected)
