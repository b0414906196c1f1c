"""The table of a store of records, among those of an application."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import MetaData

from oidc_adapters import records_table
from oidc_core import UsageError


@pytest.mark.parametrize("wrong", [None, 5, b"t", ["t"]])
def test_the_name_of_a_table_is_text(wrong: Any) -> None:
    with pytest.raises(UsageError, match="table"):
        records_table(MetaData(), wrong)


@pytest.mark.parametrize("wrong", [5, b"s", ["s"]])
def test_the_name_of_a_schema_is_text(wrong: Any) -> None:
    with pytest.raises(UsageError, match="schema"):
        records_table(MetaData(), schema=wrong)


def test_the_table_joins_the_tables_of_the_application() -> None:
    metadata = MetaData()

    table = records_table(metadata, "grants", schema="auth")

    assert metadata.tables["auth.grants"] is table
    assert [index.name for index in table.indexes] == ["ix_grants_until"]
    assert [each.name for each in table.primary_key] == ["id"]


def test_tables_go_into_a_collection_of_tables() -> None:
    wrong: Any = {}

    with pytest.raises(UsageError, match="metadata"):
        records_table(wrong)
