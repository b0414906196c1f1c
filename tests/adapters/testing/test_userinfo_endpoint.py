"""The fake provider's answer to the bearer of an access token."""

from typing import Any

import pytest

from oidc_adapters.testing import FakeClient, FakeProvider
from tests.encryption import ECDH, P256

from .raw_client import (
    NOW,
    arrive,
    claims_of,
    fetch,
    header_of,
    parsed,
    redeem,
    responded,
    userinfo,
    verify,
    wire,
)


def access_token(provider: FakeProvider, **changed: Any) -> Any:
    return parsed(redeem(provider, arrive(provider, **changed)))["access_token"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_claims_follow_the_scope(method: str) -> None:
    provider = FakeProvider(id_token_alg="ES256")

    token = access_token(provider, scope="openid email")

    assert parsed(userinfo(provider, token, method=method)) == {
        "sub": "alice",
        "email": "alice@op.example",
        "email_verified": True,
    }


@pytest.mark.parametrize(
    ("provider", "alg"),
    [
        (FakeProvider(id_token_alg="ES256", userinfo_signed=True), "ES256"),
        (FakeProvider(clients=(FakeClient(userinfo_signed_response_alg="EdDSA"),)), "EdDSA"),
    ],
)
def test_signed_userinfo_names_issuer_and_audience(provider: FakeProvider, alg: str) -> None:
    answer = responded(userinfo(provider, access_token(provider, scope="openid")))

    jwt = answer.body.decode()
    assert answer.header("content-type") == "application/jwt"
    verify(jwt, parsed(fetch(provider, "/jwks"))["keys"])
    assert header_of(jwt)["alg"] == alg
    assert {"iss": provider.issuer, "aud": "client", "sub": "alice"}.items() <= claims_of(
        jwt
    ).items()


@pytest.mark.parametrize("signed", [None, "EdDSA"])
def test_encrypted_userinfo_says_what_it_is_only_if_it_is_signed(signed: str | None) -> None:
    client = FakeClient(
        userinfo_signed_response_alg=signed,
        userinfo_encrypted_response_alg=ECDH.alg,
        userinfo_encrypted_response_enc=ECDH.enc,
        jwks=(P256.public_jwk(),),
    )
    provider = FakeProvider(id_token_alg="ES256", clients=(client,))

    answer = responded(userinfo(provider, access_token(provider, scope="openid")))

    jwe = answer.body.decode()
    assert answer.header("content-type") == "application/jwt"
    assert len(jwe.split(".")) == 5
    header = header_of(jwe)
    assert (header["alg"], header["enc"], header["kid"]) == (*ECDH, "p-256")
    assert {name: header[name] for name in ("cty", "iss", "aud") if name in header} == (
        {} if signed is None else {"cty": "JWT", "iss": provider.issuer, "aud": "client"}
    )


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ((), "invalid_request"),
        ((("authorization", "Basic abc"),), "invalid_request"),
        ((("authorization", "Bearer abc"),), "invalid_token"),
    ],
)
def test_a_request_without_a_good_token_is_refused(
    headers: tuple[tuple[str, str], ...], error: str
) -> None:
    provider = FakeProvider()

    answer = provider.answer(wire("GET", f"{provider.issuer}/userinfo", *headers), NOW)

    assert parsed(answer, 401)["error"] == error
    assert (responded(answer).header("www-authenticate") or "").startswith("Bearer")


@pytest.mark.parametrize(("age", "status"), [(299, 200), (300, 401)])
def test_an_access_token_is_over_in_time(age: int, status: int) -> None:
    provider = FakeProvider(id_token_alg="ES256")
    token = access_token(provider)

    assert responded(userinfo(provider, token, now=NOW + age)).status == status
