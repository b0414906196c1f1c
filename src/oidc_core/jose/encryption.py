"""How content and its key may be encrypted (RFC 7518 §4, §5): the tables, and a secret as a key.

There is no row for ``RSA1_5``, for ``PBES2`` and for ``zip``, and therefore no code.
"""

from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from oidc_core.jose.jws import Encryption
from oidc_core.wire.errors import UsageError

KeyFamily: TypeAlias = Literal["RSA-OAEP", "ECDH-ES", "AES-KW", "AES-GCMKW", "dir"]
ContentFamily: TypeAlias = Literal["AES-GCM", "AES-CBC-HMAC"]


class KeyManagement(NamedTuple):
    """How the content's key comes to the recipient (RFC 7518 §4).

    Attributes:
        alg: the name in a JOSE header.
        family: the construction.
        digest: the hash of OAEP, as :mod:`hashlib` names it; otherwise empty.
        octets: how long the key is that wraps the content's key; 0 where the key is not wrapped.
    """

    alg: str
    family: KeyFamily
    digest: str
    octets: int


class ContentEncryption(NamedTuple):
    """How the content is encrypted (RFC 7518 §5); all lengths are in octets.

    Attributes:
        enc: the name in a JOSE header.
        family: the construction.
        digest: the hash of the MAC, as :mod:`hashlib` names it; otherwise empty.
        octets: how long the key is, that of the MAC included.
        iv_octets: how long the initialization vector is.
        tag_octets: how long the authentication tag is.
    """

    enc: str
    family: ContentFamily
    digest: str
    octets: int
    iv_octets: int
    tag_octets: int


_SIZES: Final = (16, 24, 32)

_KEY_ROWS: Final[tuple[KeyManagement, ...]] = (
    KeyManagement("RSA-OAEP", "RSA-OAEP", "sha1", 0),
    *[KeyManagement(f"RSA-OAEP-{n}", "RSA-OAEP", f"sha{n}", 0) for n in (256, 384, 512)],
    KeyManagement("ECDH-ES", "ECDH-ES", "", 0),
    *[KeyManagement(f"ECDH-ES+A{8 * n}KW", "ECDH-ES", "", n) for n in _SIZES],
    *[KeyManagement(f"A{8 * n}KW", "AES-KW", "", n) for n in _SIZES],
    *[KeyManagement(f"A{8 * n}GCMKW", "AES-GCMKW", "", n) for n in _SIZES],
    KeyManagement("dir", "dir", "", 0),
)
_CONTENT_ROWS: Final[tuple[ContentEncryption, ...]] = (
    *[ContentEncryption(f"A{8 * n}GCM", "AES-GCM", "", n, 12, 16) for n in _SIZES],
    *[
        ContentEncryption(f"A{8 * n}CBC-HS{16 * n}", "AES-CBC-HMAC", f"sha{16 * n}", 2 * n, 16, n)
        for n in _SIZES
    ],
)

KEY_MANAGEMENT: Final = MappingProxyType({row.alg: row for row in _KEY_ROWS})
"""``alg`` to row."""

CONTENT_ENCRYPTION: Final = MappingProxyType({row.enc: row for row in _CONTENT_ROWS})
"""``enc`` to row."""

SYMMETRIC: Final = frozenset(
    row.alg for row in _KEY_ROWS if row.family in {"AES-KW", "AES-GCMKW", "dir"}
)
"""The ``alg`` whose key is made of the client's secret (OIDC Core §10.2)."""

DEFAULT_ENC: Final = "A128CBC-HS256"
"""The ``enc`` of a client that registers only an ``alg`` (OIDC Dynamic Client Registration §2)."""

_SECRET_OCTETS: Final = 32


def secret_octets(encryption: Encryption) -> int:
    """Return how many octets the key has that the client's secret makes."""
    return KEY_MANAGEMENT[encryption.alg].octets or CONTENT_ENCRYPTION[encryption.enc].octets


def check_secret(encryption: Encryption, secret: str) -> None:
    """Refuse a client secret that is shorter than the strength its key claims (OIDC Core §16.19).

    Hashing makes a key long enough, but not harder to guess: the secret has as many octets as the
    key, or 32, for which 64 of a key are two halves.

    Raises:
        UsageError: ``config_invalid``: it is the developer who agreed on both.
    """
    least = min(secret_octets(encryption), _SECRET_OCTETS)
    octets = len(secret.encode("utf-8", "surrogatepass"))
    if octets < least:
        raise UsageError("config_invalid", found=octets, expected=least, about="client_secret")
