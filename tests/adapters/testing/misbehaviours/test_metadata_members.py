"""Odd members of metadata: each row changes only the named part on the wire."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Misbehaviour, metadata_members

from .places import places_of

PLACES: Final = {
    "issuer_missing": {"metadata.issuer"},
    "issuer_null": {"metadata.issuer"},
    "issuer_in_list": {"metadata.issuer"},
    "issuer_with_port": {"metadata.issuer"},
    "issuer_with_query": {"metadata.issuer"},
    "issuer_with_fragment": {"metadata.issuer"},
    "issuer_without_tls": {"metadata.issuer"},
    "issuer_with_space": {"metadata.issuer"},
    "issuer_longer": {"metadata.issuer"},
    "issuer_tenant": {"metadata.issuer"},
    "authorization_endpoint_with_fragment": {"metadata.authorization_endpoint"},
    "authorization_endpoint_is_option": {"metadata.authorization_endpoint"},
    "authorization_endpoint_is_command": {"metadata.authorization_endpoint"},
    "token_endpoint_relative": {"metadata.token_endpoint"},
    "token_endpoint_with_backslash": {"metadata.token_endpoint"},
    "token_endpoint_with_line_break": {"metadata.token_endpoint"},
    "token_endpoint_encoded_host": {"metadata.token_endpoint"},
    "token_endpoint_disguised_address": {"metadata.token_endpoint"},
    "userinfo_endpoint_without_tls": {"metadata.userinfo_endpoint"},
    "jwks_uri_data": {"metadata.jwks_uri"},
    "no_token_endpoint": {"metadata.token_endpoint"},
    "no_authorization_endpoint": {"metadata.authorization_endpoint"},
    "implicit_only": {"metadata.response_types_supported"},
    "pkce_plain_only": {"metadata.code_challenge_methods_supported"},
    "unknown_authentication_only": {"metadata.token_endpoint_auth_methods_supported"},
    "requires_pushed_requests": {"metadata.require_pushed_authorization_requests"},
    "requires_signed_requests": {"metadata.require_signed_request_object"},
    "iss_flag_as_text": {"metadata.authorization_response_iss_parameter_supported"},
    "unsigned_only": {"metadata.id_token_signing_alg_values_supported"},
    "metadata_empty": {"metadata"},
    "metadata_404": {"metadata"},
    "metadata_with_many_members": {"metadata"},
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in metadata_members.ROWS] == list(PLACES)


@pytest.mark.parametrize("row", metadata_members.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Misbehaviour) -> None:
    assert places_of(row) == PLACES[row.name]
