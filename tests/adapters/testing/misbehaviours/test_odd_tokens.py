"""Odd but legal tokens and key sets: each row changes only the named part on the wire."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Deviation, odd_tokens

from .places import places_of
from .wire import PLAIN, wire_of

PLACES: Final[dict[str, set[str]]] = {
    "aud_list_of_one": {"id_token.claims.aud"},
    "no_azp": {"id_token.claims.azp"},
    "no_login_at_hash": {"id_token.claims.at_hash"},
    "no_sid": {"id_token.claims.sid"},
    "iat_within_leeway": {"id_token.claims.iat"},
    "exp_within_leeway": {"id_token.claims.exp"},
    "nbf_within_leeway": {"id_token.claims.nbf"},
    "exp_in_a_year": {"id_token.claims.exp"},
    "times_with_fractions": {"id_token.claims.exp", "id_token.claims.iat"},
    "amr_text": {"id_token.claims.amr"},
    "amr_numbers": {"id_token.claims.amr"},
    "claim_unknown": {"id_token.claims.https://x.example/é"},
    "claim_null": {"id_token.claims.name"},
    "claim_long": {"id_token.claims.description"},
    "email_verified_text": {"id_token.claims.email_verified"},
    "sid_number_at_login": {"id_token.claims.sid"},
    "c_hash_of_no_flow": {"id_token.claims.c_hash"},
    "header_names": {"id_token.claims.alg"},
    "python_names": {"id_token.claims.__class__"},
    "jti": {"id_token.claims.jti"},
    "sub_of_victim": {"id_token.claims.sub"},
    "victim_of_another": {"id_token.claims.email"},
    "no_typ": {"id_token.header.typ"},
    "no_kid": {"id_token.header.kid"},
    "typ_lower_case": {"id_token.header.typ"},
    "typ_id_token": {"id_token.header.typ"},
    "typ_jose": {"id_token.header.typ"},
    "cty_json": {"id_token.header.cty"},
    "header_unknown": {"id_token.header.x"},
    "header_zip": {"id_token.header.zip"},
    "header_x5t": {"id_token.header.x5t"},
    "header_jku": {"id_token.header.jku"},
    "header_sub": {"id_token.header.sub"},
    "header_b64": {"id_token.header.b64"},
    "white_space_inside": set(),
    "keys_of_tomorrow": {"key_set.keys"},
    "keys_bad": {"key_set.keys"},
    "keys_oct": {"key_set.keys"},
    "keys_for_encryption": {"key_set.keys"},
    "keys_odd_items": {"key_set.keys"},
    "keys_without_kty": {"key_set.keys"},
    "keys_many_bad": {"key_set.keys"},
    "keys_private": {"key_set.keys"},
    "keys_without_use": {"key_set.keys"},
    "keys_without_alg": {"key_set.keys"},
    "keys_twice": {"key_set.keys"},
    "keys_ops": {"key_set.keys"},
    "keys_unknown_members": {"key_set.keys"},
    "keys_null_d": {"key_set.keys"},
    "keys_issuer": {"key_set.keys"},
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in odd_tokens.ROWS] == list(PLACES)


@pytest.mark.parametrize("row", odd_tokens.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Deviation) -> None:
    assert places_of(row) == PLACES[row.name]


@pytest.mark.parametrize("name", [name for name, places in PLACES.items() if not places])
def test_a_row_that_changes_no_member_changes_octets(name: str) -> None:
    assert wire_of(name) != PLAIN
