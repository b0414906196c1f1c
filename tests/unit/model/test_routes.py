"""Redirect URIs that clients share: which may, and whose a callback can be."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from oidc_core.model.client import ClientRegistration
from oidc_core.model.issuer_rule import ANY_TENANT, IssuerRule
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.relying_party import RelyingParty
from oidc_core.model.routes import Routes, check_routes, route_of, routes_of
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.way import NOT_TOLD
from tests.unit.parties import Believer

HERE = "https://rp.example/callback"
ELSEWHERE = "https://rp.example/elsewhere"
HONEST = "https://honest.example"
HOSTILE = "https://hostile.example"
TEMPLATE = "https://login.example/{tenant}/v2"


def known_by(issuer: str) -> ProviderMetadata:
    return ProviderMetadata(issuer=issuer)


def by_hand(issuer: str, at: str) -> ProviderMetadata:
    return ProviderMetadata(
        issuer=issuer,
        authorization_endpoint=f"{at}/authorize",
        token_endpoint=f"{at}/token",
        jwks_uri=f"{at}/jwks",
    )


def rp(
    issuer: str = HONEST, *uris: str, required: bool = False, client_id: str = "c", **changes: Any
) -> RelyingParty:
    rule = changes.get("issuer_rule")
    client = ClientRegistration(
        client_id=client_id,
        redirect_uris=uris or (HERE,),
        response_iss="required" if required else "as_announced",
    )
    provider = known_by(issuer if rule is None else rule.canonical)
    given: dict[str, Any] = {"provider": provider, "client": client, **changes}
    return RelyingParty(verifier=Believer(), **given)


def refusal(*rps: RelyingParty) -> UsageError:
    with pytest.raises(UsageError) as caught:
        check_routes(rps)
    assert caught.value.code == "redirect_uri_shared"
    for order in (rps, rps[::-1]):
        with pytest.raises(UsageError):
            Routes(order)
    return caught.value


# --- what counts as one route --------------------------------------------------------------------

SPELLINGS = [
    "https://rp.example/callback",
    "https://RP.Example/callback",
    "https://rp.example:443/callback",
    "https://rp.example/callback/",
    "https://rp.example/callback//",
    "https://rp.example//callback",
    "https://rp.example/%63allback",
    "https://rp.example/c%61llback",
    "https://rp.example/callback%2F",
    "https://rp.example/callback?",
    "https://rp.example/callback?p=1",
    "https://rp.example/callback?p=/../x",
]
DISTINCT = [
    "https://rp.example/",
    "https://rp.example/callback2",
    "https://rp.example/Callback",
    "https://rp.example/callback/honest",
    "https://rp.example/callback.html",
    "https://rp.example/%2563allback",
    "https://rp.example:8443/callback",
    "https://other.example/callback",
    "https://www.rp.example/callback",
    "http://localhost/callback",
    "http://localhost:8080/callback",
    "http://[::1]/callback",
    "com.example.app:/callback",
]


@pytest.mark.parametrize("url", SPELLINGS)
def test_spellings_of_one_path_are_one_route(url: str) -> None:
    assert route_of(url) == "https://rp.example:443/callback"
    assert refusal(rp(HONEST), rp(HOSTILE, url)).found == "https://rp.example:443/callback"
    Routes([rp(HONEST, required=True), rp(HOSTILE, url, required=True)])


def test_distinct_paths_are_distinct_routes() -> None:
    assert len(set(map(route_of, [HERE, *DISTINCT]))) == len(DISTINCT) + 1


@pytest.mark.parametrize("url", DISTINCT)
def test_distinct_paths_are_never_refused(url: str) -> None:
    routes = Routes([rp(HONEST), rp(HOSTILE, url)])
    assert (routes.among(HERE), routes.among(url)) == ((0,), (1,))


@pytest.mark.parametrize("path", ["", "/", "//"])
def test_no_path_is_the_root(path: str) -> None:
    assert route_of(f"https://rp.example{path}") == "https://rp.example:443"


@pytest.mark.parametrize(
    "url",
    [
        "com.example.app:/cb",
        "COM.example.App:/cb",
        "com.example.app:/cb/",
        "com.example.app:cb",
        "com.example.app://cb",
        "com.example.app:///cb",
        "com.example.app:/%63b?p=1",
    ],
)
def test_spellings_of_a_private_scheme_are_one_route(url: str) -> None:
    assert route_of(url) == "com.example.app:/cb"
    refusal(rp(HONEST, "com.example.app:/cb"), rp(HOSTILE, url))


@pytest.mark.parametrize("url", ["com.example.app2:/cb", "com.example.app:/cb2", "example.app:/cb"])
def test_other_private_schemes_and_paths_are_other_routes(url: str) -> None:
    Routes([rp(HONEST, "com.example.app:/cb"), rp(HOSTILE, url)])


def test_a_client_has_the_routes_of_all_its_redirect_uris() -> None:
    several = rp(HONEST, HERE, f"{HERE}?tenant=1", ELSEWHERE)
    assert routes_of(several) == {route_of(HERE), route_of(ELSEWHERE)}
    assert refusal(several, rp(HOSTILE, ELSEWHERE)).found == route_of(ELSEWHERE)
    assert routes_of(evolve(several, client=ClientRegistration(client_id="c"))) == frozenset()


# --- who may share -------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_two_providers_share_a_path_only_if_each_is_declared(first: bool, second: bool) -> None:
    both = (rp(HONEST, required=first), rp(HOSTILE, required=second))
    if first and second:
        assert Routes(both).among(HERE) == (0, 1)
    else:
        assert refusal(*both).about == (HOSTILE if first else HONEST)


def test_what_the_metadata_announces_declares_nothing() -> None:
    both = [
        rp(
            issuer,
            provider=evolve(
                by_hand(issuer, issuer), authorization_response_iss_parameter_supported=True
            ),
        )
        for issuer in (HONEST, HOSTILE)
    ]
    refusal(*both)


def test_one_of_three_that_is_not_declared_spoils_the_path() -> None:
    third = rp("https://third.example")
    assert refusal(rp(required=True), rp(HOSTILE, required=True), third).about == third.issuer


def test_clients_of_one_provider_share_a_path_without_a_declaration() -> None:
    assert Routes([rp(client_id="a"), rp(client_id="b")]).among(HERE) == (0, 1)
    twins = [rp(client_id=c, provider=by_hand(HONEST, HONEST)) for c in "ab"]
    assert Routes(twins).among(HERE) == (0, 1)


def test_it_is_decided_alike_before_and_after_discovery() -> None:
    before = rp(client_id="a")
    after = rp(client_id="b", provider=by_hand(HONEST, HOSTILE), discovered_by=NOT_TOLD)
    Routes([before, after])
    refusal(before, rp(client_id="b", provider=by_hand(HONEST, HOSTILE)))


OTHER_WAYS: dict[str, dict[str, Any]] = {
    "its own discovery_url": {"discovery_url": f"{HOSTILE}/metadata"},
    "an endpoint overridden": {"metadata_overrides": {"token_endpoint": f"{HOSTILE}/token"}},
    "another member overridden": {"metadata_overrides": {"userinfo_endpoint": None}},
    "its own endpoints": {"provider": by_hand(HONEST, HOSTILE)},
    "one endpoint of its own": {
        "provider": evolve(by_hand(HONEST, HONEST), token_endpoint=f"{HOSTILE}/token")
    },
    "the same endpoints by hand": {"provider": by_hand(HONEST, HONEST)},
}


@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize("required", [True, False])
def test_one_issuer_at_other_endpoints_never_shares_a_path(way: str, required: bool) -> None:
    other = rp(HONEST, required=required, client_id="other", **OTHER_WAYS[way])
    error = refusal(rp(HONEST, required=required), other)
    if required:
        assert error.expected == f"one way to the endpoints of {HONEST}"
    apart = rp(HONEST, ELSEWHERE, required=required, client_id="other", **OTHER_WAYS[way])
    assert Routes([rp(HONEST, required=required), apart]).among(ELSEWHERE) == (1,)


@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize("other", OTHER_WAYS)
def test_clients_share_a_path_only_where_they_reach_it_in_the_same_way(
    way: str, other: str
) -> None:
    both = [rp(client_id="a", **OTHER_WAYS[way]), rp(client_id="b", **OTHER_WAYS[other])]
    if way == other:
        Routes(both)
    else:
        refusal(*both)


def test_the_order_of_overrides_makes_no_other_way() -> None:
    pairs = [("claims_supported", ["sub"]), ("userinfo_endpoint", None)]
    Routes(
        [
            rp(client_id="a", metadata_overrides=dict(pairs)),
            rp(client_id="b", metadata_overrides=dict(pairs[::-1])),
        ]
    )


ONE, TWO = "https://login.example/one/v2", "https://login.example/two/v2"
OVERLAPS: dict[str, tuple[IssuerRule, IssuerRule]] = {
    "the same": (IssuerRule.exact(HONEST), IssuerRule.exact(HONEST)),
    "an alias is the other": (
        IssuerRule.exact(HONEST), IssuerRule.one_of(HOSTILE, HONEST),
    ),
    "a common alias": (
        IssuerRule.one_of(HONEST, "https://a.example"),
        IssuerRule.one_of(HOSTILE, "https://a.example"),
    ),
    "a named tenant": (
        IssuerRule.exact(ONE), IssuerRule.template(TEMPLATE, tenants=frozenset({"one"})),
    ),
    "any tenant": (IssuerRule.exact(ONE), IssuerRule.template(TEMPLATE, tenants=ANY_TENANT)),
    "an alias among any tenant": (
        IssuerRule.one_of(HONEST, TWO), IssuerRule.template(TEMPLATE, tenants=ANY_TENANT),
    ),
    "two templates": (
        IssuerRule.template(TEMPLATE, tenants=ANY_TENANT),
        IssuerRule.template(TEMPLATE, tenants=frozenset({"one"})),
    ),
    "two templates that begin alike": (
        IssuerRule.template(TEMPLATE, tenants=ANY_TENANT),
        IssuerRule.template("https://login.example/a{t}", tenants=ANY_TENANT),
    ),
    "what two templates accept beside": (
        evolve(IssuerRule.template(TEMPLATE, tenants=ANY_TENANT), accepted={HONEST}),
        evolve(
            IssuerRule.template("https://id.example/{t}", tenants=ANY_TENANT), accepted={HONEST}
        ),
    ),
}  # fmt: skip
APART: dict[str, tuple[IssuerRule, IssuerRule]] = {
    "two issuers": (IssuerRule.exact(HONEST), IssuerRule.exact(HOSTILE)),
    "they differ in a slash": (IssuerRule.exact(HONEST), IssuerRule.exact(f"{HONEST}/")),
    "other aliases": (
        IssuerRule.one_of(HONEST, "https://a.example"),
        IssuerRule.one_of(HOSTILE, "https://b.example"),
    ),
    "another tenant": (
        IssuerRule.exact(TWO), IssuerRule.template(TEMPLATE, tenants=frozenset({"one"})),
    ),
    "no tenant at all": (
        IssuerRule.exact(HONEST), IssuerRule.template(TEMPLATE, tenants=ANY_TENANT),
    ),
    "the template itself": (
        IssuerRule.exact("https://login.example/v2"),
        IssuerRule.template(TEMPLATE, tenants=ANY_TENANT),
    ),
    "templates of other hosts": (
        IssuerRule.template(TEMPLATE, tenants=ANY_TENANT),
        IssuerRule.template("https://id.example/{t}", tenants=ANY_TENANT),
    ),
}  # fmt: skip


def pair(rules: tuple[IssuerRule, ...], *uris: str) -> list[RelyingParty]:
    """Two clients, each of which finds its metadata at a different place."""
    return [
        rp("", uri, required=True, issuer_rule=rule, discovery_url=f"https://{place}.example/m")
        for rule, uri, place in zip(rules, uris or (HERE, HERE), ("x", "y"), strict=True)
    ]


@pytest.mark.parametrize("name", OVERLAPS)
@pytest.mark.parametrize("turned", [False, True])
def test_issuers_that_may_be_the_same_share_no_path(name: str, turned: bool) -> None:
    rules = OVERLAPS[name][::-1] if turned else OVERLAPS[name]
    refusal(*pair(rules))
    apart = pair(rules, HERE, ELSEWHERE)
    assert Routes(apart).among(HERE) == (0,)
    unknown(*apart)


@pytest.mark.parametrize("name", APART)
@pytest.mark.parametrize("turned", [False, True])
def test_issuers_that_are_never_the_same_may_share_a_path(name: str, turned: bool) -> None:
    rules = APART[name][::-1] if turned else APART[name]
    assert Routes(pair(rules)).among(HERE) == (0, 1)


def test_three_hundred_clients_are_configured() -> None:
    many = [
        rp(f"https://op{n}.example", f"{HERE}/{n}", HERE, required=True, client_id=f"c{n}")
        for n in range(300)
    ]
    routes = Routes(many)
    assert routes.among(f"{HERE}/299") == (299,)
    assert routes.among(HERE) == routes.among(None) == tuple(range(300))
    other_way = by_hand("https://op7.example", HOSTILE)
    refusal(*many[:20], rp("https://op7.example", required=True, provider=other_way))


# --- whose a callback can be ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        ELSEWHERE,
        f"{HERE}/",
        f"{HERE}#x",
        "https://RP.example/callback",
        "https://rp.example:443/callback",
        "http://internal/callback",
        "http://localhost/callback",
        "http://rp.example/callback",
        "https://rp.example:8443/callback",
        "https://user:secret@rp.example/callback",
        "https://rp.example/other?code=secret",
        "https://rp.example/#code=secret",
        "HTTPS://rp.example/callback",
        "//rp.example/callback",
        "/callback",
        "callback",
        "https://rp.example\\@evil.example/callback",
        "https://\x00/",
        "https://",
        "",
    ],
)
def test_a_callback_at_no_redirect_uri_is_refused_and_says_what_to_pass(url: str) -> None:
    """Behind a proxy, or built from a header that a stranger wrote."""
    with pytest.raises(CallbackError) as caught:
        Routes([rp(HONEST, f"{HERE}?p=1"), rp(HOSTILE, f"{HERE}/2")]).among(url)
    error = caught.value
    assert error.code == "redirect_uri_mismatch"
    assert error.expected == (HERE, f"{HERE}/2")
    assert "secret" not in str(error)
    assert "built from Host" in error.hint


@pytest.mark.parametrize("query", ["", "?", "?code=x&state=y", "?/elsewhere", "?#"])
def test_a_query_does_not_tell_whose_a_callback_is(query: str) -> None:
    assert Routes([rp(HONEST), rp(HOSTILE, ELSEWHERE)]).among(f"{HERE}{query}") == (0,)


def test_a_client_with_several_redirect_uris_takes_callbacks_at_each() -> None:
    several = rp(HONEST, HERE, f"{HERE}?p=1", ELSEWHERE, "com.example.app:/cb?x=y")
    routes = Routes([rp("https://third.example", f"{HERE}/3"), several])
    for url in (HERE, ELSEWHERE, "com.example.app:/cb"):
        assert routes.among(url) == (1,)


def unknown(*rps: RelyingParty) -> None:
    with pytest.raises(UsageError) as caught:
        Routes(rps).among(None)
    assert (caught.value.code, caught.value.about) == ("redirect_uri_unknown", "url")


def test_without_a_url_iss_has_to_tell_the_providers_apart() -> None:
    declared = rp(HONEST, required=True)
    assert Routes([declared]).among(None) == (0,)
    assert Routes([declared, rp(HOSTILE, ELSEWHERE, required=True)]).among(None) == (0, 1)
    assert Routes([declared, rp(client_id="b", required=True)]).among(None) == (0, 1)
    unknown(rp(HONEST))
    unknown(declared, rp(HOSTILE, ELSEWHERE))
    unknown(rp(HOSTILE, ELSEWHERE), declared)


@pytest.mark.parametrize("way", OTHER_WAYS)
def test_without_a_url_one_issuer_at_other_endpoints_is_never_told_apart(way: str) -> None:
    """Here ``iss`` speaks for both, so only separate paths can help."""
    other = rp(HONEST, ELSEWHERE, required=True, client_id="other", **OTHER_WAYS[way])
    unknown(rp(HONEST, required=True), other)
