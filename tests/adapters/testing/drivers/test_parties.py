"""The world that a driver is made of: two providers that know the same client identifier."""

import pytest

from oidc_adapters.testing.drivers import parties
from oidc_adapters.testing.drivers.parties import Method


@pytest.mark.parametrize("method", parties.METHODS)
def test_the_providers_share_a_client_identifier_and_no_secret(method: Method) -> None:
    made = parties.providers(method)
    clients = [provider.clients[0] for provider in made.values()]

    assert {client.client_id for client in clients} == {parties.CLIENT_ID}
    assert {client.token_endpoint_auth_method for client in clients} == {method}
    assert len({client.client_secret for client in clients}) == len(parties.ISSUERS) == 2


@pytest.mark.parametrize("method", parties.METHODS)
def test_each_client_has_its_credentials_and_a_key_for_proofs(method: Method) -> None:
    credentials = parties.credentials(method)

    assert repr(credentials) == "Credentials(2)"
    assert credentials.nonces is not None
    assert credentials.nonces is not parties.credentials(method).nonces


def test_proofs_and_assertions_have_keys_of_their_own() -> None:
    assert parties.dpop_key().public_jwk()["x"] != parties.assertion_key().public_jwk()["x"]
