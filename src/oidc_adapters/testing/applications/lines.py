"""The lines from an application to the providers of its world: transports that can be cut."""

from collections.abc import Sequence

from oidc_adapters.testing.metadata import endpoint
from oidc_adapters.testing.provider import FakeProvider
from oidc_adapters.testing.transports import RecordedExchange, TellsTime, admitted
from oidc_core.wire.http import Answer, NoAnswer, WireRequest


class Lines:
    """The lines to all providers.

    Attributes:
        providers: where they lead to.
        down: the issuers that cannot be reached.
        keys_withheld: the issuers whose key sets cannot be reached.
        exchanges: the sent requests, and the answer to each, in order.
    """

    def __init__(self, providers: Sequence[FakeProvider]) -> None:
        self.providers = tuple(providers)
        self.down: set[str] = set()
        self.keys_withheld: set[str] = set()
        self.exchanges: list[RecordedExchange] = []

    def provider_at(self, url: str) -> FakeProvider | None:
        """Return the provider that a URL belongs to."""
        for provider in self.providers:
            if url == provider.base or url.startswith(provider.base.rstrip("/") + "/"):
                return provider
        return None

    def exchange(self, request: WireRequest, now: int) -> Answer:
        """Send a request and return its answer or its failure."""
        answer = self._answer(request, now)
        self.exchanges.append((request, answer))
        return answer

    def _answer(self, request: WireRequest, now: int) -> Answer:
        provider = self.provider_at(request.url)
        if provider is None or provider.issuer in self.down:
            return NoAnswer("no", "http_connect_failed", now, "refused")
        if provider.issuer in self.keys_withheld and request.url == endpoint(provider.base, "jwks"):
            return NoAnswer("no", "http_timeout", now, "timeout")
        return admitted(provider.answer(request, now), request)


class WorldTransport:
    """A transport to all providers of a world, for an application that waits.

    It connects to no address at all, so it may say that it judges them.

    Args:
        lines: where they lead to.
    """

    judges_addresses = True

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def send(self, request: WireRequest, clock: TellsTime) -> Answer:
        """Send a request and return its answer or its failure."""
        return self._lines.exchange(request, clock.now())


class AsyncWorldTransport:
    """The same for an application that awaits.

    Args:
        lines: where they lead to.
    """

    judges_addresses = True

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    async def send(self, request: WireRequest, clock: TellsTime) -> Answer:
        """Send a request and return its answer or its failure."""
        return self._lines.exchange(request, clock.now())
