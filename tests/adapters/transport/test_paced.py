"""TLS within TLS, through a proxy that relays: verified twice, and bounded as everything else."""

import ssl
from time import monotonic

import pytest
from urllib3 import ProxyManager

from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import Drip, FaultServer, Read, Script, Send, Wait, ok
from oidc_adapters.transport.exchange import CURRENT, Exchange
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_adapters.transport.paced import PacedSocket, paced, read_by
from tests.adapters.transport.exchanges import CHUNKED, CLOCK, HEAD, answered, failed, request
from tests.adapters.transport.relay import Relay

FAR = "https://op.example/token"
GRACE = 0.3


def through(authority: Authority, relay: Relay) -> Urllib3Transport:
    context = ssl.create_default_context(cafile=str(authority.path))
    far = ssl.create_default_context(cafile=str(authority.path))
    pools = ProxyManager(relay.url, proxy_ssl_context=context, ssl_context=far)
    return Urllib3Transport(pool_manager=pools)


@pytest.fixture(name="far", scope="module")
def _far(authority: Authority) -> ssl.SSLContext:
    return authority.server("far", host="op.example")


@pytest.fixture(name="near", scope="module")
def _near(authority: Authority) -> ssl.SSLContext:
    return authority.server("near")


def test_requests_go_through_a_proxy_over_tls_and_their_connection_is_kept(
    authority: Authority, near: ssl.SSLContext, far: ssl.SSLContext
) -> None:
    script: Script = (Read(), Send(ok(b"1")), Read(), Send(ok(b"2" * 50_000)), Wait())
    with FaultServer(script, tls=far) as server, Relay(near, server.port) as relay:
        transport = through(authority, relay)
        bodies = [answered(transport.send(request(FAR), CLOCK)).body for _ in range(2)]
        assert bodies == [b"1", b"2" * 50_000]
        assert (server.connections, len(server.requests)) == (1, 2)
        assert [each.split(b"\r\n")[0] for each in relay.connects] == [
            b"CONNECT op.example:443 HTTP/1.1"
        ] or relay.connects[0].startswith(b"CONNECT op.example:443 HTTP/1.0")


def test_the_server_behind_it_is_verified(authority: Authority, near: ssl.SSLContext) -> None:
    other = authority.server("other", host="other.example")
    with FaultServer((Read(),), tls=other) as server, Relay(near, server.port) as relay:
        answer = through(authority, relay).send(request(FAR), CLOCK)
        assert failed(answer) == ("tls_failed", "no")
        assert server.requests == []


def test_what_comes_behind_an_answer_belongs_to_nobody(
    authority: Authority, near: ssl.SSLContext, far: ssl.SSLContext
) -> None:
    first: Script = (Read(), Send(ok(b"x" * 8_000) + ok(b"poison")), Wait())
    second: Script = (Read(), Send(ok(b"fresh")), Wait())
    with FaultServer(first, second, tls=far) as server, Relay(near, server.port) as relay:
        transport = through(authority, relay)
        assert answered(transport.send(request(FAR), CLOCK)).body == b"x" * 8_000
        assert answered(transport.send(request(FAR), CLOCK)).body == b"fresh"
        assert server.connections == 2


@pytest.mark.parametrize(
    "acts",
    [
        pytest.param((Wait(),), id="never-answers"),
        pytest.param((Send(HEAD), Drip(b"x" * 9_999)), id="drips-the-body"),
        pytest.param((Send(CHUNKED), Drip(b"1\r\nx\r\n", endless=True)), id="drips-chunks"),
    ],
)
def test_a_slow_server_behind_it_ends_at_the_deadline(
    authority: Authority, near: ssl.SSLContext, far: ssl.SSLContext, acts: Script
) -> None:
    with FaultServer((Read(), *acts), tls=far) as server, Relay(near, server.port) as relay:
        start = monotonic()
        answer = through(authority, relay).send(request(FAR, deadline=0.5), CLOCK)
        assert failed(answer) == ("http_timeout", "maybe")
        assert 0.45 <= monotonic() - start <= 0.5 + GRACE


def test_a_handshake_that_drips_through_it_ends_at_the_deadline(
    authority: Authority, near: ssl.SSLContext, far: ssl.SSLContext
) -> None:
    with (
        FaultServer((Wait(),), tls=far) as server,
        Relay(near, server.port, piece=1, every=0.05) as relay,
    ):
        start = monotonic()
        answer = through(authority, relay).send(request(FAR, deadline=0.5), CLOCK)
        assert failed(answer) == ("http_timeout", "no")
        assert 0.45 <= monotonic() - start <= 0.5 + GRACE


def test_a_record_that_drips_through_it_ends_at_the_deadline(
    authority: Authority, near: ssl.SSLContext, far: ssl.SSLContext
) -> None:
    """One record takes many receives, and the reader asked for it once."""
    script: Script = (Read(), Send(ok(b"1")), Read(), Send(ok(b"x" * 9_000)), Wait())
    with FaultServer(script, tls=far) as server, Relay(near, server.port) as relay:
        transport = through(authority, relay)
        assert answered(transport.send(request(FAR), CLOCK)).body == b"1"
        relay.slow_down(piece=1, every=0.02)
        start = monotonic()
        answer = transport.send(request(FAR, deadline=0.5), CLOCK)
        assert failed(answer) == ("http_timeout", "maybe")
        assert 0.45 <= monotonic() - start <= 0.5 + GRACE


def test_only_tls_of_this_kind_is_paced_and_only_below_other_tls() -> None:
    class Other(ssl.SSLSocket):
        """A class of the application's own."""

    other = Other.__new__(Other)
    assert type(paced(other)) is Other
    mine = paced(ssl.SSLSocket.__new__(ssl.SSLSocket))
    assert type(mine) is PacedSocket
    read_by(mine, Exchange(monotonic(), max_body=1, reach="any"))
    assert mine.exchange is None
    assert CURRENT.exchange is None
