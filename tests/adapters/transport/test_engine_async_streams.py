"""The network under an event loop, as the engine of httpx takes it."""

from http.client import HTTPException
from typing import Any

import pytest

from oidc_adapters.testing.fault_server import FaultServer, Read, Send, Wait, ok
from tests.adapters.transport.exchanges import CLOCK, answered, failed, request
from tests.flows.rig import run_asyncio, run_trio

pytest.importorskip("httpcore")

from oidc_adapters.transport.engine_async_streams import AsyncGuardedBackend
from oidc_adapters.transport.over_httpx import AsyncHttpxTransport

BOTH = pytest.mark.parametrize("run", [run_asyncio, run_trio])


@BOTH
def test_a_network_has_no_other_places_and_does_not_sleep(run: Any) -> None:
    network = AsyncGuardedBackend(None, (OSError,))

    async def refuse() -> None:
        with pytest.raises(HTTPException):
            await network.connect_unix_socket("/place")
        with pytest.raises(HTTPException):
            await network.sleep(1)
        with pytest.raises(HTTPException, match="no exchange"):
            await network.connect_tcp("127.0.0.1", 9)

    run(refuse)


@BOTH
def test_the_next_address_is_tried_if_the_first_does_not_answer(run: Any) -> None:
    """Where ``localhost`` is ::1 first, nothing listens there."""

    async def exchange() -> None:
        with FaultServer((Read(), Send(ok()), Wait())) as server:
            async with AsyncHttpxTransport() as transport:
                answered(await transport.send(request(server.url(host="localhost")), CLOCK))

    run(exchange)


@BOTH
def test_a_name_without_an_address_is_told(run: Any) -> None:
    async def exchange() -> None:
        async with AsyncHttpxTransport() as transport:
            wire = request("https://op.invalid/", deadline=20)
            answer = await transport.send(wire, CLOCK)
            assert failed(answer) == ("http_connect_failed", "no")
            assert getattr(answer, "cause", "") == "dns"

    run(exchange)
