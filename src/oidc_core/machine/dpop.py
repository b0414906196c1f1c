"""DPoP (RFC 9449): what a proof of possession says, and when a server demands a nonce in it.

A proof is *named* by the core and *made* by the adapter that has the key; so each transmission
has a fresh ``jti``, and no step holds a key.  A server may refuse a request only to hand out a
nonce (§8, §9).  :func:`with_demanded_nonce` reads that out of an answer, for every operation alike:
the same request goes out once more, with the nonce, and a second demand is an error.
"""

import re
from typing import Final

from attrs import evolve

from oidc_core.wire.challenge import Challenge, challenges
from oidc_core.wire.encoding import sha256_b64url
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.grammar import NQCHAR
from oidc_core.wire.http import DpopProof, HttpRequest, HttpResponse
from oidc_core.wire.jsontypes import parse_object, quoted

HEADER: Final = "dpop"
_NONCE_HEADER: Final = "dpop-nonce"
_DEMAND: Final = "use_dpop_nonce"
_LONGEST_NONCE: Final = 1_024
_BAD_REQUEST: Final = 400
_UNAUTHORIZED: Final = 401
_nqchars: Final = re.compile(f"{NQCHAR}+").fullmatch


def with_proof(
    request: HttpRequest, thumbprint: str, *, access_token: str = "", nonce: str | None = None
) -> HttpRequest:
    """Return the request with a proof of the key that the client has under that thumbprint.

    Args:
        request: a request without a proof.
        thumbprint: of the key (RFC 7638).
        access_token: the access token that the request carries, if it does (§4.2).
        nonce: a nonce of the server; without it the adapter takes the newest it knows.
    """
    proof = DpopProof(
        issuer=request.issuer,
        client_id=request.client_id,
        thumbprint=thumbprint,
        htm=request.method,
        htu=normalised_htu(request.url),
        ath=sha256_b64url(access_token) if access_token else None,
        nonce=nonce,
    )
    return evolve(request, headers=(*request.headers, (HEADER, proof)))


def normalised_htu(url: str) -> str:
    """Return a URL without query and fragment (§4.2), and otherwise as it is sent.

    A server normalises before it compares, or it compares with its published URL.
    """
    return url.partition("#")[0].partition("?")[0]


def dpop_payload(proof: DpopProof, *, now: int, jti: str, nonce: str | None) -> str:
    """Return the claims of a proof as JSON (§4.2).

    Args:
        proof: what it proves.
        now: seconds since the epoch.
        jti: fresh for each transmission, retries included.
        nonce: what is remembered of the server; a nonce that the proof names itself comes first.
    """
    ath = "" if proof.ath is None else f',"ath":{quoted(proof.ath)}'
    sent = nonce if proof.nonce is None else proof.nonce
    tail = "" if sent is None else f',"nonce":{quoted(sent)}'
    return (
        f'{{"jti":{quoted(jti)},"htm":{quoted(proof.htm)},"htu":{quoted(proof.htu)},'
        f'"iat":{now}{ath}{tail}}}'
    )


def proof_of(request: HttpRequest) -> DpopProof | None:
    """Return the proof that a request carries, or ``None``."""
    return next((value for _, value in request.headers if isinstance(value, DpopProof)), None)


def nonce_of(response: HttpResponse) -> str | None:
    """Return the nonce that an answer hands out, with any status (§8.2).

    A nonce that breaks the grammar (§8.1), is longer than 1 KiB or comes together with another does
    not count.
    """
    found = [value for name, value in response.headers if name == _NONCE_HEADER]
    if len(found) != 1 or len(found[0]) > _LONGEST_NONCE or not _nqchars(found[0]):
        return None
    return found[0]


def with_demanded_nonce(request: HttpRequest, response: HttpResponse) -> HttpRequest | None:
    """Return the request to send instead, if the answer demands a nonce in its proof.

    Raises:
        ProtocolViolation: ``dpop_nonce_repeated`` if it demanded one for the same request before.
    """
    proof, nonce = proof_of(request), nonce_of(response)
    if proof is None or nonce is None or not _demands(request, response):
        return None
    if proof.demanded:
        raise ProtocolViolation("dpop_nonce_repeated", expected="one nonce", about="DPoP-Nonce")
    renewed = proof._replace(nonce=nonce, demanded=True)
    kept = [header for header in request.headers if header[1] is not proof]
    return evolve(request, headers=(*kept, (HEADER, renewed)))


def _demands(request: HttpRequest, response: HttpResponse) -> bool:
    """Tell a demand: of an authorization server in JSON (§8), of a resource in a challenge (§9)."""
    if request.role == "resource":
        demand = Challenge(HEADER, "error", _DEMAND)
        return response.status == _UNAUTHORIZED and demand in challenges(response)
    if response.status != _BAD_REQUEST:
        return False
    try:
        return parse_object(response.body, tolerant=True).members.get("error") == _DEMAND
    except ProtocolViolation:
        return False
