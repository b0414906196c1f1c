"""Code that waits and code that awaits: what a duty needs of either."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from importlib import import_module
from threading import Event
from time import monotonic
from typing import Any, Final

from oidc_adapters.runtime.concurrency import running_trio

_TICK: Final = 0.001
_PATIENCE: Final = 5.0

_Work = Callable[[], Awaitable[None]]


class Waits:
    """Code that waits."""

    async def settled(self, result: Any, /) -> Any:
        """Return a result."""
        return result

    async def pause(self, seconds: float, /) -> None:
        """Let time pass."""
        Event().wait(seconds)


class Tasks:
    """Code that awaits, under asyncio or trio, the one that is running."""

    async def settled(self, result: Any, /) -> Any:
        """Return a result, awaited if it is awaitable."""
        return await result if inspect.isawaitable(result) else result

    async def pause(self, seconds: float, /) -> None:
        """Let time pass."""
        await (running_trio() or import_module("asyncio")).sleep(seconds)

    async def together(self, works: Sequence[_Work]) -> None:
        """Run pieces of work at the same time."""
        trio = running_trio()
        if trio is None:
            await import_module("asyncio").gather(*[work() for work in works])
            return
        async with trio.open_nursery() as nursery:
            for work in works:
                nursery.start_soon(work)

    async def cancelled(self, work: _Work, ready: Callable[[], bool]) -> float:
        """Begin a piece of work, cancel it once it is ready; return the seconds that took."""
        trio = running_trio()
        if trio is None:
            asyncio = import_module("asyncio")
            task = asyncio.ensure_future(work())
            await self._until(ready)
            start = monotonic()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            return monotonic() - start
        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)
            await self._until(ready)
            start = monotonic()
            nursery.cancel_scope.cancel()
        return monotonic() - start

    async def _until(self, ready: Callable[[], bool]) -> None:
        end = monotonic() + _PATIENCE
        while not ready():
            if monotonic() > end:
                raise AssertionError("the request never arrived")
            await self.pause(0.005)

    async def worst_gap(self, works: Sequence[_Work]) -> float:
        """Run pieces of work at the same time; return for how long they held the loop at most."""
        gaps: list[float] = []
        done: list[None] = []

        async def ticks() -> None:
            while len(done) < len(works):
                start = monotonic()
                await self.pause(_TICK)
                gaps.append(monotonic() - start - _TICK)

        def counted(work: _Work) -> _Work:
            async def run() -> None:
                try:
                    await self.pause(2 * _TICK)  # let the ticks begin
                    await work()
                finally:
                    done.append(None)

            return run

        await self.together([ticks, *map(counted, works)])
        return max(gaps)
