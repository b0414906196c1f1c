"""The authentication request: every parameter as the specification has it, and no other way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from oidc_core.endpoints.authorization import (
    AuthenticationRequest,
    authorization_url,
    pending_login,
)
from oidc_core.jose.pkce import challenge_s256
from oidc_core.model.claims import IdToken
from oidc_core.model.pending import LoginSecrets
from oidc_core.model.policy import Policy
from oidc_core.model.provider import ANY_TENANT, RESERVED_PARAMETERS, IssuerRule
from oidc_core.operations.discovery import parse_metadata
from oidc_core.wire.errors import ProtocolViolation, UsageError
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
    json_response,
    query_of,
    refused,
    relying_party,
    secrets,
    started,
)
from tests.signing import SECRET, signed

if TYPE_CHECKING:
    from oidc_core.model.relying_party import RelyingParty


def sent(rp: RelyingParty = RP, **request: Any) -> dict[str, str]:
    """The parameters of a request, each of which has to be there once."""
    pairs = query_of(started(rp, **request).url)
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


def invalid(about: str, **request: Any) -> None:
    error = refused(UsageError, "parameter_invalid", lambda: started(**request))
    assert error.about == about


def json_object(members: object) -> JsonObject:
    value = frozen_json(members)
    assert isinstance(value, JsonObject)
    return value


@pytest.mark.req(
    "OIDCC-3.1.2.1-03",
    "OIDCC-3.1.2.1-04",
    "OIDCC-3.1.2.1-05",
    "OIDCC-3.1.2.1-07",
    "OIDCC-3.1.2.1-08",
    "MRT-2.1-01",
    "MRT-2.1-02",
    "RFC6749-3.1.2.3-01",
    "RFC6749-4.1.1-01",
    "RFC7636-4.2-01",
    "RFC7636-4.3-01",
    "RFC7636-5-01",
    "RFC9700-2.1.1-01",
    "RFC9700-2.1.2-01",
    "RFC6749-4.2-01",
    "OAUTH21-10.1-01",
)
def test_a_plain_request_has_these_parameters_and_no_others() -> None:
    """C02, C03."""
    secret = secrets()

    assert sent() == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": "openid",
        "state": secret.state,
        "nonce": secret.nonce,
        "code_challenge": challenge_s256(secret.code_verifier),
        "code_challenge_method": "S256",
    }


@pytest.mark.req("RFC7636-4.1-01", "RFC9700-2.1.1-02", "RFC9700-2.1.1-03", "OIDCC-3.1.2.1-09")
def test_each_login_has_secrets_of_its_own() -> None:
    """C04."""
    logins = [started(seed=seed).pending for seed in range(200)]
    for name in ("id", "state", "nonce", "code_verifier", "binding_digest"):
        assert len({getattr(login, name) for login in logins}) == len(logins)


@pytest.mark.req("OIDCC-3.1.2.1-09", "RFC7636-4.1-01")
@pytest.mark.parametrize("name", ["state", "nonce", "code_verifier", "binding"])
@pytest.mark.parametrize("value", ["", "x" * 42, "x" * 129, "x" * 42 + "=", "x" * 42 + "\n"])
def test_secrets_that_are_short_or_malformed_are_refused(name: str, value: str) -> None:
    """A17."""
    refused(UsageError, "entropy_failure", lambda: evolve(secrets(), **{name: value}))


def test_secrets_that_are_alike_are_refused() -> None:
    """A17, C04."""
    one = "x" * 43
    refused(
        UsageError,
        "entropy_failure",
        lambda: LoginSecrets(state=one, nonce=one, code_verifier="y" * 43, binding="z" * 43),
    )


@pytest.mark.req("RFC7636-4.5-01", "RFC6749-2.3.1-03", "RFC6749-10.8-01")
def test_no_secret_but_state_and_nonce_is_in_the_url() -> None:
    """C09."""
    secret = secrets()
    hint = signed(claims_for("n"))
    login = started(id_token_hint=hint, login_hint="alice", return_to="/private", prompt="login")

    for hidden in (secret.code_verifier, secret.binding, SECRET, "/private"):
        assert hidden not in login.url
    for hidden in (secret.code_verifier, secret.binding, secret.state, secret.nonce):
        assert hidden not in repr(login)


@pytest.mark.req("RFC7636-4.2-02", "RFC7636-7.2-01", "RFC8414-2-02")
@pytest.mark.parametrize("methods", [(), ("plain",), ("S256",)])
def test_pkce_is_used_whatever_the_metadata_says(methods: tuple[str, ...]) -> None:
    """C02, B14."""
    parameters = sent(relying_party(provider={"code_challenge_methods_supported": methods}))
    assert parameters["code_challenge_method"] == "S256"
    assert len(parameters["code_challenge"]) == 43


@pytest.mark.req("OAUTH21-4.1.1-01")
def test_only_a_named_quirk_leaves_pkce_out_and_then_the_nonce_is_needed() -> None:
    rp = relying_party(policy=Policy(quirks=frozenset({"omit_pkce"})))

    assert {"code_challenge", "code_challenge_method"}.isdisjoint(sent(rp))
    assert sent(rp)["nonce"] == secrets().nonce
    both = frozenset({"omit_pkce", "nonce_not_echoed"})
    refused(UsageError, "config_invalid", lambda: Policy(quirks=both))


@pytest.mark.req("OIDCC-3.1.2.1-18", "RFC6749-3.1-02")
@pytest.mark.parametrize("name", sorted(RESERVED_PARAMETERS))
def test_further_parameters_do_not_replace_those_of_the_protocol(name: str) -> None:
    """C03, C05."""
    error = refused(
        UsageError, "parameter_reserved", lambda: AuthenticationRequest(extra=((name, "x"),))
    )
    assert error.about == name


def test_the_parameters_of_the_protocol_are_reserved() -> None:
    """C05."""
    assert {*sent()} <= RESERVED_PARAMETERS
    assert {"prompt", "request", "request_uri", "response_mode"} <= RESERVED_PARAMETERS


@pytest.mark.req("OIDCC-3.1.2.1-18", "RFC6749-3.1-02")
def test_further_parameters_are_sent_once() -> None:
    assert sent(extra=(("foo", "b r&x=1"),))["foo"] == "b r&x=1"
    invalid("foo", extra=(("foo", "1"), ("foo", "2")))
    twice = query_of(started(extra=(("audience", "a"), ("audience", "b"))).url)
    assert [value for name, value in twice if name == "audience"] == ["a", "b"]


@pytest.mark.req("OIDCC-13.1-01", "RFC6749-B-01", "OIDCC-3.1.2.1-15", "OIDCC-3.1.2.1-04")
@pytest.mark.parametrize("value", ["a&state=x", "a#b", "ä€𝄞", "a+b c", "%41", "x\r\nHost: y", "=?"])
def test_values_are_encoded_so_that_they_stay_one_value(value: str) -> None:
    """C06."""
    login = started(login_hint=value)
    assert dict(query_of(login.url))["login_hint"] == value
    assert login.url.isascii()
    assert not {*"#\r\n "} & {*login.url}
    rp = relying_party(client={"client_id": "client&state=1+%"})
    assert sent(rp)["client_id"] == "client&state=1+%"


@pytest.mark.req("OIDCC-13.1-01", "RFC6749-3.1-01", "OIDCD-3-03")
def test_the_endpoint_keeps_its_own_query() -> None:
    """C06."""
    rp = relying_party(provider={"authorization_endpoint": f"{ISSUER}/authorize?a=1&b"})
    url = started(rp).url
    assert url.startswith(f"{ISSUER}/authorize?a=1&b&response_type=code&")
    assert url.count("?") == 1


@pytest.mark.req("RFC6749-3.1-02")
@pytest.mark.parametrize(
    "query", ["a=1&state=x", "state", "st%61te=x", "scope=", "prompt=none", "code_challenge=x"]
)
def test_an_endpoint_that_sets_a_parameter_itself_is_refused(query: str) -> None:
    """C06."""
    document = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize?{query}",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/jwks",
    }
    error = refused(
        ProtocolViolation,
        "metadata_endpoint_invalid",
        lambda: parse_metadata(json_response(document), rule=IssuerRule.exact(ISSUER)),
    )
    assert error.about == "authorization_endpoint"


@pytest.mark.req("OIDCC-3.1.2-01", "RFC6749-3.1-01")
@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("http://op.example/authorize", "url_scheme_not_allowed"),
        ("http://127.0.0.1/authorize", "url_scheme_not_allowed"),
        (f"{ISSUER}/authorize#f", "url_invalid"),
        ("javascript:alert(1)", "url_invalid"),
        ("https://a@op.example/authorize", "url_userinfo_not_allowed"),
        ("--x", "url_invalid"),
    ],
)
def test_an_endpoint_that_is_no_https_url_is_refused(endpoint: str, code: str) -> None:
    refused(UsageError, code, lambda: relying_party(provider={"authorization_endpoint": endpoint}))


def test_without_an_endpoint_no_login_starts() -> None:
    rp = relying_party(provider={"authorization_endpoint": None})
    refused(UsageError, "unsupported_by_provider", lambda: started(rp))


@pytest.mark.req("OIDCC-3.1.2.1-05")
def test_the_redirect_uri_is_one_that_is_registered_byte_for_byte() -> None:
    """C07, C08."""
    registered = ("https://RP.example:443/cb/", "com.example.app:/cb", "http://127.0.0.1:8000/cb")
    rp = relying_party(client={"redirect_uris": registered})

    assert sent(rp)["redirect_uri"] == registered[0]
    for uri in registered:
        assert sent(rp, redirect_uri=uri)["redirect_uri"] == uri
        assert started(rp, redirect_uri=uri).pending.redirect_uri == uri
    for uri in ("https://rp.example/cb/", "https://RP.example:443/cb", "https://evil.example/"):
        refused(UsageError, "parameter_invalid", partial(started, rp, redirect_uri=uri))


@pytest.mark.req("OIDCC-3.1.2.1-06", "RFC6749-10.5-01")
@pytest.mark.parametrize("uri", ["http://rp.example/cb", "https://rp.example/cb#f", "/cb", "cb"])
def test_a_redirect_uri_is_https_or_loopback_or_private(uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        relying_party(client={"redirect_uris": (uri,)})
    assert caught.value.code in {"url_scheme_not_allowed", "url_invalid"}


@pytest.mark.req("OIDCC-3.1.2.1-02", "OIDCC-5.4-02", "OIDCD-3-10")
def test_the_scope_is_sent_as_given() -> None:
    rp = relying_party(provider={"scopes_supported": ("openid",)})
    assert sent(rp, scope="profile openid custom:x")["scope"] == "profile openid custom:x"
    assert sent(relying_party(client={"scope": "openid email"}))["scope"] == "openid email"


@pytest.mark.req("OIDCC-3.1.2.1-02", "OIDCC-5.4-02", "RFC6749-3.3-01", "OIDCC-14-02")
@pytest.mark.parametrize(
    "scope",
    [
        "profile",
        "OpenID",
        "openid  profile",
        " openid",
        "openid ",
        "openid\tprofile",
        'openid "x"',
        "openid a\\b",
        "openid é",
        "openid\n",
        "openid,profile",
    ],
)
def test_a_scope_without_openid_or_outside_the_grammar_is_refused(scope: str) -> None:
    invalid("scope", scope=scope)
    refused(UsageError, "config_invalid", lambda: relying_party(client={"scope": scope}))


@pytest.mark.req("OIDCC-3.1.2.1-11", "OIDCC-14-02")
def test_prompts_are_a_list_and_unknown_ones_pass() -> None:
    assert sent(prompt="login consent")["prompt"] == "login consent"
    assert "prompt=login%20consent" in started(prompt="login consent").url
    assert sent(prompt="select_account x-custom")["prompt"] == "select_account x-custom"


@pytest.mark.req("OIDCC-3.1.2.1-10", "PROMPTCREATE-4-01")
@pytest.mark.parametrize(
    "prompt", ["none login", "login none", "none none", "create login", "none "]
)
def test_none_and_create_stand_alone(prompt: str) -> None:
    invalid("prompt", prompt=prompt)
    for alone in ("none", "create"):
        assert sent(prompt=alone)["prompt"] == alone


@pytest.mark.req("OIDCC-14-02", "OIDCC-3.1.2.1-16", "OIDCC-5.2-03")
@pytest.mark.parametrize("name", ["prompt", "ui_locales", "claims_locales", "acr_values"])
@pytest.mark.parametrize("value", ["a  b", " a", "a ", "a\tb", "a\nb", "é"])
def test_a_list_has_single_spaces(name: str, value: str) -> None:
    invalid(name, **{name: value})


@pytest.mark.req("OIDCC-3.1.2.1-16", "OIDCC-5.2-03")
def test_lists_keep_their_order() -> None:
    parameters = sent(ui_locales="fr-CA fr en", claims_locales="de en", acr_values="b a")
    assert (parameters["ui_locales"], parameters["claims_locales"]) == ("fr-CA fr en", "de en")
    assert parameters["acr_values"] == "b a"


@pytest.mark.req("OIDCC-3.1.2.1-12")
def test_a_max_age_of_zero_is_sent() -> None:
    assert sent(max_age=0)["max_age"] == "0"
    assert sent(max_age=300)["max_age"] == "300"
    assert "max_age" not in sent()
    assert started(max_age=300).pending.max_age == 300
    for odd in (-1, True, False, 2**53, 1.5, 300.0):
        invalid("max_age", max_age=odd)


@pytest.mark.req("OIDCC-3.1.2.1-12")
@pytest.mark.parametrize("max_age", [None, 0, 300])
def test_prompt_login_asks_for_what_can_be_verified(max_age: int | None) -> None:
    login = started(prompt="consent login", max_age=max_age)
    assert dict(query_of(login.url))["max_age"] == "0"
    assert login.pending.max_age == 0
    assert "max_age" not in sent(prompt="consent")


def test_display_is_one_of_four() -> None:
    for display in ("page", "popup", "touch", "wap"):
        assert sent(display=display)["display"] == display
    assert "display" not in sent()
    invalid("display", display="Page")


@pytest.mark.req("OIDCC-3.1.2.1-08", "MRT-2.1-02")
def test_the_response_mode_is_sent_unless_it_is_the_default() -> None:
    """C21."""
    assert "response_mode" not in sent(response_mode="query")
    login = started(response_mode="form_post")
    assert dict(query_of(login.url))["response_mode"] == "form_post"
    assert login.pending.response_mode == "form_post"
    invalid("response_mode", response_mode="fragment")


def test_a_link_names_its_account_and_a_login_does_not() -> None:
    """A12."""
    pending = started(account="user-1").pending
    assert pending.account == "user-1"
    assert started().pending.account == ""


def test_a_required_class_is_asked_for_first_and_compared() -> None:
    login = started(required_acr=("gold", "silver"), acr_values="bronze")
    assert dict(query_of(login.url))["acr_values"] == "gold silver bronze"
    assert login.pending.required_acr == ("gold", "silver")
    assert started(acr_values="bronze").pending.required_acr == ()
    invalid("acr_values", required_acr=("two words ",))


@pytest.mark.req("OIDCC-5.5.1.1-01")
@pytest.mark.parametrize(
    ("acr", "required"),
    [
        ({"essential": True, "values": ["a", "b", 5]}, ("a", "b")),
        ({"essential": True, "value": "a"}, ("a",)),
        ({"essential": True, "value": 5, "values": "a"}, ()),
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
    assert started(claims=claims).pending.required_acr == required
    named = started(claims=claims, required_acr=("z",)).pending
    assert named.required_acr == ("z",)


@pytest.mark.req("OIDCC-5.5-01", "OIDCC-5.5.2-01", "OIDCC-5.5.1-01")
def test_claims_are_asked_for_as_json() -> None:
    wanted = {
        "userinfo": {"name#ja-Kana-JP": None, "email": {"essential": True}},
        "id_token": {"auth_time": {"essential": True}, "nick": None, "x": {"value": "é"}},
        "other": "kept",
    }
    login = started(claims=json_object(wanted))
    value = dict(query_of(login.url))["claims"]
    assert value.isascii()
    assert "\\u00e9" in value
    assert login.pending.essential_claims == ("auth_time",)
    assert started(claims=json_object({"userinfo": None})).pending.essential_claims == ()


@pytest.mark.req("OIDCC-5.5.1-01")
@pytest.mark.parametrize(
    "claims",
    [{"id_token": "name"}, {"id_token": {"name": "x"}}, {"userinfo": []}, {"userinfo": {"a": 1}}],
)
def test_a_claim_is_asked_for_by_null_or_an_object(claims: object) -> None:
    invalid("claims", claims=json_object(claims))


@pytest.mark.req("RFC8707-2-01")
def test_resources_are_absolute_uris_and_may_be_several() -> None:
    login = started(resource=("https://api.example/a?b", "urn:x:y"))
    pairs = [value for name, value in query_of(login.url) if name == "resource"]
    assert pairs == ["https://api.example/a?b", "urn:x:y"]
    assert login.pending.resource == ("https://api.example/a?b", "urn:x:y")
    for odd in ("/api", "https://api.example/#f", "", "a b:c", "urn:é"):
        refused(
            UsageError,
            "parameter_invalid",
            partial(AuthenticationRequest, resource=(odd,)),
        )


@pytest.mark.req("OIDCC-3.1.2.1-13", "OIDCC-5.5.1-02")
def test_whoever_is_hinted_at_is_expected() -> None:
    """A21, A22."""
    raw = signed(claims_for("n"))
    typed = IdToken(json_object(claims_for("n")), raw)

    for hint in (raw, typed):
        login = started(id_token_hint=hint, prompt="none")
        assert dict(query_of(login.url))["id_token_hint"] == raw
        assert login.pending.expected_sub == SUB
    assert started().pending.expected_sub is None
    assert "id_token_hint" not in sent(prompt="none")
    by_value = json_object({"id_token": {"sub": {"value": "Bob"}}})
    assert started(claims=by_value).pending.expected_sub == "Bob"
    odd = json_object({"id_token": {"sub": {"value": 5}}})
    assert started(claims=odd).pending.expected_sub is None
    assert started(expected_sub="Carol", id_token_hint=raw).pending.expected_sub == "Carol"
    invalid("expected_sub", expected_sub="")


def test_whoever_is_hinted_at_is_expected_at_his_own_tenant() -> None:
    pattern = "https://login.example/{tid}/v2.0"
    rule = IssuerRule.template(pattern, tenants=ANY_TENANT)
    rp = relying_party(provider={"issuer": pattern}, rule=rule)
    tenant = "https://login.example/t1/v2.0"
    raw = signed(claims_for("n", iss=tenant, tid="t1"))

    pending = started(rp, id_token_hint=raw).pending
    assert (pending.expected_sub, pending.expected_iss) == (SUB, tenant)
    pending = started(rp, id_token_hint=raw, expected_sub="Carol").pending
    assert (pending.expected_sub, pending.expected_iss) == ("Carol", tenant)
    assert started(id_token_hint=signed(claims_for("n"))).pending.expected_iss is None


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
    """A22: otherwise anybody might come back; an encrypted one has to be decrypted first."""
    invalid("id_token_hint", id_token_hint=hint)


@pytest.mark.req("RFC9207-2.4-05", "RFC9207-3-01")
@pytest.mark.parametrize("promised", [None, True, False])
def test_everything_the_callback_is_compared_with_is_written_down(promised: bool | None) -> None:
    """A18, B15, B28."""
    announced = (
        {} if promised is None else {"authorization_response_iss_parameter_supported": promised}
    )
    rp = relying_party(provider=announced, client={"connection_id": "tenant-7"})
    request = AuthenticationRequest(scope="openid x", return_to="/next")

    pending = pending_login(rp, request, secrets(), NOW)

    assert (pending.issuer, pending.client_id, pending.connection_id) == (
        ISSUER,
        CLIENT_ID,
        "tenant-7",
    )
    assert (pending.scope, pending.return_to, pending.created_at) == ("openid x", "/next", NOW)
    assert (pending.policy, pending.endpoints_digest) == ("default", rp.endpoints_digest)
    assert pending.expects_iss is (promised is True)
    assert authorization_url(rp, request, pending).startswith(f"{ISSUER}/authorize?")
    assert secrets().binding not in repr(pending)


@pytest.mark.parametrize(
    ("about", "request_of"),
    [
        ("return_to", {"return_to": "/\ud800"}),
        ("account", {"account": "\udfff"}),
        ("expected_sub", {"expected_sub": "\udfff"}),
    ],
)
def test_what_no_store_could_keep_is_refused_at_the_start(about: str, request_of: Any) -> None:
    with pytest.raises(UsageError) as caught:
        AuthenticationRequest(**request_of)
    assert (caught.value.code, caught.value.about) == ("parameter_invalid", about)
