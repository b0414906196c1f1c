"""The duties of every store of records, done by those on SQLAlchemy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from oidc_adapters.stores.records import InThreads
from oidc_adapters.stores.records.sql import AsyncSqlRecords, SqlRecords
from oidc_adapters.testing import (
    ASYNC_RECORDS_DUTIES,
    ASYNC_UNREACHABLE_RECORDS,
    RECORDS_DUTIES,
    UNREACHABLE_RECORDS,
)
from tests.flows.rig import run_asyncio, run_trio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from oidc_adapters.testing import AsyncRecordsDuty, RecordsDuty
    from tests.servers.postgresql import PostgreSql

UNREACHABLE = "postgresql+psycopg://nobody@/nothing?host=/nonexistent"


def do_duty(duty: RecordsDuty, url: str, **options: Any) -> None:
    engine = create_engine(url, **options)
    try:
        SqlRecords(engine).create_table()
        duty(lambda: SqlRecords(engine))
    finally:
        engine.dispose()


@pytest.mark.parametrize("duty", RECORDS_DUTIES, ids=str)
def test_postgresql_does_its_duty(duty: RecordsDuty, postgresql_server: PostgreSql) -> None:
    do_duty(duty, postgresql_server.url())


@pytest.mark.parametrize("duty", RECORDS_DUTIES, ids=str)
def test_sqlite_does_its_duty(duty: RecordsDuty, tmp_path: Path) -> None:
    do_duty(duty, f"sqlite:///{tmp_path / 'records.db'}", connect_args={"timeout": 30})


@pytest.mark.parametrize("duty", ASYNC_RECORDS_DUTIES, ids=str)
def test_postgresql_does_its_duty_for_code_that_awaits(
    duty: AsyncRecordsDuty, postgresql_server: PostgreSql
) -> None:
    async def main() -> None:
        engine = create_async_engine(postgresql_server.url())
        try:
            await AsyncSqlRecords(engine).create_table()
            await duty(lambda: AsyncSqlRecords(engine))
        finally:
            await engine.dispose()

    run_asyncio(main)


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
@pytest.mark.parametrize("duty", ASYNC_RECORDS_DUTIES, ids=str)
def test_postgresql_does_its_duty_in_threads(
    duty: AsyncRecordsDuty,
    postgresql_server: PostgreSql,
    run: Callable[[Callable[[], Any]], object],
) -> None:
    engine = create_engine(postgresql_server.url())
    records = SqlRecords(engine)
    records.create_table()
    try:
        run(partial(duty, lambda: InThreads(records)))
    finally:
        engine.dispose()


def test_an_unreachable_server_raises() -> None:
    UNREACHABLE_RECORDS(lambda: SqlRecords(create_engine(UNREACHABLE)))


def test_an_unreachable_server_raises_for_code_that_awaits() -> None:
    engine = create_async_engine(UNREACHABLE)

    run_asyncio(partial(ASYNC_UNREACHABLE_RECORDS, lambda: AsyncSqlRecords(engine)))
