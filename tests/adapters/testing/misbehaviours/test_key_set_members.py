"""Odd members of key sets: each row changes only the named part on the wire."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Misbehaviour, key_set_members

from .places import places_of

PLACES: Final = {
    "jwks_of_stranger": {"key_set.keys"},
    "jwks_kid_twice": {"key_set.keys"},
    "jwks_for_encryption": {"key_set.keys"},
    "jwks_to_sign": {"key_set.keys"},
    "jwks_for_other_alg": {
        "id_token.header.alg",
        "id_token.header.kid",
        "id_token.signature",
        "key_set.keys",
    },
    "jwks_cut": {"key_set.keys"},
    "jwks_other_kty": {"key_set.keys"},
    "jwks_unknown_kty": {"key_set.keys"},
    "jwks_renamed": {"key_set.keys"},
    "jwks_not_a_list": {"key_set.keys"},
    "jwks_without_keys": {"key_set.jwks", "key_set.keys"},
    "jwks_too_many": {"key_set.keys"},
    "jwks_too_large": {"key_set"},
    "jwks_encoded": {"key_set"},
    "jwks_404": {"key_set"},
    "no_kid_and_many_keys": {"id_token.header.kid", "key_set.keys"},
    "published_secret": {
        "id_token.header.alg",
        "id_token.header.kid",
        "id_token.signature",
        "key_set.keys",
    },
    "rsa_16392": {
        "id_token.header.alg",
        "id_token.header.kid",
        "id_token.signature",
        "key_set.keys",
    },
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in key_set_members.ROWS] == list(PLACES)


@pytest.mark.parametrize("row", key_set_members.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Misbehaviour) -> None:
    assert places_of(row) == PLACES[row.name]
