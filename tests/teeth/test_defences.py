"""The table of defences is complete, and names only what there is."""

import pytest

from tests.teeth.attacking import alone, with_one_back, without
from tests.teeth.checks import CHECKS
from tests.teeth.defences import DEFENCES, NAMED, Defence
from tests.teeth.hunting import MOVES, Hunter

DEMANDED = {
    "state",
    "browser binding",
    "nonce",
    "PKCE",
    "issuer",
    "signature",
    "audience",
    "key selection",
    "at_hash",
    "single use",
    "expiry",
    "redirect_uri",
    "UserInfo sub",
    "logout token",
    "ended session",
}

EACH = pytest.mark.parametrize("defence", DEFENCES, ids=lambda defence: defence.name)


def test_every_defence_is_in_the_table_once() -> None:
    assert {name.partition(",")[0] for name in NAMED} == DEMANDED
    assert len(NAMED) == len(DEFENCES)


@EACH
def test_a_defence_is_made_of_checks_that_there_are(defence: Defence) -> None:
    assert {*defence.checks, *defence.others} <= {*CHECKS}
    assert not {*defence.checks} & {*defence.others}
    assert defence.checks or defence.weaker_without
    assert defence.invariants


@EACH
def test_an_attack_is_made_of_moves_that_there_are(defence: Defence) -> None:
    for name in defence.moves:
        assert any(hasattr(kind, name) for kind in (*MOVES, Hunter)), name


def test_no_check_is_there_in_vain() -> None:
    used = {name for defence in DEFENCES for name in (*defence.checks, *defence.others)}

    assert {*CHECKS} == used


def test_the_stands_differ_by_the_defence_and_by_one_other_check() -> None:
    state = NAMED["state"]

    assert {*without(state).emptied} - {*alone(state).emptied} == {"state"}
    assert [name for name, _ in with_one_back(state)] == [
        "look-up by state",
        "nonce",
        "pkce at the provider",
    ]
    for name, stand in with_one_back(state):
        assert "state" in stand.emptied
        assert name not in stand.emptied
    assert without(NAMED["PKCE"]).weaker == (("pkce", "ignored"),)
    assert alone(NAMED["PKCE"]).weaker == ()
