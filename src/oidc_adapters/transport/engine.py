"""Transports over the engine of httpx: the same in httpx and in httpx2, but for its name."""

import os
import ssl
from http.client import HTTPException
from time import monotonic
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeAlias

import anyio
from anyio.lowlevel import current_token

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.concurrency import has_ended
from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.transport.attempts import (
    NETWORK_FAILURES,
    after_both,
    check_coding,
    checked_headers,
    endpoint_of,
    may_resend,
    named_fields,
    no_answer,
    target_of,
    told_by,
    whole_headers,
)
from oidc_adapters.transport.engine_async_streams import AsyncGuardedBackend
from oidc_adapters.transport.engine_streams import PIECE, Body, GuardedBackend, Ledger
from oidc_adapters.transport.exchange import CURRENT, Exchange
from oidc_adapters.transport.proxies import is_unseen, proxy_of
from oidc_adapters.transport.tls import Certificate, StrPath, chosen_context
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.settings import as_count
from oidc_core.wire.urls import Url
from oidc_core.wire.way import Channel

_POOLS: Final = 64
_VERSIONS: Final = frozenset({b"HTTP/1.1", b"HTTP/1.0"})


_Key: TypeAlias = tuple[int, object, str, str]
"""A process, an event loop, a reach and an origin."""


def _failures_of(core: Any) -> tuple[type[Exception], ...]:
    """Return what the engine, or the network below, raises where an exchange fails."""
    names = ("TimeoutException", "NetworkError", "ProtocolError", "ProxyError")
    further = ("UnsupportedProtocol", "ConnectionNotAvailable")
    known: list[type[Exception]] = [getattr(core, name) for name in (*names, *further)]
    below = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)
    return (*known, *below, *NETWORK_FAILURES)


class _Outgoing(NamedTuple):
    """A request on its way: what the engine is given, and until when."""

    endpoint: Url
    headers: list[tuple[str, str]]
    deadline: float


class EngineTransport:
    """The common part of transports over the engine of httpx, blocking or awaited.

    Args:
        core: the engine, a module.
        network: the network that the engine connects through.
        pool: the names of the engine's pools: without a proxy, and with one.
    """

    def __init__(
        self,
        core: Any,
        network: Any,
        pool: tuple[str, str],
        *,
        ca: StrPath | None,
        client_certificate: Certificate | None,
        ssl_context: ssl.SSLContext | None,
        proxy: str | None,
        pool_size: int,
    ) -> None:
        self._core = core
        self._network = network
        self._proxy = proxy_of(proxy)
        self._context = chosen_context(ca, client_certificate, ssl_context)
        self._size = as_count(pool_size, "pool_size")
        self._kind: Any = getattr(core, pool[self._proxy is not None])
        self._failures = _failures_of(core)
        self._pools: dict[_Key, Any] = {}
        self._process = ProcessLock()
        self._closed = False
        self.judges_addresses = self._proxy is None

    def _outgoing(self, request: WireRequest) -> _Outgoing | None:
        """Judge a request; ``None`` for octets without TLS that would pass a proxy.

        Raises:
            UsageError: for a request that must not be sent, or if closed.
        """
        headers = checked_headers(request)
        endpoint = endpoint_of(request.url, request.reach)
        if self._closed:
            raise UsageError("config_invalid", about="transport", found="closed")
        if is_unseen(self._proxy, endpoint):
            return None
        named = whole_headers(request, headers, endpoint)
        return _Outgoing(endpoint, named, monotonic() + request.deadline)

    def _begun(self, request: WireRequest, out: _Outgoing) -> Exchange:
        reach = request.reach if self._proxy is None else "any"  # that of the proxy
        exchange = Exchange(out.deadline, max_body=request.max_body, reach=reach)
        exchange.quota += PIECE  # the first octets of the body may come with the head
        exchange.dialling = out.endpoint.scheme == "https"
        return exchange

    def _pool(self, request: WireRequest, endpoint: Url, loop: object) -> tuple[Any, list[Any]]:
        """Return the connections to an origin that were judged by the same reach.

        Where there are too many pools, those without a request are given up, for the caller to
        close.  Those of an event loop that has ended are dropped, and their sockets with them.
        """
        key = (os.getpid(), loop, request.reach, endpoint.origin)
        given_up: list[Any] = []
        with self._process.lock:
            pool = self._pools.get(key)
            if pool is None:
                for each in [each for each in self._pools if has_ended(each[1])]:
                    del self._pools[each]
                if len(self._pools) >= _POOLS:
                    given_up = [k for k, idle in self._pools.items() if not _is_busy(idle)]
                    given_up = [self._pools.pop(k) for k in given_up if k[:2] == key[:2]]
                pool = self._pools[key] = self._made()
        return pool, given_up

    def _made(self) -> Any:
        options: dict[str, Any] = {
            "ssl_context": self._context,
            "max_connections": self._size,
            "network_backend": self._network,
        }
        if self._proxy is not None:
            credentials = [("Proxy-Authorization", self._proxy.credentials)]
            options["proxy_url"] = self._proxy.url
            options["proxy_headers"] = credentials if self._proxy.credentials else []
        return self._kind(**options)

    def _request(self, request: WireRequest, out: _Outgoing, exchange: Exchange) -> Any:
        url = self._core.URL(
            scheme=out.endpoint.scheme,
            host=out.endpoint.host.strip("[]"),
            port=out.endpoint.port,
            target=target_of(out.endpoint),
        )
        headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in out.headers]
        return self._core.Request(
            request.method,
            url,
            headers=headers,
            content=request.body or b"",
            extensions={"timeout": {"pool": exchange.remaining()}},
        )

    def _answered(
        self, answer: Any, body: bytes, exchange: Exchange, endpoint: Url, clock: Clock
    ) -> HttpResponse:
        headers = named_fields(answer.headers)
        lengths = [value for name, value in headers if name == "content-length"]
        _ledger(answer).end(lengths[0] if lengths else None, len(body))
        exchange.remaining()
        verified = endpoint.scheme == "https"
        channel = Channel("verified" if verified else "unverified", self.judges_addresses)
        return HttpResponse(answer.status, headers, body, clock.now(), channel)

    def _check_head(self, answer: Any, exchange: Exchange, limit: int) -> None:
        """Look at the headers of an answer before its body is read.

        Raises:
            HTTPException: if it must not be read.
        """
        exchange.expect_body()
        if answer.status == 101 or answer.extensions["http_version"] not in _VERSIONS:
            raise HTTPException("another protocol")
        for name, value in named_fields(answer.headers):
            if name == "content-encoding":
                check_coding(value, exchange)
            elif name == "content-length" and int(value) > limit:
                exchange.refuse("http_too_large")
            elif name == "transfer-encoding":  # the engine knows no other than chunked
                _ledger(answer).expect_chunks()

    def _failed(self, exchange: Exchange, error: Exception, clock: Clock) -> NoAnswer:
        return no_answer(exchange, error, clock, as_if=told_by(error, exchange))


def _ledger(answer: Any) -> Ledger:
    found: Ledger = answer.extensions["network_stream"].get_extra_info("ledger")
    return found


def _is_busy(pool: Any) -> bool:
    return not all(each.is_idle() for each in pool.connections)


class BlockingEngineTransport(EngineTransport):
    """A :class:`~oidc_adapters.transport.Transport` over the engine of httpx."""

    def __init__(self, core: Any, **settings: Any) -> None:
        super().__init__(core, GuardedBackend(), ("ConnectionPool", "HTTPProxy"), **settings)

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        """Send a request, again if that is allowed and can help, and stamp the answer.

        Raises:
            UsageError: ``parameter_invalid`` for a method or header that breaks the grammar,
                a ``url_`` code for a URL not to be sent to, ``config_invalid`` if closed.
        """
        out = self._outgoing(request)
        if out is None:
            return NoAnswer("no", "address_not_allowed", clock.now(), "proxy_for_http")
        first = self._attempt(request, out, clock)
        if not may_resend(request, first):
            return first
        return after_both(first, self._attempt(request, out, clock))

    def _attempt(
        self, request: WireRequest, out: _Outgoing, clock: Clock
    ) -> HttpResponse | NoAnswer:
        exchange = self._begun(request, out)
        before, CURRENT.exchange = CURRENT.exchange, exchange
        try:
            pool, given_up = self._pool(request, out.endpoint, None)
            for each in given_up:
                each.close()
            answer = pool.handle_request(self._request(request, out, exchange))
            try:
                self._check_head(answer, exchange, request.max_body)
                body = Body(request.max_body, exchange)
                for piece in answer.iter_stream():
                    body.add(piece)
                return self._answered(answer, body.whole(), exchange, out.endpoint, clock)
            finally:
                answer.close()
        except self._failures as error:
            return self._failed(exchange, error, clock)
        finally:
            CURRENT.exchange = before

    def close(self) -> None:
        """Close the connections; nothing can be sent any more."""
        self._closed = True
        for key, pool in [*self._pools.items()]:
            if key[0] == os.getpid():
                pool.close()
        self._pools.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AwaitedEngineTransport(EngineTransport):
    """An :class:`~oidc_adapters.transport.AsyncTransport` over the engine of httpx.

    It runs under asyncio and trio, and takes no thread but for looking names up.
    """

    def __init__(self, core: Any, **settings: Any) -> None:
        network = AsyncGuardedBackend(core.AnyIOBackend(), _failures_of(core))
        super().__init__(core, network, ("AsyncConnectionPool", "AsyncHTTPProxy"), **settings)

    async def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        """Send a request, as a transport that waits does.

        A task that is cancelled closes its connection.

        Raises:
            UsageError: ``parameter_invalid`` for a method or header that breaks the grammar,
                a ``url_`` code for a URL not to be sent to, ``config_invalid`` if closed.
        """
        out = self._outgoing(request)
        if out is None:
            return NoAnswer("no", "address_not_allowed", clock.now(), "proxy_for_http")
        first = await self._attempt(request, out, clock)
        if not may_resend(request, first):
            return first
        return after_both(first, await self._attempt(request, out, clock))

    async def _attempt(
        self, request: WireRequest, out: _Outgoing, clock: Clock
    ) -> HttpResponse | NoAnswer:
        exchange = self._begun(request, out)
        before, CURRENT.exchange = CURRENT.exchange, exchange
        try:
            with anyio.fail_after(exchange.remaining()):
                return await self._exchange(request, out, exchange, clock)
        except self._failures as error:
            return self._failed(exchange, error, clock)
        finally:
            CURRENT.exchange = before

    async def _exchange(
        self, request: WireRequest, out: _Outgoing, exchange: Exchange, clock: Clock
    ) -> HttpResponse:
        pool, given_up = self._pool(request, out.endpoint, current_token())
        for each in given_up:
            await each.aclose()
        answer = await pool.handle_async_request(self._request(request, out, exchange))
        try:
            self._check_head(answer, exchange, request.max_body)
            body = Body(request.max_body, exchange)
            async for piece in answer.aiter_stream():
                body.add(piece)
            return self._answered(answer, body.whole(), exchange, out.endpoint, clock)
        finally:
            await answer.aclose()

    async def close(self) -> None:
        """Close the connections of this event loop; nothing can be sent any more."""
        self._closed = True
        loop = current_token()
        for key, pool in [*self._pools.items()]:
            if key[:2] == (os.getpid(), loop):
                await pool.aclose()
        self._pools.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
