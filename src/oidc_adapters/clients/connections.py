"""Several clients side by side: the one object that sees them all, and takes their callbacks.

A provider that is hostile, or was broken into, tries to have an honest provider's code sent to
itself (RFC 9700 §4.4). The configuration decides, when the clients are put together, how this is
prevented: :func:`~oidc_core.model.routes.check_routes` has the rule.
"""

from collections.abc import Sequence
from typing import Final, Generic, Self, TypeVar

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.calls import OF_ANOTHER, STORE, arrived
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.results import LoginResult, LogoutResult
from oidc_adapters.stores.records.both import at_once
from oidc_core.endpoints.authorization import pending_id
from oidc_core.model.routes import Routes
from oidc_core.operations import backchannel_logout, frontchannel_logout
from oidc_core.wire.errors import CallbackError, OidcError, UsageError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.replies import Reply

C = TypeVar("C", OidcClient, AsyncOidcClient)

_LATER: Final = frozenset({"transport", "store", "usage"})
"""Faults after which nobody knows yet whether the token holds."""


class _Several(Generic[C]):
    """The common part of both kinds."""

    __slots__ = ("_routes", "clients")

    def __init__(self, clients: tuple[C, ...], kind: type[C]) -> None:
        self._routes = _routes(clients, kind)
        self.clients: tuple[C, ...] = clients

    def _told_by_token(self, incoming: Incoming) -> tuple[int, ...] | Reply:
        """Return which clients with sessions a logout token may be for, or the refusal of it."""
        clients = self._with_sessions()
        rps = [self.clients[place].rp for place in clients]
        try:
            return tuple([clients[each] for each in backchannel_logout.addressees(rps, incoming)])
        except UsageError:
            raise
        except OidcError as error:
            return backchannel_logout.reply(error)

    def _told_by_frame(self, incoming: Incoming) -> tuple[int, ...] | Reply:
        """Return which clients with sessions a frame may be about, or the refusal of it."""
        clients = self._with_sessions()
        rps = [self.clients[place].rp for place in clients]
        try:
            return tuple([clients[each] for each in frontchannel_logout.addressees(rps, incoming)])
        except UsageError:
            raise
        except OidcError as error:
            return frontchannel_logout.reply((), error)  # a stranger learns no provider

    def _with_sessions(self) -> list[int]:
        """Return which clients have an index.

        Raises:
            UsageError: ``config_invalid`` if none has one.
        """
        found = [place for place, client in enumerate(self.clients) if client.names_sessions]
        if not found:
            _ = self.clients[0].session_ends.indexed
        return found


class Connections(_Several[OidcClient]):
    """The clients of an application that waits; logins are started at each client.

    Args:
        clients: they may share stores and redirect URIs, the latter within the rule.

    Raises:
        UsageError: ``redirect_uri_shared``; ``config_invalid`` for two clients of one issuer,
            ``client_id`` and ``connection_id``, or without a client.
    """

    __slots__ = ()

    def __init__(self, *clients: OidcClient) -> None:
        super().__init__(clients, OidcClient)

    def finish_login(
        self, incoming: Incoming, *, account: str = "", session_id: str = ""
    ) -> LoginResult:
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
            return client.finish_found(login_id, callback, incoming, account, session_id)
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

    def backchannel_logout(self, incoming: Incoming) -> Reply:
        """End the sessions of a logout token, like :meth:`WaitingLogouts.backchannel_logout`.

        The unverified token says which clients it may be for; each of them judges it.
        """
        places = self._told_by_token(incoming)
        if isinstance(places, Reply):
            return places
        found = [at_once(self.clients[each].session_ends.refusal(incoming)) for each in places]
        return backchannel_logout.reply(_decisive(found))

    def frontchannel_logout(self, incoming: Incoming) -> Reply:
        """End the session of a frame, like :meth:`WaitingLogouts.frontchannel_logout`.

        The request names no client: each one of that issuer looks for the session.
        """
        places = self._told_by_frame(incoming)
        if isinstance(places, Reply):
            return places
        clients = [self.clients[each] for each in places]
        found = [at_once(client.session_ends.frame_refusal(incoming)) for client in clients]
        return frontchannel_logout.reply([each.rp for each in clients], _decisive(found))

    def close(self) -> None:
        """Close the clients."""
        for client in self.clients:
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncConnections(_Several[AsyncOidcClient]):
    """The clients of an application that awaits, like :class:`Connections`."""

    __slots__ = ()

    def __init__(self, *clients: AsyncOidcClient) -> None:
        super().__init__(clients, AsyncOidcClient)

    async def finish_login(
        self, incoming: Incoming, *, account: str = "", session_id: str = ""
    ) -> LoginResult:
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
            return await client.finish_found(login_id, callback, incoming, account, session_id)
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

    async def backchannel_logout(self, incoming: Incoming) -> Reply:
        """End the sessions of a logout token, like :meth:`Connections.backchannel_logout`."""
        places = self._told_by_token(incoming)
        if isinstance(places, Reply):
            return places
        found = [await self.clients[each].session_ends.refusal(incoming) for each in places]
        return backchannel_logout.reply(_decisive(found))

    async def frontchannel_logout(self, incoming: Incoming) -> Reply:
        """End the session of a frame, like :meth:`Connections.frontchannel_logout`."""
        places = self._told_by_frame(incoming)
        if isinstance(places, Reply):
            return places
        clients = [self.clients[each] for each in places]
        found = [await client.session_ends.frame_refusal(incoming) for client in clients]
        return frontchannel_logout.reply([each.rp for each in clients], _decisive(found))

    async def close(self) -> None:
        """Close the clients."""
        for client in self.clients:
            await client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _decisive(found: Sequence[OidcError | None]) -> OidcError | None:
    """Return what decides about the answer, of several clients.

    It is what a repetition helps against, then that a client took it, and then why none did.
    """
    later = [each for each in found if each is not None and each.fault in _LATER]
    if later or None not in found:
        return (later or found)[0]
    return None


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
