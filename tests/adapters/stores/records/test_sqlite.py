"""Records in SQLite: the duties of every store, over threads, tasks and processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from oidc_adapters.runtime.boot_clock import Boot
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.records import SLACK, InThreads, Times
from oidc_adapters.stores.records.sqlite import CLEANED, INTERVAL, SqliteRecords
from oidc_adapters.testing import (
    ASYNC_RECORDS_DUTIES,
    ASYNC_UNREACHABLE_RECORDS,
    RECORDS_DUTIES,
    UNREACHABLE_RECORDS,
    AsyncRecordsDuty,
    RecordsDuty,
)
from oidc_core.wire.errors import StoreFailure, UsageError
from tests.flows.rig import NOW, run_asyncio, run_trio

RUNS = pytest.mark.parametrize("run", [run_asyncio, run_trio])
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.mark.parametrize("duty", RECORDS_DUTIES, ids=str)
def test_it_does_its_duty(duty: RecordsDuty, path: Path) -> None:
    duty(lambda: SqliteRecords(path))


@RUNS
@pytest.mark.parametrize("duty", ASYNC_RECORDS_DUTIES, ids=str)
def test_it_does_its_duty_for_code_that_awaits(
    duty: AsyncRecordsDuty, run: Callable[[Callable[[], Any]], object], path: Path
) -> None:
    async def main() -> None:
        await duty(lambda: InThreads(SqliteRecords(path)))

    run(main)


def _unreachable(folder: Path) -> list[Path]:
    text = folder / "text"
    text.write_text("no database, although long enough to have a header" * 100)
    return [folder, folder / "absent" / "records.db", text]


@pytest.mark.parametrize("number", range(3))
def test_without_its_file_it_raises(number: int, tmp_path: Path) -> None:
    path = _unreachable(tmp_path)[number]

    UNREACHABLE_RECORDS(lambda: SqliteRecords(path))


@RUNS
def test_without_its_file_it_raises_for_code_that_awaits(
    run: Callable[[Callable[[], Any]], object], tmp_path: Path
) -> None:
    async def main() -> None:
        await ASYNC_UNREACHABLE_RECORDS(lambda: InThreads(SqliteRecords(tmp_path)))

    run(main)


# --- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [":memory:", "", "file::memory:?cache=shared", "a\0b", 3, None])
def test_what_is_no_file_is_refused(value: Any) -> None:
    with pytest.raises(UsageError) as refusal:
        SqliteRecords(value)

    assert (refusal.value.code, refusal.value.about) == ("config_invalid", "path")


@pytest.mark.parametrize("value", ["", "1a", "a b", "a;", 'a"', "ä", "SQLite_", None])
def test_a_prefix_is_part_of_a_name(value: Any, path: Path) -> None:
    with pytest.raises(UsageError) as refusal:
        SqliteRecords(path, prefix=value)

    assert (refusal.value.code, refusal.value.about) == ("config_invalid", "prefix")


@pytest.mark.parametrize("value", [0, -1, 1.5, True, None])
def test_a_timeout_is_a_number_of_seconds(value: Any, path: Path) -> None:
    with pytest.raises(UsageError) as refusal:
        SqliteRecords(path, busy_timeout=value)

    assert (refusal.value.code, refusal.value.about) == ("config_invalid", "busy_timeout")


def test_making_it_touches_no_file(path: Path) -> None:
    store = SqliteRecords(path)
    assert store.single_use == "shared"
    store.close()

    assert not path.exists()


def test_a_relative_path_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = SqliteRecords("records.db")
    monkeypatch.chdir("/")

    assert store.create("a", "1", "v", NOW)
    store.close()
    assert (tmp_path / "records.db").exists()


def test_two_prefixes_are_two_stores_of_one_file(path: Path) -> None:
    one, two = SqliteRecords(path, prefix="one_"), SqliteRecords(path, prefix="two_")

    assert one.create("a", "1", "one", NOW)
    assert two.read("a") is None
    assert two.create("a", "1", "two", NOW)
    one.close()
    two.close()
    with closing(sqlite3.connect(path)) as opened:
        assert opened.execute("SELECT value FROM two_records").fetchall() == [("two",)]


# --- time ----------------------------------------------------------------------------------------


def test_its_clock_is_the_one_of_the_machine(path: Path) -> None:
    clock, boot = FrozenClock(NOW), [Boot("one", 100)]
    store = SqliteRecords(path, clock=clock, boot=lambda: boot[0])
    other = SqliteRecords(path, clock=FrozenClock(NOW + 500), boot=lambda: boot[0])

    assert store.times() == Times(now=NOW, utc=NOW)
    assert other.times() == Times(now=NOW, utc=NOW + 500)
    clock.advance(-1_000)
    boot[0] = Boot("one", 130)
    assert store.create("a", "1", "v", NOW)
    found = other.read("a")
    assert found is not None
    assert found.times == Times(now=NOW + 30, utc=NOW + 500)
    store.close()
    other.close()


def test_after_a_start_of_the_machine_its_clock_is_not_set_back(path: Path) -> None:
    store = SqliteRecords(path, clock=FrozenClock(NOW), boot=lambda: Boot("one", 100))
    assert store.create("a", "1", "v", NOW)
    store.close()
    moved = SqliteRecords(path, clock=FrozenClock(NOW), boot=lambda: Boot("one", 900))
    assert moved.replace("a", "1", "2", "v", NOW)
    moved.close()

    wrong = SqliteRecords(path, clock=FrozenClock(5), boot=lambda: Boot("two", 3))
    assert wrong.times() == Times(now=NOW + 800, utc=5)
    wrong.close()
    later = SqliteRecords(path, clock=FrozenClock(NOW + 9_000), boot=lambda: Boot("three", 3))
    assert later.times() == Times(now=NOW + 9_000, utc=NOW + 9_000)
    later.close()


def test_creating_cleans_now_and_then(path: Path) -> None:
    clock, boot = FrozenClock(NOW), [Boot("one", 100)]
    store = SqliteRecords(path, clock=clock, boot=lambda: boot[0])
    assert store.create("a", "1", "v", NOW)

    clock.advance(SLACK + 1)
    assert store.create("b", "1", "v", NOW)
    assert store.read("a") is not None
    boot[0] = Boot("one", 100 + INTERVAL)
    assert store.create("c", "1", "v", NOW)
    assert store.read("a") is store.read("b") is None
    assert store.read("c") is not None
    store.close()


def test_creating_cleans_no_more_than_a_thousand(path: Path) -> None:
    store = SqliteRecords(path)
    assert store.create("a", "1", "v", NOW)
    with closing(sqlite3.connect(path)) as opened, opened:
        rows = [(f"{number}", "1", 0, 0, "v") for number in range(CLEANED + 5)]
        opened.executemany("INSERT INTO oidc_records VALUES (?, ?, ?, ?, ?)", rows)
    store.close()

    store = SqliteRecords(path)
    assert store.create("b", "1", "v", NOW)
    with closing(sqlite3.connect(path)) as opened:
        assert opened.execute("SELECT count(*) FROM oidc_records").fetchone() == (7,)
    assert store.clean(-1) == 0
    assert store.clean(2) == 2
    store.close()


# --- processes -----------------------------------------------------------------------------------

ROUNDS = 500
RACERS = 8


def _race(path: Path, own: int, barrier: Any, wins: Any) -> None:
    store = SqliteRecords(path, busy_timeout=30)
    won: list[int] = []
    for number in range(ROUNDS):
        barrier.wait(60)
        if store.replace("a", f"{number}", f"{number + 1}", f"{own}", NOW * 2):
            won.append(number)
        found = store.read("a")
        assert found is not None
        assert found.version == f"{number + 1}"
    store.close()
    wins.put((own, won))


@FORKS
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_of_eight_processes_exactly_one_replaces_each_version(path: Path) -> None:
    store = SqliteRecords(path)
    assert store.create("a", "0", "v", NOW * 2)
    context = multiprocessing.get_context("fork")
    barrier, wins = context.Barrier(RACERS), context.Queue()
    racers = [
        context.Process(target=_race, args=(path, own, barrier, wins)) for own in range(RACERS)
    ]
    for racer in racers:
        racer.start()
    won = dict(wins.get(timeout=100) for _ in racers)
    for racer in racers:
        racer.join(30)

    assert [racer.exitcode for racer in racers] == [0] * RACERS
    assert sorted(number for numbers in won.values() for number in numbers) == [*range(ROUNDS)]
    found = store.read("a")
    assert found is not None
    assert (found.version, ROUNDS - 1 in won[int(found.value)]) == (f"{ROUNDS}", True)
    store.close()


IN_A_TRANSACTION = """
import sys, time
from oidc_adapters.stores.records.sqlite import SqliteRecords
store = SqliteRecords(sys.argv[1])
with store._transaction() as connection:
    assert store._changed(connection, "UPDATE oidc_records SET version = 'lost'", ()) == 1
    print("within", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_process_killed_in_a_transaction_leaves_no_trace(path: Path) -> None:
    store = SqliteRecords(path, busy_timeout=1)
    assert store.create("a", "1", "v", NOW * 2)
    writer = subprocess.Popen(
        [sys.executable, "-c", IN_A_TRANSACTION, path], stdout=subprocess.PIPE, text=True
    )
    with writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "within\n"

        with pytest.raises(sqlite3.OperationalError, match="locked"):
            store.replace("a", "1", "2", "v", NOW * 2)
        found = store.read("a")
        assert found is not None
        assert found.version == "1"
        os.kill(writer.pid, signal.SIGKILL)

    assert store.replace("a", "1", "2", "v", NOW * 2)
    found = store.read("a")
    assert found is not None
    assert found.version == "2"
    store.close()
    with closing(sqlite3.connect(path)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_after_it_is_closed_it_raises(path: Path) -> None:
    store = SqliteRecords(path)
    assert store.create("a", "1", "v", NOW)
    store.close()
    store.close()

    with pytest.raises(StoreFailure) as refusal:
        store.read("a")
    assert (refusal.value.code, refusal.value.found) == ("store_unavailable", "closed")


def test_a_call_waits_while_another_caller_writes(path: Path) -> None:
    store, other = SqliteRecords(path, busy_timeout=20), SqliteRecords(path)
    assert store.create("a", "1", "v", NOW * 2)
    with ThreadPoolExecutor(1) as threads:
        with other._transaction():
            waiting = threads.submit(store.replace, "a", "1", "2", "v", NOW * 2)
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
        assert waiting.result(20)
    store.close()
    other.close()
