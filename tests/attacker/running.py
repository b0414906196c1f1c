"""Runs the attacker machine until enough long runs have come to their end."""

from __future__ import annotations

from collections import Counter
from typing import Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from oidc_adapters.testing.attackers import AttackerMachine
from oidc_adapters.testing.attackers.machine import LONG_RUNS

STEPS: Final = 34
_AT_ONCE: Final = 500


def attack(
    runs: int, first_seed: int, kind: type[AttackerMachine] = AttackerMachine
) -> Counter[str]:
    """Make so many runs of 30 steps or more; return in how many each thing has happened."""
    counts, number = Counter[str](), first_seed
    while counts[LONG_RUNS] < runs:
        counted: type[AttackerMachine] = type("Counted", (kind,), {"counts": Counter[str]()})
        wanted = min(_AT_ONCE, runs - counts[LONG_RUNS] + 5)
        run_state_machine_as_test(seed(number)(counted), settings=_settings(wanted))
        counts.update(counted.counts)
        number += 1
    return counts


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def table(counts: Counter[str]) -> str:
    """Return the counts, a line each."""
    return "\n".join(f"{counts[name]:7} {name}" for name in sorted(counts))
