"""The tokens that an attacker makes, with its own keys or unsigned."""

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from oidc_adapters.testing.parties import Members
from oidc_adapters.testing.signing import (
    SigningKey,
    b64url,
    b64url_octets,
    compact,
    is_object,
    parsed,
    public_pem,
    rendered,
)
from oidc_adapters.testing.signing_keys import private_key

KEYS: Final = ("own", "second", "unpublished", "encryption", "none", "public as secret", "broken")
"""The ways to sign a token, or not to."""

ALG: Final = "EdDSA"


@frozen
class TakenApart:
    """A signed token, as anybody can read it.

    Attributes:
        header, claims: its members; empty for any other text.
        signing_input: what is signed.
        signature: the octets of the signature.
    """

    header: Members
    claims: Members
    signing_input: bytes
    signature: bytes


def taken_apart(token: str) -> TakenApart:
    """Read a token without judging it."""
    parts = token.split(".")
    if len(parts) != 3:
        return TakenApart({}, {}, b"", b"")
    try:
        header, claims = (parsed(b64url_octets(part)) for part in parts[:2])
        signature = b64url_octets(parts[2])
    except ValueError:
        return TakenApart({}, {}, b"", b"")
    return TakenApart(
        header if is_object(header) else {},
        claims if is_object(claims) else {},
        f"{parts[0]}.{parts[1]}".encode("ascii"),
        signature,
    )


def second_key(slot: str) -> SigningKey:
    """Return a key that is published besides the main one."""
    return SigningKey(alg=ALG, kid=f"{slot}-second", private=private_key(ALG, f"{slot}:second"))


def encryption_key(slot: str) -> SigningKey:
    """Return a key that is published for encryption alone."""
    return SigningKey(alg=ALG, kid=f"{slot}-enc", private=private_key(ALG, f"{slot}:enc"))


def forged(claims: Mapping[str, object], key: SigningKey, how: str, *, typ: str = "JWT") -> str:
    """Return a token with these claims.

    Args:
        claims: what it states.
        key: the key that it pretends to be signed with.
        how: out of :data:`KEYS`.
        typ: of the header.
    """
    header: dict[str, object] = {"alg": key.alg, "typ": typ, "kid": key.kid}
    if how == "none":
        head = b64url(rendered({"alg": "none", "typ": typ}))
        return f"{head}.{b64url(rendered(dict(claims)))}."
    signing = key
    if how == "public as secret":
        header["alg"] = "HS256"
        signing = SigningKey(alg="HS256", kid=key.kid, private=public_pem(key))
    elif how == "unpublished":
        signing = SigningKey(alg=ALG, kid=key.kid, private=private_key(ALG, "unpublished"))
    elif how == "second":  # signed by another published key than the header says
        signing = second_key("hostile")
    elif how == "encryption":
        signing = encryption_key("hostile")
        header["kid"] = signing.kid
    token = compact(rendered(header), rendered(dict(claims)), signing)
    return token if how != "broken" else _broken(token)


def _broken(token: str) -> str:
    """Return a token whose signature has one bit that is wrong."""
    signed, _, signature = token.rpartition(".")
    octets = bytearray(b64url_octets(signature))
    octets[0] ^= 1
    return f"{signed}.{b64url(bytes(octets))}"
