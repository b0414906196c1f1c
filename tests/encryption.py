"""Encrypted tokens for tests, made by the fake provider's own encryption."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from oidc_adapters.credentials.client_keys import DecryptionKey
from oidc_adapters.testing.encryption import JweDraft, recipient_of
from oidc_adapters.testing.signing_keys import rsa_key
from oidc_core.jose.jws import Encryption
from tests.signing import SECRET

if TYPE_CHECKING:
    from collections.abc import Mapping

RSA: Final = DecryptionKey(rsa_key("decryption"), kid="rsa")
P256: Final = DecryptionKey(ec.derive_private_key(7, ec.SECP256R1()), kid="p-256")
P384: Final = DecryptionKey(ec.derive_private_key(8, ec.SECP384R1()), kid="p-384")
P521: Final = DecryptionKey(ec.derive_private_key(9, ec.SECP521R1()), kid="p-521")
X25519: Final = DecryptionKey(X25519PrivateKey.from_private_bytes(32 * b"x"), kid="x25519")

ECDH: Final = Encryption("ECDH-ES+A128KW", "A128GCM")


def draft(
    plaintext: str | bytes,
    encryption: Encryption = ECDH,
    key: DecryptionKey = P256,
    *,
    secret: str = SECRET,
    header: Mapping[str, object] | None = None,
) -> JweDraft:
    """Return an unfinished JWE, for a key or, if the algorithm is symmetric, for a secret."""
    alg, enc = encryption
    named = {**key.public_jwk()}
    recipient = recipient_of(alg, enc, (named,), secret)
    return JweDraft(
        header={"alg": alg, "enc": enc, **({} if header is None else header)},
        plaintext=plaintext.encode() if isinstance(plaintext, str) else plaintext,
        recipient=recipient,
        alg=alg,
        enc=enc,
        seed="tests",
    )


def encrypted(
    plaintext: str | bytes,
    encryption: Encryption = ECDH,
    key: DecryptionKey = P256,
    **header: object,
) -> str:
    """Encrypt for a key or for the client's secret; header members as given."""
    return draft(plaintext, encryption, key, header=header).encrypted()
