"""Exchanges over urllib3's connection pools, with our own deadline."""

import os
import ssl
from collections.abc import Callable
from functools import lru_cache
from http.client import HTTPException
from math import ceil
from time import monotonic
from types import TracebackType
from typing import Final, NamedTuple, Self, cast

from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import HTTPError, ProxyError, SSLError

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.transport.attempts import (
    after_both,
    check_coding,
    checked_headers,
    endpoint_of,
    may_resend,
    no_answer,
    target_of,
)
from oidc_adapters.transport.exchange import CURRENT, Exchange
from oidc_adapters.transport.pools import guard, pool_of
from oidc_core.wire.addresses import Reach
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.urls import Url, parse_url
from oidc_core.wire.way import NOT_TOLD, Channel

_ONCE: Final = Retry(total=False, redirect=False)
_ROUTES: Final = 64


class _Route(NamedTuple):
    pool: HTTPConnectionPool
    target: str
    is_unseen: bool  # without TLS through a proxy, to an address that nobody here can judge

    @property
    def reach(self) -> Reach | None:
        """The reach of every request, if it is not the request's own: that of a proxy."""
        return None if self.pool.proxy is None else "any"


class PooledTransport:
    """The common part of all transports over urllib3's pools.

    Args:
        pools: where connections come from.
        renew: makes such pools again, for a forked process; ``None`` if they are the application's,
            which makes them for itself and closes them.

    Attributes:
        judges_addresses: whether it holds every address that it connects to against the request.
            Through a proxy it sees no addresses, and an application's own pools may do as they
            like.
    """

    def __init__(self, pools: PoolManager, renew: Callable[[], PoolManager] | None) -> None:
        self._manager = pools
        self._renew = renew
        self._closed = False
        self._process = ProcessLock()
        self.judges_addresses = renew is not None and pools.proxy is None
        self._routes: dict[tuple[str, Reach], _Route] = {}
        self._pid = os.getpid()
        self._left_behind: object = None

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        """Send a request, again if that is allowed and can help, and stamp the answer.

        Raises:
            UsageError: ``parameter_invalid`` for a method or header that breaks the grammar,
                a ``url_`` code for a URL not to be sent to, ``config_invalid`` if closed.
        """
        headers = checked_headers(request)
        route = self._route(request.url, request.reach)
        if route.is_unseen:
            return NoAnswer("no", "address_not_allowed", clock.now(), "proxy_for_http")
        deadline = monotonic() + request.deadline
        first = self._attempt(route, request, headers, deadline, clock)
        if not may_resend(request, first):
            return first
        return after_both(first, self._attempt(route, request, headers, deadline, clock))

    def close(self) -> None:
        """Close the idle connections that were made here; nothing can be sent any more."""
        self._closed = True
        self._routes.clear()
        if self._renew is not None and self._pid == os.getpid():  # a parent's are not ours
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
        reach = route.reach or request.reach
        exchange = Exchange(deadline, max_body=request.max_body, reach=reach)
        try:
            response = _response(route, request, headers, exchange)
            try:
                body = _body(response, request.max_body, exchange)
            except BaseException:
                response.close()
                response.release_conn()
                raise
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            # ValueError: a socket or a buffer was closed under the one who reads it.
            return no_answer(exchange, error, clock, as_if=_unwrapped(error))
        named = tuple([(name.lower(), value) for name, value in response.headers.iteritems()])
        return HttpResponse(response.status, named, body, clock.now(), self.channel(request.url))

    def channel(self, url: str, /) -> Channel:
        """Say whether the server was verified; of an application's own pools nobody told us."""
        if self._renew is None:
            return NOT_TOLD
        verified = url.startswith("https:")
        return Channel("verified" if verified else "unverified", self.judges_addresses)

    def _route(self, url: str, reach: Reach) -> _Route:
        if self._pid != os.getpid():
            self._leave_parent()
        key = (url, reach)
        route = self._routes.get(key)
        if route is None:
            if self._closed:
                raise UsageError("config_invalid", about="transport", found="closed")
            endpoint = endpoint_of(url, reach)
            with self._process.lock:
                route = self._made_route(endpoint)
                if len(self._routes) >= _ROUTES:
                    self._routes.clear()
                self._routes[key] = route
        return route

    def pool_at(self, endpoint: Url, /) -> HTTPConnectionPool:
        """Return the pool of an origin.

        Raises:
            UsageError: ``config_invalid`` for an application's pools with invalid settings.
        """
        return pool_of(self._manager, endpoint)

    def _made_route(self, endpoint: Url) -> _Route:
        pool = self.pool_at(endpoint)
        if self._renew is None:
            guard(pool)
        target = target_of(endpoint)
        through_proxy = pool.proxy is not None and endpoint.scheme == "http"
        is_unseen = through_proxy and not endpoint.is_loopback
        if pool.proxy is not None and through_proxy and not is_unseen:
            # Octets without encryption stay on this machine: a proxy elsewhere must not see them.
            parse_url(f"http://{pool.proxy.host}", about="proxy", http=True)
            target = f"{endpoint.origin}{target}"
        return _Route(pool, target, is_unseen)

    def _leave_parent(self) -> None:
        """Never share a parent process's connections: two writers on one TLS stream.

        They are not closed either, but kept as they are: closing them takes locks, and a
        thread that is not in this process may have had one.
        """
        with self._process.lock:
            if self._pid != os.getpid():
                self._left_behind = (self._left_behind, self._manager, self._routes)
                self._routes = {}
                if self._renew is not None:
                    self._manager = self._renew()
                self._pid = os.getpid()


def _response(
    route: _Route, request: WireRequest, headers: dict[str, str], exchange: Exchange
) -> BaseHTTPResponse:
    left = exchange.remaining()
    exchange.target = route.target
    before, CURRENT.exchange = CURRENT.exchange, exchange
    try:
        return route.pool.urlopen(
            request.method,
            route.target,
            body=request.body,
            headers=headers,
            retries=_ONCE,
            redirect=False,
            assert_same_host=False,
            timeout=_timeout(ceil(request.deadline)),
            pool_timeout=cast("int", left),  # a queue takes fractions, its caller's type does not
            preload_content=False,
            decode_content=False,
        )
    finally:
        CURRENT.exchange = before


@lru_cache(16)
def _timeout(seconds: int) -> Timeout:
    """Return urllib3's own limit for each wait, a second line behind the exchange's."""
    return Timeout(seconds)


def _body(response: BaseHTTPResponse, limit: int, exchange: Exchange) -> bytes:
    """Read a whole body, which is neither encoded nor too large.

    A body that ends with the connection is taken as it is: whether it is complete, only its syntax
    can tell.
    """
    check_coding(response.headers.get("content-encoding"), exchange)
    if response.length_remaining is not None and response.length_remaining > limit:
        exchange.refuse("http_too_large")
    body = response.read(limit + 1, decode_content=False)
    if len(body) > limit:
        exchange.refuse("http_too_large")
    if response.length_remaining != 0:
        response.read(1, decode_content=False)  # the end, or the news that there was no end
    return body


def _unwrapped(error: Exception) -> Exception:
    """Return what happened at a proxy, or to TLS, without urllib3's words around it."""
    cause = error.original_error if isinstance(error, ProxyError) else error
    return ssl.SSLError(1, "") if isinstance(cause, SSLError) else cause
