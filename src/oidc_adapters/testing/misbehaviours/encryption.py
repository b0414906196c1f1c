"""A provider that encrypts badly, or not at all (OIDC Core §3.1.3.7, 1, §5.3.2; RFC 7516)."""

import zlib
from collections.abc import Callable
from typing import Final

from attrs import evolve

from oidc_adapters.testing.encryption import JweDraft
from oidc_adapters.testing.misbehaviours.changes import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours.rows import cleartext
from oidc_adapters.testing.signing import SigningKey, b64url, b64url_octets, rendered
from oidc_adapters.testing.signing_keys import private_key


def _id_token(
    name: str, code: str, summary: str, encrypted: Callable[[JweDraft], str]
) -> Misbehaviour:
    return Misbehaviour(
        name=name,
        endpoint="token",
        during="login",
        code=code,
        summary=summary,
        needs="encrypted_id_token",
        changes=Changes(encrypted=encrypted),
    )


def _userinfo(
    name: str, code: str, summary: str, encrypted: Callable[[JweDraft], str]
) -> Misbehaviour:
    return Misbehaviour(
        name=name,
        endpoint="userinfo",
        during="userinfo",
        code=code,
        summary=summary,
        needs="encrypted_userinfo",
        changes=Changes(encrypted=encrypted),
    )


def _payload(draft: JweDraft) -> str:
    """Return the payload of the JWT that is encrypted, or of claims that nobody signed."""
    parts = cleartext(draft).split(".")
    return parts[1] if len(parts) == 3 else b64url(draft.plaintext)


def _claims_only(draft: JweDraft) -> str:
    return draft.containing(b64url_octets(_payload(draft))).encrypted()


def _inner_none(draft: JweDraft) -> str:
    payload = _payload(draft)
    inner = f"{b64url(rendered({'alg': 'none'}))}.{payload}."
    return draft.containing(inner.encode("ascii")).encrypted()


def _twice(draft: JweDraft) -> str:
    return draft.containing(draft.encrypted().encode("ascii")).encrypted()


def _with_header(**members: object) -> Callable[[JweDraft], str]:
    return lambda draft: draft.with_header(**members).encrypted()


def _compressed(draft: JweDraft) -> str:
    """Send a compressed megabyte of zeros."""
    deflated = zlib.compress(bytes(1_000_000), wbits=-15)
    return draft.with_header(zip="DEF").containing(deflated).encrypted()


def _damaged(at: int) -> Callable[[JweDraft], str]:
    """Flip a bit of one of the five parts."""

    def damaged(draft: JweDraft) -> str:
        parts = draft.encrypted().split(".")
        octets = bytearray(b64url_octets(parts[at]))
        octets[0] ^= 1
        parts[at] = b64url(bytes(octets))
        return ".".join(parts)

    return damaged


def _for_somebody_else(draft: JweDraft) -> str:
    stranger = SigningKey(alg="ES256", kid="stranger", private=private_key("ES256", "stranger"))
    return evolve(draft, recipient=stranger.public_jwk()).encrypted()


def _off_the_curve(draft: JweDraft) -> str:
    x = b64url(bytes(31) + b"\x05")
    return draft.with_header(epk={"kty": "EC", "crv": "P-256", "x": x, "y": x}).encrypted()


ROWS: Final = (
    _id_token(
        "cleartext_where_encrypted",
        "encryption_missing",
        "does not encrypt the ID token",
        cleartext,
    ),
    _id_token(
        "jwe_unsigned_inner",
        "signature_missing",
        "encrypts claims that nobody signed",
        _claims_only,
    ),
    _id_token(
        "jwe_inner_alg_none",
        "signature_missing",
        "encrypts a JWT without a signature",
        _inner_none,
    ),
    _id_token("jwe_inner_jwe", "signature_missing", "encrypts the ID token twice", _twice),
    _id_token(
        "jwe_wrong_alg",
        "encryption_mismatch",
        "wraps the key with an unregistered algorithm",
        _with_header(alg="ECDH-ES+A256KW"),
    ),
    _id_token(
        "jwe_wrong_enc",
        "encryption_mismatch",
        "encrypts with an unregistered algorithm",
        _with_header(enc="A256GCM"),
    ),
    _id_token(
        "jwe_rsa1_5",
        "alg_not_allowed",
        "wraps the key with the padding of PKCS #1 v1.5",
        _with_header(alg="RSA1_5"),
    ),
    _id_token(
        "jwe_pbes2",
        "alg_not_allowed",
        "asks for two thousand million rounds of PBKDF2",
        _with_header(alg="PBES2-HS256+A128KW", p2c=2**31, p2s="c2FsdA"),
    ),
    _id_token("jwe_zip", "zip_unsupported", "sends a compressed megabyte", _compressed),
    _id_token(
        "jwe_crit", "crit_unsupported", "sends a critical extension", _with_header(crit=["exp"])
    ),
    _id_token(
        "jwe_of_another_kind",
        "typ_unexpected",
        "calls the encrypted ID token a logout token",
        _with_header(typ="logout+jwt"),
    ),
    _id_token(
        "jwe_other_content_kind",
        "cty_unexpected",
        "says with a number what is encrypted",
        _with_header(cty=7),
    ),
    _id_token(
        "jwe_other_iss_in_header",
        "iss_mismatch",
        "names another issuer in the header",
        _with_header(iss="https://other.example"),
    ),
    _id_token(
        "jwe_other_aud_in_header",
        "aud_mismatch",
        "names another client in the header",
        _with_header(aud="another-client"),
    ),
    _id_token("jwe_damaged_tag", "decryption_failed", "damages the tag", _damaged(4)),
    _id_token("jwe_damaged_key", "decryption_failed", "damages the encrypted key", _damaged(1)),
    _id_token(
        "jwe_for_somebody_else",
        "decryption_failed",
        "encrypts for another client",
        _for_somebody_else,
    ),
    _id_token(
        "jwe_point_off_the_curve",
        "decryption_failed",
        "sends a point that is not on the curve",
        _off_the_curve,
    ),
    _userinfo(
        "userinfo_cleartext_where_encrypted",
        "encryption_missing",
        "does not encrypt UserInfo",
        cleartext,
    ),
    _userinfo(
        "userinfo_jwe_unsigned_inner",
        "signature_missing",
        "encrypts UserInfo that nobody signed",
        _claims_only,
    ),
    _userinfo("userinfo_jwe_damaged", "decryption_failed", "damages the content", _damaged(3)),
)
