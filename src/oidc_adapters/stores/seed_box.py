"""A box around one random seed: what the seed stands for needs no room, and the rest is sealed.

Every key is derived from the application's secret and the seed.  The seed is drawn once, so a key
seals one text and its nonce may be fixed.  The derivation is the expansion of HKDF (RFC 5869 §2.3)
with one block: HMAC-SHA-256 of label, seed and the octet 1 under a key made of the secret.
"""

from hmac import digest
from typing import Final, NamedTuple, NoReturn

from oidc_adapters.stores.sealed_box import KEY_ID, keys_of
from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import CallbackError, OidcError

SEED: Final = 16
"""How many octets a seed has."""

_VERSION: Final = b"\x02"
_HEAD: Final = 1 + KEY_ID + SEED
_TAG: Final = 16
_NONCE: Final = bytes(12)


class Opened(NamedTuple):
    """The content of a box: the seed, the sealed text, and the key that sealed it."""

    seed: bytes
    octets: bytes
    key_id: bytes

    def __repr__(self) -> str:
        return f"Opened(key_id={self.key_id.hex()!r})"


class SeedBox:
    """Seals with the newest secret and opens with any of them.

    Args:
        secrets: like :class:`~oidc_adapters.stores.sealed_box.SealedBox`.

    Raises:
        UsageError: ``config_invalid`` without a secret, or for one that is too short.
    """

    __slots__ = ("_keys", "_newest")

    def __init__(self, *secrets: bytes | str) -> None:
        self._keys = keys_of(secrets, purpose="oidc-core seed box")
        self._newest = next(iter(self._keys))

    def secret(self, label: str, seed: bytes, key_id: bytes | None = None) -> str:
        """Return the secret that a seed stands for under a label: 43 characters of base64url."""
        return b64url_encode(self._derived(label, seed, key_id or self._newest))

    def digest(self, text: str, length: int, key_id: bytes | None = None) -> bytes:
        """Return a digest that nobody without the secret can aim at."""
        octets = text.encode("utf-8", "surrogatepass")
        return self._derived("digest", octets, key_id or self._newest)[:length]

    @staticmethod
    def length(octets: int) -> int:
        """Return how many characters come of sealing so many octets."""
        return ((_HEAD + octets + _TAG) * 4 + 2) // 3

    def close(self, seed: bytes, octets: bytes, *, label: str) -> str:
        """Seal octets under a seed that seals nothing else; return base64url of all together."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        head = _VERSION + self._newest + seed
        key = AESGCM(self._derived(f"seal {label}", seed, self._newest))
        return b64url_encode(head + key.encrypt(_NONCE, octets, head))

    def open(self, text: str, *, label: str) -> Opened:
        """Open what :meth:`close` sealed under the same label.

        Raises:
            CallbackError: ``cookie_key_unknown`` if another secret sealed it, ``cookie_invalid``
                for everything else.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            octets = b64url_decode(text.encode("ascii", "replace"))
        except OidcError:
            raise CallbackError("cookie_invalid", about="cookie") from None
        head, sealed = octets[:_HEAD], octets[_HEAD:]
        if len(sealed) < _TAG or head[:1] != _VERSION:
            raise CallbackError("cookie_invalid", about="cookie")
        key_id, seed = head[1 : 1 + KEY_ID], head[1 + KEY_ID :]
        if key_id not in self._keys:
            known = tuple([each.hex() for each in self._keys])
            raise CallbackError("cookie_key_unknown", found=key_id.hex(), expected=known)
        key = AESGCM(self._derived(f"seal {label}", seed, key_id))
        try:
            return Opened(seed, key.decrypt(_NONCE, sealed, head), key_id)
        except InvalidTag:
            raise CallbackError("cookie_invalid", about="cookie") from None

    def _derived(self, label: str, octets: bytes, key_id: bytes) -> bytes:
        return digest(self._keys[key_id], label.encode("ascii") + b"\0" + octets + b"\1", "sha256")

    def __repr__(self) -> str:
        return f"SeedBox({len(self._keys)})"

    def __reduce__(self) -> NoReturn:
        message = "a seed box holds keys and is not pickled"
        raise TypeError(message)
