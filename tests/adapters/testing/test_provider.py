"""Honest flows at the fake provider, by hand."""

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oidc_adapters.testing import Dialect, FakeClient, FakeProvider, FakeUser, RequestRefused
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import NoAnswer

from .raw_client import (
    NOW,
    STATE,
    arrive,
    b64,
    claims_of,
    fetch,
    header_of,
    logged_in,
    parsed,
    published_keys,
    redeem,
    refresh,
    responded,
    userinfo,
    verify,
    wire,
)

ALGS = [f"{family}{size}" for family in ("RS", "PS", "ES", "HS") for size in (256, 384, 512)]
METHODS = [
    "none",
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
]


@pytest.fixture(scope="module")
def client_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def public_jwk(key: rsa.RSAPrivateKey) -> dict[str, object]:
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "n": b64(numbers.n.to_bytes(256, "big")), "e": "AQAB", "kid": "mine"}


@pytest.mark.parametrize("method", METHODS)
def test_a_login_with_each_client_authentication(
    method: str, client_key: rsa.RSAPrivateKey
) -> None:
    client = FakeClient(token_endpoint_auth_method=method, jwks=(public_jwk(client_key),))
    provider = FakeProvider(clients=(client,))

    callback = arrive(provider)
    tokens = parsed(redeem(provider, callback, key=client_key))

    assert (STATE, provider.issuer) == (callback.parameter("state"), callback.parameter("iss"))
    verify(tokens["id_token"], published_keys(provider))
    assert claims_of(tokens["id_token"])["sub"] == "alice"


@pytest.mark.parametrize("alg", [*ALGS, "EdDSA", "Ed25519"])
def test_a_login_with_each_algorithm(alg: str) -> None:
    provider = FakeProvider(id_token_alg=alg)

    tokens = logged_in(provider)

    verify(tokens["id_token"], published_keys(provider), provider.clients[0].client_secret)
    assert header_of(tokens["id_token"])["alg"] == alg
    digest = hashlib.new("sha512" if alg.startswith("Ed") else f"sha{alg[-3:]}")
    digest.update(tokens["access_token"].encode())
    half = digest.digest()[: digest.digest_size // 2]
    assert claims_of(tokens["id_token"])["at_hash"] == b64(half)


@pytest.mark.parametrize("path", ["/unknown", "/token/"])
def test_an_unknown_place_is_not_found(path: str) -> None:
    assert responded(fetch(FakeProvider(), path)).status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/.well-known/openid-configuration"),
        ("POST", "/jwks"),
        ("GET", "/token"),
        ("PUT", "/userinfo"),
    ],
)
def test_another_method_is_refused(method: str, path: str) -> None:
    provider = FakeProvider()

    answer = parsed(provider.answer(wire(method, provider.issuer + path), NOW), 405)

    assert answer["error"] == "invalid_request"


def test_the_same_seed_gives_the_same_octets() -> None:
    def run(seed: int) -> list[object]:
        provider = FakeProvider(seed=seed, id_token_alg="ES256", userinfo_signed=True)
        callback = arrive(provider)
        answer = responded(redeem(provider, callback))
        token = parsed(answer)["access_token"]
        return [
            callback.url,
            answer.body,
            responded(userinfo(provider, token)).body,
            responded(fetch(provider, "/jwks")).body,
        ]

    first, again, other = run(1), run(1), run(2)

    assert first == again
    assert all(one != two for one, two in zip(first, other, strict=True))


def test_the_hand_made_check_sees_a_forged_signature() -> None:
    provider = FakeProvider(id_token_alg="EdDSA")
    head = logged_in(provider)["id_token"].rpartition(".")[0]
    forged = b64(Ed25519PrivateKey.generate().sign(head.encode()))

    with pytest.raises(InvalidSignature):
        verify(f"{head}.{forged}", published_keys(provider))


def test_a_provider_that_moved_remembers_nothing() -> None:
    provider = FakeProvider(id_token_alg="ES256")
    token = logged_in(provider)["refresh_token"]

    moved = provider.moved_to("https://elsewhere.example")

    assert parsed(refresh(moved, token), 400)["error"] == "invalid_grant"
    assert claims_of(logged_in(moved)["id_token"])["iss"] == "https://elsewhere.example"


def test_a_user_must_be_known() -> None:
    provider = FakeProvider(users=(FakeUser(sub="carol"),))

    assert claims_of(logged_in(provider)["id_token"])["sub"] == "carol"
    with pytest.raises(LookupError, match="alice"):
        arrive(provider, user="alice")


def end_session(provider: FakeProvider, query: str) -> str | None:
    return provider.end_session(f"{provider.issuer}/end-session{query}", NOW)


def test_a_logout_returns_with_its_state() -> None:
    provider = FakeProvider(id_token_alg="ES256")
    hint = logged_in(provider)["id_token"]
    place = "post_logout_redirect_uri=https%3A%2F%2Frp.example%2F"

    assert end_session(provider, "") is None
    assert end_session(provider, f"?id_token_hint={hint}&{place}") == "https://rp.example/"
    assert (
        end_session(provider, f"?client_id=client&{place}&state=a%26b")
        == "https://rp.example/?state=a%26b"
    )


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("?post_logout_redirect_uri=https%3A%2F%2Frp.example%2F", "not registered"),
        ("?client_id=client&post_logout_redirect_uri=https%3A%2F%2Fevil.example", "not registered"),
        ("?id_token_hint=eyJ", "id_token_hint"),
        ("?client_id=client&client_id=client", "repeated"),
        ("?x", "form-encoded"),
        ("/more", "another endpoint"),
    ],
)
def test_a_logout_that_does_not_fit_is_refused(query: str, reason: str) -> None:
    with pytest.raises(RequestRefused, match=reason) as caught:
        end_session(FakeProvider(), query)

    assert caught.value.error == "invalid_request"


def test_a_logout_hint_must_be_the_clients() -> None:
    provider = FakeProvider(id_token_alg="ES256")
    hint = logged_in(provider)["id_token"]

    with pytest.raises(RequestRefused, match="not the client's"):
        end_session(provider, f"?id_token_hint={hint}&client_id=another")


def test_a_clock_that_is_ahead_is_in_the_tokens_and_not_in_the_receipt() -> None:
    provider = FakeProvider(skew=600)
    answer = responded(redeem(provider, arrive(provider)))

    assert claims_of(parsed(answer)["id_token"])["iat"] == NOW + 600
    assert answer.received_at == NOW

    dropped = FakeProvider(skew=600, misbehave="jwks_dropped")
    lost = fetch(dropped, "/jwks")
    assert isinstance(lost, NoAnswer)
    assert lost.at == NOW


def test_claims_that_no_scope_asks_for() -> None:
    user = FakeUser(sub="alice", claims={"groups": ["staff"], "phone_number": "1"})
    provider = FakeProvider(users=(user,), unasked=("groups",))

    tokens = logged_in(provider)
    said = parsed(userinfo(provider, tokens["access_token"]))

    assert claims_of(tokens["id_token"])["groups"] == ["staff"]
    assert said["groups"] == ["staff"]
    assert "phone_number" not in said


def test_a_user_may_be_added_or_replaced() -> None:
    provider = FakeProvider(id_token_alg="EdDSA")

    provider.add_user(FakeUser(sub="carol"))
    provider.add_user(FakeUser(sub="alice", claims={"name": "A"}))

    assert [user.sub for user in provider.users] == ["bob", "carol", "alice"]
    assert provider.user("alice").claims == {"name": "A"}


def test_there_is_always_a_user() -> None:
    provider = FakeProvider(users=(FakeUser(sub="carol"),), id_token_alg="EdDSA")

    with pytest.raises(UsageError, match="parameter_invalid"):
        provider.remove_user("carol")
    with pytest.raises(LookupError):
        provider.remove_user("nobody")
    with pytest.raises(LookupError):
        provider.change_claims("nobody", {})


def test_a_provider_that_stays_keeps_where_its_endpoints_are() -> None:
    provider = FakeProvider(dialect=Dialect(endpoints_below="https://login.example/a"))

    assert provider.moved_to(provider.issuer).base == "https://login.example/a"
    assert provider.moved_to("https://other.example").base == "https://other.example"
