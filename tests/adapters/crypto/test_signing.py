"""Signatures for the client's messages."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from oidc_adapters.crypto import sign, sign_mac
from oidc_adapters.crypto.signing import row_of
from oidc_core.wire.errors import UsageError

INPUT = b"header.payload"


@pytest.mark.parametrize(
    ("alg", "curve", "digest", "width"),
    [
        ("ES256", ec.SECP256R1(), hashes.SHA256(), 32),
        ("ES384", ec.SECP384R1(), hashes.SHA384(), 48),
        ("ES512", ec.SECP521R1(), hashes.SHA512(), 66),
    ],
)
def test_an_ecdsa_signature_is_r_and_s_of_fixed_width(
    alg: str, curve: ec.EllipticCurve, digest: hashes.HashAlgorithm, width: int
) -> None:
    key = ec.generate_private_key(curve)
    for n in range(20):  # so that a leading zero octet is likely somewhere
        signature = sign(key, alg, INPUT + bytes([n]))
        assert len(signature) == 2 * width
        r, s = (int.from_bytes(part, "big") for part in (signature[:width], signature[width:]))
        der = encode_dss_signature(r, s)
        key.public_key().verify(der, INPUT + bytes([n]), ec.ECDSA(digest))


def test_an_edwards_signature_is_what_the_key_makes() -> None:
    for alg in ("EdDSA", "Ed25519"):
        key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        assert sign(key, alg, INPUT) == key.sign(INPUT)
    for alg in ("EdDSA", "Ed448"):
        other = ed448.Ed448PrivateKey.from_private_bytes(bytes(range(57)))
        assert sign(other, alg, INPUT) == other.sign(INPUT)


def test_an_rs256_signature_is_pkcs_1_with_sha_256() -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    key.public_key().verify(sign(key, "RS256", INPUT), INPUT, PKCS1v15(), hashes.SHA256())
    assert sign(key, "PS256", INPUT) != sign(key, "PS256", INPUT)


@pytest.mark.req("RFC7518-3.4-02", "OIDCD-3-08")
@pytest.mark.parametrize("alg", ["ES384", "RS256", "HS256", "EdDSA", "none", ""])
def test_a_key_signs_with_no_algorithm_but_its_own(alg: str) -> None:
    with pytest.raises(UsageError) as caught:
        sign(ec.generate_private_key(ec.SECP256R1()), alg, INPUT)
    assert caught.value.code == "config_invalid"


def test_a_key_on_a_foreign_curve_signs_nothing() -> None:
    with pytest.raises(UsageError) as caught:
        row_of(ec.generate_private_key(ec.SECP256K1()), "ES256")
    assert caught.value.code == "config_invalid"


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_mac_is_hmac_over_the_secrets_utf_8(alg: str) -> None:
    secret = "é" * 40
    expected = hmac.digest(secret.encode(), INPUT, getattr(hashlib, f"sha{alg[2:]}"))
    assert sign_mac(secret, alg, INPUT) == expected


@pytest.mark.parametrize(
    ("alg", "secret", "about"),
    [
        ("HS256", "s" * 31, "client_secret"),
        ("HS512", "s" * 63, "client_secret"),
        ("RS256", "s" * 64, "alg"),
        ("none", "s" * 64, "alg"),
    ],
)
def test_a_mac_needs_a_long_secret_and_hmac(alg: str, secret: str, about: str) -> None:
    with pytest.raises(UsageError) as caught:
        sign_mac(secret, alg, INPUT)
    assert (caught.value.code, caught.value.about) == ("config_invalid", about)
