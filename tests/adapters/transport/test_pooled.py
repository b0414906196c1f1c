"""Exchanges whose answers end where they say, and nowhere else."""

import logging
import os
import ssl
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from typing import TypeAlias

import pytest
from urllib3 import ProxyManager

from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import (
    Drip,
    FaultServer,
    Handshake,
    Read,
    Script,
    Send,
    Wait,
    ok,
)
from oidc_adapters.transport import guarded, pooled, pools
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_adapters.transport.pooled import PooledTransport
from oidc_adapters.transport.pools import made_pools
from oidc_core.wire.way import NOT_TOLD, Channel
from tests.adapters.transport.exchanges import (
    CHUNKED,
    CLOCK,
    LATE,
    answered,
    failed,
    played,
    request,
)

OK = b"HTTP/1.1 200 OK\r\n"
HTTP10 = b"HTTP/1.0 200 OK\r\n"
CODED = b"Transfer-Encoding: "
END = b"2\r\n{}\r\n0\r\n\r\n"

# --- framing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n", id="chunk-0x"),
        pytest.param(CHUNKED + b"0_2\r\n{}\r\n0\r\n\r\n", id="chunk-underscore"),
        pytest.param(CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n", id="chunk-signed"),
        pytest.param(CHUNKED + b" 2\r\n{}\r\n0\r\n\r\n", id="chunk-space-first"),
        pytest.param(CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n", id="chunk-space-last"),
        pytest.param(CHUNKED + b"\r\n{}\r\n0\r\n\r\n", id="chunk-empty"),
        pytest.param(CHUNKED + b"00000000000000002\r\n{}\r\n0\r\n\r\n", id="chunk-17-digits"),
        pytest.param(CHUNKED + "٢\r\n{}\r\n0\r\n\r\n".encode(), id="chunk-foreign-digit"),
        pytest.param(CHUNKED + b"2\n{}\r\n0\r\n\r\n", id="chunk-line-feed"),
        pytest.param(CHUNKED + b"2\r\n{}xx0\r\n\r\n", id="chunk-without-its-end"),
        pytest.param(CHUNKED + b"2\r\n{}\n\n0\r\n\r\n", id="chunk-ended-by-line-feeds"),
        pytest.param(CHUNKED + b"2\r\n{}\r\n0x0\r\n\r\n", id="last-chunk-0x"),
        pytest.param(CHUNKED + b"2\r\n{}\r\n0\r\nno trailer\r\n\r\n", id="trailer-without-colon"),
        pytest.param(CHUNKED + b"2\r\n{}\r\n0\r\nA : b\r\n\r\n", id="trailer-with-a-space"),
        pytest.param(CHUNKED + b"2\r\n{}\r\n0\r\nA: b\r\n", id="trailers-without-end"),
        pytest.param(CHUNKED + b"2\r\n{}\r\n0\r\n", id="no-empty-line"),
        pytest.param(OK + CODED + b"chunked, chunked\r\n\r\n" + END, id="chunked-twice"),
        pytest.param(OK + CODED + b"xchunked\r\n\r\n" + END, id="coding-unknown"),
        pytest.param(OK + CODED + b"\x0bchunked\r\n\r\n" + END, id="coding-behind-a-control"),
        pytest.param(OK + CODED + b"chunked;q=1\r\n\r\n" + END, id="coding-with-parameter"),
        pytest.param(OK + (CODED + b"chunked\r\n") * 2 + b"\r\n" + END, id="two-codings"),
        pytest.param(OK + CODED + b"\r\n\r\n" + END, id="coding-empty"),
        pytest.param(OK + b"Transfer-Encoding : chunked\r\n\r\n" + END, id="coding-with-space"),
        pytest.param(HTTP10 + CODED + b"chunked\r\n\r\n" + END, id="coding-in-1.0"),
        pytest.param(OK + b"Content-Length: 0_2\r\n\r\n{}", id="length-underscore"),
        pytest.param(OK + b"Content-Length: 0x2\r\n\r\n{}", id="length-0x"),
        pytest.param(OK + "Content-Length: ٢\r\n\r\n{}".encode(), id="length-foreign-digit"),
        pytest.param(OK + b"Content-Length: \r\n\r\n{}", id="length-empty"),
        pytest.param(OK + b"Content-Length: 2 0\r\n\r\n{}", id="length-of-two-words"),
        pytest.param(OK + b"Content-Length: " + b"2" * 5_000 + b"\r\n\r\n{}", id="5000-digits"),
        pytest.param(OK + b"Content-Length: 2\r\nContent-Length: 02\r\n\r\n{}", id="spelt-twice"),
        pytest.param(OK + b"Content-Length: 2\r\n 0\r\n\r\n{}", id="length-folded"),
        pytest.param(OK + b"Content-Length : 2\r\n\r\n{}", id="space-before-the-colon"),
        pytest.param(OK + b" Content-Length: 2\r\n\r\n{}", id="fold-first"),
        pytest.param(OK + b"X: a\rb\r\n\r\n{}", id="bare-cr"),
        pytest.param(OK + b"X: a\0b\r\n\r\n{}", id="nul"),
        pytest.param(OK + b"X\xe4: a\r\n\r\n{}", id="name-not-ascii"),
        pytest.param(b"HTTP/1.1  200 OK\r\n\r\n{}", id="status-two-spaces"),
        pytest.param(b"HTTP/1.1 2_0 OK\r\n\r\n{}", id="status-underscore"),
        pytest.param("HTTP/1.1 ٢٠٠ OK\r\n\r\n{}".encode(), id="status-foreign-digits"),
        pytest.param(b"http/1.1 200 OK\r\n\r\n{}", id="status-lower-case"),
        pytest.param(b"\r\n" + ok(), id="empty-line-first"),
        pytest.param(b"junk\r\n" + ok(), id="junk-first"),
        pytest.param(b"{}", id="http-0.9"),
        pytest.param(b"ICY 200 OK\r\n\r\n{}", id="another-protocol"),
        pytest.param(b"HTTP/1.1 100 Continue\r\nno field\r\n\r\n" + ok(), id="interim-malformed"),
    ],
)
def test_a_framing_fault_is_no_answer_and_the_connection_is_closed(
    transport: Urllib3Transport, octets: bytes
) -> None:
    with FaultServer((Read(), Send(octets), Wait()), (Read(), Send(ok(b"fresh")))) as server:
        answer = transport.send(request(server.url(), deadline=0.3), CLOCK)
        code, sent = failed(answer)
        # The reader waits for more if the octets look like its beginning.
        assert (code, sent) in {("http_malformed", "maybe"), ("http_timeout", "maybe")}
        assert server.closed_by_client.wait(5)
        assert answered(transport.send(request(server.url()), CLOCK)).body == b"fresh"
        assert server.connections == 2


@pytest.mark.parametrize(
    ("octets", "body"),
    [
        (CHUNKED + b"2;ext\r\n{}\r\n0;ext=1\r\nA: b\r\n c\r\n\r\n", b"{}"),
        (CHUNKED + b'2 ; a="b"\r\n{}\r\n000\r\n\r\n', b"{}"),
        (CHUNKED + b"0002\r\n{}\r\n0\r\n\r\n", b"{}"),
        (OK + CODED + b" ChunKed \r\n\r\n" + END, b"{}"),
        (OK + b"Content-Length:2 \t\r\n\r\n{}", b"{}"),
        (OK + b"content-length: 002\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", b"{}"),
        (HTTP10 + b"Content-Length: 2\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not\r\nTransfer-Encoding: chunked\r\n\r\n", b""),
    ],
)
def test_what_the_grammar_allows_is_taken(
    transport: Urllib3Transport, octets: bytes, body: bytes
) -> None:
    assert answered(played(transport, Send(octets))).body == body


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(HTTP10 + b"Connection: keep-alive\r\nContent-Length: 2\r\n\r\n{}", id="1.0"),
        pytest.param(b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", id="a-length-without-a-body"),
        pytest.param(
            b"HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n", id="chunks-without-a-body"
        ),
        pytest.param(
            OK + b"Connection: x, Close\r\nContent-Length: 2\r\n\r\n{}", id="close-in-a-list"
        ),
    ],
)
def test_a_connection_on_which_something_is_odd_ends(
    transport: Urllib3Transport, octets: bytes
) -> None:
    with FaultServer((Read(), Send(octets), Wait()), (Read(), Send(ok(b"fresh")))) as server:
        answered(transport.send(request(server.url()), CLOCK))
        assert server.closed_by_client.wait(5)
        assert answered(transport.send(request(server.url()), CLOCK)).body == b"fresh"


# --- more octets than the answer has -------------------------------------------------------------

Way: TypeAlias = Callable[
    [Authority, Script, Script],
    AbstractContextManager[tuple[FaultServer, Urllib3Transport, str]],
]


@contextmanager
def plain(
    _: Authority, first: Script, second: Script
) -> Generator[tuple[FaultServer, Urllib3Transport, str]]:
    with FaultServer(first, second) as server, Urllib3Transport() as transport:
        yield server, transport, server.url()


@contextmanager
def over_tls(
    authority: Authority, first: Script, second: Script
) -> Generator[tuple[FaultServer, Urllib3Transport, str]]:
    with (
        FaultServer(first, second, tls=authority.server()) as server,
        Urllib3Transport(ca=authority.path) as transport,
    ):
        yield server, transport, server.url()


@contextmanager
def through_a_proxy(
    authority: Authority, first: Script, second: Script
) -> Generator[tuple[FaultServer, Urllib3Transport, str]]:
    tunnel: Script = (
        Read(),
        Send(b"HTTP/1.1 200 Connected\r\n\r\n"),
        Handshake(authority.server("far", host="op.example")),
    )
    with (
        FaultServer(tunnel + first, tunnel + second) as server,
        Urllib3Transport(ca=authority.path, proxy=server.url()) as transport,
    ):
        yield server, transport, "https://op.example/token"


def filling(size: int) -> bytes:
    """An answer that is so large, its head included."""
    body = b"x" * (size // 2)
    empty = ok(body, b"X: ")
    answer = ok(body, b"X: " + b"y" * (size - len(empty)))
    assert len(answer) == size
    return answer


@pytest.mark.parametrize("way", [plain, over_tls, through_a_proxy])
@pytest.mark.parametrize("size", [100, 8_191, 8_192, 8_193, 12_288, 16_000])
@pytest.mark.parametrize("more", [ok(b"poison"), b"x"])
def test_octets_behind_an_answer_belong_to_nobody(
    authority: Authority, way: Way, size: int, more: bytes
) -> None:
    first: Script = (Read(), Send(filling(size) + more), Wait())
    second: Script = (Read(), Send(ok(b"fresh")), Wait())
    with way(authority, first, second) as (server, transport, url):
        assert len(answered(transport.send(request(url), CLOCK)).body) > 10
        assert server.ended.acquire(timeout=5)  # by a reset, where octets were left unread
        assert answered(transport.send(request(url), CLOCK)).body == b"fresh"
        assert server.connections == 2


@pytest.mark.parametrize("size", [100, 8_192, 16_000])
def test_a_connection_without_such_octets_is_kept(authority: Authority, size: int) -> None:
    script: Script = (Read(), Send(filling(size))) * 2
    with over_tls(authority, (*script, Wait()), ()) as (server, transport, url):
        for _ in range(2):
            answered(transport.send(request(url), CLOCK))
        assert server.connections == 1


# --- exchanges within exchanges ------------------------------------------------------------------


class Shipping(logging.Handler):
    """Sends each log record on, over a separate transport."""

    def __init__(self, transport: PooledTransport, url: str) -> None:
        super().__init__()
        self.transport, self.url, self.shipped = transport, url, 0
        self.is_busy = False

    def emit(self, record: logging.LogRecord) -> None:
        if self.is_busy:
            return
        self.is_busy = True
        answered(self.transport.send(request(self.url), CLOCK))
        self.is_busy, self.shipped = False, self.shipped + 1


@contextmanager
def shipped(url: str) -> Generator[Shipping]:
    log = logging.getLogger("urllib3.connectionpool")
    level = log.level
    with Urllib3Transport() as transport:
        shipping = Shipping(transport, url)
        log.addHandler(shipping)
        log.setLevel(logging.DEBUG)
        try:
            yield shipping
        finally:
            log.removeHandler(shipping)
            log.setLevel(level)


def test_an_exchange_within_another_leaves_it_its_judgement_of_addresses(
    transport: Urllib3Transport,
) -> None:
    with (
        FaultServer((Read(), Send(ok())) * 9) as logs,
        FaultServer((Read(), Send(ok()))) as server,
        shipped(logs.url()) as shipping,
    ):
        answer = transport.send(request(server.url(), reach="public"), CLOCK)
        assert failed(answer) == ("address_not_allowed", "no")
        assert shipping.shipped > 0
        assert server.connections == 0


def test_an_exchange_within_another_leaves_it_its_deadline(transport: Urllib3Transport) -> None:
    dripping = (
        Read(),
        Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"),
        Drip(b"X-A: a\r\n", every=0.2),
    )
    with (
        FaultServer((Read(), Send(ok())) * 9) as logs,
        FaultServer(dripping) as server,
        shipped(logs.url()) as shipping,
    ):
        start = monotonic()
        answer = transport.send(request(server.url(), deadline=0.5), CLOCK)
        assert failed(answer) == ("http_timeout", "maybe")
        assert monotonic() - start < 0.5 + LATE
        assert shipping.shipped > 0


def test_an_exchange_within_another_leaves_it_its_check_of_tls(authority: Authority) -> None:
    lax = ssl.create_default_context(cafile=str(authority.path))
    with (
        FaultServer((Read(), Send(ok())) * 9) as logs,
        FaultServer((Read(), Send(ok())), tls=authority.server()) as server,
        shipped(logs.url()) as shipping,
    ):
        transport = Urllib3Transport(ssl_context=lax)
        lax.check_hostname = False
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        assert shipping.shipped > 0
        assert server.requests == []


def test_a_thread_that_lost_its_exchange_sends_nothing(
    transport: Urllib3Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it, for any reason, no part says which address may be connected to."""

    class Forgetful:
        exchange = property(lambda _: None, lambda _self, _exchange: None)

    for module in (pooled, guarded, pools):
        monkeypatch.setattr(module, "CURRENT", Forgetful())
    with FaultServer((Read(), Send(ok()))) as server:
        wire = request(server.url(), reach="public")
        assert failed(transport.send(wire, CLOCK)) == ("http_connect_failed", "no")
        assert server.connections == 0


# --- after a fork --------------------------------------------------------------------------------

FORKING = """
import gc, os, sys, threading
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from tests.adapters.transport.exchanges import CLOCK, request

transport = Urllib3Transport()
answer = transport.send(request(sys.argv[1]), CLOCK)
locks = [route.pool.pool.mutex for route in transport._routes.values()]
locks.append(transport._manager.pools.lock)
held = threading.Event()

def hold():
    for lock in locks:
        lock.acquire()
    held.set()

threading.Thread(target=hold, daemon=True).start()
held.wait()
child = os.fork()
if child == 0:
    if sys.argv[2] == "closes":
        transport.close()
    elif sys.argv[2] == "sends":
        answer = transport.send(request(sys.argv[1]), CLOCK)
    del transport
    gc.collect()
    sys.exit(answer.status != 200)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
os._exit(code)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize("does", ["sends", "closes", "nothing"])
def test_a_forked_process_waits_for_no_lock_of_its_parents_threads(does: str) -> None:
    """It does not do so when its leftovers are collected either, and not at its end."""
    script = (Read(), Send(ok()), Wait())
    with FaultServer(script, script) as server:
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", FORKING, server.url(), does],
            check=True,
            timeout=20,
        )
        assert server.connections == (2 if does == "sends" else 1)


# --- without TLS through a proxy -----------------------------------------------------------------


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(
    "url", ["http://keycloak:8080/token", "http://10.0.0.5/", "http://93.184.215.14:8080/token"]
)
def test_what_lacks_tls_leaves_this_machine_through_no_proxy(own: bool, url: str) -> None:
    """Nobody here sees whether the address is one that is not public."""
    with FaultServer((Read(), Send(ok()))) as proxy:
        transport = (
            Urllib3Transport(proxy=proxy.url())
            if own
            else Urllib3Transport(pool_manager=ProxyManager(proxy.url()))
        )
        answer = transport.send(request(url, reach="private"), CLOCK)
        assert failed(answer) == ("address_not_allowed", "no")
        assert proxy.connections == 0


# --- who answered --------------------------------------------------------------------------------


def test_only_pools_of_ones_own_are_vouched_for() -> None:
    made = made_pools(None, 1, ssl.create_default_context())
    own, others = PooledTransport(made, lambda: made), PooledTransport(made, None)
    assert (own.judges_addresses, others.judges_addresses) == (True, False)
    assert own.channel("https://a.example/") == Channel("verified", addresses_judged=True)
    assert own.channel("http://localhost/") == Channel("unverified", addresses_judged=True)
    for url in ("https://a.example/", "http://localhost/"):
        assert others.channel(url) == NOT_TOLD
