"""The fake provider's encryption: for each client, with each key, and always the same."""

from __future__ import annotations

import pytest
from attrs import evolve

from oidc_adapters.testing import FakeClient, FakeProvider
from oidc_adapters.testing.encryption import (
    ENCRYPTION_ALGS,
    ENCRYPTION_ENCS,
    recipient_of,
)
from oidc_adapters.testing.metadata import metadata
from oidc_core.jose.jws import Encryption
from tests.encryption import P256, RSA, X25519, draft

from .raw_client import arrive, header_of, parsed, redeem


def test_it_offers_what_it_can() -> None:
    offered = metadata(FakeProvider())

    for which in ("id_token", "userinfo"):
        assert offered[f"{which}_encryption_alg_values_supported"] == list(ENCRYPTION_ALGS)
        assert offered[f"{which}_encryption_enc_values_supported"] == list(ENCRYPTION_ENCS)


def test_a_key_is_chosen_by_use_type_and_alg() -> None:
    signing = {**P256.public_jwk(), "use": "sig"}
    other = {**P256.public_jwk(), "alg": "ECDH-ES", "kid": "other"}
    keys = (signing, RSA.public_jwk(), other, X25519.public_jwk())

    assert recipient_of("RSA-OAEP", "A128GCM", keys, "") == RSA.public_jwk()
    assert recipient_of("ECDH-ES", "A128GCM", keys, "") == other
    assert recipient_of("ECDH-ES+A128KW", "A128GCM", keys, "") == X25519.public_jwk()
    with pytest.raises(LookupError, match="published no key"):
        recipient_of("RSA-OAEP", "A128GCM", (signing, other), "")


@pytest.mark.parametrize(
    ("alg", "enc", "octets"),
    [("A128KW", "A256GCM", 16), ("dir", "A192CBC-HS384", 48), ("dir", "A256CBC-HS512", 64)],
)
def test_a_secret_makes_a_key_as_long_as_it_has_to_be(alg: str, enc: str, octets: int) -> None:
    key = recipient_of(alg, enc, (), "secret")

    assert isinstance(key, bytes)
    assert len(key) == octets


@pytest.mark.parametrize("alg", ["ECDH-ES", "ECDH-ES+A128KW", "A128GCMKW", "A128KW", "dir"])
def test_all_chance_follows_from_the_seed(alg: str) -> None:
    one = draft("a.b.c", Encryption(alg, "A128GCM"))

    assert one.encrypted() == one.encrypted()
    assert evolve(one, seed="another").encrypted() != one.encrypted()


def test_a_draft_is_changed_without_changing_it() -> None:
    one = draft("a.b.c")
    changed = one.with_header(kid="k").containing(b"x")

    assert header_of(changed.encrypted())["kid"] == "k"
    assert (one.plaintext, changed.plaintext) == (b"a.b.c", b"x")
    assert "kid" not in one.header
    assert "a.b.c" not in repr(one)


def test_a_key_without_a_name_is_not_named() -> None:
    nameless = {name: value for name, value in P256.public_jwk().items() if name != "kid"}
    client = FakeClient(id_token_encrypted_response_alg="ECDH-ES", jwks=(nameless,))
    provider = FakeProvider(clients=(client,), id_token_alg="EdDSA")
    token = parsed(redeem(provider, arrive(provider)))["id_token"]
    assert "kid" not in header_of(token)
