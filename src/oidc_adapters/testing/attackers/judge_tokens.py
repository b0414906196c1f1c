"""Judges signed tokens by their octets alone, as their issuer and their reader are known to be."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from oidc_adapters.testing.attackers.forging import TakenApart, taken_apart
from oidc_adapters.testing.attackers.observations import Flaw, History
from oidc_adapters.testing.parties import Members
from oidc_adapters.testing.signing import ALGORITHMS, half_hash, is_array, verifies

LEEWAY: Final = 120
"""The largest difference of clocks that any policy tolerates, in seconds."""


class Demanded(NamedTuple):
    """The demands on a token: of which issuer, for which client, of which login, at which time."""

    issuer: str
    client_id: str
    at: int
    nonce: str = ""
    nonce_needed: bool = False
    access_token: str = ""


def flaw_of_signed(history: History, token: str, demanded: Demanded) -> Flaw | None:
    """Return what is wrong with any signed token: signature, key, issuer, audience, expiry."""
    apart = taken_apart(token)
    return (
        _flaw_of_signature(history.keys.get(demanded.issuer, []), apart)
        or _flaw_of_parties(apart.claims, demanded)
        or _flaw_of_expiry(apart.claims, demanded.at)
    )


def flaw_of_id_token(history: History, token: str, demanded: Demanded) -> Flaw | None:
    """Return what is wrong with an ID token."""
    apart = taken_apart(token)
    nonce = apart.claims.get("nonce")
    missing = nonce is None and not demanded.nonce_needed
    found = flaw_of_signed(history, token, demanded)
    if found is not None:
        return found
    if nonce != demanded.nonce and not missing:
        return Flaw("nonce", "the ID token does not have the nonce of the login")
    return _flaw_of_at_hash(apart, demanded.access_token)


def _flaw_of_signature(keys: list[Members], apart: TakenApart) -> Flaw | None:
    alg, kid = apart.header.get("alg"), apart.header.get("kid")
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        return Flaw("signature", f"a token with the algorithm {alg} was accepted")
    made_by = [
        key for key in keys if verifies(_of_any_alg(key), alg, apart.signing_input, apart.signature)
    ]
    if not made_by:
        return Flaw("signature", "no key that its issuer published has signed a token")
    if not any(_serves(key, alg, kid) for key in made_by):
        return Flaw("key selection", "a token was signed by a key that must not serve for it")
    return None


def _of_any_alg(key: Members) -> Members:
    return {name: value for name, value in key.items() if name != "alg"}


def _serves(key: Members, alg: str, kid: object) -> bool:
    fits = key.get("use", "sig") == "sig" and key.get("alg", alg) == alg
    return fits and (kid is None or key.get("kid") == kid)


def _flaw_of_parties(claims: Members, demanded: Demanded) -> Flaw | None:
    if claims.get("iss") != demanded.issuer:
        return Flaw("issuer", f"a token of {claims.get('iss')} was taken for {demanded.issuer}'s")
    aud = claims.get("aud")
    audiences = aud if is_array(aud) else [aud]
    if demanded.client_id not in audiences or claims.get("azp") not in {None, demanded.client_id}:
        return Flaw("audience", f"a token for {aud} was accepted")
    return None


def _flaw_of_expiry(claims: Mapping[str, object], at: int) -> Flaw | None:
    exp = claims.get("exp")
    if not isinstance(exp, int) or exp + LEEWAY < at:
        return Flaw("expiry", "a token that has expired was accepted")
    return None


def _flaw_of_at_hash(apart: TakenApart, access_token: str) -> Flaw | None:
    stated = apart.claims.get("at_hash")
    if stated is None or not access_token:
        return None
    if stated != half_hash(str(apart.header.get("alg")), access_token):
        return Flaw("at_hash", "the ID token is about another access token")
    return None
