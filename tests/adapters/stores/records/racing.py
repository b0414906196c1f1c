"""Several processes that write to one record at the same time."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

UNTIL: Final = 4_000_000_000

RACER: Final = """
import sys
from pathlib import Path
from oidc_adapters import FileRecords, KeyringRecords
from tests.adapters.stores.records.crashing import FileKeyring

path, kind = Path(sys.argv[1]), sys.argv[2]
store = (
    FileRecords(path)
    if kind == "files"
    else KeyringRecords("test", path, keyring=FileKeyring(path.parent / "keyring"))
)
print("ready", flush=True)
for line in sys.stdin:
    call, *given = line.split()
    until = () if call == "remove" else (4_000_000_000,)
    print(getattr(store, call)(*given, *until), flush=True)
"""


class Racers:
    """Processes that wait for the start."""

    def __init__(self, processes: list[subprocess.Popen[str]]) -> None:
        self._processes = processes

    def start(self, *lines: str) -> list[bool]:
        """Have each make its call; return who succeeded."""
        for process, line in zip(self._processes, lines, strict=True):
            assert process.stdin is not None
            process.stdin.write(line + "\n")
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.flush()
        return [self._answer(process) == "True" for process in self._processes]

    @staticmethod
    def _answer(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        answer = process.stdout.readline().strip()
        assert answer in {"ready", "True", "False"}
        return answer

    def wait(self) -> None:
        """Wait until all are ready."""
        for process in self._processes:
            assert self._answer(process) == "ready"


@contextmanager
def racers(path: str, kind: str, count: int = 8) -> Generator[Racers]:
    """Start processes that share one place."""
    command = [sys.executable, "-c", RACER, path, kind]
    with ExitStack() as stack:
        processes: list[subprocess.Popen[str]] = []
        for _ in range(count):
            process = stack.enter_context(
                subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=-1
                )
            )
            stack.callback(process.kill)
            processes.append(process)
        found = Racers(processes)
        found.wait()
        yield found
