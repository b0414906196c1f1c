"""Where the records of a test are, told to every process that opens them."""

import sqlite3
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from importlib import import_module
from typing import Final, Literal, NamedTuple

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.stores.records import Records
from oidc_adapters.stores.records.sqlite import SqliteRecords

Kind = Literal["sqlite", "postgresql", "redis"]

_STORES: Final = "oidc_adapters.stores.records"

_CONNECTIONS: Final = 8
"""Of one process to a server of SQL, which has a limit."""

_MODULES: Final[Mapping[str, tuple[str, ...]]] = {
    "sqlite": (),
    "postgresql": ("psycopg", "sqlalchemy.dialects.postgresql.psycopg", f"{_STORES}.sql"),
    "redis": ("tests.servers.redis_clients", f"{_STORES}.redis"),
}


class Opened(NamedTuple):
    """Records that this process has opened, and how to close them."""

    records: Records
    close: Callable[[], None]


class Place(NamedTuple):
    """A place for records.

    Attributes:
        kind: what keeps them.
        address: a file, or the address of a server.
        name: of their table, or the beginning of their keys.
        patience: seconds that a call waits for other writers, or for the server.
    """

    kind: Kind
    address: str
    name: str
    patience: int = 20

    def imported(self) -> None:
        """Import what it needs, so that forked processes have it."""
        for name in _MODULES[self.kind]:
            import_module(name)

    def opened(self, clock: Clock) -> Opened:
        """Open it in this process."""
        if self.kind == "sqlite":
            file = SqliteRecords(self.address, busy_timeout=self.patience, clock=clock)
            return Opened(file, file.close)
        if self.kind == "redis":
            from oidc_adapters.stores.records.redis import RedisRecords
            from tests.servers.redis_clients import waiting_client

            # By default redis-py refuses the 101st thread.
            settings = {"socket_timeout": self.patience, "max_connections": 1_000}
            client = waiting_client(self.address, **settings)
            return Opened(RedisRecords(client, prefix=f"{self.name}:"), client.close)
        from sqlalchemy import create_engine

        from oidc_adapters.stores.records.sql import SqlRecords

        engine = create_engine(self.address, pool_size=_CONNECTIONS, max_overflow=0)
        return Opened(SqlRecords(engine, table=self.name), engine.dispose)

    def made(self) -> "Place":
        """Make the table, if it needs one."""
        if self.kind == "postgresql":
            from sqlalchemy import create_engine

            from oidc_adapters.stores.records.sql import SqlRecords

            engine = create_engine(self.address)
            SqlRecords(engine, table=self.name).create_table()
            engine.dispose()
        return self


class Store(NamedTuple):
    """A place, and what a test may do to it.

    Attributes:
        place: where it is.
        paused: lets it hang until the end of the block.
        listens: where its server listens, for a proxy; a file has none.
    """

    place: Place
    paused: Callable[[], AbstractContextManager[None]]
    listens: tuple[str, int] | str = ""

    def behind(self, port: int) -> Place:
        """Return the place as it is reached through a proxy."""
        if self.place.kind == "redis":
            return self.place._replace(address=f"redis://127.0.0.1:{port}/0")
        return self.place._replace(
            address=f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        )


@contextmanager
def locked(path: str) -> Generator[None]:
    """Let nobody else write to a file of SQLite, until the end of the block."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")
