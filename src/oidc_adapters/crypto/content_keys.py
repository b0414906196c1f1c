"""The key of a JWE's content: unwrapped, agreed, or derived from a secret (RFC 7518 §4).

Nothing here fails aloud. If the key is not available, a random key of the right length replaces it.
The content's authentication then refuses the token like any other (RFC 7516 §11.5). So a sender
cannot learn from the error, or, as far as Python can promise, from the time, whether the padding,
the length or the tag was wrong.
"""

import os
from collections.abc import Callable
from hashlib import new as new_digest
from hashlib import sha256
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from oidc_adapters.crypto.primitives import CURVES
from oidc_core.jose.encryption import ContentEncryption, KeyManagement
from oidc_core.jose.jwe import EphemeralKey, Jwe, JweHeader

DecryptingKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | X25519PrivateKey
"""A private key that decrypts."""

ContentKey: TypeAlias = Callable[[Jwe], bytes | None]
"""JWE to the key of its content, of any length, ``None`` if it is not available."""

_GCM_IV: Final = 12
_GCM_TAG: Final = 16
_CRV: Final = {curve.name: crv for crv, curve in CURVES.items()}
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


def family_of(key: DecryptingKey) -> str:
    """Return the family of algorithms that a private key serves."""
    return "RSA-OAEP" if isinstance(key, rsa.RSAPrivateKey) else "ECDH-ES"


def by_private_key(
    row: KeyManagement, content: ContentEncryption, key: DecryptingKey
) -> ContentKey:
    """Prepare to find content keys with a private key whose family is the row's."""
    found = _oaep(row, key) if isinstance(key, rsa.RSAPrivateKey) else _agreed(row, content, key)
    return _or_chance(found, content)


def by_shared_key(row: KeyManagement, content: ContentEncryption, key: bytes) -> ContentKey:
    """Prepare to find content keys with octets that both sides have."""
    if row.family == "dir":
        return _direct(key)
    return _or_chance(_wrapped(key) if row.family == "AES-KW" else _gcm_wrapped(key), content)


def derived_from_secret(secret: bytes, octets: int) -> bytes:
    """Make a key of a client's secret: the left part of a digest (OIDC Core §10.2)."""
    name = next(name for name, size in _DIGESTS if octets <= size)
    return new_digest(name, secret).digest()[:octets]


_DIGESTS: Final = (("sha256", 32), ("sha384", 48), ("sha512", 64))


def _or_chance(found: ContentKey, content: ContentEncryption) -> ContentKey:
    """Give a key of the right length in any case, so that refusing is left to the content."""
    octets = content.octets

    def key(jwe: Jwe) -> bytes:
        chance, unwrapped = os.urandom(octets), found(jwe)
        return chance if unwrapped is None or len(unwrapped) != octets else unwrapped

    return key


def _oaep(row: KeyManagement, key: rsa.RSAPrivateKey) -> ContentKey:
    digest = _HASHES[row.digest]
    scheme, decrypt = padding.OAEP(padding.MGF1(digest), digest, None), key.decrypt

    def unwrapped(jwe: Jwe) -> bytes | None:
        try:
            return decrypt(jwe.encrypted_key, scheme)
        except ValueError:
            return None

    return unwrapped


def _direct(key: bytes) -> ContentKey:
    def shared(jwe: Jwe) -> bytes | None:
        return None if jwe.encrypted_key else key

    return shared


def _wrapped(key: bytes) -> ContentKey:
    return lambda jwe: _unwrapped(key, jwe.encrypted_key)


def _unwrapped(key: bytes, wrapped: bytes) -> bytes | None:
    try:
        return aes_key_unwrap(key, wrapped)
    except (InvalidUnwrap, ValueError):
        return None


def _gcm_wrapped(key: bytes) -> ContentKey:
    decrypt = AESGCM(key).decrypt

    def unwrapped(jwe: Jwe) -> bytes | None:
        iv, tag = jwe.header.iv, jwe.header.tag
        if len(iv) != _GCM_IV or len(tag) != _GCM_TAG:
            return None
        try:
            return decrypt(iv, jwe.encrypted_key + tag, None)
        except InvalidTag:
            return None

    return unwrapped


def _agreed(
    row: KeyManagement,
    content: ContentEncryption,
    key: ec.EllipticCurvePrivateKey | X25519PrivateKey,
) -> ContentKey:
    """ECDH-ES, directly or with a key that is wrapped (RFC 7518 §4.6)."""
    octets = row.octets or content.octets
    name = (row.alg if row.octets else content.enc).encode("ascii")
    suffix = (8 * octets).to_bytes(4, "big")

    def agreed(jwe: Jwe) -> bytes | None:
        secret = None if jwe.header.epk is None else shared_secret(key, jwe.header.epk)
        if secret is None:
            return None
        derived = _concat_kdf(secret, _other(name, jwe.header) + suffix, octets)
        if row.octets:
            return _unwrapped(derived, jwe.encrypted_key)
        return None if jwe.encrypted_key else derived

    return agreed


def _other(name: bytes, header: JweHeader) -> bytes:
    parts = (name, header.apu, header.apv)
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def _concat_kdf(secret: bytes, other: bytes, octets: int) -> bytes:
    """The Concat KDF with SHA-256 (NIST SP 800-56A §5.8.1): one or two rounds."""
    rounds = range(1, (octets + 31) // 32 + 1)
    digests = [sha256(n.to_bytes(4, "big") + secret + other).digest() for n in rounds]
    return b"".join(digests)[:octets]


def shared_secret(
    key: ec.EllipticCurvePrivateKey | X25519PrivateKey, epk: EphemeralKey
) -> bytes | None:
    """Agree on a secret; ``None`` unless ``epk`` is a good point of the same curve as the key.

    A point of small order on X25519, and with it a secret that everybody knows, is refused
    (RFC 7748 §6.1, RFC 8037 §3.2).
    """
    try:
        if isinstance(key, X25519PrivateKey):
            if (epk.kty, epk.crv) != ("OKP", "X25519") or epk.y:
                return None
            return key.exchange(X25519PublicKey.from_public_bytes(epk.x))
        width = (key.curve.key_size + 7) // 8
        if (epk.kty, epk.crv) != ("EC", _CRV[key.curve.name]) or not (
            len(epk.x) == width == len(epk.y)
        ):
            return None
        point = ec.EllipticCurvePublicKey.from_encoded_point(key.curve, b"\x04" + epk.x + epk.y)
        return key.exchange(ec.ECDH(), point)
    except ValueError:
        return None
