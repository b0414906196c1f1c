"""Clients, users and what their browsers bring."""

from typing import Any

import pytest

from oidc_adapters.testing import ALICE, BOB, AuthorizationResponse, FakeClient, FakeUser
from oidc_core.wire.errors import UsageError

QUERY = AuthorizationResponse(
    redirect_uri="https://rp.example/cb",
    mode="query",
    parameters=(("code", "a b"), ("state", "x"), ("state", "y")),
    session=None,
)


def test_a_callback_keeps_what_is_repeated() -> None:
    assert QUERY.url == "https://rp.example/cb?code=a+b&state=x&state=y"
    assert (QUERY.parameter("state"), QUERY.parameter("iss")) == ("x", None)
    assert QUERY.form is None


def test_claims_do_not_change() -> None:
    given: dict[str, object] = {"name": "Carol"}
    user = FakeUser(sub="carol", claims=given)
    claims: Any = user.claims

    given["name"] = "Dave"
    assert user.claims["name"] == "Carol"
    with pytest.raises(TypeError):
        claims["name"] = "Dave"


def test_two_users_are_known_by_default() -> None:
    assert (ALICE.sub, BOB.sub) == ("alice", "bob")
    assert FakeUser(sub="carol").claims == {}


def test_no_secret_is_shown() -> None:
    assert "canary" not in repr(FakeClient(client_secret="canary"))
    assert "a b" not in repr(QUERY)


def test_a_public_client_is_not_excused_from_pkce() -> None:
    with pytest.raises(UsageError, match="config_invalid") as refused:
        FakeClient(token_endpoint_auth_method="none", require_pkce=False)

    assert refused.value.about == "require_pkce"
    assert FakeClient(require_pkce=False).require_pkce is False


def test_complete_users_differ() -> None:
    carol, dave = FakeUser.complete(), FakeUser.complete("dave")

    assert (carol.sub, carol.claims["email"]) == ("carol", "carol@people.example")
    assert dave.claims["preferred_username"] == "dave"
