"""Endpoints that fail on demand."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_adapters.testing import FakeProvider
from oidc_adapters.testing.failures import BACK_CHANNEL, BackChannel, Failure
from oidc_core.wire.errors import TransportFailure, UsageError
from oidc_core.wire.http import HttpResponse, NoAnswer
from tests.flows.rig import new_rig
from tests.parties import refused
from tests.refreshing import refreshed

from .raw_client import NOW, arrive, fetch, logged_in, parsed, redeem, refresh, userinfo

PATHS: dict[BackChannel, str] = {
    "discovery": "/.well-known/openid-configuration",
    "keys": "/jwks",
    "token": "/token",
    "userinfo": "/userinfo",
    "revocation": "/revoke",
}


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider(id_token_alg="EdDSA")


def test_every_endpoint_of_the_back_channel_may_fail(provider: FakeProvider) -> None:
    assert PATHS.keys() == BACK_CHANNEL
    for name, path in PATHS.items():
        before = fetch(provider, path)
        provider.fail_next(name)
        failed, after = fetch(provider, path), fetch(provider, path)

        assert isinstance(failed, HttpResponse)
        assert (failed.status, failed.body) == (503, b'{"error":"server_error"}')
        assert before == after


def test_failures_come_one_after_another(provider: FakeProvider) -> None:
    provider.fail_next("keys", 500, times=2)
    provider.fail_next("keys", None)
    provider.fail_next("keys", 429, error="")

    answers = [fetch(provider, "/jwks") for _ in range(5)]

    told = [each.status if isinstance(each, HttpResponse) else each.code for each in answers]
    assert told == [500, 500, "http_malformed", 429, 200]
    assert Failure(status=400, error="", acts=False).answer(NOW) == HttpResponse(400, (), b"", NOW)


def test_an_answer_may_be_lost_after_the_deed(provider: FakeProvider) -> None:
    code, first = arrive(provider), logged_in(provider)["refresh_token"]
    provider.fail_next("token", None, times=2, acts=True)

    assert isinstance(redeem(provider, code), NoAnswer)
    assert isinstance(refresh(provider, first), NoAnswer)
    assert parsed(redeem(provider, code), 400)["error"] == "invalid_grant"
    assert parsed(refresh(provider, first), 400)["error"] == "invalid_grant"


def test_a_failure_before_the_deed_leaves_everything(provider: FakeProvider) -> None:
    code = arrive(provider)
    provider.fail_next("token", None)

    assert isinstance(redeem(provider, code), NoAnswer)
    assert parsed(redeem(provider, code))["token_type"] == "Bearer"


@pytest.mark.parametrize(
    ("name", "status", "about"), [("authorize", 500, "name"), ("token", 200, "status")]
)
def test_what_cannot_fail_is_refused(
    provider: FakeProvider, name: Any, status: int, about: str
) -> None:
    error = refused(UsageError, "parameter_invalid", lambda: provider.fail_next(name, status))

    assert error.about == about


def test_a_client_logs_in_after_an_outage() -> None:
    rig = new_rig()
    tokens = rig.log_in().logged_in.tokens
    rig.provider.fail_next("token", None)

    refused(TransportFailure, "refresh_in_doubt", lambda: refreshed(rig.client, tokens))
    assert refreshed(rig.client, tokens).tokens.subject == "alice"


def test_users_come_and_change_and_go(provider: FakeProvider) -> None:
    tokens = logged_in(provider)
    provider.change_claims("alice", {"email": "new@op.example", "name": None, "locale": "fr"})

    said = parsed(userinfo(provider, tokens["access_token"]))
    assert (said["email"], said["locale"], "name" in said) == ("new@op.example", "fr", False)
    assert said["given_name"] == "Alice"

    code = arrive(provider)
    provider.remove_user("alice")
    assert parsed(userinfo(provider, tokens["access_token"]), 401)["error"] == "invalid_token"
    assert parsed(refresh(provider, tokens["refresh_token"]), 400)["error"] == "invalid_grant"
    assert parsed(redeem(provider, code), 400)["error"] == "invalid_grant"
