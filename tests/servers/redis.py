"""A real Redis or Valkey on a free port of 127.0.0.1, with its files in a temporary folder.

Tests share one, the fixture `redis_server`.  Scripts have their own::

    with redis_server() as server:
        client = redis.Redis.from_url(server.url)
"""

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from time import monotonic, sleep
from typing import Final

import pytest

PROGRAMS: Final = ("valkey-server", "redis-server")
DURABLE: Final = ("--appendonly", "yes", "--appendfsync", "always")
LOOSE: Final = ("--appendonly", "yes", "--appendfsync", "everysec")
PATIENCE: Final = 30.0
TRIES: Final = 5
"""Somebody else may take a free port before the server does."""


class ServerFailed(Exception):
    """The server did not start, or did not answer in time."""


def program() -> str | None:
    """Return the path of the server on this machine, or nothing."""
    return next((found for each in PROGRAMS if (found := which(each))), None)


class RedisServer:
    """A server that can be stopped, started again on its port, and made to hang.

    Args:
        path: of the program.
        folder: for its files.
        options: for its command line.
    """

    def __init__(self, path: str, folder: Path, options: tuple[str, ...]) -> None:
        self._path, self._folder, self.options = path, folder, options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """Its address for a client."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it answers."""
        where = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder))
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                (self._path, *where, "--save", "", *self.options),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # an interrupt at the terminal is for the tests
            )
        until = monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or monotonic() > until:
                self.stop()
                raise ServerFailed(self.log())
            sleep(0.02)

    def start_somewhere(self) -> None:
        """Start it on a port that is free."""
        for left in reversed(range(TRIES)):
            try:
                return self.start()
            except ServerFailed:
                if not left or "in use" not in self.log():
                    raise
                self.port = free_port()
        return None

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        """End it and its connections; nothing happens where it has ended."""
        if self._process is not None:
            self._process.send_signal(by)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    @contextmanager
    def paused(self) -> Generator[None]:
        """Let it hang until the end of the block, as on a machine that swaps."""
        pid = self.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def log(self) -> str:
        """Return what it wrote."""
        return (self._folder / "log").read_text("utf-8", "replace")

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as probe:
                probe.sendall(b"PING\r\n")
                return probe.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses yet."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def of_cluster() -> tuple[str, ...]:
    """Return the options of a server that shares its keys with others."""
    return ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))


@contextmanager
def redis_server(*options: str, durable: bool = False) -> Generator[RedisServer]:
    """Run a server until the end of the block.

    Args:
        options: more of its command line.
        durable: wait for the disk at each write, so that what was acknowledged survives a kill.

    Raises:
        ServerFailed: there is no such server, or it does not start.
    """
    path = program()
    if path is None:
        raise ServerFailed(f"none of {', '.join(PROGRAMS)} is on the path")
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        kept = DURABLE if durable else LOOSE
        server = RedisServer(path, Path(folder), (*kept, *options))
        try:
            server.start_somewhere()
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session", name="redis_server")
def _shared() -> Iterator[RedisServer]:
    """A server that no test stops; each test uses its own keys."""
    if program() is None:
        pytest.skip("needs Redis or Valkey: apt-get install redis-server")
    with redis_server() as server:
        yield server
