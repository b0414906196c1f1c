"""Connections of urllib3 that keep to the budget of the exchange they serve.

urllib3's timeouts bound each wait, not the whole: headers that drip, bodies that drip and interim
answers without end go on for as long as the server likes.  Here every single wait (connecting, the
proxy's answer, the handshake, each send, each receive) gets only what is left until the deadline,
which costs a microsecond or two and neither a thread nor a timer.

Without an exchange nothing says what a connection may do, so it does nothing.  Those of pools that
the application made and uses too are urllib3's own then.
"""

import socket
import ssl
from typing import Any, Final, NoReturn

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, SSLError

from oidc_adapters.transport.dialling import dial
from oidc_adapters.transport.exchange import CURRENT, Exchange
from oidc_adapters.transport.paced import paced
from oidc_adapters.transport.receiving import GuardedResponse, under_way
from oidc_adapters.transport.tls import is_modern, proves
from oidc_core.wire.addresses import Reach, admits

_RECORD: Final = 16_384  # a TLS record: one send never waits twice


def _refuse(cause: str, told: str) -> NoReturn:
    """Refuse the other side because of its TLS, and note why."""
    under_way().cause = cause
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
        return CURRENT.exchange if self.is_shared else under_way()

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
