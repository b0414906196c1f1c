"""Watching a login: a transport that keeps each message, and the witness that it reports to."""

from time import perf_counter
from typing import Protocol

from attrs import frozen

from oidc_adapters.clients.shell import Shell
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.native.flow import LoginWitness
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.transport import Transport
from oidc_core.model.provider import ProviderMetadata
from oidc_core.wire.http import Answer, AnswerTo, HttpRequest, WireRequest


@frozen(kw_only=True)
class Recorded:
    """A request and its answer, secrets included, and how many milliseconds it took."""

    request: WireRequest
    answer: Answer
    milliseconds: int


class RecordingTransport:
    """A transport that remembers what was said.

    Args:
        transport: does the work.

    Attributes:
        exchanges: what was said, in order.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.exchanges: list[Recorded] = []

    def send(self, request: WireRequest, clock: Clock) -> Answer:
        """Send a request as the other transport does."""
        begun = perf_counter()
        answer: Answer = self._transport.send(request, clock)
        took = round((perf_counter() - begun) * 1_000)
        self.exchanges.append(Recorded(request=request, answer=answer, milliseconds=took))
        return answer


class Witness(LoginWitness, Protocol):
    """Is told what happens in a login, as it happens; shows no secret of it."""

    def exchange(self, name: str, recorded: Recorded) -> None:
        """Take note of an exchange; its name is its purpose, as in ``token``."""
        ...

    def discovered(self, metadata: ProviderMetadata, /) -> None:
        """Take note that the provider's metadata was accepted."""
        ...


class WatchedShell(Shell):
    """A shell that tells a witness of every exchange.

    Args:
        transport: sends requests.
        witness: gets a report about them.
        clock: tells the time.
        entropy: gives secrets.
    """

    __slots__ = ("_recording", "witness")

    def __init__(
        self, transport: Transport, witness: Witness, *, clock: Clock, entropy: Entropy
    ) -> None:
        self._recording = RecordingTransport(transport)
        self.witness = witness
        super().__init__(self._recording, Credentials(), clock=clock, entropy=entropy)

    def send(self, request: HttpRequest) -> AnswerTo:
        """Send a request as every shell does, and report it."""
        answer = super().send(request)
        self.witness.exchange(request.purpose, self._recording.exchanges[-1])
        return answer
