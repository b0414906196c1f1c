"""Wrong JWTs: each function takes one before it is signed and returns it in compact form."""

import hmac
import json
from collections.abc import Callable
from typing import Final, TypeAlias

from oidc_adapters.testing.misbehaviours.answers import doubled
from oidc_adapters.testing.signing import (
    JwtDraft,
    SigningKey,
    b64url,
    b64url_octets,
    compact,
    public_pem,
    rendered,
)
from oidc_adapters.testing.signing_keys import private_key

JwtChange: TypeAlias = Callable[[JwtDraft], str]

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def with_claim(name: str, value: object) -> JwtChange:
    """Set a claim."""
    return lambda draft: draft.with_claims(**{name: value}).signed()


def without_claim(name: str) -> JwtChange:
    """Leave a claim out."""
    return lambda draft: draft.without_claims(name).signed()


def claim_later(name: str, seconds: int) -> JwtChange:
    """Set a time claim to some time from now."""
    return lambda draft: draft.with_claims(**{name: draft.now + seconds}).signed()


def claim_earlier(name: str, seconds: int) -> JwtChange:
    """Set a time claim to some time before now."""
    return claim_later(name, -seconds)


def expired(draft: JwtDraft) -> str:
    """Sign a token that expired a day ago."""
    day = 86_400
    return draft.with_claims(iat=draft.now - day - 300, exp=draft.now - day).signed()


def week_old(draft: JwtDraft) -> str:
    """Sign a token that was issued a week ago and still lives."""
    return draft.with_claims(iat=draft.now - 7 * 86_400).signed()


def plus_audience(draft: JwtDraft) -> str:
    """Name one audience more than the client."""
    return draft.with_claims(aud=[draft.claims["aud"], "another-client"]).signed()


def with_header(name: str, value: object) -> JwtChange:
    """Set a header member."""
    return lambda draft: draft.with_header(**{name: value}).signed()


def unsigned(draft: JwtDraft) -> str:
    """Say ``none`` in ``alg``, and send no signature."""
    return f"{_input(draft.with_header(alg='none'))}."


def unsigned_as(alg: str) -> JwtChange:
    """Say ``none`` in another spelling, and send no signature."""
    return lambda draft: f"{_input(draft.with_header(alg=alg))}."


def unsigned_with_signature(draft: JwtDraft) -> str:
    """Say ``none`` in ``alg``, with a signature nevertheless."""
    return f"{_input(draft.with_header(alg='none'))}.{b64url(256 * b'x')}"


def _input(draft: JwtDraft) -> str:
    return f"{b64url(rendered(dict(draft.header)))}.{b64url(rendered(dict(draft.claims)))}"


def hmac_with(secret: Callable[[SigningKey], bytes]) -> JwtChange:
    """Use something that everybody knows of the provider's key as an HMAC secret."""

    def change(draft: JwtDraft) -> str:
        signing_input = _input(draft.with_header(alg="HS256"))
        mac = hmac.digest(secret(draft.key), signing_input.encode("ascii"), "sha256")
        return f"{signing_input}.{b64url(mac)}"

    return change


hmac_with_public_key: Final = hmac_with(public_pem)
"""Use the provider's public key as an HMAC secret."""


def damaged_signature(draft: JwtDraft) -> str:
    """Flip one bit of the signature, which keeps its length; a token without one stays so."""
    token = draft.signed()
    signing_input, _, signature = token.rpartition(".")
    try:
        octets = bytearray(b64url_octets(signature))
    except ValueError:
        return token
    if not octets:
        return token
    octets[len(octets) // 2] ^= 1
    return f"{signing_input}.{b64url(bytes(octets))}"


def changed_after_signing(draft: JwtDraft) -> str:
    """Sign, then put another user's name in."""
    header, _, rest = draft.signed().partition(".")
    other = b64url(rendered(dict(draft.with_claims(sub="mallory").claims)))
    return f"{header}.{other}.{rest.partition('.')[2]}"


def _stranger(draft: JwtDraft) -> SigningKey:
    alg = draft.key.alg
    if isinstance(draft.key.private, bytes):
        return SigningKey(alg=alg, kid=None, private=64 * b"s")
    return SigningKey(alg=alg, kid=draft.key.kid, private=private_key(alg, "stranger"))


def signed_by_stranger(draft: JwtDraft) -> str:
    """Sign with a foreign key under the provider's ``kid``."""
    return draft.signed_by(_stranger(draft)).signed()


def signed_by_stranger_with(name: str, value: Callable[[SigningKey], object]) -> JwtChange:
    """Sign with a foreign key and send something along in the header that leads to it."""

    def change(draft: JwtDraft) -> str:
        stranger = draft.signed_by(_stranger(draft))
        return stranger.with_header(**{name: value(stranger.key)}).signed()

    return change


def signed_by_embedded_key(draft: JwtDraft) -> str:
    """Sign with a foreign key and send it along in the header (CVE-2018-0114)."""
    stranger = draft.signed_by(_stranger(draft))
    if isinstance(stranger.key.private, bytes):
        return stranger.with_header(jwk={"kty": "oct", "k": b64url(64 * b"s")}).signed()
    return stranger.with_header(jwk=stranger.key.public_jwk()).signed()


def with_payload(payload: bytes) -> JwtChange:
    """Sign other octets than the claims."""
    return lambda draft: compact(rendered(dict(draft.header)), payload, draft.key)


def with_rendered_claim(name: str, value: str) -> JwtChange:
    """Sign claims of which one is rendered as no honest provider would."""

    def change(draft: JwtDraft) -> str:
        claims = rendered(dict(draft.without_claims(name).claims))
        payload = f"{{{json.dumps(name)}:{value},".encode("ascii") + claims[1:]
        return compact(rendered(dict(draft.header)), payload, draft.key)

    return change


def duplicate_sub(draft: JwtDraft) -> str:
    """Sign claims in which ``sub`` appears twice."""
    payload = doubled(rendered(dict(draft.claims)), "sub", "mallory")
    return compact(rendered(dict(draft.header)), payload, draft.key)


def duplicate_alg(draft: JwtDraft) -> str:
    """Sign a header in which ``alg`` appears twice."""
    header = doubled(rendered(dict(draft.header)), "alg", "none")
    return compact(header, rendered(dict(draft.claims)), draft.key)


def utf16_payload(draft: JwtDraft) -> str:
    """Sign claims in UTF-16."""
    payload = rendered(dict(draft.claims)).decode("ascii").encode("utf-16")
    return compact(rendered(dict(draft.header)), payload, draft.key)


def header_not_an_object(draft: JwtDraft) -> str:
    """Sign a header that is an array."""
    return compact(b'["RS256"]', rendered(dict(draft.claims)), draft.key)


def five_parts(draft: JwtDraft) -> str:
    """Send five parts, as encrypted tokens have."""
    return f"{draft.signed()}.{b64url(b'ciphertext')}.{b64url(b'tag')}"


def two_parts(draft: JwtDraft) -> str:
    """Leave out the signature with its dot."""
    return draft.signed().rpartition(".")[0]


def padded(draft: JwtDraft) -> str:
    """Send base64url with padding."""
    return draft.signed() + "=="


def stray_bits(draft: JwtDraft) -> str:
    """Set bits in the payload's last character that stand for nothing, and sign the result."""
    claims = dict(draft.claims)
    while len(rendered(claims)) % 3 != 1:
        claims["padding"] = str(claims.get("padding", "")) + "x"
    payload = b64url(rendered(claims))
    last = _ALPHABET[_ALPHABET.index(payload[-1]) + 1]
    signing_input = f"{b64url(rendered(dict(draft.header)))}.{payload[:-1]}{last}"
    return f"{signing_input}.{b64url(draft.key.signature(signing_input.encode('ascii')))}"


def padded_to(characters: int) -> JwtChange:
    """Make the token at least so long."""
    return lambda draft: draft.with_claims(padding=characters * "x").signed()
