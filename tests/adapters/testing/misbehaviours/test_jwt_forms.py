"""Odd forms of ID tokens: each row changes only the named part on the wire."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Misbehaviour, jwt_forms

from .places import places_of

PLACES: Final = {
    "id_token_flattened": {"id_token.form"},
    "id_token_general": {"id_token.form"},
    "id_token_line_feed": {"id_token.form"},
    "id_token_four_parts": {"id_token.form"},
    "id_token_of_dots": {"id_token.form"},
    "id_token_base64": {"id_token.form"},
    "id_token_detached": {"id_token.claims", "id_token.signature"},
    "id_token_as_jwe": {"id_token.form"},
    "id_token_signature_cut": {"id_token.signature"},
    "id_token_signature_empty": {"id_token.signature"},
    "id_token_of_nothing": {
        "id_token.claims.acr",
        "id_token.claims.at_hash",
        "id_token.claims.aud",
        "id_token.claims.auth_time",
        "id_token.claims.azp",
        "id_token.claims.email",
        "id_token.claims.exp",
        "id_token.claims.iat",
        "id_token.claims.iss",
        "id_token.claims.nonce",
        "id_token.claims.sid",
        "id_token.claims.sub",
    },
    "id_token_of_null": {"id_token.claims"},
    "id_token_of_half_json": {"id_token.claims"},
    "id_token_no_alg": {"id_token.header.alg"},
    "id_token_alg_number": {"id_token.header.alg"},
    "id_token_alg_unknown": {"id_token.header.alg"},
    "id_token_alg_lower_case": {"id_token.header.alg"},
    "alg_none_in_capitals": {"id_token.header.alg", "id_token.signature"},
    "alg_none_in_mixed_case": {"id_token.header.alg", "id_token.signature"},
    "id_token_crit_empty": {"id_token.header.crit"},
    "id_token_crit_text": {"id_token.header.crit"},
    "id_token_unencoded": {"id_token.header.b64", "id_token.header.crit"},
    "id_token_cty_jwt": {"id_token.header.cty"},
    "id_token_typ_number": {"id_token.header.typ"},
    "id_token_typ_event": {"id_token.header.typ"},
    "id_token_typ_long": {"id_token.header.typ"},
    "id_token_typ_proof": {"id_token.header.typ"},
    "id_token_kid_list": {"id_token.header.kid"},
    "id_token_kid_long": {"id_token.header.kid"},
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in jwt_forms.ROWS] == list(PLACES)


@pytest.mark.parametrize("row", jwt_forms.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Misbehaviour) -> None:
    assert places_of(row) == PLACES[row.name]
