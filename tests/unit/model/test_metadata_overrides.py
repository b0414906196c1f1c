"""Overrides that correct metadata by name, declarations about a provider, and PKCE or a nonce."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from attrs import evolve

from oidc_core.model.network import network_of
from oidc_core.model.policy import DEFAULT_POLICY
from oidc_core.model.provider import ProviderMetadata, check_overrides
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import UsageError
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.way import NOT_TOLD, Channel
from tests.unit.parties import CLIENT, ISSUER, PROVIDER, relying_party

RP = relying_party(ProviderMetadata(issuer=ISSUER))
DISCOVERED = evolve(relying_party(), discovered_by=NOT_TOLD)
S256 = {"code_challenge_methods_supported": ["S256"]}
UNECHOED = evolve(DEFAULT_POLICY, quirks=frozenset({"nonce_not_echoed"}))


def with_overrides(overrides: Any, rp: RelyingParty = RP) -> RelyingParty:
    return evolve(rp, metadata_overrides=overrides)


def refusal(rp: RelyingParty = RP, **changes: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        evolve(rp, **changes)
    return caught.value


# --- overrides -----------------------------------------------------------------------------------

GOOD: dict[str, Any] = {
    "token_endpoint": f"{ISSUER}/token?v=2",
    "userinfo_endpoint": None,
    "scopes_supported": ["openid"],
    "code_challenge_methods_supported": [],
    "authorization_response_iss_parameter_supported": True,
    "claims_parameter_supported": None,
    "require_pushed_authorization_requests": False,
    "end_session_endpoint": None,
}
BAD: dict[str, Any] = {
    "token_endpoint": "http://op.example/token",
    "jwks_uri": 5,
    "authorization_endpoint": f"{ISSUER}/authorize?state=x",
    "revocation_endpoint": "revoke",
    "scopes_supported": "openid",
    "code_challenge_methods_supported": "S256",
    "response_types_supported": ["code", 5],
    "acr_values_supported": {"a": 1},
    "claims_parameter_supported": "true",
    "authorization_response_iss_parameter_supported": 1,
    "id_token_signing_alg_values_supported": "RS256",
    "require_pushed_authorization_requests": "false",
    "end_session_endpoint": "",
}


@pytest.mark.parametrize("name", GOOD)
def test_a_member_is_corrected_by_a_value_that_it_can_have(name: str) -> None:
    rp = with_overrides({name: GOOD[name]})
    assert [*rp.metadata_overrides] == [name]
    assert with_overrides(JsonObject(rp.metadata_overrides.members)) == rp


@pytest.mark.parametrize("name", BAD)
def test_a_member_is_not_corrected_by_a_value_that_it_cannot_have(name: str) -> None:
    error = refusal(metadata_overrides={"userinfo_endpoint": None, name: BAD[name]})
    assert (error.code, error.about) == ("config_invalid", f"metadata_overrides: {name}")


@pytest.mark.parametrize("name", ["issuer", "extra", "notes", "", "token_endpoints", "x", "Issuer"])
@pytest.mark.parametrize("value", [None, ISSUER, ["x"]])
def test_only_members_are_corrected_and_never_the_issuer(name: str, value: object) -> None:
    error = refusal(metadata_overrides={name: value})
    assert (error.code, error.about, error.found) == ("config_invalid", "metadata_overrides", name)


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        "token_endpoint",
        ["token_endpoint"],
        [("token_endpoint", None)],
        {5: None},
        {None: None},
        {"scopes_supported": {"openid"}},
        {"scopes_supported": b"openid"},
        {"scopes_supported": object()},
        {"scopes_supported": [{"a": {1, 2}}]},
    ],
)
def test_what_is_no_json_object_corrects_nothing(value: Any) -> None:
    error = refusal(metadata_overrides=value)
    assert (error.code, error.about) == ("config_invalid", "metadata_overrides")
    assert str(error.found).startswith(type(value).__name__)


def test_http_on_loopback_is_let_pass_by_the_quirk_here_too() -> None:
    members = JsonObject({"token_endpoint": "http://127.0.0.1/token"})
    with pytest.raises(UsageError):
        check_overrides(members)
    lax = evolve(
        DEFAULT_POLICY,
        quirks=frozenset({"insecure_allow_http_loopback"}),
    )
    check_overrides(members, network=network_of(lax, {"http://127.0.0.1:80"}))
    error = refusal(metadata_overrides=members)
    assert (error.code, error.about) == ("config_invalid", "metadata_overrides: token_endpoint")


def test_they_do_not_change_with_what_they_were_made_of() -> None:
    methods = ["S256"]
    given = {"code_challenge_methods_supported": methods}
    rp = with_overrides(given)
    methods.append("plain")
    given["claims_supported"] = ["sub"]
    assert rp.metadata_overrides == JsonObject({"code_challenge_methods_supported": ("S256",)})
    for twin in (copy.deepcopy(rp), pickle.loads(pickle.dumps(rp))):
        assert (twin, twin.digest) == (rp, rp.digest)


def test_evidence_names_them() -> None:
    lax = evolve(DEFAULT_POLICY, quirks=frozenset({"omit_pkce"}))
    rp = evolve(RP, policy=lax, metadata_overrides={**GOOD})
    names = [f"metadata_overrides: {name}" for name in sorted(GOOD)]
    assert rp.terms.relaxations == ("omit_pkce", *names)
    assert RP.terms.relaxations == ()


def test_they_and_where_metadata_lies_are_part_of_the_digest() -> None:
    rps = [
        RP,
        with_overrides({"userinfo_endpoint": None}),
        with_overrides({"token_endpoint": None}),
        with_overrides({"token_endpoint": f"{ISSUER}/t"}),
        with_overrides({"token_endpoint": f"{ISSUER}/t", "userinfo_endpoint": None}),
        evolve(RP, discovery_url=f"{ISSUER}/metadata"),
        evolve(RP, discovery_url=f"{ISSUER}/metadata2"),
        evolve(RP, client=evolve(CLIENT, response_iss="required")),
    ]
    assert len({rp.digest for rp in rps}) == len(set(rps)) == len(rps)
    turned = with_overrides({"userinfo_endpoint": None, "token_endpoint": f"{ISSUER}/t"})
    assert (turned, turned.digest) == (rps[4], rps[4].digest)


def test_metadata_made_by_hand_is_corrected_by_hand() -> None:
    """A setting without effect must not appear in the evidence as if it had one."""
    error = refusal(relying_party(), metadata_overrides=S256)
    assert (error.code, error.about, error.expected) == (
        "config_invalid",
        "metadata_overrides",
        "discovered metadata",
    )
    assert with_overrides(S256, DISCOVERED).discovered


@pytest.mark.parametrize(
    ("url", "code"),
    [("http://cdn.example/x", "url_scheme_not_allowed"), ("cdn.example", "url_invalid"),
     ("", "url_invalid"), ("https://u@cdn.example/", "url_userinfo_not_allowed")],
)  # fmt: skip
def test_where_metadata_lies_is_an_https_url(url: str, code: str) -> None:
    error = refusal(discovery_url=url)
    assert (error.code, error.about) == (code, "discovery_url")
    assert evolve(RP, discovery_url="https://cdn.example/x?y=z").digest != RP.digest


# --- PKCE or a nonce -----------------------------------------------------------------------------


@pytest.mark.req("RFC9700-2.1.1-01")
@pytest.mark.parametrize("methods", [(), ("plain",), ("s256",), ("S256 ",), ("S512", "plain")])
@pytest.mark.parametrize("discovered_by", [NOT_TOLD, None])
def test_without_a_nonce_the_provider_must_say_that_it_knows_pkce(
    methods: tuple[str, ...], discovered_by: Channel | None
) -> None:
    """Here alone an absent member counts as no: a provider that ignores the challenge is silent."""
    provider = evolve(PROVIDER, code_challenge_methods_supported=methods)
    if not methods:  # the nonce is enough, and nothing rules PKCE out
        evolve(RP, provider=provider, discovered_by=discovered_by)
    error = refusal(provider=provider, discovered_by=discovered_by, policy=UNECHOED)
    assert (error.code, error.found, error.expected, error.about) == (
        "pkce_or_nonce_required",
        methods,
        "S256",
        "code_challenge_methods_supported",
    )


@pytest.mark.parametrize("methods", [("S256",), ("plain", "S256")])
@pytest.mark.parametrize("discovered_by", [NOT_TOLD, None])
def test_a_provider_that_knows_pkce_needs_no_nonce(
    methods: tuple[str, ...], discovered_by: Channel | None
) -> None:
    provider = evolve(PROVIDER, code_challenge_methods_supported=methods)
    rp = evolve(RP, provider=provider, discovered_by=discovered_by, policy=UNECHOED)
    assert rp.terms.relaxations == ("nonce_not_echoed",)


def test_it_is_not_asked_before_the_metadata_is_there() -> None:
    assert evolve(RP, policy=UNECHOED).provider.code_challenge_methods_supported == ()


def test_neither_pkce_nor_a_nonce_is_no_policy() -> None:
    with pytest.raises(UsageError) as caught:
        evolve(DEFAULT_POLICY, quirks=frozenset({"nonce_not_echoed", "omit_pkce"}))
    assert caught.value.code == "config_invalid"


# --- iss in the response -------------------------------------------------------------------------


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("announced", [True, False])
def test_iss_is_expected_where_it_is_declared_or_announced(declared: bool, announced: bool) -> None:
    rp = relying_party(
        evolve(PROVIDER, authorization_response_iss_parameter_supported=announced),
        evolve(CLIENT, response_iss="required" if declared else "as_announced"),
    )
    assert rp.expects_iss is (declared or announced)
    silent = declared and not announced
    assert rp.response_remarks == (("the metadata does not announce iss",) if silent else ())
