"""Records in PostgreSQL, or in a file of SQLite, through an engine of SQLAlchemy.

It needs the extra ``sql``.  Each call is one statement that commits by itself; between calls no
connection is held.  The engine belongs to the application, which also disposes of it.
"""

from contextlib import suppress
from typing import Literal, TypeVar

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from oidc_adapters.stores.records.cleaning import NowAndThen
from oidc_adapters.stores.records.ports import Found, Times
from oidc_adapters.stores.records.sql_statements import ALONE, Call, OwnPool, Statements
from oidc_adapters.stores.records.sql_table import TABLE
from oidc_core.wire.settings import as_setting

T = TypeVar("T")


class SqlRecords:
    """Keeps records in a table of an SQL database, for code that waits.

    Every call raises the exceptions of SQLAlchemy and of the driver, and ``store_unavailable`` if a
    replica answers: only the primary server knows the newest record.

    Args:
        engine: of SQLAlchemy, for PostgreSQL or for a file of SQLite.
        table: the name of the table.
        schema: the schema that it is in, or the connection's first one.

    Raises:
        UsageError: ``config_invalid``.
    """

    __slots__ = ("_cleanings", "_engine", "_pool", "_statements")

    def __init__(self, engine: Engine, *, table: str = TABLE, schema: str | None = None) -> None:
        self._pool = OwnPool(as_setting(engine, Engine, "engine"))
        self._statements = Statements(engine, table, schema)
        self._engine = engine.execution_options(**ALONE)
        self._cleanings = NowAndThen()

    @property
    def single_use(self) -> Literal["shared"]:
        """All processes share it."""
        return "shared"

    def create_table(self) -> None:
        """Create the table and its index where they are not there; many processes may do so."""
        self._pool.check()
        with self._engine.begin() as connection:
            self._statements.create_table(connection)

    def times(self) -> Times:
        """Return the time of the database; both are the same."""
        return self._outcome(self._statements.times())

    def read(self, key: str, /) -> Found | None:
        """Return a record.

        Raises:
            StoreFailure: ``record_version_unknown`` where a newer release of this library wrote it.
        """
        return self._outcome(self._statements.read(key))

    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        """Put a record under a key that has no record, and clean up once a minute."""
        created = self._outcome(self._statements.create(key, version, value, until))
        if created and self._cleanings.due():
            with suppress(Exception):  # the record is there; another will clean up
                self.clean()
        return created

    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        """Put a record in the place of one that has the expected version."""
        return self._outcome(self._statements.replace(key, expected, version, value, until))

    def remove(self, key: str, expected: str, /) -> bool:
        """Remove a record that has the expected version."""
        return self._outcome(self._statements.remove(key, expected))

    def clean(self, most: int = 1_000, /) -> int:
        """Remove records that expired more than an hour ago."""
        return self._outcome(self._statements.clean(most))

    def close(self) -> None:
        """Do nothing: the engine belongs to the application."""

    def _outcome(self, call: Call[T]) -> T:
        self._pool.check()
        # Its end commits once more, for an engine whose listeners begin a transaction in any case.
        with self._engine.begin() as connection:
            return call.outcome(connection.execute(call.statement, call.bound))


class AsyncSqlRecords:
    """Keeps records in a table of an SQL database, for code that awaits under asyncio.

    It does what :class:`SqlRecords` does.  SQLAlchemy does not run under trio: there,
    ``InThreads(SqlRecords(engine))`` does the same.

    Args:
        engine: an ``AsyncEngine`` of SQLAlchemy, for PostgreSQL or for a file of SQLite.
        table: the name of the table.
        schema: the schema that it is in, or the connection's first one.

    Raises:
        UsageError: ``config_invalid``.
    """

    __slots__ = ("_cleanings", "_engine", "_pool", "_statements")

    def __init__(
        self, engine: AsyncEngine, *, table: str = TABLE, schema: str | None = None
    ) -> None:
        inner = as_setting(engine, AsyncEngine, "engine").sync_engine
        self._pool = OwnPool(inner)
        self._statements = Statements(inner, table, schema)
        self._engine = engine.execution_options(**ALONE)
        self._cleanings = NowAndThen()

    @property
    def single_use(self) -> Literal["shared"]:
        """All processes share it."""
        return "shared"

    async def create_table(self) -> None:
        """Create the table and its index where they are not there; many processes may do so."""
        self._pool.check()
        async with self._engine.begin() as connection:
            await connection.run_sync(self._statements.create_table)

    async def times(self) -> Times:
        """Return the time of the database; both are the same."""
        return await self._outcome(self._statements.times())

    async def read(self, key: str, /) -> Found | None:
        """Return a record.

        Raises:
            StoreFailure: ``record_version_unknown`` where a newer release of this library wrote it.
        """
        return await self._outcome(self._statements.read(key))

    async def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        """Put a record under a key that has no record, and clean up once a minute."""
        created = await self._outcome(self._statements.create(key, version, value, until))
        if created and self._cleanings.due():
            with suppress(Exception):  # the record is there; another will clean up
                await self.clean()
        return created

    async def replace(
        self, key: str, expected: str, version: str, value: str, until: int, /
    ) -> bool:
        """Put a record in the place of one that has the expected version."""
        return await self._outcome(self._statements.replace(key, expected, version, value, until))

    async def remove(self, key: str, expected: str, /) -> bool:
        """Remove a record that has the expected version."""
        return await self._outcome(self._statements.remove(key, expected))

    async def clean(self, most: int = 1_000, /) -> int:
        """Remove records that expired more than an hour ago."""
        return await self._outcome(self._statements.clean(most))

    async def close(self) -> None:
        """Do nothing: the engine belongs to the application."""

    async def _outcome(self, call: Call[T]) -> T:
        self._pool.check()
        # Its end commits once more, for an engine whose listeners begin a transaction in any case.
        async with self._engine.begin() as connection:
            return call.outcome(await connection.execute(call.statement, call.bound))
