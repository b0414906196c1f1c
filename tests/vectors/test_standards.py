"""The standards' own examples, and keys under which everybody can sign."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from attrs import evolve

from oidc_adapters.crypto import CryptographyVerifier
from oidc_core.jose.algorithms import half_hash
from oidc_core.jose.jwk import SkippedKey, parse_jwk
from oidc_core.jose.jws import VerifiedJws, first_seen, parse_header, split, verify
from oidc_core.machine.steps import Done, KeysFound, NeedKeys, resume
from oidc_core.model.demands import Demands
from oidc_core.operations.validation import validate
from oidc_core.wire.encoding import sha256_b64url
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, parse_object
from tests.unit.parties import CLIENT, NOW, PROVIDER, relying_party
from tests.vectors.wycheproof import Row, key_set, verdict

if TYPE_CHECKING:
    from pathlib import Path

DPOP: Final = frozenset({"dpop+jwt"})
ES256: Final = frozenset({"ES256"})


def document(vectors: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((vectors / f"{name}.json").read_bytes())
    return found


def row(jws: str, *keys: dict[str, Any]) -> Row:
    return Row("", 0, keys, jws, valid=True)


@pytest.mark.parametrize(
    ("index", "expected"),
    [(0, "valid"), (1, "valid"), (2, "valid"), (3, "valid"), (4, "alg_not_allowed")],
    ids=["A.1", "A.2", "A.3", "A.4", "A.5"],
)
def test_the_examples_of_rfc_7515(vectors: Path, index: int, expected: str) -> None:
    """E20: the fifth has no signature."""
    cases = document(vectors, "rfc7515_appendix_a")["cases"]
    jws = cases[index]["jws"]
    keys = [case["jwk"] for case in cases if case["jwk"]]
    alg = {"HS256": "HS256"}.get(parse_header(jws.partition(".")[0].encode()).alg)
    chosen = {**keys[0], "kid": "k", "alg": alg} if alg else keys[min(index, 3)]

    assert len(cases) == 5
    assert verdict(row(jws, chosen)) == expected
    payload = jws.split(".")[1]
    changed = jws.replace(payload, payload[:-4] + "AAAA")
    assert verdict(row(changed, chosen)) in {"signature_invalid", "alg_not_allowed"}


def test_the_example_of_rfc_8037(vectors: Path) -> None:
    example = document(vectors, "rfc_small_examples")["rfc8037"]

    assert verdict(row(example["jws"], example["jwk"])) == "valid"
    assert key_set(example["jwk"]).keys[0].thumbprint == example["thumbprint_sha256"]


def proof(text: str, jwk: dict[str, Any], types: frozenset[str] = DPOP) -> VerifiedJws:
    jws = split(text)
    return verify(
        jws,
        key_set(jwk),
        CryptographyVerifier(),
        algorithms=ES256,
        types=types,
        now=NOW,
        keys_fetched_at=NOW,
        known=first_seen(jws.protected),
    )


@pytest.mark.parametrize("index", range(3))
def test_the_proofs_of_rfc_9449(vectors: Path, index: int) -> None:
    """D29: none of them is an ID token."""
    example = document(vectors, "rfc9449_dpop")
    case = example["cases"][index]
    jwk = case["header"]["jwk"]

    jws = proof(case["proof"], jwk)

    assert parse_object(jws.payload) == case["claims"]
    assert jws.header.ignored == ("jwk",)
    assert jws.key is not None
    assert jws.key.thumbprint == example["jkt"]
    with pytest.raises(ProtocolViolation) as caught:
        proof(case["proof"], jwk, frozenset({"", "jwt"}))
    assert caught.value.code == "typ_unexpected"


def test_the_access_token_hash_of_rfc_9449(vectors: Path) -> None:
    case = document(vectors, "rfc9449_dpop")["cases"][2]

    assert sha256_b64url(case["access_token"]) == case["claims"]["ath"]


@pytest.mark.parametrize("index", range(4))
def test_the_id_tokens_of_openid_connect_core(vectors: Path, index: int) -> None:
    """Appendix A: every rule, at a time when the token was valid."""
    example = document(vectors, "oidc_core_appendix_a")
    case = example["cases"][index]
    rp = relying_party(
        evolve(PROVIDER, issuer=case["issuer"]), evolve(CLIENT, client_id=case["client_id"])
    )
    rp = evolve(rp, verifier=CryptographyVerifier())
    now = case["valid_at"]
    demands = Demands(nonce=case["nonce"], started_at=now)

    asked = validate(rp, case["id_token"], demands, now=now, access_token=case["access_token"])
    assert isinstance(asked, NeedKeys)
    found = KeysFound(asked.wanted.issuer, asked.wanted.jwks_uri, key_set(example["jwk"]), now, now)
    step = resume(rp, asked, found)

    assert isinstance(step, Done)
    assert step.result.id_token.claims == case["claims"]
    if case["code"]:
        assert half_hash("RS256", "", case["code"]) == case["claims"]["c_hash"]
    if case["access_token"]:
        assert half_hash("RS256", "", case["access_token"]) == case["claims"]["at_hash"]


@pytest.mark.parametrize("index", range(14))
def test_a_key_of_small_order_lets_nobody_sign(vectors: Path, index: int) -> None:
    """F23: under each of these keys the forged signature would hold."""
    cases = document(vectors, "ed25519_small_order")["cases"]
    jwk = cases[index]["jwk"]
    forged = cases[index]["forged_jws"]

    assert len(cases) == 14
    assert key_set(jwk).skipped == (
        SkippedKey(None, "key_weak", "x", "found 'a point of small order'"),
    )
    assert verdict(row(forged, jwk)) == "key_not_found"
    with pytest.raises(ProtocolViolation) as caught:
        parse_jwk(JsonObject(jwk))
    assert caught.value.code == "key_weak"
