"""The cost to decrypt a nested ID token, compared with the cost of the decryption itself.

The floor splits the token, decodes its parts with the standard library, parses the header with
``json.loads``, and lets ``cryptography`` decrypt with key objects that are there already.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from hashlib import sha256
from typing import Final, TypeAlias

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap

from benchmarks.rounds import Call, Effort, interleaved
from benchmarks.rows import Row, ratio_row
from benchmarks.tokens import CLIENT_ID, CLIENT_SECRET, ISSUER, signed_token
from oidc_adapters.credentials.client_keys import DecryptionKey
from oidc_adapters.crypto import ClientDecrypter
from oidc_adapters.testing.encryption import JweDraft
from oidc_adapters.testing.signing_keys import rsa_key
from oidc_core.jose.jwe import decrypt, signed_inside
from oidc_core.jose.jws import Encryption
from oidc_core.jose.profiles import ID_TOKEN

Header: TypeAlias = dict[str, dict[str, str]]
FindKey: TypeAlias = Callable[[Header, bytes], bytes]
"""(header, encrypted key) to the content's key, with only ``cryptography``."""

ALGORITHMS: Final = ("RSA-OAEP-256", "ECDH-ES+A128KW", "dir")
ENC: Final = "A256GCM"
_EC: Final = ec.derive_private_key(2**200 + 9, ec.SECP256R1())


def decryption_rows(effort: Effort) -> tuple[Row, ...]:
    """One row an algorithm, each with content in A256GCM."""
    rows: list[Row] = []
    for alg in ALGORITHMS:
        token = encrypted(alg)
        samples = interleaved({"ours": decryption(alg, token), "raw": raw(alg, token)}, effort)
        name = f"jwe_{alg.lower().replace('-', '_').replace('+', '_')}"
        rows.append(ratio_row(name, samples.cost("ours"), samples.ratio("ours", "raw")))
    return tuple(rows)


def key_of(alg: str) -> DecryptionKey:
    """Return the client's key for an algorithm; for ``dir``, one that is never asked for."""
    private = rsa_key("benchmark of decryption") if alg.startswith("RSA") else _EC
    return DecryptionKey(private, kid="decryption")


def encrypted(alg: str) -> str:
    """Encrypt the ID token that everybody validates."""
    inner = signed_token("RS256").text
    shared = sha256(CLIENT_SECRET.encode()).digest()
    draft = JweDraft(
        header={"alg": alg, "enc": ENC, "kid": "decryption", "cty": "JWT"},
        plaintext=inner.encode("ascii"),
        recipient=shared if alg == "dir" else key_of(alg).public_jwk(),
        alg=alg,
        enc=ENC,
        seed="benchmark",
    )
    return draft.encrypted()


def decryption(alg: str, token: str) -> Call:
    """Return our way from the JWE to the JWS inside."""
    owner = (ISSUER, CLIENT_ID)
    decrypter = ClientDecrypter(key_of(alg), client_secrets={owner: CLIENT_SECRET})
    encryption = Encryption(alg, ENC)
    decrypter.check(*owner, encryption)

    def decrypted() -> str:
        found = decrypt(token, decrypter, owner, encryption=encryption, types=ID_TOKEN.types)
        return signed_inside(found.plaintext)

    return decrypted


def raw(alg: str, token: str) -> Call:
    """Return the floor; it finds the same JWS."""
    find = _find(alg)

    def decrypted() -> bytes:
        parts = token.split(".")
        header = json.loads(urlsafe_b64decode(parts[0] + "=="))
        key, iv, text, tag = [urlsafe_b64decode(part + "==") for part in parts[1:]]
        return AESGCM(find(header, key)).decrypt(iv, text + tag, parts[0].encode())

    if decrypted().decode() != decryption(alg, token)():
        message = f"the two ways of {alg} do not agree"
        raise ValueError(message)
    return decrypted


def _find(alg: str) -> FindKey:
    private = key_of(alg).private
    if alg == "dir":
        shared = sha256(CLIENT_SECRET.encode()).digest()
        return lambda header, key: shared
    if isinstance(private, rsa.RSAPrivateKey):
        scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        return lambda header, key: private.decrypt(key, scheme)
    return _agree


def _agree(header: Header, key: bytes) -> bytes:
    x, y = (urlsafe_b64decode(header["epk"][name] + "==") for name in ("x", "y"))
    point = ec.EllipticCurvePublicKey.from_encoded_point(_EC.curve, b"\x04" + x + y)
    secret = _EC.exchange(ec.ECDH(), point)
    name = b"ECDH-ES+A128KW"
    other = len(name).to_bytes(4, "big") + name + bytes(8) + (128).to_bytes(4, "big")
    return aes_key_unwrap(sha256(b"\0\0\0\1" + secret + other).digest()[:16], key)
