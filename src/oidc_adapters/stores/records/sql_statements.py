"""The statements of a store of records in an SQL database, each whole in itself.

A call is one statement that commits by itself, so a pool that gives each statement another
connection changes nothing.  Both stores of :mod:`oidc_adapters.stores.records.sql` run these.
"""

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    Executable,
    Insert,
    MetaData,
    NullPool,
    Pool,
    RowMapping,
    Select,
    Table,
    bindparam,
    cast,
    delete,
    extract,
    false,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable

from oidc_adapters.stores.records.ports import SLACK, Found, Times
from oidc_adapters.stores.records.sql_table import SCHEMA_VERSION, records_table
from oidc_core.wire.errors import StoreFailure, UsageError

T = TypeVar("T")

ALONE: Final = MappingProxyType({"isolation_level": "AUTOCOMMIT", "preserve_rowcount": True})
"""Options of an engine: each statement commits by itself, and tells how many rows it changed."""

_Bound: TypeAlias = Mapping[str, str | int]
_Result: TypeAlias = CursorResult[Any]

_ONE: Final[ColumnElement[int]] = literal_column("1")
_NOTHING: Final[_Bound] = MappingProxyType({})


# --- kinds of servers ----------------------------------------------------------------------------


class _Server(NamedTuple):
    """The expressions and statements that differ from server to server.

    Attributes:
        clock: its time, which moves within a statement.
        instant: its time, constant within a statement, so that a search for it uses an index.
        replica: whether it follows another server.
        insert: an insertion that leaves a row alone that is there already.
        within: whether an identifier is among some that are looked up once, and locked.
    """

    clock: ColumnElement[int]
    instant: ColumnElement[int]
    replica: ColumnElement[bool]
    insert: Callable[[Table], Insert]
    within: Callable[[Column[str], Select[str]], ColumnElement[bool]]


def _postgresql() -> _Server:
    return _Server(
        clock=_seconds(func.clock_timestamp()),
        instant=_seconds(func.statement_timestamp()),
        replica=func.pg_is_in_recovery(type_=Boolean),
        insert=_insert_into_postgresql,
        within=_within_locked,
    )


def _sqlite() -> _Server:
    clock = cast(func.strftime("%s", "now"), BigInteger)
    return _Server(
        clock=clock,
        instant=clock,
        replica=false(),
        insert=_insert_into_sqlite,
        within=_within,
    )


_SERVERS: Final[Mapping[str, Callable[[], _Server]]] = MappingProxyType(
    {"postgresql": _postgresql, "sqlite": _sqlite}
)


def _seconds(instant: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(func.floor(extract("epoch", instant)), BigInteger)


def _insert_into_postgresql(table: Table) -> Insert:
    return postgresql.insert(table).on_conflict_do_nothing()


def _insert_into_sqlite(table: Table) -> Insert:
    return sqlite.insert(table).on_conflict_do_nothing()


def _within_locked(column: Column[str], found: Select[str]) -> ColumnElement[bool]:
    """Pass over rows that others hold; a common table expression with locks is evaluated once."""
    gone = found.with_for_update(skip_locked=True).cte("gone")
    return column.in_(select(gone.c[column.name]))


def _within(column: Column[str], found: Select[str]) -> ColumnElement[bool]:
    return column.in_(found)


def _server_of(engine: Engine) -> _Server:
    name = engine.dialect.name
    if name not in _SERVERS:
        expected = " or ".join(_SERVERS)
        raise UsageError("config_invalid", about="engine", found=name, expected=expected)
    if name == "sqlite" and _in_memory(engine):
        found, expected = "a database in memory", "a database in a file"
        raise UsageError("config_invalid", about="engine", found=found, expected=expected)
    return _SERVERS[name]()


def _in_memory(engine: Engine) -> bool:
    """Return whether each process, or each connection, has its own SQLite database."""
    name = engine.url.database or ":memory:"
    return ":memory:" in name or engine.url.query.get("mode") == "memory"


def _told_by(server: _Server) -> tuple[ColumnElement[Any], ...]:
    return server.clock.label("clock"), server.replica.label("replica")


# --- statements ----------------------------------------------------------------------------------


class Call(NamedTuple, Generic[T]):
    """A statement, its values, and how its result is read."""

    statement: Executable
    bound: _Bound
    outcome: Callable[[_Result], T]


class Statements:
    """The calls of a store, for one table on one kind of server.

    Args:
        engine: says which kind of server it is.
        table: what the table is called.
        schema: the schema that it is in.

    Raises:
        UsageError: ``config_invalid``.
    """

    __slots__ = ("_clean", "_create", "_read", "_remove", "_replace", "_table", "_times")

    def __init__(self, engine: Engine, table: str, schema: str | None) -> None:
        server = _server_of(engine)
        self._table = records_table(MetaData(), table, schema=schema)
        row = self._table.c
        known = row.schema_version <= SCHEMA_VERSION
        here = (row.id == bindparam("key")) & (row.version == bindparam("expected")) & known
        written: dict[str, ColumnElement[Any]] = {
            "version": bindparam("new_version"),
            "value": bindparam("new_value"),
            "until": bindparam("new_until"),
            "schema_version": literal_column(str(SCHEMA_VERSION)),
        }
        self._times = select(*_told_by(server))
        # There is one row in any case: it tells the server's role also where no record is.
        one = select(_ONE.label("one")).subquery()
        read = select(*_told_by(server), row.version, row.value, row.schema_version)
        self._read = read.select_from(one.outerjoin(self._table, row.id == bindparam("key")))
        self._create = server.insert(self._table).values(id=bindparam("key"), **written)
        self._replace = update(self._table).where(here).values(written)
        self._remove = delete(self._table).where(here)
        gone = (row.until < server.instant - SLACK) & known
        found = select(row.id).where(gone).order_by(row.until).limit(bindparam("most"))
        self._clean = delete(self._table).where(server.within(row.id, found))

    def times(self) -> Call[Times]:
        """Ask for the times."""
        return Call(self._times, _NOTHING, _times_of)

    def read(self, key: str) -> Call[Found | None]:
        """Read a record."""
        return Call(self._read, {"key": key}, _found_of)

    def create(self, key: str, version: str, value: str, until: int) -> Call[bool]:
        """Create a record."""
        bound: _Bound = {
            "key": key,
            "new_version": version,
            "new_value": value,
            "new_until": until,
        }
        return Call(self._create, bound, _whether_one)

    def replace(self, key: str, expected: str, version: str, value: str, until: int) -> Call[bool]:
        """Replace a record."""
        bound = {**self.create(key, version, value, until).bound, "expected": expected}
        return Call(self._replace, bound, _whether_one)

    def remove(self, key: str, expected: str) -> Call[bool]:
        """Remove a record."""
        return Call(self._remove, {"key": key, "expected": expected}, _whether_one)

    def clean(self, most: int) -> Call[int]:
        """Remove expired records."""
        return Call(self._clean, {"most": max(0, most)}, _count_of)  # below 0 SQLite has no limit

    def create_table(self, connection: Connection) -> None:
        """Create the table and its index where they are not there yet."""
        (index,) = self._table.indexes
        for step in (
            CreateTable(self._table, if_not_exists=True),
            CreateIndex(index, if_not_exists=True),
        ):
            try:
                connection.execute(step)
            except DBAPIError:  # perhaps another process created it in the same moment
                connection.execute(step)


# --- outcomes ------------------------------------------------------------------------------------


def _times_of(result: _Result) -> Times:
    return _times_in(result.mappings().one())


def _found_of(result: _Result) -> Found | None:
    row = result.mappings().one()
    times = _times_in(row)
    if row["version"] is None:
        return None
    if row["schema_version"] > SCHEMA_VERSION:
        raise StoreFailure(
            "record_version_unknown",
            about="schema_version",
            found=row["schema_version"],
            expected=SCHEMA_VERSION,
        )
    return Found(row["value"], row["version"], times)


def _times_in(row: RowMapping) -> Times:
    if row["replica"]:
        raise StoreFailure(
            "store_unavailable",
            about="records",
            found="a replica",
            expected="the primary server",
            hint="let the engine connect to the primary server only",
        )
    return Times(now=row["clock"], utc=row["clock"])


def _whether_one(result: _Result) -> bool:
    return _count_of(result) == 1


def _count_of(result: _Result) -> int:
    """Return how many rows were changed; a driver that cannot tell is a failure, not a zero."""
    count = result.rowcount
    if count < 0:
        found = "a driver that counts no rows"
        raise StoreFailure("store_unavailable", about="records", found=found)
    return count


# --- forks ---------------------------------------------------------------------------------------


class OwnPool:
    """Sees that a forked process does not go on with the connections of its parent.

    Args:
        engine: whose pool it is; disposing of the engine gives it another.
    """

    __slots__ = ("_engine", "_used")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._used: tuple[int, Pool | None] = (os.getpid(), None)

    def check(self) -> None:
        """Note the use of the pool.

        Raises:
            UsageError: ``config_invalid`` where this store used it before the fork.
        """
        pool, (process, used) = self._engine.pool, self._used
        if used is not pool:
            self._used = (os.getpid(), pool)
        elif process != os.getpid() and not isinstance(pool, NullPool):
            found, expected = "a pool from before the fork", "engine.dispose(close=False) after it"
            raise UsageError("config_invalid", about="engine", found=found, expected=expected)
