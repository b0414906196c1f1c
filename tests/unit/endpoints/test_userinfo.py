"""UserInfo: about the user of the ID token, or none of it is used (OIDC Core §5.3)."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from oidc_adapters.crypto import ClientDecrypter
from oidc_core.endpoints.userinfo import check_userinfo, parse_userinfo, userinfo_request
from oidc_core.jose.jwk import Jwk
from oidc_core.jose.jws import Encryption, JoseHeader, VerifiedJws
from oidc_core.jose.kinds import USERINFO
from oidc_core.model.claims import UserInfo
from oidc_core.model.evidence import Evidence
from oidc_core.model.provider import ANY_TENANT, IssuerRule
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import ProtocolViolation, ProviderError, UsageError
from oidc_core.wire.http import HttpResponse
from oidc_core.wire.jsontypes import JsonObject, frozen_json
from tests.encryption import ECDH, P256
from tests.parties import (
    ACCESS_TOKEN,
    CLIENT_ID,
    ISSUER,
    NOW,
    OTHER_ISSUER,
    RP,
    SUB,
    json_response,
    refused,
    relying_party,
)

SIGNED = relying_party(client={"userinfo_signed_response_alg": "ES256"})
ENCRYPTED = evolve(
    RP,
    client=evolve(
        RP.client,
        userinfo_encrypted_response_alg=ECDH.alg,
        userinfo_encrypted_response_enc=ECDH.enc,
    ),
    decrypter=ClientDecrypter(P256),
)
KEY = Jwk(kty="EC", crv="P-256", material=(b"x", b"y"))
MISSING: Any = object()


def checked(
    *,
    rp: RelyingParty = RP,
    signed: bool = False,
    alg: str = "ES256",
    key: Jwk | None = KEY,
    encryption: Encryption | None = None,
    **claims: Any,
) -> tuple[UserInfo, Evidence]:
    jws = VerifiedJws(JoseHeader(alg, "k1", None, ()), b"", key, NOW, NOW - 5)
    given = frozen_json({n: v for n, v in {"sub": SUB, **claims}.items() if v is not MISSING})
    assert isinstance(given, JsonObject)
    return check_userinfo(
        rp, given, sub=SUB, jws=jws if signed else None, now=NOW, encryption=encryption
    )


def refusal(code: str, **how: Any) -> None:
    refused(ProtocolViolation, code, lambda: checked(**how))


def in_jwt(**claims: Any) -> dict[str, Any]:
    return {"rp": SIGNED, "signed": True, "iss": ISSUER, "aud": CLIENT_ID, **claims}


def parse_refusal(code: str, response: HttpResponse, rp: RelyingParty = RP) -> None:
    refused(ProtocolViolation, code, lambda: parse_userinfo(rp, response))


@pytest.mark.req("OIDCC-5.3.1-01", "OIDCC-5.3.1-02", "OIDCC-17.1-01")
def test_the_access_token_goes_in_a_header_and_nowhere_else() -> None:
    """J23."""
    request = userinfo_request(RP, ACCESS_TOKEN)

    assert (request.method, request.url, request.form) == ("GET", f"{ISSUER}/userinfo", None)
    assert request.headers == (
        ("accept", "application/json"),
        ("authorization", f"Bearer {ACCESS_TOKEN}"),
    )
    assert (request.role, request.resend, request.max_body) == ("resource", "safe", 2**20)
    assert (request.issuer, request.client_id) == (ISSUER, CLIENT_ID)
    assert ACCESS_TOKEN not in repr(request)
    assert dict(userinfo_request(SIGNED, "a").headers)["accept"] == "application/jwt"
    none = relying_party(provider={"userinfo_endpoint": None})
    refused(UsageError, "unsupported_by_provider", lambda: userinfo_request(none, "a"))


@pytest.mark.req("OIDCC-5.3.2-01", "OIDCC-5.3.2-03")
def test_userinfo_about_the_user_of_the_id_token_is_taken() -> None:
    userinfo, evidence = checked(name="Alice", email=None)

    assert (userinfo.sub, userinfo.claims["name"]) == (SUB, "Alice")
    assert (evidence.of, evidence.checked_at, evidence.alg) == ("userinfo", NOW, "")
    assert {name for name, _ in evidence.skipped} == {
        "encryption", "signature", "kind", "iss", "aud", "exp", "nbf"
    }  # fmt: skip
    assert checked()[0].claims == {"sub": SUB}


@pytest.mark.req("OIDCC-5.3.2-02", "OIDCC-5.3.2-03")
@pytest.mark.parametrize(
    "sub", [MISSING, None, "", "Bob", SUB.lower(), f"{SUB} ", 5, [SUB], {"sub": SUB}, True]
)
def test_userinfo_about_anybody_else_is_refused(sub: object) -> None:
    """J01, D01."""
    refusal("userinfo_sub_mismatch", sub=sub)
    refusal("userinfo_sub_mismatch", **in_jwt(sub=sub))


def test_a_subject_that_is_there_twice_is_refused() -> None:
    """J01."""
    body = f'{{"sub":"{SUB}","sub":"Bob"}}'.encode()
    parse_refusal("json_member_duplicated", json_response(body))


@pytest.mark.req("OIDCC-5.3.2-06")
@pytest.mark.parametrize("iss", [OTHER_ISSUER, f"{ISSUER}/", "", 5, [ISSUER]])
def test_userinfo_of_another_issuer_is_refused_signed_or_not(iss: object) -> None:
    """J02, J03."""
    refusal("userinfo_iss", iss=iss)
    refusal("userinfo_iss", **in_jwt(iss=iss))


@pytest.mark.req("OIDCC-5.3.2-06")
@pytest.mark.parametrize("iss", [MISSING, None])
def test_signed_userinfo_names_its_issuer(iss: object) -> None:
    """J03."""
    refusal("userinfo_iss", **in_jwt(iss=iss))
    assert checked(iss=iss)[0].sub == SUB


@pytest.mark.req("OIDCC-5.3.2-06")
@pytest.mark.parametrize("aud", [MISSING, None, "other", [], ["other"], 5, [CLIENT_ID, 1]])
def test_signed_userinfo_is_for_this_client(aud: object) -> None:
    """J03."""
    refusal("userinfo_aud", **in_jwt(aud=aud))


@pytest.mark.req("OIDCC-5.3.2-06")
@pytest.mark.parametrize("aud", [CLIENT_ID, [CLIENT_ID], ["other", CLIENT_ID]])
def test_the_audience_of_signed_userinfo_includes_this_client(aud: object) -> None:
    userinfo, evidence = checked(**in_jwt(aud=aud))

    assert userinfo.sub == SUB
    assert (evidence.alg, evidence.kid, evidence.keys_fetched_at) == ("ES256", "k1", NOW - 5)
    assert {name for name, _ in evidence.skipped} == {"encryption", "exp", "nbf"}


@pytest.mark.parametrize("exp", [NOW - 60, NOW - 61, "soon", True, -1])
def test_signed_userinfo_expires(exp: object) -> None:
    """J03."""
    refusal("userinfo_expired", **in_jwt(exp=exp))
    assert checked(**in_jwt(exp=NOW - 59))[0].sub == SUB
    assert dict(checked(exp="soon")[1].skipped)["exp"] == "not in a JWT"


@pytest.mark.parametrize("nbf", [NOW + 61, 10**12, "soon", True, -1, 2.0**60])
def test_signed_userinfo_is_not_taken_before_its_time(nbf: object) -> None:
    refusal("userinfo_nbf", **in_jwt(nbf=nbf))
    assert "nbf" not in dict(checked(**in_jwt(nbf=NOW + 60))[1].skipped)
    assert dict(checked(nbf="soon")[1].skipped)["nbf"] == "not in a JWT"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": NOW - 60}, "userinfo_expired"),
        ({"nbf": NOW + 61}, "userinfo_nbf"),
        ({"aud": "client-2"}, "userinfo_aud"),
        ({"aud": []}, "userinfo_aud"),
    ],
)
def test_what_a_jwt_that_is_only_encrypted_says_of_itself_binds(
    claims: dict[str, Any], code: str
) -> None:
    refusal(code, rp=ENCRYPTED, encryption=ECDH, **claims)


def test_a_jwt_that_is_only_encrypted_need_not_say_so_much() -> None:
    good: dict[str, Any] = {"aud": [CLIENT_ID], "exp": NOW - 59, "nbf": NOW + 60}
    for claims, skipped in ((good, set[str]()), ({}, {"aud", "exp", "nbf"})):
        _, evidence = checked(rp=ENCRYPTED, encryption=ECDH, **claims)
        assert {name for name, _ in evidence.skipped} == {"signature", "kind", "iss", *skipped}


@pytest.mark.req("OIDCC-5.3.4-02", "OIDCC-5.3.2-05")
def test_userinfo_registered_as_signed_is_signed_by_the_registered_algorithm() -> None:
    """J03, J04."""
    refusal("signature_invalid", rp=SIGNED, iss=ISSUER, aud=CLIENT_ID)
    refusal("signature_invalid", **in_jwt(alg="RS256"))
    refusal("signature_invalid", **in_jwt(alg="none"))


def test_a_key_that_is_for_one_issuer_signs_no_userinfo_of_another() -> None:
    """B10."""
    pattern, tenant = "https://login.example/{t}/v2.0", "https://login.example/t1/v2.0"
    rule = IssuerRule.template(pattern, tenants=ANY_TENANT)
    rp = relying_party(
        provider={"issuer": pattern}, client={"userinfo_signed_response_alg": "ES256"}, rule=rule
    )
    good: dict[str, Any] = {**in_jwt(iss=tenant), "rp": rp}

    other = "https://login.example/t2/v2.0"
    for issuers in (set[str](), {tenant}, {pattern}, {tenant, other}):
        assert checked(**good, key=evolve(KEY, issuers=frozenset(issuers)))[0].sub == SUB
    refusal("userinfo_iss", **good, key=evolve(KEY, issuers=frozenset({other})))
    assert checked(**good, key=None)[0].sub == SUB


@pytest.mark.parametrize("signed", [False, True])
def test_userinfo_of_a_template_is_the_tenants_whose_token_it_was(signed: bool) -> None:
    """B10: a subject is another user's at another tenant."""
    rule = IssuerRule.template("https://login.example/{t}", tenants=frozenset({"t1", "t2"}))
    client = {"userinfo_signed_response_alg": "ES256"} if signed else {}
    rp = relying_party(provider={"issuer": rule.canonical}, client=client, rule=rule)
    one, two = "https://login.example/t1", "https://login.example/t2"
    jws = VerifiedJws(JoseHeader("ES256", "k1", None, ()), b"", KEY, NOW, NOW) if signed else None

    def about(iss: str | None) -> UserInfo:
        claims = JsonObject({"sub": SUB, "iss": two, "aud": CLIENT_ID})
        return check_userinfo(rp, claims, sub=SUB, jws=jws, now=NOW, iss=iss)[0]

    refused(ProtocolViolation, "userinfo_iss", lambda: about(one))
    assert about(two).sub == about(None).sub == SUB


@pytest.mark.req("OIDCC-5.3.2-04")
def test_json_is_read_as_claims_and_a_jwt_as_a_token() -> None:
    plain = json_response({"sub": SUB}, content_type="application/json; charset=utf-8")
    assert parse_userinfo(RP, plain) == JsonObject({"sub": SUB})
    token = json_response(b"a.b.c\n", content_type="application/jwt")
    assert parse_userinfo(SIGNED, token) == "a.b.c"


@pytest.mark.req("OIDCC-5.3.2-04", "OIDCC-5.3.2-05")
@pytest.mark.parametrize(
    "content_type",
    ["text/html", "text/plain", "", "application/jose", "application/xml", "text/json", "json"],
)
def test_userinfo_of_another_media_type_is_refused(content_type: str) -> None:
    """I12, J04."""
    for rp in (RP, SIGNED):
        parse_refusal(
            "content_type_unexpected", json_response({"sub": SUB}, content_type=content_type), rp
        )


@pytest.mark.req("OIDCC-5.3.2-04", "OIDCC-5.3.2-05")
def test_json_is_not_taken_for_a_jwt_nor_a_jwt_for_json() -> None:
    """J04."""
    parse_refusal("content_type_unexpected", json_response({"sub": SUB}), SIGNED)
    parse_refusal(
        "content_type_unexpected", json_response(b"a.b.c", content_type="application/jwt"), RP
    )
    parse_refusal("json_malformed", json_response(b"a.b.c"), RP)


@pytest.mark.req("OIDCC-5.3.2-04", "RFC6749-10.14-01")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[]", "json_not_object"),
        (b"null", "json_not_object"),
        ('{"sub":"a"}'.encode("utf-16"), "json_not_utf8"),
        (b'{"sub":"\\udc00"}', "json_string_invalid"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, "json_too_deep"),
    ],
)
def test_userinfo_that_is_no_strict_json_is_refused(body: bytes, code: str) -> None:
    """I13, J01."""
    parse_refusal(code, json_response(body))


@pytest.mark.parametrize("status", [201, 204, 400, 401, 403, 404, 500, 503])
def test_claims_with_another_status_than_200_are_refused(status: int) -> None:
    """I15."""
    parse_refusal("http_status_unexpected", json_response({"sub": SUB}, status=status))


def challenged(value: str, status: int = 401) -> HttpResponse:
    return HttpResponse(status, (("www-authenticate", value),), b"", NOW)


@pytest.mark.req("OIDCC-5.3.3-01")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_providers_own_error_is_read_out_of_the_challenge(scheme: str) -> None:
    answer = challenged(
        f'{scheme} realm="r", error="invalid_token", error_description="It is over"'
    )
    error = refused(ProviderError, "provider_error", lambda: parse_userinfo(RP, answer))
    assert isinstance(error, ProviderError)
    assert (error.error, error.error_description, error.error_uri, error.status) == (
        "invalid_token",
        "It is over",
        None,
        401,
    )


@pytest.mark.parametrize(
    "value",
    [
        "Bearer error=invalid_token",
        'Bearer error = "invalid_token"',
        'bearer ERROR="invalid_token", error="twice"',
        'Basic realm="r", Bearer error="invalid_token"',
        'DPoP algs="ES256", error="invalid_token"',
        'DPoP error="use_dpop_nonce", Bearer error="invalid_token"',
        'Bearer realm="r", DPoP error="invalid_token"',
    ],
)
def test_an_error_is_found_however_its_challenge_is_written(value: str) -> None:
    error = refused(ProviderError, "provider_error", lambda: parse_userinfo(RP, challenged(value)))
    assert isinstance(error, ProviderError)
    assert error.error == "invalid_token"


def test_a_long_description_in_a_challenge_is_cut_and_not_lost() -> None:
    answer = challenged(f'Bearer error="invalid_token", error_description="{"d" * 300}"')
    error = refused(ProviderError, "provider_error", lambda: parse_userinfo(RP, answer))
    assert isinstance(error, ProviderError)
    assert error.error_description == "d" * 256


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        'Bearer realm="r"',
        'Basic error="invalid_token"',
        'Bearer realm="x", myerror="invalid_token"',
        'Bearer error=""',
        'Bearer error="\\""',
        f'{"x" * 9000}, Bearer error="invalid_token"',
    ],
)
def test_without_an_error_in_the_challenge_the_status_is_told(value: str) -> None:
    parse_refusal("http_status_unexpected", challenged(value))


@pytest.mark.parametrize("name", sorted(USERINFO.forbidden))
@pytest.mark.parametrize("value", [None, "x"])
def test_signed_userinfo_with_a_member_of_another_kind_is_refused(name: str, value: Any) -> None:
    """D30: an ID token has a nonce, a logout token has events."""
    error = refused(
        ProtocolViolation, "claim_forbidden", lambda: checked(**in_jwt(**{name: value}))
    )
    assert error.about == name


def test_plain_userinfo_is_no_token_and_may_have_any_member() -> None:
    userinfo, evidence = checked(nonce="x", at_hash="y")
    assert userinfo.claims["nonce"] == "x"
    assert dict(evidence.skipped)["kind"] == "not signed"
