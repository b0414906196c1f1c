from __future__ import annotations

from oidc_adapters.testing.samples.parties import (
    CLIENT_ID,
    ISSUER,
    METADATA,
    client_secret,
    decryption_key,
    login_secrets,
    named_secret,
    registered,
    relying_party,
)
from oidc_adapters.testing.signing import ALGORITHMS
from oidc_core import Policy


def test_secrets_follow_from_their_seed() -> None:
    assert login_secrets(1) == login_secrets(1) != login_secrets(2)
    assert client_secret(1) == client_secret(1) != client_secret(2)
    assert named_secret("code", 1) == named_secret("code", 1) != named_secret("code", 2)
    assert named_secret("code", 1) != named_secret("access", 1)
    assert decryption_key(1).thumbprint == decryption_key(1).thumbprint
    assert decryption_key(1).thumbprint != decryption_key(2).thumbprint


def test_a_secret_is_long_enough_for_every_mac() -> None:
    assert len(client_secret(0)) >= 64
    assert len(named_secret("logout", 7)) == 43


def test_the_client_is_one_at_the_provider_with_the_policy_that_is_given() -> None:
    rp = relying_party(policy=Policy(leeway=7))

    assert (rp.issuer, rp.client.client_id, rp.policy.leeway) == (ISSUER, CLIENT_ID, 7)
    assert METADATA["id_token_signing_alg_values_supported"] == [*ALGORITHMS]


def test_the_client_registers_each_kind_of_token() -> None:
    userinfo = registered("userinfo", "ES256", ("dir", "A128GCM"))
    id_token = registered("logout_token", "HS256")

    assert userinfo.encrypted_with("userinfo") == ("dir", "A128GCM")
    assert (userinfo.signed_with("userinfo"), userinfo.signed_with("id_token")) == ("ES256", None)
    assert (id_token.signed_with("id_token"), id_token.encrypted_with("id_token")) == (
        "HS256",
        None,
    )
