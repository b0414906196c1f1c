"""The key of the content, by the examples of RFC 7518 and RFC 8037."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from oidc_adapters.credentials.client_keys import DecryptionKey
from oidc_adapters.crypto.content_keys import (
    by_private_key,
    by_shared_key,
    family_of,
    shared_secret,
)
from oidc_core.jose.encryption import CONTENT_ENCRYPTION, KEY_MANAGEMENT
from oidc_core.jose.jwe import EphemeralKey, Jwe, JweHeader
from oidc_core.jose.jws import Encryption
from oidc_core.wire.encoding import b64url_decode, b64url_encode
from tests.encryption import P256, RSA, X25519

# RFC 7518 appendix C
BOB = DecryptionKey.from_jwk(
    {
        "kty": "EC",
        "crv": "P-256",
        "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
        "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
        "d": "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw",
    }
)
EPK = EphemeralKey(
    "EC",
    "P-256",
    b64url_decode(b"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0"),
    b64url_decode(b"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"),
)


def test_the_example_of_rfc_7518() -> None:
    header = JweHeader(Encryption("ECDH-ES", "A128GCM"), None, EPK, b"Alice", b"Bob")
    key = by_private_key(KEY_MANAGEMENT["ECDH-ES"], CONTENT_ENCRYPTION["A128GCM"], BOB.private)

    found = key(Jwe(header, b"", b"", b"", b"", b""))

    assert found is not None
    assert b64url_encode(found) == "VqqN6vgjbSBcIijNcacQGg"


def test_the_example_of_rfc_8037() -> None:
    """Appendix A.6, with the numbers of RFC 7748 §6.1."""
    bob = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
    ephemeral = b64url_decode(b"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo")
    epk = EphemeralKey("OKP", "X25519", ephemeral, b"")

    secret = shared_secret(X25519PrivateKey.from_private_bytes(bytes.fromhex(bob)), epk)

    assert secret is not None
    assert secret.hex() == "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"


def test_the_example_of_rfc_3394() -> None:
    """§4.1: 128 bits wrapped with 128 bits."""
    header = JweHeader(Encryption("A128KW", "A128GCM"))
    wrapped = bytes.fromhex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5")
    key = by_shared_key(KEY_MANAGEMENT["A128KW"], CONTENT_ENCRYPTION["A128GCM"], bytes(range(16)))

    found = key(Jwe(header, b"", wrapped, b"", b"", b""))

    assert found is not None
    assert found.hex() == "00112233445566778899aabbccddeeff"


@pytest.mark.parametrize(("alg", "key"), [("RSA-OAEP", RSA), ("ECDH-ES+A128KW", P256)])
def test_a_key_that_cannot_be_had_is_one_by_chance(alg: str, key: DecryptionKey) -> None:
    """X02: each time another, as long as the content wants it."""
    found = by_private_key(KEY_MANAGEMENT[alg], CONTENT_ENCRYPTION["A192GCM"], key.private)
    jwe = Jwe(JweHeader(Encryption(alg, "A192GCM")), b"", b"x", b"", b"", b"")

    one, other = found(jwe), found(jwe)

    assert one is not None
    assert other is not None
    assert len(one) == len(other) == 24
    assert one != other


def test_a_key_is_of_one_family() -> None:
    assert [family_of(key.private) for key in (RSA, P256, X25519)] == [
        "RSA-OAEP",
        "ECDH-ES",
        "ECDH-ES",
    ]
