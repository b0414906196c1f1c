"""Public keys and their thumbprints."""

import copy
import json
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)

from oidc_core.jose.jwk import Jwk, parse_jwk
from oidc_core.jose.key_material import PRIVATE_MEMBERS
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.wire.encoding import b64url_decode, b64url_encode, sha256_b64url
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, JsonValue
from tests.unit.jose.public_keys import akp, ec, okp, rsa, secp256k1
from tests.unit.parties import told


def refusal(members: JsonObject) -> str:
    with pytest.raises(ProtocolViolation) as caught:
        parse_jwk(members)
    return caught.value.code


# --- one key -------------------------------------------------------------------------------------


def test_a_key_holds_what_was_published() -> None:
    key = parse_jwk(
        ec(kid="1", alg="ES256", use="sig", key_ops=("verify",), issuer="https://op.example")
    )
    assert (key.kty, key.crv, key.kid, key.alg, key.use) == ("EC", "P-256", "1", "ES256", "sig")
    assert key.key_ops == ("verify",)
    assert key.issuers == {"https://op.example"}
    assert [len(octets) for octets in key.material] == [32, 32]


def test_members_that_are_null_or_unknown_count_as_absent() -> None:
    nulls = dict.fromkeys(("kid", "alg", "use", "key_ops", "issuer", "x5c"))
    assert parse_jwk(rsa(**nulls, x5t="abc", whatever=(1, 2))) == parse_jwk(rsa())


def test_the_curve_of_an_rsa_key_is_ignored() -> None:
    assert parse_jwk(rsa(crv="P-256")) == parse_jwk(rsa())


@pytest.mark.req("OIDCD-3-04")
@pytest.mark.parametrize("name", ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"])
def test_a_private_key_is_refused_whatever_its_member_holds(name: str) -> None:
    """F27."""
    for value in ("AQAB", "", 5, False):
        for key in (rsa(**{name: value}), okp(**{name: value})):
            assert told(partial(parse_jwk, key)) == ("key_not_public", name, None, None)


@pytest.mark.parametrize("name", PRIVATE_MEMBERS)
def test_a_private_member_that_is_null_is_absent(name: str) -> None:
    """Some serializers write what a key does not have."""
    assert parse_jwk(rsa(**{name: None})) == parse_jwk(rsa())
    assert refusal(JsonObject({"kty": "oct", name: None})) == "key_not_public"


@pytest.mark.parametrize("issuer", [5, True, ("https://op.example",), JsonObject({})])
def test_an_issuer_that_is_no_text_is_no_issuer(issuer: JsonValue) -> None:
    """Only a rule with a template heeds it: it costs no key at any other provider."""
    key = parse_jwk(rsa(issuer=issuer))
    assert key.issuers == {"malformed"}
    assert IssuerRule.exact("https://op.example").in_key(key.issuers, "https://op.example")
    pattern, tenant = "https://op.example/{t}", "https://op.example/t1"
    assert not IssuerRule.template(pattern, tenants={"t1"}).in_key(key.issuers, tenant)


def padded(text: JsonValue) -> str:
    assert isinstance(text, str)
    return text + "=" * (-len(text) % 4)


def standard(text: JsonValue) -> str:
    assert isinstance(text, str)
    return padded(text).replace("-", "+").replace("_", "/")


def zero_before(text: JsonValue) -> str:
    return b64url_encode(b"\0" + b64url_decode(str(text).encode()))


ODDLY_ENCODED: Final = [
    ("RSA leading zero", rsa(), "n", zero_before),
    ("RSA exponent", rsa(), "e", zero_before),
    ("RSA padded", rsa(), "n", padded),
    ("RSA standard", rsa(), "n", standard),
    ("EC leading zero x", ec(), "x", zero_before),
    ("EC leading zero y", ec(), "y", zero_before),
    ("EC padded", ec(), "x", padded),
    ("EC standard", ec(), "x", standard),
    ("secp256k1 padded", secp256k1(), "y", padded),
    ("OKP padded", okp(), "x", padded),
    ("OKP standard", okp(), "x", standard),
    ("AKP padded", akp(), "pub", padded),
]


@pytest.mark.parametrize(
    ("members", "name", "oddly"),
    [row[1:] for row in ODDLY_ENCODED],
    ids=[row[0] for row in ODDLY_ENCODED],
)
def test_a_key_that_is_oddly_encoded_is_the_same_key_and_only_taken_leniently(
    members: JsonObject, name: str, oddly: Callable[[JsonValue], str]
) -> None:
    odd = JsonObject({**members, "kid": "k", name: oddly(members[name])})
    assert odd[name] != members[name]
    assert told(lambda: parse_jwk(odd))[:2] == ("jwk_invalid", name)
    key = parse_jwk(odd, lenient=True)
    assert key == parse_jwk(JsonObject({**members, "kid": "k"}))
    assert key.odd is not None
    assert (key.odd.kid, key.odd.code, key.odd.about) == ("k", "jwk_invalid", name)
    assert key.odd.reason.startswith(("expected", "found"))


def ec_of(private: int) -> EllipticCurvePrivateKey:
    return derive_private_key(private, SECP256R1())


def test_a_coordinate_whose_zeros_were_left_out_is_widened() -> None:
    points = (ec_of(n).public_key().public_numbers() for n in range(1, 10_000))
    numbers = next(point for point in points if point.x < 2**248)
    x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
    short = ec(x=b64url_encode(x.lstrip(b"\0")), y=b64url_encode(y))
    assert told(lambda: parse_jwk(short))[:2] == ("jwk_invalid", "x")
    assert parse_jwk(short, lenient=True).material == (x, y)


def test_a_sound_key_is_not_odd() -> None:
    for members in (rsa(), ec(), secp256k1(), okp(), akp()):
        assert parse_jwk(members, lenient=True).odd is None


@pytest.mark.parametrize(
    ("members", "code"),
    [
        (rsa(n=zero_before(b64url_encode(b"\xc1" + bytes(127)))), "key_too_small"),
        (rsa(n=padded(b64url_encode(b"\xc1" + bytes(2000)))), "key_too_large"),
        (okp(x=padded(b64url_encode(bytes(32)))), "key_weak"),
        (okp(x=f"{okp()['x']}AA=="), "jwk_invalid"),
        (rsa(n="AQ!B"), "jwk_invalid"),
        (rsa(n="A===="), "jwk_invalid"),
        (rsa(n=5), "jwk_invalid"),
        (rsa(n=""), "jwk_invalid"),
        (rsa(e="AA=="), "jwk_invalid"),
        (ec(x=ec()["y"]), "jwk_invalid"),
        (ec(x=b64url_encode(b"\1" * 33)), "jwk_invalid"),
        (ec(crv="P-999"), "jwk_invalid"),
    ],
)
def test_what_is_wrong_with_the_key_itself_is_refused_leniently_too(
    members: JsonObject, code: str
) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        parse_jwk(members, lenient=True)
    assert caught.value.code == code


def test_a_symmetric_key_is_refused() -> None:
    """F27, F28."""
    assert refusal(JsonObject({"kty": "oct", "k": "AQAB"})) == "key_not_public"
    assert refusal(JsonObject({"kty": "oct"})) == "key_not_public"


@pytest.mark.req("RFC7517-4.1-01")
@pytest.mark.parametrize(
    "members",
    [
        JsonObject({}),
        rsa(kty=None),
        rsa(kty=5),
        rsa(kty="rsa"),
        JsonObject({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AQAB"}),
        akp(None),
        akp("ML-DSA-65"),
        akp("RS256"),
        akp("SLH-DSA-SHA2-128s"),
        akp(pub=5),
        secp256k1(alg="ES256"),
        ec(alg="ES256K"),
        ec(crv="secp256k1"),
        ec(crv=None),
        ec(crv=("P-256",)),
        ec(kty="RSA"),
        ec(crv="P-384"),
        ec(alg="ES384"),
        ec(alg="RS256"),
        rsa(alg="ES256"),
        rsa(alg="HS256"),
        rsa(alg=256),
        okp(alg="Ed448"),
        rsa(use=("sig",)),
        rsa(key_ops="verify"),
        rsa(key_ops=("verify", "verify")),
        rsa(key_ops=("verify", 5)),
    ],
    ids=str,
)
def test_a_malformed_key_is_refused(members: JsonObject) -> None:
    """F12."""
    assert refusal(members) == "jwk_invalid"


@pytest.mark.parametrize("kid", [5, True, ("a",), "x" * 1025])
def test_a_kid_is_a_short_string(kid: JsonValue) -> None:
    assert refusal(rsa(kid=kid)) == "kid_malformed"
    assert parse_jwk(rsa(kid="x" * 1024)).kid == "x" * 1024


def test_a_weak_key_is_refused() -> None:
    """F13, F16, F23."""
    assert refusal(okp(x=b64url_encode(bytes(32)))) == "key_weak"
    assert refusal(rsa(n=b64url_encode(b"\x91" * 128))) == "key_too_small"
    assert refusal(rsa(n=b64url_encode(b"\x91" * 1025))) == "key_too_large"


@pytest.mark.parametrize(
    ("members", "verifies"),
    [
        ({}, True),
        ({"use": "sig"}, True),
        ({"use": "enc"}, False),
        ({"use": "SIG"}, False),
        ({"key_ops": ("verify",)}, True),
        ({"key_ops": ("verify", "encrypt")}, True),
        ({"key_ops": ("sign",)}, False),
        ({"key_ops": ()}, False),
        ({"use": "sig", "key_ops": ("sign", "verify")}, True),
        ({"use": "sig", "key_ops": ("verify", "encrypt")}, False),
        ({"use": "enc", "key_ops": ("verify",)}, False),
    ],
)
@pytest.mark.req("RFC7517-4.2-01")
def test_use_and_operations_say_whether_a_key_verifies(
    members: dict[str, JsonValue], verifies: bool
) -> None:
    assert parse_jwk(rsa(**members)).verifies is verifies


@pytest.mark.req("RFC7517-4.4-01", "RFC8725BIS-3.1-01")
def test_a_key_with_an_algorithm_serves_only_it() -> None:
    key = parse_jwk(rsa(alg="RS256"))
    assert [alg for alg in ("RS256", "RS384", "PS256", "HS256", "none") if key.fits(alg)] == [
        "RS256"
    ]


def test_a_key_without_an_algorithm_serves_its_type_and_curve() -> None:
    assert [alg for alg in ("RS256", "PS512", "ES256", "HS256") if parse_jwk(rsa()).fits(alg)] == [
        "RS256",
        "PS512",
    ]
    assert [alg for alg in ("EdDSA", "Ed25519", "Ed448") if parse_jwk(okp()).fits(alg)] == [
        "EdDSA",
        "Ed25519",
    ]
    assert [alg for alg in ("ES256", "ES256K") if parse_jwk(secp256k1()).fits(alg)] == ["ES256K"]


def test_a_key_does_not_show_its_octets_and_does_not_change() -> None:
    key = parse_jwk(rsa(kid="a"))
    assert "material" not in repr(key)
    for name in ("kid", "alg", "material"):
        with pytest.raises(AttributeError):
            setattr(key, name, None)
    assert copy.deepcopy(key) == key == pickle.loads(pickle.dumps(key))


@pytest.mark.req("RFC7638-3-01")
def test_the_thumbprints_of_the_standards(vectors: Path) -> None:
    examples = json.loads((vectors / "rfc_small_examples.json").read_bytes())
    for name in ("rfc7638", "rfc8037"):
        key = parse_jwk(JsonObject(examples[name]["jwk"]))
        assert key.thumbprint == examples[name]["thumbprint_sha256"]


@pytest.mark.req("RFC7638-3-01")
def test_the_thumbprint_takes_only_the_members_that_make_the_key() -> None:
    # "ML-DSA for JOSE and COSE", section 4: the required members alg, kty and pub, and no other.
    of_ml_dsa = f'{{"alg":"ML-DSA-44","kty":"AKP","pub":"{b64url_encode(b"*" * 1312)}"}}'
    assert parse_jwk(akp(kid="1")).thumbprint == sha256_b64url(of_ml_dsa)
    assert parse_jwk(okp()).thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert parse_jwk(okp(kid="1", use="sig", alg="EdDSA")).thumbprint == parse_jwk(okp()).thumbprint
    assert parse_jwk(ec(kid="1", use="sig")).thumbprint == parse_jwk(ec()).thumbprint
    of_rfc_9449 = ec(
        x="l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        y="9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    )
    assert parse_jwk(of_rfc_9449).thumbprint == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    assert len({parse_jwk(key).thumbprint for key in (rsa(), rsa(1), ec(), okp())}) == 4


@pytest.mark.req("RFC7638-3-01")
@pytest.mark.parametrize("members", [rsa(), ec(), secp256k1(), okp(), akp()])
def test_the_thumbprint_hashes_sorted_members_without_white_space(members: JsonObject) -> None:
    text = json.dumps({**members}, separators=(",", ":"), sort_keys=True)
    assert parse_jwk(members).thumbprint == sha256_b64url(text)


def test_a_jwk_can_be_made_by_hand() -> None:
    key = Jwk(kty="OKP", crv="Ed25519", material=(b"\x2a" * 32,))
    assert Jwk(kty="RSA", material=(b"n", b"e")).crv == ""
    assert (key.kid, key.alg, key.use, key.key_ops) == (None,) * 4
    assert key.issuers == frozenset()


# --- what a refusal tells ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "facts"),
    [
        (JsonObject({}), ("jwk_invalid", "kty", None, "a string")),
        (rsa(kty=5), ("jwk_invalid", "kty", None, "a string")),
        (ec(crv=("P-256",)), ("jwk_invalid", "crv", None, "a string")),
        (ec(crv=None), ("jwk_invalid", "kty", ("EC", ""), None)),
        (rsa(alg="ES256"), ("jwk_invalid", "alg", "ES256", None)),
        (rsa(use=("sig",)), ("jwk_invalid", "use", None, "a string")),
        (rsa(key_ops="verify"), ("jwk_invalid", "key_ops", None, "an array")),
        (rsa(key_ops=("verify",) * 2), ("jwk_invalid", "key_ops", None, "different strings")),
        (rsa(kid=5), ("kid_malformed", "kid", None, "at most 1024 characters")),
        (rsa(d="AQAB"), ("key_not_public", "d", None, None)),
    ],
    ids=str,
)
def test_a_refused_key_tells_the_member_and_what_is_wrong_with_it(
    members: JsonObject, facts: tuple[str, str, str | tuple[str, ...] | None, str | None]
) -> None:
    assert told(lambda: parse_jwk(members)) == facts
