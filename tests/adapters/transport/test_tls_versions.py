"""The version of a connection decides, where its settings leave the version open.

An operating system's Python makes such settings: it names no oldest version and leaves it to
OpenSSL.  The servers here speak TLS of one version each, over real sockets.
"""

import ssl
import warnings
from collections.abc import Callable

import pytest
from urllib3 import PoolManager, ProxyManager

from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import FaultServer, Handshake, Read, Script, Send, Wait, ok
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from tests.adapters.transport.exchanges import CLOCK, answered, failed, request

CONNECTED = b"HTTP/1.1 200 Connected\r\n\r\n"
FAR = "https://op.example/token"
OLD = [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1]
NEW = [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")]
NAMES = ["TLSv1.1", "TLSv1", "SSLv3", "TLSv1.4", "unknown", "", None]
"""OpenSSL's names of the old versions, and an unknown name."""


def lenient(authority: Authority) -> ssl.SSLContext:
    """Settings that verify, but take every version that OpenSSL was built with."""
    context = ssl.create_default_context(cafile=str(authority.path))
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # what old versions sign with is too weak for 1
    return context


def speaking(
    authority: Authority, version: ssl.TLSVersion, host: str = "127.0.0.1"
) -> ssl.SSLContext:
    """A server's settings for this version and no other."""
    context = authority.server(f"only-{version.name}-{host}", host=host)
    hold_to(context, version)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.num_tickets = 0  # a client that has gone must not meet an error on the server's side
    return context


def hold_to(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    """Have the connections that come next speak this version and no other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = version
        context.maximum_version = version


def by_context(authority: Authority) -> Urllib3Transport:
    return Urllib3Transport(ssl_context=lenient(authority))


def by_pools(authority: Authority) -> Urllib3Transport:
    return Urllib3Transport(pool_manager=PoolManager(ssl_context=lenient(authority)))


BOTH = pytest.mark.parametrize("make", [by_context, by_pools])


def assert_handshake_and_silence(server: FaultServer, version: str) -> None:
    """The handshake succeeded, or the test would prove nothing, and nothing came after it."""
    assert server.ended.acquire(timeout=5)
    assert (server.spoken, server.unasked) == ([version], b"")


# --- versions that are spoken --------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(("version", "name"), NEW)
def test_a_new_version_is_taken(
    authority: Authority,
    make: Callable[[Authority], Urllib3Transport],
    version: ssl.TLSVersion,
    name: str,
) -> None:
    with FaultServer((Read(), Send(ok(b"new"))), tls=speaking(authority, version)) as server:
        assert answered(make(authority).send(request(server.url()), CLOCK)).body == b"new"
        assert server.spoken == [name]


@BOTH
@pytest.mark.parametrize("version", OLD)
def test_an_old_version_is_told_nothing(
    authority: Authority, make: Callable[[Authority], Urllib3Transport], version: ssl.TLSVersion
) -> None:
    with FaultServer((Wait(),), tls=speaking(authority, version)) as server:
        answer = make(authority).send(request(server.url(), resend="safe"), CLOCK)
        assert failed(answer) == ("tls_failed", "no")
        assert server.connections == 1
        assert_handshake_and_silence(server, version.name.replace("v1_", "v1."))


@pytest.mark.parametrize(("version", "name"), NEW)
def test_a_new_version_behind_a_proxy_is_taken(
    authority: Authority, version: ssl.TLSVersion, name: str
) -> None:
    far = speaking(authority, version, "op.example")
    tunnel = (Read(), Send(CONNECTED), Handshake(far), Read(), Send(ok(b"through")))
    with (
        FaultServer(tunnel) as proxy,
        Urllib3Transport(ssl_context=lenient(authority), proxy=proxy.url()) as transport,
    ):
        assert answered(transport.send(request(FAR), CLOCK)).body == b"through"
        assert proxy.spoken == [name]


def test_an_old_version_behind_a_proxy_is_told_nothing(authority: Authority) -> None:
    far = speaking(authority, ssl.TLSVersion.TLSv1_1, "op.example")
    with (
        FaultServer((Read(), Send(CONNECTED), Handshake(far), Wait())) as proxy,
        Urllib3Transport(ssl_context=lenient(authority), proxy=proxy.url()) as transport,
    ):
        assert failed(transport.send(request(FAR), CLOCK)) == ("tls_failed", "no")
        assert_handshake_and_silence(proxy, "TLSv1.1")
        assert [line.split(b" ")[0] for line in proxy.requests] == [b"CONNECT"]


def by_proxy(authority: Authority, proxy: FaultServer) -> Urllib3Transport:
    """A transport that speaks to its proxy over TLS, in any version."""
    pools = ProxyManager(
        proxy.url(),
        proxy_ssl_context=lenient(authority),
        proxy_headers={"proxy-authorization": "Basic YTpi"},
        ssl_context=lenient(authority),
    )
    return Urllib3Transport(pool_manager=pools)


def test_a_proxy_that_speaks_an_old_version_is_told_nothing(authority: Authority) -> None:
    tls = speaking(authority, ssl.TLSVersion.TLSv1_1)
    with FaultServer((Wait(),), tls=tls) as proxy:
        answer = by_proxy(authority, proxy).send(request(FAR), CLOCK)
        assert failed(answer) == ("tls_failed", "no")
        assert_handshake_and_silence(proxy, "TLSv1.1")


@pytest.mark.parametrize(("version", "name"), NEW)
def test_a_proxy_that_speaks_a_new_version_is_asked_to_connect(
    authority: Authority, version: ssl.TLSVersion, name: str
) -> None:
    refusal = Send(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    with FaultServer((Read(), refusal), tls=speaking(authority, version)) as proxy:
        answer = by_proxy(authority, proxy).send(request(FAR), CLOCK)
        assert failed(answer) == ("http_connect_failed", "no")
        assert proxy.spoken == [name]
        assert proxy.requests[0].startswith(b"CONNECT op.example:443 HTTP/1.")


# --- connections of the application --------------------------------------------------------------


def test_an_old_connection_that_the_application_opened_carries_no_request(
    authority: Authority,
) -> None:
    own_use: Script = (Read(), Send(ok(b"for the application")), Wait())
    tls = speaking(authority, ssl.TLSVersion.TLSv1_1)
    with (
        FaultServer((Wait(),), own_use, tls=tls) as server,
        PoolManager(ssl_context=lenient(authority)) as pools,
    ):
        transport = Urllib3Transport(pool_manager=pools)
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        assert server.ended.acquire(timeout=5)
        assert pools.request("GET", server.url()).data == b"for the application"
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        assert server.ended.acquire(timeout=5)
        assert (server.connections, len(server.requests), server.unasked) == (2, 1, b"")


def test_a_connection_that_the_application_opened_again_is_checked_again(
    authority: Authority,
) -> None:
    first: Script = (Read(), Send(ok(b"1", b"Connection: close")))
    second: Script = (Read(), Send(ok(b"2")), Wait())
    tls = speaking(authority, ssl.TLSVersion.TLSv1_2)
    with (
        FaultServer(first, second, tls=tls) as server,
        PoolManager(ssl_context=lenient(authority)) as pools,
    ):
        transport = Urllib3Transport(pool_manager=pools)
        assert answered(transport.send(request(server.url()), CLOCK)).body == b"1"
        hold_to(tls, ssl.TLSVersion.TLSv1_1)
        assert pools.request("GET", server.url()).data == b"2"
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        for _ in range(2):
            assert server.ended.acquire(timeout=5)
        assert (server.connections, len(server.requests), server.unasked) == (2, 2, b"")


def test_a_new_connection_that_the_application_opened_is_used(authority: Authority) -> None:
    first: Script = (Read(), Send(ok(b"1", b"Connection: close")))
    second: Script = (Read(), Send(ok(b"2")), Read(), Send(ok(b"3")))
    with (
        FaultServer(first, second, tls=speaking(authority, ssl.TLSVersion.TLSv1_2)) as server,
        PoolManager(ssl_context=lenient(authority)) as pools,
    ):
        transport = Urllib3Transport(pool_manager=pools)
        assert answered(transport.send(request(server.url()), CLOCK)).body == b"1"
        assert pools.request("GET", server.url()).data == b"2"
        assert answered(transport.send(request(server.url()), CLOCK)).body == b"3"
        assert server.connections == 2


def test_a_connection_that_was_in_use_before_the_transport_is_not_used(
    authority: Authority,
) -> None:
    own_use: Script = (Read(), Send(ok(b"for the application")), Wait())
    tls = speaking(authority, ssl.TLSVersion.TLSv1_1)
    with (
        FaultServer(own_use, (Wait(),), tls=tls) as server,
        PoolManager(ssl_context=lenient(authority), maxsize=2) as pools,
    ):
        in_use = pools.request("GET", server.url(), preload_content=False)
        transport = Urllib3Transport(pool_manager=pools)
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        assert in_use.data == b"for the application"
        in_use.release_conn()
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        for _ in range(3):
            assert server.ended.acquire(timeout=5)
        assert (server.connections, len(server.requests), server.unasked) == (3, 1, b"")


# --- versions that nothing here speaks -----------------------------------------------------------


def name_versions(monkeypatch: pytest.MonkeyPatch, *names: str | None) -> None:
    """Give the client's connections these names, one each time that they are asked."""
    version, remaining = ssl.SSLSocket.version, iter(names)

    def named(self: ssl.SSLSocket) -> str | None:
        return version(self) if self.server_side else next(remaining)

    monkeypatch.setattr(ssl.SSLSocket, "version", named)


@pytest.mark.parametrize("name", NAMES)
def test_a_version_whose_name_is_not_known_is_told_nothing(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, name: str | None
) -> None:
    name_versions(monkeypatch, name)
    tls = speaking(authority, ssl.TLSVersion.TLSv1_3)
    with (
        FaultServer((Wait(),), tls=tls) as server,
        Urllib3Transport(ssl_context=lenient(authority)) as transport,
    ):
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        assert_handshake_and_silence(server, "TLSv1.3")


def test_a_kept_connection_is_asked_once(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_versions(monkeypatch, "TLSv1.3")  # a second question would find no answer
    script = (Read(), Send(ok(b"1")), Read(), Send(ok(b"2")), Wait())
    with (
        FaultServer(script, tls=speaking(authority, ssl.TLSVersion.TLSv1_3)) as server,
        Urllib3Transport(ssl_context=lenient(authority)) as transport,
    ):
        bodies = [answered(transport.send(request(server.url()), CLOCK)).body for _ in range(2)]
        assert (bodies, server.connections) == ([b"1", b"2"], 1)
