"""Records in files: the duties of every store, crashes at every line, and racing processes."""

from __future__ import annotations

import signal
import subprocess
import sys
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from oidc_adapters.stores.records import Found, InThreads
from oidc_adapters.stores.records.files import FileRecords
from oidc_adapters.testing import (
    ASYNC_RECORDS_DUTIES,
    RECORDS_DUTIES,
    UNREACHABLE_RECORDS,
    AsyncRecordsDuty,
    RecordsDuty,
)
from tests.adapters.stores.records.crashing import CRASHES, killed_at_each_line
from tests.adapters.stores.records.racing import UNTIL, racers
from tests.flows.rig import run_asyncio, run_trio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("duty", RECORDS_DUTIES, ids=str)
def test_it_does_its_duty(duty: RecordsDuty, tmp_path: Path) -> None:
    duty(lambda: FileRecords(tmp_path / "own"))


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
@pytest.mark.parametrize("duty", ASYNC_RECORDS_DUTIES, ids=str)
def test_it_does_its_duty_in_threads(
    duty: AsyncRecordsDuty, run: Callable[[Callable[[], Any]], object], tmp_path: Path
) -> None:
    async def main() -> None:
        await duty(lambda: InThreads(FileRecords(tmp_path / "own")))

    run(main)


def test_where_it_is_not_it_raises(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    UNREACHABLE_RECORDS(lambda: FileRecords(tmp_path / "file" / "own"))

    hidden = FileRecords(tmp_path / "folder" / "own")
    (tmp_path / "folder").write_text("")
    UNREACHABLE_RECORDS(lambda: hidden)


# --- crashes -------------------------------------------------------------------------------------


def held(store: FileRecords) -> tuple[str, str] | None:
    found = store.read("key")
    return None if found is None else (found.version, found.value)


OLD: Final = ("old", "old " * 500)
NEW: Final = ("new", "new " * 500)


@pytest.mark.slow
@CRASHES
def test_a_crash_while_a_record_is_made_leaves_it_or_none(tmp_path: Path) -> None:
    store, seen = FileRecords(tmp_path / "own"), list[tuple[str, str] | None]()
    for line in killed_at_each_line(lambda: store.create("key", *NEW, UNTIL)):
        seen.append(held(store))
        assert store.create("key", *OLD, UNTIL) is (seen[-1] is None), line
        assert store.remove("key", OLD[0] if seen[-1] is None else NEW[0]), line
        assert {each.name for each in (tmp_path / "own").iterdir()} <= {"lock", "clock"}, line
    assert {*seen} == {None, NEW}
    assert held(store) == NEW


@pytest.mark.slow
@CRASHES
def test_a_crash_while_a_record_is_replaced_leaves_either(tmp_path: Path) -> None:
    store, seen = FileRecords(tmp_path / "own"), list[tuple[str, str] | None]()
    store.create("key", *OLD, UNTIL)
    for line in killed_at_each_line(lambda: store.replace("key", OLD[0], *NEW, UNTIL)):
        seen.append(held(store))
        assert store.replace("key", NEW[0], *OLD, UNTIL) is (seen[-1] == NEW), line
        assert held(store) == OLD, line
    assert {*seen} == {OLD, NEW}
    assert held(store) == NEW


@pytest.mark.slow
@CRASHES
def test_a_crash_while_a_record_is_removed_leaves_it_or_none(tmp_path: Path) -> None:
    store, seen = FileRecords(tmp_path / "own"), list[tuple[str, str] | None]()
    store.create("key", *OLD, UNTIL)
    for line in killed_at_each_line(lambda: store.remove("key", OLD[0])):
        seen.append(held(store))
        assert store.create("key", *OLD, UNTIL) is (seen[-1] is None), line
    assert {*seen} == {OLD, None}
    assert held(store) is None


WRITER: Final = """
import sys
from pathlib import Path
from oidc_adapters import FileRecords
store = FileRecords(Path(sys.argv[1]))
number = int(store.read("key").version)
while True:
    value = f"{number + 1} " * 400
    if not store.replace("key", f"{number}", f"{number + 1}", value, 4_000_000_000):
        sys.exit(3)
    number += 1
    print(number, flush=True)
"""


@pytest.mark.slow
@CRASHES
def test_a_writer_killed_at_any_moment_loses_nothing_that_it_has_written(tmp_path: Path) -> None:
    store, chance = FileRecords(tmp_path / "own"), Random(7)
    store.create("key", "0", "0 " * 400, UNTIL)
    for _ in range(20):
        told = _told(tmp_path / "own", chance.randrange(1, 12), chance.uniform(0, 0.004))
        found = store.read("key")
        assert found is not None
        assert int(found.version) in {told, told + 1}
        assert found.value == f"{found.version} " * 400


def _told(path: Path, writes: int, more: float) -> int:
    """Kill a writer some moments after so many writes; return the last one that it printed."""
    command = [sys.executable, "-c", WRITER, f"{path}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(writes)]
        with_time = partial(process.wait, more)
        with pytest.raises(subprocess.TimeoutExpired):
            with_time()
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().splitlines(keepends=True)
    whole = [line for line in told if line.endswith("\n")]
    return int(whole[-1])


# --- several processes ---------------------------------------------------------------------------


@pytest.mark.slow
def test_of_eight_processes_one_wins_each_of_two_hundred_races(tmp_path: Path) -> None:
    store = FileRecords(tmp_path / "own")
    winners: list[int] = []
    store.create("key", "0", "0", UNTIL)
    last = "0"
    with racers(f"{tmp_path / 'own'}", "files") as processes:
        for number in range(200):
            lines = [f"replace key {last} {number}-{own} {number}-{own}" for own in range(8)]
            answers = processes.start(*lines)
            assert answers.count(True) == 1
            winners.append(answers.index(True))
            last = f"{number}-{winners[-1]}"
            assert held(store) == (last, last)
    assert len({*winners}) > 1


@pytest.mark.slow
def test_of_eight_processes_one_makes_and_one_removes_each_record(tmp_path: Path) -> None:
    with racers(f"{tmp_path / 'own'}", "files") as processes:
        for number in range(25):
            lines = [f"create key-{number} {own} {own}" for own in range(8)]
            made = processes.start(*lines)
            assert made.count(True) == 1
            removed = processes.start(*[f"remove key-{number} {made.index(True)}"] * 8)
            assert removed.count(True) == 1
    assert FileRecords(tmp_path / "own").read("key-0") is None


def test_another_process_reads_what_was_written(tmp_path: Path) -> None:
    store = FileRecords(tmp_path / "own")
    with racers(f"{tmp_path / 'own'}", "files", 1) as processes:
        assert processes.start("create key first value") == [True]
        found = store.read("key")
        assert isinstance(found, Found)
        assert (found.version, found.value) == ("first", "value")
        assert store.remove("key", "first")
        assert processes.start("replace key first second value") == [False]
