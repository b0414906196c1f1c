"""Fuzzing of the way of an encrypted ID token: form, header, decryption, and the token inside.

Each input is tried as it is with every registration, and accepted only if it is one of the honest
tokens. Then the part in place of the ciphertext is encrypted, or authenticated, under the header of
the input, so that the code that runs after the decryption is reached too.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from oidc_adapters.crypto.decryption import ClientDecrypter
from oidc_adapters.crypto.verification import CryptographyVerifier
from oidc_adapters.testing.encryption import ENCRYPTION_ALGS, ENCRYPTION_ENCS, recipient_of
from oidc_adapters.testing.signing import b64url, rendered
from oidc_core.jose.jws import Encryption
from oidc_core.model.client import ClientRegistration
from oidc_core.model.relying_party import RelyingParty
from tests.encryption import P256, P384, P521, RSA, X25519, encrypted
from tests.fuzz import jws
from tests.fuzz.judging import Target
from tests.parties import CLIENT_ID, ISSUER, METADATA, REDIRECT_URI, SUB
from tests.signing import SECRET, signed

if TYPE_CHECKING:
    from oidc_adapters.credentials.client_keys import DecryptionKey

ALG: Final = "EdDSA"
DIRECT: Final = Encryption("dir", "A128GCM")
AUTHENTICATED: Final = Encryption("dir", "A128CBC-HS256")
"""The keys that encrypt inputs again, and the keys that put a MAC on them again."""

KINDS: Final[dict[Encryption, DecryptionKey]] = {
    Encryption("RSA-OAEP", "A128CBC-HS256"): RSA,
    Encryption("RSA-OAEP-256", "A256GCM"): RSA,
    Encryption("ECDH-ES", "A128GCM"): P256,
    Encryption("ECDH-ES", "A256CBC-HS512"): P521,
    Encryption("ECDH-ES+A128KW", "A192GCM"): X25519,
    Encryption("ECDH-ES+A256KW", "A192CBC-HS384"): P384,
    Encryption("A128KW", "A128GCM"): P256,
    Encryption("A256GCMKW", "A256GCM"): P256,
    DIRECT: P256,
    AUTHENTICATED: P256,
}
"""Each registration with the client's key; the last ones use its secret instead."""


def _relying_party(encryption: Encryption, key: DecryptionKey) -> RelyingParty:
    secrets = {(ISSUER, CLIENT_ID): SECRET}
    client = ClientRegistration(
        client_id=CLIENT_ID,
        redirect_uris=(REDIRECT_URI,),
        id_token_signed_response_alg=ALG,
        id_token_encrypted_response_alg=encryption.alg,
        id_token_encrypted_response_enc=encryption.enc,
    )
    return RelyingParty(
        provider=METADATA,
        client=client,
        verifier=CryptographyVerifier(secrets),
        decrypter=ClientDecrypter(key, client_secrets=secrets),
    )


def _secret(encryption: Encryption) -> bytes:
    found = recipient_of(*encryption, (), SECRET)
    assert isinstance(found, bytes)
    return found


RPS: Final = {encryption: _relying_party(encryption, key) for encryption, key in KINDS.items()}
SECRETS: Final = {encryption: _secret(encryption) for encryption in (DIRECT, AUTHENTICATED)}
INNER: Final = signed(jws.claims(), jws.KEYS[ALG])
REPEATED: Final[dict[str, object]] = {"iss": ISSUER, "aud": [CLIENT_ID], "sub": SUB, "cty": "JWT"}
HONEST: Final = frozenset(
    encrypted(INNER, encryption, key, **header)
    for encryption, key in KINDS.items()
    for header in ({}, REPEATED)
)


def unencrypted(plaintext: str, **header: object) -> str:
    """Return a text that becomes a JWE only when it is encrypted again."""
    members = {"alg": DIRECT.alg, "enc": DIRECT.enc, **header}
    parts = (rendered(members), b"", bytes(12), plaintext.encode(), bytes(16))
    return ".".join(map(b64url, parts))


_DISHONEST: Final = (
    unencrypted(INNER),
    unencrypted(INNER, **REPEATED),
    unencrypted(INNER, aud="other", kid="k"),
    unencrypted(rendered(jws.claims()).decode()),
    unencrypted(b64url(b'{"alg":"none"}') + "." + b64url(b"{}") + "."),
    unencrypted("A" * 32, enc=AUTHENTICATED.enc),
    unencrypted(INNER, alg="RSA1_5", zip="DEF", epk={"kty": "EC", "crv": "P-256"}),
    INNER,
    "....",
    "a.b.c.d.e",
    "",
)
WORDS: Final = (
    *ENCRYPTION_ALGS,
    *ENCRYPTION_ENCS,
    *["RSA1_5", "PBES2-HS256+A128KW", "alg", "enc", "zip", "DEF", "crit", "b64", "kid", "typ"],
    *["cty", "JWT", "json", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c", "kty", "crv", "x", "y"],
    *["d", "EC", "OKP", "P-256", "P-384", "P-521", "X25519", "iss", "aud", "sub", "jwk", "none"],
    *[key.kid for key in (RSA, P256, P384, P521, X25519)],
    *[ISSUER, CLIENT_ID, SUB],
)


def judge(octets: bytes) -> frozenset[str]:
    """Try an input as it is, and encrypted and authenticated again."""
    token, codes = octets.decode("utf-8", "surrogateescape"), frozenset[str]()
    for rp in RPS.values():
        codes |= jws.refusal(rp, token, lambda _: token in HONEST)
    parts = octets.split(b".")
    if len(parts) != 5:
        return codes
    protected = parts[0].decode("utf-8", "surrogateescape")
    iv, content = _decoded(parts[2]), _decoded(parts[3])
    for plaintext in (content, _inner(content)):
        codes |= jws.refusal(RPS[DIRECT], encrypted_again(protected, plaintext), jws.holds)
    again = authenticated_again(protected, iv, content)
    return codes | jws.refusal(RPS[AUTHENTICATED], again, jws.holds)


def _decoded(part: bytes) -> bytes:
    try:
        return urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except ValueError:
        return part


def _inner(plaintext: bytes) -> bytes:
    """Sign what is inside again."""
    token = plaintext.decode("utf-8", "surrogateescape")
    return jws.signed_again(token, jws.KEYS[ALG]).encode("utf-8", "surrogatepass")


def encrypted_again(protected: str, plaintext: bytes) -> str:
    """Encrypt a plaintext under a header as it is."""
    aad, iv = protected.encode("utf-8", "surrogatepass"), bytes(12)
    sealed = AESGCM(SECRETS[DIRECT]).encrypt(iv, plaintext, aad)
    return ".".join([protected, *map(b64url, (b"", iv, sealed[:-16], sealed[-16:]))])


def authenticated_again(protected: str, iv: bytes, ciphertext: bytes) -> str:
    """Put a good MAC on a ciphertext as it is, so that its padding is looked at."""
    aad, key = protected.encode("utf-8", "surrogatepass"), SECRETS[AUTHENTICATED]
    said = b"".join((aad, iv, ciphertext, (8 * len(aad)).to_bytes(8, "big")))
    tag = hmac.digest(key[:16], said, "sha256")[:16]
    return ".".join([protected, *map(b64url, (b"", iv, ciphertext, tag))])


TARGET: Final = Target(
    name="jwe",
    judge=judge,
    seeds=tuple([token.encode() for token in (*sorted(HONEST), *_DISHONEST)]),
    words=WORDS,
    longest=40_000,
)
