"""How content and its key may be encrypted: what is in the tables, and how long a secret is."""

from functools import partial

import pytest

from oidc_core.jose.encryption import (
    CONTENT_ENCRYPTION,
    DEFAULT_ENC,
    KEY_MANAGEMENT,
    SYMMETRIC,
    check_secret,
    secret_octets,
)
from oidc_core.jose.jws import Encryption
from oidc_core.wire.errors import UsageError
from tests.parties import refused


@pytest.mark.req("RFC7518-4.2-01", "RFC7518-4.8.1.2-01")
def test_the_table_has_no_padding_of_old_no_password_and_no_compression() -> None:
    assert set(KEY_MANAGEMENT) == {
        *[f"RSA-OAEP{suffix}" for suffix in ("", "-256", "-384", "-512")],
        *[f"ECDH-ES{suffix}" for suffix in ("", "+A128KW", "+A192KW", "+A256KW")],
        *[f"A{bits}{kind}" for bits in (128, 192, 256) for kind in ("KW", "GCMKW")],
        "dir",
    }
    assert all(name == row.alg for name, row in KEY_MANAGEMENT.items())
    assert {n for n in KEY_MANAGEMENT if n[0] == "A"} | {"dir"} == SYMMETRIC


def test_lengths_are_those_of_rfc_7518() -> None:
    assert {row.alg: (row.digest, row.octets) for row in KEY_MANAGEMENT.values()} == {
        "RSA-OAEP": ("sha1", 0),
        "RSA-OAEP-256": ("sha256", 0),
        "RSA-OAEP-384": ("sha384", 0),
        "RSA-OAEP-512": ("sha512", 0),
        "ECDH-ES": ("", 0),
        "ECDH-ES+A128KW": ("", 16),
        "ECDH-ES+A192KW": ("", 24),
        "ECDH-ES+A256KW": ("", 32),
        "A128KW": ("", 16),
        "A192KW": ("", 24),
        "A256KW": ("", 32),
        "A128GCMKW": ("", 16),
        "A192GCMKW": ("", 24),
        "A256GCMKW": ("", 32),
        "dir": ("", 0),
    }
    assert {name: row[1:] for name, row in CONTENT_ENCRYPTION.items()} == {
        "A128GCM": ("AES-GCM", "", 16, 12, 16),
        "A192GCM": ("AES-GCM", "", 24, 12, 16),
        "A256GCM": ("AES-GCM", "", 32, 12, 16),
        "A128CBC-HS256": ("AES-CBC-HMAC", "sha256", 32, 16, 16),
        "A192CBC-HS384": ("AES-CBC-HMAC", "sha384", 48, 16, 24),
        "A256CBC-HS512": ("AES-CBC-HMAC", "sha512", 64, 16, 32),
    }
    assert DEFAULT_ENC == "A128CBC-HS256"


def test_a_family_is_what_its_algorithms_have_in_common() -> None:
    families = {"RSA": "RSA-OAEP", "ECDH": "ECDH-ES", "dir": "dir"}
    for alg, row in KEY_MANAGEMENT.items():
        wrapping = "AES-GCMKW" if alg.endswith("GCMKW") else "AES-KW"
        assert row.family == families.get(alg.partition("-")[0], wrapping)


@pytest.mark.parametrize(
    ("alg", "enc", "octets", "least"),
    [
        ("A128KW", "A256GCM", 16, 16),
        ("A256GCMKW", "A128GCM", 32, 32),
        ("dir", "A128GCM", 16, 16),
        ("dir", "A128CBC-HS256", 32, 32),
        ("dir", "A256CBC-HS512", 64, 32),
    ],
)
def test_a_secret_is_as_long_as_its_key_or_32_octets(
    alg: str, enc: str, octets: int, least: int
) -> None:
    """X15."""
    encryption = Encryption(alg, enc)
    assert secret_octets(encryption) == octets
    check_secret(encryption, least * "s")
    check_secret(encryption, (least - 2) * "s" + "é")
    error = refused(
        UsageError,
        "config_invalid",
        partial(check_secret, encryption, (least - 1) * "s"),
    )
    assert (error.found, error.expected, error.about) == (least - 1, least, "client_secret")
