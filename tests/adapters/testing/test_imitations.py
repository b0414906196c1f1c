"""Imitations of real providers: whole logins, refreshes and logouts with the right settings."""

from __future__ import annotations

from typing import Any, Final

import pytest
from attrs import evolve
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oidc_adapters.credentials.client_keys import ClientKey, ClientKeys
from oidc_adapters.testing import (
    ENTRA_LIKE,
    HYDRA_LIKE,
    KEYCLOAK_LIKE,
    LEMONLDAP_LIKE,
    Dialect,
    FakeClient,
    FakeUser,
    RequestRefused,
)
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import ProtocolViolation, ProviderError
from tests.flows.rig import NOW, Rig, honest_provider, new_rig
from tests.parties import refused
from tests.refreshing import refreshed

KEY: Final = ClientKey(Ed25519PrivateKey.from_private_bytes(32 * b"k"), alg="EdDSA", kid="k")
COMMON: Final = "https://login.example/organizations/v2.0"
TENANTS: Final = "https://login.example/{tenantid}/v2.0"
HYDRA_POLICY: Final = Policy(
    name="hydra", quirks={"at_hash_sha256", "assertion_audience_token_endpoint"}
)


def rig_of(dialect: Dialect, **settings: Any) -> Rig:
    return new_rig(honest_provider(dialect=dialect), **settings)


def went_through(rig: Rig) -> Any:
    """Log in, refresh and log out; return the user who logged in."""
    logged_in = rig.log_in().logged_in
    renewed = refreshed(rig.client, logged_in.tokens).tokens
    page = rig.client.start_logout(renewed)

    assert (rig.provider.end_session(page.url, NOW) or "").startswith("https://rp.example/")
    return logged_in


def test_a_life_at_keycloak() -> None:
    rig = rig_of(KEYCLOAK_LIKE, scope="openid profile email")

    assert went_through(rig).identity.subject == "alice"


def test_keycloak_takes_no_hint_whose_key_is_gone() -> None:
    """A28."""
    rig = rig_of(KEYCLOAK_LIKE)
    before = rig.log_in().logged_in.tokens
    rig.provider.rotate_keys(keep_previous=False)
    after = rig.log_in().logged_in.tokens

    with pytest.raises(RequestRefused):
        rig.provider.end_session(rig.client.start_logout(before).url, NOW)
    assert rig.provider.end_session(rig.client.start_logout(after).url, NOW) is not None


def hydra(**settings: Any) -> Rig:
    keys = ClientKeys(KEY)
    client = FakeClient(
        token_endpoint_auth_method="private_key_jwt", jwks=(KEY.public_jwk().plain(),)
    )
    provider = honest_provider(clients=(client,), dialect=HYDRA_LIKE, id_token_alg="ES512")
    return new_rig(provider, client_secret=None, client_keys=keys, **settings)


def test_a_life_at_hydra() -> None:
    assert went_through(hydra(policy=HYDRA_POLICY)).identity.subject == "alice"


def test_hydra_needs_both_quirks() -> None:
    """D11, D12."""
    audience = evolve(HYDRA_POLICY, quirks={"at_hash_sha256"})
    half = evolve(HYDRA_POLICY, quirks={"assertion_audience_token_endpoint"})

    refused(ProviderError, "provider_error", lambda: hydra(policy=audience).log_in())
    error = refused(ProtocolViolation, "at_hash_mismatch", lambda: hydra(policy=half).log_in())
    assert "at_hash_sha256" in (error.hint or "")


def test_hydra_explains_at_length() -> None:
    """E23."""
    rig = hydra(policy=HYDRA_POLICY)
    brought = rig.visit(rig.start())
    rig.provider.ledger.codes.clear()

    with pytest.raises(ProviderError) as caught:
        rig.finish(brought)

    error = caught.value
    assert error.error == "invalid_grant"
    assert 273 <= len(error.error_description or "") <= 400
    assert (error.error_description or "").endswith("already used.")


def test_a_life_at_entra() -> None:
    carol = FakeUser.complete("carol")
    user = evolve(carol, claims={**carol.claims, "tid": "contoso"})
    dialect = evolve(ENTRA_LIKE, endpoints_below=COMMON)
    provider = honest_provider(issuer=TENANTS, users=(user,), dialect=dialect)
    rig = new_rig(
        provider,
        issuer="",
        issuer_rule=IssuerRule.template(TENANTS, tenants={"contoso"}),
        discovery_url=f"{COMMON}/.well-known/openid-configuration",
    )

    logged_in = went_through(rig)

    assert logged_in.identity.issuer == "https://login.example/contoso/v2.0"
    assert logged_in.claims["tid"] == "contoso"
    assert logged_in.email is not None
    assert not logged_in.email.verified
    (code,) = provider.ledger.codes
    assert len(code) == 5_000


def test_a_life_at_lemonldap() -> None:
    rig = rig_of(LEMONLDAP_LIKE)

    assert went_through(rig).identity.subject == "alice"
    assert rig.visit(rig.start()).query.count("session_state=") == 1


@pytest.mark.parametrize(
    "dialect",
    [
        Dialect(as_list=("tokens.scope",)),
        Dialect(as_text=("tokens.expires_in",)),
        Dialect(without=("tokens.scope", "tokens.expires_in")),
        Dialect(as_list=("id_token.aud",)),
        Dialect(without=("key.alg", "key.use")),
        Dialect(iss_on_errors=False),
        Dialect(tokens={"token_type": "BEARER", "extra": {"a": [1]}}),
        Dialect(id_token={"amr": [], "typ": "ID", "token_use": "id"}),
        Dialect(metadata={"registration_endpoint": ""}),
        Dialect(as_text=("metadata.token_endpoint_auth_signing_alg_values_supported",)),
        Dialect(offline_access="unasked"),
        Dialect(session_management=True),
        Dialect(keys_name_issuer=True),
    ],
    ids=repr,
)
def test_a_provider_may_differ_without_a_fault(dialect: Dialect) -> None:
    assert went_through(rig_of(dialect)).identity.subject == "alice"


def test_a_refresh_token_may_stay() -> None:
    rig = rig_of(Dialect(rotates_refresh=False))
    first = rig.log_in().logged_in.tokens

    second = refreshed(rig.client, first).tokens
    third = refreshed(rig.client, second).tokens

    assert first.refresh_token == second.refresh_token == third.refresh_token
    assert first.access_token != third.access_token


@pytest.mark.parametrize("body", ["html", "empty"])
def test_errors_may_have_another_body(body: Any) -> None:
    rig = rig_of(Dialect(error_body=body))
    brought = rig.visit(rig.start())
    rig.provider.ledger.codes.clear()

    refused(ProtocolViolation, "http_status_unexpected", lambda: rig.finish(brought))


def test_text_where_a_flag_is_a_defence_is_refused() -> None:
    name = "metadata.authorization_response_iss_parameter_supported"

    refused(
        ProtocolViolation,
        "metadata_invalid",
        lambda: rig_of(evolve(LEMONLDAP_LIKE, as_text=(name,))),
    )
