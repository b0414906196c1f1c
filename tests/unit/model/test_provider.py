"""The provider's metadata, and how its issuer is recognised."""

import copy
import pickle
from collections.abc import Callable
from typing import Any, cast

import pytest
from attrs import evolve, fields

from oidc_core.model.network import HTTPS_ONLY, Network, network_of
from oidc_core.model.policy import Policy
from oidc_core.model.provider import (
    ANY_TENANT,
    ENDPOINTS,
    RESERVED_PARAMETERS,
    IssuerRule,
    ProviderMetadata,
    metadata_of,
)
from oidc_core.wire.errors import OidcError, ProtocolViolation, UsageError
from oidc_core.wire.jsontypes import JsonObject, JsonValue, parse_object
from tests.unit.parties import ISSUER, PROVIDER

MINIMAL = {"issuer": ISSUER}
NAMES = {attribute.name for attribute in fields(ProviderMetadata)} - {"extra", "notes"}
READ = {
    "issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint",
    "end_session_endpoint", "id_token_signing_alg_values_supported",
    "authorization_response_iss_parameter_supported",
}  # fmt: skip


def metadata(**members: JsonValue) -> ProviderMetadata:
    return metadata_of(JsonObject({**MINIMAL, **members}))


def refusal(members: JsonObject, network: Network = HTTPS_ONLY) -> OidcError:
    with pytest.raises(ProtocolViolation) as caught:
        metadata_of(members, network=network)
    return caught.value


# --- metadata ------------------------------------------------------------------------------------


def test_what_is_absent_or_null_has_the_default_of_its_specification() -> None:
    bare = metadata()
    assert bare == ProviderMetadata(issuer=ISSUER)
    assert bare.response_modes_supported == ("query", "fragment")
    assert bare.grant_types_supported == ("authorization_code", "implicit")
    assert bare.token_endpoint_auth_methods_supported == ("client_secret_basic",)
    assert bare.request_uri_parameter_supported
    assert not bare.claims_parameter_supported
    assert not bare.authorization_response_iss_parameter_supported
    assert metadata(**dict.fromkeys(NAMES - {"issuer"})) == bare


@pytest.mark.req("RFC8414-2-02")
def test_support_for_pkce_is_not_assumed() -> None:
    assert metadata().code_challenge_methods_supported == ()


def test_members_that_are_not_known_are_kept() -> None:
    given: dict[str, JsonValue] = {
        "a": 1, "extra": JsonObject({"b": None}), "notes": ("c",), "mtls_endpoint_aliases": None
    }  # fmt: skip
    found = metadata(**given)
    assert found.extra == given
    assert found.notes == ()
    assert found == evolve(metadata(), extra=found.extra)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", None),
        ("issuer", 5),
        ("issuer", ()),
        ("token_endpoint", 5),
        ("token_endpoint", ("https://op.example/token",)),
        ("token_endpoint", False),
        ("id_token_signing_alg_values_supported", "RS256"),
        ("id_token_signing_alg_values_supported", ("RS256", 5)),
        ("id_token_signing_alg_values_supported", ("RS256", None)),
        ("id_token_signing_alg_values_supported", JsonObject({})),
        ("authorization_response_iss_parameter_supported", "false"),
        ("authorization_response_iss_parameter_supported", 1),
        *[(name, 5) for name in sorted(READ)],
    ],
)
def test_a_member_of_a_wrong_type_that_is_read_is_refused_by_name(
    name: str, value: JsonValue
) -> None:
    error = refusal(JsonObject({**MINIMAL, name: value, "scopes_supported": "odd"}))
    found = None if value is None else type(value).__name__
    assert (error.code, error.about, error.found) == ("metadata_invalid", name, found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scopes_supported", "openid"),
        ("scopes_supported", ("openid", 5)),
        ("scopes_supported", ("openid", None)),
        ("scopes_supported", JsonObject({})),
        ("claims_parameter_supported", "true"),
        ("claims_parameter_supported", 1),
        *[(name, 5) for name in sorted(NAMES - READ)],
    ],
)
def test_a_member_of_a_wrong_type_that_nothing_reads_counts_as_absent_and_is_told(
    name: str, value: JsonValue
) -> None:
    found = metadata(**{name: value, "jwks_uri": f"{ISSUER}/jwks"})
    expected = metadata(jwks_uri=f"{ISSUER}/jwks")
    assert found == evolve(expected, notes=(f"malformed: {name}",))


def test_all_that_is_malformed_is_told() -> None:
    odd = metadata(scopes_supported=5, claims_parameter_supported=5)
    assert odd.notes == ("malformed: scopes_supported", "malformed: claims_parameter_supported")


def test_metadata_without_an_issuer_is_refused() -> None:
    error = refusal(JsonObject({}))
    assert (error.code, error.about) == ("metadata_invalid", "issuer")


def test_long_lists_are_taken_as_they_are() -> None:
    many = tuple(map(str, range(10_000)))
    assert metadata(scopes_supported=many).scopes_supported == many


UNUSED = ["registration_endpoint", "revocation_endpoint", "introspection_endpoint"]
USED = [name for name in ENDPOINTS if name not in UNUSED]
NO_URLS = pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://op.example/a", "url_scheme_not_allowed"),
        ("https://u@op.example/", "url_userinfo_not_allowed"),
        ("https://op.example/#f", "url_invalid"),
        ("javascript:alert(1)", "url_invalid"),
        ("file:///etc/passwd", "url_scheme_not_allowed"),
        ("--x", "url_invalid"),
        ("$(reboot)", "url_invalid"),
        ("https://op.example/$(reboot) ", "url_invalid"),
        ("https://op.example/a\nb", "url_invalid"),
        ("https://127.1/", "url_host_invalid"),
        ("https://op.example:0/", "url_port_invalid"),
        ("/token", "url_invalid"),
    ],
)


@pytest.mark.req("OIDCD-3-03", "OIDCC-3.1.2-01")
@pytest.mark.parametrize("name", USED)
@NO_URLS
def test_an_endpoint_is_an_https_url(name: str, url: str, code: str) -> None:
    error = refusal(JsonObject({**MINIMAL, name: url}))
    assert (error.code, error.about, error.found) == ("metadata_endpoint_invalid", name, code)


@pytest.mark.parametrize("name", UNUSED)
@NO_URLS
def test_an_endpoint_that_is_not_used_and_could_not_be_ends_no_login(
    name: str, url: str, code: str
) -> None:
    members: dict[str, JsonValue] = {name: url, "scopes_supported": "odd", "x": 1}
    found = metadata(**members)
    notes = ("malformed: scopes_supported", f"refused: {name} ({code})")
    assert found == evolve(metadata(x=1), notes=notes)


@pytest.mark.parametrize("name", [*UNUSED, "end_session_endpoint"])
def test_an_empty_string_is_no_endpoint_where_a_login_needs_none(name: str) -> None:
    found = metadata(**{name: ""})
    assert found == evolve(metadata(), notes=(f"refused: {name} (url_invalid)",))


@pytest.mark.parametrize("name", [name for name in USED if name != "end_session_endpoint"])
def test_an_empty_string_is_a_fault_where_a_login_needs_an_endpoint(name: str) -> None:
    error = refusal(JsonObject({**MINIMAL, name: ""}))
    assert (error.code, error.about) == ("metadata_endpoint_invalid", name)


def test_all_that_is_refused_is_told() -> None:
    found = metadata(**dict.fromkeys(UNUSED, "https://10.0.0.1/"), end_session_endpoint="")
    assert set(found.notes) == {
        "refused: end_session_endpoint (url_invalid)",
        *[f"refused: {name} (url_address_not_allowed)" for name in UNUSED],
    }
    assert found.endpoints == ()


LONGER = Policy(back_channel={"https://op.example": "https://a-longer-name.keycloak.svc.corp:8443"})


@pytest.mark.parametrize("name", USED)
def test_a_url_that_is_too_long_for_the_back_channel_is_the_providers_fault(name: str) -> None:
    url = "https://op.example/" + (8_192 - 19) * "a"
    assert getattr(metadata(**{name: url}), name) == url
    error = refusal(JsonObject({**MINIMAL, name: url}), network_of(LONGER))
    assert (error.code, error.about) == ("metadata_endpoint_invalid", name)
    assert error.found == "url_invalid"


def test_one_that_is_not_used_is_dropped_for_that_too() -> None:
    url = "https://op.example/" + (8_192 - 19) * "a"
    members = {**MINIMAL, "revocation_endpoint": url}
    found = metadata_of(members, network=network_of(LONGER))
    assert found.notes == ("refused: revocation_endpoint (url_invalid)",)


def test_an_endpoint_may_have_port_path_and_query() -> None:
    url = "https://login.example:8443/a/b?p=v"
    assert metadata(token_endpoint=url, authorization_endpoint=url).token_endpoint == url


def test_http_on_loopback_is_taken_only_if_that_was_said() -> None:
    members = JsonObject({**MINIMAL, "token_endpoint": "http://127.0.0.1:9/token"})
    assert refusal(members).code == "metadata_endpoint_invalid"
    policy = Policy(quirks=frozenset({"insecure_allow_http_loopback"}))
    local = network_of(policy, {"http://127.0.0.1:9"})
    assert metadata_of(members, network=local).token_endpoint == "http://127.0.0.1:9/token"
    assert refusal(members, network_of(policy)).found == "url_address_not_allowed"
    far = JsonObject({**MINIMAL, "token_endpoint": "http://op.example/token"})
    assert refusal(far, local).code == "metadata_endpoint_invalid"


@pytest.mark.parametrize("name", USED)
@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest/meta-data/iam",
        "https://10.0.0.1/admin",
        "https://[fd00:ec2::254]/latest",
        "https://localhost:6379/",
        "https://192.0.2.1/",
    ],
)
def test_metadata_names_nothing_that_is_near_and_that_nobody_named(name: str, url: str) -> None:
    members = JsonObject({**MINIMAL, name: url})
    error = refusal(members, network_of(Policy(), {"https://op.example:443"}))
    assert (error.code, error.about) == ("metadata_endpoint_invalid", name)
    assert error.found == "url_address_not_allowed"
    origin = "/".join(url.split("/", 3)[:3])
    named = network_of(Policy(named_origins=[origin]))
    assert getattr(metadata_of(members, network=named), name) == url


@pytest.mark.parametrize(
    ("rule", "origins"),
    [
        (IssuerRule.exact("https://op.example/a"), {"https://op.example:443"}),
        (
            IssuerRule.one_of("https://op.example", "https://other.example:8443/x"),
            {"https://op.example:443", "https://other.example:8443"},
        ),
        (
            IssuerRule.template("https://login.example/{t}/", tenants=ANY_TENANT),
            {"https://login.example:443"},
        ),
        (
            IssuerRule.template("https://{t}.login.example/", tenants=frozenset({"a", "b"})),
            {"https://a.login.example:443", "https://b.login.example:443"},
        ),
        (IssuerRule.template("https://{t}.login.example/", tenants=ANY_TENANT), set[str]()),
        (IssuerRule.exact("op.example"), set[str]()),
    ],
)
def test_the_developer_names_the_origins_of_the_issuers_that_are_spelled_out(
    rule: IssuerRule, origins: set[str]
) -> None:
    assert rule.origins == origins


@pytest.mark.parametrize("name", sorted(RESERVED_PARAMETERS))
def test_an_authorization_endpoint_sets_no_parameter_of_ours(name: str) -> None:
    disguised = f"%{ord(name[0]):02x}{name[1:]}"
    for written in (name, disguised):
        url = f"https://op.example/authorize?p=v&{written}=x"
        error = refusal(JsonObject({**MINIMAL, "authorization_endpoint": url}))
        assert (error.code, error.about) == ("metadata_endpoint_invalid", "authorization_endpoint")


def test_endpoints_are_those_that_are_there() -> None:
    assert dict(PROVIDER.endpoints) == {
        "authorization_endpoint": "https://op.example/authorize",
        "token_endpoint": "https://op.example/token",
        "jwks_uri": "https://op.example/jwks",
    }


WHERE_A_LOGIN_GOES = ["issuer", "token_endpoint", "userinfo_endpoint"]


@pytest.mark.parametrize("name", WHERE_A_LOGIN_GOES)
def test_a_digest_changes_with_what_a_login_sends_its_code_and_tokens_to(name: str) -> None:
    changes: dict[str, Any] = {name: "https://other.example/x"}
    moved = evolve(PROVIDER, **changes)
    assert moved.endpoints_digest != PROVIDER.endpoints_digest
    assert len(moved.endpoints_digest) == 16


@pytest.mark.parametrize("name", [n for n in ENDPOINTS if n not in WHERE_A_LOGIN_GOES])
def test_a_digest_does_not_change_with_another_endpoint(name: str) -> None:
    """Keys move, and the browser's own pages: a login in flight does not end for that."""
    changes: dict[str, Any] = {name: "https://other.example/x"}
    assert evolve(PROVIDER, **changes).endpoints_digest == PROVIDER.endpoints_digest


def test_a_digest_tells_which_endpoint_it_is_that_is_there() -> None:
    one, other = metadata(token_endpoint=f"{ISSUER}/x"), metadata(userinfo_endpoint=f"{ISSUER}/x")
    assert one.endpoints_digest != other.endpoints_digest


def test_a_digest_does_not_change_with_anything_else() -> None:
    other = evolve(PROVIDER, scopes_supported=("openid",), extra=parse_object(b'{"a":1}'))
    assert other.endpoints_digest == PROVIDER.endpoints_digest


# --- issuers -------------------------------------------------------------------------------------

TEMPLATE = "https://login.example/{tenantid}/v2.0"
NO_CLAIMS = JsonObject({})
NEAR_MISSES = [
    "https://op.example/",
    "https://OP.example",
    "HTTPS://op.example",
    "https://op.example:443",
    "https://op%2Eexample",
    "https://op.example/.",
    "https://op.example/a/..",
    "http://op.example",
    "https://op.example.",
    "https://op.exаmple",
    "https://op.example\n",
    " https://op.example",
    "",
]


def of_tenant(tenant: JsonValue) -> JsonObject:
    return JsonObject({"tid": tenant})


@pytest.mark.req("OIDCC-2-01", "RFC8414-3.3-01")
@pytest.mark.parametrize("issuer", NEAR_MISSES)
def test_an_exact_issuer_is_compared_as_a_string(issuer: str) -> None:
    rule = IssuerRule.exact(ISSUER)
    assert rule.in_metadata(ISSUER)
    assert rule.in_response(ISSUER)
    assert rule.in_token(ISSUER, NO_CLAIMS)
    assert rule.in_key(frozenset({ISSUER}), ISSUER)
    assert rule.in_key(frozenset(), ISSUER)
    assert not rule.in_metadata(issuer)
    assert not rule.in_response(issuer)
    assert not rule.in_token(issuer, NO_CLAIMS)
    assert not rule.in_key(frozenset({issuer}), ISSUER)


def test_several_issuers_are_one_identity() -> None:
    rule = IssuerRule.one_of("https://accounts.example", "accounts.example")
    for issuer in ("https://accounts.example", "accounts.example"):
        assert rule.in_metadata(issuer)
        assert rule.in_response(issuer)
        assert rule.in_token(issuer, NO_CLAIMS)
        assert rule.identity(issuer) == "https://accounts.example"
    assert not rule.in_token("https://other.example", NO_CLAIMS)
    assert rule.example == "https://accounts.example"


def test_a_key_for_one_spelling_of_an_issuer_serves_the_other() -> None:
    one, two, other = "https://accounts.example", "accounts.example", "https://other.example"
    rule = IssuerRule.one_of(one, two)
    for issuer in (one, two):
        assert rule.in_key(frozenset({one}), issuer)
        assert rule.in_key(frozenset({two, other}), issuer)
        assert not rule.in_key(frozenset({other}), issuer)
    assert not rule.in_key(frozenset({one}), other)
    assert not IssuerRule.exact(one).in_key(frozenset({two}), one)


def test_each_tenant_that_was_named_is_an_issuer_of_its_own() -> None:
    rule = IssuerRule.template(TEMPLATE, tenants=frozenset({"t1", "t2"}))
    one = "https://login.example/t1/v2.0"
    assert rule.in_metadata(TEMPLATE)
    assert rule.in_metadata(one)
    assert rule.in_response(one)
    assert rule.in_token(one, of_tenant("t1"))
    two = "https://login.example/t2/v2.0"
    for issuers in ({TEMPLATE}, {one}, {one, two}, {two, TEMPLATE}):
        assert rule.in_key(frozenset(issuers), one)
    assert rule.in_key(frozenset(), one)
    assert not rule.in_key(frozenset({two}), one)
    assert rule.identity(one) == one
    assert rule.example == "https://login.example/tenant/v2.0"


@pytest.mark.parametrize(
    ("issuer", "tid"),
    [
        ("https://login.example/t1/v2.0", "t2"),
        ("https://login.example/t1/v2.0", None),
        ("https://login.example/t1/v2.0", ("t1",)),
        ("https://login.example/t3/v2.0", "t3"),
        ("https://login.example/t1/v2.0/", "t1"),
        ("https://login.example/T1/v2.0", "T1"),
        ("https://login.example//v2.0", ""),
        ("https://login.example/v2.0", ""),
        (TEMPLATE, "{tenantid}"),
        ("https://evil.example/t1/v2.0", "t1"),
        ("https://login.example/t1/x/v2.0", "t1/x"),
    ],
)
def test_another_tenant_is_another_issuer(issuer: str, tid: JsonValue) -> None:
    rule = IssuerRule.template(TEMPLATE, tenants=frozenset({"t1", "t2"}))
    assert not rule.in_token(issuer, of_tenant(tid))
    assert not rule.in_token(issuer, NO_CLAIMS)


def test_an_authorization_response_does_not_come_from_the_template_itself() -> None:
    rule = IssuerRule.template(TEMPLATE, tenants=frozenset({"t1"}))
    assert not rule.in_response(TEMPLATE)
    assert not rule.in_response("https://login.example/t2/v2.0")
    two = frozenset({"https://login.example/t2/v2.0"})
    assert not rule.in_key(two, "https://login.example/t1/v2.0")


def test_assertions_are_for_the_issuer_that_the_metadata_names_or_the_only_tenant() -> None:
    assert IssuerRule.exact(ISSUER).audience(ISSUER) == ISSUER
    one = IssuerRule.template(TEMPLATE, tenants=frozenset({"t1"}))
    two = IssuerRule.template(TEMPLATE, tenants=frozenset({"t1", "t2"}))
    named = "https://login.example/t1/v2.0"
    assert (one.audience(TEMPLATE), one.audience(named)) == (named, named)
    assert (two.audience(TEMPLATE), two.audience(named)) == (None, named)


def test_every_tenant_is_let_in_only_by_name() -> None:
    rule = IssuerRule.template(TEMPLATE, tenants=ANY_TENANT)
    assert rule.in_token("https://login.example/any.body_1~x-y/v2.0", of_tenant("any.body_1~x-y"))
    assert rule.in_metadata(TEMPLATE)
    for odd in ("", "a/b", "a?b", "a#b", "a@b", "a%2fb", "a b", "a\n", "é", "..;"):
        assert not rule.in_token(f"https://login.example/{odd}/v2.0", of_tenant(odd))


def test_every_tenant_is_not_no_tenant() -> None:
    assert frozenset() != ANY_TENANT
    assert {ANY_TENANT, frozenset[str](), ANY_TENANT} == {frozenset[str](), ANY_TENANT}
    assert len({ANY_TENANT, frozenset[str](), ANY_TENANT}) == 2
    assert "t" in ANY_TENANT
    assert "" not in ANY_TENANT
    assert cast("str", 5) not in ANY_TENANT
    assert repr(ANY_TENANT) == "ANY_TENANT"
    rule = IssuerRule.template(TEMPLATE, tenants=ANY_TENANT)
    for twin in (copy.deepcopy(rule), pickle.loads(pickle.dumps(rule))):
        assert twin == rule
        assert twin.tenants is ANY_TENANT
    assert rule != evolve(rule, tenants={"t1"})


@pytest.mark.parametrize(
    ("pattern", "tenants"),
    [
        ("https://login.example/v2.0", ANY_TENANT),
        ("https://login.example/{a}/{b}", ANY_TENANT),
        ("https://login.example/{}/v2.0", ANY_TENANT),
        ("https://login.example/{a", ANY_TENANT),
        ("https://login.example/a}", ANY_TENANT),
        ("{tenantid}", ANY_TENANT),
        ("", ANY_TENANT),
        (TEMPLATE, frozenset[str]()),
        (TEMPLATE, frozenset({"t1", ""})),
        (TEMPLATE, frozenset({"t1", "a/b"})),
        (TEMPLATE, frozenset({"*"})),
    ],
)
def test_a_template_has_one_place_for_a_tenant_and_tenants_for_it(
    pattern: str, tenants: frozenset[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        IssuerRule.template(pattern, tenants=tenants)
    assert caught.value.code == "config_invalid"


@pytest.mark.parametrize("issuer", [None, b"https://op.example", 5, ["https://op.example"], {}])
def test_an_issuer_is_text(issuer: Any) -> None:
    makers: list[Callable[[], object]] = [
        lambda: IssuerRule.exact(issuer),
        lambda: IssuerRule.one_of(issuer),
        lambda: IssuerRule.one_of("https://op.example", issuer),
    ]
    for make in makers:
        with pytest.raises(UsageError) as caught:
            make()
        assert (caught.value.code, caught.value.about) == ("config_invalid", "issuer")


@pytest.mark.parametrize("pattern", [None, TEMPLATE.encode(), 5, [TEMPLATE]])
def test_a_pattern_is_text(pattern: Any) -> None:
    with pytest.raises(UsageError) as caught:
        IssuerRule.template(pattern, tenants=ANY_TENANT)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "issuer template")


@pytest.mark.parametrize("tenants", [None, "t1", b"t1", 5, {"t1": 1}, ["t1", None], [["t1"]], {5}])
def test_tenants_are_a_set_of_text(tenants: Any) -> None:
    with pytest.raises(UsageError) as caught:
        IssuerRule.template(TEMPLATE, tenants=tenants)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "tenants")


@pytest.mark.parametrize("tenants", [["t1", "t2"], ("t2", "t1"), {"t1", "t2"}])
def test_tenants_may_be_a_list(tenants: Any) -> None:
    assert IssuerRule.template(TEMPLATE, tenants=tenants) == IssuerRule.template(
        TEMPLATE, tenants=frozenset({"t1", "t2"})
    )


def test_every_tenant_stands_in_place_of_tenants_only() -> None:
    """As the issuers that are accepted it would accept any."""
    with pytest.raises(UsageError) as caught:
        IssuerRule(canonical="https://op.example", accepted=ANY_TENANT)
    assert caught.value.about == "accepted"


@pytest.mark.parametrize("pattern", ["https://op.example", "https://{a}.example/{b}", "{"])
def test_a_rule_by_hand_has_a_pattern_with_one_place(pattern: str) -> None:
    with pytest.raises(UsageError) as caught:
        IssuerRule(canonical=pattern, accepted=(), pattern=pattern, claim="tid", tenants=ANY_TENANT)
    assert caught.value.about == "issuer template"


@pytest.mark.parametrize("document", [None, "{}", b"{}", 5, [], {"issuer": {1}}, {1: 2}])
def test_a_document_is_a_mapping(document: Any) -> None:
    with pytest.raises(UsageError) as caught:
        metadata_of(document)
    assert (caught.value.code, caught.value.about) == ("parameter_invalid", "JSON")


def test_a_document_may_be_a_plain_mapping() -> None:
    metadata = metadata_of({"issuer": "https://op.example", "x": {"y": [1]}})

    assert metadata.extra == JsonObject({"x": JsonObject({"y": (1,)})})
