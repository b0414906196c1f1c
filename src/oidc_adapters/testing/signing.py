"""Signatures of the fake provider, by its own table.

No part of the library under test is used here: an error in its algorithm table must not meet the
same error on this side.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import new as new_digest
from typing import Final, NamedTuple, TypeAlias, TypeGuard

from attrs import evolve, field, frozen
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oidc_adapters.testing.parties import Members

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey
PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | Ed25519PublicKey


class Algorithm(NamedTuple):
    """The meaning of a name in ``alg``.

    ``family`` is ``RS``, ``PS``, ``ES``, ``Ed`` or ``HS``; ``digest`` serves the signature and
    ``at_hash``; ``crv`` names the JWK curve, ``width`` the octets of a coordinate.
    """

    family: str
    digest: str
    crv: str = ""
    width: int = 0


ALGORITHMS: Final = {
    "RS256": Algorithm("RS", "sha256"),
    "RS384": Algorithm("RS", "sha384"),
    "RS512": Algorithm("RS", "sha512"),
    "PS256": Algorithm("PS", "sha256"),
    "PS384": Algorithm("PS", "sha384"),
    "PS512": Algorithm("PS", "sha512"),
    "ES256": Algorithm("ES", "sha256", "P-256", 32),
    "ES384": Algorithm("ES", "sha384", "P-384", 48),
    "ES512": Algorithm("ES", "sha512", "P-521", 66),
    "EdDSA": Algorithm("Ed", "sha512", "Ed25519", 32),
    "Ed25519": Algorithm("Ed", "sha512", "Ed25519", 32),
    "HS256": Algorithm("HS", "sha256"),
    "HS384": Algorithm("HS", "sha384"),
    "HS512": Algorithm("HS", "sha512"),
}
"""Every algorithm the fake provider signs with; ``none`` is a misbehaviour, not an algorithm."""

CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


def b64url(octets: bytes) -> str:
    """Encode as base64url without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def b64url_octets(text: str) -> bytes:
    """Decode base64url without padding, leniently."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def rendered(members: object) -> bytes:
    """Render JSON compactly; members keep their order."""
    return json.dumps(members, separators=(",", ":")).encode("ascii")


def parsed(text: str | bytes) -> object:
    """Parse JSON of any shape.

    Raises:
        ValueError: it is not JSON.
    """
    value: object = json.loads(text)
    return value


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Tell whether parsed JSON is an object; its names are strings then."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[object]]:
    """Tell whether parsed JSON is an array."""
    return isinstance(value, list)


def half_hash(alg: str, token: str) -> str:
    """Return the left half of a token's digest, as in ``at_hash`` (OIDC Core §3.1.3.6)."""
    digest = new_digest(ALGORITHMS[alg].digest, token.encode("ascii")).digest()
    return b64url(digest[: len(digest) // 2])


@frozen(kw_only=True)
class SigningKey:
    """A key with the one algorithm it serves; ``kid`` is ``None`` for a client's secret."""

    alg: str
    kid: str | None
    private: PrivateKey | bytes = field(repr=False)

    def signature(self, octets: bytes) -> bytes:
        """Sign octets; the length is JWS's (RFC 7518 §3)."""
        algorithm = ALGORITHMS[self.alg]
        if isinstance(self.private, bytes):
            return hmac.digest(self.private, octets, algorithm.digest)
        if isinstance(self.private, Ed25519PrivateKey):
            return self.private.sign(octets)
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(octets, _padding(algorithm), _HASHES[algorithm.digest])
        der = self.private.sign(
            octets, ec.ECDSA(_HASHES[algorithm.digest], deterministic_signing=True)
        )
        r, s = decode_dss_signature(der)
        return r.to_bytes(algorithm.width, "big") + s.to_bytes(algorithm.width, "big")

    def public_jwk(self) -> dict[str, object]:
        """Return the JWK to be published.

        Raises:
            TypeError: the key is a client's secret, which is never published.
        """
        if isinstance(self.private, bytes):
            message = "a client's secret is not published"
            raise TypeError(message)
        members = _public_members(self.private.public_key())
        return {**members, "use": "sig", "alg": self.alg, "kid": self.kid}


def _padding(algorithm: Algorithm) -> padding.AsymmetricPadding:
    if algorithm.family == "RS":
        return padding.PKCS1v15()
    digest = _HASHES[algorithm.digest]
    return padding.PSS(padding.MGF1(digest), digest.digest_size)


def _public_members(key: PublicKey) -> dict[str, object]:
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": _uint(numbers.n), "e": _uint(numbers.e)}
    if isinstance(key, Ed25519PublicKey):
        raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": b64url(raw)}
    point = key.public_numbers()
    width = (key.curve.key_size + 7) // 8
    crv = next(name for name, curve in CURVES.items() if curve.name == key.curve.name)
    x, y = point.x.to_bytes(width, "big"), point.y.to_bytes(width, "big")
    return {"kty": "EC", "crv": crv, "x": b64url(x), "y": b64url(y)}


def _uint(number: int) -> str:
    return b64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def public_pem(key: SigningKey) -> bytes:
    """Return the public key as PEM text: what an attacker takes for an HMAC secret."""
    if isinstance(key.private, bytes):
        return b""
    return key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def verifies(jwk: Members, alg: str, signing_input: bytes, signature: bytes) -> bool:
    """Tell whether a client's public key made that signature."""
    algorithm = ALGORITHMS.get(alg)
    if algorithm is None or jwk.get("alg", alg) != alg:
        return False
    try:
        _verify(algorithm, jwk, signing_input, signature)
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return False
    return True


def _verify(algorithm: Algorithm, jwk: Members, signing_input: bytes, signature: bytes) -> None:
    """Raise if the signature is invalid."""
    kinds = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
    if jwk["kty"] != kinds[algorithm.family] or jwk.get("crv", "") != algorithm.crv:
        raise InvalidSignature
    digest = _HASHES[algorithm.digest]
    if algorithm.family == "Ed":
        octets = b64url_octets(str(jwk["x"]))
        Ed25519PublicKey.from_public_bytes(octets).verify(signature, signing_input)
    elif algorithm.family == "ES":
        x, y, r, s = (
            int.from_bytes(octets, "big")
            for octets in (
                b64url_octets(str(jwk["x"])),
                b64url_octets(str(jwk["y"])),
                signature[: algorithm.width],
                signature[algorithm.width :],
            )
        )
        key = ec.EllipticCurvePublicNumbers(x, y, CURVES[algorithm.crv]).public_key()
        key.verify(encode_dss_signature(r, s), signing_input, ec.ECDSA(digest))
    else:
        n, e = (int.from_bytes(b64url_octets(str(jwk[name])), "big") for name in ("n", "e"))
        modulus = rsa.RSAPublicNumbers(e, n).public_key()
        modulus.verify(signature, signing_input, _padding(algorithm), digest)


def compact(header: bytes, payload: bytes, key: SigningKey) -> str:
    """Sign any octets as header and payload (RFC 7515 §7.1)."""
    signing_input = f"{b64url(header)}.{b64url(payload)}"
    return f"{signing_input}.{b64url(key.signature(signing_input.encode('ascii')))}"


@frozen(kw_only=True)
class JwtDraft:
    """A JWT about to be signed.

    Attributes:
        header: the JOSE header's members.
        claims: the payload's members.
        key: what will sign it.
        now: when, in seconds since the epoch.
    """

    header: Members
    claims: Members
    key: SigningKey
    now: int

    def with_claims(self, **claims: object) -> "JwtDraft":
        """Return the draft with claims set."""
        return evolve(self, claims={**self.claims, **claims})

    def without_claims(self, *names: str) -> "JwtDraft":
        """Return the draft with claims left out."""
        kept = {name: value for name, value in self.claims.items() if name not in names}
        return evolve(self, claims=kept)

    def with_header(self, **members: object) -> "JwtDraft":
        """Return the draft with header members set."""
        return evolve(self, header={**self.header, **members})

    def signed_by(self, key: SigningKey) -> "JwtDraft":
        """Return the draft for another key; ``alg`` and ``kid`` in the header are that key's."""
        header: dict[str, object] = {**self.header, "alg": key.alg}
        header.pop("kid", None)
        if key.kid is not None:
            header["kid"] = key.kid
        return evolve(self, header=header, key=key)

    def signed(self) -> str:
        """Sign it."""
        return compact(rendered(dict(self.header)), rendered(dict(self.claims)), self.key)
