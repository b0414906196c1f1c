"""Where fresh secrets come from: the operating system, or a seed that a test knows."""

from hashlib import sha512
from os import urandom
from typing import Final, Protocol

from oidc_core.model.pending import LoginSecrets
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.settings import check_kind

OCTETS: Final = 33
"""Octets of each secret: 264 bits (RFC 6749 §10.10, RFC 7636 §7.1)."""

LENGTH: Final = 44
"""Characters of each secret in base64url; 33 octets need no padding and no odd bits."""


class Entropy(Protocol):
    """Gives secrets; the core draws no random values."""

    def login_secrets(self) -> LoginSecrets:
        """Return the four secrets of one login, each used once and for one purpose."""
        ...

    def token(self) -> str:
        """Return one secret of 44 base64url characters, for example for ``jti``."""
        ...


class SystemEntropy:
    """The operating system's generator, asked once a login."""

    __slots__ = ()

    def login_secrets(self) -> LoginSecrets:
        """Return four independent secrets."""
        return _login_secrets(urandom(4 * OCTETS))

    def token(self) -> str:
        """Return one secret."""
        return b64url_encode(urandom(OCTETS))


class FixedEntropy:
    """A reproducible sequence, for tests alone: who knows the seed knows every secret."""

    __slots__ = ("_drawn", "_seed")

    def __init__(self, seed: int) -> None:
        check_kind(seed, int, about="seed")
        self._seed = seed
        self._drawn = 0

    def login_secrets(self) -> LoginSecrets:
        """Return the next four secrets of the sequence."""
        return _login_secrets(b"".join([self._draw() for _ in range(4)]))

    def token(self) -> str:
        """Return the next secret of the sequence."""
        return b64url_encode(self._draw())

    def _draw(self) -> bytes:
        self._drawn += 1
        return sha512(b"%d.%d" % (self._seed, self._drawn)).digest()[:OCTETS]


def _login_secrets(octets: bytes) -> LoginSecrets:
    """Encode once and cut: 33 octets are 44 characters."""
    text = b64url_encode(octets)
    return LoginSecrets(
        state=text[:LENGTH],
        nonce=text[LENGTH : 2 * LENGTH],
        code_verifier=text[2 * LENGTH : 3 * LENGTH],
        binding=text[3 * LENGTH :],
    )
