"""The table of misbehaviours as a whole."""

import pytest

from oidc_adapters.testing import MISBEHAVIOURS, FakeProvider
from oidc_adapters.testing.misbehaviours import (
    Changes,
    authorization,
    discovery,
    encryption,
    id_token,
    jwt_claims,
    jwt_forms,
    key_confusion,
    key_set_members,
    keys,
    logout,
    metadata_members,
    refresh,
    token,
    token_members,
    userinfo,
    userinfo_members,
)
from oidc_core.wire.codes import CODES
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse

from .misbehaviours.wire import PLAIN, wire_of
from .raw_client import STATE, arrive


def test_no_name_is_taken_twice() -> None:
    modules = (
        discovery, metadata_members, authorization, token, token_members, id_token, jwt_forms,
        jwt_claims, key_confusion, encryption, keys, key_set_members, userinfo, userinfo_members,
        refresh, logout,
    )  # fmt: skip
    names = [row.name for module in modules for row in module.ROWS]

    assert names == list(MISBEHAVIOURS)
    assert len(set(names)) > 300


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_a_row_has_a_code_of_the_table_and_a_summary(name: str) -> None:
    row = MISBEHAVIOURS[name]

    assert row.name == name
    assert row.code in CODES
    assert row.summary
    assert not row.summary.endswith(".")
    assert row.changes != Changes()


def test_a_misbehaviour_can_begin_and_end_between_requests() -> None:
    provider = FakeProvider(id_token_alg="EdDSA")

    provider.misbehave = "wrong_state"
    assert arrive(provider).parameter("state") != STATE
    provider.misbehave = None
    assert arrive(provider).parameter("state") == STATE
    with pytest.raises(UsageError, match="misbehave"):
        provider.misbehave = "no_such_thing"


def test_a_form_comes_back_as_a_query_too() -> None:
    provider = FakeProvider(misbehave="other_response_mode")

    assert arrive(provider, response_mode="form_post").mode == "query"


def test_honest_answers_are_the_same_twice() -> None:
    assert wire_of(None) == PLAIN
    assert isinstance(PLAIN.token, HttpResponse)
