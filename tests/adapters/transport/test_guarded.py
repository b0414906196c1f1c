"""Answers that drip, break off or lie, and connections that are not to be trusted."""

import socket
import ssl
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from urllib3 import HTTPConnectionPool, PoolManager
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import (
    Drip,
    FaultServer,
    HalfClose,
    Handshake,
    Read,
    Reset,
    Script,
    Send,
    Wait,
    ok,
)
from oidc_adapters.transport.exchange import CURRENT, Exchange
from oidc_adapters.transport.guarded import (
    GuardedConnection,
    GuardedTlsConnection,
)
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_adapters.transport.receiving import GuardedResponse
from tests.adapters.transport.exchanges import (
    CHUNKED,
    CLOCK,
    HEAD,
    LATE,
    answered,
    bad_contexts,
    closed_port,
    failed,
    played,
    request,
)


@pytest.mark.parametrize(
    ("octets", "status", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b""),
        (
            b"HTTP/1.1 503 Busy\r\nRetry-After: 1000000000\r\nContent-Length: 2\r\n\r\nno",
            503,
            b"no",
        ),
        (b"HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n", 429, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\n\r\n{}", 200, b"{}"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\n", 200, b""),
        (
            CHUNKED + b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\nTrailer: 1\r\n\r\n",
            200,
            b"abc",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}"),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            + ok(b"later"),
            200,
            b"later",
        ),
    ],
)
def test_the_core_gets_whatever_is_well_formed(
    transport: Urllib3Transport, octets: bytes, status: int, body: bytes
) -> None:
    answer = answered(played(transport, Send(octets)))
    assert (answer.status, answer.body) == (status, body)


@pytest.mark.parametrize("fold", [b"\r\n ", b"\r\n\t", b"\n  "])
def test_a_value_that_was_folded_comes_in_one_line(
    transport: Urllib3Transport, fold: bytes
) -> None:
    """RFC 9112 §5.2: a line break within a value means a space, and goes no further."""
    octets = b"HTTP/1.1 204 No\r\nWWW-Authenticate: DPoP" + fold + b'error="e"\r\n\r\n'
    answer = answered(played(transport, Send(octets)))
    value = answer.header("www-authenticate")
    assert value is not None
    assert value.split() == ["DPoP", 'error="e"']
    assert not {"\r", "\n"} & {*value}


@pytest.mark.parametrize("octets", [ok(b"{}"), HEAD + b"{}", CHUNKED + b"2\r\n{}\r\n0\r\n\r\n"])
def test_any_of_several_encodings_is_refused(transport: Urllib3Transport, octets: bytes) -> None:
    line, rest = octets.split(b"\r\n", 1)
    several = b"\r\ncontent-encoding: identity\r\ncontent-encoding: gzip\r\n"
    answer = played(transport, Send(line + several + rest))
    assert failed(answer) == ("content_encoding_unexpected", "maybe")


@pytest.mark.parametrize(
    "acts",
    [
        pytest.param((Wait(),), id="never-answers"),
        pytest.param((Drip(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 99),), id="drips-headers"),
        pytest.param((Send(HEAD), Drip(b"x" * 10_000)), id="drips-the-body"),
        pytest.param((Send(CHUNKED), Drip(b"1\r\nx\r\n", endless=True)), id="drips-chunks"),
        pytest.param(
            (Drip(b"HTTP/1.1 100 Continue\r\n\r\n", piece=25, endless=True),), id="interim"
        ),
        pytest.param((Send(b"HTTP/1.1 2"), Wait()), id="stops-in-the-status-line"),
        pytest.param((Send(HEAD), Send(b"x"), Wait()), id="stops-in-the-body"),
        pytest.param((Send(CHUNKED + b"0\r\n"), Drip(b"a: b\r\n", endless=True)), id="trailers"),
        pytest.param((Send(b"HTTP/1.1 200 OK\r\n\r\n{}"), Wait()), id="no-end-of-the-body"),
    ],
)
def test_whatever_is_slow_ends_at_the_deadline(transport: Urllib3Transport, acts: Script) -> None:
    with FaultServer((Read(), *acts)) as server:
        start = monotonic()
        answer = transport.send(request(server.url(), resend="safe", deadline=1), CLOCK)
        took = monotonic() - start
        assert failed(answer) == ("http_timeout", "maybe")
        assert 0.95 <= took <= 1 + LATE
        assert server.connections == 1


def test_a_handshake_without_end_ends_at_the_deadline(transport: Urllib3Transport) -> None:
    with FaultServer((Drip(b"\x16\x03\x03\x40\x00" + b"x" * 10_000),)) as server:
        start = monotonic()
        answer = transport.send(request(server.url().replace("http:", "https:"), deadline=1), CLOCK)
        assert failed(answer) == ("http_timeout", "no")
        assert monotonic() - start <= 1 + LATE


@pytest.mark.parametrize(
    "acts",
    [
        pytest.param((Drip(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 9_999),), id="drips"),
        pytest.param((Send(b"HTTP/1.1 200 OK\r\n\r\n"), Wait()), id="silent-handshake"),
        pytest.param(
            (Drip(b"..HTTP/1.1 200 OK\r\n\r\n"[2:], every=0.7, piece=99), Wait()), id="late"
        ),
    ],
)
def test_a_slow_proxy_ends_at_the_deadline(acts: Script) -> None:
    with FaultServer((Read(), *acts)) as proxy, Urllib3Transport(proxy=proxy.url()) as transport:
        start = monotonic()
        answer = transport.send(request("https://op.example/token", deadline=1), CLOCK)
        assert failed(answer) == ("http_timeout", "no")
        assert 0.95 <= monotonic() - start <= 1 + LATE


def test_a_reader_that_does_not_read_ends_at_the_deadline(transport: Urllib3Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        start = monotonic()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        answer = transport.send(request(url, body=b"x" * 30_000_000, deadline=1), CLOCK)
        assert failed(answer) == ("http_timeout", "maybe")
        assert monotonic() - start <= 1 + 2 * LATE


def test_a_slow_answer_over_tls_ends_at_the_deadline(authority: Authority) -> None:
    with (
        FaultServer((Read(), Send(HEAD), Drip(b"x" * 999)), tls=authority.server()) as server,
        Urllib3Transport(ca=authority.path) as transport,
    ):
        start = monotonic()
        answer = transport.send(request(server.url(), deadline=1), CLOCK)
        assert failed(answer) == ("http_timeout", "maybe")
        assert 0.95 <= monotonic() - start <= 1 + LATE


@pytest.mark.parametrize(
    "acts",
    [
        pytest.param((Reset(),), id="reset-before-an-octet"),
        pytest.param((Send(b"HTTP/1.1 2"), Reset()), id="reset-in-the-status-line"),
        pytest.param((Send(b"HTTP/1.1 200 OK\r\nA: b"), Reset()), id="reset-in-the-headers"),
        pytest.param((Send(HEAD + b"{}"), Reset()), id="reset-in-the-body"),
        pytest.param((), id="closed-before-an-octet"),
        pytest.param((Send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"),), id="short"),
        pytest.param((Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),), id="no-body"),
        pytest.param((Send(CHUNKED + b"2\r\n{}\r\n"),), id="no-final-chunk"),
        pytest.param((Send(CHUNKED + b"9\r\n{}"),), id="cut-in-a-chunk"),
        pytest.param((Send(CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n"),), id="no-chunk-size"),
        pytest.param((Send(CHUNKED + b"-1\r\n{}\r\n0\r\n\r\n"),), id="negative-chunk"),
        pytest.param((Send(CHUNKED + b"-12\r\n{}\r\n0\r\n\r\n"),), id="more-negative-chunk"),
        pytest.param((Send(b"SSH-2.0-OpenSSH\r\n"),), id="no-http"),
        pytest.param((Send(b"HTTP/1.1 abc OK\r\n\r\n"),), id="no-status"),
        pytest.param((Send(b"HTTP/2 200\r\n\r\n"),), id="another-version"),
        pytest.param((Send(b"\x00" * 70_000),), id="a-line-without-end"),
        pytest.param(
            (Send(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n{}"),), id="500-headers"
        ),
        pytest.param(
            (
                Send(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 9_000 + b"\r\n"),
                *[Send(b"X: " + b"y" * 9_000 + b"\r\n", 20)],
            ),
            id="large-headers",
        ),
        pytest.param((Send(b"HTTP/1.1 100 Continue\r\n\r\n", 9_999),), id="interim-flood"),
        pytest.param((Send(b"HTTP/1.1 103 Hints\r\n\r\n", 99),), id="hints-flood"),
        pytest.param((Send(b"HTTP/1.1 101 Switch\r\n\r\n" + ok()),), id="switches-protocols"),
        pytest.param(
            (Send(b"HTTP/1.1 200 OK\r\nno header\r\nContent-Length: 2\r\n\r\n{}"),),
            id="a-line-that-is-no-header",
        ),
        pytest.param(
            (Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x"),),
            id="two-lengths",
        ),
        pytest.param((Send(b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}"),), id="signed"),
        pytest.param((Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2,2\r\n\r\n{}"),), id="list"),
        pytest.param(
            (Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),),
            id="transfer-coding",
        ),
        pytest.param(
            (Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n{}"),), id="te-identity"
        ),
    ],
)
def test_a_broken_answer_is_none(transport: Urllib3Transport, acts: Script) -> None:
    with FaultServer((Read(), *acts)) as server:
        answer = transport.send(request(server.url()), CLOCK)
        assert failed(answer) == ("http_malformed", "maybe")
        assert server.connections == 1


def test_half_a_closed_connection_is_no_answer(transport: Urllib3Transport) -> None:
    assert failed(played(transport, HalfClose(), Wait())) == ("http_malformed", "maybe")


@pytest.mark.parametrize(
    "acts",
    [
        pytest.param(
            (Send(CHUNKED), Send(b"200\r\n" + b"x" * 512 + b"\r\n", 99_999)), id="chunked"
        ),
        pytest.param((Send(CHUNKED + b"0\r\n"), Send(b"a: b\r\n", 99_999)), id="trailers"),
        pytest.param(
            (Send(CHUNKED), Send(b"1;" + b"e" * 9_000 + b"\r\nx\r\n", 99)), id="chunk-extensions"
        ),
    ],
)
def test_a_body_whose_framing_is_beyond_its_limit_is_refused(
    transport: Urllib3Transport, acts: Script
) -> None:
    with FaultServer((Read(), *acts)) as server:
        answer = transport.send(request(server.url(), resend="safe", max_body=1_000), CLOCK)
        assert failed(answer) == ("http_too_large", "maybe")
        assert server.connections == 1


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\n{}\r\n0\r\n\r\n",
            id="length-and-chunks",
        ),
        pytest.param(ok(b"{}") + ok(b"poison"), id="another-answer"),
        pytest.param(b"HTTP/1.1 204 No\r\n\r\n" + ok(b"poison"), id="an-answer-after-204"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", id="close"
        ),
    ],
)
def test_a_connection_with_something_odd_is_not_used_again(
    transport: Urllib3Transport, octets: bytes
) -> None:
    with FaultServer(
        (Read(), Send(octets), Wait()), (Read(), Send(ok(b"fresh")), Wait())
    ) as server:
        first = answered(transport.send(request(server.url()), CLOCK))
        assert first.body in {b"{}", b""}
        assert server.closed_by_client.wait(5)
        second = answered(transport.send(request(server.url()), CLOCK))
        assert (second.body, server.connections) == (b"fresh", 2)


@pytest.mark.parametrize("more", [ok(b"poison"), b"x"])
def test_what_a_proxy_says_before_the_handshake_ends_the_connection(
    authority: Authority, more: bytes
) -> None:
    tunnel = (
        Read(),
        Send(b"HTTP/1.1 200 Connected\r\n\r\n" + more),
        Handshake(authority.server("far", host="op.example")),
        Read(),
        Send(ok(b"through")),
    )
    with (
        FaultServer(tunnel) as proxy,
        Urllib3Transport(ca=authority.path, proxy=proxy.url()) as transport,
    ):
        answer = transport.send(request("https://op.example/token"), CLOCK)
        assert failed(answer) == ("http_connect_failed", "no")


def tunnel_of_old(self: Any) -> None:
    """Ask a proxy as ``http.client`` did before 3.11.4, which does not close what it answers."""
    self.send(b"CONNECT op.example:443 HTTP/1.0\r\n\r\n")
    answer = self.response_class(self.sock, method="CONNECT")
    _, status, reason = answer._read_status()
    self.close()
    raise OSError(status, reason)


def test_a_refusal_by_a_proxy_is_closed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HTTPConnection, "_tunnel", tunnel_of_old, raising=False)
    answers: list[GuardedResponse] = []

    class Kept(GuardedResponse):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            answers.append(self)

    monkeypatch.setattr(GuardedConnection, "response_class", Kept)
    with (
        FaultServer((Read(), Send(b"HTTP/1.1 403 Forbidden\r\n\r\n"), Wait())) as proxy,
        Urllib3Transport(proxy=proxy.url()) as transport,
    ):
        answer = transport.send(request("https://op.example/token"), CLOCK)
        assert failed(answer) == ("http_connect_failed", "no")
        assert [each.isclosed() for each in answers] == [True]
        assert proxy.closed_by_client.wait(5)


class DiallingOtherwise(HTTPConnection):
    """As a SOCKS client does it."""

    def _new_conn(self) -> socket.socket:
        return socket.create_connection((self.host, self.elsewhere), self.timeout)

    elsewhere = 0


class ElsewherePool(HTTPConnectionPool):
    ConnectionCls: Any = DiallingOtherwise


def test_pools_that_dial_in_their_own_way_go_on_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultServer((Read(), Send(ok(b"elsewhere")))) as server, PoolManager() as pools:
        monkeypatch.setattr(DiallingOtherwise, "elsewhere", server.port)
        monkeypatch.setattr(pools, "pool_classes_by_scheme", {"http": ElsewherePool})
        transport = Urllib3Transport(pool_manager=pools)
        answer = transport.send(request(f"http://127.0.0.1:{closed_port()}/"), CLOCK)
        assert answered(answer).body == b"elsewhere"


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize("options", [{"cert_reqs": "CERT_NONE"}, {"cert_reqs": ssl.CERT_NONE}])
def test_pools_that_do_not_verify_send_nothing(
    authority: Authority, options: dict[str, Any]
) -> None:
    with (
        FaultServer((Read(), Send(ok())), tls=authority.server()) as server,
        PoolManager() as pools,
    ):
        transport = Urllib3Transport(pool_manager=pools)
        pools.connection_pool_kw.update(options)  # after they were checked
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        assert server.requests == []


def test_pools_that_verify_no_name_send_nothing(authority: Authority) -> None:
    with (
        FaultServer((Read(), Send(ok())), tls=authority.server()) as server,
        PoolManager(ca_certs=str(authority.path)) as pools,
    ):
        transport = Urllib3Transport(pool_manager=pools)
        pools.connection_pool_kw["assert_hostname"] = False  # after it was checked
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        assert server.requests == []


def test_pools_that_speak_an_old_protocol_send_nothing(
    authority: Authority, tmp_path: Path
) -> None:
    with (
        FaultServer((Read(),), tls=bad_contexts(authority, tmp_path)["old-protocol"]) as server,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", DeprecationWarning)
        pools = PoolManager(ca_certs=str(authority.path), ssl_minimum_version=ssl.TLSVersion.TLSv1)
        context = ssl.create_default_context(cafile=str(authority.path))
        transport = Urllib3Transport(pool_manager=pools)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("ALL:@SECLEVEL=0")
        pools.connection_pool_kw["ssl_context"] = context  # after it was checked
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        assert server.requests == []


# --- without an exchange -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [GuardedConnection, GuardedTlsConnection])
def test_without_an_exchange_nothing_is_connected_to_and_nothing_is_sent(
    kind: type[GuardedConnection],
) -> None:
    """Nobody says then which addresses may be reached, and until when."""
    with FaultServer((Wait(),)) as server:
        connection = kind("127.0.0.1", server.port, timeout=5)
        for attempt in (
            connection.connect,
            connection._new_conn,
            lambda: connection.request("GET", "/"),
            lambda: connection.send(b"x"),
        ):
            with pytest.raises(HTTPException):
                attempt()
        assert connection.is_closed
        assert server.connections == 0


# --- within an exchange --------------------------------------------------------------------------


@contextmanager
def current(exchange: Exchange) -> Generator[Exchange]:
    """Let this thread be busy with an exchange."""
    CURRENT.exchange = exchange
    try:
        yield exchange
    finally:
        CURRENT.exchange = None


def busy(seconds: float = 5) -> Exchange:
    return Exchange(monotonic() + seconds, max_body=1_000, reach="any")


def test_a_request_leaves_as_one_piece_once_it_is_whole() -> None:
    with FaultServer((Read(), Send(ok()), Wait())) as server, current(busy()) as exchange:
        connection = GuardedConnection("127.0.0.1", server.port)
        connection.request("POST", "/a", body=b"b", headers={"x": "y"})
        assert (exchange.sent, exchange.dialling, exchange.held) == (True, False, None)
        assert connection.getresponse().data == b"{}"
        exchange.discard()
        assert connection.is_closed


def test_what_cannot_be_connected_was_not_sent() -> None:
    with current(busy()) as exchange:
        connection = GuardedConnection("127.0.0.1", closed_port())
        with pytest.raises(NewConnectionError):
            connection.request("GET", "/")
        assert not exchange.sent


def test_connecting_ends_at_the_deadline() -> None:
    with current(busy(0)) as exchange:
        with pytest.raises(ConnectTimeoutError):
            GuardedConnection("127.0.0.1", 1).request("GET", "/")
        assert not exchange.sent
