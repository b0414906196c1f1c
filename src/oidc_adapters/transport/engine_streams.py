"""Streams for the engine of httpx that keep to the budget of the exchange they serve.

The engine (``httpcore``, or ``httpcore2``) bounds each wait alone, looks names up itself and does
not look at what comes after an answer.  It takes a network from outside, and this is one: of
blocking sockets.  :mod:`~oidc_adapters.transport.engine_async_streams` has the one for event loops.
"""

import re
import socket
import ssl
from http.client import HTTPException
from io import BytesIO
from typing import Any, Final

from oidc_adapters.transport.dialling import dial
from oidc_adapters.transport.exchange import Exchange
from oidc_adapters.transport.framing import read_chunk_size
from oidc_adapters.transport.receiving import is_readable, under_way
from oidc_adapters.transport.tls import holds_octets, is_modern, proves

PIECE: Final = 8_192
"""How many octets are received at once, so that a head and its body are told apart early."""

_AT_ONCE: Final = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
_RECORD: Final = 16_384  # a TLS record: one send never waits twice
_LONGEST: Final = 256
_BLANKS: Final = re.compile(rb"[ \t\r\n]{%d}" % _LONGEST)
_CHUNK_LINE: Final = 4_096


def check_blanks(octets: bytes, start: int, end: int) -> None:
    """Refuse many blanks in a row: the engine compares them with each other, pair by pair.

    Raises:
        HTTPException: if the engine would take too long.
    """
    if _BLANKS.search(octets, max(0, start - _LONGEST), end):
        raise HTTPException("a header field of blanks")


class Ledger:
    """The octets that a stream has received for one answer.

    Attributes:
        exchange: the exchange that it counts for.
        head: the octets until the header section was complete.
        received: how many octets there were in all.
        is_clean: whether nothing came after the answer; until that is known, it is not.
        chunks: what is between the chunks of a body; ``None`` for another body.
    """

    __slots__ = ("chunks", "exchange", "head", "is_clean", "received")

    def __init__(self) -> None:
        self.chunks: Chunks | None = None
        self.exchange: Exchange | None = None
        self.head = b""
        self.received = 0
        self.is_clean = False

    def begin(self, exchange: Exchange) -> None:
        """Begin to count for another exchange."""
        if self.exchange is not exchange:
            self.exchange, self.head, self.received, self.is_clean = exchange, b"", 0, False
            self.chunks = None

    def take(self, octets: bytes, exchange: Exchange) -> None:
        """Count octets that were received.

        Raises:
            HTTPException: if there are too many, or if the engine would take too long over them.
        """
        self.received += len(octets)
        exchange.take(len(octets))
        if self.chunks is not None:
            self.chunks.take(octets)
        elif not exchange.reads_body:
            known = len(self.head)
            self.head += octets
            check_blanks(self.head, known, _head(self.head))

    def expect_chunks(self) -> None:
        """Look at what is between the chunks from here on, and at what came with the head.

        Raises:
            HTTPException: as when octets are taken.
        """
        self.chunks = Chunks()
        self.chunks.take(self.head[_head(self.head) :])

    def end(self, length: str | None, body: int) -> None:
        """Note that an answer was read: is its end certain, and is nothing behind it?

        It is certain only for a body with a length.
        """
        known = length is not None and length.isascii() and length.isdigit()
        self.is_clean = known and self.received == _head(self.head) + body


def _head(octets: bytes) -> int:
    """Return where the header section ends, interim answers before it included."""
    start = 0
    while True:
        ends = [octets.find(mark, start) + len(mark) for mark in (b"\n\r\n", b"\n\n")]
        end = min([each for each in ends if each > 3] or [len(octets)])
        if octets[start : start + 10].split(b" ")[-1][:1] != b"1" or end >= len(octets):
            return end
        start = end


class Chunks:
    """The octets between the chunks of a body, which the engine reads in its own way."""

    __slots__ = ("_is_last", "_left", "_line")

    def __init__(self) -> None:
        self._left = 0
        self._line = b""
        self._is_last = False

    def take(self, octets: bytes) -> None:
        """Look at the next octets.

        Raises:
            HTTPException: for framing beyond the grammar, or if the engine would take too long.
        """
        start = 0
        while start < len(octets) and not self._is_last:
            if self._left:
                taken = min(self._left, len(octets) - start)
                self._left -= taken
            else:
                taken = self._size(octets[start : start + _CHUNK_LINE])
            start += taken
        if self._is_last:
            known = len(self._line)
            self._line += octets[start:]
            check_blanks(self._line, known, len(self._line))

    def _size(self, octets: bytes) -> int:
        """Read on in the line before a chunk; return how many octets belong to it."""
        taken = octets.find(b"\n") + 1
        self._line += octets[: taken or None]
        if len(self._line) > _CHUNK_LINE:
            raise HTTPException("a chunk's line is too long")
        if taken:
            size = read_chunk_size(BytesIO(self._line))
            self._left, self._line, self._is_last = size + 2, b"", size == 0
        return taken or len(octets)


class Body:
    """The body of an answer, up to a limit.

    What is too long is dropped, and the next read refuses: so it is the engine's own stream that
    ends, and none of its generators is left half read.

    Args:
        limit: how many octets it may have.
        exchange: the exchange that it belongs to.
    """

    __slots__ = ("_exchange", "_limit", "_pieces", "_size")

    def __init__(self, limit: int, exchange: Exchange) -> None:
        self._limit = limit
        self._exchange = exchange
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Add a piece."""
        self._size += len(piece)
        if self._size > self._limit:
            self._pieces.clear()
            self._exchange.quota = 0
        else:
            self._pieces.append(piece)

    def whole(self) -> bytes:
        """Return all of it.

        Raises:
            HTTPException: if it is too long.
        """
        if self._size > self._limit:
            self._exchange.refuse("http_too_large")
        return b"".join(self._pieces)


def checked_tls(tls: object, host: str | None, exchange: Exchange) -> None:
    """Refuse a server that TLS did not verify, or whose TLS is too old.

    Raises:
        HTTPException: the exchange has the code ``tls_failed``.
    """
    if not is_modern(tls):
        exchange.refuse("tls_failed", "tls_too_old")
    if not proves(tls, host or ""):
        exchange.refuse("tls_failed", "certificate_invalid")


class GuardedStream:
    """A connection as the engine takes it (``NetworkStream``)."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._ledger = Ledger()

    def read(self, max_bytes: int, *_: Any, **__: Any) -> bytes:
        """Receive octets until the deadline."""
        exchange = under_way()
        self._ledger.begin(exchange)
        self._sock.settimeout(exchange.remaining())
        octets = self._sock.recv(min(max_bytes, PIECE))
        self._ledger.take(octets, exchange)
        return octets

    def write(self, buffer: bytes, *_: Any, **__: Any) -> None:
        """Send octets, no wait of which outlasts the deadline."""
        exchange = under_way()
        if isinstance(self._sock, ssl.SSLSocket) or not exchange.dialling:
            exchange.sent = True
        for start in range(0, len(buffer), _RECORD):
            self._sock.settimeout(exchange.remaining())
            self._sock.sendall(buffer[start : start + _RECORD])

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        *_: Any,
        **__: Any,
    ) -> "GuardedStream":
        """Speak TLS from here on, with the server that the URL names."""
        exchange = under_way()
        sock = self._sock
        try:
            sock.settimeout(exchange.remaining())
            sock = ssl_context.wrap_socket(sock, server_hostname=server_hostname)
            checked_tls(sock, server_hostname, exchange)
        except BaseException:
            sock.close()
            raise
        exchange.dialling = False
        return GuardedStream(sock)

    def get_extra_info(self, info: str) -> Any:
        """Tell what the engine asks about a connection."""
        if info == "is_readable":
            return not self._ledger.is_clean or self._has_more()
        if info == "ledger":
            return self._ledger
        return (
            self._sock if info == "ssl_object" and isinstance(self._sock, ssl.SSLSocket) else None
        )

    def _has_more(self) -> bool:
        """Whether octets have arrived that nobody waits for, or the end.

        Nothing is read: another thread may be about to use the connection.
        """
        try:
            return holds_octets(self._sock) or is_readable(self._sock)
        except (OSError, ValueError):  # closed
            return True


class GuardedBackend:
    """A network of blocking sockets, as the engine takes it (``NetworkBackend``)."""

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> GuardedStream:
        """Connect to an address that the exchange may reach."""
        return GuardedStream(dial(host, port, under_way(), _AT_ONCE, None))

    def connect_unix_socket(self, *_: Any, **__: Any) -> GuardedStream:
        """Refuse: a URL names no such place."""
        raise HTTPException

    def sleep(self, *_: Any, **__: Any) -> None:
        """Refuse: the engine sleeps between attempts to connect, of which there is one."""
        raise HTTPException
