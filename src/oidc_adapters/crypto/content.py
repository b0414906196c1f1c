"""The content of a JWE: authenticated first, decrypted after (RFC 7518 §5)."""

import hmac
from collections.abc import Callable
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from oidc_core.jose.encryption import ContentEncryption
from oidc_core.jose.jwe import Jwe

Open: TypeAlias = Callable[[bytes, Jwe], bytes | None]
"""(content's key, JWE) to plaintext, ``None`` for any fault; the key's length is right."""

_BLOCK_BITS: Final = 128


def content_opener(row: ContentEncryption) -> Open:
    """Prepare to decrypt content of one ``enc``."""
    return _gcm(row) if row.family == "AES-GCM" else _cbc_hmac(row)


def _gcm(row: ContentEncryption) -> Open:
    iv_octets, tag_octets = row.iv_octets, row.tag_octets

    def opened(key: bytes, jwe: Jwe) -> bytes | None:
        # The library takes other lengths, and with them forgeries that are easier to find.
        if len(jwe.iv) != iv_octets or len(jwe.tag) != tag_octets:
            return None
        try:
            return AESGCM(key).decrypt(jwe.iv, jwe.ciphertext + jwe.tag, jwe.protected)
        except InvalidTag:
            return None

    return opened


def _cbc_hmac(row: ContentEncryption) -> Open:
    half, digest = row.octets // 2, row.digest

    def opened(key: bytes, jwe: Jwe) -> bytes | None:
        iv, ciphertext, protected = jwe.iv, jwe.ciphertext, jwe.protected
        bits = (8 * len(protected)).to_bytes(8, "big")
        mac = hmac.digest(key[:half], b"".join((protected, iv, ciphertext, bits)), digest)
        # The algorithm alone decides both lengths (RFC 7518 §5.2.2.2).
        if len(iv) != row.iv_octets or not hmac.compare_digest(mac[: row.tag_octets], jwe.tag):
            return None
        return _unpadded(key[half:], iv, ciphertext)

    return opened


def _unpadded(key: bytes, iv: bytes, ciphertext: bytes) -> bytes | None:
    """Decrypt what the sender made for certain; it may still have made it badly."""
    decryptor = Cipher(AES(key), CBC(iv)).decryptor()
    unpadder = PKCS7(_BLOCK_BITS).unpadder()
    try:
        padded = decryptor.update(ciphertext) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        return None
