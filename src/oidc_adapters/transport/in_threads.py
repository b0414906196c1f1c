"""A blocking transport for asyncio and trio alike, in threads of its own."""

from time import monotonic
from types import TracebackType
from typing import Self

from attrs import evolve

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.threads import NeverBegunError, OwnThreads, ThreadsClosedError
from oidc_adapters.transport import Transport, judges_addresses
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.settings import as_count, as_setting


class InThreads:
    """An :class:`~oidc_adapters.transport.AsyncTransport` over a blocking one.

    The threads are its own, so a slow provider cannot take those in which the event loop looks up
    names or the application reads files.  They are started when first needed and reused; a forked
    process starts its own.

    Waiting for a turn uses up an exchange's deadline: what has not begun by then never will, and
    ends in time.  No provider that is dead has all threads, so others do not wait for it.

    Args:
        transport: the blocking transport; it is never closed here.
        threads: how many exchanges may run at a time.
        per_origin: how many of them with one origin, which is also how many connections to it
            :class:`~oidc_adapters.transport.over_urllib3.Urllib3Transport` has by default.
    """

    def __init__(self, transport: Transport, *, threads: int = 128, per_origin: int = 16) -> None:
        self._transport = as_setting(transport, Transport, "transport")
        share = as_count(per_origin, "per_origin")
        self._threads = OwnThreads(as_count(threads, "threads"), "oidc-transport", share=share)

    @property
    def judges_addresses(self) -> bool:
        """Whether the blocking transport says that it judges every address it connects to."""
        return judges_addresses(self._transport)

    async def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        """Send a request in a thread.

        If the waiting task is cancelled, a request that has not begun is never sent; one that has
        runs to its end, at the latest its deadline, and its answer is dropped.

        Raises:
            UsageError: ``config_invalid`` if closed, or as the blocking transport.
        """
        end = monotonic() + request.deadline
        try:
            return await self._threads.run(
                lambda: self._send(request, clock, end),
                lane=request.url.split("/", 3)[:3][-1].lower(),
                within=request.deadline,
            )
        except NeverBegunError:
            return NoAnswer("no", "http_timeout", clock.now())
        except ThreadsClosedError:
            raise UsageError("config_invalid", about="transport", found="closed") from None

    def _send(self, request: WireRequest, clock: Clock, end: float) -> HttpResponse | NoAnswer:
        """Send a request whose turn has come, in the time that waiting for it has left."""
        left = end - monotonic()
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
