"""A claim whose value cannot be read: a rule refuses it; elsewhere it is dropped with a note."""

from functools import partial
from typing import Any, Final

import pytest
from attrs import evolve

from oidc_core.endpoints.id_token import Expected, check
from oidc_core.endpoints.tokens import parse_token_response
from oidc_core.endpoints.userinfo import check_userinfo
from oidc_core.jose.jwk import Jwk
from oidc_core.jose.jws import JoseHeader, VerifiedJws
from oidc_core.model.demands import Demands
from oidc_core.model.policy import Policy
from oidc_core.model.provider import metadata_of
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, parse_object, render
from tests.parties import (
    ACCESS_TOKEN,
    ISSUER,
    NOW,
    RP,
    SUB,
    claims_for,
    json_response,
    refused,
    relying_party,
)

NONCE: Final = "n-0S6_WzA2Mj"
KEY: Final = Jwk(kty="EC", crv="P-256", material=(b"x", b"y"))
ODD: Final = ('"\\ud800"', "11111111111111111111", "1e999", '["a","\\udc00"]', '{"\\ud800":1}')
DEMANDED: Final[dict[str, Any]] = {
    "max_age": 60,
    "required_acr": ("gold",),
    "essential_claims": ("email",),
}
STRICT: Final = relying_party(policy=Policy(require_essential_claims=True))


def payload(name: str, odd: str) -> bytes:
    """Claims that fit, except one whose value cannot be read."""
    good = {**claims_for(NONCE), "acr": "gold", "auth_time": NOW, "email": "a@b.example"}
    text = render(JsonObject({**good, name: None}))
    return text.replace(f'"{name}":null', f'"{name}":{odd}').encode()


def check_id_token(octets: bytes, rp: Any = RP, **demanded: Any) -> Any:
    jws = VerifiedJws(JoseHeader("ES256", "k1", "", ()), octets, KEY, NOW, NOW - 5)
    claims = parse_object(octets, tolerant=True)
    demands = Demands(nonce=NONCE, started_at=NOW, **demanded)
    return check(rp, jws, claims, Expected(demands, ACCESS_TOKEN), raw="raw")


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("iss", "iss_malformed"),
        ("aud", "aud_malformed"),
        ("azp", "azp_malformed"),
        ("exp", "exp_malformed"),
        ("iat", "iat_malformed"),
        ("nbf", "nbf_malformed"),
        ("nonce", "nonce_mismatch"),
        ("sub", "sub_malformed"),
        ("at_hash", "at_hash_mismatch"),
        ("acr", "acr_mismatch"),
        ("auth_time", "auth_time_malformed"),
        ("email", "claim_missing"),
        ("events", "claim_forbidden"),
    ],
)
def test_a_claim_that_a_rule_reads_is_never_absent(name: str, code: str, odd: str) -> None:
    octets = payload(name, odd)
    refused(ProtocolViolation, code, lambda: check_id_token(octets, STRICT, **DEMANDED))


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["acr", "auth_time", "amr", "sid", "email", "email_verified", "x"])
def test_a_claim_that_no_rule_reads_is_dropped_with_a_note(name: str, odd: str) -> None:
    token, evidence = check_id_token(payload(name, odd))
    assert name not in token.claims
    assert token.acr == (None if name == "acr" else "gold")
    assert evidence.notes == (f"malformed, taken as absent: {name}",)


def test_the_name_of_a_claim_is_bounded_and_printable_in_a_note() -> None:
    for name, noted in (("a\\nb", r"'a\nb'"), ("é", r"'\xe9'")):
        octets = payload("x", "1e999").replace(b'"x":', f'"{name}":'.encode())
        _, evidence = check_id_token(octets)
        assert evidence.notes == (f"malformed, taken as absent: {noted}",)
    _, evidence = check_id_token(payload("y" * 1_000, "1e999"))
    assert len(evidence.notes[0]) < 300


def test_the_names_in_notes_are_bounded_however_many_there_are() -> None:
    """A sender has room for thousands of members; evidence goes into logs."""
    odd = ",".join([f'"{"y" * 40}{n}_verified":1e999' for n in range(1_000)])
    _, evidence = check_id_token(payload("x", f"0,{odd}"))
    (note,) = evidence.notes
    assert note.startswith(f"malformed, taken as absent: {'y' * 40}0_verified ")
    assert note.endswith(f"{'y' * 40}15_verified and 984 more")

    given = f'{{"access_token":"a","token_type":"Bearer",{odd}}}'.encode()
    notes = parse_token_response(json_response(given)).notes
    assert notes[0] == f"{'y' * 40}0_verified is malformed"
    assert (len(notes), notes[-1]) == (17, "and 984 more is malformed")

    document = f'{{"issuer":"{ISSUER}","scopes_supported":1,{odd}}}'.encode()
    notes = metadata_of(parse_object(document, tolerant=True)).notes
    assert notes[0] == "malformed: scopes_supported"
    assert (len(notes), notes[-1]) == (18, "malformed: and 984 more")


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["name", "email_verified"])
def test_userinfo_goes_on_without_what_cannot_be_read(name: str, odd: str) -> None:
    claims = parse_object(f'{{"sub":"{SUB}","{name}":{odd},"a":1}}'.encode(), tolerant=True)
    userinfo, evidence = check_userinfo(RP, claims, sub=SUB, jws=None, now=NOW)
    assert userinfo.claims == {"sub": SUB, "a": 1}
    assert evidence.notes == (f"malformed, taken as absent: {name}",)


@pytest.mark.parametrize("odd", ODD)
def test_a_subject_that_cannot_be_read_is_nobody(odd: str) -> None:
    claims = parse_object(f'{{"sub":{odd}}}'.encode(), tolerant=True)
    error = refused(
        ProtocolViolation,
        "sub_mismatch",
        lambda: check_userinfo(RP, claims, sub=SUB, jws=None, now=NOW),
    )
    assert error.found == "a value that cannot be read"


def test_a_nonce_that_cannot_be_read_is_one_where_none_was_sent() -> None:
    quirk = evolve(RP.policy, quirks={"nonce_not_echoed"})
    octets = payload("nonce", ODD[0])
    for rp in (RP, relying_party(policy=quirk)):
        refused(ProtocolViolation, "nonce_mismatch", partial(check_id_token, octets, rp))
