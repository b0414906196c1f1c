"""Private keys that decrypt, out of PEM and JWK, and the public members of them."""

from collections.abc import Mapping
from typing import Final, cast

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from oidc_adapters.crypto.content_keys import DecryptingKey
from oidc_adapters.crypto.private_keys import private_key_from_jwk, read_pem
from oidc_adapters.crypto.private_keys import public_members as members_of_signing_key
from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import OidcError, UsageError
from oidc_core.wire.jsontypes import JsonObject, JsonValue

_ABOUT: Final = "client key"
_KINDS: Final = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, X25519PrivateKey)
_EXPECTED: Final = "a private key: RSA, P-256, P-384, P-521 or X25519"


def decrypting_key_from_pem(pem: bytes, password: bytes | None) -> DecryptingKey:
    """Load a private key that decrypts.

    Raises:
        UsageError: ``config_invalid`` if it cannot be read or is of a kind not used here.
    """
    key = read_pem(pem, password)
    check_decrypting_key(key)
    return cast("DecryptingKey", key)


def check_decrypting_key(key: object) -> None:
    """Refuse a value that is not a private key for decryption.

    Raises:
        UsageError: ``config_invalid``, as for X448, Ed25519 or a public key.
    """
    if not isinstance(key, _KINDS):
        found = type(key).__name__
        raise UsageError("config_invalid", found=found, expected=_EXPECTED, about=_ABOUT)


def decrypting_key_from_jwk(jwk: Mapping[str, JsonValue]) -> DecryptingKey:
    """Load a private JWK (RFC 7518 §6, RFC 8037 §2).

    Raises:
        UsageError: ``config_invalid`` if it is malformed or of a kind not used here.
    """
    if (jwk.get("kty"), jwk.get("crv")) == ("OKP", "X25519"):
        return _x25519(jwk.get("d"))
    key = private_key_from_jwk(jwk)
    check_decrypting_key(key)
    return cast("DecryptingKey", key)


def _x25519(d: JsonValue) -> X25519PrivateKey:
    octets = d.encode("utf-8", "surrogatepass") if isinstance(d, str) else b"."
    try:
        return X25519PrivateKey.from_private_bytes(b64url_decode(octets))
    except (ValueError, OidcError):
        raise UsageError("config_invalid", expected="a private JWK", about=_ABOUT) from None


def public_members(key: DecryptingKey) -> JsonObject:
    """Return the members of a private key that everybody may see, and no other.

    Raises:
        UsageError: ``config_invalid`` for secp256k1, which serves signatures only (RFC 8812 §3.1).
    """
    if isinstance(key, X25519PrivateKey):
        x = b64url_encode(key.public_key().public_bytes_raw())
        return JsonObject({"kty": "OKP", "crv": "X25519", "x": x})
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256K1):
        raise UsageError("config_invalid", found="secp256k1", expected=_EXPECTED, about=_ABOUT)
    return members_of_signing_key(key)
