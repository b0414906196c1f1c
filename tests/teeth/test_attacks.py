"""Each defence alone against the attacker: without it the attack is found, with it nothing breaks.

``python -m tests.teeth`` tries ten seeds, and prints the table of the page about threats.
"""

import pytest

from tests.teeth.__main__ import row
from tests.teeth.attacking import Outcome, alone, attacked, with_one_back, without
from tests.teeth.defences import DEFENCES, NAMED, Defence

EACH = pytest.mark.parametrize("defence", DEFENCES, ids=lambda defence: defence.name)
BACK = [
    pytest.param(defence, name, id=f"{defence.name}, {name}")
    for defence in DEFENCES
    for name, _ in with_one_back(defence)
]
MOST = 2_000
FEW = 40


def test_a_check_that_is_missing_is_found() -> None:
    defence = NAMED["single use"]

    (found,) = attacked(defence, without(defence), seeds=[0], examples=100)

    assert found is not None
    assert found.invariant == "single use"


@pytest.mark.slow
@EACH
def test_without_the_defence_the_attacker_gets_through(defence: Defence) -> None:
    (found,) = attacked(defence, without(defence), seeds=[2], examples=MOST)

    assert found is not None
    assert found.invariant in defence.invariants


@pytest.mark.slow
@EACH
def test_with_the_defence_alone_nothing_breaks(defence: Defence) -> None:
    assert attacked(defence, alone(defence), seeds=[2], examples=FEW) == [None]


@pytest.mark.slow
@pytest.mark.parametrize(("defence", "name"), BACK)
def test_each_check_of_the_set_stops_the_attack(defence: Defence, name: str) -> None:
    stand = dict(with_one_back(defence))[name]

    assert attacked(defence, stand, seeds=[2], examples=FEW) == [None]


def test_a_row_of_the_table_says_what_was_found() -> None:
    found = [Outcome(3, "single use", "twice"), None, Outcome(7, "single use", "twice")]

    assert row(NAMED["single use"], found) == (
        "| single use | cookie cleared | a callback that is opened again | single use | 2 of 3"
        " | 3, 5, 7 |"
    )
