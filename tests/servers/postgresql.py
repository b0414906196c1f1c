"""A real PostgreSQL in a temporary folder, reached by a Unix socket only.

It listens on no port, so two of them never meet. Where the tests run as root, it runs as the user
`postgres`, because the server refuses root. Scripts use it as the tests do::

    with postgresql() as server:
        engine = create_engine(server.url)
"""

import os
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from shutil import chown, which
from time import monotonic, sleep
from typing import Final

import pytest

ROOMS: Final = "/usr/lib/postgresql"
USER: Final = "postgres"
PORT: Final = 5432
"""It only names the socket."""

PATIENCE: Final = 30.0
FAST: Final = ("-c", "fsync=off", "-c", "full_page_writes=off")
"""For tests that end with the server: what it holds does not outlive a crash of the machine."""

WATCHED: Final = """
exec 3<&0
"$@" 3<&- &
server=$!
{ cat <&3; kill -INT $server; } >/dev/null 2>&1 &
wait $server
"""
"""Runs a command that is told to end when standard input ends, as it does when the tests die."""


class ServerFailed(Exception):
    """The server did not start, or did not answer in time."""


def binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL on this machine, or nothing."""
    found = [each.parent for each in Path(ROOMS).glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda each: int(each.parent.name))
    on_path = which("initdb")
    return None if on_path is None else Path(on_path).resolve().parent


class PostgreSql:
    """A server that can be stopped, started again, and made to hang."""

    def __init__(self, binaries: Path, folder: Path, *, durable: bool) -> None:
        self._binaries = binaries
        self._folder = folder
        self._options = () if durable else FAST
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, driver: str = "psycopg") -> str:
        """Return its address for SQLAlchemy."""
        return f"postgresql+{driver}://{USER}@/postgres?host={self._folder}&port={PORT}"

    @property
    def dsn(self) -> str:
        """Its address for libpq."""
        return f"host={self._folder} port={PORT} user={USER} dbname=postgres"

    @property
    def socket(self) -> str:
        """The path of its socket, for a proxy."""
        return str(self._folder / f".s.PGSQL.{PORT}")

    @property
    def pid(self) -> int:
        """The number of its first process."""
        return int((self._folder / "data/postmaster.pid").read_text("ascii").split()[0])

    def make(self) -> None:
        """Lay out its folder."""
        how = ("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", f"--username={USER}")
        self._lay_out("initdb", "-D", "data", *how)

    @contextmanager
    def standby(self) -> Generator["PostgreSql"]:
        """Run a server that follows this one until the end of the block, or until it is promoted.

        Raises:
            ServerFailed: it does not start.
        """
        with _folder() as folder:
            other = PostgreSql(self._binaries, folder, durable=not self._options)
            how = ("--write-recovery-conf", "--checkpoint=fast", "--no-sync")
            other._lay_out("pg_basebackup", "-D", "data", *how, "-d", self.dsn)
            other.start()
            try:
                yield other
            finally:
                other.stop()

    def start(self, *options: str) -> None:
        """Start it, and wait until it answers."""
        where = ("-k", str(self._folder), "-p", str(PORT), "-c", "listen_addresses=")
        more = ("-c", "max_connections=200", *self._options, *options)
        self._process = self._begin("postgres", "-D", "data", *where, *more)
        until = monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or monotonic() > until:
                self.stop()
                raise ServerFailed(self.log())
            sleep(0.02)

    def stop(self) -> None:
        """End it and its connections; nothing happens where it has ended."""
        if self._process is not None:
            self._process.communicate(timeout=PATIENCE)
            self._process = None

    def crash(self) -> None:
        """End it at once, as a fault of its own would; the next start recovers its records."""
        os.kill(self.pid, signal.SIGQUIT)
        self.stop()

    @contextmanager
    def paused(self) -> Generator[None]:
        """Let all of it hang until the end of the block, as on a machine that swaps."""
        stopped = [self.pid, *self._children()]
        for each in stopped:
            os.kill(each, signal.SIGSTOP)
        try:
            yield
        finally:
            for each in stopped:
                os.kill(each, signal.SIGCONT)

    def log(self) -> str:
        """Return what it wrote."""
        return (self._folder / "log").read_text("utf-8", "replace")

    def query(self, text: str) -> str:
        """Return what it answers to one statement, as text without decoration."""
        command = ("psql", "-X", "-A", "-t", "-c", text, self.dsn)
        done = subprocess.run(
            (self._binaries / command[0], *command[1:]),
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        return done.stdout.strip()

    def _lay_out(self, program: str, *arguments: str) -> None:
        if os.geteuid() == 0:
            chown(self._folder, USER, USER)
        with self._begin(program, *arguments) as process:
            if process.wait(PATIENCE):
                raise ServerFailed(self.log())

    def _begin(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                ("/bin/sh", "-c", WATCHED, "sh", self._binaries / program, *arguments),
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=USER if os.geteuid() == 0 else None,
                group=USER if os.geteuid() == 0 else None,
                extra_groups=() if os.geteuid() == 0 else None,
                start_new_session=True,  # an interrupt at the terminal is for the tests
            )

    def _answers(self) -> bool:
        ready = (self._binaries / "pg_isready", "-q", "-h", self._folder, "-p", str(PORT))
        return subprocess.run(ready, check=False).returncode == 0

    def _children(self) -> list[int]:
        tasks = Path(f"/proc/{self.pid}/task").glob("*/children")
        return [int(each) for task in tasks for each in task.read_text().split()]


@contextmanager
def postgresql(*, durable: bool = False) -> Generator[PostgreSql]:
    """Run a server until the end of the block.

    Args:
        durable: wait for the disk as a server does by itself; tests that only compare answers are
            faster without.

    Raises:
        ServerFailed: there is no PostgreSQL, or it does not start.
    """
    folder_of_binaries = binaries()
    if folder_of_binaries is None:
        raise ServerFailed("no initdb below /usr/lib/postgresql or on the path")
    with _folder() as folder:
        server = PostgreSql(folder_of_binaries, folder, durable=durable)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def _folder() -> Generator[Path]:
    """Make a folder for a while, not deep: the path of a socket must be short."""
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgresql_server() -> Generator[PostgreSql]:
    """A PostgreSQL for all tests of this process; who stops it starts it again."""
    if binaries() is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    with postgresql() as server:
        yield server
