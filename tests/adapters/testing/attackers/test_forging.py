"""Forged tokens: each is wrong in the one way that it was made in."""

import pytest

from oidc_adapters.testing.attackers.forging import (
    KEYS,
    encryption_key,
    forged,
    second_key,
    taken_apart,
)
from oidc_adapters.testing.signing import SigningKey, verifies
from oidc_adapters.testing.signing_keys import private_key

KEY = SigningKey(alg="EdDSA", kid="one", private=private_key("EdDSA", "one"))
SIGNERS = {"own": KEY, "second": second_key("hostile"), "encryption": encryption_key("hostile")}


@pytest.mark.parametrize("how", KEYS)
def test_who_signed_a_forged_token(how: str) -> None:
    apart = taken_apart(forged({"sub": "alice"}, KEY, how))

    signers = [
        name
        for name, key in SIGNERS.items()
        if verifies(key.public_jwk(), "EdDSA", apart.signing_input, apart.signature)
    ]
    assert apart.claims == {"sub": "alice"}
    assert signers == ([how] if how in SIGNERS else [])


@pytest.mark.parametrize(
    ("how", "alg", "kid"),
    [
        ("own", "EdDSA", "one"),
        ("second", "EdDSA", "one"),
        ("encryption", "EdDSA", "hostile-enc"),
        ("none", "none", None),
        ("public as secret", "HS256", "one"),
    ],
)
def test_what_the_header_says(how: str, alg: str, kid: str | None) -> None:
    header = taken_apart(forged({}, KEY, how)).header

    assert (header["alg"], header.get("kid")) == (alg, kid)


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "!.!.!", "W10.W10.W10"])
def test_what_is_no_token_has_no_members(text: str) -> None:
    apart = taken_apart(text)

    assert (apart.header, apart.claims) == ({}, {})
