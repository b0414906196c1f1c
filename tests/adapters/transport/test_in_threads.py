import asyncio
import contextvars
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from oidc_adapters.runtime.clock import Clock, FrozenClock
from oidc_adapters.transport import AsyncTransport, Transport, in_threads, judges_addresses
from oidc_adapters.transport.in_threads import InThreads
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest
from tests.adapters.transport.fault_server import FaultServer, Read, Send, ok

CLOCK = FrozenClock(1_000)
WHO = contextvars.ContextVar("WHO", default="nobody")


def request(url: str = "http://127.0.0.1:1/") -> WireRequest:
    return WireRequest(
        reach="any",
        method="GET",
        url=url,
        headers=(),
        body=None,
        resend="never",
        max_body=100,
        deadline=5,
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
        self.deadlines: list[int] = []

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
    assert recorded.deadlines == [5, 5, 1]


def test_a_request_whose_turn_never_came_in_time_is_not_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter([0.0, 5.0])
    monkeypatch.setattr(in_threads, "monotonic", lambda: next(times))
    recorded = Recorded()

    async def main() -> HttpResponse | NoAnswer:
        async with InThreads(recorded) as transport:
            return await transport.send(request(), CLOCK)

    assert asyncio.run(main()) == NoAnswer("no", "http_timeout", 1_000)
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
    assert recorded.deadlines == [5, 5]


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
