"""Encryption by the fake provider, on its own: no table and no code of the library's decryption.

Names say how long keys are (``A128GCM``, ``A256CBC-HS512``, ``ECDH-ES+A192KW``), so there is no
table at all. The random values follow from a seed, except the padding of RSA.
"""

import hmac
import re
from collections.abc import Callable
from hashlib import new as new_digest
from hashlib import shake_256
from typing import Final, TypeAlias

from attrs import evolve, field, frozen
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oidc_adapters.testing.parties import Members
from oidc_adapters.testing.signing import CURVES, b64url, b64url_octets, rendered

Recipient: TypeAlias = Members | bytes
"""The recipient's public JWK, or the secret it shares with the provider."""

_Chance: TypeAlias = Callable[[str, int], bytes]
_Wrapped: TypeAlias = tuple[bytes, bytes, dict[str, object]]
"""The content's key, the encrypted key, further header members."""

_OAEP: Final[dict[str, hashes.HashAlgorithm]] = {
    "RSA-OAEP": hashes.SHA1(),
    "RSA-OAEP-256": hashes.SHA256(),
    "RSA-OAEP-384": hashes.SHA384(),
    "RSA-OAEP-512": hashes.SHA512(),
}
_KEY_WRAP: Final = re.compile(r"(?:ECDH-ES\+)?A(128|192|256)(?:GCM)?KW")

ENCRYPTION_ALGS: Final = (
    *_OAEP,
    "ECDH-ES",
    *[f"ECDH-ES+A{bits}KW" for bits in (128, 192, 256)],
    *[f"A{bits}KW" for bits in (128, 192, 256)],
    *[f"A{bits}GCMKW" for bits in (128, 192, 256)],
    "dir",
)
ENCRYPTION_ENCS: Final = (
    *[f"A{bits}GCM" for bits in (128, 192, 256)],
    *[f"A{bits}CBC-HS{2 * bits}" for bits in (128, 192, 256)],
)


@frozen(kw_only=True)
class JweDraft:
    """Something about to be encrypted.

    Attributes:
        header: the JOSE header's members, ``alg`` and ``enc`` among them.
        plaintext: what is encrypted: a signed JWT, or claims.
        recipient: for whom.
        alg, enc: how it is encrypted, even if the header says otherwise.
        seed: the source of all randomness.
    """

    header: Members
    plaintext: bytes = field(repr=False)
    recipient: Recipient = field(repr=False)
    alg: str
    enc: str
    seed: str = field(repr=False)

    def with_header(self, **members: object) -> "JweDraft":
        """Return the draft with header members set."""
        return evolve(self, header={**self.header, **members})

    def containing(self, plaintext: bytes) -> "JweDraft":
        """Return the draft of something else."""
        return evolve(self, plaintext=plaintext)

    def encrypted(self) -> str:
        """Encrypt it (RFC 7516 §5.1)."""
        key, encrypted_key, members = self._content_key()
        protected = b64url(rendered({**members, **self.header}))
        parts = self._content(key, protected.encode("ascii"))
        return ".".join([protected, *map(b64url, (encrypted_key, *parts))])

    def _chance(self, kind: str, octets: int) -> bytes:
        return shake_256(f"{self.seed}:{kind}".encode()).digest(octets)

    def _content_key(self) -> _Wrapped:
        key = self._chance("key", _content_octets(self.enc))
        if isinstance(self.recipient, bytes):
            return _shared(self.alg, self.recipient, key, self._chance)
        if self.alg in _OAEP:
            digest = _OAEP[self.alg]
            scheme = padding.OAEP(padding.MGF1(digest), digest, None)
            return key, _rsa(self.recipient).encrypt(key, scheme), {}
        secret, epk = _agreed(self.recipient, self._chance)
        wraps = _KEY_WRAP.fullmatch(self.alg)
        octets = int(wraps[1]) // 8 if wraps else len(key)
        derived = _derived(secret, self.alg if wraps else self.enc, octets)
        if wraps:
            return key, aes_key_wrap(derived, key), {"epk": epk}
        return derived, b"", {"epk": epk}

    def _content(self, key: bytes, protected: bytes) -> tuple[bytes, bytes, bytes]:
        if self.enc.endswith("GCM"):
            iv = self._chance("iv", 12)
            sealed = AESGCM(key).encrypt(iv, self.plaintext, protected)
            return iv, sealed[:-16], sealed[-16:]
        iv, half = self._chance("iv", 16), len(key) // 2
        padder, encryptor = PKCS7(128).padder(), Cipher(AES(key[half:]), CBC(iv)).encryptor()
        padded = padder.update(self.plaintext) + padder.finalize()
        text = encryptor.update(padded) + encryptor.finalize()
        said = protected + iv + text + (8 * len(protected)).to_bytes(8, "big")
        return iv, text, hmac.digest(key[:half], said, f"sha{self.enc[-3:]}")[:half]


def _content_octets(enc: str) -> int:
    return int(enc[1:4]) // 8 * (1 if enc.endswith("GCM") else 2)


def recipient_of(alg: str, enc: str, jwks: tuple[Members, ...], secret: str) -> Recipient:
    """Return the key that a client's answers are encrypted for (OIDC Core §10.2).

    Raises:
        LookupError: the client published no key for it.
    """
    if not alg.startswith(("RSA", "ECDH")):
        wraps = _KEY_WRAP.fullmatch(alg)
        octets = int(wraps[1]) // 8 if wraps else _content_octets(enc)
        name = "sha256" if octets <= 32 else "sha384" if octets <= 48 else "sha512"
        return new_digest(name, secret.encode()).digest()[:octets]
    kinds = {"RSA"} if alg.startswith("RSA") else {"EC", "OKP"}
    for jwk in jwks:
        if jwk.get("use") == "enc" and jwk["kty"] in kinds and jwk.get("alg", alg) == alg:
            return jwk
    message = f"the client published no key for {alg}"
    raise LookupError(message)


def _shared(alg: str, secret: bytes, key: bytes, chance: _Chance) -> _Wrapped:
    if alg == "dir":
        return secret, b"", {}
    if alg.endswith("GCMKW"):
        iv = chance("wrap iv", 12)
        sealed = AESGCM(secret).encrypt(iv, key, None)
        return key, sealed[:-16], {"iv": b64url(iv), "tag": b64url(sealed[-16:])}
    return key, aes_key_wrap(secret, key), {}


def _rsa(jwk: Members) -> rsa.RSAPublicKey:
    n, e = (int.from_bytes(b64url_octets(str(jwk[name])), "big") for name in ("n", "e"))
    return rsa.RSAPublicNumbers(e, n).public_key()


def _agreed(jwk: Members, chance: _Chance) -> tuple[bytes, dict[str, object]]:
    x = b64url_octets(str(jwk["x"]))
    if jwk["kty"] == "OKP":
        once = X25519PrivateKey.from_private_bytes(chance("epk", 32))
        raw = once.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        secret = once.exchange(X25519PublicKey.from_public_bytes(x))
        return secret, {"kty": "OKP", "crv": "X25519", "x": b64url(raw)}
    curve, y = CURVES[str(jwk["crv"])], b64url_octets(str(jwk["y"]))
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve
    )
    private = ec.derive_private_key(int.from_bytes(chance("epk", len(x) - 2), "big") + 1, curve)
    point = private.public_key().public_numbers()
    across, up = (b64url(at.to_bytes(len(x), "big")) for at in (point.x, point.y))
    epk: dict[str, object] = {"kty": "EC", "crv": jwk["crv"], "x": across, "y": up}
    return private.exchange(ec.ECDH(), numbers.public_key()), epk


def _derived(secret: bytes, name: str, octets: int) -> bytes:
    said = len(name).to_bytes(4, "big") + name.encode("ascii") + bytes(8)
    return ConcatKDFHash(hashes.SHA256(), octets, said + (8 * octets).to_bytes(4, "big")).derive(
        secret
    )
