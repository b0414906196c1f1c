"""Runs attacks in subprocesses: without a defence, with it alone, and with one more check."""

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.teeth.defences import Defence, Setting

ROOT: Final = Path(__file__).parents[2]
_PATIENCE: Final = 3_600


class Outcome(NamedTuple):
    """What one search found, after how many examples."""

    examples: int
    invariant: str
    why: str


class Stand(NamedTuple):
    """Which checks are emptied, and what the provider does less.

    Attributes:
        emptied: names of checks.
        weaker: settings of the provider.
    """

    emptied: tuple[str, ...]
    weaker: tuple[Setting, ...]


def without(defence: Defence) -> Stand:
    """Return the stand in which the defence is missing, too."""
    emptied = (*defence.others, *defence.checks)
    return Stand(emptied, (*defence.weaker, *defence.weaker_without))


def alone(defence: Defence) -> Stand:
    """Return the stand in which the defence is the only one."""
    return Stand(defence.others, defence.weaker)


def with_one_back(defence: Defence) -> Iterable[tuple[str, Stand]]:
    """Yield each stand without the defence in which one of the others is back, with its name."""
    stand = without(defence)
    for name in defence.others:
        yield name, stand._replace(emptied=tuple([each for each in stand.emptied if each != name]))
    for setting in defence.weaker:
        left = tuple([each for each in stand.weaker if each != setting])
        yield f"{setting[0]} at the provider", stand._replace(weaker=left)


def attacked(
    defence: Defence, stand: Stand, *, seeds: Sequence[int], examples: int
) -> list[Outcome | None]:
    """Search with each seed; return what was found, ``None`` where nothing broke."""
    job = {
        "defence": defence.name,
        "emptied": stand.emptied,
        "weaker": stand.weaker,
        "seeds": [*seeds],
        "examples": examples,
    }
    command = [sys.executable, "-m", "tests.teeth.subject", json.dumps(job)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_PATIENCE
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [None if line is None else Outcome(*line) for line in lines]
