"""The moves of the world do what their names say, and the application lives through them."""

from __future__ import annotations

import pytest

from oidc_adapters.testing.applications.trouble_moves import OUTAGES
from tests.adapters.testing.applications.planted import FlaskMachine
from tests.adapters.testing.applications.test_login_moves import ALICE, BOB, machine, who

__all__ = ["machine"]


def statuses(machine: FlaskMachine) -> set[int]:
    return {visit.answer.status for visit in machine.book.visits}


def test_time_passes(machine: FlaskMachine) -> None:
    machine.log_in(browser=0, tab=0, user="alice")
    machine.wait(90_000)

    assert who(machine) == [None, None]


def test_cookies_are_lost(machine: FlaskMachine) -> None:
    machine.log_in(browser=0, tab=0, user="alice")
    machine.lose_cookies(browser=0, all_of_them=False)
    assert who(machine) == [ALICE, None]
    machine.lose_cookies(browser=0, all_of_them=True)
    assert who(machine) == [None, None]


def test_keys_are_rotated(machine: FlaskMachine) -> None:
    machine.log_in(browser=0, tab=0, user="alice")
    machine.rotate_keys(provider=0, keep_previous=False)
    machine.forget_at_provider(browser=0)
    machine.log_in(browser=1, tab=0, user="bob")

    assert who(machine) == [ALICE, BOB]


@pytest.mark.parametrize("what", OUTAGES)
def test_an_outage_ends_when_all_is_well(machine: FlaskMachine, what: str) -> None:
    machine.outage(what=what, provider=0)
    machine.log_in(browser=0, tab=0, user="alice")
    assert who(machine) == [None, None]
    assert 503 in statuses(machine)
    machine.all_is_well()
    machine.log_in(browser=0, tab=1, user="alice")
    assert who(machine) == [ALICE, None]


def test_a_hostile_provider_logs_nobody_in(machine: FlaskMachine) -> None:
    for name in ("alg_none", "wrong_nonce", "access_token_not_a_string"):
        machine.misbehave(provider=0, name=name)
        machine.log_in(browser=0, tab=0, user="alice")
        assert who(machine) == [None, None]

    assert {400, 502} <= statuses(machine)


@pytest.mark.parametrize("by_session", [False, True])
def test_a_logout_elsewhere_signs_out(machine: FlaskMachine, by_session: bool) -> None:
    machine.log_in(browser=0, tab=0, user="alice")
    machine.wait(5)
    machine.log_out_elsewhere(browser=1, provider=0, user="bob", by_session=True)
    assert who(machine) == [ALICE, None]
    machine.log_out_elsewhere(browser=0, provider=0, user="alice", by_session=by_session)

    assert (who(machine), machine.browsers[0].identities) == ([None, None], {})


def test_a_forged_logout_signs_nobody_out(machine: FlaskMachine) -> None:
    machine.log_in(browser=0, tab=0, user="alice")
    machine.misbehave(provider=0, name="logout_alg_none")
    machine.log_out_elsewhere(browser=0, provider=0, user="alice", by_session=False)

    assert who(machine) == [ALICE, None]
