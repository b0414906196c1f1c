"""A blocking transport for asyncio and trio alike, in threads of its own."""

from math import ceil
from time import monotonic
from types import TracebackType
from typing import Self

from attrs import evolve

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.threads import OwnThreads
from oidc_adapters.transport import Transport, judges_addresses
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest


class InThreads:
    """An :class:`~oidc_adapters.transport.AsyncTransport` over a blocking one.

    The threads are its own, so a slow provider cannot take those in which the event loop looks up
    names or the application reads files.  They are started when first needed and reused; a forked
    process starts its own.

    Args:
        transport: the blocking transport; it is never closed here.
        threads: how many exchanges may run at a time; further ones wait for their turn, within
            their deadline.
    """

    def __init__(self, transport: Transport, *, threads: int = 32) -> None:
        self._transport = transport
        self._threads = OwnThreads(threads, "oidc-transport")

    @property
    def judges_addresses(self) -> bool:
        """Whether the blocking transport says that it judges every address it connects to."""
        return judges_addresses(self._transport)

    async def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        """Send a request in a thread.

        If the waiting task is cancelled, a request that has not begun is never sent; one that has
        runs to its end, at the latest its deadline, and its answer is dropped.
        """
        end = monotonic() + request.deadline
        return await self._threads.run(lambda: self._send(request, clock, end))

    def _send(self, request: WireRequest, clock: Clock, end: float) -> HttpResponse | NoAnswer:
        """Send a request whose turn has come, in the time that waiting for it has left."""
        left = ceil(end - monotonic())
        if left <= 0:
            return NoAnswer("no", "http_timeout", clock.now())
        return self._transport.send(evolve(request, deadline=left), clock)

    def close(self) -> None:
        """Let the threads end once their exchanges have; none is begun any more."""
        self._threads.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
