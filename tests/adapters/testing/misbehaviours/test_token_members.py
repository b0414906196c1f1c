"""Odd members of responses and token answers: each row changes only the named part."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Misbehaviour, token_members

from .places import places_of

PLACES: Final = {
    "empty_state": {"callback.state"},
    "empty_code": {"callback.code"},
    "foreign_code": {"callback.code"},
    "empty_iss": {"callback.iss"},
    "iss_with_slash": {"callback.iss"},
    "duplicate_iss": {"callback.iss"},
    "duplicate_error": {"callback.code", "callback.error"},
    "state_with_control_character": {"callback.state"},
    "error_with_quote": {"callback.code", "callback.error"},
    "response_as_jwt": {"callback.response"},
    "login_required": {"callback.code", "callback.error"},
    "token_empty": {"tokens"},
    "token_invalid_client": {"tokens"},
    "token_unavailable": {"tokens"},
    "token_no_content": {"tokens"},
    "token_created": {"tokens"},
    "token_byte_order_mark": {"tokens"},
    "token_nan": {"tokens"},
    "token_nested": {"tokens"},
    "token_too_large": {"tokens"},
    "duplicate_id_token": {"tokens"},
    "tokens_and_error": {"tokens.error"},
    "error_not_a_string": {"tokens.error"},
    "token_type_number": {"tokens.token_type"},
    "token_type_dpop": {"tokens.token_type"},
    "empty_access_token": {"tokens.access_token"},
    "null_access_token": {"tokens.access_token"},
    "access_token_of_two_words": {"tokens.access_token"},
    "id_token_number": {"tokens.id_token"},
    "extra_scope": {"tokens.scope"},
    "id_token_empty": {"tokens.id_token"},
    "id_token_null": {"tokens.id_token"},
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in token_members.ROWS] == list(PLACES)


@pytest.mark.parametrize("row", token_members.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Misbehaviour) -> None:
    assert places_of(row) == PLACES[row.name]
