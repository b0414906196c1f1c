"""Discovery: where metadata lies, and when it is believed."""

from __future__ import annotations

from typing import Any, Final

import pytest
from attrs import evolve

from oidc_core.machine.steps import Exchange
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.discovery import discover, metadata_url, parse_metadata
from oidc_core.wire.errors import ProtocolViolation, TransportFailure, UsageError
from oidc_core.wire.http import HttpResponse, NoAnswer
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.way import Channel
from tests.parties import (
    CLIENT_ID,
    ISSUER,
    NOW,
    OTHER_ISSUER,
    done,
    json_response,
    refused,
    relying_party,
    resume,
    started,
)

LATER_KNOWN = (
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "end_session_endpoint",
)
BARE = relying_party(provider=dict.fromkeys(LATER_KNOWN))
DOCUMENT: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/a",
    "token_endpoint": f"{ISSUER}/t",
    "jwks_uri": f"{ISSUER}/j",
    "response_types_supported": ["code"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256"],
}
LOOPBACK = Policy(quirks=frozenset({"insecure_allow_http_loopback"}))


def parsed(document: object, *, rule: IssuerRule | None = None, **how: Any) -> ProviderMetadata:
    return parse_metadata(json_response(document, **how), rule=rule or IssuerRule.exact(ISSUER))


def violation(code: str, document: object, **how: Any) -> ProtocolViolation:
    error = refused(ProtocolViolation, code, lambda: parsed(document, **how))
    assert isinstance(error, ProtocolViolation)
    return error


def asked(rp: RelyingParty = BARE, **how: Any) -> Exchange[RelyingParty]:
    step = discover(rp, **how)
    assert isinstance(step, Exchange)
    return step


# --- where ---------------------------------------------------------------------------------------


@pytest.mark.req("OIDCD-4.1-01", "RFC8414-3-01", "OIDCD-2-01")
@pytest.mark.parametrize(
    ("issuer", "openid", "oauth"),
    [
        ("https://op", "https://op/.well-known/openid-configuration", "https://op{oauth}"),
        ("https://op/", "https://op/.well-known/openid-configuration", "https://op{oauth}"),
        ("https://op/t1", "https://op/t1/.well-known/openid-configuration", "https://op{oauth}/t1"),
        (
            "https://op:8443/t1/",
            "https://op:8443/t1/.well-known/openid-configuration",
            "https://op:8443{oauth}/t1",
        ),
        (
            "https://OP/a/b",
            "https://OP/a/b/.well-known/openid-configuration",
            "https://OP{oauth}/a/b",
        ),
    ],
)
def test_the_well_known_path_is_appended_or_inserted(issuer: str, openid: str, oauth: str) -> None:
    """B06, B08."""
    assert metadata_url(issuer) == openid
    expected = oauth.format(oauth="/.well-known/oauth-authorization-server")
    assert metadata_url(issuer, well_known="oauth") == expected


@pytest.mark.req("OIDCD-3-01", "OIDCD-2-04")
@pytest.mark.parametrize(
    ("issuer", "code"),
    [
        (f"{ISSUER}?q=1", "issuer_invalid"),
        (f"{ISSUER}#f", "issuer_invalid"),
        ("http://op.example", "url_scheme_not_allowed"),
        ("https://u@op.example", "url_userinfo_not_allowed"),
        ("op.example", "url_invalid"),
        ("", "url_invalid"),
    ],
)
def test_what_cannot_be_an_issuer_is_refused(issuer: str, code: str) -> None:
    """B07."""
    refused(UsageError, code, lambda: metadata_url(issuer))


def test_http_passes_on_loopback_by_a_named_quirk_only() -> None:
    """B31."""
    issuer = "http://127.0.0.1:8080"
    refused(UsageError, "url_scheme_not_allowed", lambda: metadata_url(issuer))
    assert metadata_url(issuer, http=True) == f"{issuer}/.well-known/openid-configuration"
    refused(
        UsageError, "url_scheme_not_allowed", lambda: metadata_url("http://op.example", http=True)
    )


@pytest.mark.req("OIDCD-4.1-01", "RFC9700-2.6-01")
def test_metadata_is_asked_for_once_with_get() -> None:
    request = asked().request

    assert (request.method, request.url) == ("GET", f"{ISSUER}/.well-known/openid-configuration")
    assert (request.form, request.headers) == (None, (("accept", "application/json"),))
    assert (request.resend, request.purpose, request.max_body) == ("safe", "discovery", 262_144)
    assert (request.issuer, request.client_id) == (ISSUER, CLIENT_ID)
    inserted = asked(well_known="oauth").request.url
    assert inserted == f"{ISSUER}/.well-known/oauth-authorization-server"


def test_metadata_is_read_again_past_every_cache() -> None:
    first, again = asked().request, asked(again=True).request

    assert again == evolve(first, headers=(*first.headers, ("cache-control", "no-cache")))


@pytest.mark.req("OIDCD-7.2-02", "OIDCD-4.3-01")
def test_another_location_changes_the_location_only() -> None:
    rp = evolve(BARE, discovery_url="https://cdn.example/op.json")
    step = asked(rp)

    assert step.request.url == asked(rp, well_known="oauth").request.url == rp.discovery_url
    assert done(resume(rp, step, json_response(DOCUMENT))).provider.issuer == ISSUER
    evil = json_response({**DOCUMENT, "issuer": "https://cdn.example"})
    refused(ProtocolViolation, "metadata_issuer_mismatch", lambda: resume(rp, step, evil))


def test_a_template_needs_to_be_told_where_its_metadata_lies() -> None:
    """B10."""
    pattern = "https://login.example/{tenantid}/v2.0"
    rule = IssuerRule.template(pattern, tenants=frozenset({"t1"}))
    rp = relying_party(provider={"issuer": pattern}, rule=rule)

    error = refused(UsageError, "config_invalid", lambda: asked(rp))
    assert error.about == "discovery_url"
    rp = evolve(rp, discovery_url="https://login.example/common/x")
    step = asked(rp)
    for issuer in (pattern, "https://login.example/t1/v2.0"):
        answer = json_response({**DOCUMENT, "issuer": issuer})
        assert done(resume(rp, step, answer)).provider.issuer == issuer
    other = json_response({**DOCUMENT, "issuer": "https://login.example/t2/v2.0"})
    refused(ProtocolViolation, "metadata_issuer_mismatch", lambda: resume(rp, step, other))


# --- what is believed ----------------------------------------------------------------------------


@pytest.mark.req("OIDCD-4.2-01", "OIDCD-4.3-01", "OIDCD-3-03", "OIDCD-3-09")
def test_good_metadata_makes_a_new_relying_party() -> None:
    """B15."""
    step = asked()
    extra = {"x": {"nested": [1, None]}, "authorization_endpoint": f"{ISSUER}:8443/a?p=v"}
    found = done(resume(BARE, step, json_response({**DOCUMENT, **extra})))

    assert found.provider.authorization_endpoint == f"{ISSUER}:8443/a?p=v"
    assert found.provider.extra["x"] == JsonObject({"nested": (1, None)})
    assert found.client == BARE.client
    assert found.digest != BARE.digest
    assert found.connection.endpoints_digest != BARE.connection.endpoints_digest
    assert {**found.keys_wanted} != {**BARE.keys_wanted} == {}
    assert BARE.provider.token_endpoint is None
    refused(UsageError, "foreign_step", lambda: resume(found, step, json_response(DOCUMENT)))


@pytest.mark.req("OIDCD-4.3-01", "OIDCD-7.2-02", "RFC8414-3.3-01", "OIDCC-14-01")
@pytest.mark.parametrize(
    "issuer",
    [
        f"{ISSUER}/",
        ISSUER.upper(),
        "https://OP.example",
        f"{ISSUER}:443",
        "https://%6Fp.example",
        f"{ISSUER}/x/..",
        f"{ISSUER}/t2",
        "http://op.example",
        OTHER_ISSUER,
        f"{ISSUER}/%7Et1",
        "x",
        "",
    ],
)
def test_metadata_of_another_issuer_is_refused_and_the_difference_explained(issuer: str) -> None:
    """B05, B06, B09."""
    error = violation("metadata_issuer_mismatch", {**DOCUMENT, "issuer": issuer})
    assert (error.found, error.expected) == (issuer, ISSUER)
    assert "configure" in error.about
    document = {**DOCUMENT, "issuer": ISSUER}
    back = json_response(document)
    if issuer.startswith("https://"):
        rule = IssuerRule.exact(issuer)
        refused(
            ProtocolViolation, "metadata_issuer_mismatch", lambda: parse_metadata(back, rule=rule)
        )


def test_a_pasted_metadata_address_is_explained() -> None:
    """B05."""
    pasted = IssuerRule.exact(f"{ISSUER}/.well-known/openid-configuration")
    error = violation("metadata_issuer_mismatch", DOCUMENT, rule=pasted)
    assert "address of the metadata" in error.about


def test_several_names_of_one_provider_are_accepted_where_configured() -> None:
    rule = IssuerRule.one_of(ISSUER, OTHER_ISSUER)
    for issuer in (ISSUER, OTHER_ISSUER):
        assert parsed({**DOCUMENT, "issuer": issuer}, rule=rule).issuer == issuer
    violation("metadata_issuer_mismatch", {**DOCUMENT, "issuer": "https://x.example"}, rule=rule)


@pytest.mark.parametrize("absent", [True, False])
def test_an_issuer_has_to_be_there(absent: bool) -> None:
    document = {n: v for n, v in DOCUMENT.items() if n != "issuer"}
    error = violation("metadata_invalid", document if absent else {**document, "issuer": None})
    assert error.about == "issuer"


@pytest.mark.req("OIDCD-3-02")
@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("absent", [True, False])
def test_what_a_login_needs_is_missed_by_the_login_before_the_user_is_sent_away(
    name: str, absent: bool
) -> None:
    document = {n: v for n, v in DOCUMENT.items() if n != name}
    answer = json_response(document if absent else {**document, name: None})
    rp = done(resume(BARE, asked(), answer))
    error = refused(UsageError, "unsupported_by_provider", lambda: started(rp))
    assert error.about == name


def test_a_client_with_a_secret_for_signatures_needs_no_key_set() -> None:
    lacking = {n: v for n, v in DOCUMENT.items() if n != "jwks_uri"}
    listed = {**lacking, "id_token_signing_alg_values_supported": ["RS256", "HS256"]}
    rp = relying_party(
        provider=dict.fromkeys(LATER_KNOWN), client={"id_token_signed_response_alg": "HS256"}
    )
    for document in (listed, {**listed, "jwks_uri": ""}, {**listed, "jwks_uri": 5}):
        found = done(resume(rp, asked(rp), json_response(document)))
        assert found.provider.jwks_uri is None
        assert started(found).url.startswith(f"{ISSUER}/a?")


NO_ENDPOINTS: Final = [
    "http://op.example/x",
    "http://127.0.0.1/x",
    "https://u@op.example/x",
    "https://op.example/x#f",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "--x",
    "https://h:443@evil.example/",
    "https://h%0d%0a/",
    "https://good\\@evil.example/",
    "//op.example/x",
    "$(id)",
]


@pytest.mark.req("OIDCD-3-03", "OIDCC-3.1.2-01", "OIDCC-3.1.3-01", "OIDCC-5.3-01")
@pytest.mark.parametrize(
    "name",
    [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
    ],
)
@pytest.mark.parametrize("url", NO_ENDPOINTS)
def test_every_endpoint_is_an_https_url(name: str, url: str) -> None:
    """B12, B13, H10, I20."""
    error = violation("metadata_endpoint_invalid", {**DOCUMENT, name: url})
    assert error.about == name


@pytest.mark.req("OIDCRIL-2-01")
@pytest.mark.parametrize(
    "name",
    [
        "end_session_endpoint",
        "registration_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
    ],
)
@pytest.mark.parametrize("url", NO_ENDPOINTS)
def test_an_endpoint_that_nothing_uses_counts_as_absent_and_is_told(name: str, url: str) -> None:
    """It never gets a request, and it stops no login."""
    found = parsed({**DOCUMENT, name: url})

    assert (getattr(found, name), name in found.extra) == (None, False)
    (note,) = found.notes
    assert note.startswith(f"refused: {name} (url_")


@pytest.mark.req("OIDCD-4.2-02", "RFC8414-3.2-01")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", 5),
        ("issuer", [ISSUER]),
        ("require_pushed_authorization_requests", "true"),
        ("authorization_response_iss_parameter_supported", 1),
        ("token_endpoint", ["https://op.example/t"]),
        ("jwks_uri", {}),
        ("userinfo_endpoint", False),
    ],
)
def test_members_that_are_read_have_their_types(name: str, value: object) -> None:
    """B17."""
    assert violation("metadata_invalid", {**DOCUMENT, name: value}).about == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("response_types_supported", ""),
        ("id_token_signing_alg_values_supported", {"RS256": True}),
        ("scopes_supported", [5]),
        ("code_challenge_methods_supported", {"S256": True}),
        ("claims_parameter_supported", "true"),
        ("revocation_endpoint", 5),
    ],
)
def test_a_malformed_member_that_nothing_reads_is_told_and_stops_no_login(
    name: str, value: object
) -> None:
    found = done(resume(BARE, asked(), json_response({**DOCUMENT, name: value}))).provider
    absent = parsed({other: held for other, held in DOCUMENT.items() if other != name})
    assert found == evolve(absent, notes=(f"malformed: {name}",))


@pytest.mark.req("OIDCD-3-07", "RFC9207-3-01", "OIDCC-E3-2-01")
@pytest.mark.parametrize("null", [True, False])
@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("response_modes_supported", ()),
        ("grant_types_supported", ()),
        ("token_endpoint_auth_methods_supported", ()),
        ("claims_parameter_supported", None),
        ("request_parameter_supported", None),
        ("request_uri_parameter_supported", None),
        ("authorization_response_iss_parameter_supported", False),
        ("code_challenge_methods_supported", ()),
        ("prompt_values_supported", ()),
        ("scopes_supported", ()),
    ],
)
def test_absent_members_rule_nothing_out(name: str, default: object, null: bool) -> None:
    metadata = parsed({**DOCUMENT, name: None} if null else DOCUMENT)
    assert getattr(metadata, name) == default


@pytest.mark.req("OIDCD-4.2-01", "RFC8414-3.2-01")
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (json_response(DOCUMENT, status=201), "http_status_unexpected"),
        (json_response(DOCUMENT, status=404), "http_status_unexpected"),
        (json_response(DOCUMENT, status=500), "http_status_unexpected"),
        (HttpResponse(204, (), b"", NOW), "http_status_unexpected"),
        (json_response(DOCUMENT, status=302), "http_redirect_refused"),
        (json_response(DOCUMENT, content_type="text/html"), "content_type_unexpected"),
        (json_response(DOCUMENT, content_type=""), "content_type_unexpected"),
        (json_response(DOCUMENT, content_type="application/jwt"), "content_type_unexpected"),
        (
            evolve(
                json_response(DOCUMENT),
                headers=(("content-type", "application/json"), ("content-type", "text/html")),
            ),
            "content_type_unexpected",
        ),
        (json_response([DOCUMENT]), "json_not_object"),
        (json_response(b'{"issuer":'), "json_malformed"),
        (json_response(b"\xff"), "json_not_utf8"),
        (json_response(b'{"issuer":"a","issuer":"b"}'), "json_member_duplicated"),
    ],
)
def test_an_answer_that_is_no_metadata_says_why(answer: HttpResponse, code: str) -> None:
    """I01, I12, I13, I15, B17."""
    step = asked()
    refused(ProtocolViolation, code, lambda: resume(BARE, step, answer))


def test_a_provider_that_cannot_be_reached_is_a_failure_of_transport() -> None:
    step = asked()
    lost = NoAnswer("no", "http_connect_failed", NOW)
    refused(TransportFailure, "http_connect_failed", lambda: resume(BARE, step, lost))


@pytest.mark.req("RFC8414-2.1-01")
def test_signed_metadata_and_inline_keys_change_nothing() -> None:
    """H13."""
    metadata = parsed({**DOCUMENT, "signed_metadata": "a.b.c", "jwks": {"keys": []}})
    assert evolve(metadata, extra=parsed(DOCUMENT).extra) == parsed(DOCUMENT)


@pytest.mark.req("RFC8414-2-01")
def test_metadata_of_oauth_without_userinfo_is_taken() -> None:
    document = {n: v for n, v in DOCUMENT.items() if n != "subject_types_supported"}
    assert parsed(document).userinfo_endpoint is None


@pytest.mark.req("OIDCD-3-03")
def test_endpoints_on_loopback_pass_by_a_named_quirk_only() -> None:
    """B31."""
    issuer = "http://127.0.0.1:8080"
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    document = {"issuer": issuer, **{name: f"{issuer}/{name}" for name in names}}
    provider = dict.fromkeys((*names, "userinfo_endpoint", "end_session_endpoint"))
    rp = relying_party(provider={**provider, "issuer": issuer}, policy=LOOPBACK)

    assert done(resume(rp, asked(rp), json_response(document))).provider.issuer == issuer
    remote = json_response({**document, "token_endpoint": "http://op.example/t"})
    refused(ProtocolViolation, "metadata_endpoint_invalid", lambda: resume(rp, asked(rp), remote))
    refused(
        UsageError,
        "url_scheme_not_allowed",
        lambda: relying_party(provider={**provider, "issuer": issuer}),
    )


# --- addresses -----------------------------------------------------------------------------------


def test_what_was_named_for_discovery_is_named_for_what_it_finds() -> None:
    located = evolve(BARE, discovery_url="https://10.0.0.1/openid")
    step = asked(located)
    assert step.request.way.reach == "any"
    near = {**DOCUMENT, "token_endpoint": "https://10.0.0.1/token"}
    found = done(resume(located, step, json_response(near)))
    assert found.discovery_url == "https://10.0.0.1/openid"
    assert found.targets["token_endpoint"].way.reach == "any"
    other = {**DOCUMENT, "jwks_uri": "https://10.0.0.1:8443/jwks"}
    error = refused(
        ProtocolViolation,
        "metadata_endpoint_invalid",
        lambda: resume(located, step, json_response(other)),
    )
    assert (error.about, error.found) == ("jwks_uri", "url_address_not_allowed")
    error = refused(
        ProtocolViolation,
        "metadata_endpoint_invalid",
        lambda: resume(BARE, asked(), json_response(near)),
    )
    assert error.about == "token_endpoint"


def test_the_location_may_be_known_to_the_relying_party() -> None:
    located = evolve(BARE, discovery_url="https://cdn.example/op.json")
    step = asked(located)
    assert step.request.url == "https://cdn.example/op.json"
    assert (
        done(resume(located, step, json_response(DOCUMENT))).discovery_url == located.discovery_url
    )


def test_the_channel_of_the_metadata_is_kept_for_the_evidence() -> None:
    channel = Channel("verified", addresses_judged=True)
    answer = evolve(json_response(DOCUMENT), channel=channel)
    assert done(resume(BARE, asked(), answer)).discovered_by == channel


def test_http_origins_are_taken_by_name() -> None:
    issuer = "http://keycloak:8080/realms/a"
    rule = IssuerRule.exact(issuer)
    assert metadata_url(issuer, well_known="oauth", http_origins={"http://keycloak:8080"}) == (
        "http://keycloak:8080/.well-known/oauth-authorization-server/realms/a"
    )
    policy = Policy(insecure_http_origins={"http://keycloak:8080"})
    rp = relying_party(
        provider={**dict.fromkeys(LATER_KNOWN), "issuer": issuer}, rule=rule, policy=policy
    )
    assert asked(rp).request.way.reach == "private"
