"""Where fresh secrets come from: the operating system, or a seed that a test knows."""

from hashlib import sha512
from os import urandom
from typing import Final, Protocol

from oidc_core.model.pending import LoginSecrets
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.settings import check_kind

OCTETS: Final = 32
"""Octets of each secret: 256 bits (RFC 6749 §10.10, RFC 7636 §7.1)."""

LENGTH: Final = 43
"""Characters of each secret in base64url; several providers take no nonce of more."""


class Entropy(Protocol):
    """Gives secrets; the core draws no random values."""

    def login_secrets(self) -> LoginSecrets:
        """Return the four secrets of one login, each used once and for one purpose."""
        ...

    def token(self) -> str:
        """Return one secret of 43 base64url characters, for example for ``jti``."""
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
    """Cut octets into four and encode each: 32 octets are 43 characters."""
    return LoginSecrets(
        state=b64url_encode(octets[:OCTETS]),
        nonce=b64url_encode(octets[OCTETS : 2 * OCTETS]),
        code_verifier=b64url_encode(octets[2 * OCTETS : 3 * OCTETS]),
        binding=b64url_encode(octets[3 * OCTETS :]),
    )
