"""The fake provider's demands on a token request, and its answers."""

from typing import Any

import pytest

from oidc_adapters.testing import FakeClient, FakeProvider
from oidc_core.wire.http import WireRequest

from .raw_client import (
    FORM,
    NOW,
    arrive,
    basic,
    claims_of,
    parsed,
    post_token,
    redeem,
    refresh,
    responded,
    userinfo,
    wire,
)


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider(id_token_alg="ES256")


def test_an_answer_is_not_to_be_stored(provider: FakeProvider) -> None:
    answer = responded(redeem(provider, arrive(provider)))

    assert answer.header("cache-control") == "no-store"
    tokens = parsed(answer)
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 300)
    assert tokens["scope"] == "openid profile email offline_access"


def test_without_offline_access_there_is_no_refresh_token(provider: FakeProvider) -> None:
    assert "refresh_token" not in parsed(redeem(provider, arrive(provider, scope="openid")))


@pytest.mark.parametrize(
    ("prompt", "granted"),
    [(None, False), ("login", False), ("consent", True), ("login consent", True)],
)
def test_offline_access_may_need_consent(prompt: str | None, granted: bool) -> None:
    """OIDC Core §11: without consent the scope is ignored, and the answer says what was granted."""
    needy = FakeProvider(id_token_alg="EdDSA", offline_access="with_consent")
    tokens = parsed(redeem(needy, arrive(needy, prompt=prompt)))
    assert ("refresh_token" in tokens) is granted
    assert ("offline_access" in str(tokens["scope"]).split()) is granted


def test_a_code_works_once_and_takes_its_tokens_along(provider: FakeProvider) -> None:
    callback = arrive(provider)
    tokens = parsed(redeem(provider, callback))

    assert parsed(redeem(provider, callback), 400)["error"] == "invalid_grant"
    assert parsed(refresh(provider, tokens["refresh_token"]), 400)["error"] == "invalid_grant"
    assert parsed(userinfo(provider, tokens["access_token"]), 401)["error"] == "invalid_token"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code": "another"}, "invalid_grant"),
        ({"code": ""}, "invalid_request"),
        ({"redirect_uri": "https://rp.example/callback?"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"code_verifier": 43 * "x"}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_code_needs_all_that_it_is_bound_to(
    provider: FakeProvider, changed: dict[str, Any], error: str
) -> None:
    assert parsed(redeem(provider, arrive(provider), **changed), 400)["error"] == error


@pytest.mark.parametrize(("age", "status"), [(59, 200), (60, 400)])
def test_a_code_is_over_in_time(provider: FakeProvider, age: int, status: int) -> None:
    assert responded(redeem(provider, arrive(provider), now=NOW + age)).status == status


def test_a_code_belongs_to_its_client() -> None:
    other = FakeClient(client_id="other")
    provider = FakeProvider(clients=(FakeClient(), other), id_token_alg="ES256")
    form = {"grant_type": "authorization_code", "code": arrive(provider).parameter("code") or ""}

    assert parsed(post_token(provider, form, basic(other)), 400)["error"] == "invalid_grant"


def test_a_refresh_token_belongs_to_its_client() -> None:
    other = FakeClient(client_id="other")
    provider = FakeProvider(clients=(FakeClient(), other), id_token_alg="ES256")
    token = parsed(redeem(provider, arrive(provider)))["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}

    assert parsed(post_token(provider, form, basic(other)), 400)["error"] == "invalid_grant"


def test_a_refreshed_id_token_is_of_the_same_login(provider: FakeProvider) -> None:
    first = parsed(redeem(provider, arrive(provider)))

    second = parsed(refresh(provider, first["refresh_token"]))

    before, after = claims_of(first["id_token"]), claims_of(second["id_token"])
    assert "nonce" not in after
    same = ("iss", "sub", "aud", "azp", "auth_time", "sid")
    assert [before[name] for name in same] == [after[name] for name in same]
    assert before["at_hash"] != after["at_hash"]


def test_a_refresh_may_give_no_id_token() -> None:
    provider = FakeProvider(id_token_alg="ES256", refresh_id_token=False)
    tokens = parsed(redeem(provider, arrive(provider)))

    renewed = parsed(refresh(provider, tokens["refresh_token"]))

    assert "id_token" not in renewed
    assert renewed["access_token"] != tokens["access_token"]


def test_a_spent_refresh_token_revokes_all(provider: FakeProvider) -> None:
    first = parsed(redeem(provider, arrive(provider)))
    second = parsed(refresh(provider, first["refresh_token"]))

    assert first["refresh_token"] != second["refresh_token"]
    assert parsed(refresh(provider, first["refresh_token"]), 400)["error"] == "invalid_grant"
    assert parsed(refresh(provider, second["refresh_token"]), 400)["error"] == "invalid_grant"
    assert parsed(userinfo(provider, second["access_token"]), 401)["error"] == "invalid_token"


def test_within_its_grace_a_refresh_token_is_taken_again() -> None:
    provider = FakeProvider(id_token_alg="EdDSA", refresh_grace=10)
    spent = parsed(redeem(provider, arrive(provider)))["refresh_token"]
    first = parsed(refresh(provider, spent))
    second = parsed(refresh(provider, spent, now=NOW + 9))

    assert first["refresh_token"] != second["refresh_token"]
    parsed(userinfo(provider, first["access_token"]))
    parsed(refresh(provider, first["refresh_token"]))
    assert parsed(refresh(provider, spent, now=NOW + 10), 400)["error"] == "invalid_grant"
    assert parsed(refresh(provider, second["refresh_token"]), 400)["error"] == "invalid_grant"


def test_a_refresh_may_narrow_the_scope_but_not_widen_it(provider: FakeProvider) -> None:
    token = parsed(redeem(provider, arrive(provider)))["refresh_token"]

    wide = parsed(refresh(provider, token, scope="openid phone"), 400)
    narrow = parsed(refresh(provider, token, scope="openid email"))

    assert wide["error"] == "invalid_scope"
    assert narrow["scope"] == "openid email"
    assert "name" not in parsed(userinfo(provider, narrow["access_token"]))


def token_request(provider: FakeProvider, body: bytes, *headers: tuple[str, str]) -> WireRequest:
    return wire("POST", f"{provider.issuer}/token", *headers, body=body)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"grant_type=x", ()),
        (b"grant_type=x", (("content-type", "application/json"),)),
        (b"grant_type=x&grant_type=x", (FORM,)),
        (b"grant_type", (FORM,)),
        (b"grant_type=%ff", (FORM,)),
        (b"grant_type=\xff", (FORM,)),
        (b"grant_type=x", (FORM, FORM)),
        (b"", (FORM, ("authorization", "Basic x"), ("authorization", "Basic x"))),
    ],
)
def test_a_form_must_be_one(
    provider: FakeProvider, body: bytes, headers: tuple[tuple[str, str], ...]
) -> None:
    request = token_request(provider, body, *headers)

    assert parsed(provider.answer(request, NOW), 400)["error"] == "invalid_request"
