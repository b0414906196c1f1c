import asyncio
import contextvars
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import pytest
import trio

from oidc_adapters.runtime.clock import Clock, FrozenClock
from oidc_adapters.testing.fault_server import FaultServer, Read, Send, Wait, ok
from oidc_adapters.transport import AsyncTransport, Transport, in_threads, judges_addresses
from oidc_adapters.transport.in_threads import InThreads
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest

CLOCK = FrozenClock(1_000)
WHO = contextvars.ContextVar("WHO", default="nobody")


def request(url: str = "http://127.0.0.1:1/", deadline: float = 5) -> WireRequest:
    return WireRequest(
        reach="any",
        method="GET",
        url=url,
        headers=(),
        body=None,
        resend="never",
        max_body=100,
        deadline=deadline,
    )


class Gated:
    """A transport that answers when its gate is opened."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.sent: list[str] = []
        self.threads: set[int] = set()

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        self.sent.append(request.url)
        self.threads.add(threading.get_ident())
        self.entered.release()
        self.gate.wait(10)
        return HttpResponse(200, (), WHO.get().encode(), clock.now())


class Recorded:
    """A transport that answers at once and notes how long it might have taken."""

    def __init__(self) -> None:
        self.deadlines: list[float] = []

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        self.deadlines.append(request.deadline)
        return HttpResponse(200, (), b"", clock.now())


def under_asyncio(main: Callable[[], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        return await main()

    return asyncio.run(run())


def under_trio(main: Callable[[], Awaitable[Any]]) -> Any:
    return trio.run(main)


@pytest.mark.parametrize("run", [under_asyncio, under_trio])
def test_a_request_goes_through_the_blocking_transport(
    run: Callable[[Callable[[], Awaitable[Any]]], Any],
) -> None:
    async def main() -> HttpResponse | NoAnswer:
        transport: AsyncTransport
        async with InThreads(blocking) as transport:
            return await transport.send(request(server.url("/x")), CLOCK)

    blocking: Transport
    with FaultServer((Read(), Send(ok(b"hello")))) as server, Urllib3Transport() as blocking:
        answer = run(main)
    assert isinstance(answer, HttpResponse)
    assert (answer.status, answer.body, answer.received_at) == (200, b"hello", 1_000)


def test_exchanges_run_side_by_side_with_the_context_of_their_tasks() -> None:
    gated = Gated()

    async def main() -> list[HttpResponse | NoAnswer]:
        WHO.set("alice")
        async with InThreads(gated, threads=2) as transport:
            tasks = [asyncio.ensure_future(transport.send(request(), CLOCK)) for _ in range(2)]
            await asyncio.to_thread(lambda: [gated.entered.acquire(timeout=10) for _ in tasks])
            gated.gate.set()
            return await asyncio.gather(*tasks)

    answers = asyncio.run(main())
    assert [a.body for a in answers if isinstance(a, HttpResponse)] == [b"alice", b"alice"]
    assert len(gated.threads) == 2
    assert threading.get_ident() not in gated.threads


def test_a_request_that_waits_for_its_turn_is_not_sent_once_cancelled() -> None:
    gated = Gated()

    async def main() -> None:
        async with InThreads(gated, threads=1) as transport:
            first = asyncio.ensure_future(transport.send(request("http://127.0.0.1:1/1"), CLOCK))
            await asyncio.to_thread(gated.entered.acquire, timeout=10)
            second = asyncio.ensure_future(transport.send(request("http://127.0.0.1:1/2"), CLOCK))
            await asyncio.sleep(0)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            gated.gate.set()
            await first

    asyncio.run(main())
    assert gated.sent == ["http://127.0.0.1:1/1"]


def test_cancelling_a_request_under_way_does_not_wait_for_it() -> None:
    gated = Gated()

    async def main() -> bool:
        transport = InThreads(gated)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(transport.send, request(), CLOCK)
                await trio.to_thread.run_sync(gated.entered.acquire)
                scope.cancel()
        over = scope.cancelled_caught
        gated.gate.set()
        transport.close()
        return over

    assert trio.run(main)
    assert gated.sent == ["http://127.0.0.1:1/"]


def test_waiting_for_a_turn_uses_up_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 0.0, 0.0, 0.9, 0.0, 4.9])  # each submitted, and then taken up
    monkeypatch.setattr(in_threads, "monotonic", lambda: next(times))
    recorded = Recorded()

    async def main() -> list[HttpResponse | NoAnswer]:
        async with InThreads(recorded) as transport:
            return [await transport.send(request(), CLOCK) for _ in range(3)]

    asyncio.run(main())
    assert recorded.deadlines == [5, pytest.approx(4.1), pytest.approx(0.1)]


def test_a_request_whose_turn_never_came_in_time_is_not_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter([0.0, 5.0])
    monkeypatch.setattr(in_threads, "monotonic", lambda: next(times))
    recorded = Recorded()

    async def main() -> HttpResponse | NoAnswer:
        async with InThreads(recorded) as transport:
            return await transport.send(request(), CLOCK)

    assert asyncio.run(main()) == NoAnswer("no", "http_timeout", 1_000, "busy")
    assert recorded.deadlines == []


NEVER, LONG = 1.5, 30
"""Seconds for an exchange with a provider that never answers, and with one that does."""


class Beside:
    """Sends many requests to a provider that never answers, and then some to one that does."""

    def __init__(self, transport: AsyncTransport, dead: str, alive: str) -> None:
        self.transport, self.dead, self.alive = transport, dead, alive
        self.took: list[float] = []
        self.answers: list[HttpResponse | NoAnswer] = []
        self.failures: list[HttpResponse | NoAnswer] = []
        self.slowest = 0.0

    async def to_the_dead(self) -> None:
        self.failures.append(await self.transport.send(request(self.dead, NEVER), CLOCK))

    async def to_the_living(self) -> None:
        start = monotonic()
        self.answers.append(await self.transport.send(request(self.alive, LONG), CLOCK))
        self.took.append(monotonic() - start)

    async def watch(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Note for how long the loop was ever busy with one thing."""
        for _ in range(50):
            before = monotonic()
            await sleep(0.01)
            self.slowest = max(self.slowest, monotonic() - before - 0.01)


async def asyncio_beside(beside: Beside, dead: int) -> None:
    waiting = [asyncio.create_task(beside.to_the_dead()) for _ in range(dead)]
    watch = asyncio.create_task(beside.watch(asyncio.sleep))
    await asyncio.sleep(0.05)
    for _ in range(5):
        await beside.to_the_living()
    await asyncio.gather(watch, *waiting)


async def trio_beside(beside: Beside, dead: int) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(dead):
            nursery.start_soon(beside.to_the_dead)
        nursery.start_soon(beside.watch, trio.sleep)
        await trio.sleep(0.05)
        for _ in range(5):
            await beside.to_the_living()


@pytest.mark.parametrize(
    ("run", "both"), [(under_asyncio, asyncio_beside), (under_trio, trio_beside)]
)
@pytest.mark.parametrize("dead", [32, 200])
def test_a_provider_that_never_answers_keeps_nobody_else_waiting(
    run: Callable[[Callable[[], Awaitable[Any]]], Any],
    both: Callable[[Beside, int], Awaitable[None]],
    dead: int,
) -> None:
    async def main() -> Beside:
        async with InThreads(blocking) as transport:
            beside = Beside(transport, silent.url(), server.url("/x"))
            await both(beside, dead)
            return beside

    script = (Read(), Send(ok(b"hello")))
    with (
        FaultServer((Wait(),)) as silent,
        FaultServer(script * 5) as server,
        Urllib3Transport() as blocking,
    ):
        beside = run(main)
    assert [answer.body for answer in beside.answers if isinstance(answer, HttpResponse)] == [
        b"hello"
    ] * 5
    assert max(beside.took) < NEVER  # however busy this machine is
    codes = {(one.code, one.sent) for one in beside.failures if isinstance(one, NoAnswer)}
    # A caller that waits for its turn may get it exactly when its time is up.
    assert ("http_timeout", "maybe") in codes
    assert codes <= {("http_timeout", "maybe"), ("http_timeout", "no")}
    assert len(beside.failures) == dead
    assert beside.slowest < NEVER


DEAD, LIVING = "https://dead.example/", "https://living.example/"


class Held:
    """A transport that answers the living at once, and the dead when it is told to."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.lock = threading.Lock()
        self.begun = threading.Semaphore(0)
        self.under_way: dict[str, int] = {}
        self.sent: list[str] = []

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        with self.lock:
            self.under_way[request.url] = self.under_way.get(request.url, 0) + 1
            self.sent.append(request.url)
        self.begun.release()
        if "dead" in request.url:
            self.gate.wait(30)
        return HttpResponse(200, (), b"", clock.now())


def test_origins_that_are_dead_leave_a_thread_for_others() -> None:
    """Each gets the fewer, the more the others have; alone, an origin has its whole share."""

    async def main() -> HttpResponse | NoAnswer:
        async with InThreads(held) as transport:
            waiting: list[asyncio.Task[Any]] = []
            for number in range(25):
                dead = request(f"https://dead{number}.example/", 30)
                waiting += [asyncio.create_task(transport.send(dead, CLOCK)) for _ in range(40)]
                await asyncio.sleep(0)
            answer = await asyncio.wait_for(
                transport.send(request("https://living.example/", 30), CLOCK), 10
            )
            shares.extend(list(held.under_way.values()))
            held.gate.set()
            for each in waiting:
                each.cancel()
            return answer

    held, shares = Held(), list[int]()
    assert isinstance(asyncio.run(main()), HttpResponse)
    assert shares[:4] == [16, 14, 13, 11]
    assert shares[24:] == [1, 1]  # the last that is dead, and the one that lives


def test_the_next_thread_that_is_free_goes_to_the_origin_with_the_fewest() -> None:
    """A caller with many requests waiting does not go first with each of them."""

    async def main() -> None:
        async with InThreads(held, threads=1) as transport:

            def sending(url: str) -> asyncio.Task[HttpResponse | NoAnswer]:
                return asyncio.create_task(transport.send(request(url, 30), CLOCK))

            waiting = [sending(DEAD) for _ in range(3)]
            await asyncio.to_thread(held.begun.acquire, timeout=10)
            given_up, *living = sending("https://gone.example/"), sending(LIVING), sending(LIVING)
            await asyncio.sleep(0)
            given_up.cancel()
            await asyncio.sleep(0)
            held.gate.set()
            await asyncio.gather(*living, *waiting)

    held = Held()
    asyncio.run(main())
    assert held.sent == [DEAD, LIVING, DEAD, LIVING, DEAD]


def test_an_origin_leaves_nothing_behind() -> None:
    async def main() -> int:
        async with InThreads(Recorded(), threads=1) as transport:
            for number in range(5):
                await transport.send(request(f"https://op{number}.example/"), CLOCK)
            pool = transport._threads._pool
            await asyncio.to_thread(pool.shutdown)
            return len(transport._threads._origins)

    assert asyncio.run(main()) == 0


def test_a_turn_that_never_comes_ends_in_time() -> None:
    """Where all threads are taken, a request of another origin fails by its own deadline."""
    gated = Gated()

    async def main() -> tuple[HttpResponse | NoAnswer, float]:
        async with InThreads(gated, threads=1) as transport:
            first = asyncio.create_task(transport.send(request("http://127.0.0.1:1/"), CLOCK))
            await asyncio.to_thread(gated.entered.acquire, timeout=10)
            start = monotonic()
            second = await transport.send(request("http://127.0.0.1:2/", 0.1), CLOCK)
            took = monotonic() - start
            gated.gate.set()
            await first
            return second, took

    answer, took = asyncio.run(main())
    assert answer == NoAnswer("no", "http_timeout", 1_000, "busy")
    assert 0.09 < took < 0.4
    assert gated.sent == ["http://127.0.0.1:1/"]


def test_nothing_is_sent_once_it_is_closed() -> None:
    recorded = Recorded()
    transport = InThreads(recorded)
    transport.close()

    with pytest.raises(UsageError) as refused:
        asyncio.run(transport.send(request(), CLOCK))
    assert (refused.value.code, refused.value.found) == ("config_invalid", "closed")
    assert recorded.deadlines == []


def test_a_forked_process_starts_threads_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = Recorded()

    async def main() -> bool:
        async with InThreads(recorded) as transport:
            await transport.send(request(), CLOCK)
            left_behind = transport._threads._pool
            monkeypatch.setattr(os, "getpid", lambda: -1)  # as it is in the child
            await transport.send(request(), CLOCK)
            left_behind.shutdown()
            return transport._threads._pool is not left_behind

    assert asyncio.run(main())
    assert recorded.deadlines == [pytest.approx(5, abs=0.5)] * 2


def test_urllib3_is_imported_by_its_own_transport_only() -> None:
    code = (
        "import sys\n"
        "import oidc_adapters.transport, oidc_adapters.transport.in_threads\n"
        "import oidc_adapters.runtime.clock, oidc_adapters.runtime.entropy\n"
        "import oidc_adapters.transport.tls\n"
        "print('urllib3' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "False"


def test_it_judges_addresses_as_what_it_runs_does() -> None:
    with Urllib3Transport() as judging:
        assert judges_addresses(InThreads(judging))
    with Urllib3Transport(proxy="http://127.0.0.1:9") as proxied:
        assert not judges_addresses(InThreads(proxied))
