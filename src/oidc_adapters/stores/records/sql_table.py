"""The table of a store of records in an SQL database."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, MetaData, SmallInteger, String, Table, Text
from sqlalchemy.dialects import postgresql

from oidc_core.wire.settings import as_setting

TABLE: Final = "oidc_records"
"""The default name of the table."""

SCHEMA_VERSION: Final = 1
"""How this release of the library writes a row; rows of a newer one are left as they are."""

# The database compares keys octet by octet, even if its order of letters differs.
_EXACT: Final = String(255).with_variant(postgresql.TEXT(collation="C"), "postgresql")


def records_table(metadata: MetaData, table: str = TABLE, *, schema: str | None = None) -> Table:
    """Add the table of a store of records to a collection of tables, for Alembic and its like.

    Args:
        metadata: the collection, as in ``target_metadata`` of Alembic.
        table: what it is called.
        schema: the schema that it is in, or the connection's first one.

    Raises:
        UsageError: ``config_invalid``.
    """
    name = as_setting(table, str, "table")
    return Table(
        name,
        as_setting(metadata, MetaData, "metadata"),
        Column("id", _EXACT, primary_key=True),
        Column("version", _EXACT, nullable=False),
        Column("value", Text, nullable=False),
        Column("until", BigInteger, nullable=False),
        Column("schema_version", SmallInteger, nullable=False),
        Index(f"ix_{name}_until", "until"),
        schema=as_setting(schema, str | None, "schema"),
    )
