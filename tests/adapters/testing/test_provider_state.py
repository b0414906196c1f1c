"""The fake provider's settings."""

import json
from typing import Any

import pytest

from oidc_adapters.testing import MISBEHAVIOURS, FakeClient, FakeProvider, Misbehaviour
from oidc_adapters.testing.misbehaviours import HONEST, Changes
from oidc_core.wire.errors import UsageError

from .raw_client import arrive, claims_of, redeem, responded


@pytest.mark.parametrize(
    "setting",
    [
        {"misbehave": "no_such_thing"},
        {"misbehave": ("wrong_nonce", "no_such_thing")},
        {"misbehave": 7},
        {"id_token_alg": "none"},
        {"issuer": "ftp://op.example"},
        {"issuer": "https://op.example?x"},
        {"issuer": "https:///x"},
    ],
)
def test_a_wrong_setting_is_refused_at_once(setting: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="config_invalid"):
        FakeProvider(**setting)


def test_algorithms_in_use_are_named_once() -> None:
    provider = FakeProvider(
        id_token_alg="ES256",
        clients=(
            FakeClient(),
            FakeClient(id_token_signed_response_alg="PS256"),
            FakeClient(userinfo_signed_response_alg="ES256"),
        ),
    )

    assert provider.signing_algs() == ("ES256", "PS256")


def test_a_provider_errs_only_where_its_misbehaviour_does() -> None:
    provider = FakeProvider(misbehave="refresh_other_sub")

    assert provider.changes("token") == HONEST
    assert provider.changes("token", refreshing=True) != HONEST
    assert FakeProvider().changes("token", refreshing=True) == HONEST


OWN = Misbehaviour(
    name="own",
    endpoint="token",
    during="login",
    code="aud_mismatch",
    summary="names an audience of its own",
    changes=Changes(id_token=lambda draft: draft.with_claims(aud="own").signed()),
)


def test_a_provider_misbehaves_in_several_ways() -> None:
    provider = FakeProvider(misbehave=["wrong_nonce", OWN, "wrong_iss", "refresh_other_sub"])

    names = [row.name for row in provider.misbehaviours]
    assert names == ["wrong_nonce", "own", "wrong_iss", "refresh_other_sub"]
    token = str(json.loads(responded(redeem(provider, arrive(provider))).body)["id_token"])
    assert (claims_of(token)["nonce"], claims_of(token)["aud"]) == ("another-nonce", "own")
    assert claims_of(token)["sub"] == "alice"
    assert arrive(provider).parameter("iss") == "https://other.example"


def test_an_own_row_changes_no_table() -> None:
    before = dict(MISBEHAVIOURS)
    provider = FakeProvider(misbehave=OWN)

    assert provider.misbehaviours == (OWN,)
    assert before == MISBEHAVIOURS
    assert FakeProvider(misbehave=()).misbehaviours == FakeProvider().misbehaviours == ()


def test_secrets_are_not_shown() -> None:
    client = FakeClient(client_secret="canary")

    assert "canary" not in repr(FakeProvider(clients=(client,)))
