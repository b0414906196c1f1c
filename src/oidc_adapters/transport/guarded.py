"""Connections of urllib3 that keep to the budget of the exchange they serve.

urllib3's timeouts bound each wait, not the whole: headers that drip, bodies that drip and interim
answers without end go on for as long as the server likes.  Here every single wait (connecting, the
proxy's answer, the handshake, each send, each receive) gets only what is left until the deadline,
which costs a microsecond or two and neither a thread nor a timer.  Outside of an exchange, as when
the application uses its own pools itself, these connections are urllib3's own.
"""

import io
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPException, HTTPMessage, HTTPResponse
from types import MappingProxyType
from typing import Any, Final, cast
from weakref import ref

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, SSLError

from oidc_adapters.transport.dialling import dial
from oidc_adapters.transport.exchange import CURRENT, Exchange
from oidc_adapters.transport.tls import is_modern
from oidc_core.wire.addresses import Reach, admits

_INTERIM: Final = 8
_RECORD: Final = 16_384  # a TLS record: one send never waits twice
_LENGTH: Final = re.compile(r"[0-9]{1,15}")


class _GuardedSocketIO(io.RawIOBase):
    """A socket's receiving side, by the clock and by the octet."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        super().__init__()
        self._sock = sock
        self._hold = sock.makefile("rb", buffering=0)  # keeps it open until the end of the body
        self._exchange = exchange
        self.finished = False

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
        if self._exchange.dialling:
            # The proxy has answered; what comes next is a handshake, which has less time left.
            with suppress(OSError):
                self._sock.settimeout(self._exchange.remaining())

    def leftovers(self) -> None:
        """There was more than the answer: whose answer would come next on that connection?"""
        self._exchange.discard()

    def close(self) -> None:
        self._hold.close()
        super().close()


class _GuardedReader(io.BufferedReader):
    """A buffer that tells, when closed, whether it held more than was asked for."""

    def __init__(self, source: _GuardedSocketIO) -> None:
        super().__init__(source)
        self._source = source

    def close(self) -> None:
        if not self.closed:
            self._source.end()
            if self.peek(1):
                self._source.leftovers()
        super().close()


class _Source:
    """What ``http.client`` needs of a socket to read an answer."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self._sock = sock
        self._exchange = exchange

    def makefile(self, _mode: str) -> _GuardedReader:
        return _GuardedReader(_GuardedSocketIO(self._sock, self._exchange))


class GuardedResponse(HTTPResponse):
    """An answer whose framing is beyond doubt (RFC 9112 §6)."""

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        self._exchange = CURRENT.exchange
        if self._exchange is not None:
            sock = cast("socket.socket", _Source(sock, self._exchange))
        super().__init__(sock, debuglevel, method, url)
        if self._exchange is not None and self._exchange.dialling:
            self._exchange.proxy_answer = ref(self)

    def begin(self) -> None:
        """Read interim answers, the status line and the header section."""
        super().begin()
        if self._exchange is not None:
            self._skip_interim_answers()
            self._check_framing()
            self._exchange.expect_body()

    def _skip_interim_answers(self) -> None:
        # Only 100 is skipped by http.client; 103 would pass for the answer (RFC 9110 §15.2).
        interim = 0
        while self.status < 200:
            interim += 1
            if self.status == 101 or interim > _INTERIM:
                raise HTTPException
            self.headers = cast("HTTPMessage", None)
            super().begin()

    def _check_framing(self) -> None:
        headers = self.headers
        if headers.defects:  # whatever follows a malformed line would be lost
            raise HTTPException
        codings = headers.get_all("transfer-encoding")
        lengths = headers.get_all("content-length")
        if codings is not None:
            if [coding.strip().lower() for coding in codings] != ["chunked"]:
                raise HTTPException
            if lengths is not None:
                self.will_close = True  # RFC 9112 §6.3: never reuse such a connection
        elif lengths is not None:
            first, *more = lengths
            if not _LENGTH.fullmatch(first.strip()) or any(length != first for length in more):
                raise HTTPException


class GuardedConnection(HTTPConnection):
    """A connection that keeps to the budget of the exchange it serves."""

    response_class = GuardedResponse
    dials_itself = True
    """Whether it connects as urllib3 does, and not by a way of the application's (as SOCKS)."""
    is_checked = False
    """Whether TLS was found good enough; what the application opened itself was not looked at."""

    def connect(self) -> None:
        """Connect, through the proxy if there is one, and make sure of TLS."""
        exchange = CURRENT.exchange
        self.is_checked = False
        if exchange is None:
            super().connect()
            return
        exchange.dialling = True
        try:
            super().connect()
        except BaseException:
            # Before 3.11.4 http.client leaves a refusal open, and with it the socket.
            answer = exchange.proxy_answer()
            if answer is not None:
                answer.close()
            raise
        exchange.dialling = False
        self._check(exchange)

    def leads_where(self, reach: Reach) -> bool:
        """Return whether the address it is connected to is one of those that may be reached."""
        try:
            return admits(reach, self.sock.getpeername()[0])
        except (AttributeError, OSError, IndexError):  # closed by now, or by the other side
            return False

    def _check(self, exchange: Exchange) -> None:
        self._check_tls(exchange)
        self.is_checked = True

    def _check_tls(self, exchange: Exchange) -> None:
        """Nothing to check without TLS; :class:`GuardedTlsConnection` does."""

    def _check_proxy(self) -> None:
        """The same for the way to the proxy, before it is told where to connect to."""

    def _new_conn(self) -> socket.socket:
        exchange = CURRENT.exchange
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
        """Send a request as one piece: one packet and one TLS record, where urllib3 makes two."""
        exchange = CURRENT.exchange
        if exchange is None:
            super().request(method, url, body, headers, **options)
            return
        held = exchange.held = []
        super().request(method, url, body, headers, **options)
        exchange.held = None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:
        """Send octets, no wait of which outlasts the deadline."""
        exchange = CURRENT.exchange
        if exchange is None:
            super().send(data)
            return
        if exchange.held is not None:
            exchange.held.append(data)
            return
        if self.is_closed:
            self.connect()
        if exchange.dialling:
            self._check_proxy()
        else:
            if not self.is_checked:
                self._check(exchange)
            exchange.sent = True
            exchange.discard = self.close
        for start in range(0, len(data), _RECORD):
            self.sock.settimeout(exchange.remaining())
            super().send(data[start : start + _RECORD])


class GuardedTlsConnection(GuardedConnection, HTTPSConnection):
    """The same over TLS."""

    def _check_tls(self, exchange: Exchange) -> None:
        # An application's own pools may have been told to skip what must not be skipped.
        if exchange.verified and (not self.is_verified or self.assert_hostname is False):
            raise SSLError("the server was not verified")
        if not is_modern(self.sock):
            raise SSLError("TLS is too old")

    def _check_proxy(self) -> None:
        if self.proxy is not None and self.proxy.scheme == "https" and not is_modern(self.sock):
            raise SSLError("the proxy's TLS is too old")


_GUARDED: Final[Mapping[type, type[GuardedConnection]]] = MappingProxyType(
    {HTTPConnection: GuardedConnection, HTTPSConnection: GuardedTlsConnection}
)


def guarded(kind: type[HTTPConnection]) -> type[GuardedConnection]:
    """Return the guarded class of connections for a class of urllib3 or of the application."""
    known = _GUARDED.get(kind)
    if known is not None:
        return known
    base = GuardedTlsConnection if issubclass(kind, HTTPSConnection) else GuardedConnection
    own_way = any("_new_conn" in vars(each) for each in kind.mro() if each is not HTTPConnection)
    made = type("Guarded" + kind.__name__, (base, kind), {"dials_itself": not own_way})
    return cast("type[GuardedConnection]", made)
