"""A blocking transport for asyncio and trio alike, in separate threads."""

from collections import deque
from collections.abc import Hashable, Mapping
from time import monotonic
from types import TracebackType
from typing import Any, Self

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
    ends in time.

    Providers that are dead do not have all threads.  Where other origins have threads, an origin's
    share is the smaller: with half of them taken, it is half of ``per_origin``, and it is never
    less than one.  A thread that becomes free goes to the origin that has the fewest, and of those
    to the one whose last exchange ended first.  With the defaults, 25 origins may be dead at the
    same moment and another still finds a thread at once; with more, it is the first in line when
    one of their exchanges ends.

    Args:
        transport: the blocking transport; it is never closed here.
        threads: how many exchanges may run at a time.
        per_origin: how many of them with one origin, if it is the only one.  That is also how many
            connections to it :class:`~oidc_adapters.transport.over_urllib3.Urllib3Transport` has by
            default.
    """

    def __init__(self, transport: Transport, *, threads: int = 128, per_origin: int = 16) -> None:
        self._transport = as_setting(transport, Transport, "transport")
        share = as_count(per_origin, "per_origin")
        self._threads = _ThreadsByOrigin(as_count(threads, "threads"), share)

    @property
    def judges_addresses(self) -> bool:
        """Whether the blocking transport says that it judges every address it connects to."""
        return judges_addresses(self._transport)

    @property
    def lacks(self) -> Mapping[str, str]:
        """The duties that the blocking transport says it lacks, each with the reason."""
        lacks: Mapping[str, str] = getattr(self._transport, "lacks", {})
        return lacks

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
            return NoAnswer("no", "http_timeout", clock.now(), "busy")
        except ThreadsClosedError:
            raise UsageError("config_invalid", about="transport", found="closed") from None

    def _send(self, request: WireRequest, clock: Clock, end: float) -> HttpResponse | NoAnswer:
        """Send a request whose turn has come, in the time that waiting for it has left."""
        left = end - monotonic()
        if left <= 0:
            return NoAnswer("no", "http_timeout", clock.now(), "busy")
        return self._transport.send(evolve(request, deadline=left), clock)

    def close(self) -> None:
        """Let the threads end once their exchanges have; no thread is begun any more."""
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


class _Origin:
    """The exchanges with an origin: how many are running, and which wait."""

    __slots__ = ("running", "waiting")

    def __init__(self) -> None:
        self.running = 0
        self.waiting: deque[Any] = deque()


class _ThreadsByOrigin(OwnThreads):
    """Threads of which an origin gets the fewer, the more the others have.

    Waiting exchanges must not begin yet. So one exchange that ends lets at most one other begin:
    with the thread that it took, all is as it was.
    """

    __slots__ = ("_origins", "_per_origin", "_taken")

    def __init__(self, count: int, per_origin: int) -> None:
        self._per_origin = per_origin
        super().__init__(count, "oidc-transport")

    def _start(self) -> None:
        super()._start()
        self._taken = 0
        self._origins: dict[Hashable, _Origin] = {}

    def _admit(self, work: Any) -> None:
        with self._lock:
            origin = self._origins.setdefault(work.lane, _Origin())
            origin.waiting.append(work)
            begun = self._begun(origin)
        self._submit(begun)

    def _following(self, name: Hashable) -> Any:
        with self._lock:
            done = self._origins[name] = self._origins.pop(name)  # the last of those that wait
            done.running -= 1
            self._taken -= 1
            waiting = [origin for origin in self._origins.values() if origin.waiting]
            fewest_first = sorted(waiting, key=lambda origin: origin.running)
            begun: Any = None
            for origin in fewest_first:
                begun = begun or self._begun(origin)
            for each, origin in [*self._origins.items()]:
                if not origin.running and not origin.waiting:
                    del self._origins[each]
            return begun

    def _begun(self, origin: _Origin) -> Any:
        """Take an exchange that may begin and that somebody still waits for; or ``None``."""
        left_by_others = self._count - (self._taken - origin.running)
        share = max(1, -(-self._per_origin * left_by_others // self._count))
        if self._taken >= self._count or origin.running >= share:
            return None
        while origin.waiting:
            work = origin.waiting.popleft()
            if not work.future.cancelled():
                origin.running += 1
                self._taken += 1
                return work
        return None
