"""The fake provider's settings."""

from typing import Any

import pytest

from oidc_adapters.testing import FakeClient, FakeProvider
from oidc_adapters.testing.misbehaviours import HONEST
from oidc_core.wire.errors import UsageError


@pytest.mark.parametrize(
    "setting",
    [
        {"misbehave": "no_such_thing"},
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


def test_secrets_are_not_shown() -> None:
    client = FakeClient(client_secret="canary")

    assert "canary" not in repr(FakeProvider(clients=(client,)))
