"""Private keys that decrypt: what is one, and what everybody may see of it."""

import pytest

from oidc_adapters.credentials.client_keys import DecryptionKey
from oidc_adapters.crypto.decryption_keys import (
    decrypting_key_from_jwk,
    decrypting_key_from_pem,
    public_members,
)
from oidc_core.wire.errors import UsageError
from tests.adapters.crypto.keys import EC, ED25519, pem, private_jwk
from tests.encryption import P256, P384, P521, RSA, X25519


def refusal(load: object, *arguments: object) -> str | int | float | tuple[str, ...] | None:
    assert callable(load)
    with pytest.raises(UsageError) as caught:
        load(*arguments)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "client key")
    return caught.value.expected


def test_a_key_that_only_signs_is_refused() -> None:
    expected = "a private key: RSA, P-256, P-384, P-521 or X25519"
    assert refusal(decrypting_key_from_jwk, private_jwk(ED25519)) == expected
    assert refusal(decrypting_key_from_pem, pem(ED25519).encode(), None) == expected
    assert refusal(public_members, EC["ES256K"]) == expected


def test_what_is_no_key_is_refused_without_being_quoted() -> None:
    for octets, password in ((b"no PEM", None), (pem(ED25519).encode(), b"superfluous")):
        said = refusal(decrypting_key_from_pem, octets, password)
        assert said == "the PEM of a private key, and its password if it has one"
    for d in (None, 1, "AA", "+"):
        jwk = {"kty": "OKP", "crv": "X25519", "d": d}
        assert refusal(decrypting_key_from_jwk, jwk) == "a private JWK"


@pytest.mark.parametrize("key", [RSA, P256, P384, P521, X25519], ids=lambda key: key.kid)
def test_nothing_private_is_among_the_public_members(key: DecryptionKey) -> None:
    assert set(public_members(key.private)) <= {"kty", "crv", "x", "y", "n", "e"}
