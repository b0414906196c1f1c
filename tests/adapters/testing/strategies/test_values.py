from __future__ import annotations

import json

from hypothesis import given, settings

from oidc_adapters.testing.samples import NOW, SampleClock
from oidc_adapters.testing.strategies import clocks, interleavings, json_objects, json_values

FEW = settings(max_examples=15)
TABS = {"first": ("start", "finish"), "second": ("start", "ask", "finish")}
Order = tuple[tuple[str, str], ...]


@FEW
@given(json_values(), json_objects())
def test_json_is_json(value: object, members: dict[str, object]) -> None:
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert json.loads(json.dumps(members, allow_nan=False)) == members


@FEW
@given(clocks(), clocks(start=5, most=1, backwards=False))
def test_clocks_are_as_they_were_asked_for(any_clock: SampleClock, forward: SampleClock) -> None:
    assert any_clock.start == NOW
    assert len(any_clock.jumps) <= 8
    assert forward.start == 5
    assert len(forward.jumps) <= 1
    assert min(forward.jumps, default=0) >= 0


def of(tab: str, order: Order) -> list[str]:
    return [step for taken, step in order if taken == tab]


@FEW
@given(interleavings(TABS))
def test_each_tab_keeps_its_own_order(order: Order) -> None:
    assert {tab: tuple(of(tab, order)) for tab in TABS} == TABS


@FEW
@given(interleavings(TABS, abandon=True))
def test_a_tab_may_be_left(order: Order) -> None:
    for tab, steps in TABS.items():
        taken = of(tab, order)
        assert tuple(taken) == steps[: len(taken)]


@FEW
@given(interleavings(TABS, repeat=True))
def test_a_step_may_be_taken_twice_in_a_row(order: Order) -> None:
    for tab, steps in TABS.items():
        taken = of(tab, order)
        assert tuple(dict.fromkeys(taken)) == steps
        assert all(taken.count(step) <= 2 for step in steps)
        assert taken == sorted(taken, key=steps.index)
