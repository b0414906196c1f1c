"""Odd UserInfo: each row changes only the named part on the wire."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Misbehaviour, userinfo_members

from .places import places_of

PLACES: Final = {
    "userinfo_other_iss": {"userinfo.iss"},
    "userinfo_sub_number": {"userinfo.sub"},
    "userinfo_sub_in_capitals": {"userinfo.sub"},
    "userinfo_sub_of_two": {"userinfo.sub"},
    "userinfo_duplicate_sub_last": {"userinfo"},
    "userinfo_array": {"userinfo"},
    "userinfo_not_json": {"userinfo"},
    "userinfo_text": {"userinfo"},
    "userinfo_401": {"userinfo"},
    "userinfo_404": {"userinfo"},
    "userinfo_too_large": {"userinfo"},
    "userinfo_as_jwt": {"userinfo"},
    "userinfo_json_where_signed": {"userinfo"},
    "userinfo_signed_hs256": {"userinfo_jwt.header.alg", "userinfo_jwt.signature"},
    "userinfo_signed_by_stranger": {"userinfo_jwt.signature"},
    "userinfo_signed_no_sub": {"userinfo_jwt.claims.sub"},
    "userinfo_signed_access_token": {"userinfo_jwt.header.typ"},
    "userinfo_signed_logout_token": {"userinfo_jwt.claims.events"},
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in userinfo_members.ROWS] == list(PLACES)


@pytest.mark.parametrize("row", userinfo_members.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Misbehaviour) -> None:
    assert places_of(row) == PLACES[row.name]
