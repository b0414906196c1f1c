"""Transports that reach a fake provider without a network, and remember what was said."""

from collections import deque
from threading import Lock
from typing import Protocol, TypeAlias

from attrs import evolve

from oidc_adapters.testing.ledger import CAP
from oidc_adapters.testing.provider import FakeProvider
from oidc_core.wire.http import Answer, HttpRequest, HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.settings import check_kind

RecordedExchange: TypeAlias = tuple[WireRequest, Answer]


class TellsTime(Protocol):
    """A clock, as far as it is needed here."""

    def now(self) -> int:
        """Return the time in seconds since the epoch."""
        ...


def recorded() -> deque[RecordedExchange]:
    """Return an empty record; at its cap the oldest exchange goes."""
    return deque(maxlen=CAP)


class InMemoryTransport:
    """A transport whose only server is a fake provider; safe between threads.

    It does what every transport must: it refuses a body beyond the request's limit and a
    Content-Encoding that was not offered.  It connects to no address at all, so it may say that it
    judges them: an application's policy is tested as it is.

    Attributes:
        provider: the provider it reaches.
        down: whether nothing is there: set it, and each request fails until it is reset.
    """

    judges_addresses = True

    def __init__(self, provider: FakeProvider) -> None:
        check_kind(provider, FakeProvider, about="provider", code="config_invalid")
        self.provider = provider
        self.down = False
        self._lock = Lock()
        self._exchanges = recorded()

    @property
    def exchanges(self) -> tuple[RecordedExchange, ...]:
        """The sent requests, and the answer to each, in order; credentials included."""
        with self._lock:
            return tuple(self._exchanges)

    def send(self, request: WireRequest, clock: TellsTime) -> Answer:
        """Send a request and return its answer or its failure."""
        with self._lock:
            answer = self._answer(request, clock.now())
            self._exchanges.append((request, answer))
        return answer

    def _answer(self, request: WireRequest, now: int) -> Answer:
        if self.down:
            return NoAnswer("no", "http_connect_failed", now, "refused")
        return admitted(self.provider.answer(request, now), request)


class AsyncInMemoryTransport:
    """The same for asynchronous code, for every event loop."""

    judges_addresses = True

    def __init__(self, provider: FakeProvider) -> None:
        self._sync = InMemoryTransport(provider)

    @property
    def provider(self) -> FakeProvider:
        """The provider it reaches."""
        return self._sync.provider

    @property
    def down(self) -> bool:
        """Whether nothing is there, like :attr:`InMemoryTransport.down`."""
        return self._sync.down

    @down.setter
    def down(self, down: bool) -> None:
        self._sync.down = down

    @property
    def exchanges(self) -> tuple[RecordedExchange, ...]:
        """The sent requests, and the answer to each, in order; credentials included."""
        return self._sync.exchanges

    async def send(self, request: WireRequest, clock: TellsTime) -> Answer:
        """Send a request and return its answer or its failure."""
        return self._sync.send(request, clock)


def admitted(answer: Answer, request: HttpRequest | WireRequest) -> Answer:
    """Return an answer as a transport lets it through."""
    if isinstance(answer, NoAnswer):
        return answer
    code = _refusal(answer, request)
    if code is not None:
        return NoAnswer("maybe", code, answer.received_at)
    return evolve(answer, channel=answer.channel._replace(addresses_judged=True))


def _refusal(answer: HttpResponse, request: HttpRequest | WireRequest) -> str | None:
    codings = {value for name, value in answer.headers if name == "content-encoding"}
    if codings - {"", "identity"}:
        return "content_encoding_unexpected"
    return "http_too_large" if len(answer.body) > request.max_body else None
