"""Private keys out of PEM and JWK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519

from oidc_adapters.crypto.private_keys import (
    private_key_from_jwk,
    private_key_from_pem,
    public_members,
)
from oidc_core.jose.jwk import parse_jwk
from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import UsageError
from oidc_core.wire.jsontypes import JsonObject, JsonValue
from tests.adapters.crypto.keys import EC, ED448, ED25519, KEYS, RSA, pem, private_jwk, without

if TYPE_CHECKING:
    from collections.abc import Callable

    from oidc_adapters.crypto.primitives import PrivateKey

ONE_OF_EACH = {parse_jwk(public_members(key)).thumbprint: key for _, key in KEYS}
SHAPES = pytest.mark.parametrize(
    "key", ONE_OF_EACH.values(), ids=lambda key: public_members(key).get("crv", "RSA")
)


def numbers_of(key: PrivateKey) -> object:
    """Return what makes this key this key and no other."""
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return key.private_numbers()
    return key.private_bytes_raw()


def refused_pem(text: bytes | str, password: bytes | None = None) -> UsageError:
    octets = text.encode() if isinstance(text, str) else text
    with pytest.raises(UsageError) as caught:
        private_key_from_pem(octets, password)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "client key")
    return caught.value


def refused(jwk: JsonObject) -> UsageError:
    with pytest.raises(UsageError) as caught:
        private_key_from_jwk(jwk)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "client key")
    return caught.value


# --- PEM -----------------------------------------------------------------------------------------


@SHAPES
def test_a_key_out_of_pem_is_the_key_that_was_written(key: PrivateKey) -> None:
    assert numbers_of(private_key_from_pem(pem(key).encode(), None)) == numbers_of(key)


@pytest.mark.parametrize("key", [RSA, EC["ES256"]], ids=["RSA", "EC"])
def test_the_older_forms_of_pem_are_read_too(key: rsa.RSAPrivateKey) -> None:
    older = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )

    assert b"BEGIN PRIVATE KEY" not in older
    assert numbers_of(private_key_from_pem(older, None)) == numbers_of(key)


def test_an_encrypted_key_opens_with_its_password_only() -> None:
    text = pem(ED25519, b"secret word").encode()

    assert numbers_of(private_key_from_pem(text, b"secret word")) == numbers_of(ED25519)
    for password in (None, b"", b"another"):
        assert "secret word" not in str(refused_pem(text, password))
    refused_pem(pem(ED25519), b"superfluous")


def test_what_is_no_private_key_is_refused_without_quoting_it() -> None:
    public = ED25519.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for text in (b"", b"canary", public, b"\xff\xfe"):
        error = refused_pem(text)
        assert "canary" not in str(error)
        assert error.__cause__ is None
        assert error.__suppress_context__


def test_a_key_for_an_exchange_signs_nothing_and_is_refused() -> None:
    agreed = x25519.X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    assert refused_pem(agreed).expected == "a private key: RSA, EC or Edwards curve"


def test_a_key_of_a_kind_without_algorithm_is_refused() -> None:
    numbers = dsa.DSAParameterNumbers(
        p=int(
            "e0a67598cd1b763bc98c8abb333e5dda0cd3aa0e5e1fb5ba8a7b4eabc10ba338"
            "fae06dd4b90fda70d7cf0cb0c638be3341bec0af8a7330a3307ded2299a0ee60"
            "6df035177a239c34a912c202aa5f83b9c4a7cf0235b5316bfc6efb9a24841125"
            "8b30b839af172440f32563056cb67a861158ddd90e6a894c72a5bbef9e286c6b", 16),
        q=int("e950511eab424b9a19a2aeb4e159b7844c589c4f", 16),
        g=int(
            "d29d5121b0423c2769ab21843e5a3240ff19cacc792264e3bb6be4f78edd1b15"
            "c4dff7f1d905431f0ab16790e1f773b5ce01c804e509066a9919f5195f4abc58"
            "189fd9ff987389cb5bedf21b4dab4f8b76a055ffe2770988fe2ec2de11ad9221"
            "9f0b351869ac24da3d7ba87011a701ce8ee7bfe49486ed4527b7186ca4610a75", 16),
    )  # fmt: skip
    key = numbers.parameters().generate_private_key()
    assert refused_pem(pem(key)).expected == "a private key: RSA, EC or Edwards curve"


# --- JWK -----------------------------------------------------------------------------------------


@SHAPES
def test_a_key_out_of_a_jwk_is_the_key_that_was_written(key: PrivateKey) -> None:
    assert numbers_of(private_key_from_jwk(private_jwk(key))) == numbers_of(key)


def test_an_rsa_jwk_may_leave_out_its_primes() -> None:
    jwk = without(private_jwk(RSA), "p", "q", "dp", "dq", "qi")
    numbers = RSA.private_numbers()

    loaded = private_key_from_jwk(jwk)

    assert isinstance(loaded, rsa.RSAPrivateKey)
    found = loaded.private_numbers()
    assert (found.d, found.public_numbers) == (numbers.d, numbers.public_numbers)
    assert {found.p, found.q} == {numbers.p, numbers.q}


def test_what_follows_from_the_primes_is_computed_and_not_believed() -> None:
    jwk = JsonObject({**private_jwk(RSA), "dp": "AQAB", "dq": None, "qi": 5})

    assert numbers_of(private_key_from_jwk(jwk)) == numbers_of(RSA)


@pytest.mark.parametrize("name", ["d", "n", "e", "q"])
def test_an_rsa_jwk_without_a_member_it_needs_is_refused(name: str) -> None:
    refused(without(private_jwk(RSA), name))


def test_an_rsa_jwk_that_is_not_one_key_is_refused() -> None:
    other = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    refused(JsonObject({**private_jwk(RSA), "d": private_jwk(other)["d"]}))
    refused(JsonObject({**private_jwk(RSA), "oth": ()}))


def test_an_ec_jwk_whose_point_is_of_another_key_is_refused() -> None:
    points = [private_jwk(ec.generate_private_key(ec.SECP256R1())) for _ in range(2)]

    refused(JsonObject({**points[0], "d": points[1]["d"]}))
    refused(JsonObject({**points[0], "x": points[1]["x"]}))
    refused(without(points[0], "y"))


@pytest.mark.parametrize(
    ("key", "generate"),
    [
        (ED25519, ed25519.Ed25519PrivateKey.generate),
        (ED448, ed448.Ed448PrivateKey.generate),
    ],
)
def test_an_edwards_jwk_whose_point_is_of_another_key_is_refused(
    key: PrivateKey, generate: Callable[[], PrivateKey]
) -> None:
    refused(JsonObject({**private_jwk(key), "x": private_jwk(generate())["x"]}))
    refused(without(private_jwk(key), "x"))


@pytest.mark.parametrize("value", [None, 5, "", "====", "AA==", "ü", "\ud800"])
@SHAPES
def test_a_malformed_private_member_is_refused(key: PrivateKey, value: JsonValue) -> None:
    error = refused(JsonObject({**private_jwk(key), "d": value}))

    assert error.expected == "a private JWK"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"kty": "oct", "k": "AQAB"},
        {"kty": "RSA"},
        {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "d": "AA"},
        {"kty": "EC", "crv": 5, "x": "AA", "y": "AA", "d": "AA"},
        {"kty": "EC", "x": "AA", "y": "AA", "d": "AA"},
        {"kty": "OKP", "crv": "X25519", "x": "AA", "d": "AA"},
        {"kty": "OKP", "x": "AA", "d": "AA"},
        {"kty": ("RSA",)},
    ],
)
def test_what_holds_no_key_to_sign_with_is_refused(members: dict[str, JsonValue]) -> None:
    refused(JsonObject(members))


@SHAPES
def test_a_public_jwk_is_no_private_key(key: PrivateKey) -> None:
    refused(public_members(key))


def test_a_backend_without_the_curve_is_said_to_need_another_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lacking(_octets: bytes) -> None:
        raise UnsupportedAlgorithm("ed448")

    monkeypatch.setattr(ed448.Ed448PrivateKey, "from_private_bytes", lacking)
    refused(private_jwk(ED448))


# --- the public side -----------------------------------------------------------------------------


@pytest.mark.req("RFC7517-9.2-01")
@SHAPES
def test_the_public_members_are_a_whole_key_and_nothing_private(key: PrivateKey) -> None:
    members = public_members(key)

    assert set(members) <= {"kty", "crv", "n", "e", "x", "y"}
    assert parse_jwk(members).material == tuple(
        b64url_decode(str(members[name]).encode())
        for name in ("n", "e", "x", "y")
        if name in members
    )


def test_rsa_numbers_have_no_leading_zero_octets() -> None:
    members = public_members(RSA)
    numbers = RSA.public_key().public_numbers()

    assert members["e"] == "AQAB"
    assert members["n"] == b64url_encode(numbers.n.to_bytes(256, "big"))


@pytest.mark.req("RFC7518-6.2.1-01")
@pytest.mark.parametrize(
    ("curve", "width"), [(ec.SECP256R1(), 32), (ec.SECP384R1(), 48), (ec.SECP521R1(), 66)]
)
def test_coordinates_are_as_wide_as_the_curve(curve: ec.EllipticCurve, width: int) -> None:
    for private in range(1, 200):  # so that a leading zero octet is likely somewhere
        members = public_members(ec.derive_private_key(private, curve))
        for name in ("x", "y"):
            assert len(b64url_decode(str(members[name]).encode())) == width
