"""Connections of urllib3 that keep to the budget of the exchange they serve.

urllib3's timeouts bound each wait, not the whole: headers that drip, bodies that drip and interim
answers without end go on for as long as the server likes.  Here every single wait (connecting, the
proxy's answer, the handshake, each send, each receive) gets only what is left until the deadline,
which costs a microsecond or two and neither a thread nor a timer.

Without an exchange nothing says what a connection may do, so it does nothing.  Those of pools that
the application made and uses too are urllib3's own then.
"""

import io
import socket
import ssl
from contextlib import suppress
from http.client import HTTPException, HTTPMessage, HTTPResponse, IncompleteRead
from typing import Any, Final, NoReturn, cast
from weakref import ref

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, SSLError
from urllib3.util.wait import wait_for_read

from oidc_adapters.transport.dialling import dial
from oidc_adapters.transport.exchange import CURRENT, Exchange
from oidc_adapters.transport.framing import (
    Fields,
    StatusLine,
    content_length,
    is_chunked,
    read_chunk_size,
    read_fields,
    read_status_line,
    skip_fields,
    values_of,
)
from oidc_adapters.transport.paced import paced, read_by
from oidc_adapters.transport.tls import holds_octets, is_modern, proves
from oidc_core.wire.addresses import Reach, admits

_RECORD: Final = 16_384  # a TLS record: one send never waits twice
_CRLF: Final = b"\r\n"


class _GuardedSocketIO(io.RawIOBase):
    """A socket's receiving side, by the clock and by the octet."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        super().__init__()
        self._sock = sock
        self._hold = sock.makefile("rb", buffering=0)  # keeps it open until the end of the body
        self._exchange = exchange
        self.finished = False
        read_by(sock, exchange)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if self.finished:
            return 0
        exchange = self._exchange
        self._sock.settimeout(exchange.remaining())
        received = self._sock.recv_into(buffer)
        exchange.take(received)
        return received

    def end(self) -> None:
        """Receive nothing more."""
        self.finished = True
        read_by(self._sock, None)
        if self._exchange.dialling:
            # The proxy has answered; what comes next is a handshake, which has less time left.
            with suppress(OSError):
                self._sock.settimeout(self._exchange.remaining())

    def has_more(self) -> bool:
        """Whether octets have arrived that the reader has not received: in TLS, or in the socket.

        Behind a proxy's answer only TLS is looked at: its own handshake may still be arriving.
        """
        sock = self._sock
        if holds_octets(sock):
            return True
        if self._exchange.dialling or not isinstance(cast("object", sock), socket.socket):
            return False
        try:
            # Under TLS too, with any content of the record. The end alone is seen before reuse.
            return wait_for_read(sock, 0) and socket.socket.recv(sock, 1, socket.MSG_PEEK) != b""
        except (OSError, ValueError):  # closed, or reset
            return True

    def leftovers(self) -> None:
        """There was more than the answer: whose answer would come next on that connection?"""
        self._exchange.discard()

    def close(self) -> None:
        self._hold.close()
        super().close()


class _GuardedReader(io.BufferedReader):
    """A buffer that tells, when closed, whether it held more octets than the reader asked for."""

    def __init__(self, source: _GuardedSocketIO) -> None:
        super().__init__(source)
        self._source = source

    def close(self) -> None:
        if not self.closed:
            self._source.end()
            if self.peek(1) or self._source.has_more():
                self._source.leftovers()
        super().close()


class _Source:
    """The members of a socket that ``http.client`` needs to read an answer."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self._sock = sock
        self._exchange = exchange

    def makefile(self, _mode: str) -> _GuardedReader:
        return _GuardedReader(_GuardedSocketIO(self._sock, self._exchange))


class GuardedResponse(HTTPResponse):
    """An answer whose framing is beyond doubt (RFC 9112 §6).

    It reads everything by :mod:`~oidc_adapters.transport.framing`, except that ``http.client``
    reads the body if it has a known length or ends with the connection.
    """

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        nothing: Any = None
        self.fp = nothing  # what is refused in the next line is closed like any other
        self._exchange = exchange = _under_way()
        super().__init__(cast("socket.socket", _Source(sock, exchange)), debuglevel, method, url)
        if exchange.dialling:
            exchange.proxy_answer = ref(self)

    def begin(self) -> None:
        """Read interim answers, the status line and the header section."""
        status = self._status_line()
        fields = read_fields(self.fp)
        while status.status < 200:  # RFC 9110 §15.2; the quota of the headers bounds them
            if status.status == 101:
                raise HTTPException("another protocol")
            status = self._status_line()
            fields = read_fields(self.fp)
        self.headers = self.msg = HTTPMessage()
        for name, value in fields:
            self.headers[name] = value
        self.code, self.reason = status.status, status.reason
        self.version = 11 if status.minor else 10
        self._frame(status, fields)
        self._exchange.expect_body()

    def _status_line(self) -> StatusLine:
        line = read_status_line(self.fp)
        self.status = line.status
        return line

    def _read_status(self) -> tuple[str, int, str]:
        """Read the status line of a proxy, for ``http.client``."""
        line = self._status_line()
        return f"HTTP/1.{line.minor}", line.status, line.reason

    def _frame(self, status: StatusLine, fields: Fields) -> None:
        """Find where the body ends, and whether another answer may follow (RFC 9112 §6.3)."""
        self.length = content_length(values_of(fields, "content-length"))
        self.chunked = is_chunked(values_of(fields, "transfer-encoding"), status.minor)
        self.chunk_left: int | None = None
        closes = "close" in ",".join(values_of(fields, "connection")).lower()
        odd = self.chunked and self.length is not None
        if status.status in {204, 304}:
            odd = self.chunked or bool(self.length)
            self.chunked, self.length = False, 0
        elif self.chunked:
            self.length = None
        endless = not self.chunked and self.length is None
        self.will_close = status.minor == 0 or closes or odd or endless

    def read(self, amt: int | None = None) -> bytes:
        """Read the body, or at most so many octets of it."""
        if not self.chunked:
            return super().read(amt)
        pieces: list[bytes] = []
        while amt != 0 and not self.isclosed():
            piece = self._read_of_chunk(amt)
            pieces.append(piece)
            if amt is not None:
                amt -= len(piece)
        return b"".join(pieces)

    def _read_of_chunk(self, amt: int | None) -> bytes:
        """Read the rest of a chunk, or so much of it; the last one closes the answer."""
        if self.chunk_left is None:
            self.chunk_left = read_chunk_size(self.fp)
        if self.chunk_left == 0:
            skip_fields(self.fp)
            self.close()
            return b""
        wanted = self.chunk_left if amt is None else min(amt, self.chunk_left)
        piece = self.fp.read(wanted)
        if len(piece) < wanted:
            raise IncompleteRead(piece)
        self.chunk_left -= wanted
        if self.chunk_left == 0:
            end = self.fp.read(2)
            if end != _CRLF:
                raise HTTPException("no end of a chunk") if end[1:] else IncompleteRead(end)
            self.chunk_left = None
        return piece


def _under_way() -> Exchange:
    """Return the exchange that is running.

    Raises:
        HTTPException: if there is no exchange, so nobody says which addresses may be connected to.
    """
    exchange = CURRENT.exchange
    if exchange is None:
        raise HTTPException("no exchange")
    return exchange


def _refuse(cause: str, told: str) -> NoReturn:
    """Refuse the other side because of its TLS, and note why."""
    _under_way().cause = cause
    raise SSLError(told)


class GuardedConnection(HTTPConnection):
    """A connection that keeps to the budget of the exchange it serves."""

    response_class: Any = GuardedResponse
    is_shared = False
    """Whether the application uses it too, outside of any exchange."""
    dials_itself = True
    """Whether it connects as urllib3 does, and not by a way of the application's (as SOCKS)."""
    is_checked = False
    """Whether TLS was found good enough; the application's own connections were not looked at."""

    def connect(self) -> None:
        """Connect, through the proxy if there is one, and make sure of TLS."""
        exchange = self._exchange()
        self.is_checked = False
        if exchange is None:
            super().connect()
            return
        exchange.dialling = True
        exchange.discard = self._hang_up
        try:
            super().connect()
        except BaseException:
            # Before 3.11.4 http.client leaves a refusal open, and with it the socket.
            answer = exchange.proxy_answer()
            if answer is not None:
                answer.close()
            raise
        exchange.dialling = False
        self.check()

    def _exchange(self) -> Exchange | None:
        """Return the exchange it serves, or ``None`` while the application uses it itself."""
        return CURRENT.exchange if self.is_shared else _under_way()

    def leads_where(self, reach: Reach) -> bool:
        """Return whether the address it is connected to is one of those that may be reached."""
        try:
            return admits(reach, self.sock.getpeername()[0])
        except (AttributeError, OSError, IndexError):  # closed by now, or by the other side
            return False

    def _hang_up(self) -> None:
        """Close the socket under a thread that is still connecting."""
        if self.sock is not None:
            self.sock.close()

    def check(self) -> None:
        """Make sure of TLS; this connection has no TLS; :class:`GuardedTlsConnection` has it."""
        self.is_checked = True

    def check_proxy(self) -> None:
        """The same for the way to the proxy, before it is told where to connect to."""

    def _new_conn(self) -> socket.socket:
        exchange = self._exchange()
        if exchange is None:
            return super()._new_conn()
        if not self.dials_itself:
            self.timeout = exchange.remaining()
            return super()._new_conn()
        try:
            return dial(
                self.host, self.port, exchange, self.socket_options or (), self.source_address
            )
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "timed out") from error
        except OSError as error:
            raise NewConnectionError(self, "not connected") from error

    def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        **options: Any,
    ) -> None:
        """Send a request as one piece: one packet and one TLS record, where urllib3 makes two.

        Its target stays as it is, where urllib3 writes ``%7e`` as ``%7E``.
        """
        exchange = self._exchange()
        if exchange is None:
            super().request(method, url, body, headers, **options)
            return
        held = exchange.held = []
        super().request(method, exchange.target or url, body, headers, **options)
        exchange.held = None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:
        """Send octets, no wait of which outlasts the deadline."""
        exchange = self._exchange()
        if exchange is None:
            super().send(data)
            return
        if exchange.held is not None:
            exchange.held.append(data)
            return
        if self.is_closed:
            self.connect()
        if exchange.dialling:
            self.check_proxy()
        else:
            if not self.is_checked:
                self.check()
            exchange.sent = True
            exchange.discard = self.close
        for start in range(0, len(data), _RECORD):
            self.sock.settimeout(exchange.remaining())
            super().send(data[start : start + _RECORD])


_TLS_TO_PROXY: Final = "_connect_tls_proxy"  # whose result urllib3 leaves without a type


class GuardedTlsConnection(GuardedConnection, HTTPSConnection):
    """The same over TLS, only with the server that the URL names.

    Only the facts that TLS itself reports about the connection count: its settings may have been
    changed since they were looked at, and urllib3 may have been told to compare with something
    else.
    """

    def _connect_tls_proxy(self, hostname: str, sock: socket.socket) -> ssl.SSLSocket:
        connect: Any = getattr(super(), _TLS_TO_PROXY)
        connected: Any = connect(hostname, sock)
        return paced(connected)

    def check(self) -> None:
        """Refuse a server that is not the one of the URL, or whose TLS is too old."""
        host = self._tunnel_host or self.host
        if not self.is_verified or self.assert_fingerprint or not proves(self.sock, host):
            _refuse("certificate_invalid", "the server was not verified")
        self.check_version()

    def check_version(self) -> None:
        """Refuse an old version of TLS."""
        if not is_modern(self.sock):
            _refuse("tls_too_old", "TLS is too old")
        self.is_checked = True

    def check_proxy(self) -> None:
        """Refuse a proxy for the same reasons."""
        if self.proxy is None or self.proxy.scheme != "https":
            return
        if not proves(self.sock, self.host):
            _refuse("proxy", "the proxy was not verified")
        if not is_modern(self.sock):
            _refuse("proxy", "the proxy's TLS is too old")
