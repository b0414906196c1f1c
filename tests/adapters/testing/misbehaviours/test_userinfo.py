"""Wrong UserInfo: each row changes only the named part on the wire."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Misbehaviour, userinfo
from tests.adapters.testing.raw_client import NOW, header_of

from .wire import (
    OTHER,
    SIGNED,
    Check,
    assert_only_that,
    body,
    damaged,
    dropped,
    media_type,
    member,
    signed_userinfo,
    status,
    twice,
    userinfo_claim,
)

CHECKS: Final[dict[str, Check]] = {
    "userinfo_other_sub": member("userinfo", "sub", "mallory"),
    "userinfo_no_sub": member("userinfo", "sub", None),
    "userinfo_sub_in_array": member("userinfo", "sub", ["alice"]),
    "userinfo_duplicate_sub": body("userinfo", twice("sub")),
    "userinfo_html": media_type("userinfo", "text/html"),
    "userinfo_500": status("userinfo", 500),
    "userinfo_redirect": status("userinfo", 302),
    "userinfo_dropped": dropped("userinfo"),
    "userinfo_signed_wrong_aud": userinfo_claim("aud", "another-client"),
    "userinfo_signed_wrong_iss": userinfo_claim("iss", OTHER),
    "userinfo_signed_other_sub": userinfo_claim("sub", "mallory"),
    "userinfo_signed_expired": userinfo_claim("exp", NOW - 86_400),
    "userinfo_signed_alg_none": lambda wire: header_of(signed_userinfo(wire))["alg"] == "none",
    "userinfo_signed_bad_signature": lambda wire: damaged(
        signed_userinfo(wire), signed_userinfo(SIGNED)
    ),
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in userinfo.ROWS] == list(CHECKS)


@pytest.mark.parametrize("row", userinfo.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Misbehaviour) -> None:
    assert_only_that(row, CHECKS[row.name])
