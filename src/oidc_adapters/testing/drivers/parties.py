"""The providers and clients that a driver meets, and the parts that it is made of."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Final, Literal

from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.shell import Shell
from oidc_adapters.credentials.client_credentials import Credentials, credentials_for
from oidc_adapters.credentials.client_keys import ClientKey, ClientKeys, Signer
from oidc_adapters.credentials.dpop import DpopKeys
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.provider_keys import MemoryProviderKeys
from oidc_adapters.testing.drivers.wire import AsyncWireTransport, WireTransport
from oidc_adapters.testing.parties import FakeClient
from oidc_adapters.testing.provider import FakeProvider
from oidc_adapters.testing.transports import InMemoryTransport
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import discovery

Method = Literal["client_secret_basic", "client_secret_post", "private_key_jwt"]

METHODS: Final[tuple[Method, ...]] = (
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
)
ISSUERS: Final = ("https://op.example", "https://other.example")
CLIENT_ID: Final = "client"
"""The same at both providers: only with the issuer it names a client."""

SCOPE: Final = "openid profile offline_access"
NOW: Final = 1_700_000_000
_LONG: Final = 10_000_000


@frozen(kw_only=True)
class DriverWorld:
    """The parts that a driver is made of: the world of one run.

    Attributes:
        transport: sends requests; for code that awaits, take ``async_transport``.
        async_transport: the same wire.
        credentials: prepares requests, for the clients of two providers.
        keys: an empty memory of key sets; a driver may have its own.
        clock: the time of the run.
        entropy: gives secrets, the same ones in each run.
    """

    transport: WireTransport
    async_transport: AsyncWireTransport
    credentials: Credentials = field(repr=False)
    keys: MemoryProviderKeys
    clock: FrozenClock
    entropy: FixedEntropy


@cache
def assertion_key() -> ClientKey:
    """Return the key that signs client assertions."""
    return _client_key("assertions")


@cache
def dpop_key() -> ClientKey:
    """Return the key that signs DPoP proofs."""
    return _client_key("proofs")


def _client_key(name: str) -> ClientKey:
    key = Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())
    return ClientKey(key, alg="EdDSA", kid=name)


def dpop_keys() -> DpopKeys[Signer]:
    """Return the client's DPoP keys."""
    return DpopKeys[Signer](dpop_key())


def secret_at(issuer: str) -> str:
    """Return the client's secret at a provider."""
    return f"a secret+of the client/at {issuer}"


def providers(method: Method) -> Mapping[str, FakeProvider]:
    """Return two providers that know the same client identifier."""
    return {issuer: _provider(issuer, method) for issuer in ISSUERS}


def _provider(issuer: str, method: Method) -> FakeProvider:
    client = FakeClient(
        client_id=CLIENT_ID,
        client_secret=secret_at(issuer),
        token_endpoint_auth_method=method,
        jwks=(assertion_key().public_jwk(),),
        backchannel_logout_uri="https://rp.example/logout",
    )
    return FakeProvider(
        issuer=issuer,
        clients=(client,),
        id_token_alg="EdDSA",
        code_lifetime=_LONG,
        token_lifetime=_LONG,
    )


@cache
def relying_party(issuer: str, method: Method) -> RelyingParty:
    """Return the relying party with the metadata of its provider."""
    bare = setup(issuer, method).relying_party()
    shell = Shell(
        InMemoryTransport(_provider(issuer, method)), Credentials(), clock=FrozenClock(NOW)
    )
    return shell.run(bare, discovery.discover(bare))


def setup(issuer: str, method: Method) -> ClientSetup:
    """Return the settings of the client at a provider."""
    signs = method == "private_key_jwt"
    return ClientSetup(
        issuer=issuer,
        client_id=CLIENT_ID,
        client_secret=None if signs else secret_at(issuer),
        client_keys=ClientKeys[Signer](assertion_key()) if signs else None,
        redirect_uri="https://rp.example/callback",
        token_endpoint_auth_method=method,
        scope=SCOPE,
    )


def credentials(method: Method) -> Credentials:
    """Return the credentials of both clients."""
    signs = method == "private_key_jwt"
    return Credentials(
        *[
            credentials_for(
                relying_party(issuer, method),
                secret=None if signs else secret_at(issuer),
                keys=ClientKeys[Signer](assertion_key()) if signs else None,
                dpop_keys=dpop_keys(),
            )
            for issuer in ISSUERS
        ]
    )
