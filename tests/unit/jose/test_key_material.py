"""Faults that make the octets of a public key unfit to trust."""

import json
from pathlib import Path

import pytest

from oidc_core.jose.key_material import _ROCA_MARKS, public_material
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonValue
from tests.strategies import EC_CURVES
from tests.unit.parties import told

RSA_N = (1 << 2047) + 2**700 + 7
E = 65537
GENERATORS = {
    "P-256": (
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
    "P-384": (
        int("aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38"
            "5502f25dbf55296c3a545e3872760ab7", 16),
        int("3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c0"
            "0a60b1ce1d7e819d7a431d7c90ea0e5f", 16),
    ),
    "secp256k1": (
        0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
        0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
    ),
    "P-521": (
        int("00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d"
            "3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66", 16),
        int("011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e"
            "662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650", 16),
    ),
}  # fmt: skip
WIDTHS = {"P-256": 32, "secp256k1": 32, "P-384": 48, "P-521": 66}
P25519 = 2**255 - 19
P448 = 2**448 - 2**224 - 1


def uint(number: int) -> str:
    return b64url_encode(number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big"))


def material(kty: str, crv: str, members: dict[str, JsonValue]) -> tuple[bytes, ...]:
    return public_material(kty, crv, members.get)


def code_of(kty: str, crv: str, **members: JsonValue) -> str:
    with pytest.raises(ProtocolViolation) as caught:
        material(kty, crv, members)
    return caught.value.code


# --- RSA -----------------------------------------------------------------------------------------


def test_a_sound_rsa_key_is_taken_octet_for_octet() -> None:
    n, e = material("RSA", "", {"n": uint(RSA_N), "e": uint(E)})
    assert int.from_bytes(n, "big") == RSA_N
    assert int.from_bytes(e, "big") == E
    assert len(n) == 256


@pytest.mark.parametrize(
    ("bits", "code"),
    [
        (512, "key_too_small"), (1024, "key_too_small"), (2047, "key_too_small"), (2048, ""),
        (2049, ""), (8192, ""), (8193, "key_too_large"), (65_536, "key_too_large"),
    ],
)  # fmt: skip
def test_a_modulus_has_2048_to_8192_bits(bits: int, code: str) -> None:
    """F13, F16."""
    modulus = (1 << (bits - 1)) + 2**300 + 7
    if code:
        assert code_of("RSA", "", n=uint(modulus), e=uint(E)) == code
    else:
        assert len(material("RSA", "", {"n": uint(modulus), "e": uint(E)})) == 2


@pytest.mark.req("RFC7518-6.3.1-01")
@pytest.mark.parametrize("exponent", [0, 1, 2, 4, 65_536, 2**32, 2**32 + 1, 2**2000 + 1])
def test_an_exponent_is_odd_and_from_3_to_below_2_to_the_32(exponent: int) -> None:
    """F14."""
    assert code_of("RSA", "", n=uint(RSA_N), e=uint(exponent)) == "jwk_invalid"


@pytest.mark.parametrize("exponent", [3, 17, 65_537, 2**32 - 1])
def test_an_exponent_within_the_window_is_taken(exponent: int) -> None:
    assert material("RSA", "", {"n": uint(RSA_N), "e": uint(exponent)})[1][-1] & 1


@pytest.mark.req("RFC7518-6.3.1-01")
def test_leading_zero_octets_are_refused() -> None:
    """F14."""
    zero_n = b64url_encode(b"\0" + RSA_N.to_bytes(256, "big"))
    assert code_of("RSA", "", n=zero_n, e=uint(E)) == "jwk_invalid"
    assert code_of("RSA", "", n=uint(RSA_N), e=b64url_encode(b"\0\1\0\1")) == "jwk_invalid"


def test_empty_numbers_are_refused() -> None:
    assert code_of("RSA", "", n="", e=uint(E)) == "jwk_invalid"
    assert code_of("RSA", "", n=uint(RSA_N), e="") == "jwk_invalid"


def test_an_even_modulus_is_refused() -> None:
    """F14."""
    assert code_of("RSA", "", n=uint(RSA_N + 1), e=uint(E)) == "jwk_invalid"


def roca_modulus(power: int) -> int:
    """A number made as the flawed library makes primes, and so products of primes."""
    primes = [p for p in range(2, 168) if all(p % q for q in range(2, p))]
    product = 1
    for prime in primes:
        product *= prime
    least = pow(65_537, power, product)
    return least + product * ((1 << 2047) // product + 5)


@pytest.mark.parametrize("power", [0, 1, 2, 1234, 987_654_321])
def test_a_modulus_with_the_marks_of_roca_is_weak(power: int) -> None:
    """F15."""
    assert code_of("RSA", "", n=uint(roca_modulus(power)), e=uint(E)) == "key_weak"


def test_a_modulus_that_lacks_one_mark_is_not_weak() -> None:
    modulus = roca_modulus(77)
    others = 1
    for prime, _ in _ROCA_MARKS[1:]:
        others *= prime
    while modulus % 11 in {1, 10}:
        modulus += 2 * others
    assert len(material("RSA", "", {"n": uint(modulus), "e": uint(E)})) == 2


def test_the_marks_of_roca_are_the_orders_of_65537() -> None:
    orders: dict[int, int] = {}
    for prime in (p for p in range(3, 168) if all(p % q for q in range(2, p))):
        orders[prime] = next(k for k in range(1, prime) if pow(65_537, k, prime) == 1)
    telling = tuple((prime, order) for prime, order in orders.items() if order < prime - 1)
    assert telling == _ROCA_MARKS


# --- EC ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crv", GENERATORS)
def test_a_point_on_the_curve_is_taken(crv: str) -> None:
    width = WIDTHS[crv]
    x, y = (b64url_encode(number.to_bytes(width, "big")) for number in GENERATORS[crv])
    assert [len(part) for part in material("EC", crv, {"x": x, "y": y})] == [width, width]


@pytest.mark.req("RFC7518-6.2.1-01")
@pytest.mark.parametrize("crv", GENERATORS)
@pytest.mark.parametrize("shift", [(1, 0), (0, 1), (0, -1)])
def test_a_point_beside_the_curve_is_refused(crv: str, shift: tuple[int, int]) -> None:
    """F22."""
    width = WIDTHS[crv]
    x, y = (
        b64url_encode((number + by).to_bytes(width, "big"))
        for number, by in zip(GENERATORS[crv], shift, strict=True)
    )
    assert code_of("EC", crv, x=x, y=y) == "jwk_invalid"


@pytest.mark.req("RFC7518-6.2.1-01")
@pytest.mark.parametrize("crv", GENERATORS)
def test_coordinates_of_another_width_are_refused(crv: str) -> None:
    """F22."""
    x, y = (number.to_bytes(WIDTHS[crv], "big") for number in GENERATORS[crv])
    for pair in ((x[1:], y), (x, y[1:]), (b"\0" + x, y), (x, y + b"\0"), (b"", b"")):
        first, second = map(b64url_encode, pair)
        assert code_of("EC", crv, x=first, y=second) == "jwk_invalid"


@pytest.mark.parametrize("crv", GENERATORS)
def test_the_origin_is_refused(crv: str) -> None:
    """F22."""
    zero = b64url_encode(bytes(WIDTHS[crv]))
    assert code_of("EC", crv, x=zero, y=zero) == "jwk_invalid"


def test_a_coordinate_beyond_p_is_refused_though_it_is_congruent() -> None:
    _, p, b = EC_CURVES["P-256"]
    x = next(x for x in range(50) if pow(root(x, p, b), 2, p) == (x**3 - 3 * x + b) % p)
    y = root(x, p, b)
    good = {"x": b64url_encode(x.to_bytes(32, "big")), "y": b64url_encode(y.to_bytes(32, "big"))}
    assert len(material("EC", "P-256", {**good})) == 2
    beyond = b64url_encode((x + p).to_bytes(32, "big"))
    assert code_of("EC", "P-256", x=beyond, y=good["y"]) == "jwk_invalid"


def test_a_second_coordinate_beyond_p_is_refused_though_it_is_congruent() -> None:
    # On P-521 there are seven spare bits, so that y + p fits as well.
    p = 2**521 - 1
    x, y = GENERATORS["P-521"]
    beyond = b64url_encode((y + p).to_bytes(66, "big"))
    assert code_of("EC", "P-521", x=b64url_encode(x.to_bytes(66, "big")), y=beyond) == "jwk_invalid"


def root(x: int, p: int, b: int) -> int:
    return pow(x**3 - 3 * x + b, (p + 1) // 4, p)


# --- Edwards curves ------------------------------------------------------------------------------


def okp(crv: str, y: int, sign: int) -> str:
    octets = 32 if crv == "Ed25519" else 57
    return b64url_encode((y | sign << (8 * octets - 1)).to_bytes(octets, "little"))


def small_order_25519() -> list[int]:
    """Find the y of every point of order 1, 2, 4 and 8 by solving for them."""
    d = -121_665 * pow(121_666, -1, P25519) % P25519
    minus_one = pow(2, (P25519 - 1) // 4, P25519)  # a square root of -1
    found = {0, 1, P25519 - 1}
    # Doubling gives y = 0 where x² = -y², that is where d·y⁴ + 2·y² - 1 = 0.
    discriminant = square_root((1 + d) % P25519, minus_one)
    for sign in (1, -1):
        y2 = (-1 + sign * discriminant) * pow(d, -1, P25519) % P25519
        y = square_root(y2, minus_one)
        if y * y % P25519 == y2:
            found |= {y, P25519 - y}
    return sorted(found | {y + P25519 for y in found if y + P25519 < 2**255})


def square_root(number: int, minus_one: int) -> int:
    candidate = pow(number, (P25519 + 3) // 8, P25519)
    if candidate * candidate % P25519 == number % P25519:
        return candidate
    return candidate * minus_one % P25519


def test_there_are_fourteen_encodings_of_small_order() -> None:
    assert len(small_order_25519()) == 7


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("which", range(7))
def test_an_ed25519_point_of_small_order_is_weak(which: int, sign: int) -> None:
    """F23."""
    y = small_order_25519()[which]
    assert code_of("OKP", "Ed25519", x=okp("Ed25519", y, sign)) == "key_weak"


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("y", [0, 1, P448 - 1, P448, P448 + 1])
def test_an_ed448_point_of_small_order_is_weak(y: int, sign: int) -> None:
    assert code_of("OKP", "Ed448", x=okp("Ed448", y, sign)) == "key_weak"


@pytest.mark.parametrize(
    ("crv", "y"),
    [
        ("Ed25519", P25519 + 2), ("Ed25519", 2**255 - 1), ("Ed448", P448 + 2),
        ("Ed448", 2**448), ("Ed448", 2**455 - 1),
    ],
)  # fmt: skip
def test_an_edwards_point_that_is_not_canonical_is_refused(crv: str, y: int) -> None:
    assert code_of("OKP", crv, x=okp(crv, y, 1)) == "jwk_invalid"


@pytest.mark.parametrize(("crv", "octets"), [("Ed25519", 31), ("Ed25519", 33), ("Ed448", 56)])
def test_an_edwards_key_of_another_width_is_refused(crv: str, octets: int) -> None:
    assert code_of("OKP", crv, x=b64url_encode(b"\x2a" * octets)) == "jwk_invalid"


@pytest.mark.parametrize("crv", ["Ed25519", "Ed448"])
def test_an_edwards_point_is_taken(crv: str) -> None:
    assert len(material("OKP", crv, {"x": okp(crv, 2**200 + 3, 1)})) == 1


def test_the_known_keys_of_small_order_are_weak(vectors: Path) -> None:
    cases = json.loads((vectors / "ed25519_small_order.json").read_bytes())["cases"]
    assert len(cases) == 14
    for case in cases:
        assert code_of("OKP", "Ed25519", x=case["jwk"]["x"]) == "key_weak"


# --- ML-DSA --------------------------------------------------------------------------------------

ML_DSA_OCTETS = {"ML-DSA-44": 1312, "ML-DSA-65": 1952, "ML-DSA-87": 2592}


@pytest.mark.parametrize(("alg", "octets"), ML_DSA_OCTETS.items())
def test_a_key_of_ml_dsa_has_the_size_of_its_algorithm(alg: str, octets: int) -> None:
    pub = b"\x2a" * octets
    assert material("AKP", "", {"alg": alg, "pub": b64url_encode(pub)}) == (pub,)
    for size in (0, octets - 1, octets + 1, *{*ML_DSA_OCTETS.values()} - {octets}):
        assert code_of("AKP", "", alg=alg, pub=b64url_encode(bytes(size))) == "jwk_invalid"


@pytest.mark.parametrize("alg", [None, 44, "ML-DSA", "ml-dsa-44", "RS256", "HS256", "none"])
def test_a_key_of_ml_dsa_names_its_algorithm(alg: JsonValue) -> None:
    for octets in (256, 2048 // 8, 1312, 1952, 2592):
        assert code_of("AKP", "", alg=alg, pub=b64url_encode(bytes(octets))) == "jwk_invalid"


# --- types, curves, encodings --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kty", "crv"),
    [
        ("EC", "secp256r1"), ("EC", "brainpoolP256r1"), ("EC", ""), ("EC", "Ed25519"),
        ("OKP", "X25519"), ("OKP", "P-256"), ("RSA", "P-256"), ("AKP", "P-256"), ("", ""),
        ("rsa", ""), ("oct", ""),
    ],
)  # fmt: skip
def test_an_unknown_type_or_curve_is_refused(kty: str, crv: str) -> None:
    """F26."""
    assert code_of(kty, crv, n=uint(RSA_N), e=uint(E), x="AA", y="AA") == "jwk_invalid"


@pytest.mark.parametrize(
    "value",
    [None, 5, True, ("AQAB",), "AQAB=", "AQ AB", "AQ+B", "AQ/B", "A", "AQABé", "\ud800", "AR"],
)
def test_a_member_that_is_not_strict_base64url_is_refused(value: JsonValue) -> None:
    assert code_of("RSA", "", n=uint(RSA_N), e=value) == "jwk_invalid"
    assert code_of("RSA", "", n=value, e=uint(E)) == "jwk_invalid"
    assert code_of("EC", "P-256", x=value, y=value) == "jwk_invalid"
    assert code_of("OKP", "Ed25519", x=value) == "jwk_invalid"
    assert code_of("AKP", "", alg="ML-DSA-44", pub=value) == "jwk_invalid"


# --- what a refusal tells ------------------------------------------------------------------------

POINT = {
    name: b64url_encode(number.to_bytes(32, "big"))
    for name, number in zip("xy", GENERATORS["P-256"], strict=True)
}
NO_ZERO = "no leading zero octet"
OFF = b64url_encode((GENERATORS["P-256"][0] + 1).to_bytes(32, "big"))


@pytest.mark.parametrize(
    ("key", "members", "facts"),
    [
        (("RSA", "P-256"), {}, ("jwk_invalid", "kty", ("RSA", "P-256"), None)),
        (("RSA", ""), {"e": "AQAB"}, ("jwk_invalid", "n", None, "a string")),
        (("RSA", ""), {"n": "AA", "e": 5}, ("jwk_invalid", "e", None, "a string")),
        (("RSA", ""), {"n": "A"}, ("jwk_invalid", "n", None, "base64url")),
        (("RSA", ""), {"n": "AA", "e": "+"}, ("jwk_invalid", "e", None, "base64url")),
        (
            ("RSA", ""),
            {"n": uint(1 << 8192), "e": "AQAB"},
            ("key_too_large", "n", 8200, 8192),
        ),
        (
            ("RSA", ""),
            {"n": uint((1 << 2046) + 1), "e": "AQAB"},
            ("key_too_small", "n", 2047, 2048),
        ),
        (("RSA", ""), {"n": "AAEB", "e": "AQAB"}, ("jwk_invalid", "n", None, NO_ZERO)),
        (("RSA", ""), {"n": "", "e": "AQAB"}, ("jwk_invalid", "n", None, NO_ZERO)),
        (
            ("RSA", ""),
            {"n": uint(RSA_N + 1), "e": "AQAB"},
            ("jwk_invalid", "n", None, "an odd modulus"),
        ),
        (
            ("RSA", ""),
            {"n": uint(RSA_N), "e": "AQ"},
            ("jwk_invalid", "e", None, "odd, 3 to 2**32 - 1"),
        ),
        (
            ("RSA", ""),
            {"n": uint(roca_modulus(7)), "e": "AQAB"},
            ("key_weak", "n", "ROCA", None),
        ),
        (("EC", "P-256"), {"x": "AA", "y": "AAA"}, ("jwk_invalid", "x", ("1", "2"), 32)),
        (
            ("EC", "P-256"),
            {"x": OFF, "y": POINT["y"]},
            ("jwk_invalid", "x", None, "a point on the curve"),
        ),
        (("OKP", "Ed25519"), {"x": "AA"}, ("jwk_invalid", "x", 1, 32)),
        (
            ("OKP", "Ed25519"),
            {"x": okp("Ed25519", 1, 0)},
            ("key_weak", "x", "a point of small order", None),
        ),
        (
            ("OKP", "Ed448"),
            {"x": okp("Ed448", P448 + 2, 0)},
            ("jwk_invalid", "x", None, "a canonical point"),
        ),
        (
            ("AKP", ""),
            {"alg": "ML-DSA-44", "pub": "AAAA"},
            ("jwk_invalid", "pub", 3, "its size"),
        ),
    ],
)
def test_a_refusal_tells_the_member_and_what_is_wrong_with_it(
    key: tuple[str, str],
    members: dict[str, JsonValue],
    facts: tuple[str, str, str | int | None, str | int | None],
) -> None:
    assert told(lambda: material(*key, members)) == facts
