"""The duties of a transport that is awaited: towards the event loop and its tasks."""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, Final

from oidc_adapters.testing.fault_server import Drip, FaultServer, Read, Send, Wait, ok
from oidc_adapters.testing.transport_place import (
    CLOCK,
    PLAIN,
    Place,
    answering,
    check,
    check_answered,
    wire,
)
from oidc_adapters.testing.transport_worlds import Tasks

BLOCKED: Final = 0.005
"""Seconds for which an event loop may be blocked."""

_ATTEMPTS: Final = 40
_AT_ONCE: Final = 2
_SOON: Final = 0.3


def _tasks(place: Place) -> Tasks:
    if isinstance(place.world, Tasks):
        return place.world
    failure = "this duty is for code that awaits"
    raise AssertionError(failure)


async def cancellation(place: Place) -> None:
    """A task that waits for an answer can be cancelled, and the next exchange succeeds."""
    stuck = (Read(), Wait())
    slow = (Read(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"), Drip(b"x" * 60))
    late = Drip(ok(b"poison"), every=0.2, piece=999)
    poison = (Read(), late, Read(), Send(PLAIN), Wait())
    for script in (stuck, slow, poison):
        with answering(script, (Read(), Send(PLAIN), Wait())) as server:
            transport = place.transport()
            took = await _cancelled(place, transport, server)
            check(took <= _SOON, f"a cancelled task ended after {took:.2f} s")
            await place.world.pause(0.25)
            check_answered(await place.send(transport, server.url(), deadline=3))


async def _cancelled(place: Place, transport: Any, server: FaultServer) -> float:
    async def send() -> None:
        await transport.send(wire(server.url(), deadline=2), CLOCK)
        raise AssertionError("a task was not cancelled")

    return await _tasks(place).cancelled(send, lambda: bool(server.requests))


async def cancelled_often(place: Place) -> None:
    """Cancelled exchanges use up no place among its connections."""
    with answering(*(((Read(), Wait()),) * 24), (Read(), Send(PLAIN), Wait())) as server:
        transport = place.transport()
        for number in range(24):

            async def send() -> None:
                await transport.send(wire(server.url(), deadline=0.5), CLOCK)

            def heard(least: int = number) -> bool:
                return len(server.requests) > least

            await _tasks(place).cancelled(send, heard)
        check_answered(await place.send(transport, server.url(), deadline=3))


async def loop(place: Place) -> None:
    """The event loop is never blocked for 5 ms; what a busy machine adds is tried again."""
    tls = place.authority.server("both", host="localhost")
    body = ok(b"x" * 60_000)
    slowly = (Drip(body[:40], every=0.03, piece=40), Send(body[40:]))
    worst: list[float] = []
    with answering((Read(), *slowly) * _AT_ONCE, tls=tls) as server:
        url = server.url(host="localhost")
        for _ in range(_ATTEMPTS):
            transport = place.transport(ca=place.authority.path)
            worst.append(await _tasks(place).worst_gap(_exchanges(place, transport, url)))
            if worst[-1] < BLOCKED:
                return
    least = min(worst) * 1_000
    raise AssertionError(f"it blocks the event loop for {least:.1f} ms")


def _exchanges(place: Place, transport: Any, url: str) -> list[Callable[[], Awaitable[None]]]:
    async def exchange() -> None:
        check_answered(await place.send(transport, url), b"x" * 60_000)

    return [exchange] * _AT_ONCE


async def side_by_side(place: Place) -> None:
    """Slow exchanges with one origin do not keep those with another waiting."""
    with (
        answering((Read(), Wait())) as dead,
        answering((Read(), Send(PLAIN), Wait())) as alive,
    ):
        transport = place.transport()

        async def stuck() -> None:
            await place.send(transport, dead.url(), deadline=0.8)

        async def quick() -> None:
            await place.world.pause(0.2)
            start = monotonic()
            check_answered(await place.send(transport, alive.url(), deadline=5))
            took = monotonic() - start
            check(took < 0.5, f"an honest server had to wait for {took:.2f} s")

        await _tasks(place).together([*[stuck] * 24, quick])
