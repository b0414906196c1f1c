"""urllib3's pools: how they are made, which are not taken, and how connections are guarded."""

import ssl
from queue import LifoQueue
from typing import Any, Final, cast
from urllib.parse import unquote

from urllib3 import PoolManager, ProxyManager
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers, parse_url
from urllib3.util.ssl_ import resolve_cert_reqs

from oidc_adapters.transport.exchange import CURRENT
from oidc_adapters.transport.guarded import GuardedConnection, guarded
from oidc_adapters.transport.tls import check_context, tls_context
from oidc_core.wire.errors import UsageError

_ORIGINS: Final = 64

_OTHERWISE: Final = ("assert_hostname", "assert_fingerprint", "server_hostname")
"""Settings that have urllib3 compare a certificate with something else than the URL's name."""


def made_pools(proxy: str | None, pool_size: int, context: ssl.SSLContext) -> PoolManager:
    """Make pools.  They block when they are full, else urllib3 opens connections without bound.

    Raises:
        UsageError: ``config_invalid`` for a proxy that is none.
    """
    if proxy is None:
        return PoolManager(_ORIGINS, maxsize=pool_size, block=True, ssl_context=context)
    try:
        address = parse_url(proxy)
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
            check_context(context)
    for name in _OTHERWISE:
        if settings.get(name) is not None or getattr(proxy, name, None) is not None:
            raise UsageError("config_invalid", about="pool_manager", found=name)
    required = settings.get("cert_reqs")
    if required is not None and resolve_cert_reqs(required) != ssl.CERT_REQUIRED:
        raise UsageError("config_invalid", about="pool_manager", found="cert_reqs")


def guard(pool: HTTPConnectionPool) -> None:
    """Have a pool make guarded connections from now on."""
    # urllib3 types its own connections by a protocol that they do not quite match.
    kind = cast("type[HTTPConnection]", pool.ConnectionCls)
    if issubclass(kind, GuardedConnection) or pool.pool is None:
        return
    pool.ConnectionCls = cast("type[Any]", guarded(kind))
    pool.pool = _Places(pool.pool)


def _fits(connection: GuardedConnection) -> bool:
    exchange = CURRENT.exchange
    if exchange is None or exchange.reach == "any" or connection.is_closed:
        return True
    return not connection.dials_itself or connection.leads_where(exchange.reach)


class _Places(LifoQueue[Any]):
    """The places of a guarded pool, from which only guarded connections are taken.

    It may hold others: those that were idle before, and those that the application had in use and
    puts back later.  One that leads where the request in hand may not go is replaced too: it was
    made for another policy.
    """

    def __init__(self, places: LifoQueue[Any]) -> None:
        super().__init__()
        self._places = places

    def get(self, *arguments: Any, **options: Any) -> Any:
        found = self._places.get(*arguments, **options)
        if found is None or (isinstance(found, GuardedConnection) and _fits(found)):
            return found
        found.close()
        return None

    def put(self, *arguments: Any, **options: Any) -> None:
        self._places.put(*arguments, **options)

    def qsize(self) -> int:
        return self._places.qsize()
