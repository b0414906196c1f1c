"""The SQLite file of a store: its permissions, its settings, its version."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest

from oidc_adapters.runtime.boot_clock import Boot
from oidc_adapters.stores.records import sqlite_file
from oidc_adapters.stores.records.sqlite_file import SCHEMA, SqliteFile
from oidc_core.wire.errors import StoreFailure
from tests.flows.rig import NOW


def file_at(path: Path, *, busy_timeout: int = 5) -> SqliteFile:
    return SqliteFile(
        path,
        prefix="oidc_",
        busy_timeout=busy_timeout,
        utc=lambda: NOW,
        boot=lambda: Boot("one", 100),
    )


def opened(path: Path) -> None:
    file_at(path).connection().close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_new_file_is_its_owners_alone(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with closing(file_at(path).connection()) as connection:
            connection.execute("INSERT INTO oidc_facts VALUES ('a', 'b')")
            files = [*path.parent.iterdir()]
            modes = {stat.S_IMODE(each.stat().st_mode) for each in files}
    finally:
        os.umask(before)

    assert {each.name for each in files} == {"records.db", "records.db-shm", "records.db-wal"}
    assert modes == {0o600}


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_file_that_is_there_keeps_its_permissions(path: Path) -> None:
    path.touch(0o640)
    path.chmod(0o640)
    opened(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_write_waits_for_the_disk(path: Path) -> None:
    with closing(file_at(path).connection()) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA fullfsync").fetchone() == (1,)
        assert not connection.in_transaction


def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    for number in range(5):
        path = tmp_path / f"{number}.db"
        with ThreadPoolExecutor(8) as threads:
            assert [*threads.map(opened, [path] * 8)] == [None] * 8


class Scripted(sqlite3.Connection):
    """A connection that finds something when it asks for a write-ahead log."""

    answers: ClassVar[list[str | int]] = []

    def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
        answer = self.answers.pop(0) if "journal_mode" in sql and self.answers else None
        if isinstance(answer, int):
            refusal = sqlite3.OperationalError("database is locked")
            refusal.sqlite_errorcode = answer
            raise refusal
        return super().execute(f"SELECT '{answer}'" if answer else sql, *rest)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str | int]:
    """The answers that the next connections get, in order."""

    def connect(path: Path, **settings: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = sqlite3.connect(path, factory=Scripted, **settings)
        return made

    monkeypatch.setattr(sqlite_file, "connect", connect)
    monkeypatch.setattr(Scripted, "answers", [])
    return Scripted.answers


def test_where_there_can_be_no_log_it_fails(path: Path, answers: list[str | int]) -> None:
    answers.append("delete")

    with pytest.raises(StoreFailure) as refusal:
        opened(path)
    assert (refusal.value.code, refusal.value.found) == ("store_unavailable", "delete")


def test_it_waits_while_another_one_sets_the_log(path: Path, answers: list[str | int]) -> None:
    answers += [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY]

    opened(path)

    assert answers == []


@pytest.mark.parametrize(
    ("code", "patience"), [(sqlite3.SQLITE_IOERR, 5), (sqlite3.SQLITE_BUSY, -1)]
)
def test_it_waits_for_nothing_else_and_only_so_long(
    code: int, patience: int, path: Path, answers: list[str | int]
) -> None:
    answers.append(code)

    with pytest.raises(sqlite3.OperationalError):
        file_at(path, busy_timeout=patience).connection()
    assert answers == []


# --- versions ------------------------------------------------------------------------------------


def _set_version(path: Path, version: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE oidc_facts SET value = ? WHERE name = 'schema'", (version,))


def _remove_version(path: Path, _: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM oidc_facts WHERE name = 'schema'")


@pytest.mark.parametrize(
    ("change", "version"),
    [
        (_set_version, f"{len(SCHEMA) + 1}"),
        (_set_version, "0"),
        (_set_version, "-1"),
        (_set_version, "x"),
        (_remove_version, ""),
    ],
)
def test_tables_of_another_version_are_refused_and_stay(
    path: Path, change: Callable[[Path, str], None], version: str
) -> None:
    opened(path)
    change(path, version)
    before = path.read_bytes()

    with pytest.raises(StoreFailure) as refusal:
        opened(path)
    assert (refusal.value.code, refusal.value.found) == ("record_version_unknown", version)
    assert path.read_bytes() == before


def test_older_tables_are_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(file_at(path).connection()) as connection:
        connection.execute("INSERT INTO oidc_records VALUES ('a', '1', 5, 5, 'v')")
    step = ("ALTER TABLE oidc_records ADD COLUMN more TEXT",)
    monkeypatch.setattr(sqlite_file, "SCHEMA", (*SCHEMA, step))

    for _ in range(2):
        with closing(file_at(path).connection()) as connection:
            rows = connection.execute("SELECT id, value, more FROM oidc_records").fetchall()
            version = connection.execute("SELECT value FROM oidc_facts WHERE name = 'schema'")
            assert rows == [("a", "v", None)]
            assert version.fetchone() == (f"{len(SCHEMA) + 1}",)


def test_a_step_that_fails_leaves_the_older_tables(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(path)
    steps = ("ALTER TABLE oidc_records ADD COLUMN more TEXT", "SELECT nothing FROM nowhere")
    monkeypatch.setattr(sqlite_file, "SCHEMA", (*SCHEMA, steps))

    with pytest.raises(sqlite3.OperationalError):
        opened(path)
    monkeypatch.undo()
    with closing(file_at(path).connection()) as connection:
        assert "more" not in str(connection.execute("SELECT sql FROM sqlite_master").fetchall())


# --- the clock -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "x", "1 2", "1,5 2 one"])
def test_a_damaged_clock_fails(path: Path, text: str) -> None:
    with pytest.raises(StoreFailure) as refusal:
        file_at(path).now("x" if text == "1 2" else text)

    assert (refusal.value.code, refusal.value.about) == ("record_invalid", "clock")


def test_a_damaged_clock_is_set_when_the_file_is_opened(path: Path) -> None:
    opened(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE oidc_facts SET value = 'x' WHERE name = 'clock'")

    with closing(file_at(path).connection()) as connection:
        (kept,) = connection.execute("SELECT value FROM oidc_facts WHERE name = 'clock'").fetchone()
    assert file_at(path).now(kept) == NOW
