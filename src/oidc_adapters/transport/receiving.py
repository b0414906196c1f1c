"""Answers that are received by the clock and by the octet, from any socket.

An answer is read within the budget of the exchange that runs, and only if its framing is beyond
doubt.  No HTTP library but Python's own is needed here.
"""

import io
import select
import socket
from contextlib import suppress
from http.client import HTTPException, HTTPMessage, HTTPResponse, IncompleteRead
from typing import Any, Final, cast
from weakref import ref

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
from oidc_adapters.transport.paced import read_by
from oidc_adapters.transport.tls import holds_octets

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
            return is_readable(sock) and socket.socket.recv(sock, 1, socket.MSG_PEEK) != b""
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


class Source:
    """The members of a socket that ``http.client`` needs to read an answer."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self._sock = sock
        self._exchange = exchange

    def makefile(self, _mode: str) -> _GuardedReader:
        """Return the receiving side."""
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
        self._exchange = exchange = under_way()
        super().__init__(cast("socket.socket", Source(sock, exchange)), debuglevel, method, url)
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


def under_way() -> Exchange:
    """Return the exchange that is running.

    Raises:
        HTTPException: if there is no exchange, so nobody says which addresses may be connected to.
    """
    exchange = CURRENT.exchange
    if exchange is None:
        raise HTTPException("no exchange")
    return exchange


def is_readable(sock: socket.socket) -> bool:
    """Whether something has arrived, be it the end.

    Raises:
        OSError, ValueError: if it is closed.
    """
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
