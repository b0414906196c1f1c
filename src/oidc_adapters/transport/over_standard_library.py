"""A transport over the standard library alone: sockets, ``ssl`` and ``http.client``."""

import socket
import ssl
from http.client import HTTPException, IncompleteRead
from time import monotonic
from types import TracebackType
from typing import Final, Self

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.transport.attempts import (
    NETWORK_FAILURES,
    after_both,
    check_coding,
    checked_headers,
    endpoint_of,
    may_resend,
    no_answer,
    target_of,
    whole_headers,
)
from oidc_adapters.transport.dialling import dial
from oidc_adapters.transport.exchange import CURRENT, Exchange
from oidc_adapters.transport.proxies import Proxy, is_unseen, proxy_of
from oidc_adapters.transport.receiving import GuardedResponse
from oidc_adapters.transport.tls import (
    Certificate,
    StrPath,
    chosen_context,
    is_modern,
    proves,
)
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.urls import Url
from oidc_core.wire.way import Channel

_AT_ONCE: Final = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
_RECORD: Final = 16_384  # a TLS record: one send never waits twice


class StandardTransport:
    """A :class:`~oidc_adapters.transport.Transport` that needs no package.

    Each exchange has a connection of its own, which costs a TLS handshake each time.  An instance
    may be used by any number of threads and in forked processes.

    Args:
        ca: a file of CA certificates, a folder of them as ``openssl rehash`` makes it, or their PEM
            text, in place of the system's.
        client_certificate: paths of the client's certificate and key, and the key's password, for
            mutual TLS (RFC 8705).
        ssl_context: TLS settings made by the application, in place of those two.
        proxy: the ``http`` URL of a proxy; ``https`` goes through it by ``CONNECT``, and ``http``
            to loopback only.  No proxy is ever taken from the environment.

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
    ) -> None:
        self._proxy = proxy_of(proxy)
        self._context = chosen_context(ca, client_certificate, ssl_context)
        self._closed = False
        self.judges_addresses = self._proxy is None

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        """Send a request, again if that is allowed and can help, and stamp the answer.

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
        octets = _octets(request, headers, endpoint, self._proxy)
        deadline = monotonic() + request.deadline
        first = self._attempt(request, endpoint, octets, deadline, clock)
        if not may_resend(request, first):
            return first
        return after_both(first, self._attempt(request, endpoint, octets, deadline, clock))

    def close(self) -> None:
        """Send nothing any more; there are no idle connections to close."""
        self._closed = True

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
        self, request: WireRequest, endpoint: Url, octets: bytes, deadline: float, clock: Clock
    ) -> HttpResponse | NoAnswer:
        reach = request.reach if self._proxy is None else "any"  # that of the proxy
        exchange = Exchange(deadline, max_body=request.max_body, reach=reach)
        before, CURRENT.exchange = CURRENT.exchange, exchange
        try:
            with self._connected(endpoint, exchange) as sock:
                exchange.sent = True
                _send(sock, octets, exchange)
                answer = GuardedResponse(sock, method=request.method)
                with answer:
                    answer.begin()
                    body = _body(answer, request.max_body, exchange)
        except NETWORK_FAILURES as error:
            return no_answer(exchange, error, clock)
        finally:
            CURRENT.exchange = before
        named = tuple([(name.lower(), value) for name, value in answer.headers.items()])
        verified = endpoint.scheme == "https"
        channel = Channel("verified" if verified else "unverified", self.judges_addresses)
        return HttpResponse(answer.status, named, body, clock.now(), channel)

    def _connected(self, endpoint: Url, exchange: Exchange) -> socket.socket:
        """Connect, through the proxy if there is one, and make sure of TLS."""
        to = endpoint if self._proxy is None else self._proxy
        sock = dial(to.host, to.port, exchange, _AT_ONCE, None)
        try:
            if endpoint.scheme == "http":
                return sock
            if self._proxy is not None:
                _tunnel(sock, endpoint, self._proxy, exchange)
            sock.settimeout(exchange.remaining())
            host = endpoint.host.strip("[]")
            secured = self._context.wrap_socket(sock, server_hostname=host)
            sock = secured
            if not is_modern(secured):
                exchange.refuse("tls_failed", "tls_too_old")
            if not proves(secured, host):
                exchange.refuse("tls_failed", "certificate_invalid")
        except BaseException:
            sock.close()
            raise
        return sock


def _octets(
    request: WireRequest, headers: dict[str, str], endpoint: Url, proxy: Proxy | None
) -> bytes:
    """Return a request as it goes over the wire: one piece, one packet, one TLS record."""
    target = target_of(endpoint)
    if proxy is not None and endpoint.scheme == "http":
        target = f"{endpoint.origin}{target}"
        if proxy.credentials:
            headers["proxy-authorization"] = proxy.credentials
    lines = [f"{request.method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in whole_headers(request, headers, endpoint)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (request.body or b"")


def _tunnel(sock: socket.socket, endpoint: Url, proxy: Proxy, exchange: Exchange) -> None:
    """Have a proxy connect to the server (RFC 9110 §9.3.6).

    Raises:
        HTTPException: if it refuses, with the cause ``proxy``.
    """
    place = f"{endpoint.host}:{endpoint.port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if proxy.credentials:
        lines.append(f"Proxy-Authorization: {proxy.credentials}")
    exchange.cause, exchange.dialling = "proxy", True
    exchange.discard = sock.close
    _send(sock, "\r\n".join([*lines, "", ""]).encode("ascii"), exchange)
    with GuardedResponse(sock, method="CONNECT") as answer:
        answer.begin()
    if not 200 <= answer.status < 300:
        raise HTTPException
    exchange.cause, exchange.dialling = "", False


def _send(sock: socket.socket, octets: bytes, exchange: Exchange) -> None:
    for start in range(0, len(octets), _RECORD):
        sock.settimeout(exchange.remaining())
        sock.sendall(octets[start : start + _RECORD])


def _body(answer: GuardedResponse, limit: int, exchange: Exchange) -> bytes:
    """Read a whole body, which is neither encoded nor too large.

    A body that ends with the connection is taken as it is.
    """
    for coding in answer.headers.get_all("content-encoding", []):
        check_coding(coding, exchange)
    if answer.length is not None and answer.length > limit:
        exchange.refuse("http_too_large")
    body = answer.read(limit + 1)
    if len(body) > limit:
        exchange.refuse("http_too_large")
    if answer.length:
        raise IncompleteRead(body)
    if answer.chunked and not answer.isclosed():
        answer.read(1)  # the end, or the news that there was no end
    return body
