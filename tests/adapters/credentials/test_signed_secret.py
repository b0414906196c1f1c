"""Client secrets that the client signs for itself."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.credentials.client_keys import ClientKey
from oidc_adapters.credentials.signed_secret import SignedSecret
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.testing import FakeClient, FakeProvider, InMemoryTransport
from oidc_adapters.testing.signing import b64url_octets, verifies
from oidc_core.wire.errors import OidcError, StoreFailure, UsageError
from tests.adapters.crypto.keys import EC

NOW = 1_800_000_000
KEY = ClientKey(EC["ES256"], alg="ES256", kid="KEY")


def secret(**changed: Any) -> SignedSecret:
    given: dict[str, Any] = {
        "key": KEY,
        "iss": "TEAM",
        "sub": "client",
        "aud": "https://op.example",
        "clock": FrozenClock(NOW),
    }
    return SignedSecret(**(given | changed))


def parts(text: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    header, payload, signature = text.split(".")
    octets = f"{header}.{payload}".encode()
    opened = json.loads(b64url_octets(header)), json.loads(b64url_octets(payload))
    return *opened, octets, b64url_octets(signature)


def test_each_call_signs_a_secret_of_its_own() -> None:
    clock = FrozenClock(NOW)
    make = secret(clock=clock)
    header, claims, octets, signature = parts(make())
    clock.advance(10)

    assert header == {"alg": "ES256", "kid": "KEY"}
    assert claims == {
        "iss": "TEAM",
        "sub": "client",
        "aud": "https://op.example",
        "iat": NOW,
        "exp": NOW + 300,
    }
    assert verifies(KEY.public_jwk().members, "ES256", octets, signature)
    assert parts(make())[1]["iat"] == NOW + 10


@pytest.mark.parametrize(
    ("changed", "about"),
    [
        ({"iss": ""}, "iss"),
        ({"sub": ""}, "sub"),
        ({"aud": ""}, "aud"),
        ({"aud": None}, "aud"),
        ({"key": "a key"}, "key"),
        ({"lifetime": 0}, "lifetime"),
        ({"lifetime": 15_777_001}, "lifetime"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(changed: dict[str, Any], about: str) -> None:
    with pytest.raises(UsageError) as refused:
        secret(**changed)

    assert (refused.value.code, refused.value.about) == ("config_invalid", about)


class Broken:
    """A key service that is down."""

    alg, kid = "ES256", "KEY"

    def public_jwk(self) -> Any:
        return KEY.public_jwk()

    def sign(self, signing_input: bytes) -> bytes:
        raise OSError(len(signing_input))


def test_a_key_that_fails_is_a_store_that_fails() -> None:
    with pytest.raises(StoreFailure) as refused:
        secret(key=Broken())()

    assert refused.value.code == "store_unavailable"


def test_it_is_not_shown_and_not_pickled() -> None:
    assert "KEY" not in repr(secret())
    with pytest.raises(TypeError):
        pickle.dumps(secret())


def log_in(**changed: Any) -> str:
    """Log in at a provider that takes such secrets; return the user, or the refusal."""
    at_provider = FakeClient(
        token_endpoint_auth_method="client_secret_post",
        signed_secret=True,
        jwks=(dict(KEY.public_jwk().members),),
    )
    provider = FakeProvider(clients=(at_provider,), id_token_alg="ES256")
    setup = ClientSetup(
        issuer=provider.issuer,
        client_id="client",
        client_secret=changed.pop("client_secret", None) or secret(**changed),
        redirect_uri="https://rp.example/callback",
        token_endpoint_auth_method="client_secret_post",
    )
    transport, clock = InMemoryTransport(provider), FrozenClock(NOW)
    client = OidcClient(setup, MemoryPendingLogins(), transport=transport, clock=clock)
    redirect = client.start_login()
    header = "; ".join(f"{each.name}={each.value}" for each in redirect.cookies)
    incoming = provider.authorize(redirect.url, NOW).incoming(header)
    try:
        return client.finish_login(incoming).logged_in.identity.subject
    except OidcError as refusal:
        return str(getattr(refusal, "error", refusal.code))


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, "alice"),
        ({"lifetime": 15_777_000}, "alice"),
        ({"aud": "https://other.example"}, "invalid_client"),
        ({"sub": "another"}, "invalid_client"),
        ({"key": ClientKey(EC["ES256"], alg="ES256", kid="OTHER")}, "invalid_client"),
        ({"clock": FrozenClock(NOW - 301)}, "invalid_client"),
        ({"clock": FrozenClock(NOW + 5), "lifetime": 15_777_000}, "invalid_client"),
        ({"client_secret": "a-secret-that-somebody-wrote"}, "invalid_client"),
    ],
)
def test_a_provider_that_takes_such_secrets_takes_this_one(
    changed: dict[str, Any], outcome: str
) -> None:
    assert log_in(**changed) == outcome
