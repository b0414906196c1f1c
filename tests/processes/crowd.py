"""What a test has in its hands: workers and a provider, each a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final, TypeVar

from tests.processes.messages import (
    Answers,
    Command,
    Fork,
    Held,
    Hello,
    Left,
    ProviderPlan,
    Quit,
    Serving,
    WorkerPlan,
)

R = TypeVar("R", Answers, Held, Hello, Left, Serving)

PATIENCE: Final = 60.0
"""Seconds after which a test fails that waits for a process."""

ROOT: Final = Path(__file__).parents[2]


class Process:
    """A process that the parent forked."""

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self._connection = connection
        self._waiting = list[Any]()
        self.pid = 0
        self.pid = self.expect(Hello).pid

    def tell(self, command: Command | Quit) -> None:
        """Tell it what to do."""
        self._connection.send(command)

    def expect(self, kind: type[R], seconds: float = PATIENCE) -> R:
        """Return the next report of a kind; those of other kinds stay for later.

        Raises:
            TimeoutError: it has not come.
            EOFError: the process has ended.
        """
        end = monotonic() + seconds
        while True:
            for number, report in enumerate(self._waiting):
                if isinstance(report, kind):
                    del self._waiting[number]
                    return report
            if not self._connection.poll(max(0.0, end - monotonic())):
                raise TimeoutError(f"{self.name} has not sent {kind.__name__}")
            self._waiting.append(self._connection.recv())

    def holds(self, count: int) -> None:
        """Wait until so many exchanges stand at its point."""
        while self.expect(Held).standing < count:
            pass

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens where it has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def gone(self, seconds: float = PATIENCE) -> None:
        """Wait for its end.

        Raises:
            TimeoutError: it lives on.
        """
        end = monotonic() + seconds
        while Path(f"/proc/{self.pid}").exists():
            if monotonic() > end:
                raise TimeoutError(f"{self.name} has not ended")
            sleep(0.01)

    def kill(self) -> None:
        """Kill it, and wait for its end."""
        self.signal(signal.SIGKILL)
        self.gone()

    def close(self) -> None:
        """Kill it, if it has not ended."""
        if self.pid:
            self.kill()
        self._connection.close()


class Parent:
    """The process that forks all others of a test.

    Args:
        errors: the file for what processes write to their standard error.
    """

    def __init__(self, errors: Path) -> None:
        self._connection, theirs = Pipe()
        with errors.open("ab") as file:
            self._process = subprocess.Popen(
                (sys.executable, "-m", "tests.processes.warm_parent", str(theirs.fileno())),
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                pass_fds=[theirs.fileno()],
            )
        theirs.close()
        self._forked = list[Process]()

    def fork(self, name: str, plan: WorkerPlan | ProviderPlan) -> Process:
        """Fork a process, and wait until it has begun."""
        mine, theirs = Pipe()
        self._connection.send(Fork(name, plan))
        send_handle(self._connection, theirs.fileno(), self._process.pid)
        theirs.close()
        self._forked.append(Process(name, mine))
        return self._forked[-1]

    def close(self) -> None:
        """End it, and kill what it forked."""
        for process in self._forked:
            process.close()
        self._connection.close()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()


@contextmanager
def parent(errors: Path) -> Generator[Parent]:
    """Begin a parent; at the end of the block no process is left of it."""
    made = Parent(errors)
    try:
        yield made
    finally:
        made.close()


def answers(workers: Sequence[Process], seconds: float = PATIENCE) -> list[Answers]:
    """Return what the callers of all workers got."""
    end = monotonic() + seconds
    return [worker.expect(Answers, end - monotonic()) for worker in workers]
