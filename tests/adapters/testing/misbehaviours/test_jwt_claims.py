"""Claims of the wrong type or value: each row changes only the named part on the wire."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Misbehaviour, jwt_claims

from .places import places_of

PLACES: Final = {
    "id_token_iss_empty": {"id_token.claims.iss"},
    "id_token_iss_number": {"id_token.claims.iss"},
    "id_token_iss_list": {"id_token.claims.iss"},
    "id_token_iss_longer": {"id_token.claims.iss"},
    "id_token_iss_with_slash": {"id_token.claims.iss"},
    "aud_empty_list": {"id_token.claims.aud"},
    "aud_number": {"id_token.claims.aud"},
    "aud_object": {"id_token.claims.aud"},
    "aud_list_of_numbers": {"id_token.claims.aud"},
    "aud_part": {"id_token.claims.aud"},
    "aud_capitals": {"id_token.claims.aud"},
    "aud_at_honest_provider": {"id_token.claims.aud"},
    "azp_number": {"id_token.claims.azp"},
    "sub_null": {"id_token.claims.sub"},
    "sub_list": {"id_token.claims.sub"},
    "sub_with_null_character": {"id_token.claims.sub"},
    "sub_placeholder": {"id_token.claims.sub"},
    "exp_null": {"id_token.claims.exp"},
    "exp_true": {"id_token.claims.exp"},
    "exp_negative": {"id_token.claims.exp"},
    "exp_huge": {"id_token.claims.exp"},
    "exp_infinite": {"id_token.claims.exp"},
    "iat_text": {"id_token.claims.iat"},
    "iat_true": {"id_token.claims.iat"},
    "nbf_text": {"id_token.claims.nbf"},
    "auth_time_text": {"id_token.claims.auth_time"},
    "auth_time_in_future": {"id_token.claims.auth_time"},
    "nonce_number": {"id_token.claims.nonce"},
    "nonce_empty": {"id_token.claims.nonce"},
    "nonce_list": {"id_token.claims.nonce"},
    "nonce_in_capitals": {"id_token.claims.nonce"},
    "at_hash_number": {"id_token.claims.at_hash"},
    "at_hash_empty": {"id_token.claims.at_hash"},
    "at_hash_short": {"id_token.claims.at_hash"},
    "no_acr": {"id_token.claims.acr"},
    "acr_list": {"id_token.claims.acr"},
    "id_token_with_events": {"id_token.claims.events"},
    "no_essential_claim": {"id_token.claims.email"},
    "no_at_hash": {"id_token.claims.at_hash"},
    "refresh_no_iss": {"refresh.id_token.claims.iss"},
    "refresh_no_sub": {"refresh.id_token.claims.sub"},
    "refresh_no_aud": {"refresh.id_token.claims.aud"},
    "refresh_extra_audience": {"refresh.id_token.claims.aud"},
    "refresh_wrong_at_hash": {"refresh.id_token.claims.at_hash"},
    "refresh_by_stranger": {"refresh.id_token.signature"},
    "refresh_500": {"refresh.tokens"},
    "refresh_html": {"refresh.tokens"},
    "refresh_no_access_token": {"refresh.tokens.access_token"},
    "refresh_wrong_token_type": {"refresh.tokens.token_type"},
    "logout_no_iss": {"logout_token.claims.iss"},
    "logout_no_aud": {"logout_token.claims.aud"},
    "logout_no_iat": {"logout_token.claims.iat"},
    "logout_exp_text": {"logout_token.claims.exp"},
    "logout_five_minutes_old": {"logout_token.claims.iat"},
    "logout_event_true": {"logout_token.claims.events"},
    "logout_events_empty": {"logout_token.claims.events"},
    "logout_jti_number": {"logout_token.claims.jti"},
    "logout_null_nonce": {"logout_token.claims.nonce"},
    "logout_embedded_key": {"logout_token.header.jwk", "logout_token.signature"},
    "logout_typ_event": {"logout_token.header.typ"},
    "logout_typ_plain": {"logout_token.header.typ"},
    "logout_no_sid": {"logout_token.claims.sid"},
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in jwt_claims.ROWS] == list(PLACES)


@pytest.mark.parametrize("row", jwt_claims.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Misbehaviour) -> None:
    assert places_of(row) == PLACES[row.name]
