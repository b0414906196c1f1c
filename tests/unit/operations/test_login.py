"""A login step by step: what each pause waits for, and how each answer may go wrong."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from oidc_adapters.testing.signing import half_hash
from oidc_core.endpoints.authorization import LOOPBACK_LISTENER, Callback
from oidc_core.machine.steps import Done, Exchange, KeysWithheld, NeedKeys, Step, resume
from oidc_core.model.claims import Identity, verified_email
from oidc_core.model.policy import Policy
from oidc_core.model.provider import IssuerRule
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.login import (
    AwaitingTokens,
    AwaitingUserInfo,
    LoggedIn,
    LoginStarted,
    finish,
)
from oidc_core.wire.errors import (
    CallbackError,
    ProtocolViolation,
    ProviderError,
    TransportFailure,
    UsageError,
)
from oidc_core.wire.http import HttpResponse, NoAnswer
from tests.parties import (
    ACCESS_TOKEN,
    CLIENT_ID,
    ISSUER,
    NOW,
    OTHER_ISSUER,
    REDIRECT_URI,
    RP,
    SUB,
    callback,
    claims_for,
    done,
    form_of,
    json_response,
    keys,
    refused,
    relying_party,
    started,
    token_answer,
    with_keys,
)
from tests.signing import mac_key, published, signed, signing_key, unsigned

PLAIN = relying_party(policy=Policy(userinfo="never"))
ASKING = relying_party(policy=Policy(userinfo="required"))
OPTIONAL = RP
SIGNED = relying_party(client={"userinfo_signed_response_alg": "ES256"})


def finished(
    rp: RelyingParty, login: LoginStarted, arrival: Callback | None = None, **how: Any
) -> AwaitingTokens:
    proof: dict[str, Any] = {"binding": login.binding, "now": NOW + 5, **how}
    step = finish(rp, login.pending, arrival or callback(login), **proof)
    assert isinstance(step, AwaitingTokens)
    return step


def after_tokens(
    rp: RelyingParty, login: LoginStarted | None = None, members: Any = None, **claims: Any
) -> Step[LoggedIn]:
    """The step after a good ID token, with these claims and members of the token answer."""
    login = login or started(rp)
    token = signed(claims_for(login.pending.nonce, **claims))
    changes: dict[str, Any] = members or {}
    step = resume(rp, finished(rp, login), token_answer(token, **changes))
    return with_keys(rp, step)


def awaiting_userinfo(rp: RelyingParty, **claims: Any) -> AwaitingUserInfo:
    step = after_tokens(rp, **claims)
    assert isinstance(step, AwaitingUserInfo)
    return step


def refusal(code: str, rp: RelyingParty = PLAIN, **how: Any) -> None:
    refused(ProtocolViolation, code, lambda: after_tokens(rp, **how))


# --- start and finish ----------------------------------------------------------------------------


@pytest.mark.req("OIDCC-3.1.2.7-01", "OIDCC-3.1.3.2-01", "RFC7636-4.5-01")
def test_a_callback_leads_to_one_token_request() -> None:
    """C01, C07."""
    login = started(PLAIN)
    step = finished(PLAIN, login)

    assert form_of(step) == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": REDIRECT_URI,
        "code_verifier": login.pending.code_verifier,
    }
    assert step.response.evidence.notes == ("single_use: provider_only",)
    assert finished(PLAIN, login, single_use="shared").response.evidence.notes == (
        "single_use: shared",
    )
    assert login.binding not in repr(login)
    assert login.pending.code_verifier not in repr(step)


@pytest.mark.req("OIDCC-3.1.2.7-01", "OIDCC-3.1.2.6-02")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": None}, "state_missing"),
        ({"state": "other"}, "state_mismatch"),
        ({"iss": OTHER_ISSUER}, "response_iss_mismatch"),
        ({"id_token": "x"}, "parameter_unexpected"),
    ],
)
def test_a_callback_that_is_refused_sends_nothing(changes: dict[str, Any], code: str) -> None:
    """A01, A02, A25, B01: there is no step, so there is no request."""
    login = started(PLAIN)
    refused(CallbackError, code, lambda: finished(PLAIN, login, callback(login, **changes)))


def test_two_logins_of_one_browser_do_not_mix() -> None:
    """A08, A09."""
    other = relying_party(provider={"issuer": OTHER_ISSUER, "token_endpoint": f"{OTHER_ISSUER}/t"})
    first, second = started(PLAIN, seed=1), started(other, seed=2)

    assert finished(PLAIN, first).request.url == f"{ISSUER}/token"
    assert finished(other, second).request.url == f"{OTHER_ISSUER}/t"
    refused(CallbackError, "connection_mismatch", lambda: finished(other, first))
    crossed = callback(second)
    refused(CallbackError, "state_mismatch", lambda: finished(PLAIN, first, crossed))


@pytest.mark.req("OIDCC-3.1.2.6-01")
def test_the_provider_s_refusal_ends_the_login() -> None:
    login = started(PLAIN)
    denied = callback(login, code=None, error="access_denied")
    error = refused(ProviderError, "provider_error", lambda: finished(PLAIN, login, denied))
    assert error.retryable == "restart"


def test_a_link_names_its_user_at_both_ends() -> None:
    """A12."""
    login = started(PLAIN, account="user-1")
    refused(
        CallbackError,
        "account_mismatch",
        lambda: finished(PLAIN, login, account="user-2"),
    )
    refused(CallbackError, "account_mismatch", lambda: finished(PLAIN, login))
    token = signed(claims_for(login.pending.nonce))
    step = resume(PLAIN, finished(PLAIN, login, account="user-1"), token_answer(token))
    logged_in = done(with_keys(PLAIN, step))
    assert logged_in.account == "user-1"


def test_a_command_line_names_its_listener_in_place_of_a_browser() -> None:
    login = started(PLAIN)
    evidence = finished(PLAIN, login, binding=LOOPBACK_LISTENER).response.evidence
    assert "binding" in dict(evidence.skipped)


# --- tokens --------------------------------------------------------------------------------------


@pytest.mark.req(
    "OIDCC-3.1.3.5-01", "OIDCC-3.1.3.7-11a", "OIDCC-5.7-01", "RFC6749-3.3-02", "RFC6749-5.1-03"
)
def test_a_good_id_token_logs_its_user_in() -> None:
    login = started(PLAIN, scope="openid email", return_to="/next", resource=("urn:x",))
    token = signed(claims_for(login.pending.nonce, sid="s1", auth_time=NOW - 3, acr="gold"))
    answer = token_answer(token, refresh_token="r1", scope="openid extra")

    logged_in = done(with_keys(PLAIN, resume(PLAIN, finished(PLAIN, login), answer)))

    assert logged_in.identity == Identity(ISSUER, SUB)
    assert (logged_in.id_token.raw, logged_in.id_token.acr) == (token, "gold")
    assert logged_in.claims == logged_in.id_token.claims
    assert logged_in.userinfo is None
    assert (logged_in.missing_scope, logged_in.return_to, logged_in.account) == (
        ("email",),
        "/next",
        "",
    )
    tokens = logged_in.tokens
    assert (tokens.issuer, tokens.client_id, tokens.subject) == (ISSUER, CLIENT_ID, SUB)
    assert (tokens.access_token, tokens.refresh_token, tokens.id_token) == (
        ACCESS_TOKEN,
        "r1",
        token,
    )
    assert (tokens.scope, tokens.resource, tokens.expires_at) == (
        "openid extra",
        ("urn:x",),
        NOW + 3600,
    )
    assert (tokens.nonce, tokens.sid, tokens.auth_time) == (login.pending.nonce, "s1", NOW - 3)
    assert [evidence.of for evidence in logged_in.evidence] == [
        "authorization_response",
        "id_token",
    ]
    for secret in (ACCESS_TOKEN, "r1", token, login.pending.nonce):
        assert secret not in repr(logged_in)


@pytest.mark.req("RFC6749-3.3-02")
@pytest.mark.parametrize(
    ("granted", "scope", "missing"),
    [
        (None, "openid email", ()),
        ("openid email", "openid email", ()),
        ("email openid", "email openid", ()),
        ("openid", "openid", ("email",)),
        ("", "", ("openid", "email")),
        ("openid admin", "openid admin", ("email",)),
    ],
)
def test_what_was_granted_is_told_apart_from_what_was_asked_for(
    granted: str | None, scope: str, missing: tuple[str, ...]
) -> None:
    """C20."""
    login = started(PLAIN, scope="openid email")
    logged_in = done(after_tokens(PLAIN, login, {"scope": granted}))
    assert (logged_in.tokens.scope, logged_in.missing_scope) == (scope, missing)


def test_more_than_was_asked_for_is_refused_under_a_policy_that_says_so() -> None:
    """C20."""
    rp = relying_party(policy=Policy(userinfo="never", forbid_extra_scope=True))

    refusal("scope_unexpected", rp, members={"scope": "openid admin"})
    for scope in ("openid", "", None):
        assert done(after_tokens(rp, None, {"scope": scope})).identity.subject == SUB


@pytest.mark.req("OIDCC-3.1.3.3-02", "PROMPTCREATE-4.1-01")
@pytest.mark.parametrize("id_token", [None, ""])
def test_without_an_id_token_nobody_is_logged_in(id_token: str | None) -> None:
    """D35."""
    step = finished(PLAIN, started(PLAIN))
    answer = token_answer(id_token)
    refused(ProtocolViolation, "id_token_missing", lambda: resume(PLAIN, step, answer))


@pytest.mark.req("RFC6749-4.1.2-01", "RFC7636-7.2-01")
def test_a_code_that_may_have_been_used_is_not_used_again() -> None:
    step = finished(PLAIN, started(PLAIN))
    lost = NoAnswer("maybe", "http_timeout", NOW)
    error = refused(TransportFailure, "code_in_doubt", lambda: resume(PLAIN, step, lost))
    assert error.retryable == "restart"
    assert isinstance(error, TransportFailure)
    assert error.sent == "maybe"
    refused_code = json_response({"error": "invalid_request"}, status=400)
    refused(ProviderError, "provider_error", lambda: resume(PLAIN, step, refused_code))


@pytest.mark.req("OIDCC-3.1.3.5-01")
@pytest.mark.parametrize(
    ("code", "claims"),
    [
        ("iss_mismatch", {"iss": OTHER_ISSUER}),
        ("aud_mismatch", {"aud": "other"}),
        ("azp_mismatch", {"azp": "other"}),
        ("exp_expired", {"exp": NOW - 60}),
        ("iat_malformed", {"iat": None}),
        ("nonce_mismatch", {"nonce": "other"}),
        ("sub_malformed", {"sub": ""}),
        ("at_hash_mismatch", {"at_hash": half_hash("ES256", "other")}),
    ],
)
def test_a_login_ends_at_the_first_rule_that_does_not_hold(
    code: str, claims: dict[str, Any]
) -> None:
    """D02 to D18, J06: nothing of the tokens is returned."""
    refusal(code, **claims)


@pytest.mark.req("OIDCC-3.1.3.7-11a", "RFC9700-4.5.3.2-01", "OAUTH21-7.5.1.1-01")
def test_the_id_token_of_another_login_is_refused() -> None:
    """A18, C01, D28."""
    refusal("nonce_mismatch", nonce=started(PLAIN, seed=2).pending.nonce)


@pytest.mark.req("OIDCC-5.5.1-02", "OIDCC-3.1.3.7-12", "OIDCC-3.1.3.7-13", "OIDCC-2-08")
@pytest.mark.parametrize(
    ("code", "request_", "claims"),
    [
        ("sub_mismatch", {"expected_sub": "Bob", "prompt": "none"}, {}),
        ("sub_mismatch", {"id_token_hint": signed(claims_for("n", sub="Bob"))}, {}),
        ("acr_mismatch", {"required_acr": ("gold",)}, {"acr": "silver"}),
        ("auth_time_malformed", {"max_age": 0}, {}),
        ("auth_time_malformed", {"prompt": "login"}, {}),
        ("auth_time_too_old", {"prompt": "login"}, {"auth_time": NOW - 61}),
        ("auth_time_too_old", {"prompt": "login", "max_age": 999}, {"auth_time": NOW - 61}),
    ],
)
def test_what_was_demanded_at_the_start_is_compared(
    code: str, request_: dict[str, Any], claims: dict[str, Any]
) -> None:
    """A21, A22, D21, D22."""
    refusal(code, login=started(PLAIN, **request_), **claims)


@pytest.mark.req("OIDCC-3.1.3.7-07", "OIDCC-3.1.3.7-06b", "FAPI2MS-5.6.2-01")
def test_the_signature_is_always_checked() -> None:
    """F02, B14, D29."""
    login = started(PLAIN)
    claims = claims_for(login.pending.nonce)
    for token, code in (
        (unsigned(claims, alg="none"), "alg_not_allowed"),
        (signed(claims, mac_key()), "alg_not_allowed"),
        (signed(claims, signing_key("PS256")), "alg_not_allowed"),
        (signed(claims, signing_key(slot="evil")), "signature_invalid"),
        (signed(claims, signing_key(slot="evil"), jwk={}), "signature_invalid"),
        (signed(claims, typ="at+jwt"), "typ_unexpected"),
        (signed(claims, typ="logout+jwt"), "typ_unexpected"),
        ("not.a.token", "base64url_malformed"),
    ):
        step = resume(PLAIN, finished(PLAIN, login), token_answer(token))
        assert isinstance(step, NeedKeys)
        with pytest.raises(ProtocolViolation) as caught:
            resume(PLAIN, step, keys())
        assert caught.value.code == code


@pytest.mark.req("OIDCC-3.1.3.7-08a")
def test_a_client_that_registered_a_mac_needs_no_keys() -> None:
    rp = relying_party(
        client={"id_token_signed_response_alg": "HS256"}, policy=Policy(userinfo="never")
    )
    login = started(rp)
    token = signed(claims_for(login.pending.nonce), mac_key())
    logged_in = done(resume(rp, finished(rp, login), token_answer(token)))
    assert logged_in.evidence[1].alg == "HS256"
    assert logged_in.evidence[1].key_thumbprint == ""
    other = token_answer(signed(claims_for(login.pending.nonce)))
    refused(ProtocolViolation, "alg_not_allowed", lambda: resume(rp, finished(rp, login), other))


def test_keys_that_cannot_be_had_are_no_reason_to_go_on() -> None:
    """H02."""
    step = resume(
        PLAIN,
        finished(PLAIN, started(PLAIN)),
        token_answer(signed(claims_for("n"))),
    )
    assert isinstance(step, NeedKeys)
    assert step.wanted.source == "solicited"
    refused(
        TransportFailure,
        "keys_unavailable",
        lambda: resume(PLAIN, step, KeysWithheld("unreachable")),
    )


@pytest.mark.req("OIDCC-5.7-01")
def test_each_tenant_is_an_issuer_of_its_own() -> None:
    """B10, D01."""
    pattern, tenant = "https://login.example/{tenantid}/v2.0", "https://login.example/t1/v2.0"
    rule = IssuerRule.template(pattern, tenants=frozenset({"t1"}))
    rp = relying_party(provider={"issuer": pattern}, rule=rule, policy=Policy(userinfo="never"))

    logged_in = done(after_tokens(rp, iss=tenant, tid="t1"))

    assert logged_in.identity == Identity(tenant, SUB)
    assert logged_in.tokens.issuer == pattern
    refusal("iss_mismatch", rp, iss="https://login.example/t2/v2.0", tid="t2")


def test_userinfo_of_another_tenant_ends_the_login() -> None:
    """B10."""
    rule = IssuerRule.template("https://login.example/{t}", tenants=frozenset({"t1", "t2"}))
    rp = relying_party(
        provider={"issuer": rule.canonical}, policy=Policy(userinfo="required"), rule=rule
    )
    step = awaiting_userinfo(rp, iss="https://login.example/t1", tid="t1")
    other = json_response({"sub": SUB, "iss": "https://login.example/t2"})
    refused(ProtocolViolation, "userinfo_iss", lambda: resume(rp, step, other))


# --- userinfo ------------------------------------------------------------------------------------


@pytest.mark.req("OIDCC-5.3.1-01", "OIDCC-5.3.2-03")
@pytest.mark.parametrize("rp", [OPTIONAL, ASKING])
def test_userinfo_is_asked_for_with_the_new_access_token(rp: RelyingParty) -> None:
    step = awaiting_userinfo(rp)
    assert ("authorization", f"Bearer {ACCESS_TOKEN}") in step.request.headers

    logged_in = done(resume(rp, step, json_response({"sub": SUB, "name": "Alice"})))

    assert logged_in.userinfo is not None
    assert (logged_in.claims["name"], logged_in.claims["sub"]) == ("Alice", SUB)
    assert [evidence.of for evidence in logged_in.evidence][2:] == ["userinfo"]


def test_userinfo_says_nothing_of_the_token_or_the_authentication() -> None:
    """J05, D36: not even where the ID token is silent."""
    claims = {
        "sub": SUB,
        "iss": ISSUER,
        "aud": "evil",
        "nonce": "evil",
        "acr": "gold",
        "amr": ["mfa"],
        "auth_time": 1,
        "exp": 1,
        "email": "userinfo@example.org",
        "name": "U",
    }
    step = awaiting_userinfo(OPTIONAL, email="id-token@example.org")
    logged_in = done(resume(OPTIONAL, step, json_response(claims)))

    assert logged_in.claims["email"] == "id-token@example.org"
    assert logged_in.claims["name"] == "U"
    assert (logged_in.claims["iss"], logged_in.claims["aud"]) == (ISSUER, CLIENT_ID)
    assert logged_in.claims["nonce"] == logged_in.tokens.nonce
    assert {"acr", "amr", "auth_time"}.isdisjoint(logged_in.claims)
    assert (logged_in.id_token.acr, logged_in.tokens.auth_time) == (None, None)
    assert logged_in.userinfo is not None
    assert logged_in.userinfo.claims["acr"] == "gold"


@pytest.mark.parametrize(
    ("in_token", "in_userinfo", "email"),
    [
        ({"email": "a@rp.example"}, {"email": "b@rp.example", "email_verified": True}, None),
        ({"email_verified": True}, {"email": "b@rp.example"}, None),
        ({}, {"email": "b@rp.example", "email_verified": True}, "b@rp.example"),
        (
            {"email": "a@rp.example", "email_verified": True},
            {"email_verified": False},
            "a@rp.example",
        ),
    ],
)
def test_an_address_is_verified_only_by_whoever_names_it(
    in_token: dict[str, Any], in_userinfo: dict[str, Any], email: str | None
) -> None:
    step = awaiting_userinfo(OPTIONAL, **in_token)
    logged_in = done(resume(OPTIONAL, step, json_response({"sub": SUB, **in_userinfo})))
    assert verified_email(logged_in.claims) == email


@pytest.mark.req("OIDCC-5.3.2-02", "OIDCC-5.3.2-03")
@pytest.mark.parametrize("rp", [OPTIONAL, ASKING])
@pytest.mark.parametrize("body", [{}, {"sub": "Bob"}, {"sub": [SUB]}, {"sub": None}])
def test_userinfo_about_another_user_ends_the_login_under_every_policy(
    rp: RelyingParty, body: dict[str, Any]
) -> None:
    """J01."""
    step = awaiting_userinfo(rp)
    refused(
        ProtocolViolation, "userinfo_sub_mismatch", lambda: resume(rp, step, json_response(body))
    )


UNOBTAINABLE = [
    (NoAnswer("no", "http_connect_failed", NOW), TransportFailure, "http_connect_failed"),
    (NoAnswer("maybe", "http_timeout", NOW), TransportFailure, "http_timeout"),
    (
        json_response({"error": "invalid_token"}, status=401),
        ProtocolViolation,
        "http_status_unexpected",
    ),
    (json_response(b"<html>", status=503), ProtocolViolation, "http_status_unexpected"),
    (json_response({}, status=302), ProtocolViolation, "http_redirect_refused"),
]


@pytest.mark.parametrize(("answer", "kind", "code"), UNOBTAINABLE)
def test_userinfo_that_cannot_be_had_undoes_a_login_only_where_it_is_required(
    answer: Any, kind: Any, code: str
) -> None:
    logged_in = done(resume(OPTIONAL, awaiting_userinfo(OPTIONAL), answer))
    assert (logged_in.userinfo, logged_in.identity.subject) == (None, SUB)
    assert logged_in.notes == (f"userinfo: {code}",)
    assert len(logged_in.evidence) == 2

    step = awaiting_userinfo(ASKING)
    refused(kind, code, lambda: resume(ASKING, step, answer))


@pytest.mark.req("OIDCC-5.3.2-04", "OIDCC-5.3.2-05")
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (json_response({"sub": SUB}, content_type="text/html"), "content_type_unexpected"),
        (json_response(b"a.b.c", content_type="application/jwt"), "content_type_unexpected"),
        (json_response(b"{"), "json_malformed"),
        (json_response({"sub": SUB, "iss": OTHER_ISSUER}), "userinfo_iss"),
    ],
)
def test_userinfo_that_is_malformed_ends_the_login(answer: HttpResponse, code: str) -> None:
    """I12, J02, J04."""
    step = awaiting_userinfo(OPTIONAL)
    refused(ProtocolViolation, code, lambda: resume(OPTIONAL, step, answer))


def test_userinfo_is_asked_for_where_there_is_some() -> None:
    none: dict[str, Any] = {"userinfo_endpoint": None}
    without = relying_party(provider=none)
    assert done(after_tokens(without)).userinfo is None
    required = relying_party(provider=none, policy=Policy(userinfo="required"))
    refused(UsageError, "unsupported_by_provider", lambda: after_tokens(required))


def jwt(token: str) -> HttpResponse:
    return json_response(token.encode(), content_type="application/jwt")


def userinfo_claims(**changes: Any) -> dict[str, object]:
    return {"sub": SUB, "iss": ISSUER, "aud": CLIENT_ID, **changes}


@pytest.mark.req("OIDCC-5.3.4-02", "OIDCC-5.3.2-06")
def test_signed_userinfo_is_verified_with_the_provider_s_keys() -> None:
    """J03."""
    step = resume(SIGNED, awaiting_userinfo(SIGNED), jwt(signed(userinfo_claims(name="A"))))
    logged_in = done(with_keys(SIGNED, step))

    assert logged_in.claims["name"] == "A"
    assert logged_in.evidence[2].alg == "ES256"
    assert logged_in.evidence[2].key_thumbprint != ""


@pytest.mark.req("OIDCC-5.3.4-02", "OIDCC-5.3.2-06")
@pytest.mark.parametrize(
    ("token", "code"),
    [
        (unsigned(userinfo_claims(), alg="none"), "alg_not_allowed"),
        (signed(userinfo_claims(), mac_key()), "alg_not_allowed"),
        (signed(userinfo_claims(), signing_key("RS256")), "alg_not_allowed"),
        (signed(userinfo_claims(), signing_key(slot="evil")), "signature_invalid"),
        (signed(userinfo_claims(iss=OTHER_ISSUER)), "userinfo_iss"),
        (signed(userinfo_claims(aud="other")), "userinfo_aud"),
        (signed(userinfo_claims(sub="Bob")), "userinfo_sub_mismatch"),
        (signed(userinfo_claims(exp=NOW - 60)), "userinfo_expired"),
        (signed(userinfo_claims(), typ="at+jwt"), "typ_unexpected"),
        (signed(userinfo_claims(), typ="logout+jwt"), "typ_unexpected"),
        ("{}", "jws_malformed"),
        ("é.é.é", "jws_malformed"),
    ],
)
def test_signed_userinfo_that_does_not_hold_ends_the_login(token: str, code: str) -> None:
    """J03, D30."""
    step = resume(SIGNED, awaiting_userinfo(SIGNED), jwt(token))
    assert isinstance(step, NeedKeys)
    refused(ProtocolViolation, code, lambda: resume(SIGNED, step, keys()))


def test_signed_userinfo_without_keys_undoes_a_login_only_where_it_is_required() -> None:
    for rp, code in (
        (SIGNED, None),
        (
            relying_party(
                client={"userinfo_signed_response_alg": "ES256"}, policy=Policy(userinfo="required")
            ),
            "keys_unavailable",
        ),
    ):
        step = resume(rp, awaiting_userinfo(rp), jwt(signed(userinfo_claims())))
        assert isinstance(step, NeedKeys)
        if code is None:
            logged_in = done(resume(rp, step, KeysWithheld("throttled")))
            assert logged_in.notes == ("userinfo: keys_unavailable",)
            continue
        with pytest.raises(TransportFailure) as caught:
            resume(rp, step, KeysWithheld("throttled"))
        assert caught.value.code == code


@pytest.mark.req("OIDCC-5.3.2-06")
def test_userinfo_with_a_mac_is_verified_with_the_client_s_secret() -> None:
    rp = relying_party(client={"userinfo_signed_response_alg": "HS256"})
    step = awaiting_userinfo(rp)
    logged_in = done(resume(rp, step, jwt(signed(userinfo_claims(), mac_key()))))
    assert logged_in.evidence[2].alg == "HS256"


# --- steps are values ----------------------------------------------------------------------------


def test_a_step_may_be_resumed_again_and_stays_as_it_was() -> None:
    login = started(PLAIN)
    step = finished(PLAIN, login)
    token = signed(claims_for(login.pending.nonce))
    with pytest.raises(ProtocolViolation) as caught:
        resume(PLAIN, step, json_response(b"{"))
    assert caught.value.code == "json_malformed"

    first, second = (resume(PLAIN, step, token_answer(token)) for _ in range(2))
    assert first == second
    assert step == finished(PLAIN, login)
    assert pickle.loads(pickle.dumps(step)) == step
    assert with_keys(PLAIN, first) == with_keys(PLAIN, second)


def test_a_step_is_resumed_by_the_relying_party_that_made_it_and_with_what_it_asked_for() -> None:
    """B15, B25, J07."""
    step = finished(PLAIN, started(PLAIN))
    for other in (
        relying_party(policy=Policy(name="strict", userinfo="never")),
        relying_party(client={"client_id": "c2"}, policy=Policy(userinfo="never")),
        relying_party(provider={"token_endpoint": f"{OTHER_ISSUER}/t"}),
    ):
        with pytest.raises(UsageError) as caught:
            resume(other, step, token_answer("x"))
        assert caught.value.code == "foreign_step"
    wrong: Any = keys()
    refused(UsageError, "answer_unexpected", lambda: resume(PLAIN, step, wrong))


def test_every_step_says_what_it_waits_for() -> None:
    step = finished(ASKING, started(ASKING))
    assert isinstance(step, Exchange)
    assert step.request.purpose == "token"
    assert awaiting_userinfo(ASKING).request.purpose == "userinfo"
    assert isinstance(after_tokens(PLAIN), Done)
    other = published(signing_key(slot="x"))
    refused(
        ProtocolViolation,
        "signature_invalid",
        lambda: with_keys(
            PLAIN,
            resume(
                PLAIN,
                finished(PLAIN, started(PLAIN)),
                token_answer(signed({})),
            ),
            other,
        ),
    )
