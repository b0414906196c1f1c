"""A sealed box: what is put in can be neither read nor changed outside, and keys can rotate.

AES-256-GCM under a key derived from the application's secret.  The label and the name a value is
kept under are authenticated with it, so that no value can stand in another's place.
"""

from hashlib import sha256
from os import urandom
from typing import Final, NoReturn

from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import OidcError, StoreFailure, UsageError
from oidc_core.wire.settings import check_kind

MIN_SECRET: Final = 32
"""How many octets a sealing secret has at least."""

_VERSION: Final = b"\x01"
_KEY_ID: Final = 4
_NONCE: Final = 12
_OVERHEAD: Final = 1 + _KEY_ID + _NONCE + 16


class SealedBox:
    """Seals text under the newest secret and opens it under any of them.

    Args:
        secrets: the application's secrets, newest first, each of at least 32 octets of entropy.
            To rotate, put a new one in front and drop the last when nothing sealed with it can
            still be under way.

    Raises:
        UsageError: ``config_invalid`` without a secret, or for one that is too short.
    """

    __slots__ = ("_keys",)

    def __init__(self, *secrets: bytes | str) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        if not secrets:
            raise UsageError("config_invalid", about="sealing secret", expected="at least one")
        self._keys: dict[bytes, AESGCM] = {}
        for secret in secrets:
            check_kind(secret, bytes | str, about="sealing secret", code="config_invalid")
            octets = _octets(secret) if isinstance(secret, str) else secret
            if len(octets) < MIN_SECRET:
                raise UsageError(
                    "config_invalid", about="sealing secret", found=len(octets), expected=MIN_SECRET
                )
            key = HKDF(SHA256(), 32, None, b"oidc-core sealed box").derive(octets)
            self._keys[sha256(key).digest()[:_KEY_ID]] = AESGCM(key)

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
        head, rest = octets[: 1 + _KEY_ID], octets[1 + _KEY_ID :]
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


def _octets(text: str) -> bytes:
    """Encode whatever text there is: an error about it would quote the secret."""
    return text.encode("utf-8", "surrogatepass")
