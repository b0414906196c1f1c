"""Closures over prepared keys."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

from oidc_adapters.crypto.primitives import (
    CURVES,
    mac_signer,
    mac_verifier,
    shape_of,
    signer,
    verifier,
)
from oidc_adapters.crypto.private_keys import public_members
from oidc_core.jose.algorithms import ALGORITHMS, HMAC
from oidc_core.jose.jwk import parse_jwk
from tests.adapters.crypto.keys import EC, ED448, ED25519, RSA

if TYPE_CHECKING:
    from oidc_adapters.crypto.primitives import PrivateKey
    from oidc_core.jose.algorithms import Algorithm

INPUT: Final = b"eyJhbGciOiJ4In0.e30"
KEYS: Final[dict[tuple[str, str], PrivateKey]] = {
    ("RSA", ""): RSA,
    ("EC", "P-256"): EC["ES256"],
    ("EC", "P-384"): EC["ES384"],
    ("EC", "P-521"): EC["ES512"],
    ("EC", "secp256k1"): EC["ES256K"],
    ("OKP", "Ed25519"): ED25519,
    ("OKP", "Ed448"): ED448,
}
PAIRS: Final = [
    pytest.param(row, KEYS[row.kty, row.crv], id=f"{row.alg}-{row.crv or row.kty}")
    for row in ALGORITHMS.values()
    if (row.kty, row.crv) in KEYS
]
MACS: Final = [pytest.param(row, id=row.alg) for row in ALGORITHMS.values() if row.alg in HMAC]


def material(key: PrivateKey) -> tuple[bytes, ...]:
    return parse_jwk(public_members(key)).material


def another(key: PrivateKey) -> PrivateKey:
    """Make another key of the same kind."""
    if isinstance(key, rsa.RSAPrivateKey):
        return rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ec.generate_private_key(key.curve)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return ed25519.Ed25519PrivateKey.generate()
    return ed448.Ed448PrivateKey.generate()


@pytest.mark.parametrize(("row", "key"), PAIRS)
def test_what_is_signed_verifies_and_nothing_else_does(row: Algorithm, key: PrivateKey) -> None:
    signature = signer(row, key)(INPUT)
    verify = verifier(row, material(key))

    assert verify(INPUT, signature)
    assert not verify(INPUT + b"x", signature)
    assert not verify(INPUT, signature[:-1] + bytes([signature[-1] ^ 1]))


@pytest.mark.parametrize(("row", "key"), PAIRS)
@pytest.mark.parametrize("change", [-1, 1])
def test_a_signature_of_another_length_is_none(
    row: Algorithm, key: PrivateKey, change: int
) -> None:
    signature = signer(row, key)(INPUT)
    verify = verifier(row, material(key))

    assert len(signature) == (row.signature_length or 256)
    assert not verify(INPUT, signature[:change] if change < 0 else signature + b"\0")
    assert not verify(INPUT, b"")


@pytest.mark.parametrize(("row", "key"), PAIRS)
def test_a_signature_of_another_key_of_its_kind_is_none(row: Algorithm, key: PrivateKey) -> None:
    verify = verifier(row, material(key))
    other = another(key)

    assert not verify(INPUT, signer(row, other)(INPUT))


@pytest.mark.parametrize("bits", [256, 384, 512])
def test_rsa_signs_with_the_padding_and_digest_of_its_name(bits: int) -> None:
    digest = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}[bits]
    pss = padding.PSS(padding.MGF1(digest), salt_length=bits // 8)
    for alg, scheme in ((f"RS{bits}", padding.PKCS1v15()), (f"PS{bits}", pss)):
        signature = signer(ALGORITHMS[alg, ""], RSA)(INPUT)
        RSA.public_key().verify(signature, INPUT, scheme, digest)  # raises if it does not hold
        assert verifier(ALGORITHMS[alg, ""], material(RSA))(INPUT, RSA.sign(INPUT, scheme, digest))


def test_a_modulus_that_ends_within_an_octet_has_signatures_of_whole_octets() -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2060)
    row = ALGORITHMS["RS256", ""]
    signature = signer(row, key)(INPUT)

    assert len(signature) == 258
    assert verifier(row, material(key))(INPUT, signature)
    assert not verifier(row, material(key))(INPUT, signature[1:])


@pytest.mark.parametrize(
    ("row", "octets"),
    [
        (ALGORITHMS["ES256", "P-256"], (b"\1" * 32, b"\1" * 32)),
        (ALGORITHMS["RS256", ""], (b"\2" * 4, b"\2")),
        (ALGORITHMS["EdDSA", "Ed25519"], (b"short",)),
        (ALGORITHMS["EdDSA", "Ed448"], (b"short",)),
    ],
)
def test_octets_that_are_no_key_are_found_when_it_is_prepared(
    row: Algorithm, octets: tuple[bytes, ...]
) -> None:
    with pytest.raises(ValueError, match=r".+"):
        verifier(row, octets)


# --- MACs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", MACS)
def test_a_mac_is_hmac_with_the_digest_of_its_name(row: Algorithm) -> None:
    sign, verify = mac_signer(row, b"s" * 64), mac_verifier(row, b"s" * 64)
    expected = hmac.digest(b"s" * 64, INPUT, getattr(hashlib, row.digest))

    for _ in range(2):  # the prepared state is not used up
        assert sign(INPUT) == expected
        assert verify(INPUT, expected)


@pytest.mark.parametrize("row", MACS)
def test_a_mac_of_another_secret_input_or_length_is_none(row: Algorithm) -> None:
    verify = mac_verifier(row, b"s" * 64)
    mac = mac_signer(row, b"s" * 64)(INPUT)

    assert not verify(INPUT + b"x", mac)
    assert not verify(INPUT, mac_signer(row, b"t" * 64)(INPUT))
    for wrong in (b"", mac[:-1], mac + b"\0", "é".encode() * 16):
        assert not verify(INPUT, wrong)


# --- shapes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "key"), KEYS.items())
def test_a_shape_is_type_and_curve_as_a_jwk_names_them(
    shape: tuple[str, str], key: PrivateKey
) -> None:
    assert shape_of(key) == shape


def test_a_curve_without_a_name_in_a_jwk_keeps_its_own() -> None:
    assert shape_of(ec.generate_private_key(ec.BrainpoolP256R1())) == ("EC", "brainpoolP256r1")


def test_there_is_a_curve_for_each_in_the_table_of_algorithms() -> None:
    assert {*CURVES} == {row.crv for row in ALGORITHMS.values() if row.family == "ECDSA"}
