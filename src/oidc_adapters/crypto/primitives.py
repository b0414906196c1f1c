"""The work of ``cryptography`` here: one closure a key and algorithm, with everything prepared.

Building a key object costs ten times as much as looking it up, so the caller makes a closure once
and keeps it. The code that verifies, decrypts and signs imports the modules that need
``cryptography``, this one among them, only when it is first used.
"""

from collections.abc import Callable
from hashlib import sha256, sha384, sha512
from hmac import compare_digest
from typing import Final, Protocol, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hmac import HMAC

from oidc_core.jose.algorithms import Algorithm

Verify: TypeAlias = Callable[[bytes, bytes], bool]
"""(signing input, signature) to whether it is valid; never raises."""

Sign: TypeAlias = Callable[[bytes], bytes]
"""Signing input to signature, in the format of JOSE."""

PrivateKey: TypeAlias = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_DIGESTS: Final = {"sha256": sha256, "sha384": sha384, "sha512": sha512}
"""The same of the standard library: hashed there, verifying is a little cheaper."""

CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
}
_CRV: Final = {curve.name: crv for crv, curve in CURVES.items()}


def verifier(row: Algorithm, material: tuple[bytes, ...]) -> Verify:
    """Prepare to verify with a public key.

    Args:
        row: the algorithm.
        material: the octets of a checked key, like :attr:`oidc_core.jose.jwk.Jwk.material`.

    Raises:
        ValueError: if this is not a key after all.
        cryptography.exceptions.UnsupportedAlgorithm: if the backend lacks the algorithm.
    """
    if row.kty == "RSA":
        return _verifier_rsa(row, *material)
    if row.kty == "EC":
        return _verifier_ec(row, *material)
    key = _ml_dsa(row, *material) if row.kty == "AKP" else _okp(row, *material)
    return _verifier_raw(row, key)


def _verifier_rsa(row: Algorithm, n: bytes, e: bytes) -> Verify:
    numbers = rsa.RSAPublicNumbers(int.from_bytes(e, "big"), int.from_bytes(n, "big"))
    check, scheme, length = numbers.public_key().verify, _rsa_padding(row), len(n)
    hashed, digest = Prehashed(_HASHES[row.digest]), _DIGESTS[row.digest]

    def verify(signing_input: bytes, signature: bytes) -> bool:
        if len(signature) != length:
            return False
        try:
            check(signature, digest(signing_input).digest(), scheme, hashed)
        except InvalidSignature:
            return False
        return True

    return verify


def _rsa_padding(row: Algorithm) -> padding.PKCS1v15 | padding.PSS:
    if row.family != "RSASSA-PSS":
        return padding.PKCS1v15()
    digest = _HASHES[row.digest]
    # RFC 7518 §3.5: the salt is exactly as long as the digest; MGF1 uses the same digest.
    return padding.PSS(padding.MGF1(digest), salt_length=digest.digest_size)


def _verifier_ec(row: Algorithm, x: bytes, y: bytes) -> Verify:
    across, up = int.from_bytes(x, "big"), int.from_bytes(y, "big")
    key = ec.EllipticCurvePublicNumbers(across, up, CURVES[row.crv]).public_key()
    check, scheme = key.verify, ec.ECDSA(Prehashed(_HASHES[row.digest]))
    width, digest = len(x), _DIGESTS[row.digest]

    def verify(signing_input: bytes, signature: bytes) -> bool:
        if len(signature) != 2 * width:
            return False
        r, s = int.from_bytes(signature[:width], "big"), int.from_bytes(signature[width:], "big")
        try:
            check(encode_dss_signature(r, s), digest(signing_input).digest(), scheme)
        except InvalidSignature:
            return False
        return True

    return verify


class _RawKey(Protocol):
    """A public key whose signatures are plain octets: no padding, no digest to choose."""

    def verify(self, signature: bytes, data: bytes, /) -> None: ...


def _okp(row: Algorithm, x: bytes) -> _RawKey:
    if row.crv == "Ed25519":
        return ed25519.Ed25519PublicKey.from_public_bytes(x)
    return ed448.Ed448PublicKey.from_public_bytes(x)


def _ml_dsa(row: Algorithm, pub: bytes) -> _RawKey:
    """Load a key of ML-DSA, which neither every ``cryptography`` nor every OpenSSL has."""
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa
    except ImportError:
        raise UnsupportedAlgorithm(row.alg) from None
    if row.alg == "ML-DSA-44":
        return mldsa.MLDSA44PublicKey.from_public_bytes(pub)
    if row.alg == "ML-DSA-65":
        return mldsa.MLDSA65PublicKey.from_public_bytes(pub)
    return mldsa.MLDSA87PublicKey.from_public_bytes(pub)


def _verifier_raw(row: Algorithm, key: _RawKey) -> Verify:
    check, length = key.verify, row.signature_length

    def verify(signing_input: bytes, signature: bytes) -> bool:
        if len(signature) != length:
            return False
        try:
            check(signature, signing_input)
        except InvalidSignature:
            return False
        return True

    return verify


def mac_verifier(row: Algorithm, secret: bytes) -> Verify:
    """Prepare to verify a MAC; the keyed state is copied for each token."""
    begin = HMAC(secret, _HASHES[row.digest]).copy

    def verify(signing_input: bytes, signature: bytes) -> bool:
        context = begin()
        context.update(signing_input)
        return compare_digest(context.finalize(), signature)

    return verify


def mac_signer(row: Algorithm, secret: bytes) -> Sign:
    """Prepare to make MACs with a secret."""
    begin = HMAC(secret, _HASHES[row.digest]).copy

    def sign(signing_input: bytes) -> bytes:
        context = begin()
        context.update(signing_input)
        return context.finalize()

    return sign


def shape_of(key: PrivateKey) -> tuple[str, str]:
    """Return a private key's type and curve as a JWK names them."""
    if isinstance(key, rsa.RSAPrivateKey):
        return "RSA", ""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return "EC", _CRV.get(key.curve.name, key.curve.name)
    return "OKP", "Ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "Ed448"


def signer(row: Algorithm, key: PrivateKey) -> Sign:
    """Prepare to sign with a private key that fits the algorithm."""
    if isinstance(key, rsa.RSAPrivateKey):
        return _signer_rsa(row, key)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return _signer_ec(row, key)
    return key.sign


def _signer_rsa(row: Algorithm, key: rsa.RSAPrivateKey) -> Sign:
    make, scheme, digest = key.sign, _rsa_padding(row), _HASHES[row.digest]

    def sign(signing_input: bytes) -> bytes:
        return make(signing_input, scheme, digest)

    return sign


def _signer_ec(row: Algorithm, key: ec.EllipticCurvePrivateKey) -> Sign:
    make, scheme = key.sign, ec.ECDSA(_HASHES[row.digest])
    width = (key.curve.key_size + 7) // 8

    def sign(signing_input: bytes) -> bytes:
        r, s = decode_dss_signature(make(signing_input, scheme))
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")

    return sign
