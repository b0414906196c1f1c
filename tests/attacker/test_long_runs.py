"""Nothing that the attacker does breaks an invariant, in thousands of runs."""

from __future__ import annotations

import pytest

from oidc_adapters.testing.attackers.machine import LONG_RUNS
from tests.attacker.reached import HONEST_LOGIN, REACHED
from tests.attacker.running import attack, table


@pytest.mark.slow
@pytest.mark.parametrize("part", range(2))
def test_no_attack_succeeds_in_long_runs(part: int) -> None:
    counts = attack(1_000, 100 * part)

    print(table(counts))
    assert counts[LONG_RUNS] >= 1_000
    assert counts[HONEST_LOGIN] >= 0.3 * counts[LONG_RUNS]
    assert REACHED - counts.keys() == set()


def test_no_attack_succeeds_in_a_few_runs() -> None:
    counts = attack(30, 7)

    assert counts[LONG_RUNS] >= 30
    assert counts[HONEST_LOGIN] >= 0.3 * counts[LONG_RUNS]
