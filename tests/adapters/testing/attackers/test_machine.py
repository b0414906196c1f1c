"""The machine: a subclass with further rules and invariants, its settings, its counts."""

from __future__ import annotations

import pickle
from collections import Counter
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.testing.attackers import AttackerMachine, AttackSettings, Call, Flaw, History
from oidc_adapters.testing.attackers.machine import LONG_RUNS, RUNS, InvariantBroken

FEW = settings(
    max_examples=15,
    stateful_step_count=34,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def run(kind: type[AttackerMachine], how: settings = FEW) -> None:
    run_state_machine_as_test(seed(3)(kind), settings=how)


def test_own_rules_and_invariants_are_run() -> None:
    class Own(AttackerMachine):
        counts: ClassVar[Counter[str]] = Counter()
        seen: ClassVar[Counter[str]] = Counter()

        @rule()
        def own_rule(self) -> None:
            self.seen["rule"] += 1

        @invariant()
        def own_invariant(self) -> None:
            self.seen["invariant"] += bool(self.world.history.client_ids)

    run(Own)

    assert Own.seen["rule"] > 0
    assert Own.seen["invariant"] >= 30 * Own.counts[LONG_RUNS] > 0


def test_the_users_settings_count() -> None:
    class Own(AttackerMachine):
        counts: ClassVar[Counter[str]] = Counter()

    case = Own.TestCase
    case.settings = settings(FEW, max_examples=3, stateful_step_count=5)
    case().runTest()

    assert (Own.counts[RUNS] >= 3, Own.counts[LONG_RUNS]) == (True, 0)


def test_a_broken_invariant_is_named_with_a_trace() -> None:
    class Strict(AttackerMachine):
        def judged(self, history: History, call: Call) -> Flaw | None:
            return Flaw("no start", "a login was begun") if call.kind == "start" else None

    with pytest.raises(InvariantBroken) as caught:
        run(Strict)

    error = caught.value
    assert (error.invariant, error.why) == ("no start", "a login was begun")
    assert "calls start" in error.trace
    assert str(error).startswith("no start: a login was begun\n")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_the_application_is_made_as_the_settings_say() -> None:
    stores: list[str] = []

    class Own(AttackerMachine):
        attack = AttackSettings(layouts=("query differs",), stores=("cookie",), first_logins=0)

        def pending(self, store: str, records: Any) -> Any:
            stores.append(store)
            return MemoryPendingLogins()

    run(Own)

    assert {*stores} == {"cookie"}
