"""Proofs of possession, and the nonces that servers demand in them (RFC 9449)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from oidc_core.jose.jwk import parse_jwk
from oidc_core.machine.dpop import (
    HEADER,
    dpop_payload,
    nonce_of,
    normalised_htu,
    proof_of,
    with_demanded_nonce,
    with_proof,
)
from oidc_core.wire.encoding import b64url_decode, sha256_b64url
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.http import DpopProof, HttpRequest, HttpResponse
from oidc_core.wire.jsontypes import JsonObject, frozen_json, parse_object
from oidc_core.wire.way import Way
from tests.unit.parties import CLIENT_ID, ISSUER, NOW

if TYPE_CHECKING:
    from pathlib import Path

JKT: Final = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
NONCE: Final = "eyJ7S_zG.eyJH0-Z.HX4w-7v"
TOKEN: Final = HttpRequest(
    purpose="token",
    method="POST",
    url=f"{ISSUER}/token?tenant=1",
    way=Way(),
    headers=(("accept", "application/json"),),
    form=(("grant_type", "authorization_code"),),
    issuer=ISSUER,
    client_id=CLIENT_ID,
    resend="if_unsent",
    max_body=1,
)
RESOURCE: Final = evolve(TOKEN, method="GET", form=None, role="resource", url=f"{ISSUER}/userinfo")
CHALLENGE: Final = 'DPoP error="use_dpop_nonce", error_description="Resource server requires it"'


def demand(
    status: int = 400,
    *,
    error: object = "use_dpop_nonce",
    challenge: str | None = None,
    nonces: tuple[str, ...] = (NONCE,),
    body: bytes | None = None,
) -> HttpResponse:
    headers = [("dpop-nonce", nonce) for nonce in nonces]
    if challenge is not None:
        headers.append(("www-authenticate", challenge))
    octets = json.dumps({"error": error}).encode() if body is None else body
    return HttpResponse(status, tuple(headers), octets, NOW)


def claims(proof: DpopProof, *, nonce: str | None = None, jti: str = "j") -> JsonObject:
    return parse_object(dpop_payload(proof, now=NOW, jti=jti, nonce=nonce).encode("ascii"))


def proof_in(request: HttpRequest) -> DpopProof:
    proof = proof_of(request)
    assert proof is not None
    return proof


# --- the proof -----------------------------------------------------------------------------------


@pytest.mark.req("RFC9449-4.2-02", "RFC9449-4.2-04", "RFC9449-4.2-05")
def test_a_proof_says_what_request_it_is_for() -> None:
    proof = proof_in(with_proof(TOKEN, JKT))

    assert (proof.issuer, proof.client_id, proof.thumbprint) == (ISSUER, CLIENT_ID, JKT)
    assert claims(proof) == {"jti": "j", "htm": "POST", "htu": f"{ISSUER}/token", "iat": NOW}


@pytest.mark.req("RFC9449-4.2-05")
def test_a_proof_with_an_access_token_has_its_hash() -> None:
    proof = proof_in(with_proof(RESOURCE, JKT, access_token="Kz~8mXK1"))

    assert claims(proof) == {
        "jti": "j", "htm": "GET", "htu": f"{ISSUER}/userinfo", "iat": NOW,
        "ath": sha256_b64url("Kz~8mXK1"),
    }  # fmt: skip
    assert "Kz~8mXK1" not in repr(proof)


@pytest.mark.req("RFC9449-4.1-01")
def test_the_proof_is_the_last_header_and_nothing_else_changes() -> None:
    bound = with_proof(RESOURCE, JKT)

    assert bound.headers[:-1] == RESOURCE.headers
    assert bound.headers[-1] == (HEADER, proof_in(bound))
    assert evolve(bound, headers=RESOURCE.headers) == RESOURCE


@pytest.mark.parametrize(
    ("named", "remembered", "sent"),
    [(None, None, None), (None, "old", "old"), ("new", None, "new"), ("new", "old", "new")],
)
def test_a_nonce_that_is_named_wins_over_the_one_remembered(
    named: str | None, remembered: str | None, sent: str | None
) -> None:
    proof = proof_in(with_proof(TOKEN, JKT, nonce=named))

    assert claims(proof, nonce=remembered).get("nonce") == sent


@given(st.text(), st.text(), st.text(), st.text() | st.none())
def test_no_text_breaks_out_of_a_proof(jti: str, htm: str, htu: str, ath: str | None) -> None:
    proof = DpopProof(ISSUER, CLIENT_ID, JKT, htm, htu, ath, "n")
    members = json.loads(dpop_payload(proof, now=NOW, jti=jti, nonce=None))

    expected = {"jti": jti, "htm": htm, "htu": htu, "iat": NOW, "ath": ath, "nonce": "n"}
    assert members == {name: value for name, value in expected.items() if value is not None}


@pytest.mark.req("RFC9449-4.2-03")
@pytest.mark.parametrize(
    ("url", "htu"),
    [
        ("https://op.example/token", "https://op.example/token"),
        ("https://op.example/token?a=b&c=/x", "https://op.example/token"),
        ("https://op.example/token#frag", "https://op.example/token"),
        ("https://op.example/token?a#b?c", "https://op.example/token"),
        ("https://op.example/a%2Fb/?", "https://op.example/a%2Fb/"),
        ("https://OP.Example:443/Token", "https://OP.Example:443/Token"),
        ("https://op.example:8443", "https://op.example:8443"),
        ("https://op.example?x=1", "https://op.example"),
        ("https://[2001:db8::1]/t", "https://[2001:db8::1]/t"),
        ("", ""),
    ],
)
def test_htu_is_the_url_without_query_and_fragment(url: str, htu: str) -> None:
    """J15."""
    assert normalised_htu(url) == htu
    assert normalised_htu(htu) == htu


def test_a_request_without_headers_has_no_proof() -> None:
    assert proof_of(evolve(TOKEN, headers=())) is None
    assert proof_of(TOKEN) is None


def test_the_examples_of_the_rfc(vectors: Path) -> None:
    text = (vectors / "rfc9449_dpop.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    for case in document["cases"]:
        expected = case["claims"]
        octets = b64url_decode(case["proof"].split(".")[1].encode())
        assert json.loads(octets) == expected
        request = evolve(TOKEN, method=expected["htm"], url=f"{expected['htu']}?query#fragment")
        bound = with_proof(request, JKT, access_token=case.get("access_token", ""))
        payload = dpop_payload(
            proof_in(bound), now=expected["iat"], jti=expected["jti"], nonce=None
        )
        jwk = frozen_json(case["header"]["jwk"])
        assert isinstance(jwk, JsonObject)

        assert json.loads(payload) == expected
        assert parse_jwk(jwk).thumbprint == document["jkt"] == JKT
    assert len(document["cases"]) == 3


# --- the nonce -----------------------------------------------------------------------------------


@pytest.mark.parametrize("nonce", ["x", NONCE, "!", "#[]~", "x" * 1_024])
def test_a_nonce_is_taken_from_any_answer(nonce: str) -> None:
    assert nonce_of(demand(200, nonces=(nonce,))) == nonce


@pytest.mark.req("RFC9449-8-02")
@pytest.mark.parametrize(
    "nonces",
    [
        (), ("",), (NONCE, NONCE), ("a b",), ('a"b',), ("a\\b",), ("a\x7f",), ("é",), ("a\n",),
        ("x" * 1_025,),
    ],
)  # fmt: skip
def test_what_breaks_the_grammar_is_no_nonce(nonces: tuple[str, ...]) -> None:
    assert nonce_of(demand(nonces=nonces)) is None
    assert with_demanded_nonce(with_proof(TOKEN, JKT), demand(nonces=nonces)) is None


@pytest.mark.parametrize("named", [None, "an older one"])
def test_a_demand_of_the_token_endpoint_gives_the_request_with_the_nonce(
    named: str | None,
) -> None:
    bound = with_proof(TOKEN, JKT, nonce=named)
    again = with_demanded_nonce(bound, demand())

    assert again is not None
    assert proof_in(again) == proof_in(bound)._replace(nonce=NONCE, demanded=True)
    assert evolve(again, headers=bound.headers) == bound


@pytest.mark.parametrize(
    "challenge",
    [
        CHALLENGE,
        'dpop error="use_dpop_nonce"',
        'DPoP algs="ES256 PS256", error="use_dpop_nonce"',
        "DPoP error=use_dpop_nonce",
        'DPoP error = "use_dpop_nonce" , algs="ES256"',
        'Bearer realm="x", error="invalid_token", DPoP algs="ES256", error="use_dpop_nonce"',
        'Bearer, DPoP Error="use_dpop_nonce"',
        'Negotiate YWJj==, DPoP error="use_dpop_nonce"',
        'DPoP error="invalid_token", DPoP error="use_dpop_nonce"',
        'Bearer realm="a \\" b, c", DPoP error="use_dpop_nonce"',
        'DPoP error="use\\_dpop\\_nonce"',
    ],
)
def test_a_demand_of_a_resource_stands_in_a_challenge(challenge: str) -> None:
    bound = with_proof(RESOURCE, JKT, access_token="x")
    again = with_demanded_nonce(bound, demand(401, challenge=challenge, body=b""))

    assert again is not None
    assert proof_in(again).nonce == NONCE
    assert proof_in(again).ath == sha256_b64url("x")


@pytest.mark.parametrize(
    "challenge",
    [
        None, "", "DPoP", 'DPoP error="invalid_dpop_proof"', 'Bearer error="use_dpop_nonce"',
        'Bearer realm="DPoP error=\\"use_dpop_nonce\\""', 'error="use_dpop_nonce"',
        'DPoP error_description="use_dpop_nonce"', 'DPoP error="use_dpop_nonce',
        'DPoP error="use\\\\_dpop_nonce"', 'DPoP error=""',
        'DPoP algs="ES256", Bearer error="use_dpop_nonce"', 'DPoP error="USE_DPOP_NONCE"',
        '"' * 9_000, "=" * 9_000, "a" * 9_000, 'x="\\' * 3_000,
        " " * 8_200 + 'DPoP error="use_dpop_nonce"',
    ],
)  # fmt: skip
def test_no_other_challenge_is_a_demand(challenge: str | None) -> None:
    bound = with_proof(RESOURCE, JKT)

    assert with_demanded_nonce(bound, demand(401, challenge=challenge)) is None


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (TOKEN, demand(401)),
        (TOKEN, demand(401, challenge=CHALLENGE)),
        (TOKEN, demand(200)),
        (TOKEN, demand(error="invalid_dpop_proof")),
        (TOKEN, demand(error=["use_dpop_nonce"])),
        (TOKEN, demand(body=b"")),
        (TOKEN, demand(body=b'{"error":"use_dpop_nonce","error":"use_dpop_nonce"}')),
        (RESOURCE, demand(400)),
        (RESOURCE, demand(400, challenge=CHALLENGE)),
        (RESOURCE, demand(403, challenge=CHALLENGE)),
        (RESOURCE, demand(401)),
    ],
)
def test_each_role_demands_in_its_own_way(request_: HttpRequest, answer: HttpResponse) -> None:
    assert with_demanded_nonce(with_proof(request_, JKT), answer) is None


def test_a_request_without_a_proof_is_not_repeated() -> None:
    assert with_demanded_nonce(TOKEN, demand()) is None


@pytest.mark.parametrize("nonces", [(NONCE,), ("another",)])
def test_a_second_demand_is_an_error(nonces: tuple[str, ...]) -> None:
    again = with_demanded_nonce(with_proof(TOKEN, JKT), demand())
    assert again is not None

    with pytest.raises(ProtocolViolation) as caught:
        with_demanded_nonce(again, demand(nonces=nonces))

    assert caught.value.code == "dpop_nonce_repeated"
