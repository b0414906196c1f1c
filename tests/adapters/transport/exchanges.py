"""Requests over a transport, and their outcomes."""

import socket
import ssl
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import FaultServer, Read
from oidc_adapters.testing.transport_place import wire
from oidc_adapters.transport import Transport
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest

CLOCK = FrozenClock(1_234)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LATE = 0.6
"""Seconds by which an exchange may end after its deadline on a machine that is busy with more."""


request = partial(wire, deadline=5)


def answered(answer: HttpResponse | NoAnswer) -> HttpResponse:
    assert isinstance(answer, HttpResponse), answer
    return answer


def failed(answer: HttpResponse | NoAnswer) -> tuple[str, str]:
    assert isinstance(answer, NoAnswer), answer
    assert answer.at == 1_234
    return answer.code, answer.sent


def side_by_side(
    transport: Transport, wire: WireRequest, times: int
) -> list[HttpResponse | NoAnswer]:
    with ThreadPoolExecutor(times) as threads:
        futures = [threads.submit(transport.send, wire, CLOCK) for _ in range(times)]
        return [future.result() for future in futures]


def played(transport: Transport, *acts: Any, **options: Any) -> HttpResponse | NoAnswer:
    with FaultServer((Read(), *acts)) as server:
        return transport.send(request(server.url("/token"), **options), CLOCK)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def bad_contexts(authority: Authority, folder: Path) -> dict[str, ssl.SSLContext]:
    old = authority.server("old")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    return {
        "another-host": authority.server("wrong", host="other.example"),
        "expired": authority.server("expired", expired=True),
        "another-authority": Authority(folder, "stranger").server("strange"),
        "old-protocol": old,
    }
