"""`./scripts/fuzz`: coverage-guided fuzzing of parsers of foreign text, one after the other.

    ./scripts/fuzz [SECONDS] [TARGET ...]
    ./scripts/fuzz --replay FILE

SECONDS, 600 unless given, are shared among the targets; it stops by itself, and exits 1 if an
input raised anything but an error of the library, was accepted wrongly, or took too long.
The findings stay in `.fuzz/TARGET/found/`, and the corpus in `.fuzz/TARGET/corpus/`, with which the
next run begins.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environment

TARGETS = ("jws", "jwk_set", "jwe")
FOLDER = environment.ROOT / ".fuzz"
GRACE = 120
"""Seconds after its time is up for which a target may load, and finish its last input."""

_PROGRESS = re.compile(r"^#\d+\s.* cov: (\d+) ft: (\d+)", re.MULTILINE)
_EXECUTED = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of fuzzing one target.

    Attributes:
        target: its name.
        executed: how many inputs were judged.
        edges, features: what libFuzzer counts as covered.
        report: what the target said itself: the input nearest to its bound, the codes met.
        found: the new files with inputs that failed.
        status: the exit status of the process.
    """

    target: str
    executed: int
    edges: int
    features: int
    report: dict[str, Any]
    found: tuple[Path, ...]
    status: int

    @property
    def failed(self) -> bool:
        """Whether an input failed, or the engine itself; a run without inputs proves nothing."""
        return bool(self.found) or self.status != 0 or self.executed == 0

    def line(self) -> str:
        """Return the outcome as a line of the table."""
        slow = "none"
        if self.report:
            taken, share = 1_000 * self.report["seconds"], 100 * self.report["share"]
            slow = f"{taken:.1f} ms for {self.report['octets']} octets, {share:.0f} % of its bound"
        return (
            f"{self.target:8} {self.executed:>9} executions  {self.edges:>5} edges  "
            f"{self.features:>6} features  {len(self.report.get('codes', ())):>3} codes  "
            f"{len(self.found)} found  slowest: {slow}"
        )


def fuzz(python: Path, target: str, seconds: int) -> Outcome:
    """Fuzz one target in a separate process."""
    folder = FOLDER / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").unlink(missing_ok=True)
    before, log = {*_found(folder)}, folder / "log"
    command = [str(python), "-m", "tests.fuzz", target, str(seconds), str(folder)]
    with log.open("w", encoding="utf-8") as written:
        try:
            status = subprocess.run(
                command,
                cwd=environment.ROOT,
                stdout=written,
                stderr=written,
                timeout=seconds + GRACE,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            status = 1
    said = log.read_text("utf-8", "replace")
    return outcome(target, said, folder, before, status)


def outcome(target: str, said: str, folder: Path, before: set[Path], status: int) -> Outcome:
    """Read what the engine said and left behind."""
    progress, executed = _PROGRESS.findall(said), _EXECUTED.findall(said)
    edges, features = progress[-1] if progress else (0, 0)
    report = folder / "report.json"
    return Outcome(
        target=target,
        executed=int(executed[-1]) if executed else 0,
        edges=int(edges),
        features=int(features),
        report=json.loads(report.read_text("utf-8")) if report.exists() else {},
        found=tuple(sorted({*_found(folder)} - before)),
        status=status,
    )


def _found(folder: Path) -> list[Path]:
    return [*(folder / "found").glob("*-*")]


def _explain(failed: Outcome) -> None:
    """Say what to do about a failure."""
    log = (FOLDER / failed.target / "log").relative_to(environment.ROOT)
    print(f"\n{failed.target}: exit status {failed.status}; what was raised stands in {log}")
    for file in failed.found:
        print(f"    {file.relative_to(environment.ROOT)}")
    if failed.found:
        print(
            "Raise it again without the engine:  ./scripts/fuzz --replay FILE\n"
            "Then fix the code with a unit test that asserts the exact code, and keep the input:\n"
            f"    mkdir -p tests/fuzz/kept/{failed.target} && "
            f"cp FILE tests/fuzz/kept/{failed.target}/\n"
            "tests/properties/test_fuzz_targets.py judges every input that lies there."
        )


def main(arguments: list[str]) -> int:
    """Run the targets and print the table; 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="./scripts/fuzz", description=__doc__)
    parser.add_argument("seconds", nargs="?", type=int, default=600)
    parser.add_argument("targets", nargs="*", metavar="target", help=", ".join(TARGETS))
    parser.add_argument("--replay", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    unknown = {*options.targets} - {*TARGETS}
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    python = environment.prepare(["fuzz"], directory=".venv-fuzz")
    if options.replay is not None:
        return replay(python, options.replay.resolve())
    chosen = options.targets or TARGETS
    each, outcomes = max(1, options.seconds // len(chosen)), list[Outcome]()
    for target in chosen:
        print(f"{target}: {each} s …", flush=True)
        began = time.monotonic()
        outcomes.append(fuzz(python, target, each))
        print(f"{outcomes[-1].line()}  in {time.monotonic() - began:.0f} s", flush=True)
    for done in outcomes:
        if done.failed:
            _explain(done)
    executed = sum(done.executed for done in outcomes)
    print(f"\n{executed} executions, {sum(len(done.found) for done in outcomes)} found")
    return int(any(done.failed for done in outcomes))


def replay(python: Path, file: Path) -> int:
    """Judge one input again; its folder says which target it is for."""
    named = [part for part in reversed(file.parts) if part in TARGETS]
    if not named:
        sys.exit(f"{file} lies in no folder of {', '.join(TARGETS)}")
    command = [str(python), "-m", "tests.fuzz", named[0], str(file)]
    return subprocess.run(command, cwd=environment.ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
