"""Private keys out of PEM and JWK, and the public members of them.

Loading an RSA key takes tens of milliseconds, as its numbers are checked against each other: it
belongs into configuration, never into a login.
"""

from collections.abc import Mapping
from typing import Final, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from oidc_adapters.crypto.primitives import CURVES, PrivateKey, shape_of
from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import OidcError, UsageError
from oidc_core.wire.jsontypes import JsonObject, JsonValue

_ABOUT: Final = "client key"
_KINDS: Final = (
    rsa.RSAPrivateKey,
    ec.EllipticCurvePrivateKey,
    ed25519.Ed25519PrivateKey,
    ed448.Ed448PrivateKey,
)


def read_pem(pem: bytes, password: bytes | None) -> PrivateKeyTypes:
    """Read a private key of any kind (PKCS #8 or the older forms), and decrypt an encrypted one.

    Raises:
        UsageError: ``config_invalid`` if it cannot be read.  The library's own message is left
            out, since it may quote the input.
    """
    try:
        return load_pem_private_key(pem, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        expected = "the PEM of a private key, and its password if it has one"
        raise UsageError("config_invalid", expected=expected, about=_ABOUT) from None


def private_key_from_pem(pem: bytes, password: bytes | None) -> PrivateKey:
    """Load a private key that signs.

    Raises:
        UsageError: ``config_invalid`` if it cannot be read or is of a kind not used here.
    """
    key = read_pem(pem, password)
    check_signing_key(key)
    return cast("PrivateKey", key)


def check_signing_key(key: object) -> None:
    """Refuse a value that is not a private key for signing.

    Raises:
        UsageError: ``config_invalid``, as for X25519, a public key or a DSA key.
    """
    if not isinstance(key, _KINDS):
        found, expected = type(key).__name__, "a private key: RSA, EC or Edwards curve"
        raise UsageError("config_invalid", found=found, expected=expected, about=_ABOUT)


def private_key_from_jwk(jwk: Mapping[str, JsonValue]) -> PrivateKey:
    """Load a private JWK (RFC 7518 §6, RFC 8037 §2).

    Raises:
        UsageError: ``config_invalid`` if it is malformed, or a mixture of two keys.
    """
    try:
        return _loaded(jwk)
    except (ValueError, ArithmeticError, OidcError, UnsupportedAlgorithm):
        raise UsageError("config_invalid", expected="a private JWK", about=_ABOUT) from None


def _loaded(jwk: Mapping[str, JsonValue]) -> PrivateKey:
    kty, crv = jwk.get("kty"), jwk.get("crv")
    if kty == "RSA":
        return _rsa(jwk)
    if kty == "EC" and isinstance(crv, str) and crv in CURVES:
        public = ec.EllipticCurvePublicNumbers(_int(jwk, "x"), _int(jwk, "y"), CURVES[crv])
        return ec.EllipticCurvePrivateNumbers(_int(jwk, "d"), public).private_key()
    if kty == "OKP" and crv == "Ed25519":
        return _okp(jwk, ed25519.Ed25519PrivateKey.from_private_bytes(_octets(jwk, "d")))
    if kty == "OKP" and crv == "Ed448":
        return _okp(jwk, ed448.Ed448PrivateKey.from_private_bytes(_octets(jwk, "d")))
    raise UsageError("config_invalid", expected="RSA, EC or Edwards curve", about=_ABOUT)


def _okp(
    jwk: Mapping[str, JsonValue], key: ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
) -> PrivateKey:
    if key.public_key().public_bytes_raw() != _octets(jwk, "x"):
        raise UsageError("config_invalid", expected="one key's members", about=_ABOUT)
    return key


def _rsa(jwk: Mapping[str, JsonValue]) -> rsa.RSAPrivateKey:
    if "oth" in jwk:
        raise UsageError("config_invalid", expected="two primes", about=_ABOUT)
    n, e, d = _int(jwk, "n"), _int(jwk, "e"), _int(jwk, "d")
    # RFC 7518 §6.3.2: the primes may be left out, and then all that follows from them.
    p, q = (
        (_int(jwk, "p"), _int(jwk, "q")) if "p" in jwk else rsa.rsa_recover_prime_factors(n, e, d)
    )
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(e, n),
    ).private_key()


def _octets(jwk: Mapping[str, JsonValue], name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str):
        raise UsageError("config_invalid", expected="a string", about=name)
    return b64url_decode(value.encode("utf-8", "surrogatepass"))


def _int(jwk: Mapping[str, JsonValue], name: str) -> int:
    return int.from_bytes(_octets(jwk, name), "big")


def public_members(key: PrivateKey) -> JsonObject:
    """Return the members of a private key that everybody may see, and no other."""
    kty, crv = shape_of(key)
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        return JsonObject({"kty": kty, "n": _uint(numbers.n), "e": _uint(numbers.e)})
    if isinstance(key, ec.EllipticCurvePrivateKey):
        point, width = key.public_key().public_numbers(), (key.curve.key_size + 7) // 8
        x, y = (b64url_encode(number.to_bytes(width, "big")) for number in (point.x, point.y))
        return JsonObject({"kty": kty, "crv": crv, "x": x, "y": y})
    x = b64url_encode(key.public_key().public_bytes_raw())
    return JsonObject({"kty": kty, "crv": crv, "x": x})


def _uint(number: int) -> str:
    """Encode as Base64urlUInt, without leading zero octets (RFC 7518 §2)."""
    return b64url_encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))
