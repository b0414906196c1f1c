"""Forged JWTs, for each kind of key."""

import json
from typing import Final

import pytest
from cryptography.exceptions import InvalidSignature

from oidc_adapters.testing import FakeProvider
from tests.adapters.testing.raw_client import (
    NONCE,
    arrive,
    claims_of,
    fetch,
    header_of,
    redeem,
    responded,
    verify,
)

FORGERIES: Final = (
    "stranger_under_known_kid",
    "embedded_key",
    "hs256_with_public_key",
    "unexpected_alg",
    "bad_signature",
)
FORGED: Final = [
    (name, alg) for name in FORGERIES for alg in ("RS256", "PS256", "ES256", "ES384", "HS256")
] + [("jwks_private_keys_only", alg) for alg in ("RS256", "PS256", "ES256", "ES512")]


@pytest.mark.parametrize(("name", "alg"), FORGED)
def test_forgeries_know_every_algorithm(name: str, alg: str) -> None:
    provider = FakeProvider(id_token_alg=alg, misbehave=name)

    answer = responded(redeem(provider, arrive(provider)))
    keys = json.loads(responded(fetch(provider, "/jwks")).body)["keys"]

    token = json.loads(answer.body)["id_token"]
    assert claims_of(token)["nonce"] == NONCE
    if name == "unexpected_alg":
        assert header_of(token)["alg"] not in {alg, "HS256"}
        verify(token, keys)
    elif name == "jwks_private_keys_only":
        assert [sorted({"d"} & key.keys()) for key in keys] == [["d"]]
        verify(token, keys)
    else:
        with pytest.raises((InvalidSignature, AssertionError)):
            verify(token, keys, provider.clients[0].client_secret)
