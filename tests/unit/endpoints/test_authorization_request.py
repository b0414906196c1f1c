"""The authentication request: every parameter in the form of the specification."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from oidc_core.endpoints.authorization import (
    DEFAULT_REQUEST,
    AuthenticationRequest,
    authentication_parameters,
    authorization_url,
    optional_parameters,
)
from oidc_core.jose.pkce import challenge_s256
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.pending import LoginSecrets
from oidc_core.model.policy import Policy
from oidc_core.model.provider import RESERVED_PARAMETERS
from oidc_core.operations.discovery import parse_metadata
from oidc_core.wire.errors import ProtocolViolation, UsageError
from oidc_core.wire.http import ClientSecret
from oidc_core.wire.jsontypes import JsonObject, frozen_json
from tests.parties import (
    CLIENT_ID,
    ISSUER,
    REDIRECT_URI,
    RP,
    claims_for,
    json_response,
    query_of,
    refused,
    relying_party,
    secrets,
    started,
)
from tests.signing import SECRET, signed
from tests.unit.parties import Unreadable

if TYPE_CHECKING:
    from oidc_core.model.relying_party import RelyingParty


def sent(rp: RelyingParty = RP, **request: Any) -> dict[str, str]:
    """The parameters of a request; each must be there once."""
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
    for name in ("id", "state", "code_verifier", "binding_digest"):
        assert len({getattr(login, name) for login in logins}) == len(logins)
    assert len({login.demands.nonce for login in logins}) == len(logins)


@pytest.mark.req("OIDCC-3.1.2.1-09", "RFC7636-4.1-01")
@pytest.mark.parametrize("name", ["state", "nonce", "code_verifier", "binding"])
@pytest.mark.parametrize("value", ["", "x" * 21, "x" * 129, "x" * 42 + "=", "x" * 42 + "\n"])
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


@pytest.mark.parametrize("prompt", ["login", "login consent", "select_account login"])
@pytest.mark.parametrize(("asked", "sent_"), [(None, "0"), (0, "0"), (1, "1"), (12_345, "12345")])
def test_an_explicit_max_age_is_never_replaced(prompt: str, asked: int | None, sent_: str) -> None:
    parameters = sent(prompt=prompt, max_age=asked)

    assert (parameters["prompt"], parameters["max_age"]) == (prompt, sent_)
    assert started(prompt=prompt, max_age=asked).pending.demands.max_age == int(sent_)


@pytest.mark.parametrize("prompt", ["login", "login consent", "select_account login"])
def test_reauthentication_can_be_asked_for_without_proof(prompt: str) -> None:
    assert "max_age" not in sent(prompt=prompt, reauthentication="unproven")
    demands = started(prompt=prompt, reauthentication="unproven").pending.demands
    assert (demands.max_age, demands.prompt_login) == (None, "unproven")
    explicit = started(prompt=prompt, reauthentication="unproven", max_age=5).pending.demands
    assert (explicit.max_age, explicit.prompt_login) == (5, "")
    assert started(prompt=prompt).pending.demands.prompt_login == "proven"
    assert started(reauthentication="unproven").pending.demands.prompt_login == ""


@pytest.mark.parametrize("prompt", ["", "none", "consent", "select_account", "create"])
def test_no_other_prompt_asks_for_a_max_age(prompt: str) -> None:
    assert "max_age" not in sent(prompt=prompt)


@pytest.mark.req("RFC7636-4.2-02", "RFC7636-7.2-01", "RFC8414-2-02")
@pytest.mark.parametrize("methods", [(), ("plain", "S256"), ("S256",)])
def test_pkce_is_used_whether_the_metadata_names_it_or_nothing(methods: tuple[str, ...]) -> None:
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


@pytest.mark.req("OIDCC-3.1.2.1-09")
def test_an_application_may_bring_a_nonce_of_its_own() -> None:
    for nonce in ("n", "~ !", "x" * 512):
        assert sent(nonce=nonce)["nonce"] == nonce
    assert sent(prompt="login")["nonce"] == secrets().nonce
    assert "n-0S6" not in repr(AuthenticationRequest(nonce="n-0S6_WzA2Mj"))


@pytest.mark.req("OIDCC-3.1.2.1-09")
@pytest.mark.parametrize("nonce", ["x" * 513, "a\n", "a\0", "é", "\x7f", "\t", "\u2028"])
def test_a_nonce_that_would_not_come_back_as_it_went_is_refused(nonce: str) -> None:
    error = refused(UsageError, "parameter_invalid", lambda: AuthenticationRequest(nonce=nonce))
    assert (error.about, error.found) == ("nonce", None)
    assert error.expected == "up to 512 printable ASCII characters"


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
    assert "foo" not in sent(extra=(("foo", ""),))


@pytest.mark.req("RFC6749-3.1-02")
@pytest.mark.parametrize("name", ["", "a b", "a=b", "a&state", "st%61te", "é", "a\n", "a+b", "a~"])
def test_a_further_parameter_has_a_name_that_needs_no_encoding(name: str) -> None:
    """C05: by no spelling does one become a parameter of the protocol."""
    error = refused(
        UsageError, "parameter_invalid", lambda: AuthenticationRequest(extra=((name, "x"),))
    )
    assert (error.about, error.found) == ("extra", name)
    assert sent(extra=(("x-own.a_1", "x"),))["x-own.a_1"] == "x"


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
    for operation in (partial(started, rp), partial(authorization_url, rp, ())):
        error = refused(UsageError, "unsupported_by_provider", operation)
        assert error.about == "authorization_endpoint"


def test_a_request_is_parts_before_it_is_a_url() -> None:
    claims, secret = json_object({"userinfo": {"email": None}}), secrets()
    request = AuthenticationRequest(
        claims=claims, resource=("urn:a", "urn:b"), extra=(("x", "1"), ("y", ""))
    )
    pending = started(claims=claims, resource=("urn:a", "urn:b")).pending

    plain = authentication_parameters(RP, DEFAULT_REQUEST, pending)
    parameters = authentication_parameters(RP, request, pending)

    assert plain == (
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid"),
        ("state", secret.state),
        ("nonce", secret.nonce),
        ("code_challenge", challenge_s256(secret.code_verifier)),
        ("code_challenge_method", "S256"),
    )
    assert parameters == (
        *plain,
        ("claims", claims),
        ("resource", "urn:a"),
        ("resource", "urn:b"),
        ("x", "1"),
    )
    assert authentication_parameters(RP, AuthenticationRequest(), pending)[: len(plain)] == plain
    written = dict(query_of(authorization_url(RP, parameters)))
    assert written["claims"] == '{"userinfo":{"email":null}}'


def test_what_is_asked_for_beyond_is_the_same_for_every_grant() -> None:
    request = AuthenticationRequest(
        prompt="login", response_mode="form_post", login_hint="alice", extra=(("x", "1"), ("y", ""))
    )
    demands = started(prompt="login", resource=("urn:a",)).pending.demands

    assert optional_parameters(request, demands) == (
        ("response_mode", "form_post"),
        ("prompt", "login"),
        ("max_age", 0),
        ("login_hint", "alice"),
        ("resource", "urn:a"),
        ("x", "1"),
    )
    assert optional_parameters(DEFAULT_REQUEST, started().pending.demands) == ()


@pytest.mark.req("RFC6749-2.3.1-03")
def test_no_placeholder_of_a_secret_is_written_into_a_url() -> None:
    """C09."""
    secret = ClientSecret(issuer=ISSUER, client_id=CLIENT_ID)
    error = refused(
        UsageError,
        "credential_missing",
        lambda: authorization_url(RP, (("client_secret", secret),)),
    )
    assert (error.about, error.expected) == ("ClientSecret", ISSUER)


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
        "openid  profile",
        " openid",
        "openid ",
        "openid\tprofile",
        'openid "x"',
        "openid a\\b",
        "openid é",
        "openid\n",
    ],
)
def test_a_scope_outside_the_grammar_is_refused(scope: str) -> None:
    error = refused(UsageError, "parameter_invalid", lambda: AuthenticationRequest(scope=scope))
    assert (error.about, error.found) == ("scope", scope)
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
    for odd in (-1, True, False, 2**53, 1.5, 300.0):
        invalid("max_age", max_age=odd)


@pytest.mark.req("OIDCC-3.1.2.1-12")
def test_prompt_login_asks_for_what_can_be_verified() -> None:
    assert sent(prompt="consent login")["max_age"] == "0"
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


def test_a_required_class_is_asked_for_first() -> None:
    parameters = sent(required_acr=("gold", "silver"), acr_values="bronze")
    assert parameters["acr_values"] == "gold silver bronze"
    invalid("required_acr", required_acr=("two words ",))


@pytest.mark.req("OIDCC-5.5-01", "OIDCC-5.5.2-01", "OIDCC-5.5.1-01")
def test_claims_are_asked_for_as_json() -> None:
    wanted = {
        "userinfo": {"name#ja-Kana-JP": None, "email": {"essential": True}},
        "id_token": {"auth_time": {"essential": True}, "nick": None, "x": {"value": "é"}},
        "other": "kept",
    }
    value = sent(claims=json_object(wanted))["claims"]
    assert value.isascii()
    assert "\\u00e9" in value
    assert sent(claims=json_object({"userinfo": None}))["claims"] == '{"userinfo":null}'
    assert sent(claims=json_object({}))["claims"] == "{}"


@pytest.mark.req("OIDCC-5.5.1-01")
@pytest.mark.parametrize(
    "claims",
    [{"id_token": "name"}, {"id_token": {"name": "x"}}, {"userinfo": []}, {"userinfo": {"a": 1}}],
)
def test_a_claim_is_asked_for_by_null_or_an_object(claims: object) -> None:
    invalid("claims", claims=json_object(claims))


@pytest.mark.req("OIDCC-5.5.1-01", "OIDCC-5.5.1.1-01")
@pytest.mark.parametrize("where", ["id_token", "userinfo"])
@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("acr", {"essential": True, "values": "urn:example:hardware"}),
        ("acr", {"essential": True, "values": {"urn:example:hardware": 1}}),
        ("acr", {"essential": True, "values": []}),
        ("acr", {"essential": True, "values": None}),
        ("acr", {"essential": True, "values": [["urn:example:hardware"]]}),
        ("acr", {"essential": True, "values": ["a", 5]}),
        ("acr", {"essential": True, "values": [""]}),
        ("acr", {"essential": True, "value": ["urn:example:hardware"]}),
        ("acr", {"essential": True, "value": None}),
        ("acr", {"essential": "true", "values": ["urn:example:hardware"]}),
        ("acr", {"essential": 1}),
        ("email", {"essential": None}),
        ("email", {"essential": "yes"}),
        ("email", {"values": "a@b.example"}),
        ("email", {"values": []}),
        ("email", True),
        ("sub", {"value": 5}),
        ("sub", {"value": ["bob"]}),
        ("sub", {"value": ""}),
        ("sub", {"values": "bob"}),
        ("sub", {"values": [None]}),
    ],
)
def test_a_claim_that_would_demand_nothing_is_refused(where: str, name: str, how: object) -> None:
    error = refused(
        UsageError,
        "parameter_invalid",
        lambda: AuthenticationRequest(claims=json_object({where: {name: how}})),
    )
    assert (error.about, error.found) == ("claims", name)
    assert error.expected


@pytest.mark.parametrize(
    "claims",
    [
        {"id_token": {"sub": {"values": ["alice", "bob"]}}},
        {"id_token": {"sub": {"value": "alice", "values": ["bob"]}}},
        {"id_token": {"sub": {"value": "alice"}}, "userinfo": {"sub": {"value": "bob"}}},
    ],
)
def test_one_user_is_asked_for(claims: dict[str, Any]) -> None:
    error = refused(UsageError, "parameter_invalid", lambda: AuthenticationRequest(claims=claims))
    assert (error.about, error.found, error.expected) == ("claims", "sub", "one user")


@pytest.mark.parametrize(
    "claims",
    [
        {"id_token": {"x\ud800": {"essential": True}}},
        {"id_token": {"sub": {"value": "a\udfff"}}},
        {"id_token": {"acr": {"essential": True, "values": ["a", "\ud83d"]}}},
        {"userinfo": {"x": {"value": [{"deep": ["\udc00"]}]}}},
        {"other\ud800": 1},
    ],
)
def test_claims_are_unicode_that_a_store_keeps(claims: dict[str, Any]) -> None:
    error = refused(UsageError, "parameter_invalid", lambda: AuthenticationRequest(claims=claims))
    assert (error.about, error.expected) == ("claims", "Unicode scalar values")
    whole = {"id_token": {"\U0001f600": {"value": "\U0001f600"}}}
    assert AuthenticationRequest(claims=whole).claims == JsonObject(whole)


@pytest.mark.parametrize("name", ["id_token_hint", "expected_sub"])
def test_a_user_that_is_named_by_nothing_is_nobody(name: str) -> None:
    invalid(name, **{name: ""})


@pytest.mark.parametrize("name", ["claims", "extra"])
def test_a_mapping_that_cannot_be_read_is_refused(name: str) -> None:
    invalid(name, **{name: Unreadable()})


def test_claims_that_hold_one_list_many_times_cost_little() -> None:
    doubled: list[object] = ["x"]
    for _ in range(60):
        doubled = [doubled, doubled]

    invalid("claims", claims={"id_token": {"x": {"values": doubled}}})


def test_a_number_of_any_length_is_refused_in_words() -> None:
    error = refused(
        UsageError, "parameter_invalid", lambda: AuthenticationRequest(max_age=10**5000)
    )
    assert "max_age" in str(error)


@pytest.mark.req("RFC8707-2-01")
def test_resources_are_absolute_uris_and_may_be_several() -> None:
    login = started(resource=("https://api.example/a?b", "urn:x:y"))
    pairs = [value for name, value in query_of(login.url) if name == "resource"]
    assert pairs == ["https://api.example/a?b", "urn:x:y"]
    for odd in ("/api", "https://api.example/#f", "", "a b:c", "urn:é"):
        refused(
            UsageError,
            "parameter_invalid",
            partial(AuthenticationRequest, resource=(odd,)),
        )


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


@pytest.mark.parametrize(
    "given", [{"hd": "op.example"}, [("hd", "op.example")], (["hd", "op.example"],)]
)
def test_further_parameters_may_be_a_mapping(given: Any) -> None:
    assert AuthenticationRequest(extra=given).extra == (("hd", "op.example"),)


@pytest.mark.parametrize("acr", ["", " ", "a b", "é", "a\n"])
def test_each_required_class_is_one_word(acr: str) -> None:
    """An empty one would let a token with an empty one in; two words would be two classes."""
    error = refused(
        UsageError, "parameter_invalid", lambda: AuthenticationRequest(required_acr=["gold", acr])
    )
    assert error.about == "required_acr"


def test_a_class_is_not_a_list_of_its_letters() -> None:
    odd: Any = "urn:example:password-hardware"
    for name in ("required_acr", "resource"):
        error = refused(
            UsageError, "parameter_invalid", partial(AuthenticationRequest, **{name: odd})
        )
        assert (error.about, error.found) == (name, "str")


def test_claims_may_be_a_plain_mapping_of_any_depth() -> None:
    claims = {"id_token": {"acr": {"essential": True, "values": ["gold", "silver"]}}}

    asked = AuthenticationRequest(claims=claims)

    assert asked.claims == JsonObject(claims)
    claims["id_token"]["acr"]["values"] = []
    assert asked.claims == JsonObject(
        {"id_token": {"acr": {"essential": True, "values": ("gold", "silver")}}}
    )


# --- what the metadata rules out -----------------------------------------------------------------


RULED_OUT: dict[str, tuple[dict[str, Any], str, object, object]] = {
    "mode": ({"response_mode": "form_post"}, "response_modes_supported", ("query",), "form_post"),
    "default mode": ({}, "response_modes_supported", ("form_post", "fragment"), "query"),
    "default mode beside others": (
        {"max_age": 5},
        "response_modes_supported",
        ("form_post",),
        "query",
    ),
    "prompt": (
        {"prompt": "login consent"},
        "prompt_values_supported",
        ("none", "login"),
        "consent",
    ),
    "acr": ({"required_acr": ("gold", "silver")}, "acr_values_supported", ("0", "1"), "gold"),
    "claims": ({"claims": {"id_token": {}}}, "claims_parameter_supported", False, "false"),
}


@pytest.mark.parametrize("name", RULED_OUT)
def test_what_the_metadata_rules_out_is_refused_before_the_user_is_sent_away(name: str) -> None:
    asked, member, named, found = RULED_OUT[name]
    rp = relying_party(provider={member: named})

    error = refused(UsageError, "unsupported_by_provider", lambda: started(rp, **asked))

    assert (error.about, error.found) == (member, found)
    assert error.expected == (None if named is False else named)
    assert (error.retryable, error.kind) == ("no", "configuration")


@pytest.mark.parametrize("name", RULED_OUT)
def test_what_the_metadata_does_not_name_is_not_ruled_out(name: str) -> None:
    asked, member, named, found = RULED_OUT[name]
    listed: Any = named
    others: list[Any] = [None, True] if named is False else [(), (*listed, found)]
    for other in others:
        started(relying_party(provider={member: other}), **asked)


def test_a_wish_is_ruled_out_by_nothing() -> None:
    rp = relying_party(provider={"acr_values_supported": ("0",), "scopes_supported": ("openid",)})
    started(rp, acr_values="gold", scope="openid email")
    rp = relying_party(provider={"acr_values_supported": ("0", "silver")})
    started(rp, required_acr=("gold", "silver"))
