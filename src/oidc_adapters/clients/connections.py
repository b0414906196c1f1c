"""Several clients side by side: the one object that sees them all, and takes their callbacks.

A provider that is hostile, or was broken into, tries to have an honest provider's code sent to
itself (RFC 9700 §4.4). The configuration decides, when the clients are put together, how this is
prevented: :func:`~oidc_core.model.routes.check_routes` has the rule.
"""

from collections.abc import Sequence
from typing import Self, TypeVar

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.calls import OF_ANOTHER, STORE, arrived
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.results import LoginResult, LogoutResult
from oidc_core.endpoints.authorization import pending_id
from oidc_core.model.routes import Routes
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.incoming import Incoming

C = TypeVar("C", OidcClient, AsyncOidcClient)


class Connections:
    """The clients of an application that waits; logins are started at each client.

    Args:
        clients: they may share stores and redirect URIs, the latter within the rule.

    Raises:
        UsageError: ``redirect_uri_shared``; ``config_invalid`` for two clients of one issuer,
            ``client_id`` and ``connection_id``, or without a client.
    """

    __slots__ = ("_routes", "clients")

    def __init__(self, *clients: OidcClient) -> None:
        self._routes = _routes(clients, OidcClient)
        self.clients = clients

    def finish_login(self, incoming: Incoming, *, account: str = "") -> LoginResult:
        """Finish the login that a callback belongs to, like :meth:`OidcClient.finish_login`.

        No login is taken out of a store before it is known which client it is of.
        """
        callback = arrived(incoming, account)
        login_id = pending_id(callback)
        first, *others = [self.clients[place] for place in self._routes.among(incoming.url)]
        client = first
        for each in others:
            if _owns(each, login_id, incoming):
                client = each
                break
        try:
            return client.finish_found(login_id, callback, incoming, account)
        except CallbackError as error:
            for each in self.clients if error.cookies else ():
                if each is not client and _owns(each, login_id, incoming):
                    error.cookies = ()  # that login waits on, for a callback at another client
            raise

    def finish_logout(self, incoming: Incoming) -> LogoutResult:
        """Finish the logout that a return belongs to, like :meth:`OidcClient.finish_logout`."""
        *others, last = self.clients
        for client in others:
            try:
                return client.finish_any_logout(incoming)
            except CallbackError as error:
                if error.code not in OF_ANOTHER:
                    raise
        return last.finish_logout(incoming)

    def close(self) -> None:
        """Close the clients."""
        for client in self.clients:
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncConnections:
    """The clients of an application that awaits, like :class:`Connections`."""

    __slots__ = ("_routes", "clients")

    def __init__(self, *clients: AsyncOidcClient) -> None:
        self._routes = _routes(clients, AsyncOidcClient)
        self.clients = clients

    async def finish_login(self, incoming: Incoming, *, account: str = "") -> LoginResult:
        """Finish the login that a callback belongs to, like :meth:`Connections.finish_login`."""
        callback = arrived(incoming, account)
        login_id = pending_id(callback)
        first, *others = [self.clients[place] for place in self._routes.among(incoming.url)]
        client = first
        for each in others:
            if await _owns_async(each, login_id, incoming):
                client = each
                break
        try:
            return await client.finish_found(login_id, callback, incoming, account)
        except CallbackError as error:
            for each in self.clients if error.cookies else ():
                if each is not client and await _owns_async(each, login_id, incoming):
                    error.cookies = ()  # that login waits on, for a callback at another client
            raise

    async def finish_logout(self, incoming: Incoming) -> LogoutResult:
        """Finish the logout that a return belongs to, like :meth:`Connections.finish_logout`."""
        *others, last = self.clients
        for client in others:
            try:
                return await client.finish_any_logout(incoming)
            except CallbackError as error:
                if error.code not in OF_ANOTHER:
                    raise
        return await last.finish_logout(incoming)

    async def close(self) -> None:
        """Close the clients."""
        for client in self.clients:
            await client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _owns(client: OidcClient, login_id: str, incoming: Incoming) -> bool:
    """Return whether a login is of this client; every answer other than a plain yes is a no."""
    with STORE:
        return client.pending.belongs(client.rp, login_id, incoming.cookies) is True


async def _owns_async(client: AsyncOidcClient, login_id: str, incoming: Incoming) -> bool:
    """Return whether a login is of this client, like :func:`_owns`."""
    with STORE:
        return await client.pending.belongs_async(client.rp, login_id, incoming.cookies) is True


def _routes(clients: Sequence[object], kind: type[C]) -> Routes:
    seen: set[tuple[str, ...]] = set()
    rps = [client.rp for client in clients if isinstance(client, kind)]
    if not clients or len(rps) != len(clients):
        raise UsageError("config_invalid", about="clients", expected=kind.__name__)
    for rp in rps:
        identity = rp.connection[:3]
        if identity in seen:
            expected = "a different connection_id for each client"
            raise UsageError("config_invalid", about="connection_id", expected=expected)
        seen.add(identity)
    return Routes(rps)
