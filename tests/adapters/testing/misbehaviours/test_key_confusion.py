"""Keys that a client must not take: each row changes only the named part on the wire."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Misbehaviour, key_confusion
from oidc_adapters.testing.signing import JwtDraft, SigningKey
from oidc_adapters.testing.signing_keys import private_key

from .places import places_of

PLACES: Final = {
    "hs256_with_pem_without_end": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_pem_in_one_line": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_pem_with_carriage_returns": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_pem_body": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_pem_body_in_lines": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_pkcs1_pem": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_pkcs1_pem_without_end": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_pkcs1_pem_in_one_line": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_pkcs1_body": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_der": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_pkcs1_der": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_der_in_base64url": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_jwk": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_jwk_with_spaces": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_modulus": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_exponent": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_kty": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_alg": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_kid": {"id_token.header.alg", "id_token.signature"},
    "hs256_with_nothing": {"id_token.header.alg", "id_token.signature"},
    "embedded_key_by_uri": {"id_token.header.jwk", "id_token.signature"},
    "jku_of_stranger": {"id_token.header.jku", "id_token.signature"},
    "jku_stranger_first": {"id_token.header.jku", "id_token.signature"},
    "jku_stranger_last": {"id_token.header.jku", "id_token.signature"},
    "x5u_of_stranger": {"id_token.header.x5u", "id_token.signature"},
    "x5c_of_stranger": {"id_token.header.x5c", "id_token.signature"},
    "x5c_stranger_first": {"id_token.header.x5c", "id_token.signature"},
    "x5c_stranger_last": {"id_token.header.x5c", "id_token.signature"},
    "x5t_of_stranger": {"id_token.header.x5t", "id_token.signature"},
    "kid_is_uri": {"id_token.header.kid", "id_token.signature"},
    "kid_is_jwk": {"id_token.header.kid", "id_token.signature"},
    "kid_is_path": {"id_token.header.kid", "id_token.signature"},
    "embedded_secret": {"id_token.header.alg", "id_token.header.jwk", "id_token.signature"},
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in key_confusion.ROWS] == list(PLACES)


@pytest.mark.parametrize("row", key_confusion.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Misbehaviour) -> None:
    assert places_of(row) == PLACES[row.name]


@pytest.mark.parametrize(("alg", "forms"), [("RS256", 20), ("ES256", 18), ("EdDSA", 17)])
def test_every_form_of_a_key_is_another_secret(alg: str, forms: int) -> None:
    """PKCS #1 is for RSA alone, and the PEM of an Ed25519 key has one line."""
    key = SigningKey(alg=alg, kid="k", private=private_key(alg, "provider"))
    draft = JwtDraft(header={"alg": alg}, claims={}, key=key, now=0)
    rows = [row for row in key_confusion.ROWS if row.name.startswith("hs256_with_")]

    assert len(rows) == 20
    assert len({row.changes.id_token(draft) for row in rows}) == forms
