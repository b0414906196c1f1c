"""The transport over aiohttp; test_tried.py tries its duties."""

import asyncio
import socket
import ssl
import subprocess
import sys
from time import monotonic
from typing import Any

import pytest

from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import Drip, FaultServer, Read, Send, Wait, ok
from oidc_adapters.transport.dialling import Address, Resolver
from oidc_adapters.transport.exchange import Exchange
from oidc_core.wire.errors import UsageError
from tests.adapters.transport.exchanges import CLOCK, answered, failed, request
from tests.adapters.transport.test_tls_versions import OLD, lenient, speaking
from tests.flows.rig import run_asyncio

pytest.importorskip("aiohttp")

from oidc_adapters.transport import over_aiohttp
from oidc_adapters.transport.over_aiohttp import (
    AiohttpTransport,
    check_connection,
    count_octets,
)

IMPORT = """
import sys
import oidc_adapters, oidc_adapters.transport, oidc_adapters.testing
print("aiohttp" in sys.modules)
"""


def test_it_is_imported_only_by_its_own_module() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, check=True, text=True
    )
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    "setting", ["ca", "client_certificate", "ssl_context", "proxy", "pool_size"]
)
def test_a_setting_of_another_type_is_refused(setting: str) -> None:
    odd: dict[str, Any] = {setting: 0.5}
    with pytest.raises(UsageError) as refused:
        AiohttpTransport(**odd)
    assert (refused.value.code, refused.value.about) == ("config_invalid", setting)


def test_a_get_is_not_repeated_by_the_library() -> None:
    async def exchange() -> None:
        with FaultServer((Read(),), (Read(), Send(ok()), Wait())) as server:
            async with AiohttpTransport() as transport:
                wire = request(server.url(), method="GET", body=None)
                answer = await transport.send(wire, CLOCK)
                assert failed(answer) == ("http_malformed", "maybe")
                assert getattr(answer, "cause", "") == "reset"
                assert server.connections == 1

    run_asyncio(exchange)


def test_each_exchange_has_its_own_connection() -> None:
    async def exchanges() -> None:
        with FaultServer((Read(), Send(ok(b"right"))) * 8) as server:
            async with AiohttpTransport(pool_size=1) as transport:
                sent = [transport.send(request(server.url()), CLOCK) for _ in range(8)]
                found = [answered(each).body for each in await asyncio.gather(*sent)]
        assert (found, server.connections) == ([b"right"] * 8, 8)

    run_asyncio(exchanges)


@pytest.mark.parametrize("status", [b"101 Switching Protocols\r\nUpgrade: x", b"099 x"])
def test_what_is_no_final_answer_is_none(status: bytes) -> None:
    async def exchange() -> None:
        with FaultServer((Read(), Send(b"HTTP/1.1 " + status + b"\r\n\r\n{}"))) as server:
            async with AiohttpTransport() as transport:
                answer = await transport.send(request(server.url()), CLOCK)
                assert failed(answer) == ("http_malformed", "maybe")

    run_asyncio(exchange)


def test_a_header_is_as_long_as_over_other_libraries() -> None:
    async def exchange() -> None:
        long = b"X: " + b"y" * 30_000
        with FaultServer((Read(), Send(ok(b"{}", long)), Wait())) as server:
            async with AiohttpTransport() as transport:
                answered(await transport.send(request(server.url()), CLOCK))

    run_asyncio(exchange)


def test_each_event_loop_has_connections_of_its_own() -> None:
    transport = AiohttpTransport()
    with FaultServer((Read(), Send(ok()), Wait())) as server:

        async def exchange() -> None:
            answered(await transport.send(request(server.url()), CLOCK))
            for key, session in [*transport._sessions.items()]:
                await session.close()
                del transport._sessions[key]

        run_asyncio(exchange)
        run_asyncio(exchange)


def test_loops_that_have_ended_keep_no_sessions() -> None:
    transport = AiohttpTransport()
    with FaultServer((Read(), Send(ok()), Wait())) as server:

        async def exchange() -> None:
            answered(await transport.send(request(server.url()), CLOCK))

        async def close() -> None:
            await exchange()
            await transport.close()

        for _ in range(9):
            run_asyncio(exchange)
        assert len(transport._sessions) == 1
        run_asyncio(close)


def test_a_closed_transport_sends_nothing() -> None:
    transport = AiohttpTransport()

    async def close_and_send() -> None:
        await transport.close()
        await transport.send(request("http://127.0.0.1:9/"), CLOCK)

    with pytest.raises(UsageError) as refused:
        run_asyncio(close_and_send)
    assert (refused.value.code, refused.value.about) == ("config_invalid", "transport")


def test_a_name_without_an_address_is_told() -> None:
    async def exchange() -> None:
        async with AiohttpTransport() as transport:
            answer = await transport.send(request("https://op.invalid/", deadline=20), CLOCK)
            assert failed(answer) == ("http_connect_failed", "no")
            assert getattr(answer, "cause", "") == "dns"

    run_asyncio(exchange)


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []

    def lookup(host: str, port: int) -> list[Address]:
        names.append(host)
        place = ("127.0.0.1", port)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)]

    monkeypatch.setattr(over_aiohttp, "RESOLVER", Resolver(lookup))

    async def exchange() -> None:
        with FaultServer((Read(), Send(ok()), Wait())) as server:
            async with AiohttpTransport() as transport:
                url = server.url(host="localhost")
                answered(await transport.send(request(url, reach="private"), CLOCK))

    run_asyncio(exchange)
    assert names == ["localhost"]


def refused_over_tls(context: ssl.SSLContext, server: FaultServer, change: Any) -> None:
    async def exchange() -> None:
        async with AiohttpTransport(ssl_context=context) as transport:
            change()
            answer = await transport.send(request(server.url(), reach="private"), CLOCK)
            assert failed(answer) == ("tls_failed", "no")

    run_asyncio(exchange)
    assert server.ended.acquire(timeout=5)
    assert (len(server.spoken), server.unasked) == (1, b"")


def test_settings_that_are_changed_later_verify_all_the_same(authority: Authority) -> None:
    context = ssl.create_default_context(cafile=str(authority.path))

    def change() -> None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE

    named = authority.server("named", host="other.example")
    with FaultServer((Wait(),), tls=named) as server:
        refused_over_tls(context, server, change)


@pytest.mark.parametrize("version", OLD)
def test_an_old_version_of_tls_gets_no_request(
    authority: Authority, version: ssl.TLSVersion
) -> None:
    with FaultServer((Wait(),), tls=speaking(authority, version)) as server:
        refused_over_tls(lenient(authority), server, lambda: None)


def test_closing_lets_exchanges_end() -> None:
    async def exchanges() -> None:
        slowly = (Read(), Drip(ok(b"right"), every=0.1, piece=22))
        with FaultServer(slowly) as server:
            transport = AiohttpTransport(pool_size=2)
            wire = request(server.url(), method="GET", body=None, deadline=9)
            tasks = [asyncio.ensure_future(transport.send(wire, CLOCK)) for _ in range(6)]
            for _ in range(2):
                await asyncio.to_thread(server.heard.acquire, timeout=5)
            await transport.close()
            bodies = [answered(each).body for each in await asyncio.gather(*tasks)]
        assert bodies == [b"right"] * 6

    run_asyncio(exchanges)


class Gone:
    """A connection that the other side has left."""

    transport = None
    closed = False

    def close(self) -> None:
        self.closed = True


def test_a_server_that_has_gone_already_is_a_reset() -> None:
    gone: Any = Gone()
    exchange = Exchange(monotonic() + 5, max_body=9, reach="any")
    count_octets(gone.transport, gone, exchange)
    with pytest.raises(ConnectionResetError):
        check_connection(gone, "op.example", exchange)
    assert gone.closed
