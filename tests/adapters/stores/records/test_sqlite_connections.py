"""Connections to SQLite: reused, closed, and never taken through a fork."""

from __future__ import annotations

import gc
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import pytest

from oidc_adapters.stores.records import sqlite_connections
from oidc_adapters.stores.records.sqlite import SqliteRecords
from oidc_adapters.stores.records.sqlite_connections import IDLE, Connections
from oidc_core.wire.errors import StoreFailure
from tests.adapters.runtime.test_locks import FORKS, in_child
from tests.flows.rig import NOW


class Opened:
    """Opens connections and remembers them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.all: list[sqlite3.Connection] = []

    def __call__(self) -> sqlite3.Connection:
        self.all.append(sqlite3.connect(self.path, check_same_thread=False, isolation_level=None))
        return self.all[-1]

    def file(self) -> object:
        return self.path

    def alive(self) -> int:
        return sum(map(_is_open, self.all))


def _is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    made = Opened(tmp_path / "a.db")
    yield made
    for each in made.all:
        each.close()


def test_one_is_reused(opened: Opened) -> None:
    connections = Connections(opened, opened.file)
    for _ in range(3):
        with connections.one() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)

    assert len(opened.all) == 1
    connections.close()
    assert opened.alive() == 0


def test_two_at_once_have_one_each(opened: Opened) -> None:
    connections = Connections(opened, opened.file)
    with connections.one() as one, connections.one() as two:
        assert one is not two

    assert len(opened.all) == 2
    connections.close()


def test_only_some_stay_open(opened: Opened) -> None:
    connections = Connections(opened, opened.file)

    def nest(depth: int) -> None:
        if depth:
            with connections.one():
                nest(depth - 1)

    nest(IDLE + 3)

    assert (len(opened.all), opened.alive()) == (IDLE + 3, IDLE)
    connections.close()
    assert opened.alive() == 0


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, sqlite3.OperationalError])
def test_one_that_failed_is_closed_and_what_it_began_is_rolled_back(
    opened: Opened, error: type[BaseException]
) -> None:
    connections = Connections(opened, opened.file)

    def fail() -> None:
        with connections.one() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("CREATE TABLE a (b)")
            raise error

    with pytest.raises(error):
        fail()
    assert opened.alive() == 0
    with connections.one() as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connections.close()


def test_one_in_use_is_closed_when_it_is_given_back(opened: Opened) -> None:
    connections = Connections(opened, opened.file)
    with connections.one() as connection:
        connections.close()
        assert connection.execute("SELECT 1").fetchone() == (1,)

    assert opened.alive() == 0
    with pytest.raises(StoreFailure) as refusal, connections.one():
        pass
    assert (refusal.value.code, refusal.value.found) == ("store_unavailable", "closed")


def test_of_another_file_none_is_reused(opened: Opened) -> None:
    connections = Connections(opened, opened.file)
    with connections.one(), connections.one():
        pass

    opened.path = opened.path.with_name("b.db")
    for _ in range(2):
        with connections.one() as connection:
            assert connection is opened.all[-1]

    assert (len(opened.all), opened.alive()) == (3, 1)
    connections.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no file that is open")
def test_a_file_that_was_replaced_is_not_used_any_more(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    store, other = SqliteRecords(path), SqliteRecords(path)
    assert store.create("a", "1", "v", NOW * 2)
    assert other.read("a")

    path.unlink()

    assert other.read("a") is None
    assert other.create("a", "2", "v", NOW * 2)
    assert not store.replace("a", "1", "3", "v", NOW * 2)
    found = store.read("a")
    assert found is not None
    assert found.version == "2"
    store.close()
    other.close()


# --- forks ---------------------------------------------------------------------------------------


@FORKS
def test_parent_and_child_go_on_with_one_store(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    store = SqliteRecords(path)
    assert store.create("a", "0", "v", NOW * 2)

    def child() -> None:
        for number in range(0, 20, 2):
            while not store.replace("a", f"{number}", f"{number + 1}", "child", NOW * 2):
                assert store.read("a")

    def parent() -> None:
        for number in range(1, 21, 2):
            while not store.replace("a", f"{number}", f"{number + 1}", "parent", NOW * 2):
                assert store.read("a")

    turn = Thread(target=parent, daemon=True)
    turn.start()
    assert in_child(child)
    turn.join(20)

    found = store.read("a")
    assert found is not None
    assert (found.version, found.value) == ("20", "parent")
    store.close()
    with closing(sqlite3.connect(path)) as checked:
        assert checked.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@FORKS
def test_idle_connections_are_closed_before_a_fork(opened: Opened) -> None:
    connections = Connections(opened, opened.file)
    with connections.one():
        pass
    assert opened.alive() == 1

    assert in_child(lambda: None)

    assert opened.alive() == 0
    connections.close()


@FORKS
def test_a_fork_waits_for_a_thread_that_writes(tmp_path: Path) -> None:
    store = SqliteRecords(tmp_path / "a.db")
    assert store.create("a", "1", "v", NOW * 2)
    within, gate = Event(), sqlite_connections._GATE

    def writer() -> None:
        with store._transaction() as connection:
            within.set()
            ends = monotonic() + 8
            while not gate.forks and monotonic() < ends:
                sleep(0.001)
            store._changed(connection, "UPDATE oidc_records SET version = '2'", ())

    thread = Thread(target=writer)
    thread.start()
    assert within.wait(20)

    assert in_child(lambda: _replaced(store, "2", "3"))
    thread.join(20)
    assert _replaced(store, "3", "4")
    assert gate.forks == 0
    store.close()


def _replaced(store: SqliteRecords, expected: str, version: str) -> bool:
    done = store.replace("a", expected, version, "v", NOW * 2)
    assert done
    return done


@FORKS
def test_a_fork_waits_only_so_long(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_connections, "PATIENCE", 0.01)
    connections = Connections(opened, opened.file)
    within, leave = Event(), Event()

    def user() -> None:
        with connections.one():
            within.set()
            leave.wait(20)

    thread = Thread(target=user)
    thread.start()
    assert within.wait(20)
    try:
        assert in_child(lambda: None)
    finally:
        leave.set()
        thread.join(20)
    connections.close()


@FORKS
def test_a_thread_may_fork_while_it_uses_one_itself(opened: Opened) -> None:
    connections = Connections(opened, opened.file)

    with connections.one() as connection:
        assert in_child(lambda: None)
        assert connection.execute("SELECT 1").fetchone() == (1,)

    connections.close()
    assert opened.alive() == 0


@FORKS
def test_one_that_is_open_in_a_child_is_kept_unused(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = Connections(opened, opened.file)
    with connections.one() as connection:
        pass

    monkeypatch.setattr(Connections, "close_idle", _nothing)
    left = len(sqlite_connections._LEFT_BEHIND)

    def child() -> None:
        assert connections._idle == []
        assert sqlite_connections._LEFT_BEHIND[left:] == [connection]

    assert in_child(child)
    monkeypatch.undo()
    assert connections._idle == [(opened.path, connection)]
    connections.close()


def test_what_a_child_inherits_is_kept_and_forgotten(opened: Opened) -> None:
    connections = Connections(opened, opened.file)
    with connections.one() as connection:
        pass

    sqlite_connections._in_child()

    assert connection in sqlite_connections._LEFT_BEHIND
    with connections.one() as another:
        assert another is not connection
    connections.close()
    sqlite_connections._LEFT_BEHIND.remove(connection)


def _nothing(_: Connections) -> None:
    pass


def test_connections_that_nobody_closes_are_closed_with_their_store(opened: Opened) -> None:
    connections = Connections(opened, opened.file)
    with connections.one():
        pass
    assert opened.alive() == 1

    del connections
    gc.collect()

    assert opened.alive() == 0


def test_connections_that_were_not_made_whole_are_forgotten() -> None:
    Connections.__new__(Connections).__del__()

    gc.collect()  # pytest fails a test whose garbage raises
