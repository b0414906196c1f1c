"""A fake OpenID Provider to test against: in memory, on a loopback port, honest or not.

.. code-block:: python

    provider = FakeProvider(misbehave="wrong_nonce")
    transport = InMemoryTransport(provider)
    callback = provider.authorize(authorization_url, now=clock.now())

``FakeBrowser`` logs in at a web application, which has ``web_settings``;
:mod:`oidc_adapters.testing.pytest_plugin` has fixtures of pytest.  ``RECORDS_DUTIES`` tries stores
of records, and ``TRANSPORT_DUTIES`` tries transports.  ``check_law`` tries a policy against all
misbehaviours.  But for those fixtures it needs only the
dependencies of the library itself.
"""

from oidc_adapters.testing.dialect import Dialect
from oidc_adapters.testing.fake_browser import FakeBrowser
from oidc_adapters.testing.imitations import (
    ENTRA_LIKE,
    HYDRA_LIKE,
    KEYCLOAK_LIKE,
    LEMONLDAP_LIKE,
)
from oidc_adapters.testing.laws import LawReport, Outcome, check_law
from oidc_adapters.testing.misbehaviours import (
    MISBEHAVIOURS,
    ODD_BUT_LEGAL,
    Changes,
    Deviation,
    Misbehaviour,
)
from oidc_adapters.testing.oauth_messages import RequestRefused
from oidc_adapters.testing.parties import (
    ALICE,
    BOB,
    AuthorizationResponse,
    BackchannelLogout,
    FakeClient,
    FakeUser,
    Session,
)
from oidc_adapters.testing.provider import FakeProvider
from oidc_adapters.testing.provider_applications import asgi_application, wsgi_application
from oidc_adapters.testing.records import (
    ASYNC_RECORDS_DUTIES,
    ASYNC_UNREACHABLE_RECORDS,
    RECORDS_DUTIES,
    UNREACHABLE_RECORDS,
    AsyncRecordsDuty,
    RecordsDuty,
)
from oidc_adapters.testing.served_provider import ServedProvider
from oidc_adapters.testing.servers import serve
from oidc_adapters.testing.transport_place import TransportSetup
from oidc_adapters.testing.transport_table import (
    ASYNC_TRANSPORT_DUTIES,
    SHARED_CLIENT,
    TRANSPORT_DUTIES,
    AsyncTransportDuty,
    SharedClientDuty,
    TransportDuty,
    lacking,
)
from oidc_adapters.testing.transports import AsyncInMemoryTransport, InMemoryTransport
from oidc_adapters.testing.web_settings import web_settings

__all__ = [
    "ALICE",
    "ASYNC_RECORDS_DUTIES",
    "ASYNC_TRANSPORT_DUTIES",
    "ASYNC_UNREACHABLE_RECORDS",
    "BOB",
    "ENTRA_LIKE",
    "HYDRA_LIKE",
    "KEYCLOAK_LIKE",
    "LEMONLDAP_LIKE",
    "MISBEHAVIOURS",
    "ODD_BUT_LEGAL",
    "RECORDS_DUTIES",
    "SHARED_CLIENT",
    "TRANSPORT_DUTIES",
    "UNREACHABLE_RECORDS",
    "AsyncInMemoryTransport",
    "AsyncRecordsDuty",
    "AsyncTransportDuty",
    "AuthorizationResponse",
    "BackchannelLogout",
    "Changes",
    "Deviation",
    "Dialect",
    "FakeBrowser",
    "FakeClient",
    "FakeProvider",
    "FakeUser",
    "InMemoryTransport",
    "LawReport",
    "Misbehaviour",
    "Outcome",
    "RecordsDuty",
    "RequestRefused",
    "ServedProvider",
    "Session",
    "SharedClientDuty",
    "TransportDuty",
    "TransportSetup",
    "asgi_application",
    "check_law",
    "lacking",
    "serve",
    "web_settings",
    "wsgi_application",
]
