"""The world of one example: providers, transports, clock, entropy, and fresh stores.

.. code-block:: python

    def application(self, world: World) -> Flask:
        return create_app(world.settings())
"""

from typing import Any, Final

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.stores.records.both import AtOnce
from oidc_adapters.testing.applications.lines import AsyncWorldTransport, Lines, WorldTransport
from oidc_adapters.testing.applications.routes import Routes
from oidc_adapters.testing.applications.stores import Outage, WorldRecords
from oidc_adapters.testing.parties import FakeClient
from oidc_adapters.testing.provider import FakeProvider
from oidc_core.wire.settings import as_count, as_setting

PATIENCE: Final = 300
"""Seconds after a trouble in which an application may still answer with 502 to 504."""

LASTS: Final = 2
"""For how many further moves an outage or an attack lasts."""

_NOW: Final = 1_700_000_000
_SECRET: Final = "sealing-key-of-the-world-that-no-answer-shows"
_NAMES: Final = ("op", "second", "third", "fourth")


class World:
    """The surroundings of an application, fresh for each example.

    An application takes its settings from :meth:`settings` or :meth:`django_settings`; one that is
    put together by hand takes the parts.

    Args:
        routes: the routes of the application.
        connections: how many providers the application is configured for, 1 to 4.

    Attributes:
        routes: the routes of the application.
        clock: tells the time to the application, its stores and the providers.
        entropy: gives the secrets of logins.
        secret: the sealing key.
        providers: the providers, honest until a machine says otherwise.
        lines: the lines to the providers, with all exchanges.
        outage: whether the stores are down.
        transport, async_transport: for a client that waits, or awaits.
        records, async_records: the same store for code that waits, or awaits.

    Raises:
        UsageError: ``config_invalid``.
    """

    def __init__(self, routes: Routes, connections: int = 1) -> None:
        self.routes = as_setting(routes, Routes, "routes")
        count = min(as_count(connections, "connections"), len(_NAMES))
        self.clock = FrozenClock(_NOW)
        self.entropy = FixedEntropy(1)
        self.secret = _SECRET
        self.providers = tuple([self._provider(place) for place in range(count)])
        self.lines = Lines(self.providers)
        self.outage = Outage()
        self.transport = WorldTransport(self.lines)
        self.async_transport = AsyncWorldTransport(self.lines)
        memory = MemoryRecords(clock=self.clock, elapsed=lambda: float(self.clock.now()))
        self.records = WorldRecords(memory, self.outage)
        self.async_records = AtOnce(self.records)
        self._quiet_from = 0
        self._moves_left = 0

    def redirect_uri(self, place: int = 0) -> str:
        """Return the redirect URI at the provider of that place.

        The first is ``routes.callback``; the others are below it, as in ``/callback/second``.
        """
        below = f"/{_NAMES[place]}" if place else ""
        return self.routes.url(self.routes.callback + below)

    def settings(self, *, awaits: bool = False, place: int = 0) -> dict[str, Any]:
        """Return the settings ``OIDC_…`` of a door.

        Args:
            awaits: whether the application awaits, as one of FastAPI does.
            place: which provider they are for.
        """
        client = self.providers[place].clients[0]
        return {
            "OIDC_ISSUER": self.providers[place].issuer,
            "OIDC_CLIENT_ID": client.client_id,
            "OIDC_CLIENT_SECRET": client.client_secret,
            "OIDC_REDIRECT_URI": client.redirect_uris[0],
            "OIDC_POST_LOGOUT_REDIRECT_URI": client.post_logout_redirect_uris[0],
            "OIDC_SECRET": self.secret,
            "OIDC_RECORDS": self.async_records if awaits else self.records,
            "OIDC_TRANSPORT": self.async_transport if awaits else self.transport,
            "OIDC_CLOCK": self.clock,
            "OIDC_ENTROPY": self.entropy,
        }

    def django_settings(self) -> dict[str, Any]:
        """Return the value of ``settings.OIDC`` in a Django project."""
        return {name.removeprefix("OIDC_"): each for name, each in self.settings().items()}

    def pass_move(self) -> None:
        """Count a move; outages and attacks of providers are over after some moves."""
        self._moves_left -= 1
        if self._moves_left == 0:
            self.heal()

    def begin_trouble(self) -> None:
        """Say that a trouble has begun, which lasts for the next :data:`LASTS` moves."""
        self._moves_left = LASTS + 1
        self.disturb()

    def heal(self) -> None:
        """Have all providers honest and up, and the store too."""
        for provider in self.providers:
            provider.misbehave = None
        self.lines.down.clear()
        self.lines.keys_withheld.clear()
        self.outage.down = False

    def disturb(self) -> None:
        """Say that something has changed that an application may take some minutes to see."""
        self._quiet_from = self.clock.now() + PATIENCE

    def calm(self) -> None:
        """Let as much time pass as an application may take to see that all is well."""
        self.clock.advance(PATIENCE)
        self._quiet_from = self.clock.now()

    @property
    def troubled(self) -> bool:
        """Whether an application may answer with 502 to 504."""
        hostile = any(provider.misbehave is not None for provider in self.providers)
        if hostile or self.lines.down or self.lines.keys_withheld or self.outage.down:
            self.disturb()
        return self.clock.now() < self._quiet_from

    def _provider(self, place: int) -> FakeProvider:
        name, routes = _NAMES[place], self.routes
        logout = routes.backchannel_logout
        client = FakeClient(
            client_id=f"application-at-{name}",
            client_secret=f"client-secret-at-{name}-that-no-answer-shows",
            redirect_uris=(self.redirect_uri(place),),
            post_logout_redirect_uris=(routes.url(routes.after_logout or "/"),),
            backchannel_logout_uri=routes.url(logout) if logout else None,
        )
        return FakeProvider(issuer=f"https://{name}.example", clients=(client,), seed=place)
