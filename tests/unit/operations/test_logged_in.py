"""From tokens to a verified user: the path that every grant takes once its tokens have come."""

from __future__ import annotations

import json
import pickle
from functools import partial
from typing import Any, Final

import pytest
from attrs import evolve, fields

from oidc_adapters.crypto import ClientDecrypter
from oidc_adapters.testing.signing import half_hash
from oidc_core.endpoints.tokens import parse_token_response
from oidc_core.jose.jws import Encryption
from oidc_core.jose.key_set import parse_key_set
from oidc_core.machine.steps import Done, KeysWithheld, NeedKeys, Step
from oidc_core.model.claims import Identity, verified_email
from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.logged_in import (
    Asked,
    AwaitingUserInfo,
    AwaitingUserInfoKeys,
    LoggedIn,
    LoginEvidence,
    from_tokens,
)
from oidc_core.operations.login import AwaitingTokens, finish
from oidc_core.wire.errors import (
    OidcError,
    ProtocolViolation,
    ProviderError,
    TransportFailure,
    UsageError,
)
from oidc_core.wire.http import HttpResponse, NoAnswer
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.way import Channel, ChannelState
from tests.encryption import ECDH, P256, encrypted
from tests.parties import (
    ACCESS_TOKEN,
    CLIENT_ID,
    ISSUER,
    NOW,
    OTHER_ISSUER,
    RP,
    SUB,
    callback,
    claims_for,
    done,
    json_response,
    keys,
    refused,
    relying_party,
    resume,
    secrets,
    started,
    token_answer,
    with_keys,
)
from tests.signing import SECRET, mac_key, published, signed, signing_key, unsigned

PLAIN: Final = relying_party(policy=Policy(userinfo="never"))
ASKING: Final = relying_party(policy=Policy(userinfo="required"))
OPTIONAL: Final = RP
SIGNED: Final = relying_party(client={"userinfo_signed_response_alg": "ES256"})
NONCE: Final = secrets().nonce
BARE: Final = Asked(demands=Demands(nonce=NONCE, started_at=NOW, scope="openid"))
"""The demands of a grant without a browser."""


def asked_by(rp: RelyingParty, **request: Any) -> Asked:
    """The demands of a login, once its callback was accepted."""
    login = started(rp, **request)
    account = login.pending.account
    step = finish(
        rp, login.pending, callback(login), binding=login.binding, now=NOW + 5, account=account
    )
    assert isinstance(step, AwaitingTokens)
    return step.asked


def going_on(
    rp: RelyingParty, token: str | None, asked: Asked | None = None, **members: Any
) -> Step[LoggedIn]:
    """The step that tokens lead to."""
    response = parse_token_response(token_answer(token, **members))
    return from_tokens(rp, asked or asked_by(rp), response)


def after_tokens(
    rp: RelyingParty, asked: Asked | None = None, members: Any = None, **claims: Any
) -> Step[LoggedIn]:
    """The step after a good ID token, with these claims and members of the token answer."""
    token = signed(claims_for(NONCE, **claims))
    changes: dict[str, Any] = members or {}
    return with_keys(rp, going_on(rp, token, asked, **changes))


def awaiting_userinfo(rp: RelyingParty, **claims: Any) -> AwaitingUserInfo:
    step = after_tokens(rp, **claims)
    assert isinstance(step, AwaitingUserInfo)
    return step


def refusal(code: str, rp: RelyingParty = PLAIN, **how: Any) -> OidcError:
    return refused(ProtocolViolation, code, lambda: after_tokens(rp, **how))


# --- the user ------------------------------------------------------------------------------------


def test_a_party_that_is_trusted_elsewhere_logs_nobody_in() -> None:
    """D06: in a login, ``azp`` is this client if it is there."""
    rp = relying_party(client={"trusted_parties": {"phone"}}, policy=Policy(userinfo="never"))
    error = refusal("azp_mismatch", rp, azp="phone")
    assert (error.found, error.expected) == ("phone", CLIENT_ID)


@pytest.mark.req(
    "OIDCC-3.1.3.5-01", "OIDCC-3.1.3.7-11a", "OIDCC-5.7-01", "RFC6749-3.3-02", "RFC6749-5.1-03"
)
def test_a_good_id_token_logs_its_user_in() -> None:
    asked = asked_by(PLAIN, scope="openid email", return_to="/next", resource=("urn:x",))
    token = signed(claims_for(NONCE, sid="s1", auth_time=NOW - 3, acr="gold"))

    step = going_on(PLAIN, token, asked, refresh_token="r1", scope="openid extra")
    logged_in = done(with_keys(PLAIN, step))

    assert logged_in.identity == Identity(ISSUER, SUB)
    assert (logged_in.id_token.raw, logged_in.id_token.acr) == (token, "gold")
    assert logged_in.claims == logged_in.id_token.claims
    assert logged_in.userinfo is None
    assert (logged_in.requested_scope, logged_in.missing_scope) == ("openid email", ("email",))
    assert (logged_in.asked, logged_in.return_to, logged_in.account) == (asked, "/next", "")
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
    assert (tokens.nonce, tokens.sid, tokens.auth_time) == (NONCE, "s1", NOW - 3)
    assert logged_in.notes == ()
    for secret in (ACCESS_TOKEN, "r1", token, NONCE):
        assert secret not in repr(logged_in)


def test_a_grant_without_a_browser_takes_the_same_path() -> None:
    logged_in = done(after_tokens(PLAIN, BARE))

    assert logged_in.identity == Identity(ISSUER, SUB)
    assert (logged_in.account, logged_in.return_to) == ("", "")
    assert logged_in.evidence == LoginEvidence(id_token=logged_in.id_token_evidence)
    assert logged_in.evidence.each == (logged_in.id_token_evidence,)
    no_nonce = Asked(demands=evolve(BARE.demands, nonce=EXPECT_NO_NONCE))
    logged_in = done(with_keys(PLAIN, going_on(PLAIN, signed(claims_for()), no_nonce)))
    assert logged_in.tokens.nonce is None
    error = refusal("nonce_unexpected", asked=no_nonce)
    assert (error.about, error.of) == ("nonce", "id_token")


def test_notes_of_the_answer_stay_with_the_login() -> None:
    logged_in = done(after_tokens(PLAIN, members={"expires_in": "soon"}))
    assert logged_in.notes == ("expires_in is malformed",)
    assert logged_in.tokens.expires_at is None


@pytest.mark.parametrize(
    ("scope", "members", "noted"),
    [
        ("openid offline_access", {}, True),
        ("offline_access openid", {"refresh_token": ""}, True),
        ("openid offline_access", {"refresh_token": "r1"}, False),
        ("openid offline_access.x", {}, False),
        ("openid", {}, False),
    ],
)
def test_a_refresh_token_that_was_asked_for_and_did_not_come_is_noted(
    scope: str, members: dict[str, Any], noted: bool
) -> None:
    """OIDC Core §11: the library adds no consent by itself, it would break ``prompt=none``."""
    logged_in = done(after_tokens(PLAIN, asked_by(PLAIN, scope=scope), members))
    assert any("prompt=consent" in note for note in logged_in.notes) is noted


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
    asked = asked_by(PLAIN, scope="openid email")
    logged_in = done(after_tokens(PLAIN, asked, {"scope": granted}))
    assert (logged_in.tokens.scope, logged_in.missing_scope) == (scope, missing)


def test_more_than_was_asked_for_is_refused_under_a_policy_that_says_so() -> None:
    """C20."""
    rp = relying_party(policy=Policy(userinfo="never", forbid_extra_scope=True))

    error = refusal("scope_unexpected", rp, members={"scope": "openid admin"})
    assert (error.about, error.found) == ("scope", ("admin",))
    for scope in ("openid", "", None):
        assert done(after_tokens(rp, None, {"scope": scope})).identity.subject == SUB


@pytest.mark.req("OIDCC-3.1.3.3-02", "PROMPTCREATE-4.1-01")
@pytest.mark.parametrize("id_token", [None, ""])
def test_without_an_id_token_nobody_is_logged_in(id_token: str | None) -> None:
    """D35."""
    error = refused(ProtocolViolation, "id_token_missing", lambda: going_on(PLAIN, id_token))
    assert error.about == "id_token"


@pytest.mark.parametrize("channel", ["verified", "unverified", "not_told"])
def test_the_evidence_tells_whether_the_server_was_verified(channel: ChannelState) -> None:
    response = parse_token_response(
        evolve(token_answer(signed(claims_for(NONCE))), channel=Channel(channel))
    )
    logged_in = done(with_keys(PLAIN, from_tokens(PLAIN, asked_by(PLAIN), response)))
    assert (logged_in.channel, logged_in.evidence.channel) == (channel, channel)


# --- the ID token --------------------------------------------------------------------------------


@pytest.mark.req("OIDCC-3.1.3.5-01")
@pytest.mark.parametrize(
    ("code", "claims"),
    [
        ("iss_mismatch", {"iss": OTHER_ISSUER}),
        ("iss_missing", {"iss": None}),
        ("aud_mismatch", {"aud": "other"}),
        ("aud_missing", {"aud": None}),
        ("azp_mismatch", {"azp": "other"}),
        ("exp_expired", {"exp": NOW - 60}),
        ("exp_missing", {"exp": None}),
        ("iat_missing", {"iat": None}),
        ("nonce_mismatch", {"nonce": "other"}),
        ("nonce_missing", {"nonce": None}),
        ("sub_malformed", {"sub": ""}),
        ("sub_missing", {"sub": None}),
        ("at_hash_mismatch", {"at_hash": half_hash("ES256", "other")}),
        ("claim_forbidden", {"events": {}}),
    ],
)
def test_a_login_ends_at_the_first_rule_that_does_not_hold(
    code: str, claims: dict[str, Any]
) -> None:
    """D02 to D18, J06: no part of the tokens is returned."""
    error = refusal(code, **claims)
    assert (error.about, error.of) == (next(iter(claims)), "id_token")


@pytest.mark.req("OIDCC-3.1.3.7-11a", "RFC9700-4.5.3.2-01", "OAUTH21-7.5.1.1-01")
def test_the_id_token_of_another_login_is_refused() -> None:
    """A18, C01, D28."""
    refusal("nonce_mismatch", nonce=started(PLAIN, seed=2).pending.demands.nonce)


@pytest.mark.req("OIDCC-5.5.1-02", "OIDCC-3.1.3.7-12", "OIDCC-3.1.3.7-13", "OIDCC-2-08")
@pytest.mark.parametrize(
    ("code", "request_", "claims"),
    [
        ("sub_mismatch", {"expected_sub": "Bob", "prompt": "none"}, {}),
        ("sub_mismatch", {"id_token_hint": signed(claims_for("n", sub="Bob"))}, {}),
        ("acr_mismatch", {"required_acr": ("gold",)}, {"acr": "silver"}),
        ("acr_missing", {"required_acr": ("gold",)}, {}),
        ("auth_time_missing", {"max_age": 0}, {}),
        ("auth_time_missing", {"prompt": "login"}, {}),
        ("auth_time_malformed", {"max_age": 0}, {"auth_time": "now"}),
        ("auth_time_in_future", {"max_age": 0}, {"auth_time": NOW + 61}),
        ("auth_time_too_old", {"prompt": "login"}, {"auth_time": NOW - 61}),
        ("auth_time_too_old", {"prompt": "login", "max_age": 0}, {"auth_time": NOW - 61}),
        ("auth_time_too_old", {"prompt": "login", "max_age": 99}, {"auth_time": NOW - 160}),
    ],
)
def test_what_was_demanded_at_the_start_is_compared(
    code: str, request_: dict[str, Any], claims: dict[str, Any]
) -> None:
    """A21, A22, D21, D22."""
    refusal(code, asked=asked_by(PLAIN, **request_), **claims)


STRICT: Final = relying_party(
    policy=Policy(userinfo="never", require_essential_claims=True, forbid_extra_scope=True)
)
HELD: Final[dict[str, Any]] = {"auth_time": NOW - 100, "acr": "silver"}
"""Claims of a good ID token that some demands refuse."""

DEMANDED: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "nonce": ({"nonce": "another"}, "nonce_mismatch"),
    "started_at": ({"started_at": NOW + 100, "max_age": 100}, "auth_time_too_old"),
    "max_age": ({"max_age": 10}, "auth_time_too_old"),
    "required_acr": ({"required_acr": ("gold",)}, "acr_mismatch"),
    "essential_claims": ({"essential_claims": ("email",)}, "claim_missing"),
    "sub": ({"sub": "Bob"}, "sub_mismatch"),
    "sub_iss": ({"sub": SUB, "sub_iss": OTHER_ISSUER}, "sub_mismatch"),
    "scope": ({"scope": "openid"}, "scope_unexpected"),
}


@pytest.mark.parametrize("name", DEMANDED)
def test_every_demand_is_read_by_a_rule(name: str) -> None:
    changes, code = DEMANDED[name]
    demands = evolve(BARE.demands, scope="openid email")
    members = {"scope": "openid email"}
    step = after_tokens(STRICT, evolve(BARE, demands=demands), members, **HELD)
    assert done(step).identity.subject == SUB
    asked = evolve(BARE, demands=evolve(demands, **changes))
    refusal(code, STRICT, asked=asked, members=members, **HELD)


def test_no_demand_is_forgotten() -> None:
    """The requested resources do not demand a claim: the tokens are for these."""
    demands = evolve(BARE.demands, resource=("urn:x", "urn:y"))
    tokens = done(after_tokens(PLAIN, evolve(BARE, demands=demands))).tokens
    assert tokens.resource == ("urn:x", "urn:y")
    assert {*DEMANDED, "resource", "prompt_login"} == {
        attribute.name for attribute in fields(Demands)
    }


@pytest.mark.req("OIDCC-3.1.3.7-07", "OIDCC-3.1.3.7-06b", "FAPI2MS-5.6.2-01")
def test_the_signature_is_always_checked() -> None:
    """F02, B14, D29."""
    claims = claims_for(NONCE)
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
        step = going_on(PLAIN, token)
        assert isinstance(step, NeedKeys)
        with pytest.raises(ProtocolViolation) as caught:
            resume(PLAIN, step, keys())
        assert caught.value.code == code
    other = published(signing_key(slot="x"))
    refused(
        ProtocolViolation,
        "signature_invalid",
        lambda: with_keys(PLAIN, going_on(PLAIN, signed({})), other),
    )


@pytest.mark.req("OIDCC-3.1.3.7-08a")
def test_a_client_that_registered_a_mac_needs_no_keys() -> None:
    rp = relying_party(
        client={"id_token_signed_response_alg": "HS256"}, policy=Policy(userinfo="never")
    )
    logged_in = done(going_on(rp, signed(claims_for(NONCE), mac_key())))
    assert logged_in.evidence.id_token.alg == "HS256"
    assert logged_in.evidence.id_token.key_thumbprint == ""
    other = signed(claims_for(NONCE))
    refused(ProtocolViolation, "alg_not_allowed", lambda: going_on(rp, other))


def test_keys_that_cannot_be_had_are_no_reason_to_go_on() -> None:
    """H02."""
    step = going_on(PLAIN, signed(claims_for("n")))
    assert isinstance(step, NeedKeys)
    assert step.wanted.source == "solicited"
    error = refused(
        TransportFailure,
        "keys_unavailable",
        lambda: resume(PLAIN, step, KeysWithheld("unreachable")),
    )
    assert error.found == "unreachable"


T1: Final = "https://login.example/t1/v2.0"
T2: Final = "https://login.example/t2/v2.0"
TENANTS: Final = IssuerRule.template(
    "https://login.example/{tenantid}/v2.0", tenants=frozenset({"t1", "t2"})
)


def multi_tenant(policy: Policy) -> RelyingParty:
    return relying_party(provider={"issuer": TENANTS.canonical}, rule=TENANTS, policy=policy)


@pytest.mark.req("OIDCC-5.7-01")
def test_each_tenant_is_an_issuer_of_its_own() -> None:
    """B10, D01."""
    rp = multi_tenant(PLAIN.policy)

    logged_in = done(after_tokens(rp, iss=T1, tid="t1"))

    assert logged_in.identity == Identity(T1, SUB)
    assert logged_in.tokens.issuer == TENANTS.canonical
    other = "https://login.example/t3/v2.0"
    error = refusal("iss_mismatch", rp, iss=other, tid="t3")
    assert (error.found, error.expected) == (other, TENANTS.canonical)


def test_response_and_id_token_are_of_the_same_tenant() -> None:
    """B10."""
    rp = multi_tenant(PLAIN.policy)
    asked = asked_by(rp)
    assert asked.response is not None
    of_t1 = evolve(asked, response=asked.response._replace(iss=T1))
    assert done(after_tokens(rp, of_t1, iss=T1, tid="t1")).identity.issuer == T1
    error = refusal("iss_mismatch", rp, asked=of_t1, iss=T2, tid="t2")
    assert (error.about, error.found, error.expected) == ("iss", T2, T1)


def test_userinfo_of_another_tenant_ends_the_login() -> None:
    """B10."""
    rp = multi_tenant(ASKING.policy)
    step = awaiting_userinfo(rp, iss=T1, tid="t1")
    other = json_response({"sub": SUB, "iss": T2})
    error = refused(ProtocolViolation, "iss_mismatch", lambda: resume(rp, step, other))
    assert (error.of, error.found, error.expected) == ("userinfo", T2, T1)


# --- userinfo ------------------------------------------------------------------------------------


@pytest.mark.req("OIDCC-5.3.1-01", "OIDCC-5.3.2-03")
@pytest.mark.parametrize("rp", [OPTIONAL, ASKING])
def test_userinfo_is_asked_for_with_the_new_access_token(rp: RelyingParty) -> None:
    step = awaiting_userinfo(rp)
    assert ("authorization", f"Bearer {ACCESS_TOKEN}") in step.request.headers
    assert step.request.purpose == "userinfo"

    logged_in = done(resume(rp, step, json_response({"sub": SUB, "name": "Alice"})))

    assert logged_in.userinfo is not None
    assert (logged_in.claims["name"], logged_in.claims["sub"]) == ("Alice", SUB)
    evidence = logged_in.evidence
    assert [found.of for found in evidence.each] == [
        "authorization_response",
        "id_token",
        "userinfo",
    ]
    assert evidence.userinfo is logged_in.userinfo_evidence
    assert logged_in.asked.response is not None
    assert evidence.each == (
        logged_in.asked.response.evidence,
        logged_in.id_token_evidence,
        logged_in.userinfo_evidence,
    )


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
def test_an_address_is_verified_only_by_the_one_that_names_it(
    in_token: dict[str, Any], in_userinfo: dict[str, Any], email: str | None
) -> None:
    step = awaiting_userinfo(OPTIONAL, **in_token)
    logged_in = done(resume(OPTIONAL, step, json_response({"sub": SUB, **in_userinfo})))
    assert verified_email(logged_in.claims) == email


@pytest.mark.req("OIDCC-5.3.2-02", "OIDCC-5.3.2-03")
@pytest.mark.parametrize("rp", [OPTIONAL, ASKING])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"sub": "Bob"}, "sub_mismatch"),
        ({"sub": [SUB]}, "sub_mismatch"),
        ({"sub": SUB, "iss": OTHER_ISSUER}, "iss_mismatch"),
        ({"sub": SUB, "iss": 5}, "iss_malformed"),
    ],
)
def test_userinfo_that_contradicts_the_id_token_ends_the_login_under_every_policy(
    rp: RelyingParty, body: dict[str, Any], code: str
) -> None:
    """J01, J02."""
    step = awaiting_userinfo(rp)
    error = refused(ProtocolViolation, code, lambda: resume(rp, step, json_response(body)))
    assert (error.about, error.of) == (code[:3], "userinfo")


CHALLENGE: Final = 'Bearer error="invalid_token", error_description="revoked"'
UNOBTAINABLE: Final[list[tuple[Any, type[OidcError], str]]] = [
    (NoAnswer("no", "http_connect_failed", NOW), TransportFailure, "http_connect_failed"),
    (NoAnswer("maybe", "http_timeout", NOW), TransportFailure, "http_timeout"),
    (NoAnswer("no", "tls_failed", NOW), TransportFailure, "tls_failed"),
    (
        json_response({"error": "invalid_token"}, status=401),
        ProtocolViolation,
        "http_status_unexpected: found 401",
    ),
    (json_response(b"<html>", status=503), ProtocolViolation, "http_status_unexpected: found 503"),
    (json_response({}, status=302), ProtocolViolation, "http_redirect_refused: found 302"),
    (
        HttpResponse(401, (("www-authenticate", CHALLENGE),), b"", NOW),
        ProviderError,
        "provider_error: found 'invalid_token', status 401, the provider says 'revoked'",
    ),
    (
        json_response({"sub": SUB}, content_type="text/plain"),
        ProtocolViolation,
        "content_type_unexpected: found 'text/plain'",
    ),
    (
        json_response(b"a.b.c", content_type="application/jwt"),
        ProtocolViolation,
        "content_type_unexpected (userinfo_signed_response_alg): found 'application/jwt'",
    ),
    (json_response(b"{"), ProtocolViolation, "json_malformed"),
    (json_response(b"[]"), ProtocolViolation, "json_not_object"),
    (json_response(b'{"sub":"a","sub":"a"}'), ProtocolViolation, "json_member_duplicated"),
    (json_response({}), ProtocolViolation, "sub_missing"),
    (json_response({"sub": None}), ProtocolViolation, "sub_missing"),
]


@pytest.mark.req("OIDCC-5.3.2-04", "OIDCC-5.3.2-05")
@pytest.mark.parametrize(("answer", "kind", "note"), UNOBTAINABLE)
def test_userinfo_that_cannot_be_had_undoes_a_login_only_where_it_is_required(
    answer: Any, kind: Any, note: str
) -> None:
    """I12, J04."""
    logged_in = done(resume(OPTIONAL, awaiting_userinfo(OPTIONAL), answer))
    assert (logged_in.userinfo, logged_in.identity.subject) == (None, SUB)
    assert len(logged_in.notes) == 1
    assert logged_in.notes[0].startswith(f"userinfo: {note}")
    assert logged_in.evidence.userinfo is None
    assert len(logged_in.evidence.each) == 2

    step = awaiting_userinfo(ASKING)
    refused(kind, note.partition(":")[0].partition(" ")[0], lambda: resume(ASKING, step, answer))


def test_userinfo_is_asked_for_where_there_is_some() -> None:
    none: dict[str, Any] = {"userinfo_endpoint": None}
    without = relying_party(provider=none)
    assert done(after_tokens(without)).userinfo is None
    required = relying_party(provider=none, policy=Policy(userinfo="required"))
    error = refused(UsageError, "unsupported_by_provider", lambda: after_tokens(required, BARE))
    assert error.about == "userinfo_endpoint"


def jwt(token: str) -> HttpResponse:
    return json_response(token.encode(), content_type="application/jwt")


def userinfo_claims(**changes: Any) -> dict[str, object]:
    return {"sub": SUB, "iss": ISSUER, "aud": CLIENT_ID, **changes}


@pytest.mark.req("OIDCC-5.3.4-02", "OIDCC-5.3.2-06")
def test_signed_userinfo_is_verified_with_the_provider_s_keys() -> None:
    """J03."""
    step = resume(SIGNED, awaiting_userinfo(SIGNED), jwt(signed(userinfo_claims(name="A"))))
    assert isinstance(step, NeedKeys)
    assert step.wanted.source == "solicited"
    logged_in = done(with_keys(SIGNED, step))

    assert logged_in.claims["name"] == "A"
    assert logged_in.evidence.userinfo is not None
    assert logged_in.evidence.userinfo.alg == "ES256"
    assert logged_in.evidence.userinfo.key_thumbprint != ""


CONTRADICTIONS: Final = frozenset({"sub_mismatch", "iss_mismatch", "aud_mismatch"})


@pytest.mark.req("OIDCC-5.3.4-02", "OIDCC-5.3.2-06")
@pytest.mark.parametrize(
    ("token", "code"),
    [
        (unsigned(userinfo_claims(), alg="none"), "alg_not_allowed"),
        (signed(userinfo_claims(), mac_key()), "alg_not_allowed"),
        (signed(userinfo_claims(), signing_key("RS256")), "alg_not_allowed"),
        (signed(userinfo_claims(), signing_key(slot="evil")), "signature_invalid"),
        (signed(userinfo_claims(iss=OTHER_ISSUER)), "iss_mismatch"),
        (signed(userinfo_claims(aud="other")), "aud_mismatch"),
        (signed(userinfo_claims(sub="Bob")), "sub_mismatch"),
        (signed(userinfo_claims(exp=NOW - 60)), "exp_expired"),
        (signed(userinfo_claims(nbf=NOW + 61)), "nbf_in_future"),
        (signed(claims_for(NONCE)), "claim_forbidden"),
        (signed(userinfo_claims(), typ="at+jwt"), "typ_unexpected"),
        (signed(userinfo_claims(), typ="logout+jwt"), "typ_unexpected"),
        ("{}", "jws_malformed"),
        ("é.é.é", "jws_malformed"),
    ],
)
def test_signed_userinfo_that_does_not_hold_is_not_used(token: str, code: str) -> None:
    """J03, D30."""
    strict = evolve(SIGNED, policy=Policy(userinfo="required"))
    for rp, ends in ((strict, True), (SIGNED, code in CONTRADICTIONS)):
        step = resume(rp, awaiting_userinfo(rp), jwt(token))
        assert isinstance(step, NeedKeys)
        if ends:
            refused(ProtocolViolation, code, partial(resume, rp, step, keys()))
        else:
            logged_in = done(resume(rp, step, keys()))
            assert logged_in.userinfo is None
            assert logged_in.notes[0].startswith(f"userinfo: {code}")


def test_signed_userinfo_is_looked_up_in_newer_keys_once() -> None:
    """A key that came a moment ago: the set is asked for again, and then nothing is."""
    token = signed(userinfo_claims(name="A"))
    step = resume(SIGNED, awaiting_userinfo(SIGNED), jwt(token))
    assert isinstance(step, NeedKeys)
    again = resume(SIGNED, step, keys(parse_key_set(JsonObject({"keys": ()})), fetched_at=NOW - 99))
    assert isinstance(again, AwaitingUserInfoKeys)
    assert again.wanted.newer_than == NOW - 99
    assert done(resume(SIGNED, again, keys())).claims["name"] == "A"


def test_signed_userinfo_without_keys_undoes_a_login_only_where_it_is_required() -> None:
    step = resume(SIGNED, awaiting_userinfo(SIGNED), jwt(signed(userinfo_claims())))
    assert isinstance(step, NeedKeys)
    logged_in = done(resume(SIGNED, step, KeysWithheld("throttled")))
    assert logged_in.notes == ("userinfo: keys_unavailable: found 'throttled'",)
    assert logged_in.userinfo is None

    needed = relying_party(
        client={"userinfo_signed_response_alg": "ES256"}, policy=Policy(userinfo="required")
    )
    last = resume(needed, awaiting_userinfo(needed), jwt(signed(userinfo_claims())))
    assert isinstance(last, NeedKeys)
    error = refused(
        TransportFailure,
        "keys_unavailable",
        lambda: resume(needed, last, KeysWithheld("throttled")),
    )
    assert isinstance(error, TransportFailure)
    assert (error.found, error.sent) == ("throttled", "no")


@pytest.mark.req("OIDCC-5.3.2-06")
def test_userinfo_with_a_mac_is_verified_with_the_client_s_secret() -> None:
    rp = relying_party(client={"userinfo_signed_response_alg": "HS256"})
    step = awaiting_userinfo(rp)
    logged_in = done(resume(rp, step, jwt(signed(userinfo_claims(), mac_key()))))
    assert logged_in.evidence.userinfo is not None
    assert logged_in.evidence.userinfo.alg == "HS256"


# --- encrypted -----------------------------------------------------------------------------------


def encrypting(kind: str, **client: Any) -> RelyingParty:
    registered = {
        f"{kind}_encrypted_response_alg": ECDH.alg,
        f"{kind}_encrypted_response_enc": ECDH.enc,
    }
    return relying_party(
        client={**registered, **client},
        decrypter=ClientDecrypter(P256, client_secrets={(ISSUER, CLIENT_ID): SECRET}),
    )


def test_the_decrypted_id_token_is_what_is_kept() -> None:
    rp = encrypting("id_token")
    token = signed(claims_for(NONCE))
    step = with_keys(rp, going_on(rp, encrypted(token)))
    assert isinstance(step, AwaitingUserInfo)
    logged_in = step.logged_in
    assert logged_in.id_token.raw == logged_in.tokens.id_token == token
    assert logged_in.evidence.id_token.notes == ("decrypted: ECDH-ES+A128KW A128GCM",)
    refused(ProtocolViolation, "encryption_missing", lambda: going_on(rp, token))


@pytest.mark.req("OIDCC-5.3.2-07")
def test_userinfo_that_is_encrypted_and_not_signed_is_decrypted() -> None:
    rp = encrypting("userinfo")
    plain = '{"sub":"' + SUB + '","name":"A"}'
    logged_in = done(resume(rp, awaiting_userinfo(rp), jwt(encrypted(plain, cty="json"))))
    assert logged_in.claims["name"] == "A"
    evidence = logged_in.evidence.userinfo
    assert evidence is not None
    assert (evidence.jws, evidence.checked_at) == (None, NOW)
    assert evidence.notes == ("cty", "decrypted: ECDH-ES+A128KW A128GCM")
    assert "encryption" not in dict(evidence.skipped)
    step = awaiting_userinfo(rp)
    other = jwt(encrypted('{"sub":"Bob"}'))
    refused(ProtocolViolation, "sub_mismatch", lambda: resume(rp, step, other))
    damaged = jwt(encrypted(plain)[:-4] + "AAAA")
    assert done(resume(rp, step, damaged)).notes == ("userinfo: decryption_failed",)


def test_userinfo_that_is_encrypted_and_signed_is_decrypted_and_verified() -> None:
    rp = encrypting("userinfo", userinfo_signed_response_alg="ES256")
    answer = jwt(encrypted(signed(userinfo_claims(name="A"))))
    logged_in = done(with_keys(rp, resume(rp, awaiting_userinfo(rp), answer)))
    assert logged_in.claims["name"] == "A"
    evidence = logged_in.evidence.userinfo
    assert evidence is not None
    assert evidence.jws is not None
    assert evidence.jws.encryption == Encryption("ECDH-ES+A128KW", "A128GCM")
    assert evidence.notes == ("decrypted: ECDH-ES+A128KW A128GCM",)


# --- values --------------------------------------------------------------------------------------


def test_what_waits_for_userinfo_is_a_value_and_shows_no_secret() -> None:
    step = awaiting_userinfo(OPTIONAL)
    assert pickle.loads(pickle.dumps(step)) == step
    for secret in (ACCESS_TOKEN, NONCE, step.logged_in.id_token.raw):
        assert secret not in repr(step)
    assert isinstance(after_tokens(PLAIN), Done)


def test_the_standard_claims_are_typed_and_those_of_the_id_token_win() -> None:
    step = awaiting_userinfo(OPTIONAL, name="Alice", locale=5)
    answer = {"sub": SUB, "name": "Bob", "email": "a@rp.example", "email_verified": True}
    logged_in = done(resume(OPTIONAL, step, json_response(answer)))
    assert (logged_in.name, logged_in.locale) == ("Alice", None)
    assert logged_in.email == ("a@rp.example", True)
    assert logged_in.userinfo is not None
    assert (logged_in.userinfo.name, logged_in.id_token.email) == ("Bob", None)
    assert json.loads(json.dumps(logged_in.claims.plain())) == logged_in.claims
