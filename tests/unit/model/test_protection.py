"""How each kind of JWT is protected."""

from attrs import evolve

from oidc_core.jose.jws import Encryption
from oidc_core.model.policy import Policy
from oidc_core.model.protection import Protection, protection_of
from tests.unit.parties import CLIENT, PROVIDER

POLICY = Policy(algorithms={"RS256", "ES256", "EdDSA"})


def test_without_a_registered_algorithm_policy_and_provider_have_to_agree() -> None:
    for advertised, agreed in (
        ((), {"RS256"}),
        (("ES256", "PS256"), {"ES256"}),
        (("none", "HS256"), set[str]()),
    ):
        provider = evolve(PROVIDER, id_token_signing_alg_values_supported=advertised)
        found = protection_of(provider, CLIENT, POLICY)
        assert found["id_token"] == Protection(frozenset(agreed), None)
        assert found["userinfo"] == Protection(frozenset(), None)


def test_nothing_but_the_registered_algorithm_serves() -> None:
    client = evolve(
        CLIENT, id_token_signed_response_alg="PS256", userinfo_signed_response_alg="ES512"
    )
    found = protection_of(PROVIDER, client, POLICY)
    assert found["id_token"].algorithms == {"PS256"}
    assert found["userinfo"].algorithms == {"ES512"}


def test_encryption_is_as_it_was_registered() -> None:
    client = evolve(CLIENT, userinfo_encrypted_response_alg="ECDH-ES")
    found = protection_of(PROVIDER, client, POLICY)
    assert found["userinfo"].encryption == Encryption("ECDH-ES", "A128CBC-HS256")
    assert found["id_token"].encryption is None
