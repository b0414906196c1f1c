from __future__ import annotations

import pytest
from hypothesis import given, settings

from oidc_adapters.testing import Misbehaviour
from oidc_adapters.testing.misbehaviours import During
from oidc_adapters.testing.strategies import misbehaviours
from oidc_core import Policy, UsageError
from tests.parties import refused

FEW = settings(max_examples=15)
Rows = tuple[Misbehaviour, ...]


@FEW
@given(misbehaviours(), misbehaviours(most=3), misbehaviours(during=["refresh"]))
def test_rows_are_as_they_were_asked_for(one: Rows, several: Rows, refreshing: Rows) -> None:
    assert len(one) == len(refreshing) == 1
    assert 1 <= len(several) <= 3
    assert len({row.endpoint for row in several}) == len(several)
    assert {row.needs for row in (*one, *several)} == {""}
    assert refreshing[0].during == "refresh"


@FEW
@given(
    misbehaviours(Policy(), most=4), misbehaviours(Policy(userinfo="required"), during=["userinfo"])
)
def test_a_policy_leaves_out_what_does_not_matter_to_it(rows: Rows, userinfo: Rows) -> None:
    assert all(row.during != "userinfo" or row.contradicts for row in rows)
    assert userinfo[0].during == "userinfo"


@FEW
@given(misbehaviours(during=["login"], needs=["acr"]))
def test_what_the_client_has_asked_for_can_be_broken(rows: Rows) -> None:
    assert rows[0].needs in {"", "acr"}


def test_there_has_to_be_one_to_draw() -> None:
    policy = Policy(userinfo="never")

    refusal = refused(
        UsageError, "config_invalid", lambda: misbehaviours(policy, during=["userinfo"])
    )
    assert refusal.about == "during"


@pytest.mark.parametrize("during", ["discovery", "login", "logout"])
def test_each_operation_has_some(during: During) -> None:
    assert misbehaviours(during=[during]) is not None
