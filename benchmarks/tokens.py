"""The token everybody validates, and the least that validating it can cost.

The *floor* splits the token, decodes its three parts with the standard library, parses header and
payload with ``json.loads``, and lets ``cryptography`` verify the signature with a key object that
is there already.  It checks nothing else; no library does less.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest, digest
from time import time
from typing import Final, NamedTuple, TypeAlias

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from benchmarks.rounds import Call
from oidc_adapters.testing.signing import SigningKey, b64url, compact, rendered
from oidc_adapters.testing.signing_keys import private_key

NOW: Final = int(time())
"""When everything here happens: the wall clock's time, for peers that read it themselves."""

ISSUER: Final = "https://op.example"
CLIENT_ID: Final = "client-7Fjfp0ZBr1KtDRbnfVdmIw"
CLIENT_SECRET: Final = "a-secret-of-more-than-thirty-two-octets"
ACCESS_TOKEN: Final = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
NONCE: Final = "n-0S6_WzA2Mj-" + 31 * "x"
SUB: Final = "248289761001"
OCTETS: Final = 577
"""How long the payload is."""

Raw: TypeAlias = Callable[[bytes, bytes], object]
"""Signature and signing input to a check that raises, or returns whether the signature is valid."""


class SignedToken(NamedTuple):
    """An ID token and the key that signed it."""

    alg: str
    key: SigningKey
    text: str


def signed_token(alg: str, nonce: str = NONCE, **changes: object) -> SignedToken:
    """Sign the ID token, of 15 claims and 577 octets unless changed."""
    kid = None if alg == "HS256" else f"{alg.lower()}-signing-27-01"
    octets = CLIENT_SECRET.encode() if alg == "HS256" else private_key(alg, "benchmark")
    key = SigningKey(alg=alg, kid=kid, private=octets)
    header = {"alg": alg, "typ": "JWT"} if kid is None else {"alg": alg, "typ": "JWT", "kid": kid}
    return SignedToken(alg, key, compact(rendered(header), _payload(alg, nonce, changes), key))


def _payload(alg: str, nonce: str, changes: dict[str, object]) -> bytes:
    claims: dict[str, object] = {
        "iss": ISSUER,
        "sub": SUB,
        "aud": CLIENT_ID,
        "exp": NOW + 3_600,
        "iat": NOW,
        "auth_time": NOW,
        "nonce": nonce,
        "acr": "urn:mace:incommon:iap:silver",
        "amr": ["pwd", "otp"],
        "azp": CLIENT_ID,
        "at_hash": at_hash(alg),
        "sid": b64url(sha256(b"sid").digest()),
        "email": "alice.adams@mail.op.example",
        "email_verified": True,
        "name": "",
        **changes,
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    if "name" in kept:
        kept["name"] = "A" * max(0, OCTETS - len(rendered(kept)))
    return rendered(kept)


def at_hash(alg: str) -> str:
    """Return the hash of the access token, of the table of nobody under test."""
    name = "sha512" if alg == "EdDSA" else "sha256"
    hashed = digest_of(name, ACCESS_TOKEN.encode())
    return b64url(hashed[: len(hashed) // 2])


def digest_of(name: str, octets: bytes) -> bytes:
    """Hash with SHA-256 or SHA-512."""
    context = hashes.Hash(hashes.SHA512() if name == "sha512" else hashes.SHA256())
    context.update(octets)
    return context.finalize()


def floor_of(token: SignedToken) -> Call:
    """Return the floor for a token."""
    text, check = token.text, _raw(token.key)

    def floor() -> object:
        signing_input, _, signature = text.rpartition(".")
        header, _, payload = signing_input.partition(".")
        json.loads(urlsafe_b64decode(header + "=="))
        check(urlsafe_b64decode(signature + "=="), signing_input.encode())
        return json.loads(urlsafe_b64decode(payload + "=="))

    return floor


def _raw(key: SigningKey) -> Raw:
    private, hashed = key.private, hashes.SHA256()
    if isinstance(private, bytes):
        return _raw_mac(private)
    if isinstance(private, rsa.RSAPrivateKey):
        return _raw_rsa(private.public_key(), key.alg)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        verify, scheme = private.public_key().verify, ec.ECDSA(hashed)

        def check(signature: bytes, octets: bytes) -> object:
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            return verify(encode_dss_signature(r, s), octets, scheme)

        return check
    return private.public_key().verify


def _raw_mac(secret: bytes) -> Raw:
    def check(signature: bytes, octets: bytes) -> object:
        return compare_digest(signature, digest(secret, octets, "sha256"))

    return check


def _raw_rsa(key: rsa.RSAPublicKey, alg: str) -> Raw:
    verify, hashed = key.verify, hashes.SHA256()
    scheme = (
        padding.PKCS1v15()
        if alg == "RS256"
        else padding.PSS(padding.MGF1(hashed), hashed.digest_size)
    )

    def check(signature: bytes, octets: bytes) -> object:
        return verify(signature, octets, scheme, hashed)

    return check
