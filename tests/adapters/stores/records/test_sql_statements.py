"""The statements of a store of records, and what they refuse, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, StaticPool, create_engine
from sqlalchemy.dialects import mysql

from oidc_adapters.stores.records.sql_statements import Statements
from oidc_core import UsageError

POSTGRESQL = "postgresql+psycopg://nobody@127.0.0.1/nothing"


def text_of(call: Any, engine: Engine) -> str:
    return " ".join(str(call.statement.compile(engine)).split())


@pytest.fixture
def engine() -> Engine:
    return create_engine(POSTGRESQL)  # connects to nothing


def test_a_record_is_replaced_by_one_update_that_compares_the_version(engine: Engine) -> None:
    text = text_of(Statements(engine, "t", None).replace("k", "old", "new", "v", 5), engine)

    assert text.startswith("UPDATE t SET version=")
    assert 'WHERE t.id = %(key)s::VARCHAR COLLATE "C" AND t.version = ' in text


def test_a_record_is_created_where_none_is(engine: Engine) -> None:
    text = text_of(Statements(engine, "t", "auth").create("k", "new", "v", 5), engine)

    assert text.startswith("INSERT INTO auth.t (")
    assert text.endswith("ON CONFLICT DO NOTHING")


def test_cleaning_passes_over_rows_that_others_hold(engine: Engine) -> None:
    text = text_of(Statements(engine, "t", None).clean(10), engine)

    assert text.startswith("WITH gone AS (SELECT t.id AS id FROM t WHERE t.until < ")
    assert "FOR UPDATE SKIP LOCKED" in text
    assert "clock_timestamp" not in text  # it moves, so no index could be searched with it


def test_values_are_bound_and_never_part_of_a_statement(engine: Engine) -> None:
    statements = Statements(engine, "t", None)
    calls = [
        statements.read("'; drop"),
        statements.create("'; drop", "'; drop", "'; drop", 5),
        statements.replace("'; drop", "'; drop", "'; drop", "'; drop", 5),
        statements.remove("'; drop", "'; drop"),
    ]

    assert [call for call in calls if "drop" in text_of(call, engine)] == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite://", "a database in a file"),
        ("sqlite:///:memory:", "a database in a file"),
        ("sqlite:///file::memory:?uri=true", "a database in a file"),
        ("sqlite:///file:name?mode=memory&cache=shared&uri=true", "a database in a file"),
    ],
)
def test_a_database_in_memory_is_refused(url: str, expected: str) -> None:
    with pytest.raises(UsageError) as refused:
        Statements(create_engine(url, poolclass=StaticPool), "t", None)

    assert (refused.value.code, refused.value.about) == ("config_invalid", "engine")
    assert refused.value.expected == expected


def test_a_server_that_was_not_tried_is_refused(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'db'}")
    engine.dialect = mysql.dialect()

    with pytest.raises(UsageError) as refused:
        Statements(engine, "t", None)

    assert (refused.value.code, refused.value.found) == ("config_invalid", "mysql")
