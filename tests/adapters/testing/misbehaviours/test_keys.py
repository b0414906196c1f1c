"""Wrong key sets: each row changes only the named part on the wire."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Misbehaviour, keys
from tests.adapters.testing.raw_client import header_of, unb64, verify

from .wire import (
    Check,
    assert_only_that,
    body,
    dropped,
    media_type,
    no_json,
    signature_holds,
    status,
)

CHECKS: Final[dict[str, Check]] = {
    "jwks_empty": lambda wire: wire.jwk_set == [],
    "jwks_private_keys_only": lambda wire: (
        all("d" in key for key in wire.jwk_set)
        and verify(wire.id_token, wire.jwk_set)
        and not signature_holds(wire.id_token)
    ),
    "rsa_1024": lambda wire: (
        verify(wire.id_token, wire.jwk_set)
        and len(unb64(wire.jwk_set[-1].get("n", ""))) * 8 == 1_024
    ),
    "small_order_ed25519": lambda wire: (
        unb64(wire.jwk_set[-1]["x"]) == b"\x01" + 31 * b"\x00"
        and verify(wire.id_token, wire.jwk_set)
    ),
    "unexpected_alg": lambda wire: (
        verify(wire.id_token, wire.jwk_set)
        and header_of(wire.id_token)["alg"] == "ES384"
        and "ES384" not in wire.json("discovery")["id_token_signing_alg_values_supported"]
    ),
    "jwks_html": media_type("keys", "text/html"),
    "jwks_not_json": body("keys", no_json),
    "jwks_redirect": status("keys", 302),
    "jwks_500": status("keys", 500),
    "jwks_dropped": dropped("keys"),
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in keys.ROWS] == list(CHECKS)


@pytest.mark.parametrize("row", keys.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Misbehaviour) -> None:
    assert_only_that(row, CHECKS[row.name])
