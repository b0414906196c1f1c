"""How legs run: one after the other or side by side, each with its heading, time and outcome."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

ROOT = environment.ROOT
LONGEST = 28 * 60
"""Seconds after which a leg is ended as hanging."""
LANES = 2
"""How many legs run side by side, where each has one process that computes."""


class Failure(Exception):
    """A leg's own finding, told in one line."""


@dataclass(kw_only=True)
class Legs:
    """The legs that have run so far, with their times and outcomes."""

    python: Path
    outcomes: list[tuple[str, str, float]] = field(default_factory=list[tuple[str, str, float]])
    began: float = field(default_factory=time.monotonic)

    def run(self, name: str, leg: Callable[[], object]) -> None:
        """Run one leg; a failure is noted, and the next one still runs."""
        _heading(name)
        self.outcomes.append(_ran(name, leg))

    def command(self, name: str, *arguments: str) -> None:
        """Run one command with the project's Python as a leg."""
        self.run(name, lambda: call(self.python, *arguments))

    def together(self, legs: Mapping[str, Callable[[IO[bytes]], object]]) -> None:
        """Run legs side by side, and print what each wrote to its file when it has ended."""
        with ThreadPoolExecutor(LANES) as lanes:
            begun = [lanes.submit(_aside, name, leg) for name, leg in legs.items()]
            for name, running in zip(legs, begun, strict=True):
                outcome, output = running.result()
                _heading(name)
                sys.stdout.write(output)
                self.outcomes.append(outcome)

    def note(self, name: str, outcome: str) -> None:
        """Write down a leg that was not run."""
        self.outcomes.append((name, outcome, 0.0))

    def summary(self) -> int:
        """Print the table and return the exit status."""
        _heading("summary")
        width = max(len(name) for name, _, _ in self.outcomes)
        for name, outcome, seconds in self.outcomes:
            print(f"{name:{width}}  {seconds:7.1f} s  {outcome}")
        failed = sum(outcome.startswith("FAILED") for _, outcome, _ in self.outcomes)
        passed = sum(outcome == "passed" for _, outcome, _ in self.outcomes)
        print(f"{'in all':{width}}  {time.monotonic() - self.began:7.1f} s")
        print(f"legs: {passed} passed, {failed} failed", flush=True)
        return 1 if failed else 0


def call(
    python: Path | str, *arguments: str, output: IO[bytes] | None = None, timeout: float = LONGEST
) -> None:
    """Run a command, with its output in a file if one is given, and raise if it fails."""
    subprocess.run(
        [str(python), *arguments],
        cwd=ROOT,
        check=True,
        timeout=timeout,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
    )


def _aside(name: str, leg: Callable[[IO[bytes]], object]) -> tuple[tuple[str, str, float], str]:
    with tempfile.TemporaryFile() as output:
        outcome = _ran(name, lambda: leg(output))
        output.seek(0)
        return outcome, output.read().decode("utf-8", "replace")


def _ran(name: str, leg: Callable[[], object]) -> tuple[str, str, float]:
    started = time.monotonic()
    try:
        leg()
        outcome = "passed"
    except subprocess.CalledProcessError as error:
        outcome = f"FAILED with exit status {error.returncode}"
    except subprocess.TimeoutExpired:
        outcome = f"FAILED: still running after {LONGEST} s"
    except (Failure, SystemExit) as error:
        outcome = f"FAILED: {error}"
    return name, outcome, time.monotonic() - started


def _heading(text: str) -> None:
    print(f"\n=== {text} {'=' * (90 - len(text))}", flush=True)
    sys.stdout.flush()
