"""Starts a provider as a separate process, and ends it.

The process prints "ready ORIGIN" when it accepts requests. It ends when its standard input ends, so
it also ends if the tests die.
"""

import subprocess
import tempfile
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

START_TIMEOUT: Final = 60.0
STOP_TIMEOUT: Final = 5.0


class ProviderFailed(Exception):
    """The provider did not start, or refused what a test asked of it."""


@dataclass(frozen=True, slots=True)
class Started:
    """A running process. `origin` is where it serves: `http://127.0.0.1:PORT`."""

    process: subprocess.Popen[str]
    origin: str
    logged: Path

    def log(self) -> str:
        """Its output on standard error: each refusal with the provider's own reason."""
        return self.logged.read_text()


@contextmanager
def started(
    command: tuple[str, ...], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Generator[Started]:
    """Run the command until the end of the block, by default in an empty folder.

    Raises `ProviderFailed` if it does not get ready.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "work")
        folder.mkdir()
        log = Path(scratch, "stderr.txt")
        with log.open("a") as stderr:
            process = subprocess.Popen(
                command,
                cwd=cwd or folder,
                env=env,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        try:
            origin = _origin_once_ready(process)
            if not origin:
                raise ProviderFailed(f"{' '.join(command)} did not get ready:\n{log.read_text()}")
            yield Started(process, origin, log)
        finally:
            _stop(process)


def _origin_once_ready(process: subprocess.Popen[str]) -> str:
    """The origin from the line "ready ORIGIN", or an empty string when it never came."""
    assert process.stdout is not None
    giving_up = threading.Timer(START_TIMEOUT, process.kill)
    giving_up.start()
    try:
        line = process.stdout.readline()
    finally:
        giving_up.cancel()
    return line.removeprefix("ready ").strip()


def _stop(process: subprocess.Popen[str]) -> None:
    """End the process and wait for it."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
