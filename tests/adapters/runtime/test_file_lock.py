"""A lock on a file: held by one, given back by every way to end, and never stolen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from oidc_adapters.runtime.file_lock import file_lock
from oidc_adapters.runtime.private_folder import PrivateFolder
from oidc_core.wire.errors import StoreFailure
from tests.adapters.runtime.test_locks import FORKS, in_child

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

LOCK: Final = "lock"

HOLDER: Final = """
import os, sys, threading
from tests.adapters.runtime.test_file_lock import locked
from pathlib import Path

def fork():
    if os.fork() == 0:
        sys.stdin.read()
        os._exit(0)

with locked(Path(sys.argv[1])):
    if sys.argv[2] == "forks":
        thread = threading.Thread(target=fork)
        thread.start()
        thread.join()
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def locked(path: Path, patience: float = 10) -> Generator[None]:
    with (
        PrivateFolder(path).opened() as folder,
        file_lock(
            partial(folder.lock_file, LOCK), partial(folder.is_current, LOCK), patience=patience
        ),
    ):
        yield


@contextmanager
def holder(path: Path, how: str = "plain") -> Generator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    command = [sys.executable, "-W", "ignore", "-c", HOLDER, f"{path}", how]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def is_held(path: Path) -> bool:
    lock: AbstractContextManager[None] = locked(path, 0.02)
    try:
        with lock:
            return False
    except StoreFailure as failure:
        if (failure.code, failure.about) != ("store_unavailable", "lock"):
            raise
        return True


def test_it_is_held_by_one_and_given_back(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert is_held(tmp_path)
    assert not is_held(tmp_path)


def test_who_waits_gets_it_when_it_is_given_back(tmp_path: Path) -> None:
    got = threading.Event()

    def wait() -> None:
        with locked(tmp_path):
            got.set()

    thread = threading.Thread(target=wait)
    with locked(tmp_path):
        thread.start()
        assert not got.wait(0.05)
    thread.join(10)
    assert got.is_set()


def test_an_exception_gives_it_back(tmp_path: Path) -> None:
    with pytest.raises(LookupError), locked(tmp_path):
        raise LookupError
    assert not is_held(tmp_path)


def test_another_process_holds_it_until_it_is_killed(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        assert is_held(tmp_path)
        process.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        process.wait(10)
        assert not is_held(tmp_path)


@FORKS
def test_a_process_forked_meanwhile_does_not_hold_it_after_its_parent(tmp_path: Path) -> None:
    with holder(tmp_path, "forks") as process:
        assert is_held(tmp_path)
        process.send_signal(signal.SIGKILL)
        process.wait(10)  # its child waits for its input still
        assert not is_held(tmp_path)


@FORKS
def test_a_forked_process_waits_for_its_parent_as_any_other(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert in_child(lambda: _check(is_held(tmp_path)))
        assert is_held(tmp_path)
    assert in_child(lambda: _check(not is_held(tmp_path)))


def _check(fulfilled: object) -> None:
    if not fulfilled:
        raise AssertionError


@FORKS
def test_a_fork_of_its_holder_leaves_it_and_takes_nothing_from_the_parent(tmp_path: Path) -> None:
    def leave(lock: AbstractContextManager[None]) -> None:
        lock.__exit__(None, None, None)
        _check(is_held(tmp_path))

    lock: AbstractContextManager[None] = locked(tmp_path)
    with lock:
        assert in_child(partial(leave, lock))
        assert is_held(tmp_path)


def test_a_file_that_was_removed_meanwhile_is_not_locked(tmp_path: Path) -> None:
    """Otherwise two would hold it: one the old file, the other a new one."""
    got: list[bool] = []
    has_opened = threading.Event()

    def wait() -> None:
        with PrivateFolder(tmp_path).opened() as folder:

            def opened() -> int:
                file = folder.lock_file(LOCK)
                has_opened.set()
                return file

            with file_lock(opened, partial(folder.is_current, LOCK), patience=10):
                got.append(is_held(tmp_path))

    thread = threading.Thread(target=wait)
    with locked(tmp_path):
        thread.start()
        assert has_opened.wait(10)
        (tmp_path / LOCK).unlink()
    thread.join(10)
    assert got == [True]
    assert not is_held(tmp_path)


def test_a_file_that_cannot_be_opened_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / LOCK).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"), locked(tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_no_file_stays_open(tmp_path: Path) -> None:
    with locked(tmp_path):
        pass
    first = os.open(tmp_path / LOCK, os.O_RDONLY)
    os.close(first)
    for _ in range(20):
        with locked(tmp_path):
            assert is_held(tmp_path)
    again = os.open(tmp_path / LOCK, os.O_RDONLY)
    os.close(again)
    assert first == again
