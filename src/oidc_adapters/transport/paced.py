"""A socket below TLS within TLS, no wait of which outlasts the deadline.

A handshake and a record take as many receives as the other side likes.  Over a socket OpenSSL
bounds them together; urllib3's TLS within TLS bounds each one alone.
"""

import ssl
from typing import Any

from oidc_adapters.transport.exchange import CURRENT, Exchange


class PacedSocket(ssl.SSLSocket):
    """A TLS connection to a proxy, which each time waits only for the rest of an exchange's time.

    Attributes:
        exchange: the exchange that reads a body through it; until then the thread's own counts.
    """

    exchange: Exchange | None = None

    def _pace(self) -> None:
        exchange = CURRENT.exchange if self.exchange is None else self.exchange
        if exchange is not None:
            self.settimeout(exchange.remaining())

    def recv(self, buflen: int = 1_024, flags: int = 0) -> bytes:
        """Receive some octets."""
        self._pace()
        return super().recv(buflen, flags)

    def send(self, data: Any, flags: int = 0) -> int:
        """Send some octets; ``sendall`` goes through here too."""
        self._pace()
        return super().send(data, flags)


def paced(connection: ssl.SSLSocket) -> ssl.SSLSocket:
    """Make an open connection a paced one; there is no other way to have urllib3 open it so."""
    if type(connection) is ssl.SSLSocket:
        connection.__class__ = PacedSocket
    return connection


def read_by(connection: object, exchange: Exchange | None) -> None:
    """Note which exchange reads through a connection, if that is TLS within TLS."""
    below = getattr(connection, "socket", None)
    if isinstance(below, PacedSocket):
        below.exchange = exchange
