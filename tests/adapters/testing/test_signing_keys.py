"""The fake provider's keys, and their rotation."""

from oidc_adapters.testing import FakeProvider
from oidc_adapters.testing.signing_keys import KeyRing, rsa_key

from .raw_client import header_of, logged_in, published_keys, verify


def test_rotated_keys_stay_published_if_told_so() -> None:
    provider = FakeProvider(id_token_alg="EdDSA")
    before = logged_in(provider)["id_token"]

    provider.rotate_keys()
    after = logged_in(provider)["id_token"]

    assert [key["kid"] for key in published_keys(provider)] == ["eddsa-2", "eddsa-1"]
    verify(before, published_keys(provider))
    verify(after, published_keys(provider))
    assert header_of(before)["kid"] != header_of(after)["kid"]


def test_rotated_keys_are_withdrawn_if_told_so() -> None:
    provider = FakeProvider(id_token_alg="EdDSA")

    provider.rotate_keys(keep_previous=False)

    assert [key["kid"] for key in published_keys(provider)] == ["eddsa-2"]
    verify(logged_in(provider)["id_token"], published_keys(provider))


def test_an_rsa_key_is_made_once() -> None:
    assert rsa_key("one", 1_024) is rsa_key("one", 1_024)
    assert rsa_key("one", 1_024) is not rsa_key("two", 1_024)
    assert rsa_key("one", 1_024).key_size == 1_024


def test_keys_differ_by_seed_generation_and_algorithm() -> None:
    keys = [
        KeyRing(seed=seed, generation=generation).signing_key(alg).public_jwk()["x"]
        for seed in (1, 2)
        for generation in (1, 2)
        for alg in ("ES256", "ES384", "ES512", "EdDSA")
    ]

    assert len(set(keys)) == 16
