"""The law as something that a user runs against an own policy."""

from typing import Final

import pytest

from oidc_adapters.testing import MISBEHAVIOURS, Misbehaviour
from oidc_adapters.testing.laws import LawReport, Outcome, check_law
from oidc_adapters.testing.misbehaviours import ODD_BUT_LEGAL, Changes
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import DEFAULT_POLICY, Policy
from oidc_core.wire.errors import UsageError

CLIENT: Final = ClientRegistration(
    client_id="client", redirect_uris=("https://rp.example/callback",)
)
FEW: Final = tuple(MISBEHAVIOURS[name] for name in ("wrong_state", "no_nonce", "expired"))


def test_a_policy_of_ones_own_keeps_the_law() -> None:
    report = check_law(Policy(name="own", leeway=0), CLIENT, rows=FEW)

    assert report.broken == ()
    assert [outcome.code for outcome in report.outcomes] == [
        None,
        "state_unknown",
        "nonce_missing",
        "exp_expired",
    ]
    assert str(report).splitlines() == [
        "0 of 4 broken",
        "an honest provider: accepted",
        "wrong_state: refused with state_unknown",
        "no_nonce: refused with nonce_missing",
        "expired: refused with exp_expired",
    ]


def test_what_a_quirk_excuses_is_listed() -> None:
    report = check_law(Policy(quirks={"nonce_not_echoed"}), CLIENT, rows=FEW)

    assert report.broken == ()
    assert report.spared == (report.of("no_nonce"),)
    assert report.of("no_nonce").code is None
    with pytest.raises(LookupError):
        report.of("no_state")


def test_a_broken_law_is_found() -> None:
    harmless = Misbehaviour(
        name="harmless",
        endpoint="token",
        during="login",
        code="token_response_invalid",
        summary="adds a member that nobody reads",
        changes=Changes(tokens=lambda members: {**members, "x": 1}),
    )

    report = check_law(DEFAULT_POLICY, CLIENT, rows=(*FEW, harmless), together=2)

    assert [outcome.names for outcome in report.broken] == [("harmless",)]
    expected = "harmless: accepted; expected: token_response_invalid"
    assert str(report).splitlines() == ["1 of 11 broken", expected]


def test_an_honest_provider_that_is_refused_breaks_the_law() -> None:
    outcome = Outcome(names=(), applies=True, expected=(), code="iss_mismatch")

    assert LawReport(outcomes=(outcome,)).broken == (outcome,)


def test_only_independent_misbehaviours_are_tried_together() -> None:
    rows = tuple(
        MISBEHAVIOURS[name] for name in ("no_nonce", "wrong_nonce", "wrong_state", "token_500")
    )

    report = check_law(DEFAULT_POLICY, CLIENT, rows=rows, together=3)

    assert report.broken == ()
    assert [outcome.names for outcome in report.outcomes[5:]] == [
        ("no_nonce", "wrong_state"),
        ("no_nonce", "token_500"),
        ("wrong_nonce", "wrong_state"),
        ("wrong_nonce", "token_500"),
        ("wrong_state", "token_500"),
        ("no_nonce", "wrong_state", "token_500"),
        ("wrong_nonce", "wrong_state", "token_500"),
    ]


def test_not_more_than_so_many_are_tried() -> None:
    report = check_law(DEFAULT_POLICY, CLIENT, together=2, at_most=20)

    assert len(report.outcomes) == 1 + len(MISBEHAVIOURS) + len(ODD_BUT_LEGAL) + 20
    assert report.broken == ()


def test_another_number_is_refused() -> None:
    with pytest.raises(UsageError, match="together"):
        check_law(DEFAULT_POLICY, CLIENT, together=4)
