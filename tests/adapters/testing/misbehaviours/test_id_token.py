"""Wrong ID tokens: each row changes only the named part on the wire."""

from typing import Final

import pytest

from oidc_adapters.testing.misbehaviours import Misbehaviour, id_token
from tests.adapters.testing.raw_client import NOW, header_of, unb64, verify

from .wire import (
    OTHER,
    PLAIN,
    Check,
    assert_only_that,
    both,
    canonical,
    claim,
    damaged,
    id_token_header,
    raw_payload,
    signature_holds,
    twice,
)

CHECKS: Final[dict[str, Check]] = {
    "id_token_two_parts": lambda wire: wire.id_token.count(".") == 1,
    "id_token_five_parts": lambda wire: wire.id_token.count(".") == 4,
    "id_token_padded": lambda wire: wire.id_token.endswith("=="),
    "id_token_stray_bits": lambda wire: (
        signature_holds(wire.id_token)
        and canonical(wire.id_token.split(".")[1]) != wire.id_token.split(".")[1]
    ),
    "id_token_too_large": lambda wire: len(wire.id_token) > 32_768,
    "id_token_duplicate_alg": lambda wire: twice("alg")(unb64(wire.id_token.split(".")[0])),
    "id_token_header_array": lambda wire: header_of(wire.id_token) == ["RS256"],
    "id_token_crit": id_token_header("crit", ["exp"]),
    "id_token_typ_access_token": id_token_header("typ", "at+jwt"),
    "id_token_typ_logout_token": id_token_header("typ", "logout+jwt"),
    "id_token_kid_number": id_token_header("kid", 1),
    "id_token_duplicate_sub": raw_payload(twice("sub")),
    "id_token_payload_array": raw_payload(lambda octets: octets == b'["alice"]'),
    "id_token_payload_utf16": raw_payload(lambda octets: octets[:2] == b"\xff\xfe"),
    "id_token_nan": raw_payload(lambda octets: b'"x":NaN' in octets),
    "id_token_lone_surrogate": raw_payload(lambda octets: b'"azp":"\\ud800"' in octets),
    "id_token_nested": raw_payload(lambda octets: 100 * b"[" in octets),
    "alg_none": both(id_token_header("alg", "none"), lambda wire: wire.id_token.endswith(".")),
    "alg_none_with_signature": both(
        id_token_header("alg", "none"), lambda wire: not wire.id_token.endswith(".")
    ),
    "hs256_with_public_key": id_token_header("alg", "HS256"),
    "bad_signature": lambda wire: damaged(wire.id_token, PLAIN.id_token),
    "changed_after_signing": lambda wire: (
        wire.claims["sub"] == "mallory" and not signature_holds(wire.id_token)
    ),
    "stranger_under_known_kid": lambda wire: (
        header_of(wire.id_token) == header_of(PLAIN.id_token)
        and damaged(wire.id_token, PLAIN.id_token)
    ),
    "embedded_key": lambda wire: (
        "jwk" in header_of(wire.id_token)
        and verify(wire.id_token, [header_of(wire.id_token)["jwk"]])
        and not signature_holds(wire.id_token)
    ),
    "unknown_kid": id_token_header("kid", "unpublished"),
    "id_token_wrong_iss": claim("iss", OTHER),
    "id_token_no_iss": claim("iss", None),
    "wrong_aud": claim("aud", "another-client"),
    "no_aud": claim("aud", None),
    "extra_audience": claim("aud", ["client", "another-client"]),
    "wrong_azp": claim("azp", "another-client"),
    "expired": claim("exp", NOW - 86_400),
    "no_exp": claim("exp", None),
    "exp_as_string": claim("exp", "4102444800"),
    "exp_1e300": claim("exp", 1e300),
    "iat_in_future": claim("iat", NOW + 86_400),
    "no_iat": claim("iat", None),
    "week_old": claim("iat", NOW - 604_800),
    "nbf_in_future": claim("nbf", NOW + 86_400),
    "wrong_nonce": claim("nonce", "another-nonce"),
    "no_nonce": claim("nonce", None),
    "nonce_not_supported": both(claim("nonce", None), claim("nonce_supported", False)),
    "no_sub": claim("sub", None),
    "empty_sub": claim("sub", ""),
    "long_sub": claim("sub", 256 * "a"),
    "sub_not_ascii": claim("sub", "\u00e5lice"),
    "sub_number": claim("sub", 1),
    "wrong_at_hash": claim("at_hash", 22 * "A"),
    "no_auth_time": claim("auth_time", None),
    "old_auth_time": claim("auth_time", NOW - 30 * 86_400),
    "weaker_acr": claim("acr", "urn:example:none"),
}


def test_every_row_is_checked() -> None:
    assert [row.name for row in id_token.ROWS] == list(CHECKS)


@pytest.mark.parametrize("row", id_token.ROWS, ids=lambda row: row.name)
def test_a_row_does_what_it_says_and_nothing_else(row: Misbehaviour) -> None:
    assert_only_that(row, CHECKS[row.name])
