"""A transport over aiohttp, for asyncio."""

import asyncio
import os
import socket
import ssl
from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from http.client import HTTPException
from ipaddress import ip_address
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from yarl import URL

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.concurrency import has_ended, settled
from oidc_adapters.transport.attempts import (
    NETWORK_FAILURES,
    after_both,
    check_coding,
    checked_headers,
    endpoint_of,
    may_resend,
    named_fields,
    no_answer,
    told_by,
)
from oidc_adapters.transport.dialling import RESOLVER, Address, admitted
from oidc_adapters.transport.engine_streams import checked_tls
from oidc_adapters.transport.exchange import CURRENT, HEADER_OCTETS, Exchange
from oidc_adapters.transport.framing import content_length, is_chunked, values_of
from oidc_adapters.transport.proxies import is_unseen, proxy_of
from oidc_adapters.transport.receiving import under_way
from oidc_adapters.transport.tls import Certificate, StrPath, chosen_context
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.settings import as_count
from oidc_core.wire.urls import Url
from oidc_core.wire.way import Channel

_FAILURES: Final = (aiohttp.ClientError, asyncio.IncompleteReadError, *NETWORK_FAILURES)
_OF_AIOHTTP: Final = ("Accept", "Content-Type")


class AiohttpTransport:
    """An :class:`~oidc_adapters.transport.AsyncTransport` over aiohttp, under asyncio alone.

    Each exchange has its own connection: aiohttp does not notice what arrives on an idle one, and
    would take it for the next answer.

    Args:
        ca: a file of CA certificates, a folder of them as ``openssl rehash`` makes it, or their PEM
            text, in place of the system's.
        client_certificate: paths of the client's certificate and key, and the key's password, for
            mutual TLS (RFC 8705).
        ssl_context: TLS settings made by the application, in place of those two.
        proxy: the ``http`` URL of a proxy; ``https`` goes through it by ``CONNECT``, and ``http``
            to loopback only.  No proxy is ever taken from the environment.
        pool_size: how many connections to an origin may be open at a time.

    Attributes:
        judges_addresses: whether it holds every address that it connects to against the request;
            through a proxy it sees no addresses.

    Raises:
        UsageError: ``config_invalid`` if a setting cannot be used.
    """

    def __init__(
        self,
        *,
        ca: StrPath | None = None,
        client_certificate: Certificate | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | None = None,
        pool_size: int = 16,
    ) -> None:
        self._proxy = proxy_of(proxy)
        self._context = chosen_context(ca, client_certificate, ssl_context)
        self._size = as_count(pool_size, "pool_size")
        self._sessions: dict[tuple[int, object, str], aiohttp.ClientSession] = {}
        self._uses = Counter[aiohttp.ClientSession]()
        self._closed = False
        self.judges_addresses = self._proxy is None

    async def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        """Send a request, again if that is allowed and can help, and stamp the answer.

        A task that is cancelled closes its connection.

        Raises:
            UsageError: ``parameter_invalid`` for a method or header that breaks the grammar,
                a ``url_`` code for a URL not to be sent to, ``config_invalid`` if closed.
        """
        headers = checked_headers(request)
        endpoint = endpoint_of(request.url, request.reach)
        if self._closed:
            raise UsageError("config_invalid", about="transport", found="closed")
        if is_unseen(self._proxy, endpoint):
            return NoAnswer("no", "address_not_allowed", clock.now(), "proxy_for_http")
        deadline = monotonic() + request.deadline
        first = await self._attempt(request, endpoint, headers, deadline, clock)
        if not may_resend(request, first):
            return first
        second = await self._attempt(request, endpoint, headers, deadline, clock)
        return after_both(first, second)

    async def close(self) -> None:
        """Let the exchanges of this event loop end; no other can begin any more."""
        self._closed = True
        here = (os.getpid(), asyncio.get_running_loop())
        for key, session in [*self._sessions.items()]:
            if key[:2] == here and not self._uses[session]:
                await session.close()
        self._sessions.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _attempt(
        self,
        request: WireRequest,
        endpoint: Url,
        headers: dict[str, str],
        deadline: float,
        clock: Clock,
    ) -> HttpResponse | NoAnswer:
        reach = request.reach if self._proxy is None else "any"  # that of the proxy
        exchange = Exchange(deadline, max_body=request.max_body, reach=reach)
        exchange.expect_body()  # head and body arrive together, so they are counted together
        exchange.quota += HEADER_OCTETS
        before, CURRENT.exchange = CURRENT.exchange, exchange
        try:
            async with asyncio.timeout(exchange.remaining()):
                if self._proxy is None:
                    await _admit_literal(endpoint, exchange)
                return await self._exchange(request, endpoint, headers, exchange, clock)
        except _FAILURES as error:
            return no_answer(exchange, error, clock, as_if=told_by(error, exchange))
        finally:
            CURRENT.exchange = before

    async def _exchange(
        self,
        request: WireRequest,
        endpoint: Url,
        headers: dict[str, str],
        exchange: Exchange,
        clock: Clock,
    ) -> HttpResponse:
        async with (
            self._used(request.reach) as session,
            session.request(
                request.method,
                URL(request.url, encoded=True),
                data=b"" if request.body is None and request.method == "POST" else request.body,
                headers=headers,
                allow_redirects=False,
                skip_auto_headers=_OF_AIOHTTP,
                **self._way(),
            ) as answer,
        ):
            named = named_fields(answer.raw_headers)
            version = answer.version
            if version is None or version.major != 1 or answer.status < 200:
                raise HTTPException("another protocol")
            is_chunked(values_of(named, "transfer-encoding"), version.minor)
            _check_head(named, exchange, request.max_body)
            body = b""
            while piece := await answer.content.read(request.max_body + 1 - len(body)):
                body += piece
                if len(body) > request.max_body:
                    exchange.refuse("http_too_large")
        verified = endpoint.scheme == "https"
        channel = Channel("verified" if verified else "unverified", self.judges_addresses)
        return HttpResponse(answer.status, named, body, clock.now(), channel)

    def _way(self) -> dict[str, Any]:
        if self._proxy is None:
            return {}
        credentials = self._proxy.credentials
        told = {"Proxy-Authorization": credentials} if credentials else None
        return {"proxy": self._proxy.url, "proxy_headers": told}

    @asynccontextmanager
    async def _used(self, reach: str) -> AsyncGenerator[aiohttp.ClientSession]:
        """Use a session; the last one to use it after the end closes it.

        Closed under an exchange it would cancel tasks that nobody cancelled.
        """
        session = self._session(reach)
        self._uses[session] += 1
        try:
            yield session
        finally:
            self._uses[session] -= 1
            if not self._uses[session]:
                del self._uses[session]
                if self._closed:
                    await session.close()

    def _session(self, reach: str) -> aiohttp.ClientSession:
        """Return the connections of this event loop that were judged by the same reach."""
        if self._closed:
            raise HTTPException
        key = (os.getpid(), asyncio.get_running_loop(), reach)
        session = self._sessions.get(key)
        if session is None:
            for each in [each for each in self._sessions if has_ended(each[1])]:
                self._sessions.pop(each).detach()  # its connections were closed one by one
            session = self._sessions[key] = aiohttp.ClientSession(
                connector=_Connector(
                    ssl=self._context,
                    resolver=_Judging(),
                    use_dns_cache=False,
                    limit=0,
                    limit_per_host=self._size,
                    force_close=True,
                ),
                response_class=_CountedResponse,
                max_line_size=HEADER_OCTETS,
                max_field_size=HEADER_OCTETS,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(),
                auto_decompress=False,
            )
        return session


class _Connector(aiohttp.TCPConnector):
    """Connects, and makes sure of TLS before an octet of the request leaves.

    The settings of the application may have been changed since they were looked at.
    """

    async def connect(self, req: Any, *settings: Any, **named: Any) -> Connection:
        """Connect, through the proxy if there is one, and only once within an attempt.

        Raises:
            HTTPException: if the request may have left before, or if TLS is not good enough.
        """
        exchange = under_way()
        if exchange.sent:  # aiohttp repeats a GET by itself
            exchange.refuse("http_malformed", "reset")
        connection = await super().connect(req, *settings, **named)
        if req.url.scheme == "https":
            check_connection(connection, req.url.raw_host, exchange)
        exchange.sent = True  # from here on nobody knows what has arrived
        return connection


def check_connection(connection: Connection, host: str, exchange: Exchange) -> None:
    """Refuse a server that TLS did not verify, and one that has gone already.

    Raises:
        HTTPException: if TLS is not good enough.
        ConnectionResetError: if the other side has gone.
    """
    transport: Any = connection.transport
    if transport is None:
        connection.close()
        raise ConnectionResetError
    try:
        checked_tls(transport.get_extra_info("ssl_object"), host, exchange)
    except BaseException:
        transport.abort()
        connection.close()
        raise


class _CountedResponse(aiohttp.ClientResponse):
    """An answer whose octets count for the exchange, interim answers and framing included."""

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Read the head of the answer."""
        count_octets(connection.transport, connection.protocol, under_way())
        return await super().start(connection)


def count_octets(transport: asyncio.Transport | None, protocol: Any, exchange: Exchange) -> None:
    """Have a connection end where there are too many octets, unless it has ended already."""
    if transport is None:
        return
    receive = protocol.data_received

    def data_received(octets: bytes) -> None:
        try:
            exchange.take(len(octets))
        except HTTPException:
            transport.abort()
        else:
            receive(octets)

    protocol.data_received = data_received
    transport.set_protocol(protocol)  # some event loops keep the method


async def _admit_literal(endpoint: Url, exchange: Exchange) -> None:
    """Judge a host that is an address: aiohttp asks nobody about it."""
    host = endpoint.host.strip("[]")
    with suppress(ValueError):  # a name, which is looked up later, and once
        admitted(RESOLVER.lookup(f"{ip_address(host)}", endpoint.port).result(), exchange)


class _Judging(AbstractResolver):
    """Looks names up, and tells aiohttp only the addresses that may be reached."""

    async def resolve(self, host: str, port: int = 0, *_: Any, **__: Any) -> list[ResolveResult]:
        """Return the addresses of a host that the exchange may reach."""
        named = await settled(RESOLVER.lookup(host, port))
        return [_result(host, each) for each in admitted(named, under_way())]

    async def close(self) -> None:
        """Keep nothing, so there is nothing to close."""


def _result(host: str, address: Address) -> ResolveResult:
    family, _, proto, _, place = address
    return ResolveResult(
        hostname=host,
        host=f"{place[0]!s}",
        port=int(place[1]),
        family=family,
        proto=proto,
        flags=socket.AI_NUMERICHOST,
    )


def _check_head(headers: Iterable[tuple[str, str]], exchange: Exchange, limit: int) -> None:
    """Look at the headers of an answer before its body is read.

    Raises:
        HTTPException: if it must not be read.
    """
    for name, value in headers:
        if name == "content-encoding":
            check_coding(value, exchange)
    length = content_length(values_of(headers, "content-length"))
    if length is not None and length > limit:
        exchange.refuse("http_too_large")
