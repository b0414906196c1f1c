"""A server of faults plays its scripts."""

from __future__ import annotations

import socket
import time

import pytest

from oidc_adapters.testing.fault_server import Drip, FaultServer, Read, Reset, Send, ok


def received(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        found = b""
        while octets := client.recv(4_096):
            found += octets
        return found


def test_each_connection_gets_its_script_and_the_last_one_repeats() -> None:
    with FaultServer((Read(), Send(ok(b"1"))), (Read(), Send(ok(b"2")))) as server:
        bodies = [received(server.port)[-1:] for _ in range(3)]

        assert bodies == [b"1", b"2", b"2"]
        assert server.requests[0].endswith(b"\r\n\r\n{}")


def test_it_drips() -> None:
    with FaultServer((Read(), Drip(b"abcd", every=0.03))) as server:
        start = time.monotonic()

        assert received(server.port) == b"abcd"
        assert time.monotonic() - start >= 0.12


def test_it_resets() -> None:
    with FaultServer((Read(), Reset())) as server, pytest.raises(ConnectionResetError):
        received(server.port)
