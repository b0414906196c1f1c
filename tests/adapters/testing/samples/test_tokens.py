from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from oidc_adapters.testing.samples import (
    CLIENT_ID,
    ENCRYPTION,
    ISSUER,
    NOW,
    SUB,
    TOKEN_KINDS,
    SignedToken,
    TokenKind,
    judged,
)
from oidc_adapters.testing.signing import b64url_octets
from oidc_core import Policy, UsageError
from tests.parties import refused

if TYPE_CHECKING:
    from collections.abc import Callable


def parts(token: SignedToken) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims as they were sent."""
    header, claims, _ = token.signed.split(".")
    return json.loads(b64url_octets(header)), json.loads(b64url_octets(claims))


def test_the_simplest_token_is_a_whole_id_token() -> None:
    header, claims = parts(SignedToken())

    assert header == {"alg": "ES256", "typ": "JWT", "kid": "es256-0"}
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, CLIENT_ID, SUB)
    assert (claims["iat"], claims["exp"]) == (NOW, NOW + 300)
    assert claims["nonce"] == SignedToken().nonce


@pytest.mark.parametrize("alg", ["ES256", "ES512", "EdDSA", "HS384"])
@pytest.mark.parametrize("encryption", [None, ENCRYPTION, ("dir", "A128CBC-HS256")])
def test_a_token_follows_from_its_seeds(alg: str, encryption: tuple[str, str] | None) -> None:
    token, again = (SignedToken(alg=alg, encryption=encryption) for _ in range(2))

    assert token == again
    assert token.text == again.text
    assert token.text != SignedToken(alg=alg, encryption=encryption, key_seed=1).text
    assert token.text != SignedToken(alg=alg, encryption=encryption, login_seed=1).text


@pytest.mark.parametrize("kind", TOKEN_KINDS)
def test_claims_and_header_are_changed_or_left_out(kind: TokenKind) -> None:
    token = SignedToken(kind=kind, claims={"sub": None, "x": [1]}, header={"typ": None, "y": 2})
    header, claims = parts(token)

    assert ("sub" in claims, claims["x"]) == (False, [1])
    assert ("typ" in header, header["y"]) == (False, 2)


def test_age_and_lifetime_place_a_token_in_time() -> None:
    _, claims = parts(SignedToken(age=20, lifetime=30))

    assert (claims["iat"], claims["exp"]) == (NOW - 20, NOW + 10)


def test_a_token_without_a_named_key_names_none() -> None:
    token = SignedToken(key_named=False)

    assert "kid" not in parts(token)[0]
    assert judged(token) == ""


def test_a_secret_is_not_published() -> None:
    token = SignedToken(alg="HS256")

    assert (token.key, token.published) == (None, {"keys": []})


def test_a_fault_of_the_keys_is_in_the_key_set_too() -> None:
    assert SignedToken(fault="jwks_empty").published == {"keys": []}


def test_the_fault_says_what_the_login_asked_for() -> None:
    assert [SignedToken(fault=f).needs for f in ("", "wrong_nonce", "weaker_acr")] == [
        "",
        "",
        "acr",
    ]


def test_a_policy_may_refuse_what_another_accepts() -> None:
    old = SignedToken(age=600, lifetime=10_000)

    assert judged(old) == ""
    assert judged(old, Policy(id_token_age=300)) == "iat_too_old"


MAKERS: list[tuple[Callable[[], object], str]] = [
    (lambda: SignedToken(alg="none"), "alg"),
    (lambda: SignedToken(fault="wrong_state"), "fault"),
    (lambda: SignedToken(fault="jwe_zip"), "fault"),
    (lambda: SignedToken(encryption=("dir", "A128GCM"), fault="jwe_zip"), "fault"),
    (lambda: SignedToken(encryption=("RSA1_5", "A128GCM")), "encryption"),
    (lambda: SignedToken(encryption=("dir", "A128")), "encryption"),
    (lambda: SignedToken(alg="HS256", fault="unknown_kid"), "fault"),
]


@pytest.mark.parametrize(("make", "about"), MAKERS)
def test_what_cannot_be_is_refused_by_its_name(make: Callable[[], object], about: str) -> None:
    assert refused(UsageError, "config_invalid", make).about == about
