"""The record at the start of a login: its demands, and the facts that its callback must fit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from attrs import asdict

from oidc_core.endpoints.authorization import (
    DEFAULT_REQUEST,
    AuthenticationRequest,
    demands_of,
    pending_login,
)
from oidc_core.model.claims import IdToken
from oidc_core.model.connection import Connection
from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
from oidc_core.model.issuer_rule import ANY_TENANT, IssuerRule
from oidc_core.model.pending import PendingLogin, binding_digest_of, pending_id_of
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import UsageError
from oidc_core.wire.jsontypes import JsonObject, frozen_json
from tests.parties import (
    CLIENT_ID,
    ISSUER,
    NOW,
    OTHER_ISSUER,
    REDIRECT_URI,
    RP,
    SUB,
    claims_for,
    query_of,
    refused,
    relying_party,
    secrets,
    started,
)
from tests.signing import signed

if TYPE_CHECKING:
    from oidc_core.model.relying_party import RelyingParty


def demanded(rp: RelyingParty = RP, **request: Any) -> Demands:
    return waiting(rp, **request).demands


def waiting(rp: RelyingParty = RP, **request: Any) -> PendingLogin:
    return pending_login(rp, AuthenticationRequest(**request), secrets(), NOW)


def invalid(about: str, rp: RelyingParty = RP, **request: Any) -> UsageError:
    error = refused(UsageError, "parameter_invalid", partial(demanded, rp, **request))
    assert isinstance(error, UsageError)
    assert error.about == about
    return error


def json_object(members: object) -> JsonObject:
    value = frozen_json(members)
    assert isinstance(value, JsonObject)
    return value


# --- demands -------------------------------------------------------------------------------------


def test_a_plain_request_demands_its_nonce_and_its_scope() -> None:
    assert demanded() == Demands(nonce=secrets().nonce, started_at=NOW, scope="openid")


def test_everything_that_is_demanded_is_written_down_once() -> None:
    hint = signed(claims_for("n"))
    claims = json_object({"id_token": {"nick": {"essential": True}}})
    assert demanded(
        scope="openid email",
        max_age=300,
        required_acr=("gold",),
        claims=claims,
        id_token_hint=hint,
        resource=("urn:a", "urn:b"),
        nonce="own",
    ) == Demands(
        nonce="own",
        started_at=NOW,
        max_age=300,
        required_acr=("gold",),
        essential_claims=("nick",),
        sub=SUB,
        scope="openid email",
        resource=("urn:a", "urn:b"),
    )


def test_a_grant_without_a_browser_demands_that_no_nonce_comes() -> None:
    demands = demands_of(RP, DEFAULT_REQUEST, EXPECT_NO_NONCE, NOW)
    assert demands == Demands(nonce=EXPECT_NO_NONCE, started_at=NOW, scope="openid")


@pytest.mark.req("OIDCC-3.1.2.1-09")
def test_the_nonce_is_the_application_s_own_or_fresh() -> None:
    assert demanded(nonce="own").nonce == "own"
    assert demanded().nonce == secrets().nonce


@pytest.mark.req("OIDCC-3.1.2.1-09", "OAUTH21-4.1.1-01")
def test_a_nonce_that_stands_alone_cannot_be_guessed() -> None:
    """C04: without PKCE nothing else ties the code to the login."""
    rp = relying_party(policy=Policy(quirks=frozenset({"omit_pkce"})))

    error = invalid("nonce", rp, nonce="x" * 21)
    assert (error.found, error.expected) == (21, "from 22 characters without PKCE")
    assert demanded(rp, nonce="x" * 22).nonce == "x" * 22
    assert demanded(rp).nonce == secrets().nonce


@pytest.mark.req("OIDCC-3.1.2.1-02", "OIDCC-5.4-02", "OIDCC-14-02")
@pytest.mark.parametrize("scope", ["profile", "OpenID", "openid,profile", "xopenid openidx"])
def test_a_scope_without_openid_is_refused(scope: str) -> None:
    for error in (
        invalid("scope", scope=scope),
        invalid("scope", relying_party(client={"scope": scope})),
    ):
        assert (error.found, error.expected) == (scope, "openid")


def test_the_scope_is_the_client_s_unless_the_login_says_otherwise() -> None:
    rp = relying_party(client={"scope": "openid email"})
    assert demanded(rp).scope == "openid email"
    assert demanded(rp, scope="profile openid").scope == "profile openid"
    none = relying_party(client={"scope": ""})
    assert invalid("scope", none).expected == "openid"
    assert demanded(none, scope="openid").scope == "openid"


@pytest.mark.req("OIDCC-3.1.2.1-12")
def test_a_max_age_is_demanded_as_it_is_sent() -> None:
    for max_age in (None, 0, 300):
        assert demanded(max_age=max_age).max_age == max_age


@pytest.mark.req("OIDCC-3.1.2.1-12")
@pytest.mark.parametrize("max_age", [None, 0, 300])
def test_prompt_login_demands_what_can_be_verified(max_age: int | None) -> None:
    assert demanded(prompt="consent login", max_age=max_age).max_age == (max_age or 0)
    assert demanded(prompt="consent", max_age=max_age).max_age == max_age
    assert demanded(prompt="x-login", max_age=max_age).max_age == max_age


def test_a_required_class_is_compared_and_a_preferred_one_is_not() -> None:
    assert demanded(required_acr=("gold", "silver"), acr_values="bronze").required_acr == (
        "gold",
        "silver",
    )
    assert demanded(acr_values="bronze").required_acr == ()


@pytest.mark.req("OIDCC-5.5.1.1-01")
@pytest.mark.parametrize(
    ("acr", "required"),
    [
        ({"essential": True, "values": ["a", "b"]}, ("a", "b")),
        ({"essential": True, "value": "a"}, ("a",)),
        ({"essential": True, "value": "a", "values": ["b"]}, ("a", "b")),
        ({"essential": True}, ()),
        ({"values": ["a"]}, ()),
        (None, ()),
    ],
)
def test_an_essential_class_asked_for_by_value_is_compared(
    acr: object, required: tuple[str, ...]
) -> None:
    """D21."""
    claims = json_object({"id_token": {"acr": acr}})
    assert demanded(claims=claims).required_acr == required
    assert demanded(claims=claims, required_acr=("z",)).required_acr == ("z",)


@pytest.mark.req("OIDCC-5.5-01", "OIDCC-5.5.1-01")
def test_only_what_is_asked_of_the_id_token_as_essential_has_to_be_there() -> None:
    wanted = {
        "userinfo": {"email": {"essential": True}},
        "id_token": {
            "auth_time": {"essential": True},
            "nick": None,
            "x": {"value": "é"},
            "y": {"essential": False},
            "z": {"values": [1, None]},
        },
    }
    assert demanded(claims=json_object(wanted)).essential_claims == ("auth_time",)
    for nothing in ({"userinfo": None}, {"id_token": None}, {}):
        assert demanded(claims=json_object(nothing)).essential_claims == ()


@pytest.mark.req("OIDCC-3.1.2.1-13", "OIDCC-5.5.1-02")
def test_a_user_who_is_hinted_at_is_expected() -> None:
    """A21, A22."""
    raw = signed(claims_for("n"))
    typed = IdToken(json_object(claims_for("n")), raw)

    for hint in (raw, typed):
        login = started(id_token_hint=hint, prompt="none")
        assert dict(query_of(login.url))["id_token_hint"] == raw
        assert login.pending.demands.sub == SUB
    assert demanded().sub is None
    assert "id_token_hint" not in dict(query_of(started(prompt="none").url))
    by_value = json_object({"id_token": {"sub": {"value": "Bob"}}})
    assert demanded(claims=by_value).sub == "Bob"
    assert demanded(claims=by_value, id_token_hint=raw).sub == SUB
    assert demanded(claims=by_value, expected_sub="Carol").sub == "Carol"
    by_list = json_object({"id_token": {"sub": {"values": ["Bob", "Bob"]}}})
    assert demanded(claims=by_list).sub == "Bob"
    of_userinfo = json_object({"userinfo": {"sub": {"value": "Bob"}}})
    assert demanded(claims=of_userinfo).sub == "Bob"
    assert demanded(claims=json_object({"id_token": {"sub": {"essential": True}}})).sub is None
    assert demanded(expected_sub="Carol", id_token_hint=raw).sub == "Carol"
    invalid("expected_sub", expected_sub="")


def test_a_user_who_is_hinted_at_is_expected_at_his_own_tenant() -> None:
    pattern = "https://login.example/{tid}/v2.0"
    rule = IssuerRule.template(pattern, tenants=ANY_TENANT)
    rp = relying_party(provider={"issuer": pattern}, rule=rule)
    tenant = "https://login.example/t1/v2.0"
    raw = signed(claims_for("n", iss=tenant, tid="t1"))

    demands = demanded(rp, id_token_hint=raw)
    assert (demands.sub, demands.sub_iss) == (SUB, tenant)
    demands = demanded(rp, id_token_hint=raw, expected_sub="Carol")
    assert (demands.sub, demands.sub_iss) == ("Carol", tenant)
    assert demanded(rp, expected_sub="Carol").sub_iss is None
    assert demanded(id_token_hint=signed(claims_for("n"))).sub_iss is None


@pytest.mark.req("OIDCC-3.1.2.1-14")
@pytest.mark.parametrize(
    "hint",
    [
        "hint",
        "a.b.c",
        "e30.e30.e30",
        "e30.e30.e30.e30.e30",
        signed(claims_for("n", iss=OTHER_ISSUER)),
        signed(claims_for("n", iss=None)),
        signed(claims_for("n", sub=None)),
        signed(claims_for("n", sub=5)),
    ],
)
def test_a_hint_that_is_no_id_token_of_this_issuer_is_refused(hint: str) -> None:
    """A22: otherwise anybody might come back; the client must first decrypt an encrypted one."""
    invalid("id_token_hint", id_token_hint=hint)


# --- what waits for the callback -----------------------------------------------------------------


@pytest.mark.req("RFC9207-2.4-05", "RFC9207-3-01")
@pytest.mark.parametrize("promised", [None, True, False])
def test_everything_the_callback_is_compared_with_is_written_down(promised: bool | None) -> None:
    """A18, B15, B28."""
    announced = (
        {} if promised is None else {"authorization_response_iss_parameter_supported": promised}
    )
    rp = relying_party(provider=announced, client={"connection_id": "tenant-7"})
    secret = secrets()

    pending = waiting(rp, scope="openid x", return_to="/next", response_mode="form_post")

    assert pending == PendingLogin(
        id=pending_id_of(secret.state),
        connection=Connection(
            issuer=ISSUER,
            client_id=CLIENT_ID,
            connection_id="tenant-7",
            endpoints_digest=rp.provider.endpoints_digest,
            policy_digest=rp.policy.digest,
        ),
        state=secret.state,
        code_verifier=secret.code_verifier,
        binding_digest=binding_digest_of(secret.binding),
        redirect_uri=REDIRECT_URI,
        response_mode="form_post",
        expects_iss=promised is True,
        demands=demanded(rp, scope="openid x"),
        return_to="/next",
    )
    assert pending.created_at == NOW
    assert secret.binding not in str(asdict(pending))


def test_a_link_names_its_account_and_a_login_does_not() -> None:
    """A12."""
    pending = waiting(account="user-1")
    assert pending.account == "user-1"
    assert waiting().account == ""


@pytest.mark.req("OIDCC-3.1.2.1-05")
def test_the_redirect_uri_is_a_registered_one() -> None:
    """C07, C08."""
    assert waiting().redirect_uri == REDIRECT_URI
    second = "https://rp.example/other?x=1"
    assert waiting(redirect_uri=second).redirect_uri == second
    for uri in ("https://rp.example/other", f"{REDIRECT_URI}/", "https://evil.example/"):
        error = refused(UsageError, "parameter_invalid", partial(waiting, redirect_uri=uri))
        assert (error.about, error.found) == ("redirect_uri", uri)


def test_a_client_without_a_redirect_uri_starts_no_login() -> None:
    """A registration for other grants may have no such types."""
    rp = relying_party(client={"redirect_uris": ()})
    for asked, found in (({}, ""), ({"redirect_uri": REDIRECT_URI}, REDIRECT_URI)):
        error = refused(UsageError, "parameter_invalid", partial(waiting, rp, **asked))
        assert (error.about, error.found) == ("redirect_uri", found)


def test_what_waits_shows_no_secret() -> None:
    secret, shown = secrets(), repr(waiting(nonce="own-nonce", expected_sub=SUB))
    hidden = (secret.state, secret.nonce, secret.code_verifier, secret.binding, "own-nonce", SUB)
    assert [value for value in hidden if value in shown] == []
