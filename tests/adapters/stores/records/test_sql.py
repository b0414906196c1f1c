"""Records in PostgreSQL and in a file of SQLite, through SQLAlchemy."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import (
    Engine,
    MetaData,
    NullPool,
    Table,
    create_engine,
    delete,
    event,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from oidc_adapters.stores.records import SLACK
from oidc_adapters.stores.records.sql import AsyncSqlRecords, SqlRecords
from oidc_adapters.stores.records.sql_table import records_table
from oidc_core import StoreFailure, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from pathlib import Path

    from tests.servers.postgresql import PostgreSql

LATER: Final = 4_000_000_000
TABLES: Final = itertools.count()
PROCESSES: Final = 8


@contextmanager
def engine_of(url: str, **options: Any) -> Generator[Engine]:
    engine = create_engine(url, **options)
    try:
        yield engine
    finally:
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.db'}"
    server: PostgreSql = request.getfixturevalue("postgresql_server")
    return server.url()


@pytest.fixture
def table() -> str:
    return f"records_{os.getpid()}_{next(TABLES)}"


def rows_of(table: str) -> Table:
    return records_table(MetaData(), table)


@pytest.fixture
def engine(url: str) -> Generator[Engine]:
    with engine_of(url) as engine:
        yield engine


@pytest.fixture
def records(engine: Engine, table: str) -> SqlRecords:
    records = SqlRecords(engine, table=table)
    records.create_table()
    return records


# --- the table -----------------------------------------------------------------------------------


def test_a_table_is_created_once_and_keeps_its_records(records: SqlRecords) -> None:
    assert records.create("grant:1", "v1", "a value", LATER)

    records.create_table()

    assert records.read("grant:1") is not None


def test_many_create_the_table_in_the_same_moment(engine: Engine, table: str) -> None:
    barrier = threading.Barrier(PROCESSES)

    def create() -> None:
        records = SqlRecords(engine, table=table)
        barrier.wait(30)
        records.create_table()

    with ThreadPoolExecutor(PROCESSES) as threads:
        for future in [threads.submit(create) for _ in range(PROCESSES)]:
            future.result(30)
    assert SqlRecords(engine, table=table).read("grant:1") is None


def test_without_its_table_every_call_raises(engine: Engine, table: str) -> None:
    records = SqlRecords(engine, table=table)
    calls: list[Callable[[], object]] = [
        lambda: records.read("grant:1"),
        lambda: records.create("grant:1", "v1", "a value", LATER),
        lambda: records.replace("grant:1", "v1", "v2", "a value", LATER),
        lambda: records.remove("grant:1", "v1"),
        records.clean,
    ]

    for call in calls:
        with pytest.raises(Exception, match=table):
            call()


def test_the_table_may_be_in_a_schema(postgresql_server: PostgreSql, table: str) -> None:
    postgresql_server.query(f"CREATE SCHEMA {table}")
    with engine_of(postgresql_server.url()) as engine:
        records = SqlRecords(engine, schema=table)
        records.create_table()

        assert records.create("grant:1", "v1", "a value", LATER)

    assert postgresql_server.query(f"TABLE {table}.oidc_records").startswith("grant:1|v1|")


# --- rows ----------------------------------------------------------------------------------------


def test_a_record_of_a_newer_release_is_neither_read_nor_written(
    records: SqlRecords, engine: Engine, table: str
) -> None:
    assert records.create("grant:1", "v1", "a value", LATER)
    with engine.begin() as connection:
        connection.execute(update(rows_of(table)).values(schema_version=2, until=5))

    with pytest.raises(StoreFailure) as refused:
        records.read("grant:1")

    assert (refused.value.code, refused.value.found) == ("record_version_unknown", 2)
    assert not records.create("grant:1", "v2", "another", LATER)
    assert not records.replace("grant:1", "v1", "v2", "another", LATER)
    assert not records.remove("grant:1", "v1")
    assert records.clean() == 0
    with engine.begin() as connection:
        rows = connection.execute(select(rows_of(table))).mappings().all()
    assert [(row["version"], row["value"]) for row in rows] == [("v1", "a value")]


def test_the_first_record_and_one_each_minute_cleans_up(records: SqlRecords) -> None:
    expired = records.times().utc - SLACK - 2

    assert records.create("grant:1", "v1", "a value", expired)
    assert records.create("grant:2", "v1", "a value", expired)

    assert records.read("grant:1") is None
    assert records.read("grant:2") is not None
    assert records.clean(-1) == 0
    assert records.clean() == 1


def test_a_record_is_created_though_cleaning_up_fails(
    engine: Engine, table: str, records: SqlRecords
) -> None:
    @event.listens_for(engine, "before_cursor_execute")
    def fail(connection: object, cursor: object, statement: str, *_: object) -> None:
        if "DELETE" in statement:
            raise LookupError(statement)

    assert records.create("grant:1", "v1", "a value", LATER)
    with pytest.raises(LookupError):
        records.clean()


def test_no_connection_is_held_between_calls(url: str, table: str) -> None:
    with engine_of(url, pool_size=1, max_overflow=0, pool_timeout=0.1) as engine:
        records = SqlRecords(engine, table=table)
        records.create_table()
        assert records.create("grant:1", "v1", "a value", LATER)
        assert records.read("grant:1") is not None

        with engine.connect(), pytest.raises(Exception, match="QueuePool limit"):
            records.read("grant:1")

        assert records.read("grant:1") is not None


def test_a_write_lasts_where_listeners_begin_transactions(tmp_path: Path, table: str) -> None:
    """SQLAlchemy's own pages for SQLite tell applications to do so."""
    with engine_of(f"sqlite:///{tmp_path / 'records.db'}") as engine:

        @event.listens_for(engine, "begin")
        def begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN")

        records = SqlRecords(engine, table=table)
        records.create_table()
        assert records.create("grant:1", "v1", "a value", LATER)
        assert records.replace("grant:1", "v1", "v2", "another", LATER)
        engine.dispose()

        found = records.read("grant:1")

    assert found is not None
    assert found.version == "v2"


def test_the_transactions_of_the_application_stay_its_own(
    records: SqlRecords, engine: Engine, table: str
) -> None:
    assert records.create("grant:1", "v1", "a value", LATER)

    with engine.connect() as connection:
        connection.execute(delete(rows_of(table)))
        connection.rollback()

    assert records.read("grant:1") is not None


def test_the_pool_goes_on_after_a_refused_statement(records: SqlRecords) -> None:
    with pytest.raises((DBAPIError, OverflowError)):
        records.create("grant:1", "v1", "a value", 2**80)

    assert records.create("grant:1", "v1", "a value", LATER)


# --- settings ------------------------------------------------------------------------------------


def test_each_store_takes_an_engine_of_its_own_kind(engine: Engine) -> None:
    wrong: Any = create_async_engine("postgresql+psycopg://nobody@127.0.0.1/nothing")
    with pytest.raises(UsageError, match="engine"):
        SqlRecords(wrong)

    wrong = engine
    with pytest.raises(UsageError, match="engine"):
        AsyncSqlRecords(wrong)


def test_all_processes_share_it(records: SqlRecords) -> None:
    assert records.single_use == "shared"


# --- replicas ------------------------------------------------------------------------------------


def test_a_standby_answers_nothing_until_it_is_promoted(
    postgresql_server: PostgreSql, table: str
) -> None:
    with engine_of(postgresql_server.url()) as engine:
        records = SqlRecords(engine, table=table)
        records.create_table()
        assert records.create("grant:1", "v1", "a value", LATER)

    with postgresql_server.standby() as standby, engine_of(standby.url()) as engine:
        records = SqlRecords(engine, table=table)
        for call in (records.times, partial(records.read, "grant:1"), partial(records.read, "2")):
            with pytest.raises(StoreFailure) as refused:
                call()
            assert (refused.value.code, refused.value.found) == ("store_unavailable", "a replica")
        with pytest.raises(DBAPIError, match="read-only transaction"):
            records.replace("grant:1", "v1", "v2", "a value", LATER)

        assert standby.query("SELECT pg_promote()") == "t"

        assert records.read("2") is None
        assert records.replace("grant:1", "v1", "v2", "a value", LATER)


def test_four_rights_on_the_table_are_enough(postgresql_server: PostgreSql, table: str) -> None:
    with engine_of(postgresql_server.url()) as engine:
        SqlRecords(engine, table=table).create_table()
    postgresql_server.query(
        f"CREATE ROLE {table} LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {table}"
    )

    with engine_of(postgresql_server.url().replace("postgres@", f"{table}@")) as engine:
        records = SqlRecords(engine, table=table)
        expired = records.times().utc - SLACK - 2
        assert records.create("grant:1", "v1", "a value", LATER)
        assert records.replace("grant:1", "v1", "v2", "a value", expired)
        assert records.clean() == 1
        assert not records.remove("grant:1", "v2")


# --- forks ----------------------------------------------------------------------------------------


def _in_a_fork(work: Callable[[], str]) -> str:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def run() -> None:
        try:
            sender.send(work())
        except UsageError as refused:
            sender.send(f"{refused.code} {refused.found}")

    child = context.Process(target=run)
    child.start()
    answer: str = receiver.recv() if receiver.poll(30) else "nothing"
    child.join(30)
    return answer


def test_a_fork_does_not_go_on_with_the_connections_of_its_parent(
    records: SqlRecords, engine: Engine
) -> None:
    assert records.create("grant:1", "v1", "a value", LATER)

    def disposed() -> str:
        engine.dispose(close=False)
        found = records.read("grant:1")
        return found.value if found else "none"

    refused = _in_a_fork(lambda: str(records.read("grant:1")))
    read = _in_a_fork(disposed)

    assert refused == "config_invalid a pool from before the fork"
    assert read == "a value"
    assert records.read("grant:1") is not None


def test_a_store_that_was_only_made_before_the_fork_works(engine: Engine, table: str) -> None:
    records = SqlRecords(engine, table=table)

    def create() -> str:
        records.create_table()
        return str(records.create("grant:1", "v1", "a value", LATER))

    assert _in_a_fork(create) == "True"


def test_a_fork_may_go_on_without_a_pool(url: str, table: str) -> None:
    with engine_of(url, poolclass=NullPool) as engine:
        records = SqlRecords(engine, table=table)
        records.create_table()
        assert records.create("grant:1", "v1", "a value", LATER)

        assert _in_a_fork(lambda: str(records.remove("grant:1", "v1"))) == "True"


# --- awaited -------------------------------------------------------------------------------------


def awaited(url: str, table: str, work: Callable[[AsyncSqlRecords], Awaitable[None]]) -> None:
    async def run() -> None:
        engine = create_async_engine(url)
        records = AsyncSqlRecords(engine, table=table)
        await records.create_table()
        try:
            await work(records)
        finally:
            await engine.dispose()

    asyncio.run(run())


def test_awaiting_and_waiting_stores_share_records(
    postgresql_server: PostgreSql, table: str
) -> None:
    async def work(records: AsyncSqlRecords) -> None:
        await records.create_table()
        assert await records.create("grant:1", "v1", "a value", LATER)
        assert await records.replace("grant:1", "v1", "v2", "another", LATER)
        assert not await records.remove("grant:1", "v1")
        assert records.single_use == "shared"

    awaited(postgresql_server.url(), table, work)

    with engine_of(postgresql_server.url()) as engine:
        found = SqlRecords(engine, table=table).read("grant:1")
        assert found is not None
        assert (found.version, found.value) == ("v2", "another")


def test_an_awaiting_store_cleans_up(postgresql_server: PostgreSql, table: str) -> None:
    async def work(records: AsyncSqlRecords) -> None:
        expired = (await records.times()).utc - SLACK - 2
        assert await records.create("grant:1", "v1", "a value", expired)
        assert await records.create("grant:2", "v1", "a value", expired)
        assert await records.read("grant:1") is None
        assert await records.clean() == 1

    awaited(postgresql_server.url(), table, work)


def test_a_cancelled_call_leaves_a_usable_pool(postgresql_server: PostgreSql, table: str) -> None:
    async def work(records: AsyncSqlRecords) -> None:
        tasks = [asyncio.ensure_future(records.read("grant:1")) for _ in range(20)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await records.create("grant:1", "v1", "a value", LATER)
        assert await records.read("grant:1") is not None

    awaited(postgresql_server.url(), table, work)
