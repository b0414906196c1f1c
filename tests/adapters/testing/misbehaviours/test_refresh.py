"""Wrong refreshes: each row changes only the named part on the wire."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Misbehaviour, refresh
from tests.adapters.testing.raw_client import NOW, header_of

from .wire import (
    OTHER,
    PLAIN,
    Check,
    assert_only_that,
    both,
    damaged,
    dropped,
    member,
    refreshed,
    status,
)

CHECKS: Final[dict[str, Check]] = {
    "refresh_other_sub": refreshed("sub", "mallory"),
    "refresh_other_iss": refreshed("iss", OTHER),
    "refresh_other_aud": refreshed("aud", "another-client"),
    "refresh_other_azp": refreshed("azp", "another-client"),
    "refresh_changed_nonce": refreshed("nonce", "another-nonce"),
    "refresh_older_auth_time": refreshed("auth_time", NOW - 86_400),
    "refresh_expired_id_token": refreshed("exp", NOW - 86_400),
    "refresh_alg_none": lambda wire: header_of(wire.json("refresh")["id_token"])["alg"] == "none",
    "refresh_bad_signature": lambda wire: damaged(
        wire.json("refresh")["id_token"], PLAIN.json("refresh")["id_token"]
    ),
    "refresh_invalid_grant": both(
        status("refresh", 400), member("refresh", "error", "invalid_grant")
    ),
    "refresh_dropped": dropped("refresh"),
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in refresh.ROWS] == list(CHECKS)


@pytest.mark.parametrize("row", refresh.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Misbehaviour) -> None:
    assert_only_that(row, CHECKS[row.name])
