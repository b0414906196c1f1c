"""Fuzzing of the answers of a ``jwks_uri``: the set, each key, and the use of the keys."""

from __future__ import annotations

from functools import partial
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from oidc_adapters.crypto.verification import CryptographyVerifier
from oidc_adapters.testing.signing import b64url, rendered
from oidc_core.jose.algorithms import ALGORITHMS, HMAC, SIGNATURES
from oidc_core.jose.jwk import Jwk
from oidc_core.jose.key_set import MAX_CANDIDATES, parse_key_set
from oidc_core.wire.codes import CODES
from oidc_core.wire.errors import ProtocolViolation
from tests.fuzz.judging import Target, outcome
from tests.signing import signing_key

ASYMMETRIC: Final = sorted(SIGNATURES - HMAC)
ALGS: Final = ("RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA")
JWKS: Final = {alg: signing_key(alg, kid=alg).public_jwk() for alg in ALGS}
_SECP256K1: Final = {  # RFC 8812 has no example; this is the curve's base point
    "kty": "EC",
    "crv": "secp256k1",
    "x": b64url(bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")),
    "y": b64url(bytes.fromhex("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8")),
}
_X25519: Final = X25519PrivateKey.from_private_bytes(32 * b"x").public_key().public_bytes_raw()
OTHERS: Final[tuple[object, ...]] = (
    {**_SECP256K1, "alg": "ES256K", "kid": "k"},
    {"kty": "AKP", "alg": "ML-DSA-44", "pub": b64url(bytes(1_312)), "kid": "a"},
    {"kty": "OKP", "crv": "Ed448", "x": b64url(57 * b"\2"), "key_ops": ["verify"]},
    {"kty": "OKP", "crv": "Ed25519", "x": b64url(bytes(32))},
    {"kty": "OKP", "crv": "X25519", "x": b64url(_X25519), "use": "enc"},
    {"kty": "oct", "k": "AAAA"},
    {**JWKS["ES256"], "d": "AAAA"},
    {**JWKS["EdDSA"], "issuer": "https://op.example"},
    "no key",
)
"""Keys of other kinds, unfit ones among them."""


def _document(*keys: object) -> bytes:
    return rendered({"keys": [*keys]})


WORDS: Final = (
    *ASYMMETRIC,
    *sorted({crv for _, crv in ALGORITHMS if crv}),
    *["keys", "kty", "crv", "alg", "kid", "use", "key_ops", "issuer", "n", "e", "x", "y", "pub"],
    *["d", "p", "q", "k", "priv", "oth", "x5c", "x5t", "ext", "nbf", "exp", "RSA", "EC", "OKP"],
    *["AKP", "oct", "sig", "enc", "verify", "sign", "X25519", "HS256", "none", "AQAB", "Aw", "AA"],
)


_TRIED: Final = 8
"""How many keys of a set are used: that costs more than to parse them all."""


def judge(octets: bytes) -> frozenset[str]:
    """Parse a set, ask it for keys, and verify with each of them."""
    keys = outcome(partial(parse_key_set, octets))
    if isinstance(keys, ProtocolViolation):
        return frozenset({keys.code})
    judged, codes = keys.keys, {key.code for key in keys.skipped}
    assert len(judged) + len(keys.skipped) == len(keys.published) + len(keys.unread), (
        "a key was lost"
    )
    assert codes <= CODES.keys(), "a key was skipped for no reason"
    hash(keys)
    for key in judged[:_TRIED]:
        _use(key)
    used = [key.kid for key in judged[:_TRIED]]
    passed_over = [key.kid for key in keys.skipped[:_TRIED]]
    for kid in {None, "unknown", *used, *passed_over}:
        for alg in (*ASYMMETRIC, "HS256", "none"):
            found = outcome(partial(keys.select, kid, alg))
            if isinstance(found, ProtocolViolation):
                codes.add(found.code)
            else:
                _check(found, kid, alg)
    return frozenset(codes)


def _use(key: Jwk) -> None:
    assert len(key.thumbprint) == 43, "a thumbprint has 43 characters"
    fitting = [alg for alg in ASYMMETRIC if key.fits(alg)]
    verifier = CryptographyVerifier()
    for alg in fitting:
        # Zeros are a valid signature for keys of small order, and for no good key.
        for signature in (b"", bytes(len(key.material[0])), bytes(2 * len(key.material[0]))):
            held = outcome(partial(verifier.verifies, key, alg, b"signing input", signature))
            if isinstance(held, ProtocolViolation):  # older libraries lack some algorithms
                assert held.code == "alg_not_allowed", "a signature is no reason to raise"
            else:
                assert not held, "anybody signs"


def _check(found: tuple[Jwk, ...], kid: str | None, alg: str) -> None:
    assert 1 <= len(found) <= MAX_CANDIDATES, "too many keys are tried"
    assert all(key.verifies and key.fits(alg) for key in found), "a key serves what it is not for"
    assert kid is None or all(key.kid == kid for key in found), "a key of another name"


TARGET: Final = Target(
    name="jwk_set",
    judge=judge,
    seeds=(
        _document(*JWKS.values()),
        _document(*OTHERS),
        *[_document(jwk) for jwk in (*JWKS.values(), *OTHERS)],
        _document(*(9 * [*JWKS.values()])),
        _document(JWKS["RS256"], JWKS["PS256"], {**JWKS["RS256"], "kid": "PS256"}),
        b'{"keys":[],"keys":[]}',
        b'{"keys":null}',
        b"[]",
        b"",
    ),
    words=WORDS,
    longest=280_000,
)
