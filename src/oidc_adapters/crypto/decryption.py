"""The port to decryption, filled with ``cryptography`` and the client's own keys.

There may be several keys at the same time while they are being rotated. A token that names a known
key by ``kid`` is decrypted with that one. A token that names no key, or an unknown one, is tried
with the few keys that fit: each costs a private operation, which a stranger can ask for.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

from oidc_adapters.runtime.client_secret import Secret, opened
from oidc_adapters.runtime.locks import ProcessLock
from oidc_core.jose.encryption import (
    CONTENT_ENCRYPTION,
    KEY_MANAGEMENT,
    SYMMETRIC,
    check_secret,
    secret_octets,
)
from oidc_core.jose.jwe import Jwe
from oidc_core.jose.jws import Encryption
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import as_entries, check_kind

if TYPE_CHECKING:
    from oidc_adapters.credentials.client_keys import DecryptionKey
    from oidc_adapters.crypto.content_keys import ContentKey

MAX_CANDIDATES: Final = 4
"""How many keys are tried for one token."""

_REMEMBERED: Final = 64

_SECRETS: Final = Mapping[tuple[str, str], Secret] | None

_Opener: TypeAlias = Callable[[Jwe], bytes | None]
_Name: TypeAlias = tuple[str, str, Encryption]


class ClientDecrypter:
    """Decrypts what was encrypted for this client.

    It fulfils :class:`oidc_core.jose.jwe.Decrypter`.  Threads may share it.

    Args:
        keys: the client's private keys, newest first.
        client_secrets: (issuer, client id) to client secret, or to a call that opens it for each
            use; needed for ``dir``, ``A128KW`` and their like only.
    """

    __slots__ = ("_keys", "_prepared", "_process", "_secrets")

    def __init__(
        self,
        *keys: "DecryptionKey",
        client_secrets: Mapping[tuple[str, str], Secret] | None = None,
    ) -> None:
        from oidc_adapters.credentials.client_keys import DecryptionKey

        for key in keys:
            check_kind(key, DecryptionKey, about="decryption key", code="config_invalid")
        self._secrets = as_entries(client_secrets, _SECRETS, "client_secrets")
        kids = [key.kid for key in keys]
        if len(set(kids)) != len(kids):
            raise UsageError("config_invalid", found=tuple(kids), about="kid")
        self._keys = keys
        self._prepared: dict[_Name, _Opener] = {}
        self._process = ProcessLock()

    def __repr__(self) -> str:
        return f"ClientDecrypter({', '.join(key.kid for key in self._keys)})"

    def __reduce__(self) -> NoReturn:
        message = "a decrypter holds private keys and is not pickled"
        raise TypeError(message)

    def check(self, issuer: str, client_id: str, encryption: Encryption) -> None:
        """Refuse a configuration for tokens that this client has no key for.

        Raises:
            UsageError: ``credential_missing`` if there is no key, ``config_invalid`` if too many
                keys fit, or if the client secret is too short for this kind of key.
        """
        if encryption.alg in SYMMETRIC:
            secret = self._secrets.get((issuer, client_id))
            if secret is None:
                raise UsageError("credential_missing", found=client_id, about="client_secret")
            check_secret(encryption, opened(secret))
            return
        fitting = [key for key in self._keys if key.fits(encryption.alg)]
        if not 0 < len(fitting) <= MAX_CANDIDATES:
            found = tuple([f"{key.kid} {key.alg or ''}".rstrip() for key in fitting])
            expected = f"1 to {MAX_CANDIDATES} keys for {encryption.alg}"
            code = "config_invalid" if fitting else "credential_missing"
            raise UsageError(code, found=found, expected=expected, about="decryption key")

    def decrypt(self, issuer: str, client_id: str, jwe: Jwe) -> bytes | None:
        """Return the plaintext, or ``None`` for any fault."""
        encryption, kid = jwe.header.encryption, jwe.header.kid
        if encryption.alg in SYMMETRIC:
            opener = self._by_secret(issuer, client_id, encryption)
            return None if opener is None else opener(jwe)
        fitting = [key for key in self._keys if key.fits(encryption.alg)]
        named = [key for key in fitting if key.kid == kid]
        for key in (named or fitting)[:MAX_CANDIDATES]:
            plaintext = self._by_key(key, encryption)(jwe)
            if plaintext is not None:
                return plaintext
        return None

    def _by_key(self, key: "DecryptionKey", encryption: Encryption) -> _Opener:
        name = ("", key.kid, encryption)
        opener = self._prepared.get(name)
        if opener is None:
            from oidc_adapters.crypto.content_keys import by_private_key

            row, content = KEY_MANAGEMENT[encryption.alg], CONTENT_ENCRYPTION[encryption.enc]
            found = by_private_key(row, content, key.private)
            opener = self._remembered(name, _opener(encryption, found))
        return opener

    def _by_secret(self, issuer: str, client_id: str, encryption: Encryption) -> _Opener | None:
        name = (issuer, client_id, encryption)
        opener, secret = self._prepared.get(name), self._secrets.get((issuer, client_id))
        if opener is None and secret is not None:
            from oidc_adapters.crypto.content_keys import derived_from_secret

            octets = opened(secret).encode("utf-8", "surrogatepass")
            key = derived_from_secret(octets, secret_octets(encryption))
            opener = opener_for(encryption, key)
            if isinstance(secret, str):  # what was opened is not kept
                self._remembered(name, opener)
        return opener

    def _remembered(self, name: _Name, opener: _Opener) -> _Opener:
        with self._process.lock:
            while len(self._prepared) >= _REMEMBERED:
                del self._prepared[next(iter(self._prepared))]
            self._prepared[name] = opener
        return opener


def opener_for(encryption: Encryption, key: bytes) -> _Opener:
    """Prepare to decrypt with octets that both sides have, as long as the algorithm wants them."""
    from oidc_adapters.crypto.content_keys import by_shared_key

    row, content = KEY_MANAGEMENT[encryption.alg], CONTENT_ENCRYPTION[encryption.enc]
    return _opener(encryption, by_shared_key(row, content, key))


def _opener(encryption: Encryption, found: "ContentKey") -> _Opener:
    from oidc_adapters.crypto.content import content_opener

    opened = content_opener(CONTENT_ENCRYPTION[encryption.enc])

    def opener(jwe: Jwe) -> bytes | None:
        key = found(jwe)
        return None if key is None else opened(key, jwe)

    return opener
