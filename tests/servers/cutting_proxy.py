"""A proxy that loses answers: the server has done what it was asked, and nobody hears of it."""

import socket
import threading
from _thread import start_new_thread
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Final, Self, TypeAlias

Target: TypeAlias = tuple[str, int] | str
"""Host and port, or the path of a Unix socket."""

LONGEST: Final = 30.0
"""Seconds for which a connection may be silent."""


class _Running:
    """A thread that no coverage measures: Python may refuse to trace two that begin at once."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._done = threading.Event()
        start_new_thread(self._run, ())

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._done.set()

    def join(self) -> None:
        """Wait for its end."""
        self._done.wait(LONGEST)


class CuttingProxy:
    """Relays between 127.0.0.1 and a server, and cuts a connection instead of an answer.

    It waits for the server's answer before it cuts, so the server has done its work.  Use it in a
    `with` block.

    Args:
        target: where the server listens.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._mark, self._left = b"", 0
        self._ended = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[_Running] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.lost = 0
        """How many answers were lost."""

    def lose_answers(self, mark: bytes, times: int = 1) -> None:
        """Lose the next answers to requests with these octets in them."""
        with self._lock:
            self._mark, self._left = mark, times

    def __enter__(self) -> Self:
        self._accepting = _Running(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        _wake(self._listener)
        self._accepting.join()
        self._listener.close()
        with self._lock:
            for each in self._open:
                _wake(each)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._threads.append(_Running(partial(self._serve, client)))

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, _connected(self._target) as server:
            client.settimeout(LONGEST)
            server.settimeout(LONGEST)
            pair = _Pair(client, server)
            with self._lock:
                self._open |= {client, server}
            answers = _Running(partial(self._pass_back, pair))
            self._pass_on(pair)
            answers.join()
            with self._lock:
                self._open -= {client, server}

    def _pass_on(self, pair: "_Pair") -> None:
        seen = b""
        with suppress(OSError):
            while not self._ended.is_set() and (octets := pair.client.recv(65_536)):
                seen = self._marked(pair, seen + octets)
                pair.server.sendall(octets)
        _wake(pair.server)

    def _marked(self, pair: "_Pair", seen: bytes) -> bytes:
        """Note a request whose answer shall be lost; return the octets that may begin a mark."""
        with self._lock:
            if self._left and self._mark in seen:
                self._left -= 1
                pair.cut = True
                return b""
            return seen[max(len(seen) - len(self._mark) + 1, 0) :]

    def _pass_back(self, pair: "_Pair") -> None:
        with suppress(OSError):
            while not self._ended.is_set() and (octets := pair.server.recv(65_536)):
                if pair.cut:
                    with self._lock:
                        self.lost += 1
                    break
                pair.client.sendall(octets)
        _wake(pair.client)


class _Pair:
    """A connection of a client and the one to the server."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.cut = False
        """Whether it ends with the next answer."""


def _connected(target: Target) -> socket.socket:
    if isinstance(target, tuple):
        return socket.create_connection(target)
    made = socket.socket(socket.AF_UNIX)
    made.connect(target)
    return made


def _wake(connection: socket.socket) -> None:
    """End a connection under the thread that waits for it; that thread closes it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
