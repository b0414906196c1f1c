"""The default transport: urllib3's connection pools, by a deadline of our own."""

import os
import re
import ssl
from functools import lru_cache
from http.client import HTTPException
from queue import LifoQueue
from time import monotonic
from types import TracebackType
from typing import Any, ClassVar, Final, NamedTuple, Self, cast
from urllib.parse import unquote

from urllib3 import BaseHTTPResponse, HTTPSConnectionPool, PoolManager, ProxyManager, Retry, Timeout
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import HTTPError, ProxyError, SSLError
from urllib3.util import make_headers, parse_url

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.transport.exchange import CURRENT, Exchange
from oidc_adapters.transport.guarded import GuardedConnection, guarded
from oidc_adapters.transport.tls import Certificate, StrPath, check_context, tls_context
from oidc_core.wire.addresses import Reach
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import NOT_TOLD, Channel, HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.urls import NO_ORIGINS, Url, origin_of
from oidc_core.wire.urls import parse_url as parse_endpoint

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_METHOD: Final = re.compile(r"[A-Z]+")
_FOLD: Final = re.compile(r"[ \t]*\r?\n[ \t]*").sub
_USER_AGENT: Final = "oidc-core"
_ONCE: Final = Retry(total=False, redirect=False)
_ROUTES: Final = 64
_ORIGINS: Final = 64


class _Route(NamedTuple):
    pool: HTTPConnectionPool
    target: str


class Urllib3Transport:
    """A :class:`~oidc_adapters.transport.Transport` over urllib3.

    Connections are kept per origin.  An instance has one TLS identity and one set of TLS settings,
    so two clients with different certificates need two instances.  It may be used by any number of
    threads, and in a process forked from the one that made it, with connections of its own.

    Args:
        ca: a file or folder of CA certificates, or their PEM text, in place of the system's.
        client_certificate: paths of the client's certificate and key, and the key's password, for
            mutual TLS (RFC 8705).
        ssl_context: TLS settings made by the application, in place of those two.  Where they leave
            the version open, a connection that is older than TLS 1.2 carries no request.
        proxy: the URL of a proxy; ``https`` goes through it by ``CONNECT``, and ``http`` only if
            it is on this machine too.  None is ever taken from the environment.
        pool_size: how many connections to an origin may be open at a time; a further request
            waits for its turn, within its deadline.
        pool_manager: the application's own pools, in place of all of the above.  Their connections
            are used and put back, and they are never closed here; those that were made before an
            origin is first used are replaced.  A forked process needs pools of its own.

    Attributes:
        judges_addresses: whether it holds every address that it connects to against the request.
            Through a proxy it sees none, and an application's own pools may do as they like.

    Raises:
        UsageError: ``config_invalid`` if a setting cannot be used.
    """

    verifies: ClassVar[bool] = True
    """Whether it verifies servers; the context of the original system has one that does not."""

    def __init__(
        self,
        *,
        ca: StrPath | None = None,
        client_certificate: Certificate | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | None = None,
        pool_size: int = 16,
        pool_manager: PoolManager | None = None,
    ) -> None:
        self.judges_addresses = pool_manager is None and proxy is None
        self._own = pool_manager is None
        self._closed = False
        self._process = ProcessLock()
        self._routes: dict[tuple[str, Reach], _Route] = {}
        self._pid = os.getpid()
        own_tls = ca is not None or client_certificate is not None
        if ssl_context is not None:
            if own_tls:
                raise UsageError("config_invalid", about="ssl_context", expected="no other setting")
            check_context(ssl_context)
        if pool_manager is not None:
            if own_tls or ssl_context is not None or proxy is not None:
                raise UsageError(
                    "config_invalid", about="pool_manager", expected="no other setting"
                )
            _check_manager(pool_manager)
            self._manager = pool_manager
            return
        context = ssl_context or tls_context(
            ca=ca,
            client_certificate=client_certificate,
            insecure_skip_tls_verification=not self.verifies,
        )
        self._settings = (proxy, pool_size, context)
        self._manager = _pools(*self._settings)

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        """Send a request, again if that is allowed and can help, and stamp the answer.

        Raises:
            UsageError: ``parameter_invalid`` for a method or header that breaks the grammar,
                a ``url_`` code for a URL not to be sent to, ``config_invalid`` if closed.
        """
        headers = _checked_headers(request)
        route = self._route(request.url, request.reach)
        deadline = monotonic() + request.deadline
        first = self._attempt(route, request, headers, deadline, clock)
        if isinstance(first, HttpResponse) or not _may_resend(request, first):
            return first
        second = self._attempt(route, request, headers, deadline, clock)
        if isinstance(second, NoAnswer) and first.sent == "maybe":
            return NoAnswer("maybe", second.code, second.at)
        return second

    def close(self) -> None:
        """Close the idle connections that were made here; nothing can be sent any more."""
        self._closed = True
        self._routes.clear()
        if self._own:
            self._manager.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _attempt(
        self,
        route: _Route,
        request: WireRequest,
        headers: dict[str, str],
        deadline: float,
        clock: Clock,
    ) -> HttpResponse | NoAnswer:
        exchange = Exchange(
            deadline,
            max_body=request.max_body,
            verified=self.verifies,
            reach=request.reach if self._manager.proxy is None else "any",  # that of the proxy
        )
        try:
            response = _response(route, request, headers, exchange)
            try:
                body = _body(response, request.max_body, exchange)
            except BaseException:
                response.close()
                response.release_conn()
                raise
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            # ValueError: http.client passes a negative chunk size on to its buffer.
            code = _failure(exchange, error)
            return NoAnswer("maybe" if exchange.sent else "no", code, clock.now())
        named = tuple(
            [(name.lower(), _line(value)) for name, value in response.headers.iteritems()]
        )
        return HttpResponse(response.status, named, body, clock.now(), self._channel(request.url))

    def _channel(self, url: str) -> Channel:
        """Say whether the server was verified; of an application's own pools nobody told us."""
        if not self._own:
            return NOT_TOLD
        verified = self.verifies and url.startswith("https:")
        return Channel("verified" if verified else "unverified", self.judges_addresses)

    def _route(self, url: str, reach: Reach) -> _Route:
        if self._pid != os.getpid():
            self._leave_parent()
        key = (url, reach)
        route = self._routes.get(key)
        if route is None:
            if self._closed:
                raise UsageError("config_invalid", about="transport", found="closed")
            # Without TLS only what is near may be reached, and dialling makes sure that it is.
            near = {origin_of(url)} if reach == "private" else NO_ORIGINS
            endpoint = parse_endpoint(url, http=True, http_origins=near)
            with self._process.lock:
                route = self._made_route(endpoint)
                if len(self._routes) >= _ROUTES:
                    self._routes.clear()
                self._routes[key] = route
        return route

    def _made_route(self, endpoint: Url) -> _Route:
        manager = self._manager
        pool = manager.connection_from_host(endpoint.host, endpoint.port, endpoint.scheme)
        _guard(pool)
        query = "" if endpoint.query is None else f"?{endpoint.query}"
        target = (endpoint.path or "/") + query
        if manager.proxy is not None and endpoint.scheme == "http":
            # What is not encrypted stays on this machine: a proxy elsewhere must not see it.
            parse_endpoint(f"http://{manager.proxy.host}", about="proxy", http=True)
            target = f"{endpoint.origin}{target}"
        return _Route(pool, target)

    def _leave_parent(self) -> None:
        """Never share a parent process's connections: two writers on one TLS stream."""
        with self._process.lock:
            if self._pid != os.getpid():
                self._routes = {}
                if self._own:
                    self._manager = _pools(*self._settings)
                self._pid = os.getpid()


def _checked_headers(request: WireRequest) -> dict[str, str]:
    """Refuse whatever would end its line and begin another; only our own mistakes can."""
    if not _METHOD.fullmatch(request.method):
        raise UsageError("parameter_invalid", about="method", found=request.method)
    headers = {"user-agent": _USER_AGENT}
    for name, value in request.headers:
        if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            raise UsageError("parameter_invalid", about="header", found=name)
        headers[name] = value
    headers["accept-encoding"] = "identity"
    return headers


def _may_resend(request: WireRequest, failure: NoAnswer) -> bool:
    """Whether a second attempt is allowed and might end otherwise."""
    if failure.code == "http_connect_failed":
        return request.resend != "never"
    return failure.code == "http_malformed" and request.resend == "safe"


def _response(
    route: _Route, request: WireRequest, headers: dict[str, str], exchange: Exchange
) -> BaseHTTPResponse:
    left = exchange.remaining()
    CURRENT.exchange = exchange
    try:
        return route.pool.urlopen(
            request.method,
            route.target,
            body=request.body,
            headers=headers,
            retries=_ONCE,
            redirect=False,
            assert_same_host=False,
            timeout=_timeout(request.deadline),
            pool_timeout=cast("int", left),  # a queue takes fractions, its caller's type does not
            preload_content=False,
            decode_content=False,
        )
    finally:
        CURRENT.exchange = None


@lru_cache(16)
def _timeout(seconds: int) -> Timeout:
    """Return urllib3's own limit for each wait, a second line behind the exchange's."""
    return Timeout(seconds)


def _body(response: BaseHTTPResponse, limit: int, exchange: Exchange) -> bytes:
    """Read a whole body, which is neither encoded nor too large.

    A body that ends with the connection is taken as it is: whether it is complete, only its syntax
    can tell.
    """
    coding = response.headers.get("content-encoding")
    if coding is not None and coding.strip().lower() not in {"", "identity"}:
        exchange.refuse("content_encoding_unexpected")
    if response.length_remaining is not None and response.length_remaining > limit:
        exchange.refuse("http_too_large")
    body = response.read(limit + 1, decode_content=False)
    if len(body) > limit:
        exchange.refuse("http_too_large")
    if response.length_remaining != 0:
        response.read(1, decode_content=False)  # the end, or the news that there was none
    return body


def _line(value: str) -> str:
    """Unfold a header's value (RFC 9112 §5.2), as urllib3 does in some of its versions."""
    return _FOLD(" ", value) if "\n" in value else value


def _failure(exchange: Exchange, error: Exception) -> str:
    """Name a failure; what fails at the deadline failed because of it."""
    if exchange.is_over or isinstance(error, TimeoutError):
        return "http_timeout"
    if exchange.fault is not None:
        return exchange.fault
    cause = error.original_error if isinstance(error, ProxyError) else error
    if isinstance(cause, SSLError | ssl.SSLError):
        return "tls_failed"
    return "http_malformed" if exchange.sent else "http_connect_failed"


class _UnverifiedPool(HTTPSConnectionPool):
    """Pools of a transport that has warned once and need not at every request."""

    def _validate_conn(self, conn: Any) -> None:
        if conn.is_closed:
            conn.connect()


def _pools(proxy: str | None, pool_size: int, context: ssl.SSLContext) -> PoolManager:
    """Make pools.  They block when they are full, else urllib3 opens connections without bound."""
    pools: PoolManager
    if proxy is None:
        pools = PoolManager(_ORIGINS, maxsize=pool_size, block=True, ssl_context=context)
    else:
        try:
            credentials = parse_url(proxy).auth
            pools = ProxyManager(
                proxy,
                _ORIGINS,
                proxy_headers=None
                if credentials is None
                else make_headers(proxy_basic_auth=unquote(credentials)),
                maxsize=pool_size,
                block=True,
                ssl_context=context,
            )
        except (HTTPError, AssertionError, ValueError):
            raise UsageError("config_invalid", about="proxy", expected="an http URL") from None
    if context.verify_mode == ssl.CERT_NONE:
        classes = {**pools.pool_classes_by_scheme, "https": _UnverifiedPool}
        pools.pool_classes_by_scheme = classes
    return pools


def _check_manager(manager: PoolManager) -> None:
    """Refuse pools that were told not to verify; what this misses fails when connecting."""
    settings = manager.connection_pool_kw
    context = settings.get("ssl_context")
    if context is not None:
        check_context(context)
    if settings.get("assert_hostname") is False:
        raise UsageError("config_invalid", about="pool_manager", found="assert_hostname")


def _guard(pool: HTTPConnectionPool) -> None:
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
