"""The command for long runs: ``python -m tests.attacker --runs 20000 --seed 0 --processes 2``.

It makes so many runs of 30 steps or more, with all defences on, and prints how many of them reached
what.  It fails at the first violation, with its trace.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from time import monotonic

from oidc_adapters.testing.attackers.machine import LONG_RUNS
from tests.attacker.reached import HONEST_LOGIN, REACHED
from tests.attacker.running import attack, table

PART = 500
"""Runs of one task."""


def main() -> int:
    """Make the runs."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacker", description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    began, counts = monotonic(), Counter[str]()
    sizes = [min(PART, given.runs - done) for done in range(0, given.runs, PART)]
    seeds = [given.seed + 1_000 * number for number in range(len(sizes))]
    with ProcessPoolExecutor(given.processes) as pool:
        for each in pool.map(attack, sizes, seeds):
            counts.update(each)
            print(f"{counts[LONG_RUNS]} long runs, {monotonic() - began:.0f} s", flush=True)
    print(table(counts))
    print(f"{100 * counts[HONEST_LOGIN] // counts[LONG_RUNS]} % complete an honest login")
    missing = sorted(REACHED - counts.keys())
    if missing:
        print("never reached:", ", ".join(missing))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
