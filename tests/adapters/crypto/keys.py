"""Private keys of every kind, made once for the process, and how they are written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from oidc_adapters.crypto.private_keys import public_members
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.jsontypes import JsonObject, JsonValue

if TYPE_CHECKING:
    from oidc_adapters.crypto.primitives import PrivateKey

RSA: Final = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
EC: Final = {
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "ES256K": ec.generate_private_key(ec.SECP256K1()),
}
ED25519: Final = ed25519.Ed25519PrivateKey.generate()
ED448: Final = ed448.Ed448PrivateKey.generate()
KEYS: Final[list[tuple[str, PrivateKey]]] = [
    ("RS256", RSA),
    ("PS512", RSA),
    *EC.items(),
    ("EdDSA", ED25519),
    ("Ed25519", ED25519),
    ("Ed448", ED448),
]


def pem(key: PrivateKey | dsa.DSAPrivateKey, password: bytes | None = None) -> str:
    encryption = (
        serialization.NoEncryption()
        if password is None
        else serialization.BestAvailableEncryption(password)
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode()


def private_jwk(key: PrivateKey, **more: JsonValue) -> JsonObject:
    """Write a private key as a JWK."""
    members: dict[str, JsonValue] = {**public_members(key)}
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        parts = {
            "d": numbers.d, "p": numbers.p, "q": numbers.q,
            "dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp,
        }  # fmt: skip
        for name, number in parts.items():
            members[name] = b64url_encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        width = (key.curve.key_size + 7) // 8
        members["d"] = b64url_encode(key.private_numbers().private_value.to_bytes(width, "big"))
    else:
        members["d"] = b64url_encode(key.private_bytes_raw())
    return JsonObject({**members, **more})


def without(jwk: JsonObject, *names: str) -> JsonObject:
    return JsonObject({name: jwk[name] for name in jwk if name not in names})
