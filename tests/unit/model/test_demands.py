"""The demands of a login on its tokens."""

import copy
import pickle
from typing import Any

import pytest
from attrs import evolve, fields
from attrs.exceptions import FrozenInstanceError

from oidc_core.model.demands import EXPECT_NO_NONCE, Demands, NoNonce, check_resources
from oidc_core.wire.errors import UsageError

LEAST = Demands(nonce="a-nonce", started_at=1)
MOST = Demands(
    nonce="a-nonce",
    started_at=1,
    max_age=2,
    required_acr=("gold",),
    essential_claims=("auth_time",),
    sub="a-user",
    sub_iss="https://op.example/t1",
    scope="openid email",
    resource=("https://api.example",),
)


def test_a_login_demands_its_nonce_and_nothing_else_unless_that_is_said() -> None:
    assert (LEAST.nonce, LEAST.started_at, LEAST.max_age) == ("a-nonce", 1, None)
    assert (LEAST.required_acr, LEAST.essential_claims, LEAST.resource) == ((), (), ())
    assert (LEAST.sub, LEAST.sub_iss, LEAST.scope) == (None, None, "")


@pytest.mark.parametrize("given", [{}, {"nonce": "a"}, {"started_at": 1}])
def test_nonce_and_time_have_no_default(given: dict[str, Any]) -> None:
    """Who wants no nonce has to say so."""
    with pytest.raises(TypeError, match="missing"):
        Demands(**given)


def test_that_no_nonce_was_sent_is_a_value_of_its_own() -> None:
    assert EXPECT_NO_NONCE is NoNonce.EXPECTED
    assert [*NoNonce] == [EXPECT_NO_NONCE]
    nonces: tuple[object, ...] = ("", "no nonce", None)
    assert EXPECT_NO_NONCE not in nonces
    for twin in (pickle.loads(pickle.dumps(EXPECT_NO_NONCE)), copy.deepcopy(EXPECT_NO_NONCE)):
        assert twin is EXPECT_NO_NONCE


@pytest.mark.parametrize("resource", ["", "/api", "https://api.example/#f", "a b:c", "urn:é"])
def test_a_resource_is_an_absolute_uri_without_a_fragment(resource: str) -> None:
    check_resources(("https://api.example/a?b", "urn:x:y"))
    with pytest.raises(UsageError) as caught:
        check_resources(("urn:x", resource))
    assert (caught.value.code, caught.value.about) == ("parameter_invalid", "resource")


def test_demands_are_a_value_that_nobody_changes() -> None:
    for attribute in fields(Demands):
        with pytest.raises(FrozenInstanceError):
            setattr(MOST, attribute.name, None)
    assert evolve(MOST) == MOST
    assert hash(evolve(MOST)) == hash(MOST)
    assert pickle.loads(pickle.dumps(MOST)) == MOST


def test_neither_the_nonce_nor_the_user_is_printed() -> None:
    assert "a-nonce" not in repr(MOST)
    assert "a-user" not in repr(MOST)
    assert "openid email" in repr(MOST)
