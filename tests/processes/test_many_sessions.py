"""One user with thousands of sessions in two processes, all of which the provider ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Final

import pytest

from tests.processes.crowd import ROOT

SESSIONS: Final = 10_000
TRUSTED: Final = 5.0
"""Seconds for which a process hands tokens out without a look at the store."""


class Worker:
    """A process of the application."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def ask(self, command: str) -> str:
        self.tell(command)
        return self.answer()


@contextmanager
def worker(path: Path) -> Generator[Worker]:
    """Run a worker until the end of the block."""
    process = subprocess.Popen(
        (sys.executable, "-m", "tests.processes.session_worker", str(path), str(TRUSTED)),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Worker(process)
    finally:
        process.kill()
        process.communicate()


def end_all(path: Path, sessions: int) -> None:
    """Log a user in and out in two processes; check who lives when."""
    with worker(path) as here, worker(path) as there:
        both = (here, there)
        for each in both:
            each.tell(f"login {sessions // 2}")
        assert [each.answer() for each in both] == [str(sessions // 2)] * 2
        assert [each.ask("alive") for each in both] == [str(sessions // 2)] * 2

        assert here.ask("logout") == f"200 400 {sessions}"
        answered = monotonic()

        assert here.ask("alive") == "0"
        sleep(max(0.0, answered + TRUSTED - monotonic()))
        assert there.ask("alive") == "0"
        for each in both:
            assert each.ask("login 1") == str(sessions // 2 + 1)
            assert each.ask("alive") == "1"


@pytest.mark.slow
def test_a_logout_ends_ten_thousand_sessions_of_two_processes(tmp_path: Path) -> None:
    end_all(tmp_path / "records.db", SESSIONS)
