"""The octets of public keys, and what makes a key unfit to trust.

Libraries of cryptography import almost anything: moduli of 512 bits, exponents of 1, points of
small order under which everybody can sign.  So a key that comes over the network is judged here,
in integers, before any of them sees it.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from oidc_core.jose.algorithms import KEY_SHAPES, rows_for
from oidc_core.wire.encoding import b64url_decode
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonValue

Lookup: TypeAlias = Callable[[str], JsonValue]
"""Name of a JWK's member to its value, ``None`` where it is absent."""

RSA_MIN_BITS: Final = 2048
RSA_MAX_BITS: Final = 8192

PRIVATE_MEMBERS: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv")
"""Members that only a private or symmetric key has (RFC 7518 §6)."""

_MAX_EXPONENT_OCTETS: Final = 4

# Keys with the ROCA flaw (CVE-2017-15361) have a modulus that is a power of 65537 modulo every
# small prime. Each pair is one of these primes and the order of 65537 modulo it; primes that 65537
# generates wholly tell nothing and are left out. A sound key has all marks once in 2^28.
_ROCA_MARKS: Final = (
    (11, 2), (13, 6), (17, 8), (19, 9), (37, 3), (53, 26), (61, 20), (71, 35), (73, 24),
    (79, 13), (97, 6), (103, 51), (107, 53), (109, 54), (127, 42), (151, 50), (157, 78),
)  # fmt: skip


class _Curve(NamedTuple):
    """y² = x³ + ax + b modulo p (FIPS 186-5, SEC 2), with coordinates of ``octets`` octets."""

    octets: int
    p: int
    b: int
    a: int = -3


_CURVES: Final = MappingProxyType(
    {
        "P-256": _Curve(
            32,
            2**256 - 2**224 + 2**192 + 2**96 - 1,
            0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        ),
        "P-384": _Curve(
            48,
            2**384 - 2**128 - 2**96 + 2**32 - 1,
            int(
                "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875a"
                "c656398d8a2ed19d2a85c8edd3ec2aef",
                16,
            ),
        ),
        "P-521": _Curve(
            66,
            2**521 - 1,
            int(
                "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef1"
                "09e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b50"
                "3f00",
                16,
            ),
        ),
        "secp256k1": _Curve(32, 2**256 - 2**32 - 977, 7, a=0),
    }
)


class _Edwards(NamedTuple):
    """A twisted Edwards curve (RFC 8032 §5): y modulo p, then the sign of x in the last bit.

    ``weak`` holds the y of every point whose order divides the cofactor, and the same y beyond p
    where the octets have room for them: as a public key, each lets anybody sign.
    """

    octets: int
    p: int
    weak: frozenset[int]


_P25519: Final = 2**255 - 19
_P448: Final = 2**448 - 2**224 - 1
_Y_OF_ORDER_8: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826

_EDWARDS: Final = MappingProxyType(
    {
        "Ed25519": _Edwards(
            32,
            _P25519,
            frozenset(
                (0, 1, _P25519 - 1, _P25519, _P25519 + 1, _Y_OF_ORDER_8, _P25519 - _Y_OF_ORDER_8)
            ),
        ),
        "Ed448": _Edwards(57, _P448, frozenset((0, 1, _P448 - 1, _P448, _P448 + 1))),
    }
)


def public_material(
    kty: str, crv: str, member: Lookup, *, lenient: bool = False
) -> tuple[bytes, ...]:
    """Return the octets of a public key after every check that needs no secret.

    Args:
        kty: the key type, ``RSA``, ``EC``, ``OKP`` or ``AKP``.
        crv: the curve, empty for RSA and AKP.
        member: looks up a member of the JWK.
        lenient: whether base64 with padding is accepted for base64url, and numbers of a wrong
            width. The result is the same as from a proper encoding.

    Returns:
        (n, e), (x, y), (x,) or (pub,).

    Raises:
        ProtocolViolation: ``jwk_invalid`` for an unknown type or curve, a member that is missing
            or malformed, or a point that is not on its curve; ``key_too_small``,
            ``key_too_large``, or ``key_weak`` for a key that is known to be broken.
    """
    if (kty, crv) not in KEY_SHAPES:
        raise ProtocolViolation("jwk_invalid", found=(kty, crv), about="kty")
    read = _lenient_octets if lenient else _octets
    if kty == "RSA":
        n, e = read(member, "n"), read(member, "e")
        return _rsa(n.lstrip(b"\0"), e.lstrip(b"\0")) if lenient else _rsa(n, e)
    if kty == "EC":
        curve = _CURVES[crv]
        x, y = read(member, "x"), read(member, "y")
        return _ec(curve, *[_wide(each, curve.octets) if lenient else each for each in (x, y)])
    if kty == "AKP":
        return _akp(member("alg"), read(member, "pub"))
    return _okp(_EDWARDS[crv], read(member, "x"))


def _wide(coordinate: bytes, octets: int) -> bytes:
    """Give a coordinate its width, where zeros were left out or put in front."""
    return coordinate.lstrip(b"\0").rjust(octets, b"\0")


def _lenient_octets(member: Lookup, name: str) -> bytes:
    """Read base64 of either alphabet, padded or not."""

    def translated(of: str) -> JsonValue:
        value = member(of)
        return value.rstrip("=").translate(_TO_URL) if isinstance(value, str) else value

    return _octets(translated, name)


_TO_URL: Final = MappingProxyType(str.maketrans("+/", "-_"))


def _octets(member: Lookup, name: str) -> bytes:
    value = member(name)
    if not isinstance(value, str):
        raise ProtocolViolation("jwk_invalid", expected="a string", about=name)
    try:
        return b64url_decode(value.encode("utf-8", "surrogatepass"))
    except ProtocolViolation:
        raise ProtocolViolation("jwk_invalid", expected="base64url", about=name) from None


def _rsa(n: bytes, e: bytes) -> tuple[bytes, bytes]:
    # The size comes first: the code never computes with a modulus that is too large.
    if len(n) * 8 > RSA_MAX_BITS:
        raise ProtocolViolation("key_too_large", found=len(n) * 8, expected=RSA_MAX_BITS, about="n")
    if n[:1] in {b"", b"\0"}:
        raise ProtocolViolation("jwk_invalid", expected="no leading zero octet", about="n")
    modulus = int.from_bytes(n, "big")
    if modulus.bit_length() < RSA_MIN_BITS:
        found = modulus.bit_length()
        raise ProtocolViolation("key_too_small", found=found, expected=RSA_MIN_BITS, about="n")
    if not modulus & 1:
        raise ProtocolViolation("jwk_invalid", expected="an odd modulus", about="n")
    exponent = int.from_bytes(e, "big")
    if e[:1] == b"\0" or len(e) > _MAX_EXPONENT_OCTETS or exponent == 1 or not exponent & 1:
        raise ProtocolViolation("jwk_invalid", expected="odd, 3 to 2**32 - 1", about="e")
    if all(pow(modulus, order, prime) == 1 for prime, order in _ROCA_MARKS):
        raise ProtocolViolation("key_weak", found="ROCA", about="n")
    return n, e


def _ec(curve: _Curve, x: bytes, y: bytes) -> tuple[bytes, bytes]:
    if len(x) != curve.octets or len(y) != curve.octets:
        found, about = (str(len(x)), str(len(y))), "y" if len(x) == curve.octets else "x"
        raise ProtocolViolation("jwk_invalid", found=found, expected=curve.octets, about=about)
    across, up = int.from_bytes(x, "big"), int.from_bytes(y, "big")
    # The point at infinity has no coordinates, and (0, 0) is on none of these curves.
    on_curve = (across * across * across + curve.a * across + curve.b - up * up) % curve.p == 0
    if across >= curve.p or up >= curve.p or not on_curve:
        raise ProtocolViolation("jwk_invalid", expected="a point on the curve", about="x")
    return x, y


def _okp(curve: _Edwards, x: bytes) -> tuple[bytes]:
    if len(x) != curve.octets:
        raise ProtocolViolation("jwk_invalid", found=len(x), expected=curve.octets, about="x")
    y = int.from_bytes(x, "little") & ~(1 << (8 * curve.octets - 1))
    if y in curve.weak:
        raise ProtocolViolation("key_weak", found="a point of small order", about="x")
    if y >= curve.p:
        raise ProtocolViolation("jwk_invalid", expected="a canonical point", about="x")
    return (x,)


def _akp(alg: JsonValue, pub: bytes) -> tuple[bytes]:
    """Take a key of the one size its ``alg`` has: any octets of that size are a public key."""
    rows = rows_for(alg) if isinstance(alg, str) else ()
    if 8 * len(pub) not in {row.min_bits for row in rows if row.kty == "AKP"}:
        raise ProtocolViolation("jwk_invalid", found=len(pub), expected="its size", about="pub")
    return (pub,)
