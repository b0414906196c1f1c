"""The table of algorithms: its laws, and half-hashes with known answers."""

import hashlib

import pytest

from oidc_core.jose.algorithms import (
    ALGORITHMS,
    ASYMMETRIC,
    HMAC,
    KEY_SHAPES,
    OPTIONAL,
    SIGNATURES,
    half_hash,
    row_for,
    rows_for,
)
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.errors import ProtocolViolation
from tests.unit.parties import told

EXPECTED = {
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
    "EdDSA", "Ed25519", "Ed448",
}  # fmt: skip
NAMED_ONLY = {"ES256K", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"}


@pytest.mark.req("RFC7519-8-01")
def test_the_algorithms_are_those_of_the_standards_and_no_other() -> None:
    assert ASYMMETRIC == EXPECTED
    assert sorted(HMAC) == ["HS256", "HS384", "HS512"]
    assert OPTIONAL == NAMED_ONLY
    assert EXPECTED | NAMED_ONLY | {"HS256", "HS384", "HS512"} == SIGNATURES


def test_what_serves_only_by_name_is_in_no_default() -> None:
    assert OPTIONAL.isdisjoint(ASYMMETRIC | HMAC)


@pytest.mark.req("RFC7518-3.6-01")
@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
def test_none_is_in_nothing_that_is_derived(name: str) -> None:
    assert name not in SIGNATURES | ASYMMETRIC | OPTIONAL | HMAC
    assert name not in {alg for alg, _ in ALGORITHMS}
    assert rows_for(name) == ()
    with pytest.raises(ProtocolViolation) as caught:
        half_hash(name, "", "text")
    assert caught.value.code == "alg_not_allowed"


def test_no_algorithm_and_no_key_serves_both_macs_and_signatures() -> None:
    assert HMAC.isdisjoint(ASYMMETRIC | OPTIONAL)
    macs = {row.kty for row in ALGORITHMS.values() if row.alg in HMAC}
    signatures = {row.kty for row in ALGORITHMS.values() if row.alg not in HMAC}
    assert macs == {"oct"}
    assert macs.isdisjoint(signatures)
    assert "oct" not in {kty for kty, _ in KEY_SHAPES}


def test_each_row_stands_under_its_own_name_and_curve() -> None:
    assert all(key == (row.alg, row.crv) for key, row in ALGORITHMS.items())
    assert {alg for alg, _ in ALGORITHMS} == SIGNATURES


@pytest.mark.parametrize(("alg", "crv"), sorted(ALGORITHMS))
def test_every_algorithm_has_a_half_hash(alg: str, crv: str) -> None:
    row = ALGORITHMS[alg, crv]
    digest = (
        hashlib.shake_256(b"token").digest(64 if alg.startswith("ML-DSA") else 114)
        if row.half_hash == "shake_256"
        else hashlib.new(row.half_hash, b"token").digest()
    )
    assert half_hash(alg, crv, "token") == b64url_encode(digest[: len(digest) // 2])


@pytest.mark.parametrize(
    ("alg", "crv", "octets"),
    [
        ("RS256", "", 16), ("PS384", "", 24), ("ES512", "P-521", 32), ("HS256", "", 16),
        ("EdDSA", "Ed25519", 32), ("Ed25519", "Ed25519", 32),
        ("EdDSA", "Ed448", 57), ("Ed448", "Ed448", 57), ("ES256K", "secp256k1", 16),
        ("ML-DSA-44", "", 32), ("ML-DSA-65", "", 32), ("ML-DSA-87", "", 32),
    ],
)  # fmt: skip
def test_a_half_hash_is_as_long_as_half_the_digest_of_its_signature(
    alg: str, crv: str, octets: int
) -> None:
    assert ALGORITHMS[alg, crv].half_octets == octets
    assert len(half_hash(alg, crv, "x")) == -(-octets * 4 // 3)


def test_half_hashes_of_openid_connect_core_appendix_a() -> None:
    access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"
    assert half_hash("RS256", "", access_token) == "77QmUPtjPfzWtF2AnpK9RQ"
    assert half_hash("RS256", "", code) == "LDktKdoQak3Pk0cnXxCltA"


def test_a_half_hash_takes_any_text() -> None:
    assert len(half_hash("RS256", "", "\ud800é")) == 22


@pytest.mark.req("RFC7518-3.4-02")
@pytest.mark.parametrize(
    ("alg", "kty", "crv"),
    [
        ("ES256", "EC", "P-384"), ("ES384", "EC", "P-256"), ("ES512", "EC", "P-256"),
        ("ES256", "RSA", "P-256"), ("ES256", "EC", ""), ("RS256", "EC", ""), ("HS256", "RSA", ""),
        ("RS256", "oct", ""), ("Ed448", "OKP", "Ed25519"), ("Ed25519", "OKP", "Ed448"),
        ("EdDSA", "OKP", "X25519"), ("ES256K", "EC", "P-256"), ("none", "RSA", ""),
        ("ES256", "EC", "secp256k1"), ("ML-DSA-44", "RSA", ""), ("RS256", "AKP", ""),
        ("ML-DSA-44", "AKP", "P-256"), ("HS256", "AKP", ""),
    ],
)  # fmt: skip
def test_an_algorithm_takes_no_other_key(alg: str, kty: str, crv: str) -> None:
    assert row_for(alg, kty, crv) is None


@pytest.mark.parametrize("row", ALGORITHMS.values(), ids=lambda row: f"{row.alg}-{row.crv}")
def test_an_algorithm_takes_its_own_key(row: object) -> None:
    assert row in ALGORITHMS.values()
    found = [known for known in ALGORITHMS.values() if known == row]
    assert [row_for(known.alg, known.kty, known.crv) for known in found] == [row]


def test_eddsa_has_a_row_for_each_curve() -> None:
    assert [row.crv for row in rows_for("EdDSA")] == ["Ed25519", "Ed448"]
    assert [row.signature_length for row in rows_for("EdDSA")] == [64, 114]


def test_signature_lengths_and_least_sizes_are_those_of_rfc_7518() -> None:
    lengths = {row.alg: row.signature_length for row in ALGORITHMS.values() if row.kty != "OKP"}
    assert lengths == {
        **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), None),
        "ES256": 64, "ES384": 96, "ES512": 132, "HS256": 32, "HS384": 48, "HS512": 64,
        "ES256K": 64, "ML-DSA-44": 2420, "ML-DSA-65": 3309, "ML-DSA-87": 4627,
    }  # fmt: skip
    sizes = {row.alg: row.min_bits for row in ALGORITHMS.values() if row.kty in {"RSA", "oct"}}
    assert sizes["HS256"] == 256
    assert sizes["HS512"] == 512
    assert {sizes[alg] for alg in sizes if alg not in HMAC} == {2048}


def test_the_family_of_an_algorithm_is_in_its_name_and_so_is_its_digest() -> None:
    families = {
        "RS": "RSASSA-PKCS1-v1_5", "PS": "RSASSA-PSS", "HS": "HMAC", "ML": "ML-DSA", "Ed": "EdDSA",
    }  # fmt: skip
    for row in ALGORITHMS.values():
        assert row.family == families.get(row.alg[:2], "ECDSA")
        assert row.digest == row.half_hash
        if row.family not in {"EdDSA", "ML-DSA"}:
            assert row.digest == f"sha{row.alg[2:5]}"
    assert {row.digest for row in rows_for("Ed25519")} == {"sha512"}
    assert {row.digest for row in rows_for("Ed448") + rows_for("ML-DSA-65")} == {"shake_256"}


def test_a_half_hash_of_sha_384_has_no_padding_to_lose() -> None:
    """48 octets end in any character of the alphabet, and each of them is the digest's own."""
    assert half_hash("RS384", "", "token-11") == "TPkN32AHaPTydDqZxS4GhkmgmWTsB6NX"


def test_an_algorithm_that_is_not_in_the_table_is_named() -> None:
    assert told(lambda: half_hash("XS256", "", "text")) == ("alg_not_allowed", "", "XS256", None)


def test_sizes_and_lengths_that_hang_on_the_curve() -> None:
    found = {
        (row.alg, row.crv): (row.kty, row.min_bits, row.signature_length)
        for row in ALGORITHMS.values()
        if row.crv
    }
    assert found == {
        ("ES256", "P-256"): ("EC", 256, 64),
        ("ES384", "P-384"): ("EC", 384, 96),
        ("ES512", "P-521"): ("EC", 521, 132),
        ("ES256K", "secp256k1"): ("EC", 256, 64),
        ("EdDSA", "Ed25519"): ("OKP", 256, 64),
        ("Ed25519", "Ed25519"): ("OKP", 256, 64),
        ("EdDSA", "Ed448"): ("OKP", 448, 114),
        ("Ed448", "Ed448"): ("OKP", 448, 114),
    }
    sizes = {row.alg: row.min_bits for row in ALGORITHMS.values() if row.kty in {"AKP", "oct"}}
    assert sizes == {
        "ML-DSA-44": 8 * 1312, "ML-DSA-65": 8 * 1952, "ML-DSA-87": 8 * 2592,
        "HS256": 256, "HS384": 384, "HS512": 512,
    }  # fmt: skip


def test_a_half_is_half_of_what_the_digest_has() -> None:
    octets = {"sha256": 16, "sha384": 24, "sha512": 32}
    for row in ALGORITHMS.values():
        shake = 57 if row.crv == "Ed448" else 32
        assert row.half_octets == octets.get(row.half_hash, shake)
