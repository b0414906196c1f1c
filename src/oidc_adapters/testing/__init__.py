"""A fake OpenID Provider to test against: in memory, on a loopback port, honest or not.

.. code-block:: python

    provider = FakeProvider(misbehave="wrong_nonce")
    transport = InMemoryTransport(provider)
    callback = provider.authorize(authorization_url, now=clock.now())

It needs only the dependencies of the library itself.
"""

from oidc_adapters.testing.misbehaviours import MISBEHAVIOURS, Misbehaviour
from oidc_adapters.testing.oauth_messages import RequestRefused
from oidc_adapters.testing.parties import (
    ALICE,
    BOB,
    AuthorizationResponse,
    FakeClient,
    FakeUser,
    Session,
)
from oidc_adapters.testing.provider import FakeProvider
from oidc_adapters.testing.servers import ServedProvider, serve
from oidc_adapters.testing.transports import AsyncInMemoryTransport, InMemoryTransport

__all__ = [
    "ALICE",
    "BOB",
    "MISBEHAVIOURS",
    "AsyncInMemoryTransport",
    "AuthorizationResponse",
    "FakeClient",
    "FakeProvider",
    "FakeUser",
    "InMemoryTransport",
    "Misbehaviour",
    "RequestRefused",
    "ServedProvider",
    "Session",
    "serve",
]
