"""The callers of a worker: threads of a client that waits, or tasks of one that awaits."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from random import Random
from threading import Event, Thread
from time import monotonic
from typing import Final, NamedTuple, Protocol

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.records import at_once
from oidc_adapters.transport import Transport
from oidc_adapters.transport.in_threads import InThreads
from oidc_core.wire.errors import OidcError, ProviderError, UsageError
from tests.processes.messages import Answers
from tests.processes.trace import Trace

_PAUSE: Final = 0.1


class Asking(NamedTuple):
    """What one caller does; see :class:`~tests.processes.messages.Ask`."""

    grants: Sequence[str]
    end: bool = False
    leeway: int = 30
    seed: int = 0
    block: int = 25
    again: float = 0
    rounds: int = 1
    pace: float = 0


class Callers(Protocol):
    """The callers of a worker."""

    def all(self, askings: Sequence[Asking]) -> Answers:
        """Let each of them do its part, and return what they got."""
        ...

    def close(self) -> None:
        """Close the client."""
        ...


class _Caller(Protocol):
    trace: Trace

    async def fresh(self, grant: str, leeway: int) -> str: ...

    async def end(self, grant: str) -> str: ...

    async def pause(self, seconds: float) -> None: ...


class _Taken:
    """What callers got; what they were told to come back for later begins with ``~``."""

    def __init__(self) -> None:
        self.got: dict[str, Counter[str]] = defaultdict(Counter)
        self.slowest = 0.0

    def add(self, grant: str, what: str, seconds: float) -> None:
        self.got[grant][what] += 1
        self.slowest = max(self.slowest, seconds)


async def _walk(caller: _Caller, asking: Asking, taken: _Taken) -> None:
    """Ask for all grants, in an order of one's own."""
    order = Random(asking.seed)
    for _ in range(asking.rounds):
        for begin in range(0, len(asking.grants), asking.block):
            block = [*asking.grants[begin : begin + asking.block]]
            order.shuffle(block)
            for grant in block:
                began = monotonic()
                what = await _persisting(caller, asking, grant, taken)
                taken.add(grant, what, monotonic() - began)
                if what == _CLOSED:
                    return
                await caller.pause(asking.pace)


async def _persisting(caller: _Caller, asking: Asking, grant: str, taken: _Taken) -> str:
    """Return an access token, or why there is none; ask again as long as that is wanted."""
    end = monotonic() + asking.again
    while True:
        try:
            if asking.end:
                return await caller.end(grant)
            return await caller.fresh(grant, asking.leeway)
        except UsageError as error:
            return f"!{error.code}"
        except ProviderError as error:
            return f"!{error.error}"
        except OidcError as error:
            caller.trace.tell(
                grant, error.code, error.cause, error.retryable, repr(error.__cause__)
            )
            if error.retryable != "later" or monotonic() >= end:
                return f"!{error.code}"
            taken.add(grant, f"~{error.code}", 0)
        await caller.pause(_PAUSE)


_CLOSED: Final = "!config_invalid"


def _together(parts: Sequence[_Taken]) -> Answers:
    whole = _Taken()
    for part in parts:
        whole.slowest = max(whole.slowest, part.slowest)
        for grant, counts in part.got.items():
            whole.got[grant].update(counts)
    return Answers({grant: dict(counts) for grant, counts in whole.got.items()}, whole.slowest)


class WaitingCallers:
    """Threads of a client that waits."""

    def __init__(
        self,
        setup: ClientSetup,
        transport: Transport,
        grants: Grants,
        clock: Clock,
        trace: Trace,
    ) -> None:
        self.trace = trace
        self._client = OidcClient.for_development(
            setup, transport=transport, grants=grants, clock=clock
        )

    def all(self, askings: Sequence[Asking]) -> Answers:
        """Begin a thread for each; a process that ends does not wait for them."""
        taken = [_Taken() for _ in askings]
        threads = [
            Thread(target=self._one, args=each, daemon=True)
            for each in zip(askings, taken, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return _together(taken)

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def _one(self, asking: Asking, taken: _Taken) -> None:
        at_once(_walk(self, asking, taken))

    async def fresh(self, grant: str, leeway: int) -> str:
        """Return an access token."""
        return self._client.tokens(grant).fresh(leeway).access_token

    async def end(self, grant: str) -> str:
        """End a session."""
        return "nothing" if self._client.tokens(grant).end() is None else "ended"

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        Event().wait(seconds)


class AwaitingCallers:
    """Tasks of a client that awaits, in a loop that runs in a thread."""

    def __init__(
        self,
        setup: ClientSetup,
        transport: Transport,
        grants: Grants,
        clock: Clock,
        trace: Trace,
    ) -> None:
        self.trace = trace
        self._sender = InThreads(transport)
        self._client = AsyncOidcClient.for_development(
            setup, transport=self._sender, grants=grants, clock=clock
        )
        self._loop: asyncio.AbstractEventLoop | None = None

    def all(self, askings: Sequence[Asking]) -> Answers:
        """Begin a task for each."""
        return asyncio.run_coroutine_threadsafe(self._all(askings), self._running()).result()

    def close(self) -> None:
        """Close the client."""
        asyncio.run_coroutine_threadsafe(self._client.close(), self._running()).result()
        self._sender.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            Thread(target=self._loop.run_forever, daemon=True).start()
        return self._loop

    async def _all(self, askings: Sequence[Asking]) -> Answers:
        taken = [_Taken() for _ in askings]
        await asyncio.gather(*[_walk(self, *each) for each in zip(askings, taken, strict=True)])
        return _together(taken)

    async def fresh(self, grant: str, leeway: int) -> str:
        """Return an access token."""
        return (await self._client.tokens(grant).fresh(leeway)).access_token

    async def end(self, grant: str) -> str:
        """End a session."""
        return "nothing" if await self._client.tokens(grant).end() is None else "ended"

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)
