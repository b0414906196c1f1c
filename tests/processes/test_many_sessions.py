"""One user with thousands of sessions in two processes, all of which the provider ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Final

from oidc_adapters.stores.session_values import MOST
from tests.processes.crowd import ROOT
from tests.processes.places import Place, Store

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
def worker(number: int, place: Place) -> Generator[Worker]:
    """Run a worker until the end of the block."""
    settings = (str(number), str(TRUSTED), place.kind, place.address, place.name)
    process = subprocess.Popen(
        (sys.executable, "-m", "tests.processes.session_worker", *settings),
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


@contextmanager
def crowded(place: Place, each: int) -> Generator[tuple[Worker, Worker]]:
    """Run two workers that have so many sessions each, all of one user."""
    with worker(1, place) as here, worker(2, place) as there:
        both, began = (here, there), monotonic()
        for one in both:
            one.tell(f"login {each}")
        assert [one.answer() for one in both] == [str(each)] * 2
        told("logins", began)
        for one in both:
            one.tell("alive")
        assert [one.answer() for one in both] == [str(each)] * 2
        yield here, there


def told(what: str, began: float) -> None:
    """Print how long something took."""
    print(f"{what}: {monotonic() - began:.1f} s")


def test_a_logout_ends_ten_thousand_sessions_of_two_processes(
    store: Store, size: Callable[[int, int], int]
) -> None:
    each = size(500, 5_000)
    with crowded(store.place, each) as (here, there):
        began = monotonic()
        assert here.ask("post " + here.ask("logout")) == f"200 400 {2 * each}"
        told("logout", began)
        answered = monotonic()

        assert here.ask("alive") == "0"
        sleep(max(0.0, answered + TRUSTED - monotonic()))
        assert there.ask("alive") == "0"
        for one in (here, there):
            assert one.ask("login 1") == str(each + 1)
            assert one.ask("alive") == "1"


def test_another_process_finishes_a_logout_whose_process_was_killed(
    store: Store, size: Callable[[int, int], int]
) -> None:
    each = size(500, 5_000)
    with crowded(store.place, each) as (here, there):
        logout, began = here.ask("logout"), monotonic()
        here.ask(f"die {each}")
        assert here.ask("post " + logout) == ""
        told("half of the logout", began)

        killed = monotonic()
        status, again, ended = there.ask("post " + logout).split()
        told("the rest of it", killed)

        assert (status, again) == ("200", "400")
        assert each <= int(ended) < each + MOST
        sleep(max(0.0, killed + TRUSTED - monotonic()))
        assert there.ask("alive") == "0"
        assert there.ask("login 1") == str(each + 1)
        assert there.ask("alive") == "1"
