"""How strictly the fake provider makes a client prove itself."""

import json
from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oidc_adapters.testing import FakeClient, FakeProvider
from oidc_adapters.testing.client_authentication import authenticated_client
from oidc_adapters.testing.oauth_messages import OAuthError
from oidc_adapters.testing.signing import ALGORITHMS, SigningKey
from oidc_adapters.testing.signing_keys import private_key

from .raw_client import ASSERTION_TYPE, NOW, assertion, b64, basic, wire

AWKWARD = FakeClient(client_id="https://rp.example/?a=b c", client_secret="100% + a:b/c é")
JWT = FakeClient(token_endpoint_auth_method="client_secret_jwt")
PUBLIC = FakeClient(token_endpoint_auth_method="none")
POST = FakeClient(token_endpoint_auth_method="client_secret_post")


def prove(
    client: FakeClient, form: dict[str, str], *headers: tuple[str, str], now: int = NOW
) -> FakeClient:
    provider = FakeProvider(clients=(client,))
    request = wire("POST", f"{provider.issuer}/token", *headers)
    return authenticated_client(provider, request, form, now)


def refused(
    client: FakeClient, form: dict[str, str], *headers: tuple[str, str], now: int = NOW
) -> str:
    with pytest.raises(OAuthError) as caught:
        prove(client, form, *headers, now=now)
    assert "error" in caught.value.answer(NOW).body.decode()
    return caught.value.error


def by_assertion(token: str, **changed: str) -> dict[str, str]:
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": token}
    return form | changed


def test_awkward_credentials_are_decoded() -> None:
    assert prove(AWKWARD, {}, basic(AWKWARD)) is AWKWARD


def test_raw_credentials_are_compared_as_they_are() -> None:
    client = FakeClient(client_secret="a%2Fb", raw_basic=True)

    assert prove(client, {}, basic(client, raw=True)) is client
    assert refused(client, {}, basic(client)) == "invalid_client"


def test_encoded_credentials_of_a_raw_client_are_unknown() -> None:
    client = FakeClient(client_id="a:b", client_secret="c", raw_basic=True)

    assert refused(client, {}, basic(client)) == "invalid_client"


@pytest.mark.parametrize(
    "value",
    [
        "Basic",
        "Basic !",
        "Basic " + b64encode(b"no colon").decode(),
        "Basic " + b64encode(b"\xff:x").decode(),
        "Bearer " + b64encode(b"client:secret").decode(),
        "Basic " + b64encode(b"stranger:secret").decode(),
        "Basic " + b64encode(b"client:wrong").decode(),
    ],
)
def test_wrong_basic_credentials_are_refused(value: str) -> None:
    assert refused(FakeClient(), {}, ("authorization", value)) == "invalid_client"


def test_the_body_must_not_name_another_client() -> None:
    client = FakeClient()

    assert prove(client, {"client_id": "client"}, basic(client)) is client
    assert refused(client, {"client_id": "other"}, basic(client)) == "invalid_client"


def test_a_client_uses_one_way_only() -> None:
    client = FakeClient()
    form = {"client_secret": client.client_secret}

    assert refused(client, form, basic(client)) == "invalid_request"


@pytest.mark.parametrize(
    ("client", "form"),
    [
        (POST, {}),
        (POST, {"client_id": "client"}),
        (POST, {"client_id": "client", "client_secret": "wrong"}),
        (POST, {"client_id": "other", "client_secret": POST.client_secret}),
        (PUBLIC, {}),
        (PUBLIC, {"client_id": "client", "client_secret": PUBLIC.client_secret}),
        (FakeClient(), {"client_id": "client", "client_secret": POST.client_secret}),
        (FakeClient(), by_assertion(assertion("https://op.example", FakeClient(), "HS256"))),
    ],
)
def test_another_way_than_the_registered_one_is_refused(
    client: FakeClient, form: dict[str, str]
) -> None:
    assert refused(client, form) == "invalid_client"


def test_basic_is_refused_where_another_way_is_registered() -> None:
    assert refused(POST, {}, basic(POST)) == "invalid_client"


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_an_assertion_by_secret_is_accepted(alg: str) -> None:
    token = assertion("https://op.example", JWT, alg)

    assert prove(JWT, by_assertion(token, client_id="client")) is JWT


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "other"},
        {"sub": "other"},
        {"sub": 1},
        {"aud": "https://op.example/token"},
        {"aud": ["https://op.example"]},
        {"aud": None},
        {"exp": None},
        {"exp": NOW},
        {"exp": True},
        {"exp": str(NOW + 60)},
        {"exp": NOW + 301},
        {"jti": None},
        {"jti": ""},
    ],
)
def test_an_assertion_with_a_wrong_claim_is_refused(changed: dict[str, Any]) -> None:
    token = assertion("https://op.example", JWT, "HS256", **changed)

    assert refused(JWT, by_assertion(token)) == "invalid_client"


@pytest.mark.parametrize(
    "parts",
    [
        ("a", "b"),
        ("!", "!", "!"),
        ("a", "a", "a"),
        (b64(b"[]"), b64(b"{}"), "x"),
        (b64(b"x"), b64(b"{}"), "x"),
        (b64(b"{}"), b64(b"{}"), "x"),
        (b64(b'{"alg":"none"}'), b64(b'{"sub":"client"}'), ""),
        (b64(b'{"alg":"HS256"}'), b64(b'{"sub":"client"}'), "AAAA"),
        (b64(b'{"alg":"HS256"}'), b64(b'{"sub":"client"}'), "A"),
    ],
)
def test_a_malformed_or_forged_assertion_is_refused(parts: tuple[str, ...]) -> None:
    assert refused(JWT, by_assertion(".".join(parts))) == "invalid_client"


@pytest.mark.parametrize("changed", [{"client_assertion_type": "urn:x"}, {"client_id": "another"}])
def test_what_stands_beside_an_assertion_counts(changed: dict[str, str]) -> None:
    token = assertion("https://op.example", JWT, "HS256")

    assert refused(JWT, by_assertion(token, **changed)) == "invalid_client"


def test_an_assertion_works_once() -> None:
    provider = FakeProvider(clients=(JWT,))
    request = wire("POST", f"{provider.issuer}/token")
    form = by_assertion(assertion(provider.issuer, JWT, "HS256"))

    assert authenticated_client(provider, request, form, NOW) is JWT
    with pytest.raises(OAuthError) as caught:
        authenticated_client(provider, request, form, NOW + 1)
    assert caught.value.error_description == "the assertion was used before"


@pytest.mark.parametrize("alg", [alg for alg in ALGORITHMS if not alg.startswith("HS")])
def test_an_assertion_by_private_key_is_accepted(alg: str) -> None:
    key = SigningKey(alg=alg, kid="mine", private=private_key(alg, "client"))
    client = FakeClient(token_endpoint_auth_method="private_key_jwt", jwks=(key.public_jwk(),))

    assert prove(client, by_assertion(signed_by(key, client))) is client


def signed_by(key: SigningKey, client: FakeClient) -> str:
    header = b64(json.dumps({"alg": key.alg, "kid": "mine"}).encode())
    claims = assertion("https://op.example", client, "HS256").split(".")[1]
    signature = key.signature(f"{header}.{claims}".encode())
    return f"{header}.{claims}.{b64(signature)}"


def other_keys() -> list[tuple[dict[str, object], str]]:
    """Keys that did not sign an RS256 assertion, or cannot have."""
    e = {"e": "AQAB"}
    return [
        ({"kty": "RSA", "n": b64(bytes([255]) * 256), **e}, "RS256"),
        ({"kty": "RSA", **e}, "RS256"),
        ({"kty": "RSA", "n": b64(bytes([255]) * 256), "alg": "PS256", **e}, "RS256"),
        ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "RS256"),
        ({"kty": "RSA", "n": "AA", "kid": "mine", "e": "AA"}, "RS256"),
    ]


@pytest.mark.parametrize(("jwk", "alg"), other_keys())
def test_an_assertion_by_another_key_is_refused(jwk: dict[str, object], alg: str) -> None:
    client = FakeClient(token_endpoint_auth_method="private_key_jwt", jwks=(jwk,))
    key = private_key("RS256", "client")
    token = assertion("https://op.example", client, alg, key)

    assert refused(client, by_assertion(token)) == "invalid_client"


@pytest.mark.parametrize(
    "key", [Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())]
)
def test_keys_of_other_kinds_are_told_apart(key: Any) -> None:
    alg = "EdDSA" if isinstance(key, Ed25519PrivateKey) else "ES256"
    kept = SigningKey(alg=alg, kid="mine", private=key)
    other = SigningKey(alg=alg, kid="mine", private=private_key(alg, "other")).public_jwk()
    client = FakeClient(token_endpoint_auth_method="private_key_jwt", jwks=(other,))

    assert refused(client, by_assertion(signed_by(kept, client))) == "invalid_client"
