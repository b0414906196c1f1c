"""Wycheproof's rows about JWE: each verdict, with its code, as last agreed.

./test tests/vectors --vectors DIR -s                 # judge, and print how many
UPDATE_VERDICTS=1 ./test tests/vectors --vectors DIR  # write the snapshot again, to be reviewed
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from oidc_adapters.crypto.content_keys import shared_secret
from oidc_core.jose.jwe import EphemeralKey
from oidc_core.wire.encoding import b64url_decode
from oidc_core.wire.errors import ProtocolViolation
from tests.vectors.jwe import JWE_FILES, jwe_rows, jwe_verdict, opened

SNAPSHOT: Final = Path(__file__).with_name("jwe_verdicts.json")

# Rows that the file calls valid and this library's policy refuses, and why.
POLICY: Final = {
    **dict.fromkeys((100, 101, 102, 103, 104, 105, 112, 128), "RSA1_5 is not implemented"),
    132: "the key names A128GCM, the header dir: a key serves its own alg",
    135: "compressed content is never taken",
}


@pytest.fixture(scope="module")
def verdicts(vectors: Path) -> dict[str, dict[str, str]]:
    """Judge every row once."""
    judged: dict[str, dict[str, str]] = {file: {} for file in JWE_FILES}
    for row in jwe_rows(vectors):
        judged[row.file][str(row.number)] = jwe_verdict(row)
    if os.environ.get("UPDATE_VERDICTS"):
        SNAPSHOT.write_text(json.dumps(judged, indent=1) + "\n", encoding="utf-8")
    return judged


def test_every_row_gets_the_verdict_and_the_code_it_had(
    verdicts: dict[str, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert {file: len(rows) for file, rows in verdicts.items()} == {
        "json_web_encryption": 139,
        "json_web_crypto": 34,
    }
    assert verdicts == json.loads(SNAPSHOT.read_bytes())
    with capsys.disabled():
        print(f"\njudged {sum(len(rows) for rows in verdicts.values())} JWE vectors")


def test_of_139_rows_55_are_decrypted_74_are_invalid_and_10_are_against_the_policy(
    verdicts: dict[str, dict[str, str]], vectors: Path
) -> None:
    rows = [row for row in jwe_rows(vectors) if row.file == "json_web_encryption"]
    found = verdicts["json_web_encryption"]

    accepted = {row.number for row in rows if found[str(row.number)] == "valid"}
    refused_although_valid = {row.number for row in rows if row.valid} - accepted
    assert len(accepted) == 55
    assert all(row.valid for row in rows if row.number in accepted)
    assert len([row for row in rows if not row.valid]) == 74
    assert refused_although_valid == set(POLICY)


def test_what_rsa1_5_wrapped_is_refused_before_any_private_operation(
    verdicts: dict[str, dict[str, str]], vectors: Path
) -> None:
    """X01."""
    numbers = [
        row.number
        for row in jwe_rows(vectors)
        if row.file == "json_web_encryption" and _alg(row.token) == "RSA1_5"
    ]
    assert len(numbers) == 30
    assert {verdicts["json_web_encryption"][str(n)] for n in numbers} == {"alg_not_allowed"}


def test_a_key_serves_its_own_algorithm_only(verdicts: dict[str, dict[str, str]]) -> None:
    """X03: the error for RSA1_5 of 110 and 111 names the algorithm."""
    found = verdicts["json_web_encryption"]
    assert {n: found[str(n)] for n in range(106, 112)} == {
        **dict.fromkeys(range(106, 110), "encryption_mismatch"),
        **dict.fromkeys((110, 111), "alg_not_allowed"),
    }


def test_all_that_fails_after_the_header_fails_alike(vectors: Path) -> None:
    """X02, X04, X06."""
    errors: set[tuple[object, ...]] = set()
    failed = 0
    for row in jwe_rows(vectors):
        try:
            opened(row)
        except ProtocolViolation as refusal:
            if refusal.code == "decryption_failed":
                failed += 1
                errors.add((repr(refusal), refusal.args, str(refusal), refusal.__cause__))
    assert failed >= 50
    assert len(errors) == 1


def _alg(token: str) -> str | None:
    try:
        header = json.loads(b64url_decode(token.partition(".")[0].encode()))
    except (ValueError, ProtocolViolation):
        return None
    return str(header.get("alg"))


def test_x25519_secrets_that_everybody_knows_are_refused(vectors: Path) -> None:
    """X05."""
    document = json.loads((vectors / "wycheproof_x25519_jwk_test.json").read_bytes())
    zero, agreed = 0, 0
    for group in document["testGroups"]:
        for test in group["tests"]:
            public = test["public"]
            kty, crv = public.get("kty", ""), public.get("crv", "")
            epk = EphemeralKey(kty, crv, _x(public), b"")
            octets = b64url_decode(test["private"]["d"].encode())
            secret = shared_secret(X25519PrivateKey.from_private_bytes(octets), epk)
            if "ZeroSharedSecret" in test["flags"]:
                zero += 1
                assert secret is None, test["tcId"]
            elif test["result"] == "valid":
                agreed += 1
                assert secret == bytes.fromhex(test["shared"]), test["tcId"]
            elif test["result"] == "invalid":
                assert secret is None, test["tcId"]
            else:
                assert secret in {None, bytes.fromhex(test["shared"])}, test["tcId"]
    assert (zero, agreed) == (31, 264)


def _x(jwk: dict[str, str]) -> bytes:
    try:
        return b64url_decode(jwk["x"].encode())
    except (ProtocolViolation, KeyError):
        return b""
