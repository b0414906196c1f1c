"""A login at the fake provider: each misbehaviour is refused with its code."""

import pytest

from oidc_adapters.cli.fake_login import CLIENT_ID, fake_login
from oidc_adapters.cli.step_list import StepList
from oidc_adapters.testing import MISBEHAVIOURS
from oidc_core.wire.errors import OidcError

from .worlds import NOW, Stage


def test_an_honest_provider_logs_somebody_in() -> None:
    steps = StepList()

    logged_in = fake_login(None, Stage().world, steps)

    assert (logged_in.identity.subject, logged_in.id_token.aud) == ("alice", (CLIENT_ID,))
    assert logged_in.id_token.iat == NOW
    assert logged_in.claims["email"] == "alice@op.example"
    told = [step["step"] for step in steps.steps]
    assert told == ["discovery", "authorization", "callback", "token", "key_set", "userinfo"]
    assert [one["of"] for one in steps.checks] == [
        "authorization_response",
        "id_token",
        "userinfo",
    ]


def one_of_each_kind() -> list[str]:
    """Name one misbehaviour for each need and operation; the demo's own tests take them all."""
    kinds = {(row.needs, row.during): name for name, row in MISBEHAVIOURS.items()}
    return list(kinds.values())


@pytest.mark.parametrize("name", one_of_each_kind())
def test_a_misbehaviour_is_refused_with_its_code(name: str) -> None:
    steps = StepList()

    with pytest.raises(OidcError) as refused:
        fake_login(name, Stage().world, steps)

    row = MISBEHAVIOURS[name]
    assert refused.value.code == row.code
    last = {"discovery": "discovery", "userinfo": "userinfo", "refresh": "refresh"}
    told = [str(step["step"]) for step in steps.steps]
    assert row.during not in last or last[row.during] in told
