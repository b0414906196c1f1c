"""The one table of signature algorithms, keyed by algorithm and curve; all else is derived from it.

Which key an algorithm takes, how small that key may be, how long a signature is and which digest
makes ``at_hash``: each is said here and nowhere else, so that two places cannot disagree.
``none`` is in no row, and therefore in nothing that is derived.

Some rows serve only where a policy or a registration names them: see :data:`OPTIONAL`.
"""

from binascii import b2a_base64
from hashlib import sha256, sha384, sha512, shake_256
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from oidc_core.wire.encoding import TO_URL, b64url_encode
from oidc_core.wire.errors import ProtocolViolation

Family: TypeAlias = Literal["RSASSA-PKCS1-v1_5", "RSASSA-PSS", "ECDSA", "EdDSA", "ML-DSA", "HMAC"]


class Algorithm(NamedTuple):
    """The facts about a signature algorithm on a curve (RFC 7518 §3, RFC 8037, 8812, 9864).

    Attributes:
        alg: the name in a JOSE header.
        kty: the key type, as in a JWK.
        crv: the curve, as in a JWK; empty where the key type has no curve.
        family: the construction.
        digest: the hash of the signature, as :mod:`hashlib` names it.
        signature_length: octets of a signature; ``None`` means as long as the modulus.
        min_bits: the least size of a key; with ML-DSA the only one.
        half_hash: whose left half ``at_hash`` and ``c_hash`` are, as :mod:`hashlib` names it.
        half_octets: how many octets that half has.
    """

    alg: str
    kty: str
    crv: str
    family: Family
    digest: str
    signature_length: int | None
    min_bits: int
    half_hash: str
    half_octets: int


def _hashed(prefix: str, kty: str, family: Family, min_bits: int) -> tuple[Algorithm, ...]:
    return tuple(
        Algorithm(name, kty, "", family, sha, None, min_bits, sha, bits // 16)
        for bits, sha, name in [(bits, f"sha{bits}", f"{prefix}{bits}") for bits in _SHA2]
    )


def _ml_dsa(level: int, public: int, signature: int) -> Algorithm:
    """FIPS 204, table 2, with keys and names of "ML-DSA for JOSE and COSE" (IETF COSE group).

    The signature takes in its message as 64 octets of SHAKE256 (FIPS 204, algorithm 7), as Ed448
    does with 114, so those are the digest of ``at_hash``.  OpenID has not written that down
    yet, but the clients that know ML-DSA do the same.
    """
    name, shake = f"ML-DSA-{level}", "shake_256"
    return Algorithm(name, "AKP", "", "ML-DSA", shake, signature, 8 * public, shake, 32)


_SHA2: Final = (256, 384, 512)
_ROWS: Final[tuple[Algorithm, ...]] = (
    *_hashed("RS", "RSA", "RSASSA-PKCS1-v1_5", 2048),
    *_hashed("PS", "RSA", "RSASSA-PSS", 2048),
    Algorithm("ES256", "EC", "P-256", "ECDSA", "sha256", 64, 256, "sha256", 16),
    Algorithm("ES384", "EC", "P-384", "ECDSA", "sha384", 96, 384, "sha384", 24),
    Algorithm("ES512", "EC", "P-521", "ECDSA", "sha512", 132, 521, "sha512", 32),
    Algorithm("ES256K", "EC", "secp256k1", "ECDSA", "sha256", 64, 256, "sha256", 16),
    Algorithm("EdDSA", "OKP", "Ed25519", "EdDSA", "sha512", 64, 256, "sha512", 32),
    Algorithm("Ed25519", "OKP", "Ed25519", "EdDSA", "sha512", 64, 256, "sha512", 32),
    Algorithm("EdDSA", "OKP", "Ed448", "EdDSA", "shake_256", 114, 448, "shake_256", 57),
    Algorithm("Ed448", "OKP", "Ed448", "EdDSA", "shake_256", 114, 448, "shake_256", 57),
    _ml_dsa(44, public=1312, signature=2420),
    _ml_dsa(65, public=1952, signature=3309),
    _ml_dsa(87, public=2592, signature=4627),
    Algorithm("HS256", "oct", "", "HMAC", "sha256", 32, 256, "sha256", 16),
    Algorithm("HS384", "oct", "", "HMAC", "sha384", 48, 384, "sha384", 24),
    Algorithm("HS512", "oct", "", "HMAC", "sha512", 64, 512, "sha512", 32),
)

ALGORITHMS: Final = MappingProxyType({(row.alg, row.crv): row for row in _ROWS})
"""(alg, crv) to row; ``crv`` is empty where the key type has no curve."""

HMAC: Final = frozenset(row.alg for row in _ROWS if row.family == "HMAC")
"""The algorithms that need the client's own secret."""

OPTIONAL: Final = frozenset(
    row.alg for row in _ROWS if row.family == "ML-DSA" or row.crv == "secp256k1"
)
"""Signatures that are accepted only where a policy or a registration names them."""

ASYMMETRIC: Final = frozenset(row.alg for row in _ROWS if row.family != "HMAC") - OPTIONAL
"""The signatures with a key out of the provider's set that need no naming."""

SIGNATURES: Final = ASYMMETRIC | OPTIONAL | HMAC
"""Every algorithm that can be verified here."""

KEY_SHAPES: Final = frozenset((row.kty, row.crv) for row in _ROWS if row.family != "HMAC")
"""(kty, crv) of every public key that can be used here."""

_BY_NAME: Final = MappingProxyType(
    {name: tuple(row for row in _ROWS if row.alg == name) for name in SIGNATURES}
)

_DIGESTS: Final = MappingProxyType({"sha256": sha256, "sha384": sha384, "sha512": sha512})
_HALVES: Final = MappingProxyType(
    {
        (row.alg, row.crv): (
            _DIGESTS[row.half_hash],
            row.half_octets,
            (4 * row.half_octets + 2) // 3,
        )
        for row in _ROWS
        if row.half_hash in _DIGESTS
    }
)


def rows_for(alg: str) -> tuple[Algorithm, ...]:
    """Return the algorithm's rows, one a curve; no rows if it cannot be verified here."""
    return _BY_NAME.get(alg, ())


def row_for(alg: str, kty: str, crv: str) -> Algorithm | None:
    """Return the row of this algorithm with a key of this type and curve, if they fit."""
    row = ALGORITHMS.get((alg, crv))
    return row if row is not None and row.kty == kty else None


def half_hash(alg: str, crv: str, text: str) -> str:
    """Return base64url of the left half of a text's digest: ``at_hash``, ``c_hash``, ``s_hash``.

    The digest is the signature's own (OIDC Core §3.1.3.6): SHA-512 with Ed25519, 114 octets of
    SHAKE256 with Ed448, 64 of them with ML-DSA.

    Args:
        alg: the algorithm of the ID token's signature.
        crv: the curve of its key, or an empty string.
        text: an access token, authorization code or state.

    Raises:
        ProtocolViolation: ``alg_not_allowed`` for an algorithm that is not in the table.
    """
    octets = text.encode("utf-8", "surrogatepass")
    rule = _HALVES.get((alg, crv))
    if rule is None:
        row = ALGORITHMS.get((alg, crv))
        if row is None:
            raise ProtocolViolation("alg_not_allowed", found=alg)
        # SHAKE256's shorter output is the beginning of its longer one.
        return b64url_encode(shake_256(octets).digest(row.half_octets))
    digest, half, characters = rule
    encoded = b2a_base64(digest(octets).digest()[:half])[:characters]
    return encoded.translate(TO_URL).decode("ascii")
