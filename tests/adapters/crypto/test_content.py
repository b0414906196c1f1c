"""The content of a JWE, by the examples of RFC 7518 and of NIST."""

import pytest

from oidc_adapters.crypto.content import content_opener
from oidc_core.jose.encryption import CONTENT_ENCRYPTION
from oidc_core.jose.jwe import Jwe, JweHeader
from oidc_core.jose.jws import Encryption

# RFC 7518 appendix B.1
KEY = bytes(range(32))
IV = bytes.fromhex("1af38c2dc2b96ffdd86694092341bc04")
AAD = b"The second principle of Auguste Kerckhoffs"
PLAINTEXT = (
    b"A cipher system must not be required to be secret, and it must be able to fall into the "
    b"hands of the enemy without inconvenience"
)
CIPHERTEXT = bytes.fromhex(
    "c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9"
    "a94ac9b47ad2655c5f10f9aef71427e2fc6f9b3f399a221489f16362c7032336"
    "09d45ac69864e3321cf82935ac4096c86e133314c54019e8ca7980dfa4b9cf1b"
    "384c486f3a54c51078158ee5d79de59fbd34d848b3d69550a67646344427ade5"
    "4b8851ffb598f7f80074b9473c82e2db"
)
TAG = bytes.fromhex("652c3fa36b0a7c5b3219fab3a30bc1c4")

# The GCM specification's test case 4
GCM_KEY = bytes.fromhex("feffe9928665731c6d6a8f9467308308")
GCM_IV = bytes.fromhex("cafebabefacedbaddecaf888")
GCM_AAD = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
GCM_PLAINTEXT = bytes.fromhex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
)
GCM_CIPHERTEXT = bytes.fromhex(
    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
    "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
)
GCM_TAG = bytes.fromhex("5bc94fbc3221a5db94fae95ae7121a47")


def jwe(enc: str, *parts: bytes) -> Jwe:
    protected, iv, ciphertext, tag = parts
    return Jwe(JweHeader(Encryption("dir", enc)), protected, b"", iv, ciphertext, tag)


def test_the_example_of_rfc_7518() -> None:
    opened = content_opener(CONTENT_ENCRYPTION["A128CBC-HS256"])
    good = jwe("A128CBC-HS256", AAD, IV, CIPHERTEXT, TAG)

    assert opened(KEY, good) == PLAINTEXT
    assert opened(KEY, good._replace(protected=AAD[:-1])) is None
    assert opened(KEY[::-1], good) is None


def test_the_example_of_the_gcm_specification() -> None:
    opened = content_opener(CONTENT_ENCRYPTION["A128GCM"])
    good = jwe("A128GCM", GCM_AAD, GCM_IV, GCM_CIPHERTEXT, GCM_TAG)

    assert opened(GCM_KEY, good) == GCM_PLAINTEXT
    assert opened(GCM_KEY, good._replace(ciphertext=GCM_CIPHERTEXT[:-1])) is None
    assert opened(GCM_KEY[::-1], good) is None


@pytest.mark.parametrize("at", range(16))
def test_every_octet_of_a_tag_counts(at: int) -> None:
    opened = content_opener(CONTENT_ENCRYPTION["A128CBC-HS256"])
    other = bytes([octet ^ (at == place) for place, octet in enumerate(TAG)])

    assert opened(KEY, jwe("A128CBC-HS256", AAD, IV, CIPHERTEXT, other)) is None
