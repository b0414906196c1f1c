"""Wrong token answers: each row changes only the named part on the wire."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Misbehaviour, token

from .wire import (
    Check,
    assert_only_that,
    body,
    both,
    dropped,
    header,
    media_type,
    member,
    no_json,
    status,
    twice,
)

CHECKS: Final[dict[str, Check]] = {
    "token_html": media_type("token", "text/html"),
    "token_not_json": body("token", no_json),
    "token_array": body("token", lambda octets: octets == b"[]"),
    "token_utf16": body("token", lambda octets: octets[:2] == b"\xff\xfe"),
    "token_redirect": status("token", 302),
    "token_500": both(status("token", 500), member("token", "token_type", "Bearer")),
    "token_400_html": both(status("token", 400), media_type("token", "text/html")),
    "token_invalid_grant": both(status("token", 400), member("token", "error", "invalid_grant")),
    "token_200_with_error": both(status("token", 200), member("token", "error", "invalid_grant")),
    "token_dropped": dropped("token"),
    "token_encoded": header("token", "content-encoding", "gzip"),
    "wrong_token_type": member("token", "token_type", "mac"),
    "no_token_type": member("token", "token_type", None),
    "no_access_token": member("token", "access_token", None),
    "access_token_not_a_string": member("token", "access_token", 1),
    "access_token_with_line_break": member("token", "access_token", "abc\r\nx-injected: 1"),
    "duplicate_access_token": body("token", twice("access_token")),
    "no_id_token": member("token", "id_token", None),
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in token.ROWS] == list(CHECKS)


@pytest.mark.parametrize("row", token.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Misbehaviour) -> None:
    assert_only_that(row, CHECKS[row.name])
