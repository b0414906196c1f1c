"""Connections to one SQLite file: each serves one thread at a time, and a fork closes them all.

A fork copies SQLite's notes about its locks, but not the locks.  A child that uses or closes a
connection of its parent may damage the file, and one that inherits a lock in use can never write.
So a fork waits until no thread uses a connection, and closes them all.
"""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from sqlite3 import Connection
from sqlite3 import Error as SqliteError
from threading import Condition, get_ident
from typing import Final
from weakref import WeakSet

from oidc_adapters.runtime.locks import ProcessLock
from oidc_core.wire.errors import StoreFailure

IDLE: Final = 8
"""How many connections stay open that nobody uses."""

PATIENCE: Final = 10
"""Seconds for which a fork waits for threads that use a connection."""


class _Gate:
    """Lets no thread use a connection while the process forks."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Be open; a child has none of its parent's other threads."""
        self._turn = Condition()
        self._users: list[int] = []
        self.forks = 0

    def enter(self) -> None:
        with self._turn:
            self._turn.wait_for(lambda: not self.forks)
            self._users.append(get_ident())

    def leave(self) -> None:
        with self._turn, suppress(ValueError):  # it may have forked meanwhile
            self._users.remove(get_ident())
            self._turn.notify_all()

    def shut(self) -> None:
        """Let nobody in, and wait until all others have left."""
        with self._turn:
            self.forks += 1
            self._turn.wait_for(lambda: {*self._users} <= {get_ident()}, PATIENCE)

    def open(self) -> None:
        with self._turn:
            self.forks -= 1
            self._turn.notify_all()


class Connections:
    """Connections, opened when they are needed and reused while the file stays the same.

    Args:
        opened: opens one more, which any thread may use.
        file: tells which file the path leads to now.  SQLite would go on with one that was deleted
            or replaced, next to processes that use the new one.
    """

    __slots__ = ("__weakref__", "_closed", "_file", "_idle", "_opened", "_process")

    def __init__(self, opened: Callable[[], Connection], file: Callable[[], object]) -> None:
        self._opened = opened
        self._file = file
        self._idle: list[tuple[object, Connection]] = []
        self._closed = False
        self._process = ProcessLock()
        with _REGISTER.lock:
            _ALL.add(self)

    def __del__(self) -> None:
        """Close those that nobody uses: hardly any application closes its store."""
        with suppress(AttributeError):  # it was not made whole
            self.close_idle()

    @contextmanager
    def one(self) -> Generator[Connection, None, None]:
        """Lend a connection.  If the block fails it is closed, which rolls back what it began.

        Raises:
            StoreFailure: ``store_unavailable`` after :meth:`close`.
        """
        _GATE.enter()
        try:
            file, connection = self._taken()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self._give_back(file, connection)
        finally:
            _GATE.leave()

    def close(self) -> None:
        """Close them; those in use as soon as they are given back."""
        with self._process.lock:
            self._closed = True
        self.close_idle()

    def close_idle(self) -> None:
        """Close those that nobody uses."""
        with self._process.lock:
            idle, self._idle = self._idle, []
        for _, connection in idle:
            with suppress(SqliteError):
                connection.close()

    def leave_behind(self) -> list[Connection]:
        """Forget those of the parent process; they must be kept and never used."""
        idle, self._idle = self._idle, []
        return [connection for _, connection in idle]

    def _taken(self) -> tuple[object, Connection]:
        file = self._file()
        with self._process.lock:
            if self._closed:
                raise StoreFailure("store_unavailable", about="records", found="closed")
            if self._idle and self._idle[-1][0] == file:
                return self._idle.pop()
            others = bool(self._idle)
        if others:  # of another file
            self.close_idle()
        connection = self._opened()
        return self._file(), connection

    def _give_back(self, file: object, connection: Connection) -> None:
        with self._process.lock:
            if not self._closed and len(self._idle) < IDLE:
                self._idle.append((file, connection))
                return
        connection.close()


_GATE: Final = _Gate()
_ALL: Final[WeakSet[Connections]] = WeakSet()
_REGISTER: Final = ProcessLock()
_LEFT_BEHIND: Final[list[Connection]] = []


def _before_fork() -> None:
    _GATE.shut()
    with _REGISTER.lock:
        pools = [*_ALL]
    for pool in pools:
        pool.close_idle()


def _in_child() -> None:
    """Start again; never close the connections that an unannounced fork left open."""
    _GATE.renew()
    for pool in _ALL:
        _LEFT_BEHIND.extend(pool.leave_behind())


with suppress(AttributeError):  # Windows has no forks
    os.register_at_fork(before=_before_fork, after_in_parent=_GATE.open, after_in_child=_in_child)
