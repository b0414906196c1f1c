"""Fake providers that differ without a fault."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from oidc_adapters.testing import Dialect, FakeClient, FakeProvider, FakeUser, RequestRefused
from oidc_adapters.testing.dialect import PLAIN, as_dialect
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse

from .raw_client import (
    NOW,
    VERIFIER,
    arrive,
    assertion,
    basic,
    claims_of,
    fetch,
    logged_in,
    parsed,
    post_token,
    redeem,
    userinfo,
    wire,
)


def speaking(**dialect: Any) -> FakeProvider:
    return FakeProvider(id_token_alg="EdDSA", dialect=Dialect(**dialect))


def error_of(provider: FakeProvider, **changed: Any) -> str | None:
    return arrive(provider, **changed).parameter("error")


@pytest.mark.parametrize(
    ("dialect", "about"),
    [
        ({"pkce": "optional"}, "pkce"),
        ({"assertion_audience": "both"}, "assertion_audience"),
        ({"metadata": ["issuer"]}, "metadata"),
        ({"without": ["nonce"]}, "without"),
        ({"scopes": "openid"}, "scopes"),
    ],
)
def test_what_is_no_dialect_is_refused(dialect: dict[str, Any], about: str) -> None:
    with pytest.raises(UsageError) as refused:
        Dialect(**dialect)

    assert (refused.value.code, refused.value.about) == ("config_invalid", about)


def test_a_file_has_a_dialect_as_a_table() -> None:
    assert as_dialect({"pkce": "ignored"}) == Dialect(pkce="ignored")
    assert as_dialect(PLAIN) is PLAIN
    with pytest.raises(UsageError, match="pkces"):
        as_dialect({"pkces": "ignored"})


def test_members_of_each_message_are_replaced_added_or_left_out() -> None:
    provider = speaking(
        metadata={"issuer": "https://other.example", "extra": 1},
        tokens={"scope": ["openid", "email"]},
        id_token={"iss": "op.example"},
        userinfo={"email_verified": "true"},
        without=("metadata.jwks_uri", "tokens.expires_in", "id_token.nonce", "userinfo.name"),
    )

    metadata = parsed(fetch(provider, "/.well-known/openid-configuration"))
    tokens = logged_in(provider)
    claims, said = (
        claims_of(tokens["id_token"]),
        parsed(userinfo(provider, tokens["access_token"])),
    )

    assert (metadata["issuer"], metadata["extra"]) == ("https://other.example", 1)
    assert tokens["scope"] == ["openid", "email"]
    assert claims["iss"] == "op.example"
    assert said["email_verified"] == "true"
    assert "jwks_uri" not in metadata
    assert "expires_in" not in tokens
    assert "nonce" not in claims
    assert "name" not in said


def test_endpoints_may_lie_elsewhere() -> None:
    provider = speaking(endpoints_below="https://login.example/a")

    both = [
        provider.answer(wire("GET", f"{where}/.well-known/openid-configuration"), NOW)
        for where in (provider.issuer, "https://login.example/a")
    ]

    first, second = map(parsed, both)
    assert first == second
    assert first["issuer"] == provider.issuer
    assert first["token_endpoint"] == "https://login.example/a/token"
    with pytest.raises(RequestRefused):
        arrive(provider)
    moved = provider.moved_to("http://127.0.0.1:1")
    assert moved.base == "http://127.0.0.1:1"


def test_an_issuer_with_a_placeholder_has_the_tenant_of_the_user_in_tokens() -> None:
    provider = FakeProvider(
        id_token_alg="EdDSA",
        issuer="https://op.example/{tenantid}/v2",
        users=(FakeUser(sub="alice", claims={"tid": "contoso"}), FakeUser(sub="bob")),
    )

    assert provider.issuer_for("alice") == "https://op.example/contoso/v2"
    assert provider.issuer_for("bob") == "https://op.example/no-tenant/v2"
    assert FakeProvider().issuer_for("alice") == "https://op.example"


def test_a_scope_that_there_is_not_is_refused() -> None:
    provider = speaking(scopes=("openid", "email"))

    assert error_of(provider, scope="openid email") is None
    assert error_of(provider, scope="openid profile") == "invalid_scope"


def test_a_parameter_may_be_required() -> None:
    provider = speaking(required_parameters=("acr_values",))

    assert error_of(provider) == "invalid_request"
    assert error_of(provider, acr_values="a") is None


def test_some_scopes_are_answered_by_a_form_only() -> None:
    provider = speaking(form_post_for=("email",))

    assert error_of(provider, scope="openid") is None
    assert error_of(provider, scope="openid email", response_mode="form_post") is None
    with pytest.raises(RequestRefused) as refused:
        arrive(provider, scope="openid email")
    assert refused.value.error_description == "email needs response_mode=form_post"


UNCHALLENGED: Any = {"code_challenge": None, "code_challenge_method": None}
WRONG = "a-wrong-verifier-of-forty-three-characters--"


def answered(provider: FakeProvider, asked: Any, **proof: str) -> str | None:
    """Redeem a code by hand, with or without a verifier; return the error, if there is one."""
    form = {
        "grant_type": "authorization_code",
        "code": arrive(provider, **asked).parameter("code") or "",
        "redirect_uri": provider.clients[0].redirect_uris[0],
    }
    answer = post_token(provider, form | proof, basic(provider.clients[0]))
    assert isinstance(answer, HttpResponse)
    error: str | None = json.loads(answer.body).get("error")
    return error


@pytest.mark.parametrize(
    ("pkce", "asked", "proof", "error"),
    [
        ("ignored", {}, {"code_verifier": WRONG}, None),
        ("ignored", UNCHALLENGED, {}, None),
        ("refused", {}, {"code_verifier": VERIFIER}, "invalid_client"),
        ("refused", UNCHALLENGED, {}, None),
        ("required", {}, {"code_verifier": WRONG}, "invalid_grant"),
        ("required", {}, {}, "invalid_request"),
    ],
)
def test_pkce_may_be_ignored_or_refused(
    pkce: str, asked: Any, proof: dict[str, str], error: str | None
) -> None:
    assert answered(speaking(pkce=pkce), asked, **proof) == error


@pytest.mark.parametrize(
    ("rule", "changed", "given"),
    [
        ("unasked", {"scope": "openid"}, True),
        ("access_type", {"scope": "openid"}, False),
        ("access_type", {"scope": "openid", "access_type": "offline"}, False),
        ("access_type", {"scope": "openid", "access_type": "offline", "prompt": "consent"}, True),
    ],
)
def test_refresh_tokens_have_their_own_conditions(rule: str, changed: Any, given: bool) -> None:
    settings: dict[str, Any] = {"offline_access": rule}
    provider = FakeProvider(id_token_alg="EdDSA", **settings)

    assert ("refresh_token" in parsed(redeem(provider, arrive(provider, **changed)))) is given


@pytest.mark.parametrize(
    ("parameter", "goes"),
    [("logout_uri", "https://rp.example/bye"), ("post_logout_redirect_uri", None)],
)
def test_a_logout_may_call_the_way_back_otherwise(parameter: str, goes: str | None) -> None:
    client = FakeClient(post_logout_redirect_uris=("https://rp.example/bye",))
    provider = FakeProvider(clients=(client,), dialect=Dialect(logout_parameter="logout_uri"))
    query = urlencode({"client_id": "client", parameter: "https://rp.example/bye"})

    assert provider.end_session(f"{provider.issuer}/end-session?{query}", NOW) == goes


def test_an_assertion_may_have_to_be_for_the_token_endpoint() -> None:
    provider = FakeProvider(
        id_token_alg="EdDSA",
        clients=(FakeClient(token_endpoint_auth_method="client_secret_jwt"),),
        dialect=Dialect(assertion_audience="token_endpoint"),
    )

    refused = redeem(provider, arrive(provider))
    made = assertion(f"{provider.issuer}/token", provider.clients[0], "HS256")
    taken = redeem(provider, arrive(provider), client_assertion=made)

    assert parsed(refused, 401)["error_description"].startswith("aud of the assertion")
    assert parsed(taken)["token_type"] == "Bearer"
