"""Discovery where the provider's document is corrected by name."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from oidc_core.machine.steps import Exchange
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.policy import DEFAULT_POLICY
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.discovery import discover, parse_metadata
from oidc_core.wire.errors import OidcError, ProtocolViolation, UsageError
from oidc_core.wire.jsontypes import JsonObject
from tests.parties import ISSUER, done, json_response, refused, resume, started
from tests.unit.parties import relying_party

DOCUMENT: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/a",
    "token_endpoint": f"{ISSUER}/t",
    "jwks_uri": f"{ISSUER}/j",
    "userinfo_endpoint": f"{ISSUER}/u",
    "claims_supported": ["sub"],
}
BARE = relying_party(ProviderMetadata(issuer=ISSUER))
UNECHOED = evolve(DEFAULT_POLICY, quirks=frozenset({"nonce_not_echoed"}))
S256 = {"code_challenge_methods_supported": ["S256"]}


def discovered(rp: RelyingParty, **published: Any) -> RelyingParty:
    return done(resume(rp, discover(rp), json_response({**DOCUMENT, **published})))


def refusal(kind: type[OidcError], code: str, rp: RelyingParty, **published: Any) -> OidcError:
    return refused(kind, code, lambda: discovered(rp, **published))


def test_a_member_is_replaced_added_or_removed() -> None:
    overrides = {
        "token_endpoint": f"{ISSUER}/t2",
        "acr_values_supported": ["1"],
        "userinfo_endpoint": None,
    }
    rp = evolve(BARE, metadata_overrides=overrides)

    found = discovered(rp)

    plain = discovered(BARE).provider
    assert found.provider == evolve(
        plain,
        token_endpoint=f"{ISSUER}/t2",
        acr_values_supported=("1",),
        userinfo_endpoint=None,
    )
    assert (found.discovered, rp.discovered) == (True, False)
    assert found.metadata_overrides == rp.metadata_overrides
    assert found.terms.relaxations == rp.terms.relaxations
    assert found.digest not in {discovered(BARE).digest, rp.digest}


def test_what_is_malformed_in_the_document_can_be_corrected() -> None:
    name = "authorization_response_iss_parameter_supported"
    refusal(ProtocolViolation, "metadata_invalid", BARE, **{name: "true"})
    rp = evolve(BARE, metadata_overrides={name: True})
    assert discovered(rp, **{name: "true"}).expects_iss


def test_the_issuer_still_has_to_be_the_one_configured() -> None:
    rp = evolve(BARE, metadata_overrides={"userinfo_endpoint": None})
    evil = "https://evil.example"
    refusal(ProtocolViolation, "metadata_issuer_mismatch", rp, issuer=evil)


def test_where_metadata_lies_is_decided_by_the_issuer_that_was_configured() -> None:
    """Not by an alias of it, that another document may have named."""
    alias = "https://alias.example"
    rule = IssuerRule.one_of(ISSUER, alias)
    rp = evolve(BARE, provider=ProviderMetadata(issuer=alias), issuer_rule=rule)
    step = discover(rp)
    assert isinstance(step, Exchange)
    assert step.request.url == f"{ISSUER}/.well-known/openid-configuration"
    assert discovered(rp, issuer=alias).issuer == ISSUER


def test_what_a_login_needs_and_was_taken_away_is_missed_at_its_start() -> None:
    rp = discovered(evolve(BARE, metadata_overrides={"jwks_uri": None}))
    error = refused(UsageError, "unsupported_by_provider", lambda: started(rp))
    assert error.about == "jwks_uri"


def test_metadata_is_corrected_after_it_is_parsed_and_only_if_that_is_asked() -> None:
    rule, answer = IssuerRule.exact(ISSUER), json_response(DOCUMENT)
    overrides = JsonObject({"claims_supported": ("sub", "email")})
    assert parse_metadata(answer, rule=rule).claims_supported == ("sub",)
    corrected = parse_metadata(answer, rule=rule, overrides=overrides)
    assert corrected.claims_supported == ("sub", "email")


@pytest.mark.req("RFC9700-2.1.1-01")
@pytest.mark.parametrize(
    "published",
    [
        {},
        {"code_challenge_methods_supported": None},
        {"code_challenge_methods_supported": []},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
def test_a_provider_without_nonce_must_name_pkce_or_be_known_to_have_it(
    published: dict[str, Any],
) -> None:
    rp = evolve(BARE, policy=UNECHOED)

    error = refusal(UsageError, "pkce_or_nonce_required", rp, **published)

    assert (error.about, error.expected) == ("code_challenge_methods_supported", "S256")
    assert "metadata_overrides" in error.hint
    known = discovered(evolve(rp, metadata_overrides=S256), **published)
    assert known.provider.code_challenge_methods_supported == ("S256",)
    assert known.terms.relaxations == (
        "nonce_not_echoed",
        "metadata_overrides: code_challenge_methods_supported",
    )
    if published.get("code_challenge_methods_supported") != ["plain"]:
        assert discovered(BARE, **published).terms.relaxations == ()


def test_a_provider_that_names_pkce_is_taken_unless_that_is_corrected() -> None:
    rp = evolve(BARE, policy=UNECHOED)
    assert discovered(rp, **S256).terms.relaxations == ("nonce_not_echoed",)
    removed = evolve(rp, metadata_overrides={"code_challenge_methods_supported": None})
    refusal(UsageError, "pkce_or_nonce_required", removed, **S256)
