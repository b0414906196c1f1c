"""The default transport against servers on loopback: exchanges, attempts, TLS, proxies, pools."""

import gzip
import inspect
import os
import re
import resource
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from urllib3 import PoolManager, ProxyManager

from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import (
    Drip,
    FaultServer,
    Handshake,
    Read,
    Reset,
    Script,
    Send,
    Wait,
    ok,
)
from oidc_adapters.transport import dialling, judges_addresses
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.wire.addresses import Reach
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse, Resend
from oidc_core.wire.way import NOT_TOLD, Channel
from tests.adapters.transport.exchanges import (
    CLOCK,
    HEAD,
    LATE,
    answered,
    bad_contexts,
    closed_port,
    failed,
    played,
    request,
    side_by_side,
)

# --- a good exchange -----------------------------------------------------------------------------


def test_a_request_is_sent_as_it_is_and_its_answer_returned(transport: Urllib3Transport) -> None:
    octets = ok(b'{"a":1}', b"Content-Type: application/json", b"X-Two: 1", b"X-Two: 2")
    with FaultServer((Read(), Send(octets))) as server:
        answer = transport.send(
            request(
                server.url("/token?tenant=1"),
                headers=(("authorization", "Basic YTpi"), ("accept", "application/json")),
            ),
            CLOCK,
        )
        sent = server.requests[0]
    assert answered(answer) == HttpResponse(
        200,
        (
            ("content-length", "7"),
            ("content-type", "application/json"),
            ("x-two", "1"),
            ("x-two", "2"),
        ),
        b'{"a":1}',
        1_234,
        Channel("unverified", addresses_judged=True),
    )
    head, _, body = sent.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    assert line == "POST /token?tenant=1 HTTP/1.1"
    assert body == b"grant_type=x"
    assert sorted(header.lower() for header in headers) == [
        "accept-encoding: identity",
        "accept: application/json",
        "authorization: basic ytpi",
        "content-length: 12",
        f"host: 127.0.0.1:{server.port}",
        "user-agent: oidc-core",
    ]


def test_a_url_without_a_path_asks_for_the_root(transport: Urllib3Transport) -> None:
    with FaultServer((Read(), Send(ok()))) as server:
        url = server.url("", host="localhost")
        answered(transport.send(request(url, method="GET", body=None), CLOCK))
        assert server.requests[0].startswith(b"GET / HTTP/1.1\r\n")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/elsewhere", "//127.0.0.1/", "https://127.0.0.1/"])
def test_a_redirect_is_returned_and_not_followed(
    transport: Urllib3Transport, status: int, location: str
) -> None:
    octets = f"HTTP/1.1 {status} X\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    with FaultServer((Read(), Send(octets.encode()), Wait())) as server:
        answer = answered(transport.send(request(server.url("/a"), resend="safe"), CLOCK))
        assert (answer.status, answer.header("location")) == (status, location)
        assert (server.connections, len(server.requests)) == (1, 1)


def test_connections_are_kept_and_no_cookie_is(transport: Urllib3Transport) -> None:
    octets = ok(
        b"{}", b"Set-Cookie: a=b", b"Alt-Svc: h3=1", b"Strict-Transport-Security: max-age=9"
    )
    with FaultServer((Read(), Send(octets), Read(), Send(octets), Wait())) as server:
        for _ in range(2):
            answered(transport.send(request(server.url()), CLOCK))
        assert (server.connections, len(server.requests)) == (1, 2)
        assert server.requests[0] == server.requests[1]
        assert b"cookie" not in server.requests[1].lower()


def test_many_urls_are_remembered_only_so_far(transport: Urllib3Transport) -> None:
    acts = (Read(), Send(ok())) * 70
    with FaultServer((*acts, Wait())) as server:
        for number in range(70):
            answered(transport.send(request(server.url(f"/{number}")), CLOCK))
        assert (server.connections, len(server.requests)) == (1, 70)


UNVERIFIED = Channel("unverified", addresses_judged=True)


# --- who answered --------------------------------------------------------------------------------


def test_an_answer_over_tls_comes_from_a_verified_server(authority: Authority) -> None:
    context = ssl.create_default_context(cafile=str(authority.path))
    for transport in (Urllib3Transport(ca=authority.path), Urllib3Transport(ssl_context=context)):
        script = (Read(), Send(ok()), Read(), Send(ok()))
        with FaultServer(script, tls=authority.server()) as server, transport:
            for _ in range(2):  # on a fresh connection, and on a kept one
                answer = transport.send(request(server.url()), CLOCK)
                assert answered(answer).channel == Channel("verified", addresses_judged=True)


def test_an_answer_through_a_proxy_comes_from_the_server_behind_it(authority: Authority) -> None:
    tunnel = (
        Read(),
        Send(b"HTTP/1.1 200 Connected\r\n\r\n"),
        Handshake(authority.server("far", host="op.example")),
        Read(),
        Send(ok()),
    )
    with (
        FaultServer(tunnel) as proxy,
        Urllib3Transport(ca=authority.path, proxy=proxy.url()) as transport,
    ):
        answer = transport.send(request("https://op.example/token"), CLOCK)
        assert answered(answer).channel == Channel("verified", addresses_judged=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_nobody_is_verified_without_tls(transport: Urllib3Transport, host: str) -> None:
    with FaultServer((Read(), Send(ok()))) as server:
        url = server.url(host=host)
        assert answered(transport.send(request(url), CLOCK)).channel == UNVERIFIED


def test_of_the_applications_pools_nobody_was_told(authority: Authority) -> None:
    with FaultServer((Read(), Send(ok()))) as server, PoolManager() as pools:
        plain = Urllib3Transport(pool_manager=pools).send(request(server.url()), CLOCK)
    context = ssl.create_default_context(cafile=str(authority.path))
    with (
        FaultServer((Read(), Send(ok())), tls=authority.server()) as server,
        PoolManager(ssl_context=context) as pools,
    ):
        secure = Urllib3Transport(pool_manager=pools).send(request(server.url()), CLOCK)
    assert [answered(answer).channel for answer in (plain, secure)] == [NOT_TOLD, NOT_TOLD]


# --- the deadline --------------------------------------------------------------------------------


def test_a_full_pool_makes_wait_until_the_deadline() -> None:
    with Urllib3Transport(pool_size=1) as transport, ThreadPoolExecutor(1) as threads:
        with FaultServer((Read(), Wait())) as server:
            first = threads.submit(transport.send, request(server.url(), deadline=10), CLOCK)
            assert server.heard.acquire(timeout=5)
            start = monotonic()
            second = transport.send(request(server.url(), resend="safe", deadline=1), CLOCK)
            assert failed(second) == ("http_timeout", "no")
            assert 0.95 <= monotonic() - start <= 1 + LATE
            assert server.connections == 1
        assert failed(first.result()) == ("http_malformed", "maybe")


def test_a_deadline_of_nothing_sends_nothing(transport: Urllib3Transport) -> None:
    with FaultServer((Wait(),)) as server:
        answer = transport.send(request(server.url(), deadline=0), CLOCK)
        assert failed(answer) == ("http_timeout", "no")
        assert server.connections == 0


# --- bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n",
    ],
)
def test_a_body_at_its_limit_is_taken(transport: Urllib3Transport, head: bytes) -> None:
    end = b"\r\n0\r\n\r\n" if b"chunked" in head else b""
    answer = played(transport, Send(head + b"x" * 1_000 + end), max_body=1_000)
    assert answered(answer).body == b"x" * 1_000


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]
)
def test_a_body_beyond_its_limit_is_refused(transport: Urllib3Transport, head: bytes) -> None:
    with FaultServer((Read(), Send(head + b"x" * 1_001))) as server:
        answer = transport.send(request(server.url(), resend="safe", max_body=1_000), CLOCK)
        assert failed(answer) == ("http_too_large", "maybe")
        assert server.connections == 1


@pytest.mark.parametrize("coding", [b"gzip", b"GZIP, gzip, gzip", b"br", b"zstd", b"x-unknown"])
def test_a_coded_body_is_refused_without_decoding(
    transport: Urllib3Transport, coding: bytes
) -> None:
    bomb = gzip.compress(bytes(30_000_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = played(transport, Send(ok(bomb, b"Content-Encoding: " + coding)))
    assert failed(answer) == ("content_encoding_unexpected", "maybe")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4_096  # KiB


def test_a_connection_that_failed_is_not_used_again(transport: Urllib3Transport) -> None:
    coded = ok(b"zip", b"Content-Encoding: gzip")
    with FaultServer((Read(), Send(coded), Wait()), (Read(), Send(ok(b"fresh")))) as server:
        assert (
            failed(transport.send(request(server.url()), CLOCK))[0] == "content_encoding_unexpected"
        )
        assert server.closed_by_client.wait(5)
        assert answered(transport.send(request(server.url()), CLOCK)).body == b"fresh"


def test_a_refused_answer_gives_its_place_in_the_pool_back() -> None:
    script = (Read(), Send(ok(b"zip", b"Content-Encoding: gzip")))
    with FaultServer(script) as server, Urllib3Transport(pool_size=1) as transport:
        codes = [failed(transport.send(request(server.url()), CLOCK)) for _ in range(3)]
    assert codes == [("content_encoding_unexpected", "maybe")] * 3


# --- second attempts -----------------------------------------------------------------------------


@pytest.mark.parametrize("resend", ["never", "if_unsent", "safe"])
def test_a_refused_connection_was_not_sent(transport: Urllib3Transport, resend: Resend) -> None:
    answer = transport.send(request(f"http://127.0.0.1:{closed_port()}/", resend=resend), CLOCK)
    assert failed(answer) == ("http_connect_failed", "no")


@pytest.mark.parametrize(("resend", "answers"), [("never", 0), ("if_unsent", 1), ("safe", 1)])
def test_what_never_left_is_sent_again_if_that_is_allowed(
    resend: Resend, answers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = iter([True])
    connect = socket.socket.connect

    class Refusing(socket.socket):
        def connect(self, address: Any, /) -> None:
            if next(refusals, False):
                raise ConnectionRefusedError
            connect(self, address)

    with FaultServer((Read(), Send(ok()))) as server, Urllib3Transport() as transport:
        monkeypatch.setattr(socket, "socket", Refusing)
        answer = transport.send(request(server.url(), resend=resend), CLOCK)
        monkeypatch.undo()
        assert isinstance(answer, HttpResponse) == bool(answers)
        assert len(server.requests) == answers


@pytest.mark.parametrize("resend", ["never", "if_unsent", "safe"])
def test_a_kept_connection_that_was_closed_meanwhile_is_replaced(
    transport: Urllib3Transport, resend: Resend
) -> None:
    # It is seen before an octet leaves, so this does not count as a second attempt.
    with FaultServer((Read(), Send(ok(b"1"))), (Read(), Send(ok(b"2")))) as server:
        first = transport.send(request(server.url(), resend=resend), CLOCK)
        wait_until_readable(transport, server)
        second = transport.send(request(server.url(), resend=resend), CLOCK)
        assert [answered(answer).body for answer in (first, second)] == [b"1", b"2"]
        assert (server.connections, len(server.requests)) == (2, 2)


def wait_until_readable(transport: Urllib3Transport, server: FaultServer) -> None:
    """Wait until the end of the kept connection has arrived here."""
    pool = transport._manager.connection_from_host("127.0.0.1", server.port, "http")
    assert pool.pool is not None
    kept = pool.pool.get(block=False)
    kept.sock.settimeout(5)
    assert kept.sock.recv(1, socket.MSG_PEEK) == b""
    pool.pool.put(kept)


@pytest.mark.parametrize(
    ("resend", "requests", "body"), [("never", 2, None), ("if_unsent", 2, None), ("safe", 3, b"2")]
)
def test_a_kept_connection_that_closes_under_the_request_may_have_delivered_it(
    transport: Urllib3Transport, resend: Resend, requests: int, body: bytes | None
) -> None:
    with FaultServer((Read(), Send(ok(b"1")), Read()), (Read(), Send(ok(b"2")))) as server:
        answered(transport.send(request(server.url(), resend=resend), CLOCK))
        answer = transport.send(request(server.url(), resend=resend), CLOCK)
        if body is None:
            assert failed(answer) == ("http_malformed", "maybe")
        else:
            assert answered(answer).body == body
        assert len(server.requests) == requests


def test_there_is_no_third_attempt(transport: Urllib3Transport) -> None:
    with FaultServer((Read(), Reset())) as server:
        answer = transport.send(request(server.url(), resend="safe"), CLOCK)
        assert failed(answer) == ("http_malformed", "maybe")
        assert len(server.requests) == 2


def test_a_first_attempt_that_may_have_arrived_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FaultServer((Read(),)) as server, Urllib3Transport() as transport:
        url = server.url()
        connects = iter([None])
        connect = socket.socket.connect

        class Refusing(socket.socket):
            def connect(self, address: Any, /) -> None:
                if next(connects, self) is self:
                    raise ConnectionRefusedError
                connect(self, address)

        monkeypatch.setattr(socket, "socket", Refusing)
        answer = transport.send(request(url, resend="safe"), CLOCK)
        monkeypatch.undo()
    assert failed(answer) == ("http_connect_failed", "maybe")


# --- TLS -----------------------------------------------------------------------------------------


def test_a_private_authority_is_given_as_a_file_as_text_or_as_a_folder(
    authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "stranger")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "0a1b2c3d.0").write_text(stranger.pem)
    with FaultServer((Read(), Send(ok())), tls=authority.server()) as server:
        for ca in (authority.path, str(authority.path), authority.pem):
            with Urllib3Transport(ca=ca) as transport:
                assert answered(transport.send(request(server.url()), CLOCK)).status == 200
        with Urllib3Transport(ca=tmp_path / "folder") as transport:
            answer = transport.send(request(server.url(), resend="safe"), CLOCK)
            assert failed(answer) == ("tls_failed", "no")
        assert server.connections == 4


def test_connections_over_tls_are_kept(authority: Authority) -> None:
    script = (Read(), Send(ok(b"1")), Read(), Send(ok(b"2")), Wait())
    with (
        FaultServer(script, tls=authority.server()) as server,
        Urllib3Transport(ca=authority.path) as transport,
    ):
        bodies = [answered(transport.send(request(server.url()), CLOCK)).body for _ in range(2)]
        assert (bodies, server.connections) == ([b"1", b"2"], 1)


@pytest.mark.parametrize("kind", ["another-host", "expired", "another-authority", "old-protocol"])
def test_a_server_that_cannot_prove_itself_gets_nothing(
    authority: Authority, tmp_path: Path, kind: str
) -> None:
    context = bad_contexts(authority, tmp_path)[kind]
    with (
        FaultServer((Read(), Send(ok())), tls=context) as server,
        Urllib3Transport(ca=authority.path) as transport,
    ):
        answer = transport.send(request(server.url(), resend="safe"), CLOCK)
        assert failed(answer) == ("tls_failed", "no")
        assert (server.connections, server.requests) == (1, [])


def test_the_systems_authorities_do_not_know_a_private_one(
    transport: Urllib3Transport, authority: Authority
) -> None:
    with FaultServer((Read(), Send(ok())), tls=authority.server()) as server:
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")


def test_a_server_without_tls_gets_nothing(transport: Urllib3Transport) -> None:
    with FaultServer((Send(b"HTTP/1.1 400 Bad\r\n\r\n"), Wait())) as server:
        url = server.url().replace("http:", "https:")
        assert failed(transport.send(request(url), CLOCK)) == ("tls_failed", "no")


def test_a_client_certificate_is_shown(authority: Authority) -> None:
    certificate = authority.issue("client", host=None)
    server_tls = authority.server("mutual", ask_client=True)
    with FaultServer((Read(), Send(ok(b"hello client"))), tls=server_tls) as server:
        with Urllib3Transport(ca=authority.path, client_certificate=certificate) as transport:
            answer = transport.send(request(server.url()), CLOCK)
            assert answered(answer).body == b"hello client"
        with Urllib3Transport(ca=authority.path) as transport:
            # TLS 1.3 tells a client of its missing certificate only after it has spoken.
            code, sent = failed(transport.send(request(server.url()), CLOCK))
        assert code in {"tls_failed", "http_malformed"}
        assert sent == "maybe"
        assert len(server.requests) == 1


def test_nothing_that_is_given_to_it_turns_verification_off() -> None:
    given = inspect.signature(Urllib3Transport).parameters
    assert set(given) == {
        "ca",
        "client_certificate",
        "ssl_context",
        "proxy",
        "pool_size",
        "pool_manager",
    }


def test_the_applications_own_tls_settings_are_used(authority: Authority) -> None:
    context = ssl.create_default_context(cafile=str(authority.path))
    with (
        FaultServer((Read(), Send(ok(b"own"))), tls=authority.server()) as server,
        Urllib3Transport(ssl_context=context) as transport,
    ):
        assert answered(transport.send(request(server.url()), CLOCK)).body == b"own"


def unverifying() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.mark.parametrize(
    ("about", "options"),
    [
        ("ca", {"ca": "/nowhere.pem"}),
        ("client_certificate", {"client_certificate": ("/nowhere.pem", "/nowhere.key")}),
        ("ssl_context", {"ssl_context": unverifying()}),
        ("ssl_context", {"ssl_context": ssl.create_default_context(), "ca": "/nowhere.pem"}),
        ("proxy", {"proxy": "socks5://127.0.0.1:1"}),
        ("proxy", {"proxy": "nonsense"}),
        ("proxy", {"proxy": "http://[::1"}),
        ("pool_manager", {"pool_manager": PoolManager(), "proxy": "http://127.0.0.1:1"}),
        ("pool_manager", {"pool_manager": PoolManager(), "ca": "/nowhere.pem"}),
        (
            "pool_manager",
            {"pool_manager": PoolManager(), "ssl_context": ssl.create_default_context()},
        ),
        ("pool_manager", {"pool_manager": PoolManager(assert_hostname=False)}),
        ("ssl_context", {"pool_manager": PoolManager(ssl_context=unverifying())}),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_at_once(
    about: str, options: dict[str, Any]
) -> None:
    with pytest.raises(UsageError) as caught:
        Urllib3Transport(**options)
    assert (caught.value.code, caught.value.about) == ("config_invalid", about)


# --- proxies and the environment -----------------------------------------------------------------


def test_https_goes_through_a_proxy_by_connect(authority: Authority) -> None:
    tunnel = (
        Read(),
        Send(b"HTTP/1.1 200 Connected\r\n\r\n"),
        Handshake(authority.server("far", host="op.example")),
        Read(),
        Send(ok(b"through")),
    )
    with FaultServer(tunnel) as proxy:
        url = f"http://us%65r:p%40ss@127.0.0.1:{proxy.port}"
        with Urllib3Transport(ca=authority.path, proxy=url) as transport:
            wire = request("https://op.example/token", headers=(("authorization", "Basic YTpi"),))
            assert answered(transport.send(wire, CLOCK)).body == b"through"
        connect, inner = proxy.requests
    assert connect.startswith(b"CONNECT op.example:443 HTTP/1.")
    assert re.search(rb"(?i)proxy-authorization: basic dXNlcjpwQHNz\r\n", connect)
    assert b"YTpi" not in connect
    assert inner.startswith(b"POST /token HTTP/1.1\r\n")
    assert b"proxy-authorization" not in inner.lower()


def test_http_on_loopback_goes_through_a_proxy_as_a_whole_url() -> None:
    with (
        FaultServer((Read(), Send(ok(b"forwarded")))) as proxy,
        Urllib3Transport(proxy=proxy.url()) as transport,
    ):
        answer = transport.send(request("http://127.0.0.1:9/token?a=b"), CLOCK)
        assert answered(answer).body == b"forwarded"
        assert proxy.requests[0].startswith(b"POST http://127.0.0.1:9/token?a=b HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "options",
    [
        {"proxy": "http://proxy.example:3128"},
        {"pool_manager": ProxyManager("http://proxy.example:3128")},
    ],
)
def test_http_on_loopback_goes_through_no_proxy_elsewhere(options: dict[str, Any]) -> None:
    transport = Urllib3Transport(**options)

    with pytest.raises(UsageError) as caught:
        transport.send(request("http://127.0.0.1:9/token"), CLOCK)
    assert (caught.value.code, caught.value.about) == ("url_scheme_not_allowed", "proxy")


@pytest.mark.parametrize(
    "acts",
    [
        (Read(), Send(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")),
        (Read(), Send(b"nonsense\r\n\r\n")),
        (Read(), Send(b"HTTP/1.1 200 OK\r\n"), Send(b"X: " + b"y" * 999 + b"\r\n", 99)),
        (Read(), Reset()),
    ],
)
def test_a_proxy_that_refuses_lets_nothing_through(acts: Script) -> None:
    with FaultServer(acts) as proxy, Urllib3Transport(proxy=proxy.url()) as transport:
        answer = transport.send(request("https://op.example/token"), CLOCK)
        assert failed(answer) == ("http_connect_failed", "no")


def test_a_proxy_that_is_not_there_is_no_connection() -> None:
    with Urllib3Transport(proxy=f"http://127.0.0.1:{closed_port()}") as transport:
        answer = transport.send(request("https://op.example/token"), CLOCK)
        assert failed(answer) == ("http_connect_failed", "no")


def test_the_far_certificate_counts_behind_a_proxy(authority: Authority) -> None:
    tunnel = (
        Read(),
        Send(b"HTTP/1.1 200 Connected\r\n\r\n"),
        Handshake(authority.server("far", host="evil.example")),
        Read(),
    )
    with (
        FaultServer(tunnel) as proxy,
        Urllib3Transport(ca=authority.path, proxy=proxy.url()) as transport,
    ):
        answer = transport.send(request("https://op.example/token"), CLOCK)
        assert failed(answer) == ("tls_failed", "no")
        assert len(proxy.requests) == 1


def test_a_proxy_with_an_unknown_certificate_is_not_spoken_to(
    authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger").server("strange")
    with (
        FaultServer((Read(),), tls=stranger) as proxy,
        Urllib3Transport(ca=authority.path, proxy=proxy.url()) as transport,
    ):
        answer = transport.send(request("https://op.example/token"), CLOCK)
        assert failed(answer) == ("tls_failed", "no")
        assert proxy.requests == []


def test_nothing_is_taken_from_the_environment(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys"
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    with (
        FaultServer((Read(),)) as proxy,
        FaultServer((Read(), Send(ok())), tls=authority.server()) as server,
    ):
        for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
        with Urllib3Transport(ca=authority.path) as transport:
            answered(transport.send(request(server.url()), CLOCK))
        assert proxy.connections == 0
        assert b"authorization" not in server.requests[0].lower()
    assert not keys.exists()


# --- the application's own pools -----------------------------------------------------------------


def test_the_applications_pools_are_used_and_left_open() -> None:
    closing = ok(b"3", b"Connection: close")
    scripts: tuple[Script, ...] = (
        (Read(), Send(ok(b"0")), Wait()),
        (Read(), Send(ok(b"1")), Read(), Send(ok(b"2")), Read(), Send(closing), Wait()),
        (Read(), Send(ok(b"4")), Wait()),
    )
    with FaultServer(*scripts) as server, PoolManager() as pools:
        assert pools.request("GET", server.url()).data == b"0"
        with Urllib3Transport(pool_manager=pools) as transport:
            assert answered(transport.send(request(server.url()), CLOCK)).body == b"1"
        # The connection it had before could not be guarded; the new one is kept and shared.
        assert server.connections == 2
        assert pools.request("GET", server.url()).data == b"2"
        assert (server.connections, len(pools.pools)) == (2, 1)
        # Without an exchange of ours, a connection of this kind is urllib3's own.
        assert pools.request("GET", server.url(), headers={"connection": "close"}).data == b"3"
        assert pools.request("GET", server.url()).data == b"4"


def test_the_deadline_holds_in_the_applications_pools_too() -> None:
    with FaultServer((Read(), Drip(b"x" * 9_999))) as server, PoolManager() as pools:
        transport = Urllib3Transport(pool_manager=pools)
        start = monotonic()
        answer = transport.send(request(server.url(), deadline=1), CLOCK)
        assert failed(answer) == ("http_timeout", "maybe")
        assert 0.95 <= monotonic() - start <= 1 + LATE


def test_idle_connections_of_the_applications_pools_are_replaced() -> None:
    own_use: Script = (Read(), Send(ok(b"1")), Wait())
    then: Script = (Read(), Send(ok(b"2")), Read(), Send(ok(b"3")), Wait())
    with FaultServer(own_use, then) as server, PoolManager(maxsize=1, block=True) as pools:
        assert pools.request("GET", server.url()).data == b"1"
        transport = Urllib3Transport(pool_manager=pools)
        bodies = [answered(transport.send(request(server.url()), CLOCK)).body for _ in range(2)]
        assert (bodies, server.connections) == ([b"2", b"3"], 2)
        assert server.closed_by_client.wait(5)
        places = pools.connection_from_url(server.url()).pool
        assert places is not None
        assert places.qsize() == 1


def test_the_applications_pools_may_bind_to_an_address() -> None:
    with (
        FaultServer((Read(), Send(ok(b"bound")))) as server,
        PoolManager(source_address=("127.0.0.1", 0)) as pools,
    ):
        transport = Urllib3Transport(pool_manager=pools)
        assert answered(transport.send(request(server.url()), CLOCK)).body == b"bound"


def test_a_proxy_of_the_applications_pools_is_used() -> None:
    with FaultServer((Read(), Send(ok(b"forwarded")))) as proxy:
        transport = Urllib3Transport(pool_manager=ProxyManager(proxy.url()))
        answer = transport.send(request("http://127.0.0.1:9/a"), CLOCK)
        assert answered(answer).body == b"forwarded"


# --- usage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("about", "options"),
    [
        ("header", {"headers": (("authorization", "Bearer a\r\nX: y"),)}),
        ("header", {"headers": (("authorization", "Bearer a\n"),)}),
        ("header", {"headers": (("authorization", "Bearer a\r"),)}),
        ("header", {"headers": (("authorization", "Bearer \x00"),)}),
        ("header", {"headers": (("authorization", "Bearer \u0100"),)}),
        ("header", {"headers": (("x y", "z"),)}),
        ("header", {"headers": (("x:", "z"),)}),
        ("header", {"headers": (("", "z"),)}),
        ("method", {"method": "GET / HTTP/1.1\r\nX:"}),
        ("method", {"method": ""}),
    ],
)
def test_a_header_that_breaks_out_of_its_line_is_refused(
    transport: Urllib3Transport, about: str, options: dict[str, Any]
) -> None:
    with FaultServer((Wait(),)) as server:
        with pytest.raises(UsageError) as caught:
            transport.send(request(server.url(), **options), CLOCK)
        assert (caught.value.code, caught.value.about) == ("parameter_invalid", about)
        assert "Bearer" not in str(caught.value)
        assert server.connections == 0


@pytest.mark.parametrize(
    ("code", "url"),
    [
        ("url_scheme_not_allowed", "http://op.example/"),
        ("url_scheme_not_allowed", "ftp://op.example/"),
        ("url_userinfo_not_allowed", "https://op.example:443@127.0.0.1/"),
        ("url_invalid", "https://op%0d%0a/"),
        ("url_invalid", "https://[fe80::1%25lo]/"),
        ("url_invalid", "//op.example/"),
        ("url_invalid", "https://op.example/\r\nX: y"),
    ],
)
def test_a_url_beyond_the_grammar_is_refused(
    transport: Urllib3Transport, code: str, url: str
) -> None:
    with pytest.raises(UsageError) as caught:
        transport.send(request(url), CLOCK)
    assert caught.value.code == code


def test_a_closed_transport_has_closed_its_connections_and_sends_nothing() -> None:
    with FaultServer((Read(), Send(ok()), Wait())) as server:
        transport = Urllib3Transport()
        answered(transport.send(request(server.url()), CLOCK))
        transport.close()
        assert server.closed_by_client.wait(5)
        with pytest.raises(UsageError) as caught:
            transport.send(request(server.url()), CLOCK)
        assert (caught.value.code, caught.value.about) == ("config_invalid", "transport")


def test_a_forked_process_does_not_use_its_parents_connections(
    transport: Urllib3Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer((Read(), Send(ok()), Wait())) as server:
        answered(transport.send(request(server.url()), CLOCK))
        monkeypatch.setattr(os, "getpid", lambda: -1)  # as it is in the child
        answered(transport.send(request(server.url()), CLOCK))
        transport.close()
        monkeypatch.undo()
        assert server.connections == 2


def test_only_the_first_thread_after_a_fork_makes_new_pools(
    transport: Urllib3Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: -1)
    inherited = transport._manager
    transport._leave_parent()
    made = transport._manager
    transport._leave_parent()  # as a thread does that had to wait for the first
    monkeypatch.undo()
    assert made is not inherited
    assert transport._manager is made


def test_after_a_fork_the_applications_pools_are_the_applications_affair(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = (Read(), Send(ok()), Read(), Send(ok()), Wait())
    with FaultServer(script) as server, PoolManager() as pools:
        transport = Urllib3Transport(pool_manager=pools)
        answered(transport.send(request(server.url()), CLOCK))
        monkeypatch.setattr(os, "getpid", lambda: -1)
        answered(transport.send(request(server.url()), CLOCK))
        monkeypatch.undo()
        assert len(server.requests) == 2


def test_many_threads_share_a_transport(transport: Urllib3Transport) -> None:
    script = (Read(), Send(ok())) * 100
    with FaultServer(script) as server:
        answers = side_by_side(transport, request(server.url()), 100)
        assert {answered(answer).status for answer in answers} == {200}
        assert server.connections <= 16


def test_failures_leave_no_socket_and_no_thread_behind(transport: Urllib3Transport) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.exists():
        descriptors = Path("/dev/fd")
    before, threads = len(list(descriptors.iterdir())), threading.active_count()
    for acts in ((Reset(),), (Send(HEAD + b"{}"),), (Send(b"nonsense\r\n\r\n"),)):
        assert failed(played(transport, *acts))[0] == "http_malformed"
    assert len(list(descriptors.iterdir())) == before
    assert threading.active_count() == threads


# --- which addresses -----------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("resend", ["never", "if_unsent", "safe"])
def test_a_host_that_is_near_is_not_sent_to_where_it_has_to_be_public(
    transport: Urllib3Transport, host: str, resend: Resend
) -> None:
    with FaultServer((Read(), Send(ok()))) as server:
        url = server.url(host=host)
        answer = transport.send(request(url, reach="public", resend=resend), CLOCK)
        assert failed(answer) == ("address_not_allowed", "no")
        assert server.connections == 0


def test_a_kept_connection_serves_no_request_that_may_not_go_there(
    transport: Urllib3Transport,
) -> None:
    """Two clients share a transport; only one of them has named the host."""
    script = (Read(), Send(ok(b"1")), Read(), Send(ok(b"2")))
    with FaultServer(script, script) as server:
        url = server.url()
        assert answered(transport.send(request(url), CLOCK)).body == b"1"
        refused = transport.send(request(url, reach="public"), CLOCK)
        assert failed(refused) == ("address_not_allowed", "no")
        assert (server.connections, len(server.requests)) == (1, 1)
        assert answered(transport.send(request(url, reach="private"), CLOCK)).body == b"1"


def test_a_kept_connection_serves_all_who_may_go_there(transport: Urllib3Transport) -> None:
    with FaultServer((Read(), Send(ok(b"1")), Read(), Send(ok(b"2")))) as server:
        bodies = [
            answered(transport.send(request(server.url(), reach=reach), CLOCK)).body
            for reach in REACHES
        ]
        assert (bodies, server.connections) == ([b"1", b"2"], 1)


REACHES: tuple[Reach, ...] = ("private", "any")


def test_http_leaves_loopback_only_by_a_request_that_may_reach_nothing_public(
    transport: Urllib3Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer((Read(), Send(ok()))) as server:
        port = int(server.url().rstrip("/").rpartition(":")[2])
        found: list[Any] = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        resolver = dialling.Resolver(lambda _host, _port: found)
        monkeypatch.setattr(dialling, "RESOLVER", resolver)
        url = f"http://keycloak:{port}/token"
        strict: tuple[Reach, ...] = ("public", "any")
        for reach in strict:
            with pytest.raises(UsageError) as caught:
                transport.send(request(url, reach=reach), CLOCK)
            assert caught.value.code == "url_scheme_not_allowed"
        answer = transport.send(request(url, reach="private"), CLOCK)
        assert answered(answer).channel == UNVERIFIED
        assert f"host: keycloak:{port}".encode() in server.requests[0].lower()
        with pytest.raises(UsageError):  # the way that is known now is nobody else's
            transport.send(request(url, reach="any"), CLOCK)


def test_http_to_a_name_that_leads_to_a_public_address_is_refused(
    transport: Urllib3Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 8_080))]
    resolver = dialling.Resolver(lambda _host, _port: found)
    monkeypatch.setattr(dialling, "RESOLVER", resolver)
    answer = transport.send(request("http://keycloak:8080/token", reach="private"), CLOCK)
    assert failed(answer) == ("address_not_allowed", "no")


def test_through_a_proxy_no_address_is_seen_and_that_is_told() -> None:
    with (
        FaultServer((Read(), Send(ok(b"far")))) as proxy,
        Urllib3Transport(proxy=proxy.url()) as transport,
    ):
        answer = transport.send(request("http://127.0.0.1:9/token", reach="public"), CLOCK)
        assert answered(answer).channel == Channel("unverified", addresses_judged=False)
        assert not transport.judges_addresses


def test_only_pools_of_its_own_without_a_proxy_judge_addresses() -> None:
    with Urllib3Transport() as own, PoolManager() as pools:
        assert judges_addresses(own)
        assert not judges_addresses(Urllib3Transport(pool_manager=pools))
    with Urllib3Transport(proxy="http://127.0.0.1:9") as proxied:
        assert not judges_addresses(proxied)


def test_in_the_applications_own_pools_what_is_near_is_refused_as_well() -> None:
    with FaultServer((Read(), Send(ok()))) as server, PoolManager() as pools:
        transport = Urllib3Transport(pool_manager=pools)
        answer = transport.send(request(server.url(), reach="public"), CLOCK)
        assert failed(answer) == ("address_not_allowed", "no")
        assert server.connections == 0
