"""Odd but legal messages: each row changes only the named part on the wire."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Deviation, odd_messages

from .places import places_of
from .wire import PLAIN, wire_of

PLACES: Final[dict[str, set[str]]] = {
    "metadata_unknown_members": {"metadata.x"},
    "metadata_nulls": {"metadata.op_policy_uri"},
    "metadata_reversed": set(),
    "metadata_text_for_list": {"metadata.token_endpoint_auth_methods_supported"},
    "metadata_empty_endpoint": {"metadata.registration_endpoint"},
    "metadata_without_lists": {
        "metadata.acr_values_supported",
        "metadata.claims_supported",
        "metadata.response_modes_supported",
        "metadata.scopes_supported",
    },
    "metadata_odd_list": {"metadata.claims_supported"},
    "metadata_more_algs": {"metadata.id_token_signing_alg_values_supported"},
    "metadata_not_ascii": {"metadata.service_documentation"},
    "metadata_signed": {"metadata.signed_metadata"},
    "metadata_inline_keys": {"metadata.jwks"},
    "response_reversed": set(),
    "response_session_state": {"callback.session_state"},
    "response_unknown_parameter": {"callback.x"},
    "response_unknown_twice": {"callback.x"},
    "response_scope": {"callback.scope"},
    "token_type_lower_case": {"tokens.token_type"},
    "token_type_upper_case": {"tokens.token_type"},
    "token_without_expires_in": {"tokens.expires_in"},
    "token_expires_in_text": {"tokens.expires_in"},
    "token_expires_in_null": {"tokens.expires_in"},
    "token_expires_in_zero": {"tokens.expires_in"},
    "token_without_scope": {"tokens.scope"},
    "token_scope_list": {"tokens.scope"},
    "token_scope_less": {"tokens.scope"},
    "token_scope_null": {"tokens.scope"},
    "token_unknown_members": {"tokens.ext_expires_in"},
    "token_error_null": {"tokens.error"},
    "token_reversed": set(),
    "token_long_member": {"tokens.not_before_policy"},
    "userinfo_only_sub": {"userinfo.email", "userinfo.email_verified"},
    "userinfo_aud": {"userinfo.aud"},
    "userinfo_iss": {"userinfo.iss"},
    "userinfo_odd_email": {"userinfo.email"},
    "userinfo_verified_text": {"userinfo.email_verified"},
    "userinfo_nulls": {"userinfo.phone_number"},
    "userinfo_names_of_another": {"userinfo.email", "userinfo.name"},
    "userinfo_groups": {"userinfo.groups"},
    "userinfo_protocol_claims": {"userinfo.nonce"},
    "userinfo_reversed": set(),
    "metadata_charset": {"metadata"},
    "metadata_media_type_in_capitals": {"metadata"},
    "metadata_more_headers": {"metadata"},
    "metadata_white_space": {"metadata"},
    "metadata_escapes": {"metadata"},
    "metadata_long_number": {"metadata"},
    "metadata_half_a_character": {"metadata"},
    "metadata_deep_member": {"metadata"},
    "token_charset": {"tokens"},
    "token_media_type_in_capitals": {"tokens"},
    "token_more_headers": {"tokens"},
    "token_white_space": {"tokens"},
    "token_escapes": {"tokens"},
    "token_long_number": {"tokens"},
    "token_half_a_character": {"tokens"},
    "token_deep_member": {"tokens"},
    "keys_charset": {"key_set"},
    "keys_media_type_in_capitals": {"key_set"},
    "keys_more_headers": {"key_set"},
    "keys_white_space": {"key_set"},
    "keys_escapes": {"key_set"},
    "keys_long_number": {"key_set"},
    "keys_half_a_character": {"key_set"},
    "keys_deep_member": {"key_set"},
    "userinfo_charset": {"userinfo"},
    "userinfo_media_type_in_capitals": {"userinfo"},
    "userinfo_more_headers": {"userinfo"},
    "userinfo_white_space": {"userinfo"},
    "userinfo_escapes": {"userinfo"},
    "userinfo_long_number": {"userinfo"},
    "userinfo_half_a_character": {"userinfo"},
    "userinfo_deep_member": {"userinfo"},
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in odd_messages.ROWS] == list(PLACES)


@pytest.mark.parametrize("row", odd_messages.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Deviation) -> None:
    assert places_of(row) == PLACES[row.name]


@pytest.mark.parametrize("name", [name for name, places in PLACES.items() if not places])
def test_a_row_that_changes_no_member_changes_octets(name: str) -> None:
    assert wire_of(name) != PLAIN
