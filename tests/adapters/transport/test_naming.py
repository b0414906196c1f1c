"""Each cause of a failed exchange, met for real on loopback: no two of them look the same."""

import datetime as dt
import errno
import socket
import ssl
import warnings
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from typing import Any

import pytest
from urllib3.exceptions import EmptyPoolError, NewConnectionError, ProtocolError, ProxyError
from urllib3.exceptions import SSLError as PooledSSLError

from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import (
    FaultServer,
    HalfClose,
    Read,
    Reset,
    Script,
    Send,
    Wait,
    ok,
)
from oidc_adapters.transport.exchange import Exchange
from oidc_adapters.transport.naming import cause_of
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.wire.causes import CAUSES
from oidc_core.wire.http import NoAnswer
from tests.adapters.transport.exchanges import CLOCK, closed_port, request

DAY = dt.timedelta(days=1)


def told(transport: Urllib3Transport, url: str, **options: Any) -> tuple[str, str, str]:
    answer = transport.send(request(url, **options), CLOCK)
    assert isinstance(answer, NoAnswer), answer
    return answer.code, answer.cause, answer.sent


def over_tls(authority: Authority) -> Urllib3Transport:
    return Urllib3Transport(ca=authority.path)


# --- the connection ------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_port_that_refuses(transport: Urllib3Transport, scheme: str) -> None:
    url = f"{scheme}://127.0.0.1:{closed_port()}/"
    assert told(transport, url) == ("http_connect_failed", "refused", "no")


def test_a_name_without_an_address(transport: Urllib3Transport) -> None:
    answer = told(transport, "https://op.invalid/token", deadline=20)
    assert answer == ("http_connect_failed", "dns", "no")


def test_a_connection_that_is_reset_or_ends(transport: Urllib3Transport) -> None:
    scripts: list[Script] = [
        (Read(), Reset()),
        (Read(),),
        (Read(), Send(b"HTTP/1.1 200 OK\r\nContent-Le")),
        (Read(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")),
        (Read(), Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nshort")),
        (Read(), Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9")),
        (Read(), Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r")),
    ]
    for script in scripts:
        with FaultServer(script) as server:
            assert told(transport, server.url()) == ("http_malformed", "reset", "maybe")


@pytest.mark.parametrize(
    "octets",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",  # a TLS alert, where http meets a port for https
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nname : value\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x7\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000,
    ],
)
def test_an_answer_that_is_not_http(transport: Urllib3Transport, octets: bytes) -> None:
    with FaultServer((Read(), Send(octets), HalfClose(), Wait())) as server:
        assert told(transport, server.url()) == ("http_malformed", "not_http", "maybe")


def test_an_answer_that_does_not_come(transport: Urllib3Transport) -> None:
    with FaultServer((Read(), Wait())) as server:
        answer = told(transport, server.url(), deadline=0.2)
        assert answer == ("http_timeout", "timeout", "maybe")


def test_an_address_that_is_not_allowed(transport: Urllib3Transport) -> None:
    with FaultServer((Wait(),)) as server:
        answer = told(transport, server.url(), reach="public")
        assert answer == ("address_not_allowed", "address_not_allowed", "no")


def test_http_that_would_go_through_a_proxy() -> None:
    with Urllib3Transport(proxy=f"http://127.0.0.1:{closed_port()}") as transport:
        answer = told(transport, "http://op.example/", reach="private")
        assert answer == ("address_not_allowed", "proxy_for_http", "no")


def test_a_proxy_that_refuses() -> None:
    with (
        FaultServer((Read(), Send(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"))) as proxy,
        Urllib3Transport(proxy=proxy.url()) as transport,
    ):
        answer = told(transport, "https://op.example/")
        assert answer == ("http_connect_failed", "proxy", "no")


# --- TLS -----------------------------------------------------------------------------------------


def test_a_server_without_tls(transport: Urllib3Transport) -> None:
    with FaultServer((Send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Wait())) as server:
        url = server.url().replace("http:", "https:")
        assert told(transport, url) == ("tls_failed", "plain_http", "no")


def test_a_certificate_that_is_not_good(authority: Authority, tmp_path: Path) -> None:
    servers = {
        "certificate_expired": authority.server("expired", expired=True),
        "certificate_not_yet_valid": authority.server("early", begins=DAY),
        "certificate_name": authority.server("other", host="other.example"),
        "certificate_unknown_ca": Authority(tmp_path, "stranger").server("strange"),
    }
    with over_tls(authority) as transport:
        for cause, tls in servers.items():
            with FaultServer((Wait(),), tls=tls) as server:
                assert told(transport, server.url()) == ("tls_failed", cause, "no")


def test_a_certificate_for_another_name(authority: Authority) -> None:
    with (
        over_tls(authority) as transport,
        FaultServer((Wait(),), tls=authority.server("address")) as server,
    ):
        url = server.url(host="localhost")
        assert told(transport, url) == ("tls_failed", "certificate_name", "no")


def test_a_certificate_that_signed_itself(authority: Authority, tmp_path: Path) -> None:
    own = Authority(tmp_path, "own")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own.own())
    with over_tls(authority) as transport, FaultServer((Wait(),), tls=context) as server:
        assert told(transport, server.url()) == ("tls_failed", "certificate_self_signed", "no")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_a_server_whose_tls_is_too_old(authority: Authority, version: ssl.TLSVersion) -> None:
    old = authority.server(f"old-{version.name}")
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = version
    lenient = ssl.create_default_context(cafile=str(authority.path))
    lenient.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    lenient.set_ciphers("DEFAULT:@SECLEVEL=0")
    for transport in (over_tls(authority), Urllib3Transport(ssl_context=lenient)):
        with transport, FaultServer((Wait(),), tls=old) as server:
            assert told(transport, server.url()) == ("tls_failed", "tls_too_old", "no")


def test_two_sides_without_a_cipher_in_common(authority: Authority) -> None:
    tls = authority.server("rsa-only")
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")  # the certificate is of an elliptic curve
    with over_tls(authority) as transport, FaultServer((Wait(),), tls=tls) as server:
        assert told(transport, server.url()) == ("tls_failed", "tls_handshake", "no")


def test_a_server_that_wants_a_client_certificate(authority: Authority) -> None:
    tls = authority.server("asking", ask_client=True)
    with (
        over_tls(authority) as transport,
        FaultServer((Read(), Send(ok())), tls=tls) as server,
    ):
        code, cause, _ = told(transport, server.url())
        assert (code, cause) == ("tls_failed", "client_certificate")


def test_a_connection_that_ends_in_the_handshake(authority: Authority) -> None:
    with over_tls(authority) as transport, FaultServer((Send(b""),)) as server:
        url = server.url().replace("http:", "https:")
        code, cause, _ = told(transport, url)
        assert (code in {"tls_failed", "http_connect_failed"}, cause) == (True, "reset")


# --- errors that no loopback raises --------------------------------------------------------------


NO_POOL: Any = None
NO_CONNECTION: Any = None


def failed_by(cause: Exception) -> Exception:
    """Return what urllib3 makes of an error that it met while connecting."""
    error = NewConnectionError(NO_CONNECTION, "not connected")
    error.__cause__ = cause
    return error


def verification(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError()
    error.verify_code = code
    return error


def reasoned(reason: str | None) -> ssl.SSLError:
    error = ssl.SSLError()
    vars(error)["reason"] = reason
    return error


CHAINS: list[tuple[str, Exception, str]] = [
    ("http_connect_failed", failed_by(OSError(errno.EHOSTUNREACH, "")), "unreachable"),
    ("http_connect_failed", failed_by(OSError(errno.ENETUNREACH, "")), "unreachable"),
    ("http_connect_failed", failed_by(OSError("no address")), ""),
    ("http_connect_failed", ProxyError("x", failed_by(OSError(errno.ECONNREFUSED, ""))), "refused"),
    ("http_connect_failed", ProxyError("x", OSError("x")), "proxy"),
    ("http_malformed", ProtocolError("x", ConnectionError("x")), "reset"),
    ("http_malformed", IncompleteRead(b""), "reset"),
    ("http_malformed", HTTPException(), ""),
    ("http_malformed", ValueError("closed"), ""),
    ("http_timeout", EmptyPoolError(NO_POOL, "x"), "busy"),
    ("http_too_large", HTTPException("x"), ""),
    ("tls_failed", PooledSSLError(verification(23)), "certificate_revoked"),
    ("tls_failed", PooledSSLError(verification(66)), "certificate_weak"),
    ("tls_failed", PooledSSLError(verification(24)), "certificate_invalid"),
    ("tls_failed", PooledSSLError(reasoned("TLSV1_ALERT_UNKNOWN_CA")), "client_certificate"),
    ("tls_failed", PooledSSLError(reasoned("HTTP_REQUEST")), "plain_http"),
    ("tls_failed", PooledSSLError(reasoned("BAD_SIGNATURE")), "tls_handshake"),
    ("tls_failed", PooledSSLError(reasoned(None)), "tls_handshake"),
    ("tls_failed", PooledSSLError("x"), "tls_handshake"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "error", "cause"), CHAINS)
def test_what_a_library_wraps_is_found(code: str, error: Exception, cause: str) -> None:
    exchange = Exchange(0, max_body=1, reach="any")
    assert cause_of(exchange, error, code) == cause
    assert cause == "" or cause in CAUSES


def test_what_is_known_at_once_counts() -> None:
    exchange = Exchange(0, max_body=1, reach="any")
    exchange.cause = "tls_too_old"
    assert cause_of(exchange, PooledSSLError("x"), "tls_failed") == "tls_too_old"


def test_what_the_application_handles_meanwhile_says_nothing() -> None:
    """Python makes it the context of every exception that is raised after it."""

    exchange = Exchange(0, max_body=1, reach="any")
    try:
        socket.create_connection(("127.0.0.1", closed_port()))
    except ConnectionRefusedError:
        exchange = Exchange(0, max_body=1, reach="any")
    error = PooledSSLError(reasoned("NO_SHARED_CIPHER"))
    error.__context__ = exchange.handled
    assert isinstance(error.__context__, ConnectionRefusedError)
    assert cause_of(exchange, error, "tls_failed") == "tls_handshake"


def test_a_chain_without_end_is_looked_at_only_so_far() -> None:
    first, last = OSError("x"), OSError("y")
    first.__cause__, last.__cause__ = last, first
    assert cause_of(Exchange(0, max_body=1, reach="any"), first, "http_connect_failed") == ""
    long: Exception = socket.gaierror("x")
    for _ in range(100):
        long = failed_by(long)
    assert cause_of(Exchange(0, max_body=1, reach="any"), long, "http_connect_failed") == ""
