"""Records in a SQLite file, for all processes of one machine."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import Final, Literal

from oidc_adapters.runtime.boot_clock import Boot, this_boot
from oidc_adapters.runtime.clock import Clock, SystemClock
from oidc_adapters.stores.records.ports import SLACK, Found, Times
from oidc_adapters.stores.records.sqlite_connections import Connections
from oidc_adapters.stores.records.sqlite_file import PREFIX, SqliteFile
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import as_count, as_setting

CLEANED: Final = 1_000
"""How many records are cleaned away when one is created."""

INTERVAL: Final = 60
"""Seconds between two such times."""

_SYSTEM: Final = SystemClock()
_READ: Final = (
    "SELECT r.value, r.version, f.value FROM oidc_facts AS f "
    "LEFT JOIN oidc_records AS r ON r.id = ? WHERE f.name = 'clock'"
)
_CREATE: Final = (
    "INSERT INTO oidc_records (id, version, until, written, value) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO NOTHING"
)
_REPLACE: Final = (
    "UPDATE oidc_records SET version = ?, until = ?, written = ?, value = ? "
    "WHERE id = ? AND version = ?"
)
_REMOVE: Final = "DELETE FROM oidc_records WHERE id = ? AND version = ?"
_CLEAN: Final = (
    "DELETE FROM oidc_records WHERE id IN "
    "(SELECT id FROM oidc_records WHERE until < ? ORDER BY until LIMIT ?)"
)


class SqliteRecords:
    """Keeps records in a SQLite file, for the threads and processes of one machine.

    A write that succeeded is on the disk: the file has a write-ahead log, and each transaction
    waits for the disk.  Keep the file on a local disk: network file systems have no locks that
    SQLite can rely on.  If the store makes the file, only its owner may read it; if somebody
    deletes it, the store begins a new one.  SQLite writes two more files in the same folder.

    ``times.now`` is the time since the machine started, anchored once per start in the file
    (:mod:`oidc_adapters.runtime.boot_clock`).

    Args:
        path: the file; it is made when the store is first used.
        prefix: the first letters of the tables' names, for a file that has other tables too.
        busy_timeout: seconds for which a call waits while other callers write.
        clock: tells ``times.utc``.
        boot: tells the running start of the machine.

    Raises:
        UsageError: ``config_invalid`` for a name that does not lead to a file, such as
            ``:memory:``, where each connection would have its own records.
    """

    __slots__ = ("_boot", "_clean_at", "_clock", "_connections", "_file")

    def __init__(
        self,
        path: str | Path,
        *,
        prefix: str = PREFIX,
        busy_timeout: int = 5,
        clock: Clock = _SYSTEM,
        boot: Callable[[], Boot] = this_boot,
    ) -> None:
        self._clock = as_setting(clock, Clock, "clock")
        self._boot = as_setting(boot, Callable[[], Boot], "boot")
        self._file = SqliteFile(
            _file_path(path),
            prefix=_table_prefix(prefix),
            busy_timeout=as_count(busy_timeout, "busy_timeout"),
            utc=self._clock.now,
            boot=self._boot,
        )
        self._connections = Connections(self._file.connection, self._file.identity)
        self._clean_at = 0

    @property
    def single_use(self) -> Literal["shared"]:
        """The processes of this machine share it."""
        return "shared"

    def times(self) -> Times:
        """Return the times of the machine."""
        _, times = self._found("")
        return times

    def read(self, key: str, /) -> Found | None:
        """Return the newest record under a key."""
        found, _ = self._found(key)
        return found

    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        """Put a record under a free key; now and then remove some that expired over an hour ago."""
        with self._transaction() as connection:
            elapsed = self._boot().elapsed
            if elapsed >= self._clean_at:
                self._cleaned(connection, CLEANED)
                self._clean_at = elapsed + INTERVAL
            row = (key, version, until, self._now(connection), value)
            return self._changed(connection, _CREATE, row) == 1

    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        """Put a record in the place of one that has the expected version."""
        with self._transaction() as connection:
            row = (version, until, self._now(connection), value, key, expected)
            return self._changed(connection, _REPLACE, row) == 1

    def remove(self, key: str, expected: str, /) -> bool:
        """Remove a record that has the expected version."""
        with self._transaction() as connection:
            return self._changed(connection, _REMOVE, (key, expected)) == 1

    def clean(self, most: int = 1_000, /) -> int:
        """Remove records that expired more than an hour ago."""
        with self._transaction() as connection:
            return self._cleaned(connection, most)

    def close(self) -> None:
        """Close the connections; further calls raise ``store_unavailable``."""
        self._connections.close()

    def _found(self, key: str) -> tuple[Found | None, Times]:
        with self._connections.one() as connection:
            value, version, kept = self._row(connection, key)
        times = Times(now=self._file.now(kept), utc=self._clock.now())
        return None if value is None else Found(value, version, times), times

    def _row(self, connection: Connection, key: str) -> tuple[str | None, str, str]:
        """Return a record and the anchor of the clock, both of one moment."""
        found: tuple[str | None, str, str] | None
        found = self._file.patiently(connection, _READ, key).fetchone()
        return found or (None, "", "")

    def _now(self, connection: Connection) -> int:
        _, _, kept = self._row(connection, "")
        return self._file.now(kept)

    @contextmanager
    def _transaction(self) -> Generator[Connection, None, None]:
        """Begin as the only one who writes; commit at the end, or roll back."""
        with self._connections.one() as connection:
            self._file.begin(connection)
            yield connection
            connection.execute("COMMIT")

    def _changed(
        self, connection: Connection, statement: str, values: tuple[str | int, ...]
    ) -> int:
        return connection.execute(self._file.sql(statement), values).rowcount

    def _cleaned(self, connection: Connection, most: int) -> int:
        return self._changed(connection, _CLEAN, (self._clock.now() - SLACK, max(0, most)))


def _file_path(value: str | Path) -> Path:
    text = str(as_setting(value, str | Path, "path"))
    if not text or text.startswith((":memory:", "file:")) or "\0" in text:
        raise UsageError("config_invalid", about="path", found=text, expected="a file")
    return Path(text).absolute()


def _table_prefix(value: str) -> str:
    prefix = as_setting(value, str, "prefix")
    if not prefix.isascii() or not prefix.isidentifier() or prefix.lower().startswith("sqlite_"):
        raise UsageError(
            "config_invalid", about="prefix", found=prefix, expected="ASCII letters, digits and _"
        )
    return prefix
