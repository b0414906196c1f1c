"""``./bench --stores``: what a store of records costs as it fills, and what ``fresh()`` costs.

Each engine holds the same grants among few records and among very many.  A round asks all sizes of
an engine one after the other, so that a noisy neighbour disturbs all of them, and the ratio of a
size to the smallest is taken within the round.
"""

import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import count, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, time
from typing import Final, NamedTuple, TypeAlias

from attrs import evolve

from oidc_adapters.stores.grants import Grants, Key
from oidc_adapters.stores.records import SLACK, AtOnce, Records, at_once
from oidc_core.machine.grant_writes import Fresh
from oidc_core.model.connection import Connection
from oidc_core.model.grants import GrantRecord
from oidc_core.model.records import Tokens
from oidc_core.operations.grants import first_record

SIZES: Final = (1_000, 100_000, 1_000_000)
_SECRET: Final = bytes(range(32))
_CONNECTION: Final = Connection("https://op.example", "client", "", "", "")
HELD: Final = 200
"""Records of each store that are measured."""

ROUNDS: Final = 300
_CHUNK: Final = 10_000
_EXPIRED: Final = (1_000, 10_000)
_DAY: Final = 86_400
_COLUMNS: Final = ["id", "version", "value", "until", "schema_version"]

Fill: TypeAlias = Callable[[str, int, int], None]
"""Writes so many records whose keys begin so, and that expire then."""

Put: TypeAlias = Callable[[Iterable[str], str, int], None]
"""Writes records under these keys, which have this value, and expire then."""


class Engine(NamedTuple):
    """A store, and quick ways to fill it."""

    records: Records
    fill: Fill
    put: Put
    cleans: bool = True


class Figure(NamedTuple):
    """The seconds that a call takes, by the number of records around it."""

    engine: str
    call: str
    seconds: tuple[tuple[int, float], ...]

    @property
    def growth(self) -> float:
        """How many times the call of the smallest store the largest one costs."""
        return self.seconds[-1][1] / self.seconds[0][1]

    def __str__(self) -> str:
        cells = "  ".join(f"{seconds * 1e6:10,.1f}" for _, seconds in self.seconds)
        return f"{self.engine:12} {self.call:28} {cells}  {self.growth:6.2f}"


def figures(sizes: Sequence[int] = SIZES, rounds: int = ROUNDS) -> list[Figure]:
    """Measure every engine that is on this machine."""
    found: list[Figure] = []
    for name, opened in ENGINES.items():
        with ExitStack() as stack:
            engines = stack.enter_context(opened(len(sizes)))
            if engines:
                found += _of_engine(name, engines, sizes, rounds)
    return found


def table(found: Sequence[Figure], sizes: Sequence[int] = SIZES) -> str:
    """Return the figures as text: microseconds, and the growth from the first size to the last."""
    head = "  ".join(f"{size:10,}" for size in sizes)
    return "\n".join([f"{'':12} {'µs a call, among records':28} {head}  growth", *map(str, found)])


def _of_engine(
    name: str, engines: Sequence[Engine], sizes: Sequence[int], rounds: int
) -> list[Figure]:
    now = int(time())
    grants = [Grants(each.records, _SECRET, trusted=0) for each in engines]
    for engine, size, kept in zip(engines, sizes, grants, strict=True):
        engine.fill("grant:filler", size - HELD, now + _DAY)
        for number in range(HELD):
            assert at_once(kept.create(AtOnce(engine.records), _key(number), _first(number)))
    calls: dict[str, Callable[[int, int], object]] = {
        "read, unsealing included": lambda at, number: _read(grants[at], engines[at], number),
        "replace, sealing included": lambda at, number: _replace(grants[at], engines[at], number),
    }
    found = [Figure(name, call, timed(work, sizes, rounds)) for call, work in calls.items()]
    if engines[0].cleans:
        found += [
            Figure(name, f"clean, each of {expired:,}", _cleaned(engines, sizes, expired))
            for expired in _EXPIRED
        ]
    return found


def timed(
    work: Callable[[int, int], object], sizes: Sequence[int], rounds: int
) -> tuple[tuple[int, float], ...]:
    """Return the median seconds of a call by size; it gets a store and a record by number."""
    taken: list[list[float]] = [[] for _ in sizes]
    for each in range(rounds):
        for at in range(len(sizes)):
            began = perf_counter()
            work(at, each * 7 % HELD)
            taken[at].append(perf_counter() - began)
    return tuple([(size, median(times)) for size, times in zip(sizes, taken, strict=True)])


def _read(grants: Grants, engine: Engine, number: int) -> GrantRecord:
    held = at_once(grants.read(AtOnce(engine.records), _key(number))).record
    assert held is not None
    return held


_VERSIONS: Final = count()


def _replace(grants: Grants, engine: Engine, number: int) -> None:
    records, key = AtOnce(engine.records), _key(number)
    found = engine.records.read(key.name)
    assert found is not None
    new = evolve(_first(number), version=f"v{next(_VERSIONS)}")
    assert at_once(grants.replace(records, key, found.version, new))


def _cleaned(
    engines: Sequence[Engine], sizes: Sequence[int], expired: int
) -> tuple[tuple[int, float], ...]:
    """Return the seconds that the removal of one expired record takes, of so many."""
    found: list[tuple[int, float]] = []
    for engine, size in zip(engines, sizes, strict=True):
        engine.fill(f"spent:{expired}:", expired, int(time()) - 2 * SLACK)
        began, removed = perf_counter(), 0
        while removed < expired:
            step = engine.records.clean(1_000)
            assert step, "nothing was removed"
            removed += step
        found.append((size, (perf_counter() - began) / removed))
    return tuple(found)


def _key(number: int) -> Key:
    return Key.of(f"id-{number}", _CONNECTION)


def _first(number: int) -> GrantRecord:
    now = int(time())
    tokens = Tokens(
        issuer=_CONNECTION.issuer,
        client_id=_CONNECTION.client_id,
        access_token="a" * 900,
        refresh_token="r" * 400,
        id_token="i" * 900,
        scope="openid profile email offline_access",
        expires_at=now + 300,
        subject=f"user-{number}",
    )
    return first_record(tokens, Fresh("v", ""), now=now, utc=now, until=now + _DAY)


@contextmanager
def _sqlite(many: int) -> Generator[list[Engine]]:
    from oidc_adapters.stores.records.sqlite import SqliteRecords

    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.db" for number in range(many)]
        stores = [SqliteRecords(path) for path in paths]
        yield [
            Engine(store, _filling_sqlite(store, path), _putting_sqlite(store, path))
            for store, path in zip(stores, paths, strict=True)
        ]
        for store in stores:
            store.close()


def _filling_sqlite(store: Records, path: Path) -> Fill:
    def fill(begin: str, number: int, until: int) -> None:
        now = store.times().now
        with sqlite3.connect(path) as connection:
            connection.execute(
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ?) "
                "INSERT INTO oidc_records (id, version, until, written, value) "
                "SELECT ? || x, 'v', ?, ?, hex(randomblob(2000)) FROM n",
                (number, begin, until, now),
            )
        connection.close()

    return fill


def _putting_sqlite(store: Records, path: Path) -> Put:
    def put(keys: Iterable[str], value: str, until: int) -> None:
        now = store.times().now
        with sqlite3.connect(path) as connection:
            connection.executemany(
                "INSERT INTO oidc_records (id, version, until, written, value) "
                "VALUES (?, 'v', ?, ?, ?)",
                ((key, until, now, value) for key in keys),
            )
        connection.close()

    return put


@contextmanager
def _postgresql(many: int) -> Generator[list[Engine]]:
    from tests.servers.postgresql import binaries, postgresql

    if binaries() is None:
        yield []
        return
    from sqlalchemy import (
        MetaData,
        Table,
        Text,
        cast,
        create_engine,
        func,
        insert,
        literal,
        select,
        text,
    )

    from oidc_adapters.stores.records.sql import SqlRecords
    from oidc_adapters.stores.records.sql_table import records_table

    with postgresql() as server:
        engine = create_engine(server.url())

        def filling(table: "Table") -> Fill:
            def fill(begin: str, number: int, until: int) -> None:
                x = func.generate_series(1, number).column_valued("x")
                text_of_x = cast(x, Text)
                value = func.repeat(func.md5(text_of_x), 125)
                rows = select(
                    literal(begin) + text_of_x, literal("v"), value, literal(until), literal(1)
                )
                with engine.begin() as connection:
                    connection.execute(insert(table).from_select(_COLUMNS, rows))
                with engine.connect() as connection:
                    connection.execution_options(isolation_level="AUTOCOMMIT")
                    connection.execute(text(f"VACUUM ANALYZE {table.name}"))

            return fill

        names = [f"oidc_records_{number}" for number in range(many)]
        stores = [SqlRecords(engine, table=name) for name in names]
        for store in stores:
            store.create_table()
        tables = [records_table(MetaData(), name) for name in names]
        yield [
            Engine(store, filling(each), _putting_postgresql(server.url(), each.name))
            for store, each in zip(stores, tables, strict=True)
        ]
        engine.dispose()


def _putting_postgresql(url: str, table: str) -> Put:
    from psycopg import connect, sql

    def put(keys: Iterable[str], value: str, until: int) -> None:
        named = sql.Identifier(table)
        copy = sql.SQL("COPY {} (id, version, value, until, schema_version) FROM STDIN")
        with connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            with connection.cursor() as cursor, cursor.copy(copy.format(named)) as rows:
                for key in keys:
                    rows.write_row((key, "v", value, until, 1))
            connection.execute(sql.SQL("VACUUM ANALYZE {}").format(named))

    return put


_FILL: Final = """
for x = tonumber(ARGV[2]), tonumber(ARGV[3]) do
  local key = ARGV[1] .. x
  redis.call('HSET', key, 'version', 'v', 'value', string.rep(redis.sha1hex(x), 100))
  redis.call('PEXPIREAT', key, ARGV[4])
end
"""

_PUT: Final = """
for x = 4, #ARGV do
  local key = ARGV[1] .. ARGV[x]
  redis.call('HSET', key, 'version', 'v', 'value', ARGV[2])
  redis.call('PEXPIREAT', key, ARGV[3])
end
"""


@contextmanager
def _redis(many: int) -> Generator[list[Engine]]:
    from tests.servers.redis import program, redis_server

    if program() is None:
        yield []
        return
    from tests.servers.redis_clients import waiting_client

    from oidc_adapters.stores.records.redis import RedisRecords

    with redis_server() as server:
        client = waiting_client(server.url, socket_timeout=60)

        def filling(prefix: str) -> Fill:
            def fill(begin: str, number: int, until: int) -> None:
                for first in range(1, number + 1, 10_000):
                    last = min(number, first + 9_999)
                    client.eval(_FILL, 0, prefix + begin, first, last, until * 1_000)

            return fill

        def putting(prefix: str) -> Put:
            def put(keys: Iterable[str], value: str, until: int) -> None:
                for some in _chunks(keys):
                    client.eval(_PUT, 0, prefix, value, until * 1_000, *some)

            return put

        prefixes = [f"size{number}:" for number in range(many)]
        yield [
            Engine(
                RedisRecords(client, prefix=prefix), filling(prefix), putting(prefix), cleans=False
            )
            for prefix in prefixes
        ]
        client.close()


def _chunks(keys: Iterable[str]) -> Iterator[tuple[str, ...]]:
    left = iter(keys)
    while some := tuple(islice(left, _CHUNK)):
        yield some


ENGINES: Final[dict[str, Callable[[int], AbstractContextManager[list[Engine]]]]] = {
    "SQLite": _sqlite,
    "PostgreSQL": _postgresql,
    "Redis": _redis,
}
"""What opens so many stores of an engine; none where this machine lacks it."""
