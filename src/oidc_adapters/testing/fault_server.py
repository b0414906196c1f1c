r"""A server on loopback that answers each connection with a script of octets and timings.

A script is a tuple of acts, carried out in order on one connection::

    with FaultServer((Read(), Send(b"HTTP/1.1 200 OK\r\n"), Reset())) as server:
        ...  # server.url("/token")

Given several scripts, the first connection gets the first, and so on; the last one repeats.
"""

import contextlib
import socket
import ssl
import struct
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeAlias

LONGEST = 20.0
"""Seconds after which a connection is given up, even in the middle of its script."""


@dataclass(frozen=True)
class Read:
    """Read one whole request and remember it."""


@dataclass(frozen=True)
class Send:
    """Send octets at once, so many times (or until the client has gone)."""

    octets: bytes
    times: int = 1


@dataclass(frozen=True)
class Drip:
    """Send octets in pieces, a pause before each; begin again at the end if endless."""

    octets: bytes
    every: float = 0.05
    piece: int = 1
    endless: bool = False


@dataclass(frozen=True)
class Wait:
    """Do nothing until the client closes the connection, and remember what it says meanwhile."""


@dataclass(frozen=True)
class HalfClose:
    """Send no more, but stay."""


@dataclass(frozen=True)
class Reset:
    """Drop the connection with a TCP reset."""


@dataclass(frozen=True)
class Handshake:
    """Speak TLS from here on, as after the answer to ``CONNECT``."""

    context: ssl.SSLContext


Act: TypeAlias = Read | Send | Drip | Wait | HalfClose | Reset | Handshake
Script: TypeAlias = tuple[Act, ...]


class FaultServer:
    """Listens on a free port of 127.0.0.1 until closed.

    Args:
        scripts: what is done on each connection.
        tls: the server's TLS settings; without them it speaks plain HTTP.

    Attributes:
        requests: what it has read.
        unasked: what it has heard while it waited.
        spoken: the version of TLS of each connection.
        connections: how many there were.
        heard: counts the requests.
        ended: counts the connections that came to their end.
        closed_by_client: set when a client closes the connection on which it waits.
        port: where it listens.
    """

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.unasked = b""
        self.spoken: list[str | None] = []
        self.connections = 0
        self.heard = threading.Semaphore(0)
        self.closed_by_client = threading.Event()
        self.ended = threading.Semaphore(0)
        self._scripts = scripts
        self._tls = tls
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    def url(self, path: str = "/", *, host: str = "127.0.0.1") -> str:
        """Return the URL of a path there."""
        return f"http{'' if self._tls is None else 's'}://{host}:{self.port}{path}"

    def close(self) -> None:
        """Listen no more, and drop every connection."""
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LONGEST)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._play, args=(connection, script))
            self._open.append(connection)
            self._threads.append(thread)
            thread.start()

    def _play(self, connection: socket.socket, script: Script) -> None:
        connection.settimeout(LONGEST)
        stream = connection
        with contextlib.suppress(OSError):
            if self._tls is not None:
                stream = self._secured(self._tls, connection)
            for act in script:
                stream = self._perform(act, stream)
                if isinstance(act, Reset):
                    break
        connection.close()
        stream.close()
        self.ended.release()

    def _secured(self, context: ssl.SSLContext, stream: socket.socket) -> ssl.SSLSocket:
        try:
            secured = context.wrap_socket(stream.dup(), server_side=True)
        except ssl.SSLError:
            # Octets that the client still sends must cause no reset, which could overtake the
            # alert.
            stream.shutdown(socket.SHUT_WR)
            while stream.recv(4_096):
                pass
            raise
        self.spoken.append(secured.version())
        return secured

    def _perform(self, act: Act, stream: socket.socket) -> socket.socket:
        match act:
            case Read():
                self.requests.append(_request(stream))
                self.heard.release()
            case Send():
                for _ in range(act.times):
                    stream.sendall(act.octets)
            case Drip():
                self._drip(act, stream)
            case Wait():
                while heard := stream.recv(4_096):
                    self.unasked += heard
                self.closed_by_client.set()
            case HalfClose():
                stream.shutdown(socket.SHUT_WR)
            case Reset():
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case Handshake():
                return self._secured(act.context, stream)
        return stream

    def _drip(self, act: Drip, stream: socket.socket) -> None:
        for _ in range(10_000 if act.endless else 1):
            for start in range(0, len(act.octets), act.piece):
                if self._stopped.wait(act.every):
                    return
                stream.sendall(act.octets[start : start + act.piece])


def _request(stream: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        octets = stream.recv(4_096)
        if not octets:
            raise ConnectionError
        received += octets
    head, _, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        body += stream.recv(4_096)
    return head + b"\r\n\r\n" + body


def ok(body: bytes = b"{}", *headers: bytes) -> bytes:
    """Return a plain good answer."""
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
