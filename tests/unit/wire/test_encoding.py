"""Strict base64url, percent-encoding, digests, constant-time comparison."""

import base64

import pytest

from oidc_core.wire.encoding import (
    b64url_decode,
    b64url_encode,
    percent_encode,
    same,
    sha256_b64url,
)
from oidc_core.wire.errors import ProtocolViolation


def refusal(text: bytes) -> str:
    with pytest.raises(ProtocolViolation) as caught:
        b64url_decode(text)
    return caught.value.code


# RFC 4648 §10, without padding.
VECTORS = [
    (b"", ""),
    (b"f", "Zg"),
    (b"fo", "Zm8"),
    (b"foo", "Zm9v"),
    (b"foob", "Zm9vYg"),
    (b"fooba", "Zm9vYmE"),
    (b"foobar", "Zm9vYmFy"),
    (b"\xfb\xff\xfe", "-__-"),
]


@pytest.mark.parametrize(("octets", "text"), VECTORS)
def test_octets_become_text_and_octets_again(octets: bytes, text: str) -> None:
    assert b64url_encode(octets) == text
    assert b64url_decode(text.encode()) == octets


@pytest.mark.req("RFC7515-2-01", "RFC8725BIS-3.14-01")
@pytest.mark.parametrize("octet", [o for o in range(256) if not chr(o).isalnum() or o > 127])
def test_a_foreign_character_is_refused_wherever_it_stands(octet: int) -> None:
    if octet in b"-_":
        return
    odd = bytes((octet,))
    texts = (odd + b"Zm9", b"Zm" + odd + b"9", b"Zm9" + odd, b"Zm9v" + odd, b"Zm9" + odd + b"v")
    assert {refusal(text) for text in texts} == {"base64url_malformed"}


@pytest.mark.parametrize("text", [b"Zg==", b"Zm8=", b"Zm9v=", b"Zm9v====", b"=", b"====", b"Z==="])
def test_padding_is_refused(text: bytes) -> None:
    assert refusal(text) == "base64url_malformed"


@pytest.mark.parametrize("text", [b"A", b"AAAAA", b"Zm9vY"])
def test_a_length_of_one_modulo_four_is_refused(text: bytes) -> None:
    assert refusal(text) == "base64url_malformed"


def test_the_last_character_is_the_only_one_for_its_octets() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    two = [c for c in alphabet if b64url_accepts(f"A{c}")]
    three = [c for c in alphabet if b64url_accepts(f"AA{c}")]
    assert two == [c for i, c in enumerate(alphabet) if i % 16 == 0]
    assert three == [c for i, c in enumerate(alphabet) if i % 4 == 0]
    assert all(b64url_accepts(f"AAA{c}") for c in alphabet)


def b64url_accepts(text: str) -> bool:
    try:
        octets = b64url_decode(text.encode())
    except ProtocolViolation:
        return False
    return base64.urlsafe_b64encode(octets).decode().rstrip("=") == text


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("AZaz09-._~", "AZaz09-._~"),
        ("", ""),
        ("a b+c", "a%20b%2Bc"),
        ("a:b%", "a%3Ab%25"),
        ("\x00\n", "%00%0A"),
        ("é€😀", "%C3%A9%E2%82%AC%F0%9F%98%80"),
        ("\ud800", "%ED%A0%80"),
    ],
)
def test_all_but_the_unreserved_is_percent_encoded(text: str, encoded: str) -> None:
    assert percent_encode(text) == encoded


def test_a_digest_is_that_of_the_octets() -> None:
    # RFC 7636, appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert sha256_b64url(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert len(sha256_b64url("\udfff")) == 43


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ("", "", True),
        ("secret", "secret", True),
        ("secret", "secreT", False),
        ("secret", "secret\x00", False),
        ("é", "e\u0301", False),
        ("\ud800", "\ud800", True),
        ("\ud800", "?", False),
    ],
)
def test_secrets_are_the_same_octet_for_octet(left: str, right: str, *, equal: bool) -> None:
    assert same(left, right) is equal
