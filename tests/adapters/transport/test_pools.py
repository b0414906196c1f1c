"""Which pools are taken, and where they connect to."""

import ssl
from queue import Empty
from typing import Any

import pytest
from urllib3 import HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import FaultServer, Read, Send, Wait, ok
from oidc_adapters.transport.guarded import GuardedConnection, GuardedTlsConnection
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_adapters.transport.pools import (
    Places,
    SharedConnection,
    SharedTlsConnection,
    check_manager,
    made_pools,
    shared,
)
from oidc_adapters.transport.tls import tls_context
from oidc_core.wire.errors import UsageError
from tests.adapters.transport.exchanges import CLOCK, answered, failed, request
from tests.adapters.transport.test_guarded import DiallingOtherwise

PROXY = "https://127.0.0.1:1"


def unverifying() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def context() -> ssl.SSLContext:
    return tls_context(ca=None, client_certificate=None)


# --- pools of our own ----------------------------------------------------------------------------


def test_pools_block_when_they_are_full() -> None:
    pools = made_pools(None, 3, context())
    assert (pools.connection_pool_kw["maxsize"], pools.connection_pool_kw["block"]) == (3, True)


def test_a_proxy_is_shown_no_certificate_and_no_file_its_session(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    mutual = tls_context(ca=None, client_certificate=authority.issue("client", host=None))
    pools = made_pools(PROXY, 1, mutual)
    settings = pools.proxy_config
    assert settings is not None
    own = settings.ssl_context
    assert own is not None
    assert own is not mutual
    assert (own.verify_mode, own.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert own.keylog_filename is None


# --- pools of the application --------------------------------------------------------------------

VERIFYING = [{}, {"cert_reqs": "CERT_REQUIRED"}, {"cert_reqs": ssl.CERT_REQUIRED}]
LAX: list[tuple[str, dict[str, Any]]] = [
    ("cert_reqs", {"cert_reqs": "CERT_NONE"}),
    ("cert_reqs", {"cert_reqs": "NONE"}),
    ("cert_reqs", {"cert_reqs": "OPTIONAL"}),
    ("cert_reqs", {"cert_reqs": ssl.CERT_NONE}),
    ("cert_reqs", {"cert_reqs": ssl.CERT_OPTIONAL}),
    ("assert_hostname", {"assert_hostname": False}),
    ("assert_hostname", {"assert_hostname": "other.example"}),
    ("assert_fingerprint", {"assert_fingerprint": "ab" * 32}),
    ("server_hostname", {"server_hostname": "other.example"}),
]


@pytest.mark.parametrize("options", VERIFYING)
def test_pools_that_verify_are_taken(options: dict[str, Any]) -> None:
    check_manager(PoolManager(**options))
    check_manager(ProxyManager(PROXY, proxy_ssl_context=context(), **options))


@pytest.mark.parametrize(("found", "options"), LAX)
def test_pools_that_were_told_otherwise_are_refused(found: str, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as refused:
        check_manager(PoolManager(**options))
    value = refused.value
    assert (value.code, value.about, value.found) == ("config_invalid", "pool_manager", found)


@pytest.mark.parametrize(
    ("about", "options"),
    [
        ("ssl_context", {"proxy_ssl_context": unverifying()}),
        ("pool_manager", {"proxy_assert_hostname": False}),
        ("pool_manager", {"proxy_assert_hostname": "other.example"}),
        ("pool_manager", {"proxy_assert_fingerprint": "ab" * 32}),
    ],
)
def test_so_are_those_that_do_not_verify_their_proxy(about: str, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as refused:
        check_manager(ProxyManager(PROXY, **options))
    assert (refused.value.code, refused.value.about) == ("config_invalid", about)


# --- settings that change after they were looked at -----------------------------------------------


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize("options", [options for _, options in LAX])
def test_pools_that_are_told_otherwise_later_send_nothing(
    authority: Authority, options: dict[str, Any]
) -> None:
    tls = authority.server("later", host="127.0.0.1")
    with (
        FaultServer((Read(), Send(ok())), tls=tls) as server,
        PoolManager(ca_certs=str(authority.path)) as pools,
    ):
        transport = Urllib3Transport(pool_manager=pools)
        pools.connection_pool_kw.update(options)
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        assert server.requests == []


def changed(context: ssl.SSLContext, **settings: Any) -> None:
    for name, value in settings.items():
        setattr(context, name, value)


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"check_hostname": False}, id="no-name"),
        pytest.param({"check_hostname": False, "verify_mode": ssl.CERT_NONE}, id="nothing"),
        pytest.param({"check_hostname": False, "verify_mode": ssl.CERT_OPTIONAL}, id="optional"),
    ],
)
@pytest.mark.parametrize("own", [True, False])
def test_a_context_that_was_changed_later_sends_nothing(
    authority: Authority, settings: dict[str, Any], own: bool
) -> None:
    context = ssl.create_default_context(cafile=str(authority.path))
    script = (Read(), Send(ok(b"verified", b"Connection: close")))
    with FaultServer(script, tls=authority.server()) as server:
        transport = (
            Urllib3Transport(ssl_context=context)
            if own
            else Urllib3Transport(pool_manager=PoolManager(ssl_context=context))
        )
        assert answered(transport.send(request(server.url()), CLOCK)).body == b"verified"
        changed(context, **settings)
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        assert len(server.requests) == 1


class Credulous(HTTPSConnection):
    """A class of the application's that says it verified, and did not."""

    def connect(self) -> None:
        self.ssl_context = unverifying()
        self.cert_reqs = ssl.CERT_NONE
        super().connect()
        self.is_verified = True


class CredulousPool(HTTPSConnectionPool):
    ConnectionCls: Any = Credulous


def test_a_connection_that_only_says_that_it_verified_sends_nothing(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultServer((Read(), Send(ok())), tls=authority.server()) as server:
        pools = PoolManager()
        monkeypatch.setattr(pools, "pool_classes_by_scheme", {"https": CredulousPool})
        transport = Urllib3Transport(pool_manager=pools)
        assert failed(transport.send(request(server.url()), CLOCK)) == ("tls_failed", "no")
        assert server.requests == []


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_a_proxy_whose_settings_were_changed_later_is_told_nothing(authority: Authority) -> None:
    lax = ssl.create_default_context(cafile=str(authority.path))
    pools = ProxyManager("https://127.0.0.1:1", proxy_ssl_context=lax)
    with FaultServer((Wait(),), tls=authority.server()) as proxy:
        pools = ProxyManager(proxy.url(), proxy_ssl_context=lax)
        transport = Urllib3Transport(pool_manager=pools)
        changed(lax, check_hostname=False)
        wire = request("https://op.example/token")
        assert failed(transport.send(wire, CLOCK)) == ("tls_failed", "no")
        assert proxy.ended.acquire(timeout=5)
        assert proxy.unasked == b""


# --- classes of connections ----------------------------------------------------------------------


class Verifying(HTTPSConnection):
    """A class of the application's."""


class Renamed(HTTPConnection):
    """A class of the application's that dials as urllib3 does."""


def test_urllib3s_own_classes_have_their_guarded_ones() -> None:
    assert shared(HTTPConnection) is SharedConnection
    assert shared(HTTPSConnection) is SharedTlsConnection
    assert issubclass(SharedTlsConnection, GuardedTlsConnection)


@pytest.mark.parametrize(
    ("kind", "base", "dials_itself"),
    [
        (Renamed, SharedConnection, True),
        (Verifying, SharedTlsConnection, True),
        (DiallingOtherwise, SharedConnection, False),
    ],
)
def test_a_class_of_the_applications_is_guarded_and_stays_what_it_is(
    kind: type[HTTPConnection], base: type[GuardedConnection], dials_itself: bool
) -> None:
    made = shared(kind)

    assert issubclass(made, base)
    assert issubclass(made, kind)
    assert (made.__name__, made.dials_itself) == (f"Guarded{kind.__name__}", dials_itself)


# --- without an exchange -------------------------------------------------------------------------


def test_without_an_exchange_a_shared_connection_is_urllib3s_own() -> None:
    octets = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nnot a header\r\n\r\n{}"
    with FaultServer((Read(), Send(octets), Wait())) as server:
        connection = SharedConnection("127.0.0.1", server.port, timeout=5)
        connection.request("POST", "/a", body=b"b", headers={"x": "y"})
        answer = connection.getresponse()
        # A guarded answer would have been refused for its header.
        assert (answer.status, answer.data) == (200, b"{}")
        connection.close()
        assert server.requests[0].startswith(b"POST /a HTTP/1.1\r\n")


# --- settings from which nothing can be made -----------------------------------------------------


@pytest.mark.parametrize(
    "proxy",
    [
        "http://",
        "https://",
        "http:///x",
        "http://:3128",
        "https://:3128/",
        "http://h:0",
        "https://h:00",
    ],
)
def test_a_proxy_that_is_nowhere_is_refused(proxy: str) -> None:
    with pytest.raises(UsageError) as refused:
        made_pools(proxy, 1, context())
    assert (refused.value.code, refused.value.about) == ("config_invalid", "proxy")


@pytest.mark.parametrize(
    ("about", "options"),
    [
        ("pool_manager", {"cert_reqs": "nonsense"}),
        ("pool_manager", {"cert_reqs": object()}),
        ("pool_manager", {"cert_reqs": ""}),
        ("pool_manager", {"bogus": 1}),
        ("pool_manager", {"sslcontext": None}),
        ("ssl_context", {"ssl_context": 5}),
        ("ssl_context", {"ssl_context": "verify"}),
    ],
)
def test_pools_that_could_never_be_made_are_refused(about: str, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as refused:
        Urllib3Transport(pool_manager=PoolManager(**options))
    assert (refused.value.code, refused.value.about) == ("config_invalid", about)


@pytest.mark.parametrize("options", [{"bogus": 1}, {"maxsize": "many"}, {"timeout": "long"}])
def test_pools_that_can_no_longer_be_made_are_refused_when_they_are_used(
    options: dict[str, Any],
) -> None:
    pools = PoolManager()
    transport = Urllib3Transport(pool_manager=pools)
    pools.connection_pool_kw.update(options)
    with pytest.raises(UsageError) as refused:
        transport.send(request("https://op.example/"), CLOCK)
    assert (refused.value.code, refused.value.about) == ("config_invalid", "pool_manager")


# --- places --------------------------------------------------------------------------------------


def test_another_process_takes_nothing_and_waits_for_no_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thread of the parent's may have had the lock when the process was forked."""
    places = Places(1)
    places.put("a connection")
    with places.mutex:
        monkeypatch.setattr("os.getpid", lambda: -1)  # as it is in the child
        for options in ({"block": False}, {"timeout": 5}):
            with pytest.raises(Empty):
                places.get(**options)
        monkeypatch.undo()
    assert places.qsize() == 1
