"""A sealed box: what is put in can be neither read nor changed outside, and keys can rotate.

AES-256-GCM under a key derived from the application's secret. The label and the name a value is
kept under are authenticated with it, so that no value can replace another.
"""

from hashlib import sha256
from os import urandom
from typing import Final, NoReturn

from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import OidcError, StoreFailure, UsageError

MIN_SECRET: Final = 32
"""How many octets a sealing secret has at least."""

_VERSION: Final = b"\x01"
KEY_ID: Final = 4
"""How many octets tell keys apart."""

_NONCE: Final = 12
_OVERHEAD: Final = 1 + KEY_ID + _NONCE + 16


class SealedBox:
    """Seals text under the newest secret and opens it under any of them.

    Args:
        secrets: the application's secrets, newest first, each of at least 32 octets of entropy.
            To rotate, put a new one in front and drop the last as soon as everything sealed with it
            has expired.

    Raises:
        UsageError: ``config_invalid`` without a secret, or for one that is too short.
    """

    __slots__ = ("_keys",)

    def __init__(self, *secrets: bytes | str) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        derived = keys_of(secrets, purpose="oidc-core sealed box")
        self._keys = {key_id: AESGCM(key) for key_id, key in derived.items()}

    def close(self, text: str, *, label: str) -> str:
        """Seal text, as base64url.  ``label`` says what it is and under which name it is kept."""
        key_id, key = next(iter(self._keys.items()))
        head = _VERSION + key_id
        nonce = urandom(_NONCE)
        sealed = key.encrypt(nonce, _octets(text), head + _octets(label))
        return b64url_encode(head + nonce + sealed)

    def open(self, sealed: str, *, label: str) -> str:
        """Open what :meth:`close` sealed for the same label.

        Raises:
            StoreFailure: ``seal_invalid`` for everything else.
        """
        from cryptography.exceptions import InvalidTag

        try:
            octets = b64url_decode(sealed.encode("ascii", "replace"))
        except OidcError:
            raise StoreFailure("seal_invalid") from None
        head, rest = octets[: 1 + KEY_ID], octets[1 + KEY_ID :]
        key = self._keys.get(head[1:])
        if len(octets) < _OVERHEAD or head[:1] != _VERSION or key is None:
            raise StoreFailure("seal_invalid")
        try:
            text = key.decrypt(rest[:_NONCE], rest[_NONCE:], head + _octets(label))
            return text.decode("utf-8", "surrogatepass")
        except (InvalidTag, UnicodeDecodeError):
            raise StoreFailure("seal_invalid") from None

    def __repr__(self) -> str:
        return f"SealedBox({len(self._keys)})"

    def __reduce__(self) -> NoReturn:
        message = "a sealed box holds keys and is not pickled"
        raise TypeError(message)


def keys_of(secrets: tuple[bytes | str, ...], *, purpose: str) -> dict[bytes, bytes]:
    """Derive a key for one purpose from each sealing secret; return them by their ids, in order.

    Raises:
        UsageError: ``config_invalid`` without a secret, or for one that is too short or no secret.
    """
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    if not secrets:
        raise UsageError("config_invalid", about="sealing secret", expected="at least one")
    keys: dict[bytes, bytes] = {}
    for secret in secrets:
        octets = _secret(secret)
        if len(octets) < MIN_SECRET:
            raise UsageError(
                "config_invalid", about="sealing secret", found=len(octets), expected=MIN_SECRET
            )
        key = HKDF(SHA256(), 32, None, purpose.encode("ascii")).derive(octets)
        keys.setdefault(sha256(key).digest()[:KEY_ID], key)
    return keys


def _secret(value: object) -> bytes:
    """Take a sealing secret, and refuse anything else without showing it."""
    octets = _octets(value) if isinstance(value, str) else value
    if not isinstance(octets, bytes):
        found = type(octets).__name__
        raise UsageError(
            "config_invalid", about="sealing secret", found=found, expected="bytes or str"
        )
    return octets


def _octets(text: str) -> bytes:
    """Encode any text: an error about it would quote the secret."""
    return text.encode("utf-8", "surrogatepass")
