"""The logout token: the request that brings it, its look-up, and every rule about its claims."""

from __future__ import annotations

import pickle
from contextlib import suppress
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_adapters.testing.signing import rendered
from oidc_core.endpoints.logout_token import (
    LOGOUT_EVENT,
    LOGOUT_TOKEN_RULES,
    CheckedLogoutToken,
    LogoutToken,
    Named,
    check,
    logout_token_in,
    named_in,
)
from oidc_core.jose.jwk import Jwk
from oidc_core.jose.jws import Encryption, JoseHeader, VerifiedJws
from oidc_core.jose.profiles import LOGOUT_TOKEN
from oidc_core.model.issuer_rule import ANY_TENANT, IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import CallbackError, ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, parse_object
from oidc_core.wire.limits import LIMITS, Limits
from tests.encryption import encrypted
from tests.logouts import FORM, JTI, SID, logout_claims, logout_token, posted
from tests.parties import CLIENT_ID, ISSUER, NOW, OTHER_ISSUER, RP, SUB, refused, relying_party
from tests.signing import unsigned
from tests.strategies import json_values, logout_claim_sets

KEY: Final = Jwk(kty="EC", crv="P-256", material=(b"x", b"y"))
AGE: Final = RP.policy.logout_token_age
LEEWAY: Final = RP.policy.leeway


def checked(
    claims: dict[str, Any] | bytes,
    rp: RelyingParty = RP,
    *,
    alg: str = "ES256",
    key: Jwk | None = KEY,
    encryption: Encryption | None = None,
) -> CheckedLogoutToken:
    octets = claims if isinstance(claims, bytes) else rendered(claims)
    header = JoseHeader(alg, "k1", "logout+jwt", ())
    jws = VerifiedJws(header, octets, key, NOW, NOW - 5, encryption=encryption)
    return check(rp, jws, parse_object(octets, tolerant=True))


def refusal(code: str, about: str, claims: dict[str, Any], rp: RelyingParty = RP) -> None:
    error = refused(ProtocolViolation, code, lambda: checked(claims, rp))
    assert (error.about, error.of) == (about, "logout_token")


# --- the request ---------------------------------------------------------------------------------


@pytest.mark.req("OIDCBCL-2.5-01")
@pytest.mark.parametrize("content_type", ["", FORM, f"{FORM}; charset=utf-8", FORM.upper()])
def test_a_logout_token_is_posted_in_a_form(content_type: str) -> None:
    body = b"a=1&logout_token=a.b.c&a=2&token=x"
    incoming = posted(None, body=body, query="logout_token=q", content_type=content_type)
    assert logout_token_in(incoming, LIMITS) == "a.b.c"


@pytest.mark.req("OIDCBCL-2.5-01")
@pytest.mark.parametrize(
    ("changed", "about", "found", "expected"),
    [
        ({"method": "GET", "query": "logout_token=a.b.c"}, "method", "GET", "POST"),
        ({"content_type": "application/json"}, "content-type", "application/json", FORM),
        ({"content_type": "multipart/form-data; boundary=x"}, "content-type",
         "multipart/form-data", FORM),
        ({"content_type": "text/plain"}, "content-type", "text/plain", FORM),
        ({"body": b""}, "logout_token", 0, 1),
        ({"body": b"logout_token="}, "logout_token", 0, 1),
        ({"body": b"token=a.b.c"}, "logout_token", 0, 1),
        ({"body": b"logout_token=a.b.c&logout_token=a.b.c"}, "logout_token", 2, 1),
    ],
)  # fmt: skip
def test_any_other_request_is_refused(
    changed: dict[str, Any], about: str, found: object, expected: object
) -> None:
    """K14."""
    error = refused(
        ProtocolViolation,
        "logout_request_invalid",
        lambda: logout_token_in(posted("a.b.c", **changed), LIMITS),
    )
    assert (error.about, error.found, error.expected) == (about, found, expected)
    assert (error.retryable, error.kind) == ("no", "suspicious")


def test_the_body_has_the_limit_of_a_callback() -> None:
    """K14."""
    body = b"logout_token=" + 100 * b"a"
    incoming = posted(None, body=body)
    assert logout_token_in(incoming, Limits(callback=len(body))) == 100 * "a"
    error = refused(
        CallbackError,
        "parameter_too_long",
        lambda: logout_token_in(incoming, Limits(callback=len(body) - 1)),
    )
    assert (error.about, error.found, error.kind) == ("logout_token", len(body), "suspicious")


# --- the look-up ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aud", "clients"),
    [(CLIENT_ID, (CLIENT_ID,)), ([CLIENT_ID, "other"], (CLIENT_ID, "other"))],
)
def test_a_look_up_reads_issuer_and_audience_of_anything(
    aud: object, clients: tuple[str, ...]
) -> None:
    named = Named(ISSUER, clients)
    assert named_in(logout_token(aud=aud)) == named
    assert named_in(unsigned({"iss": ISSUER, "aud": aud}, alg="none")) == named


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("iss", None, "iss_missing"),
        ("iss", 5, "iss_malformed"),
        ("aud", None, "aud_missing"),
        ("aud", 5, "aud_malformed"),
        ("aud", ["a", 5], "aud_malformed"),
    ],
)
def test_a_token_that_does_not_say_whom_it_is_for_is_refused(
    name: str, value: object, code: str
) -> None:
    error = refused(ProtocolViolation, code, lambda: named_in(logout_token(**{name: value})))
    assert (error.about, error.of) == (name, "logout_token")


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "jws_malformed"),
        ("a.b", "jws_malformed"),
        ("e30.W10.x", "json_not_object"),
        ("e30.e30.e30.e30.e30.e30", "jws_malformed"),
        ("é.e30.x", "jws_malformed"),
        ("\ud800.b.c.d.e", "base64url_malformed"),
    ],
)
def test_what_is_no_token_names_nobody(token: str, code: str) -> None:
    refused(ProtocolViolation, code, partial(named_in, token))


def test_an_encrypted_token_may_say_whom_it_is_for_in_its_header() -> None:
    """RFC 7519 §5.3."""
    assert named_in(encrypted(logout_token())) == Named(None, ())
    told = encrypted(logout_token(), iss=ISSUER, aud=CLIENT_ID)
    assert named_in(told) == Named(ISSUER, (CLIENT_ID,))
    assert named_in(encrypted("x", iss=5, aud=5)) == Named(None, ())


# --- the claims ----------------------------------------------------------------------------------


@pytest.mark.req("OIDCBCL-2.4-01", "OIDCBCL-2.6-04")
def test_a_good_token_is_accepted_with_what_was_checked() -> None:
    token, evidence = checked(logout_claims())
    assert token == LogoutToken(iss=ISSUER, sub=SUB, sid=SID, jti=JTI, iat=NOW, exp=NOW + 120)
    assert (evidence.of, evidence.checked_at, evidence.alg) == ("logout_token", NOW, "ES256")
    assert [name for name, _ in evidence.skipped] == ["encryption", "nbf"]
    assert pickle.loads(pickle.dumps(token)) == token
    for secret in (SUB, SID, JTI):
        assert secret not in repr(token)


@pytest.mark.req("OIDCBCL-2.4-02")
@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, (SUB, SID)),
        ({"sid": None}, (SUB, None)),
        ({"sub": None}, (None, SID)),
    ],
)
def test_it_names_a_user_a_session_or_both(
    changes: dict[str, Any], found: tuple[str | None, str | None]
) -> None:
    token, _ = checked(logout_claims(**changes))
    assert (token.sub, token.sid) == found


@pytest.mark.req("OIDCBCL-2.4-02")
def test_it_does_not_name_nobody() -> None:
    """K09."""
    refusal("logout_subject_missing", "sub", logout_claims(sub=None, sid=None))
    both = {**logout_claims(sub=None, sid=None), "sub": None, "sid": None}
    refusal("logout_subject_missing", "sub", both)


@pytest.mark.req("OIDCBCL-2.4-01", "OIDCBCL-2.6-07")
@pytest.mark.parametrize("name", sorted(LOGOUT_TOKEN.required))
@pytest.mark.parametrize("value", [None, "null"])
def test_each_required_claim_has_to_be_there(name: str, value: object) -> None:
    """K06."""
    claims = logout_claims(**{name: None})
    refusal(f"{name}_missing", name, claims if value is None else {**claims, name: None})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iss", 5),
        ("aud", {}),
        ("iat", "now"),
        ("exp", "later"),
        ("nbf", []),
        ("jti", 5),
        ("jti", ""),
        ("jti", " "),
        ("sub", 5),
        ("sub", ""),
        ("sub", 256 * "a"),
        ("sid", 5),
        ("sid", ""),
        ("sid", " \t"),
        ("sid", ["a"]),
    ],
)
def test_a_malformed_claim_is_refused_and_not_absent(name: str, value: object) -> None:
    """A session that cannot be read would otherwise end all of the user's."""
    refusal(f"{name}_malformed", name, logout_claims(**{name: value}))


@pytest.mark.parametrize("name", ["events", "sid", "jti"])
def test_a_claim_that_cannot_be_read_is_malformed(name: str) -> None:
    octets = rendered(logout_claims(**{name: None}))[:-1] + f',"{name}":"\\ud800"}}'.encode()
    refused(ProtocolViolation, f"{name}_malformed", lambda: checked(octets))


@pytest.mark.req("OIDCBCL-2.6-04")
@pytest.mark.parametrize(
    ("changes", "code", "about"),
    [
        ({"iss": OTHER_ISSUER}, "iss_mismatch", "iss"),
        ({"iss": f"{ISSUER}/"}, "iss_mismatch", "iss"),
        ({"aud": "other"}, "aud_mismatch", "aud"),
        ({"aud": [CLIENT_ID, "other"]}, "aud_untrusted", "aud"),
        ({"iat": NOW + LEEWAY + 1}, "iat_in_future", "iat"),
        ({"iat": NOW - AGE - LEEWAY - 1}, "iat_too_old", "iat"),
        ({"exp": NOW - LEEWAY}, "exp_expired", "exp"),
        ({"nbf": NOW + LEEWAY + 1}, "nbf_in_future", "nbf"),
    ],
)
def test_it_is_from_the_provider_for_us_and_new(
    changes: dict[str, Any], code: str, about: str
) -> None:
    """K05, K06."""
    refusal(code, about, logout_claims(**changes))


def test_how_old_it_may_be_the_policy_says() -> None:
    for changes in ({"iat": NOW - AGE - LEEWAY}, {"iat": NOW + LEEWAY}, {"exp": NOW - LEEWAY + 1}):
        assert checked(logout_claims(**changes))
    patient = relying_party(policy=Policy(logout_token_age=3_600))
    assert checked(logout_claims(iat=NOW - 3_600), patient)


def test_several_audiences_are_as_in_an_id_token() -> None:
    rp = relying_party(client={"trusted_audiences": {"other"}})
    assert checked(logout_claims(aud=["other", CLIENT_ID]), rp)


def test_each_tenant_is_a_separate_issuer() -> None:
    rule = IssuerRule.template("https://login.example/{tenant}/v2.0", tenants=ANY_TENANT)
    rp = relying_party(provider={"issuer": "https://login.example/{tenant}/v2.0"}, rule=rule)
    token, _ = checked(logout_claims(iss="https://login.example/t1/v2.0"), rp)
    assert token.iss == "https://login.example/t1/v2.0"
    refusal("iss_mismatch", "iss", logout_claims(iss="https://login.example/t1/v1.0"), rp)


@pytest.mark.req("OIDCBCL-2.2-02")
def test_a_client_may_need_the_session() -> None:
    rp = relying_party(client={"backchannel_logout_session_required": True})
    assert checked(logout_claims(), rp).logout_token.sid == SID
    refusal("sid_missing", "sid", logout_claims(sid=None), rp)


@pytest.mark.req("OIDCBCL-2.4-03")
@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([LOGOUT_EVENT], "events_malformed"),
        (LOGOUT_EVENT, "events_malformed"),
        (5, "events_malformed"),
        ({}, "event_unexpected"),
        ({"http://schemas.openid.net/event/frontchannel-logout": {}}, "event_unexpected"),
        ({LOGOUT_EVENT.upper(): {}}, "event_unexpected"),
        ({f"{LOGOUT_EVENT}/": {}}, "event_unexpected"),
        ({LOGOUT_EVENT: None}, "events_malformed"),
        ({LOGOUT_EVENT: []}, "events_malformed"),
        ({LOGOUT_EVENT: "x"}, "events_malformed"),
        ({LOGOUT_EVENT: True}, "events_malformed"),
    ],
)
def test_it_tells_of_a_logout(events: object, code: str) -> None:
    """K03."""
    refusal(code, "events", logout_claims(events=events))


@pytest.mark.req("OIDCBCL-2.4-03", "OIDCBCL-2.4-05")
@pytest.mark.parametrize(
    "changes",
    [
        {"events": {LOGOUT_EVENT: {"more": 1}}},
        {"events": {LOGOUT_EVENT: {}, "https://example.com/other": "x"}},
        {"unheard_of": {"a": 1}},
        {"azp": "other"},
    ],
)
def test_what_it_says_more_does_not_count(changes: dict[str, Any]) -> None:
    assert checked(logout_claims(**changes))


@pytest.mark.req("OIDCBCL-2.4-04")
@pytest.mark.parametrize("nonce", [None, "", "n", 5, {}])
def test_a_nonce_makes_it_no_logout_token(nonce: object) -> None:
    """K02."""
    refusal("claim_forbidden", "nonce", {**logout_claims(), "nonce": nonce})


def test_the_registered_algorithm_signed_it() -> None:
    """K04."""
    for alg, key in (("none", KEY), ("PS256", KEY), ("HS256", None)):
        with pytest.raises(ProtocolViolation) as caught:
            checked(logout_claims(), alg=alg, key=key)
        assert caught.value.code == "alg_not_allowed"
    refused(ProtocolViolation, "signature_invalid", lambda: checked(logout_claims(), key=None))


@given(claims=logout_claim_sets())
def test_every_good_one_is_accepted_as_it_is(claims: dict[str, Any]) -> None:
    token, _ = checked(claims)
    assert (token.sub, token.sid, token.jti) == (
        claims.get("sub"), claims.get("sid"), claims["jti"]
    )  # fmt: skip


@given(claims=logout_claim_sets(), data=st.data())
def test_one_that_lacks_a_required_claim_is_refused(
    claims: dict[str, Any], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(LOGOUT_TOKEN.required)))
    kept = {each: value for each, value in claims.items() if each != name}
    refused(ProtocolViolation, f"{name}_missing", lambda: checked(kept))


@given(
    name=st.sampled_from(sorted({*LOGOUT_TOKEN.required, "sub", "sid", "nonce"})),
    value=json_values(),
)
def test_any_value_of_any_claim_is_accepted_or_refused(name: str, value: object) -> None:
    with suppress(ProtocolViolation):
        given = JsonObject({**logout_claims(), name: value}).plain()
        token, _ = checked(given)
        assert name != "nonce"
        assert token.sub or token.sid


def test_the_rules_stand_in_the_order_of_the_specification() -> None:
    numbers = [
        rule.spec.rpartition(", ")[2]
        for rule in LOGOUT_TOKEN_RULES.rules
        if rule.spec.startswith("OIDC Back-Channel Logout §2.6")
    ]
    assert numbers == sorted(numbers) == ["1", "2", "3", "4", "4", "4", "4", "5", "6", "7"]
