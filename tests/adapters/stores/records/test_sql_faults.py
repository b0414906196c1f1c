"""SQL stores while processes race, answers are lost and the server is away: no wrong answer."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import sleep
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError

from oidc_adapters import SqlRecords
from tests.servers.cutting_proxy import CuttingProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from tests.servers.postgresql import PostgreSql

LATER: Final = 4_000_000_000
TABLES: Final = itertools.count()
PROCESSES: Final = 8
THREADS: Final = 4


@contextmanager
def engine_of(url: str, **options: Any) -> Generator[Engine]:
    engine = create_engine(url, **options)
    try:
        yield engine
    finally:
        engine.dispose()


@pytest.fixture
def table() -> str:
    return f"faults_{os.getpid()}_{next(TABLES)}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.db'}?timeout=30"
    server: PostgreSql = request.getfixturevalue("postgresql_server")
    return server.url()


# --- several processes ---------------------------------------------------------------------------

COUNT: Final = """
import sys
from sqlalchemy import create_engine
from oidc_adapters import SqlRecords

url, table, name, rounds = sys.argv[1:]
records = SqlRecords(create_engine(url), table=table)
records.create_table()
records.create("counter", "0", "0", 4_000_000_000)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(rounds)):
    while True:
        found = records.read("counter")
        version, value = f"{name}-{number}", str(int(found.value) + 1)
        if records.replace("counter", found.version, version, value, 4_000_000_000):
            break
"""


@pytest.mark.slow
def test_no_count_of_eight_processes_is_lost(url: str, table: str) -> None:
    rounds = 20
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", COUNT, url, table, f"p{number}", str(rounds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    for each in processes:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    for each in processes:
        each.communicate(timeout=120)

    with engine_of(url) as engine:
        found = SqlRecords(engine, table=table).read("counter")

    assert [each.returncode for each in processes] == [0] * PROCESSES
    assert found is not None
    assert found.value == str(rounds * PROCESSES)


# --- lost answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [b"INSERT", b"UPDATE", b"DELETE"])
def test_a_lost_answer_is_an_exception_and_reading_again_tells(
    postgresql_server: PostgreSql, table: str, mark: bytes
) -> None:
    with CuttingProxy(postgresql_server.socket) as proxy:
        url = f"postgresql+psycopg://postgres@127.0.0.1:{proxy.port}/postgres"
        with engine_of(url) as engine:
            records = SqlRecords(engine, table=table)
            records.create_table()
            assert records.create("old", "v1", "a value", LATER)
            calls: dict[bytes, Callable[[], bool]] = {
                b"INSERT": lambda: records.create("new", "v2", "a value", LATER),
                b"UPDATE": lambda: records.replace("old", "v1", "v2", "a value", LATER),
                b"DELETE": lambda: records.remove("old", "v1"),
            }

            proxy.lose_answers(mark)
            with pytest.raises(SQLAlchemyError):
                calls[mark]()

            assert proxy.lost == 1
            found = records.read("new" if mark == b"INSERT" else "old")
            assert (found.version if found else None) == (None if mark == b"DELETE" else "v2")


# --- outages -------------------------------------------------------------------------------------


class Writer:
    """Adds its versions to the history that a record holds, and notes what it was told."""

    def __init__(self, records: SqlRecords, name: str) -> None:
        self._records = records
        self._name = name
        self.told: dict[str, bool | None] = {}
        self.failures = 0
        self.forgotten = 0

    def write(self, stop: threading.Event) -> None:
        for number in itertools.count():
            if stop.wait(0.004):
                return
            try:
                self._add(f"{self._name}-{number}")
            except SQLAlchemyError:
                self.failures += 1

    def _add(self, version: str) -> None:
        found = self._records.read("history")
        if found is None:
            self.forgotten += 1
            return
        self.told[version] = None
        history = f"{found.value} {version}"
        self.told[version] = self._records.replace(
            "history", found.version, version, history, LATER
        )


@pytest.mark.slow
@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "crashed"])
def test_an_outage_of_two_seconds_brings_exceptions_and_no_wrong_answer(
    postgresql_server: PostgreSql, table: str, *, crash: bool
) -> None:
    server, stop = postgresql_server, threading.Event()
    with engine_of(server.url()) as engine:
        records = SqlRecords(engine, table=table)
        records.create_table()
        assert records.create("history", "first", "first", LATER)
        writers = [Writer(records, f"w{number}") for number in range(THREADS)]

        with ThreadPoolExecutor(THREADS) as threads:
            running = [threads.submit(writer.write, stop) for writer in writers]
            sleep(0.5)
            if crash:
                server.crash()
            else:
                server.stop()
            sleep(2)
            server.start()
            after = [len(writer.told) for writer in writers]
            sleep(0.5)
            stop.set()
            for each in running:
                each.result(30)

        found = records.read("history")

    assert found is not None
    history = found.value.split()
    told = {version: said for writer in writers for version, said in writer.told.items()}
    assert len(history) == len({*history})
    assert [version for version, said in told.items() if said and version not in history] == []
    assert [v for v, said in told.items() if said is False and v in history] == []
    assert [writer.forgotten for writer in writers] == [0] * THREADS
    assert all(writer.failures for writer in writers)
    assert all(len(writer.told) > had for writer, had in zip(writers, after, strict=True))


@pytest.mark.parametrize(("pre_ping", "failures"), [(False, 1), (True, 0)])
def test_how_many_calls_fail_after_a_restart(
    postgresql_server: PostgreSql, table: str, *, pre_ping: bool, failures: int
) -> None:
    """One: with its failure SQLAlchemy drops every connection that is as old."""
    with engine_of(postgresql_server.url(), pool_pre_ping=pre_ping) as engine:
        records = SqlRecords(engine, table=table)
        records.create_table()
        held = [engine.connect() for _ in range(THREADS)]
        for each in held:
            each.close()
        postgresql_server.stop()
        postgresql_server.start()

        failed = 0
        for number in range(2 * THREADS):
            try:
                assert records.create(f"grant:{number}", "v1", "a value", LATER)
            except SQLAlchemyError:
                failed += 1

    assert failed == failures


def test_a_server_that_hangs_answers_in_the_end(postgresql_server: PostgreSql, table: str) -> None:
    with engine_of(postgresql_server.url()) as engine, ThreadPoolExecutor(1) as threads:
        records = SqlRecords(engine, table=table)
        records.create_table()
        assert records.create("grant:1", "v1", "a value", LATER)

        with postgresql_server.paused():
            waiting = threads.submit(records.replace, "grant:1", "v1", "v2", "a value", LATER)
            sleep(0.2)
            assert not waiting.done()

        assert waiting.result(30) is True
