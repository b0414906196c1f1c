"""The clients and the sessions of an application, as coroutines that wait or await."""

from typing import Final, Protocol

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.connections import AsyncConnections, Connections
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.results import LoginResult, LogoutResult, Redirect
from oidc_adapters.web.requests import WebRequest
from oidc_adapters.web.sessions import Sessions, WebSession
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.endpoints.end_session import LogoutRequest
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.replies import Reply

_LOGOUT: Final = LogoutRequest(method="either")
"""A hint that is too long for a URL goes by a form."""


class Parties(Protocol):
    """The clients of an application; each is named by its place."""

    @property
    def rps(self) -> tuple[RelyingParty, ...]:
        """Return the relying parties, in order."""
        ...

    def now(self) -> int:
        """Return the time, in seconds since the epoch."""
        ...

    async def start_login(
        self, place: int, request: AuthenticationRequest, return_to: str, cookie: str
    ) -> Redirect:
        """Start a login at a client."""
        ...

    async def finish_login(self, incoming: Incoming, session_id: str) -> LoginResult:
        """Finish a login at the client that it is of."""
        ...

    async def start_logout(self, place: int, grant_id: str, cookie: str) -> Redirect:
        """End a grant, if there is one, and start a logout at the provider."""
        ...

    async def finish_logout(self, incoming: Incoming) -> LogoutResult:
        """Finish a logout."""
        ...

    async def end_grant(self, place: int, grant_id: str) -> None:
        """End a grant that nobody will use."""
        ...

    async def backchannel_logout(self, incoming: Incoming) -> Reply:
        """Take a logout token."""
        ...

    async def frontchannel_logout(self, incoming: Incoming) -> Reply:
        """Take the request of a frame."""
        ...


class WaitingParties:
    """The clients of an application that waits."""

    __slots__ = ("_whole", "clients")

    def __init__(self, whole: OidcClient | Connections) -> None:
        self._whole = whole
        self.clients = whole.clients if isinstance(whole, Connections) else (whole,)

    @property
    def rps(self) -> tuple[RelyingParty, ...]:
        """Return the relying parties, in order."""
        return tuple([client.rp for client in self.clients])

    def close(self) -> None:
        """Close the clients."""
        self._whole.close()

    def now(self) -> int:
        """Return the time, in seconds since the epoch."""
        return self.clients[0].shell.clock.now()

    async def start_login(
        self, place: int, request: AuthenticationRequest, return_to: str, cookie: str
    ) -> Redirect:
        """Start a login at a client."""
        return self.clients[place].start_login(request, return_to=return_to, cookie=cookie)

    async def finish_login(self, incoming: Incoming, session_id: str) -> LoginResult:
        """Finish a login at the client that it is of."""
        return self._whole.finish_login(incoming, session_id=session_id)

    async def start_logout(self, place: int, grant_id: str, cookie: str) -> Redirect:
        """End a grant, if there is one, and start a logout at the provider."""
        return self.clients[place].start_logout(request=_LOGOUT, session=grant_id, cookie=cookie)

    async def finish_logout(self, incoming: Incoming) -> LogoutResult:
        """Finish a logout."""
        return self._whole.finish_logout(incoming)

    async def end_grant(self, place: int, grant_id: str) -> None:
        """End a grant that nobody will use."""
        self.clients[place].tokens(grant_id).end()

    async def backchannel_logout(self, incoming: Incoming) -> Reply:
        """Take a logout token."""
        return self._whole.backchannel_logout(incoming)

    async def frontchannel_logout(self, incoming: Incoming) -> Reply:
        """Take the request of a frame."""
        return self._whole.frontchannel_logout(incoming)


class AwaitingParties:
    """The clients of an application that awaits."""

    __slots__ = ("_whole", "clients")

    def __init__(self, whole: AsyncOidcClient | AsyncConnections) -> None:
        self._whole = whole
        self.clients = whole.clients if isinstance(whole, AsyncConnections) else (whole,)

    @property
    def rps(self) -> tuple[RelyingParty, ...]:
        """Return the relying parties, in order."""
        return tuple([client.rp for client in self.clients])

    async def close(self) -> None:
        """Close the clients."""
        await self._whole.close()

    def now(self) -> int:
        """Return the time, in seconds since the epoch."""
        return self.clients[0].shell.clock.now()

    async def start_login(
        self, place: int, request: AuthenticationRequest, return_to: str, cookie: str
    ) -> Redirect:
        """Start a login at a client."""
        return await self.clients[place].start_login(request, return_to=return_to, cookie=cookie)

    async def finish_login(self, incoming: Incoming, session_id: str) -> LoginResult:
        """Finish a login at the client that it is of."""
        return await self._whole.finish_login(incoming, session_id=session_id)

    async def start_logout(self, place: int, grant_id: str, cookie: str) -> Redirect:
        """End a grant, if there is one, and start a logout at the provider."""
        return await self.clients[place].start_logout(
            request=_LOGOUT, session=grant_id, cookie=cookie
        )

    async def finish_logout(self, incoming: Incoming) -> LogoutResult:
        """Finish a logout."""
        return await self._whole.finish_logout(incoming)

    async def end_grant(self, place: int, grant_id: str) -> None:
        """End a grant that nobody will use."""
        await self.clients[place].tokens(grant_id).end()

    async def backchannel_logout(self, incoming: Incoming) -> Reply:
        """Take a logout token."""
        return await self._whole.backchannel_logout(incoming)

    async def frontchannel_logout(self, incoming: Incoming) -> Reply:
        """Take the request of a frame."""
        return await self._whole.frontchannel_logout(incoming)


class WaitingSessions:
    """Sessions that wait, as coroutines that never suspend."""

    __slots__ = ("_sessions",)

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def reserve(self) -> str:
        """Return a new name for a session."""
        return self._sessions.reserve()

    async def begin(
        self, session: WebSession, replaced: WebSession | None, /
    ) -> tuple[SetCookie, ...]:
        """Begin a session."""
        return self._sessions.begin(session, replaced)

    async def read(self, request: WebRequest, /) -> WebSession | None:
        """Return the session of a request."""
        return self._sessions.read(request)

    async def end(self, session_id: str, /) -> None:
        """End a session."""
        self._sessions.end(session_id)

    def forgotten(self) -> tuple[SetCookie, ...]:
        """Return the cookies with which a browser forgets its session."""
        return self._sessions.forgotten()
