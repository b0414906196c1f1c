"""How the issuer of a provider is recognised."""

import copy
import pickle
from collections.abc import Callable
from typing import Any, cast

import pytest
from attrs import evolve

from oidc_core.model.issuer_rule import ANY_TENANT, IssuerRule
from oidc_core.wire.errors import UsageError
from oidc_core.wire.jsontypes import JsonObject, JsonValue
from tests.unit.parties import ISSUER

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
    assert rule.in_key(frozenset({issuer}), ISSUER)


def test_several_issuers_are_one_identity() -> None:
    rule = IssuerRule.one_of("https://accounts.example", "accounts.example")
    for issuer in ("https://accounts.example", "accounts.example"):
        assert rule.in_metadata(issuer)
        assert rule.in_response(issuer)
        assert rule.in_token(issuer, NO_CLAIMS)
        assert rule.identity(issuer) == "https://accounts.example"
    assert not rule.in_token("https://other.example", NO_CLAIMS)
    assert rule.example == "https://accounts.example"


@pytest.mark.parametrize("named", ["https://other.example", "accounts.example", "", "malformed"])
def test_only_a_template_heeds_whom_a_key_says_it_is_for(named: str) -> None:
    one, two = "https://accounts.example", "accounts.example"
    for rule in (IssuerRule.exact(one), IssuerRule.one_of(one, two)):
        assert rule.in_key(frozenset({named}), one)
    pattern = IssuerRule.template(TEMPLATE, tenants={"t1"})
    assert not pattern.in_key(frozenset({named}), "https://login.example/t1/v2.0")


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
