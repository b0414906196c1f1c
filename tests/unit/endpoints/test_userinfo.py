"""UserInfo: about the user of the ID token, or none of it is used (OIDC Core §5.3)."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from attrs import evolve

from oidc_adapters.crypto import ClientDecrypter
from oidc_adapters.testing.signing import rendered
from oidc_core.endpoints.userinfo import (
    USERINFO_RULES,
    check_userinfo,
    contradicts,
    decrypted_userinfo,
    parse_userinfo,
    userinfo_request,
)
from oidc_core.jose.jwk import Jwk
from oidc_core.jose.jws import Encryption, JoseHeader, VerifiedJws
from oidc_core.jose.profiles import USERINFO
from oidc_core.model.claims import UserInfo
from oidc_core.model.evidence import Evidence
from oidc_core.model.issuer_rule import ANY_TENANT, IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import ProtocolViolation, ProviderError, UsageError, fingerprint
from oidc_core.wire.http import HttpResponse
from oidc_core.wire.jsontypes import JsonObject, frozen_json
from tests.encryption import ECDH, P256, encrypted
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
from tests.signing import signed

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
    said = {n: v for n, v in {"sub": SUB, **claims}.items() if v is not MISSING}
    jws = VerifiedJws(JoseHeader(alg, "k1", "", ()), rendered(said), key, NOW, NOW - 5)
    given = frozen_json(said)
    assert isinstance(given, JsonObject)
    return check_userinfo(
        rp, given, sub=SUB, jws=jws if signed else None, now=NOW, encryption=encryption
    )


def refusal(code: str, about: str, /, **how: Any) -> None:
    error = refused(ProtocolViolation, code, lambda: checked(**how))
    assert (error.about, error.of) == (about, "userinfo")


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
        "encryption", "signature", "alg", "kind", "iss", "aud", "exp", "nbf"
    }  # fmt: skip
    assert checked()[0].claims == {"sub": SUB}


@pytest.mark.req("OIDCC-5.3.2-02", "OIDCC-5.3.2-03")
@pytest.mark.parametrize("sub", ["", "Bob", SUB.lower(), f"{SUB} ", 5, [SUB], {"sub": SUB}, True])
def test_userinfo_about_anybody_else_is_refused(sub: object) -> None:
    """J01, D01."""
    refusal("sub_mismatch", "sub", sub=sub)
    refusal("sub_mismatch", "sub", **in_jwt(sub=sub))


@pytest.mark.req("OIDCC-5.3.2-02", "OIDCC-5.3.2-03")
@pytest.mark.parametrize("absent", [MISSING, None])
def test_userinfo_about_nobody_is_refused(absent: object) -> None:
    """J01, D01."""
    refusal("sub_missing", "sub", sub=absent)
    refusal("sub_missing", "sub", **in_jwt(sub=absent))


def test_a_refusal_tells_users_apart_and_shows_neither() -> None:
    error = refused(ProtocolViolation, "sub_mismatch", lambda: checked(sub="Bob"))
    assert (error.found, error.expected) == (fingerprint("Bob"), fingerprint(SUB))
    error = refused(ProtocolViolation, "sub_mismatch", lambda: checked(sub=5))
    assert (error.found, error.expected) == ("a number", fingerprint(SUB))
    assert SUB not in str(error)


def test_a_subject_that_is_there_twice_is_refused() -> None:
    """J01."""
    body = f'{{"sub":"{SUB}","sub":"Bob"}}'.encode()
    parse_refusal("json_member_duplicated", json_response(body))


@pytest.mark.req("OIDCC-5.3.2-06")
@pytest.mark.parametrize(
    ("iss", "code"),
    [
        (OTHER_ISSUER, "iss_mismatch"),
        (f"{ISSUER}/", "iss_mismatch"),
        ("", "iss_mismatch"),
        (5, "iss_malformed"),
        ([ISSUER], "iss_malformed"),
    ],
)
def test_userinfo_of_another_issuer_is_refused_signed_or_not(iss: object, code: str) -> None:
    """J02, J03."""
    refusal(code, "iss", iss=iss)
    refusal(code, "iss", **in_jwt(iss=iss))
    refusal(code, "iss", rp=ENCRYPTED, encryption=ECDH, iss=iss)


@pytest.mark.req("OIDCC-5.3.2-06")
@pytest.mark.parametrize("absent", [MISSING, None])
def test_signed_userinfo_need_not_name_issuer_and_audience(absent: object) -> None:
    """J03: a SHOULD of the specification; the evidence says that they are absent."""
    userinfo, evidence = checked(**in_jwt(iss=absent, aud=absent))

    assert userinfo.sub == SUB
    assert {"iss": "absent", "aud": "absent"}.items() <= dict(evidence.skipped).items()


@pytest.mark.req("OIDCC-5.3.2-06")
@pytest.mark.parametrize(
    ("aud", "code"),
    [
        ("other", "aud_mismatch"),
        ([], "aud_mismatch"),
        (["other"], "aud_mismatch"),
        (5, "aud_malformed"),
        ([CLIENT_ID, 1], "aud_malformed"),
    ],
)
def test_signed_userinfo_that_names_an_audience_is_for_this_client(aud: object, code: str) -> None:
    """J03."""
    refusal(code, "aud", **in_jwt(aud=aud))


@pytest.mark.req("OIDCC-5.3.2-06")
@pytest.mark.parametrize("aud", [CLIENT_ID, [CLIENT_ID], ["other", CLIENT_ID]])
def test_the_audience_of_signed_userinfo_includes_this_client(aud: object) -> None:
    userinfo, evidence = checked(**in_jwt(aud=aud))

    assert userinfo.sub == SUB
    assert (evidence.alg, evidence.kid, evidence.keys_fetched_at) == ("ES256", "k1", NOW - 5)
    assert {name for name, _ in evidence.skipped} == {"encryption", "exp", "nbf"}


@pytest.mark.parametrize(
    ("exp", "code"),
    [
        (NOW - 60, "exp_expired"),
        (NOW - 61, "exp_expired"),
        ("soon", "exp_malformed"),
        (True, "exp_malformed"),
        (-1, "exp_malformed"),
    ],
)
def test_signed_userinfo_expires(exp: object, code: str) -> None:
    """J03."""
    refusal(code, "exp", **in_jwt(exp=exp))
    assert checked(**in_jwt(exp=NOW - 59))[0].sub == SUB
    assert dict(checked(exp="soon")[1].skipped)["exp"] == "not in a JWT"


@pytest.mark.parametrize(
    ("nbf", "code"),
    [
        (NOW + 61, "nbf_in_future"),
        (10**12, "nbf_in_future"),
        ("soon", "nbf_malformed"),
        (True, "nbf_malformed"),
        (-1, "nbf_malformed"),
        (2.0**60, "nbf_malformed"),
    ],
)
def test_signed_userinfo_is_not_taken_before_its_time(nbf: object, code: str) -> None:
    refusal(code, "nbf", **in_jwt(nbf=nbf))
    assert "nbf" not in dict(checked(**in_jwt(nbf=NOW + 60))[1].skipped)
    assert dict(checked(nbf="soon")[1].skipped)["nbf"] == "not in a JWT"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": NOW - 60}, "exp_expired"),
        ({"exp": "soon"}, "exp_malformed"),
        ({"nbf": NOW + 61}, "nbf_in_future"),
        ({"nbf": "soon"}, "nbf_malformed"),
        ({"aud": "client-2"}, "aud_mismatch"),
        ({"aud": []}, "aud_mismatch"),
        ({"aud": 5}, "aud_malformed"),
    ],
)
def test_what_a_jwt_that_is_only_encrypted_says_of_itself_binds(
    claims: dict[str, Any], code: str
) -> None:
    (about,) = claims
    refusal(code, about, rp=ENCRYPTED, encryption=ECDH, **claims)


def test_a_jwt_that_is_only_encrypted_need_not_say_so_much() -> None:
    good: dict[str, Any] = {"aud": [CLIENT_ID], "exp": NOW - 59, "nbf": NOW + 60}
    for claims, skipped in ((good, set[str]()), ({}, {"aud", "exp", "nbf"})):
        _, evidence = checked(rp=ENCRYPTED, encryption=ECDH, **claims)
        unsigned = {"signature", "alg", "kind", "iss"}
        assert {name for name, _ in evidence.skipped} == unsigned | skipped
        assert evidence.notes == (f"decrypted: {ECDH.alg} {ECDH.enc}",)


@pytest.mark.req("OIDCC-5.3.4-02", "OIDCC-5.3.2-05")
def test_userinfo_registered_as_signed_is_signed_by_the_registered_algorithm() -> None:
    """J03, J04."""
    refusal("signature_invalid", "", rp=SIGNED, iss=ISSUER, aud=CLIENT_ID)
    refusal("signature_invalid", "", **in_jwt(key=None))
    refusal("alg_not_allowed", "alg", **in_jwt(alg="RS256"))
    refusal("alg_not_allowed", "alg", **in_jwt(alg="none"))
    refusal("alg_not_allowed", "alg", **in_jwt(alg="HS256", key=None))


@pytest.mark.req("OIDCC-5.3.4-02")
def test_a_mac_needs_no_key_of_the_provider() -> None:
    rp = relying_party(client={"userinfo_signed_response_alg": "HS256"})
    mac: dict[str, Any] = {**in_jwt(), "rp": rp, "alg": "HS256", "key": None}
    _, evidence = checked(**mac)
    assert (evidence.alg, evidence.key) == ("HS256", None)


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
    refusal("iss_mismatch", "iss", **good, key=evolve(KEY, issuers=frozenset({other})))
    refusal("signature_invalid", "", **good, key=None)


@pytest.mark.parametrize("signed", [False, True])
def test_userinfo_of_a_template_is_the_tenants_whose_token_it_was(signed: bool) -> None:
    """B10: a subject is another user's at another tenant."""
    rule = IssuerRule.template("https://login.example/{t}", tenants=frozenset({"t1", "t2"}))
    client = {"userinfo_signed_response_alg": "ES256"} if signed else {}
    rp = relying_party(provider={"issuer": rule.canonical}, client=client, rule=rule)
    one, two = "https://login.example/t1", "https://login.example/t2"
    jws = VerifiedJws(JoseHeader("ES256", "k1", "", ()), b"", KEY, NOW, NOW) if signed else None

    def about(iss: str | None) -> UserInfo:
        claims = JsonObject({"sub": SUB, "iss": two, "aud": CLIENT_ID})
        return check_userinfo(rp, claims, sub=SUB, jws=jws, now=NOW, iss=iss)[0]

    error = refused(ProtocolViolation, "iss_mismatch", lambda: about(one))
    assert (error.of, error.about, error.found, error.expected) == ("userinfo", "iss", two, one)
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


@pytest.mark.parametrize("first", ["application/json", "application/jwt", "text/html"])
def test_userinfo_that_is_called_two_things_is_refused(first: str) -> None:
    for rp, second in ((RP, "application/json"), (SIGNED, "application/jwt")):
        if first != second:
            response = evolve(
                json_response({"sub": SUB}),
                headers=(("content-type", first), ("content-type", second)),
            )
            parse_refusal("content_type_unexpected", response, rp)


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


def test_a_long_description_in_a_challenge_is_not_lost() -> None:
    answer = challenged(f'Bearer error="invalid_token", error_description="{"d" * 300}"')
    error = refused(ProviderError, "provider_error", lambda: parse_userinfo(RP, answer))
    assert isinstance(error, ProviderError)
    assert error.error_description == "d" * 300


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
    assert (error.about, error.of) == (name, "userinfo")


def test_plain_userinfo_is_no_token_and_may_have_any_member() -> None:
    userinfo, evidence = checked(nonce="x", at_hash="y")
    assert userinfo.claims["nonce"] == "x"
    assert dict(evidence.skipped)["kind"] == "not signed"


@pytest.mark.req("OIDCC-5.3.2-05")
def test_userinfo_registered_as_encrypted_came_encrypted() -> None:
    """J04."""
    refusal("encryption_missing", "", rp=ENCRYPTED)
    refusal("encryption_missing", "", rp=ENCRYPTED, encryption=Encryption(ECDH.alg, "A192GCM"))


@pytest.mark.req("OIDCC-5.3.2-05")
def test_userinfo_that_is_only_encrypted_is_decrypted_to_its_claims() -> None:
    answer = json_response(encrypted(f'{{"sub":"{SUB}"}}').encode(), content_type="application/jwt")
    token = parse_userinfo(ENCRYPTED, answer)
    assert isinstance(token, str)
    claims, header = decrypted_userinfo(ENCRYPTED, token)
    assert claims == {"sub": SUB}
    assert header.ignored == ()
    assert dict(userinfo_request(ENCRYPTED, "a").headers)["accept"] == "application/jwt"
    contradicting = encrypted(f'{{"sub":"{SUB}","iss":"{ISSUER}"}}', iss=OTHER_ISSUER)
    refused(ProtocolViolation, "iss_mismatch", lambda: decrypted_userinfo(ENCRYPTED, contradicting))
    refused(
        ProtocolViolation, "json_not_object", lambda: decrypted_userinfo(ENCRYPTED, encrypted("[]"))
    )


@pytest.mark.parametrize("cty", [None, "JWT", "jwt", "json"])
def test_a_signed_token_inside_names_the_member_that_says_so(cty: str | None) -> None:
    """E20: only encryption was registered; what is in there is a signed token."""
    header: dict[str, Any] = {} if cty is None else {"cty": cty}
    token = encrypted(signed({"sub": SUB}), **header)
    error = refused(
        ProtocolViolation, "cty_unexpected", lambda: decrypted_userinfo(ENCRYPTED, token)
    )
    assert (error.about, error.of) == ("userinfo_signed_response_alg", "userinfo")
    assert (error.kind, error.retryable) == ("configuration", "no")


@pytest.mark.parametrize(
    ("media_type", "body", "how", "member"),
    [
        ("application/jwt", signed({}), "signs it (ES256)", "userinfo_signed_response_alg"),
        ("application/jwt", "rubbish", "signs it (as a JWT)", "userinfo_signed_response_alg"),
        (
            "application/jwt",
            encrypted("{}"),
            f"encrypts it ({ECDH.alg} {ECDH.enc})",
            "userinfo_encrypted_response_alg",
        ),
    ],
)
def test_userinfo_in_a_jwt_that_was_not_registered_names_the_member_to_set(
    media_type: str, body: str, how: str, member: str
) -> None:
    response = json_response(body.encode(), content_type=media_type)
    error = refused(
        ProtocolViolation, "content_type_unexpected", lambda: parse_userinfo(RP, response)
    )
    assert (error.about, error.hint) == (member, f"the provider {how}: set {member} to that")
    assert (error.kind, error.retryable) == ("configuration", "no")


def test_what_was_not_registered_as_encrypted_is_not_decrypted() -> None:
    error = refused(UsageError, "config_invalid", lambda: decrypted_userinfo(RP, encrypted("{}")))
    assert error.about == "userinfo_encrypted_response_alg"


def test_the_rules_stand_in_this_order() -> None:
    assert USERINFO_RULES.of == "userinfo"
    assert [(rule.name, rule.spec) for rule in USERINFO_RULES.rules] == [
        ("encryption", "OIDC Core §5.3.2"),
        ("signature", "OIDC Core §5.3.2"),
        ("alg", "OIDC Core §5.3.2"),
        ("sub", "OIDC Core §5.3.2"),
        ("iss", "OIDC Core §5.3.2"),
        ("aud", "OIDC Core §5.3.2"),
        ("kind", "RFC 8725 §3.12"),
        ("exp", "RFC 7519 §4.1.4"),
        ("nbf", "RFC 7519 §4.1.5"),
    ]


def test_its_rules_can_be_pickled_with_the_evidence_of_a_login() -> None:
    assert pickle.loads(pickle.dumps(USERINFO_RULES)) == USERINFO_RULES


@pytest.mark.parametrize("value", ["false", "true", 0, 1, [True], ""])
def test_what_is_no_boolean_is_in_no_view_of_the_claims(value: object) -> None:
    claims = JsonObject({"sub": SUB, "email": "a@op.example", "email_verified": value})

    userinfo, evidence = check_userinfo(RP, claims, sub=SUB, jws=None, now=NOW)

    assert userinfo.claims == {"sub": SUB, "email": "a@op.example"}
    assert evidence.notes == ("malformed, taken as absent: email_verified",)


@pytest.mark.parametrize("odd", [None, b"token", 5])
def test_what_it_is_asked_and_compared_with_is_text(odd: Any) -> None:
    error = refused(UsageError, "parameter_invalid", lambda: userinfo_request(RP, odd))
    assert error.about == "access_token"
    claims = JsonObject({"sub": SUB})
    error = refused(
        UsageError,
        "parameter_invalid",
        lambda: check_userinfo(RP, claims, sub=odd, jws=None, now=NOW),
    )
    assert error.about == "sub"
    error = refused(
        UsageError,
        "parameter_invalid",
        lambda: check_userinfo(RP, odd, sub=SUB, jws=None, now=NOW),
    )
    assert error.about == "claims"


@pytest.mark.parametrize(
    ("claims", "contradiction"),
    [
        ({"sub": "Bob"}, True),
        ({"sub": [SUB]}, True),
        ({"sub": MISSING}, False),
        ({"iss": OTHER_ISSUER}, True),
        ({"iss": 5}, True),
        ({"aud": "other"}, True),
        ({"aud": 5}, True),
        ({"exp": NOW - 60}, False),
        ({"nonce": "n"}, False),
        ({"sub": "Bob", "exp": "soon", "nonce": "n"}, True),
    ],
)
def test_a_contradiction_is_what_is_there_and_differs(
    claims: dict[str, Any], contradiction: bool
) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        checked(**in_jwt(**claims))
    assert contradicts(caught.value) is contradiction


def test_verified_in_text_is_read_only_under_its_quirk() -> None:
    rp = relying_party(policy=Policy(quirks=frozenset({"verified_as_text"})))
    said, evidence = checked(rp=rp, email_verified="true", x_verified="yes")
    assert said.claims["email_verified"] is True
    assert evidence.notes == (
        "quirk verified_as_text: email_verified",
        "malformed, taken as absent: x_verified",
    )
    said, evidence = checked(email_verified="true")
    assert "email_verified" not in said.claims
    assert evidence.notes == ("malformed, taken as absent: email_verified",)
