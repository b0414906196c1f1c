"""Kills a process at one line of the code of a store after the other."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from oidc_adapters.runtime import file_lock, private_folder
from oidc_adapters.stores.records import files, folder, keyring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CRASHES: Final = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
MOST_LINES: Final = 2_000
_SEEN: Final = frozenset(
    f"{each.__file__}" for each in (file_lock, private_folder, files, folder, keyring)
)


def killed_at_each_line(work: Callable[[], object]) -> Iterator[int]:
    """Do some work in a forked process that kills itself, each time one line later.

    It yields the line's number after each crash, and ends when the work ends before its line.
    """
    for line in range(1, MOST_LINES):
        if _killed(work, line):
            yield line
        else:
            return
    raise AssertionError


def _killed(work: Callable[[], object], line: int) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks together with threads
        child = os.fork()
    if child == 0:
        signal.alarm(20)
        outcome = 1
        try:
            _killing_itself(work, line)
            outcome = 0
        finally:
            os._exit(outcome)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def _killing_itself(work: Callable[[], object], line: int) -> None:
    left = line

    def trace(frame: Any, event: str, _argument: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in _SEEN:
            return None
        if event == "line":
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(None)


class FileKeyring:
    """A keyring in a folder that processes share; like some, it replaces what it deleted first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(exist_ok=True)

    def names(self) -> list[str]:
        return sorted(each.name for each in self.path.iterdir())

    def get_password(self, service: str, username: str, /) -> str | None:
        try:
            return (self.path / f"{service} {username}").read_bytes().decode()
        except FileNotFoundError:
            return None

    def set_password(self, service: str, username: str, password: str, /) -> None:
        file = self.path / f"{service} {username}"
        file.unlink(missing_ok=True)
        file.write_bytes(password.encode())

    def delete_password(self, service: str, username: str, /) -> None:
        (self.path / f"{service} {username}").unlink()
