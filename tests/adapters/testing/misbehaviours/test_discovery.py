"""Wrong metadata: each row changes only the named part on the wire."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Misbehaviour, discovery

from .wire import (
    OTHER,
    Check,
    assert_only_that,
    body,
    dropped,
    header,
    media_type,
    member,
    no_json,
    status,
    twice,
)

CHECKS: Final[dict[str, Check]] = {
    "wrong_issuer": member("discovery", "issuer", OTHER),
    "issuer_with_slash": member("discovery", "issuer", "https://op.example/"),
    "issuer_in_capitals": member("discovery", "issuer", "HTTPS://OP.EXAMPLE"),
    "http_token_endpoint": member("discovery", "token_endpoint", "http://token.example/token"),
    "token_endpoint_with_credentials": member(
        "discovery", "token_endpoint", "https://op.example:443@elsewhere.example/token"
    ),
    "script_authorization_endpoint": member(
        "discovery", "authorization_endpoint", "javascript:alert(1)"
    ),
    "authorization_endpoint_with_state": member(
        "discovery", "authorization_endpoint", "https://op.example/authorize?state=chosen"
    ),
    "file_jwks_uri": member("discovery", "jwks_uri", "file:///etc/keys.json"),
    "token_endpoint_not_a_string": member(
        "discovery", "token_endpoint", ["https://op.example/token"]
    ),
    "metadata_not_json": body("discovery", no_json),
    "metadata_html": media_type("discovery", "text/html"),
    "metadata_array": body("discovery", lambda octets: octets.startswith(b"[")),
    "duplicate_issuer_member": body("discovery", twice("issuer")),
    "metadata_utf16": body("discovery", lambda octets: octets[:2] == b"\xff\xfe"),
    "metadata_byte_order_mark": body("discovery", lambda octets: octets[:3] == b"\xef\xbb\xbf"),
    "metadata_infinity": member("discovery", "x", float("inf")),
    "metadata_nested": body("discovery", lambda octets: 100 * b"[" in octets),
    "metadata_redirect": header("discovery", "location", "https://elsewhere.example/"),
    "metadata_500": status("discovery", 500),
    "metadata_encoded": header("discovery", "content-encoding", "gzip"),
    "metadata_too_large": body("discovery", lambda octets: len(octets) == 262_145),
    "metadata_dropped": dropped("discovery"),
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in discovery.ROWS] == list(CHECKS)


@pytest.mark.parametrize("row", discovery.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Misbehaviour) -> None:
    assert_only_that(row, CHECKS[row.name])
