"""Wrong authorization responses: each changes only the named part on the wire."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Misbehaviour, authorization
from tests.adapters.testing.raw_client import STATE

from .wire import OTHER, Check, assert_only_that, both, parameter, parameters

CHECKS: Final[dict[str, Check]] = {
    "wrong_state": parameter("state", 43 * "x"),
    "no_state": parameter("state", None),
    "duplicate_state": parameters("state", 2),
    "state_too_long": parameter("state", 513 * "x"),
    "wrong_iss": parameter("iss", OTHER),
    "no_iss": parameter("iss", None),
    "no_code": both(parameter("code", None), parameter("error", None)),
    "duplicate_code": parameters("code", 2),
    "code_with_control_character": parameter("code", "abc\ndef"),
    "code_and_error": both(parameters("code", 1), parameter("error", "access_denied")),
    "id_token_in_response": parameters("id_token", 1),
    "access_token_in_response": parameter("access_token", "abc"),
    "other_response_mode": lambda wire: wire.authorization.mode == "form_post",
    "access_denied": both(parameter("error", "access_denied"), parameter("code", None)),
    "server_error": parameter("error", "server_error"),
    "error_without_iss": both(
        parameter("error", "access_denied"), parameter("iss", None), parameter("state", STATE)
    ),
    "error_with_wrong_iss": both(parameter("error", "access_denied"), parameter("iss", OTHER)),
    "error_without_state": both(
        parameter("error", "access_denied"), parameter("state", None), parameters("iss", 1)
    ),
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in authorization.ROWS] == list(CHECKS)


@pytest.mark.parametrize("row", authorization.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Misbehaviour) -> None:
    assert_only_that(row, CHECKS[row.name])
