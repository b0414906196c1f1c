"""The settings of an application under test: a provider without sockets, and a clock that stands.

.. code-block:: python

    provider, clock = FakeProvider(), FrozenClock(1_700_000_000)
    app.config.update(web_settings(provider, clock))
    oidc = Oidc(app)
"""

from typing import Any, Final

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.testing.provider import FakeProvider
from oidc_adapters.testing.transports import AsyncInMemoryTransport, InMemoryTransport
from oidc_core.wire.settings import check_kind

_SECRET: Final = "a secret for the tests of an application"


def web_settings(provider: FakeProvider, clock: Clock, *, awaits: bool = False) -> dict[str, Any]:
    """Return the settings ``OIDC_…`` of the first client of a provider.

    Args:
        provider: where users log in.
        clock: tells the time, to the application and to the store of its sessions.
        awaits: whether the application awaits, as one of FastAPI does.

    Raises:
        UsageError: ``parameter_invalid``.
    """
    check_kind(provider, FakeProvider, about="provider")
    check_kind(clock, Clock, about="clock")
    check_kind(awaits, bool, about="awaits")
    client = provider.clients[0]
    transport = AsyncInMemoryTransport if awaits else InMemoryTransport
    return {
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": client.client_id,
        "OIDC_CLIENT_SECRET": client.client_secret,
        "OIDC_REDIRECT_URI": client.redirect_uris[0],
        "OIDC_POST_LOGOUT_REDIRECT_URI": client.post_logout_redirect_uris[0],
        "OIDC_SECRET": _SECRET,
        "OIDC_RECORDS": MemoryRecords(clock=clock, elapsed=lambda: float(clock.now())),
        "OIDC_TRANSPORT": transport(provider),
        "OIDC_CLOCK": clock,
    }
