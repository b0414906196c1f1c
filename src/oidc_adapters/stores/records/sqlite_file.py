"""The SQLite file of a store of records: how it is made, opened and brought up to date."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from sqlite3 import SQLITE_BUSY, Connection, Cursor, OperationalError, connect
from time import monotonic, sleep
from typing import Final

from oidc_adapters.runtime.boot_clock import Anchor, Boot, anchor_of, anchored
from oidc_adapters.runtime.locks import ProcessLock
from oidc_core.wire.errors import StoreFailure

PREFIX: Final = "oidc_"
"""The first letters of the tables' names in the statements here."""

_RECORDS: Final = (
    "CREATE TABLE oidc_records (id TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL, "
    "until INTEGER NOT NULL, written INTEGER NOT NULL, value TEXT NOT NULL)"
)
SCHEMA: Final = (
    (
        "CREATE TABLE oidc_facts (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
        _RECORDS,
        "CREATE INDEX oidc_records_until ON oidc_records (until)",
    ),
)
"""The statements from each version of the tables to the next one; an empty file has version 0."""

_TABLES: Final = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'oidc_facts'"
_FACT: Final = "SELECT value FROM oidc_facts WHERE name = ?"
_SET_FACT: Final = (
    "INSERT INTO oidc_facts (name, value) VALUES (?, ?) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_LAST: Final = "SELECT coalesce(max(written), 0) FROM oidc_records"
_AT_A_TIME: Final = 0.03
_PAUSE: Final = 0.001
_CREATING: Final = ProcessLock()


class SqliteFile:
    """A file with the tables of a store.

    Args:
        path: where it is; it is made when it is first opened, for its owner alone.
        prefix: the first letters of its tables' names.
        busy_timeout: seconds for which a connection waits while another one writes.
        utc: tells the seconds since the epoch.
        boot: tells the running start of the machine.
    """

    __slots__ = ("_boot", "_busy_timeout", "_path", "_prefix", "_utc")

    def __init__(
        self,
        path: Path,
        *,
        prefix: str,
        busy_timeout: int,
        utc: Callable[[], int],
        boot: Callable[[], Boot],
    ) -> None:
        self._path = path
        self._prefix = prefix
        self._busy_timeout = busy_timeout
        self._utc = utc
        self._boot = boot

    def sql(self, statement: str) -> str:
        """Return a statement with the names of this file's tables."""
        return statement.replace(PREFIX, self._prefix)

    def identity(self) -> tuple[int, int] | None:
        """Tell which file the path leads to; ``None`` if the file is missing."""
        with suppress(FileNotFoundError):
            found = self._path.stat()
            return found.st_dev, found.st_ino
        return None

    def connection(self) -> Connection:
        """Open a connection that any thread may use, one at a time; no transaction is open.

        Raises:
            sqlite3.Error: the file cannot be opened, or is none of SQLite.
            StoreFailure: ``record_version_unknown`` if a newer version made its tables;
                ``store_unavailable`` where SQLite cannot keep a write-ahead log.
        """
        self._make()
        connection = connect(
            self._path,
            timeout=_AT_A_TIME,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make(self) -> None:
        """Make the file for its owner; SQLite gives the files next to it the same permissions.

        To close a file that another thread has open would end the locks of that thread, too: the
        lock keeps it from opening one that is being made.
        """
        with _CREATING.lock, suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    def _prepare(self, connection: Connection) -> None:
        self.patiently(connection, "PRAGMA synchronous = FULL")
        self.patiently(
            connection, "PRAGMA fullfsync = ON"
        )  # macOS writes through its disk's memory
        (mode,) = self.patiently(connection, "PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StoreFailure(
                "store_unavailable", about="journal_mode", found=mode, expected="wal"
            )
        if self._version(connection) != len(SCHEMA):
            self._migrate(connection)
        boot = self._boot()
        if self._anchored(connection, boot, 0) != self._kept(connection):
            self._anchor(connection, boot)

    def begin(self, connection: Connection) -> None:
        """Begin a transaction as the only one who writes.

        Raises:
            sqlite3.OperationalError: others write for longer than this store waits.
        """
        self.patiently(connection, "BEGIN IMMEDIATE")

    def patiently(self, connection: Connection, statement: str, *values: str) -> Cursor:
        """Run a statement that begins a transaction, again and again while others have the file.

        SQLite would ask more and more rarely, so that of many callers the latest come first; and
        for a write-ahead log it would not wait at all.
        """
        given_up = monotonic() + self._busy_timeout
        while True:
            try:
                return connection.execute(self.sql(statement), values)
            except OperationalError as busy:
                if busy.sqlite_errorcode & 0xFF != SQLITE_BUSY or monotonic() > given_up:
                    raise
                sleep(_PAUSE)

    # --- the tables ------------------------------------------------------------------------------

    def _version(self, connection: Connection) -> int:
        if not self.patiently(connection, _TABLES).fetchone()[0]:
            return 0
        found = self._fact(connection, "schema")
        version = int(found) if found.isascii() and found.isdecimal() else 0
        if not 1 <= version <= len(SCHEMA):
            raise StoreFailure(
                "record_version_unknown", about="schema", found=found, expected=len(SCHEMA)
            )
        return version

    def _migrate(self, connection: Connection) -> None:
        self.begin(connection)
        for statements in SCHEMA[self._version(connection) :]:
            for statement in statements:
                connection.execute(self.sql(statement))
        self._set_fact(connection, "schema", f"{len(SCHEMA)}")
        connection.execute("COMMIT")

    # --- the clock -------------------------------------------------------------------------------

    def now(self, kept: str) -> int:
        """Return the time by the anchor that the file keeps.

        Raises:
            StoreFailure: ``record_invalid`` if this text is not an anchor.
        """
        anchor = anchor_of(kept)
        if anchor is None:
            raise StoreFailure("record_invalid", about="clock")
        return anchor.now(self._boot())

    def _anchor(self, connection: Connection, boot: Boot) -> None:
        self.begin(connection)
        (last,) = self.patiently(connection, _LAST).fetchone()
        anchor = self._anchored(connection, boot, last)
        self._set_fact(connection, "clock", anchor.text())
        connection.execute("COMMIT")

    def _anchored(self, connection: Connection, boot: Boot, last: int) -> Anchor:
        return anchored(self._kept(connection), boot, self._utc(), last)

    def _kept(self, connection: Connection) -> Anchor | None:
        return anchor_of(self._fact(connection, "clock"))

    def _fact(self, connection: Connection, name: str) -> str:
        found: tuple[str] | None = self.patiently(connection, _FACT, name).fetchone()
        return found[0] if found else ""

    def _set_fact(self, connection: Connection, name: str, value: str) -> None:
        connection.execute(self.sql(_SET_FACT), (name, value))
