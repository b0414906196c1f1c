"""Fuzzing of the whole way of an ID token: form, header, key, signature, claims.

Each input is tried as it is, and accepted only if it is one of the honest tokens. Then it is signed
again with its changed header and payload, so that their parsers and the rules of the claims are
reached, which no forger reaches.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from oidc_adapters.testing.signing import b64url, half_hash
from oidc_core.jose.algorithms import HMAC, SIGNATURES
from oidc_core.machine.steps import Done
from oidc_core.model.demands import Demands
from oidc_core.model.policy import Policy
from oidc_core.operations.validation import validate
from oidc_core.wire.errors import ProtocolViolation
from tests.fuzz.judging import Target, outcome
from tests.parties import (
    ACCESS_TOKEN,
    CLIENT_ID,
    ISSUER,
    NOW,
    SUB,
    claims_for,
    relying_party,
    with_keys,
)
from tests.signing import mac_key, published, signed, signed_octets, signing_key, unsigned

if TYPE_CHECKING:
    from collections.abc import Callable

    from oidc_adapters.testing.signing import SigningKey
    from oidc_core.model.claims import IdToken
    from oidc_core.model.relying_party import RelyingParty

NONCE: Final = "nonce-1"
DEMANDS: Final = Demands(
    nonce=NONCE,
    started_at=NOW,
    max_age=300,
    required_acr=("gold", "silver"),
    sub=SUB,
)
ALGS: Final = ("RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA")
KEYS: Final = {alg: signing_key(alg, kid=alg) for alg in ALGS} | {"HS256": mac_key()}
KEY_SET: Final = published(*[KEYS[alg] for alg in ALGS])
RPS: Final = {
    "EdDSA": relying_party(
        provider={"id_token_signing_alg_values_supported": (*sorted(SIGNATURES), "none")},
        policy=Policy(algorithms=SIGNATURES - HMAC),
    ),
    "HS256": relying_party(client={"id_token_signed_response_alg": "HS256"}),
}
"""By the algorithm that inputs are signed again with: every asymmetric one, and a MAC."""


def claims(alg: str = "EdDSA") -> dict[str, object]:
    """Return the claims of an honest token, with everything that a rule looks at."""
    return claims_for(
        NONCE,
        azp=CLIENT_ID,
        nbf=NOW - 1,
        acr="gold",
        amr=["pwd"],
        auth_time=NOW - 10,
        sid="session-1",
        email="alice@op.example",
        at_hash=half_hash(alg, ACCESS_TOKEN),
    )


HONEST: Final = frozenset(
    [
        *[signed(claims(alg), key, typ="JWT") for alg, key in KEYS.items()],
        signed(claims(), KEYS["EdDSA"], kid=None, typ="application/JWT", x5c=["AA"]),
    ]
)
_DISHONEST: Final = (
    unsigned(claims(), alg="none"),
    unsigned(claims(), alg="EdDSA", kid="EdDSA", crit=["b64"], b64=False),
    unsigned(claims(), alg="ML-DSA-44", jwk=KEYS["ES256"].public_jwk()),
    signed_octets(b'{"iss":"a","iss":"b","exp":1e999}', KEYS["EdDSA"]),
    signed_octets(b'{"aud":' + 20 * b"[" + 20 * b"]" + b"}", KEYS["EdDSA"]),
    "a.b.c",
    "",
)
WORDS: Final = (
    *sorted(SIGNATURES),
    *sorted(claims()),
    *["none", "alg", "kid", "typ", "cty", "crit", "b64", "zip", "jwk", "jku", "x5u", "x5c", "x5t"],
    *["JWT", "jwt", "application/jwt", "at+jwt", "logout+jwt", "events", "nonce_supported"],
    *["c_hash", "name", "email_verified", "address", "_claim_names", "updated_at", "zoneinfo"],
    *[ISSUER, CLIENT_ID, NONCE, SUB, ACCESS_TOKEN, "gold", "silver", "other"],
)


def validated(rp: RelyingParty, token: str) -> IdToken:
    """Validate a token wholly."""
    begun = validate(rp, token, DEMANDS, now=NOW, access_token=ACCESS_TOKEN)
    step = with_keys(rp, begun, KEY_SET)
    assert isinstance(step, Done), "no step is left once the keys are there"
    return step.result.id_token


def refusal(rp: RelyingParty, token: str, good: Callable[[IdToken], bool]) -> frozenset[str]:
    """Return the code a token is refused with, or no code; only a good one may be accepted."""
    found = outcome(partial(validated, rp, token))
    if isinstance(found, ProtocolViolation):
        return frozenset({found.code})
    assert good(found), "a forged token was accepted"
    return frozenset()


def holds(found: IdToken) -> bool:
    """Tell whether an accepted token is this user's, for this client, from this provider, now."""
    return (
        (found.iss, found.sub, found.nonce) == (ISSUER, SUB, NONCE)
        and {*found.aud} == {CLIENT_ID}
        and found.exp > NOW - 60
        and found.iat <= NOW + 61
    )


def judge(octets: bytes) -> frozenset[str]:
    """Try an input as it is, and signed again."""
    token, codes = octets.decode("utf-8", "surrogateescape"), frozenset[str]()
    for alg, rp in RPS.items():
        codes |= refusal(rp, token, lambda _: token in HONEST)
        codes |= refusal(rp, signed_again(token, KEYS[alg]), holds)
    return codes


def signed_again(token: str, key: SigningKey) -> str:
    """Put a good signature in the place of the last part."""
    signing_input = token.rpartition(".")[0]
    octets = signing_input.encode("utf-8", "surrogatepass")
    return f"{signing_input}.{b64url(key.signature(octets))}"


TARGET: Final = Target(
    name="jws",
    judge=judge,
    seeds=tuple([token.encode() for token in (*sorted(HONEST), *_DISHONEST)]),
    words=WORDS,
    longest=40_000,
)
