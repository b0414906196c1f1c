"""What the transports over the engine of httpx have in common."""

import gc
import warnings
from typing import Any

import pytest

from oidc_adapters.testing.fault_server import FaultServer, Read, Send, Wait, ok
from tests.adapters.transport.exchanges import CLOCK, answered, request
from tests.flows.rig import run_asyncio, run_trio

pytest.importorskip("httpcore")

from oidc_adapters.transport.over_httpx import AsyncHttpxTransport, HttpxTransport

SCRIPT = (*((Read(), Send(ok())) * 200), Wait())


def test_pools_without_a_request_are_closed_when_there_are_many() -> None:
    with FaultServer(SCRIPT) as server, HttpxTransport() as transport:
        for number in range(70):
            host = f"127.0.0.{number + 1}"
            transport.send(request(f"http://{host}:{server.port}/", reach="private"), CLOCK)
        answered(transport.send(request(server.url()), CLOCK))
        assert len(transport._pools) <= 10


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_the_same_under_an_event_loop(run: Any) -> None:
    async def exchange() -> None:
        with FaultServer(SCRIPT) as server:
            async with AsyncHttpxTransport() as transport:
                for number in range(70):
                    host = f"127.0.0.{number + 1}"
                    wire = request(f"http://{host}:{server.port}/", reach="private")
                    await transport.send(wire, CLOCK)
                answered(await transport.send(request(server.url()), CLOCK))
                assert len(transport._pools) <= 10

    run(exchange)


def test_each_event_loop_has_connections_of_its_own() -> None:
    transport = AsyncHttpxTransport()
    with FaultServer(SCRIPT) as server:

        async def exchange() -> None:
            answered(await transport.send(request(server.url()), CLOCK))
            for key, pool in [*transport._pools.items()]:
                await pool.aclose()
                del transport._pools[key]

        for run in (run_asyncio, run_asyncio, run_trio):
            run(exchange)
        assert server.connections == 3


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_loops_that_have_ended_keep_no_connections(run: Any) -> None:
    transport = AsyncHttpxTransport()
    with FaultServer(SCRIPT) as server:

        async def exchange() -> None:
            answered(await transport.send(request(server.url()), CLOCK))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # nobody closed the transport there
            for _ in range(9):
                run(exchange)
            gc.collect()
        assert len(transport._pools) == 1
        for _ in range(8):
            assert server.ended.acquire(timeout=5)

        async def close() -> None:
            await exchange()
            await transport.close()

        run(close)


def test_one_exchange_may_begin_within_another() -> None:
    from oidc_adapters.transport.exchange import CURRENT

    with FaultServer(SCRIPT) as server, HttpxTransport() as transport:
        answered(transport.send(request(server.url()), CLOCK))
        assert CURRENT.exchange is None


def test_a_proxy_gets_no_octets_without_tls_for_elsewhere() -> None:
    with (
        FaultServer(SCRIPT) as server,
        HttpxTransport(proxy=f"http://a:b@127.0.0.1:{server.port}") as transport,
    ):
        answered(transport.send(request("http://localhost:9/path?a"), CLOCK))
        head = server.requests[0]
    assert head.startswith(b"POST http://localhost:9/path?a HTTP/1.1\r\n")
    assert b"proxy-authorization: basic ytpi" in head.lower()
