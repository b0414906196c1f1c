"""A proxy over TLS that relays, for TLS within TLS."""

import contextlib
import select
import socket
import ssl
import threading
from types import TracebackType
from typing import Self

from oidc_adapters.testing.fault_server import LONGEST


class Relay:
    """Takes CONNECT to wherever, and connects to one port of 127.0.0.1 each time.

    Args:
        tls: the proxy's TLS settings.
        port: where it connects to.
        piece: how many octets it passes back at a time; 0 for as many as there are.
        every: seconds before each piece.
    """

    def __init__(
        self, tls: ssl.SSLContext, port: int, *, piece: int = 0, every: float = 0.0
    ) -> None:
        self._tls, self._target, self._piece, self._every = tls, port, piece, every
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connects: list[bytes] = []
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def slow_down(self, *, piece: int, every: float) -> None:
        """Pass back less at a time from now on."""
        self._piece, self._every = piece, every

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(LONGEST)

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(LONGEST)
        with (
            contextlib.suppress(OSError),
            connection,
            self._tls.wrap_socket(connection, server_side=True) as outer,
        ):
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += outer.recv(4_096) or b"\r\n\r\n"
            self.connects.append(asked)
            outer.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            with socket.create_connection(("127.0.0.1", self._target)) as inner:
                self._relay(outer, inner)

    def _relay(self, outer: ssl.SSLSocket, inner: socket.socket) -> None:
        while not self._stopped.is_set():
            ready, _, _ = select.select([outer, inner], [], [], 0.02)
            if outer in ready or outer.pending():
                octets = outer.recv(65_536)
                if not octets:
                    return
                inner.sendall(octets)
            if inner in ready:
                octets = inner.recv(65_536)
                if not octets:
                    return
                self._pass_back(outer, octets)

    def _pass_back(self, outer: ssl.SSLSocket, octets: bytes) -> None:
        piece = self._piece or len(octets)
        for start in range(0, len(octets), piece):
            if self._every and self._stopped.wait(self._every):
                return
            outer.sendall(octets[start : start + piece])
