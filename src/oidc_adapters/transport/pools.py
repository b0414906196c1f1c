"""urllib3's pools: how they are made, which are not taken, and how connections are guarded."""

import os
import ssl
from collections.abc import Mapping
from http.client import HTTPResponse
from queue import Empty, LifoQueue
from socket import socket
from types import MappingProxyType
from typing import Any, Final, cast
from urllib.parse import unquote

from urllib3 import PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers, parse_url
from urllib3.util.ssl_ import resolve_cert_reqs
from urllib3.util.url import Url as Address

from oidc_adapters.transport.exchange import CURRENT
from oidc_adapters.transport.guarded import GuardedConnection, GuardedTlsConnection
from oidc_adapters.transport.receiving import GuardedResponse
from oidc_adapters.transport.tls import check_context, tls_context
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import check_kind
from oidc_core.wire.urls import Url

_ORIGINS: Final = 64

_OTHERWISE: Final = ("assert_hostname", "assert_fingerprint", "server_hostname")
"""Settings that have urllib3 compare a certificate with something else than the URL's name."""


def made_pools(proxy: str | None, pool_size: int, context: ssl.SSLContext) -> PoolManager:
    """Make pools. They block when they are full; otherwise urllib3 opens connections without bound.

    Raises:
        UsageError: ``config_invalid`` for an invalid proxy.
    """
    manager = _made(proxy, pool_size, context)
    manager.pool_classes_by_scheme = dict(_POOLS)
    return manager


def _made(proxy: str | None, pool_size: int, context: ssl.SSLContext) -> PoolManager:
    if proxy is None:
        return PoolManager(_ORIGINS, maxsize=pool_size, block=True, ssl_context=context)
    try:
        address = parse_url(proxy)
        _check_place(address)
        return ProxyManager(
            proxy,
            _ORIGINS,
            proxy_headers=None
            if address.auth is None
            else make_headers(proxy_basic_auth=unquote(address.auth)),
            proxy_ssl_context=_for_proxies() if address.scheme == "https" else None,
            maxsize=pool_size,
            block=True,
            ssl_context=context,
        )
    except (HTTPError, AssertionError, ValueError):
        raise UsageError("config_invalid", about="proxy", expected="an http URL") from None


def _check_place(proxy: Address) -> None:
    if not proxy.host or proxy.port == 0:
        raise ValueError("a proxy that is nowhere")


def _for_proxies() -> ssl.SSLContext:
    """Return settings that show a proxy no certificate of the client and write no session down."""
    return tls_context(ca=None, client_certificate=None)


def check_manager(manager: PoolManager) -> None:
    """Refuse pools that were told not to verify; what this misses fails when connecting.

    Raises:
        UsageError: ``config_invalid``.
    """
    settings = manager.connection_pool_kw
    proxy: Any = manager.proxy_config
    for context in (settings.get("ssl_context"), getattr(proxy, "ssl_context", None)):
        if context is not None:
            check_kind(context, ssl.SSLContext, about="ssl_context", code="config_invalid")
            check_context(context)
    for name in _OTHERWISE:
        if settings.get(name) is not None or getattr(proxy, name, None) is not None:
            raise UsageError("config_invalid", about="pool_manager", found=name)
    required = settings.get("cert_reqs")
    if required is not None and _resolved(required) != ssl.CERT_REQUIRED:
        raise UsageError("config_invalid", about="pool_manager", found="cert_reqs")
    origin = {"scheme": "https", "host": "op.example", "port": 443}
    try:
        manager.key_fn_by_scheme["https"]({**settings, **origin})
    except TypeError as error:  # a name that is not a setting
        raise UsageError("config_invalid", about="pool_manager") from error


def _resolved(required: object) -> object:
    try:
        return resolve_cert_reqs(cast("str", required))
    except AttributeError:
        return None


def pool_of(manager: PoolManager, endpoint: Url) -> HTTPConnectionPool:
    """Return the pool of an origin.

    Raises:
        UsageError: ``config_invalid`` for an application's pools with invalid settings.
    """
    try:
        return manager.connection_from_host(endpoint.host, endpoint.port, endpoint.scheme)
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError("config_invalid", about="pool_manager") from error


# --- pools of our own ----------------------------------------------------------------------------


class Places(LifoQueue[Any]):
    """The places of a pool that was made here, which a forked process leaves alone.

    There a thread of the parent's may have had the lock, and nobody would ever let go of it.  The
    pool is emptied when it is collected, or when the process ends, also if it was never used there.
    """

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self._process = os.getpid()

    def get(self, *arguments: Any, **options: Any) -> Any:
        """Take a connection that may serve the request in hand, or a place for a new one.

        Raises:
            Empty: in another process, and as any queue.
        """
        if self._process != os.getpid():
            raise Empty
        return _kept(super().get(*arguments, **options))


class _Pool(HTTPConnectionPool):
    ConnectionCls: Any = GuardedConnection
    QueueCls = Places


class TlsPool(HTTPSConnectionPool):
    """A pool of connections over TLS."""

    ConnectionCls: Any = GuardedTlsConnection
    QueueCls = Places


_POOLS: Final[Mapping[str, type[HTTPConnectionPool]]] = MappingProxyType(
    {"http": _Pool, "https": TlsPool}
)


def _kept(found: Any) -> Any:
    """Return a connection that may serve the request in hand; close any other, for a new one.

    A connection without a guard is older than the pool, and one that leads to a forbidden place was
    made for another policy.
    """
    if found is None or (isinstance(found, GuardedConnection) and _fits(found)):
        return found
    found.close()
    return None


def _fits(connection: GuardedConnection) -> bool:
    exchange = CURRENT.exchange
    if exchange is None or exchange.reach == "any" or connection.is_closed:
        return True
    return not connection.dials_itself or connection.leads_where(exchange.reach)


# --- pools of the application --------------------------------------------------------------------


def guard(pool: HTTPConnectionPool) -> None:
    """Have a pool of the application's make guarded connections from now on."""
    # urllib3 types its own connections by a protocol that they do not quite match.
    kind = cast("type[HTTPConnection]", pool.ConnectionCls)
    if issubclass(kind, GuardedConnection) or pool.pool is None:
        return
    pool.ConnectionCls = cast("type[Any]", shared(kind))
    pool.pool = _SharedPlaces(pool.pool)


class _SharedPlaces(LifoQueue[Any]):
    """The places of a guarded pool, from which only guarded connections are taken.

    It may hold others: those that were idle before, and those that the application had in use and
    puts back later.
    """

    def __init__(self, places: LifoQueue[Any]) -> None:
        super().__init__()
        self._places = places

    def get(self, *arguments: Any, **options: Any) -> Any:
        return _kept(self._places.get(*arguments, **options))

    def put(self, *arguments: Any, **options: Any) -> None:
        self._places.put(*arguments, **options)

    def qsize(self) -> int:
        return self._places.qsize()


def _answer_on(
    sock: socket,
    debuglevel: int = 0,
    method: str | None = None,
    url: str | None = None,
) -> HTTPResponse:
    """Return the answer to come, guarded if there is an exchange."""
    kind = HTTPResponse if CURRENT.exchange is None else GuardedResponse
    return kind(sock, debuglevel, method, url)


class SharedConnection(GuardedConnection):
    """A connection that the application uses too; outside of an exchange it is urllib3's own."""

    response_class: Any = staticmethod(_answer_on)
    is_shared = True


class SharedTlsConnection(SharedConnection, GuardedTlsConnection):
    """The same over TLS."""


_SHARED: Final[Mapping[type, type[SharedConnection]]] = MappingProxyType(
    {HTTPConnection: SharedConnection, HTTPSConnection: SharedTlsConnection}
)


def shared(kind: type[HTTPConnection]) -> type[SharedConnection]:
    """Return the guarded class of connections for a class of urllib3 or of the application."""
    known = _SHARED.get(kind)
    if known is not None:
        return known
    base = SharedTlsConnection if issubclass(kind, HTTPSConnection) else SharedConnection
    own_way = any("_new_conn" in vars(each) for each in kind.mro() if each is not HTTPConnection)
    made = type("Guarded" + kind.__name__, (base, kind), {"dials_itself": not own_way})
    return cast("type[SharedConnection]", made)
