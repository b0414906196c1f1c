"""The end of sessions, as an application uses it: its users log out, or the provider says so."""

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING

from oidc_adapters.clients.calls import (
    STORE,
    Departure,
    answering,
    as_cookies,
    as_taken,
    clearing,
    cookies_in,
    leaving,
)
from oidc_adapters.clients.life import Client, Life
from oidc_adapters.clients.metadata_memory import Ready
from oidc_adapters.clients.results import EndedSession, LogoutResult, Redirect
from oidc_adapters.clients.shell import AsyncShell, Shell
from oidc_adapters.stores.pending import PendingLogins, TakenLogout
from oidc_adapters.stores.pending.cookies import Cookies
from oidc_adapters.stores.records.both import at_once
from oidc_core.endpoints.end_session import LogoutRequest, returned_state
from oidc_core.model.pending import pending_id_of
from oidc_core.model.records import PendingLogout, Tokens
from oidc_core.operations import logout, session_management
from oidc_core.operations.logout import LogoutStarted
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.errors import OidcError, ProtocolViolation, UsageError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.replies import Reply
from oidc_core.wire.settings import as_setting, check_kind

if TYPE_CHECKING:
    from oidc_adapters.clients.doors import Doors
    from oidc_adapters.stores.grants import Key
    from oidc_adapters.stores.sessions import SessionIndex


class WaitingLogouts(Client[Shell]):
    """The calls about the end of sessions, for code that waits.

    Args:
        life: of the client.
        pending: where logouts wait for their browser.
        doors: what the exchange of refresh tokens needs, for a client that keeps grants.
        sessions: names the sessions of users.

    Raises:
        UsageError: ``config_invalid`` for a store, or a function, that is awaited.
    """

    __slots__ = ()

    def __init__(
        self,
        life: Life[Shell],
        pending: PendingLogins,
        doors: "Doors | None" = None,
        sessions: "SessionIndex | None" = None,
    ) -> None:
        super().__init__(life, pending, doors)
        if sessions is None and self._copies is None:
            return
        from oidc_adapters.clients.end_doors import WaitingEndDoors
        from oidc_adapters.clients.session_ends import Indexed, SessionEnds

        indexed = None
        if sessions is not None:
            index = _checked(sessions)
            indexed = Indexed(index, index.waiting)
            if iscoroutinefunction(index.end_session):
                expected = "a function that is not awaited"
                raise UsageError("config_invalid", about="end_session", expected=expected)
        self._ends = SessionEnds(WaitingEndDoors(life), self._copies, indexed)

    def start_logout(
        self,
        tokens: Tokens | EndedSession | None = None,
        request: LogoutRequest | None = None,
        *,
        session: str = "",
        cookie: str | bytes = "",
    ) -> Redirect:
        """Start a logout at the provider.

        With ``session`` the client ends the session's grant first, takes the session off the index,
        and hints with its newest ID token.  A request that is wrong ends nothing; without metadata
        of the provider that can be used the grant ends all the same, and the error says why nobody
        is sent to it.  Without ``session``, end the application's own session first.

        Where the provider has no page for a logout, it is a local one, with a note.

        Args:
            tokens: of the session that ends; best what ``tokens(grant_id).end()`` returned, with
                its newest ID token: some providers accept no older one as a hint.
            request: what is asked of the provider.
            session: the name of the session's grant, in place of ``tokens``.
            cookie: the ``Cookie`` header of the request.

        Raises:
            UsageError: ``parameter_invalid``, or ``config_invalid`` for a ``session`` at a client
                that keeps no grants.
            StoreFailure: ``store_unavailable``: the session may not have ended; try again.
        """
        with self._life.starting_logout:
            seen, of = cookies_in(cookie), self._leaving_of(session, tokens)
            rp, shell = ready = self._ready_to_leave(of)
            leave, notes = Departure.of(ready, self.pending, request), tuple[str, ...]()
            started = self._begun(ready, leave, tokens, of)
            if of is not None:
                ended, notes = at_once(self.session_ends.leave(of))
                started = shell.run(rp, leave.started(ended))
            return leaving(started, self._kept(leave, started.pending, seen), notes)

    def _kept(
        self, leave: Departure, pending: PendingLogout, seen: Cookies
    ) -> tuple[SetCookie, ...]:
        """Keep a logout in flight, if the browser comes back from it."""
        if not pending.post_logout_redirect_uri:
            return ()
        with STORE:
            kept = self.pending.put_logout(leave.rp, pending, leave.secrets, seen, leave.now)
        return as_cookies(kept)

    def _ready_to_leave(self, of: "Key | None") -> Ready[Shell]:
        """Return the parts of a logout; without them, a session ends all the same."""
        try:
            return self._life.ready()
        except OidcError:
            if of is not None:
                at_once(self.session_ends.end(of))
            raise

    def _begun(
        self,
        ready: Ready[Shell],
        leave: Departure,
        tokens: Tokens | EndedSession | None,
        of: "Key | None",
    ) -> LogoutStarted:
        """Begin a logout; where the provider's page is at fault, a session ends all the same."""
        rp, shell = ready
        try:
            return shell.run(rp, leave.started(tokens))
        except ProtocolViolation:
            if of is not None:
                at_once(self.session_ends.end(of))
            raise

    def finish_logout(self, incoming: Incoming) -> LogoutResult:
        """Check that a return from a logout was asked for by this browser.

        Raises:
            CallbackError: ``logout_state_mismatch``, ``logout_expired``, ``cookie_invalid``.
        """
        with self._life.finishing_logout:
            return self._left(incoming)

    def finish_any_logout(self, incoming: Incoming) -> LogoutResult:
        """Finish a logout that may be another client's, which is not reported then."""
        with self._life.trying_logout:
            return self._left(incoming)

    def _left(self, incoming: Incoming) -> LogoutResult:
        check_kind(incoming, Incoming, about="incoming")
        (rp, shell), pending = self._life.opened(), self.pending
        logout_id, now = pending_id_of(returned_state(incoming)), shell.clock.now()
        with clearing(pending.profile, pending.profile.logout_name(logout_id), incoming):
            with STORE:
                found = pending.take_logout(rp, logout_id, incoming.cookies, now)
            taken = as_taken(found, TakenLogout)
        with answering(taken.cookies):
            logged_out = shell.run(rp, logout.finish(rp, taken.pending, incoming, now=now))
        return LogoutResult(logged_out=logged_out, cookies=taken.cookies)

    def backchannel_logout(self, incoming: Incoming) -> Reply:
        """End the sessions that a logout token of the provider names (Back-Channel Logout 1.0).

        Each session's grant ends, then ``end_session`` of the index is called with its name.  The
        token counts as used once all have ended; until then the provider may send it again, and
        the rest ends.

        Args:
            incoming: the request at the ``backchannel_logout_uri``.

        Returns:
            the answer to the provider: 200 if all sessions have ended, also if there were none; 400
            for a token that does not hold; 503 where keys or a store are not available.

        Raises:
            UsageError: ``config_invalid`` for a client without ``sessions``.
        """
        return at_once(self.session_ends.backchannel(incoming))

    def frontchannel_logout(self, incoming: Incoming) -> Reply:
        """End the session that the provider names by a frame (Front-Channel Logout 1.0).

        Nobody signed the request, and a browser may send no cookie with it: the session is found by
        its ``sid``, and nothing else ends.

        Args:
            incoming: the request at the ``frontchannel_logout_uri``.

        Returns:
            an empty page for the frame, with what it needs to be shown there.

        Raises:
            UsageError: ``config_invalid`` for a client without ``sessions``.
        """
        return at_once(self.session_ends.frontchannel(incoming))

    def session_frame(self, session_state: str, *, interval: int = 10) -> Reply:
        """Return the page that watches the provider's session (Session Management 1.0).

        Many browsers break it: prefer :meth:`backchannel_logout`.  How to use the page:
        :mod:`oidc_core.operations.session_management`.

        Args:
            session_state: ``logged_in.session_state``, as the application keeps it.
            interval: seconds between two questions, 1 to 3,600.

        Raises:
            UsageError: ``parameter_invalid``; ``unsupported_by_provider`` without a
                ``check_session_iframe`` in the metadata.
        """
        rp, _ = self._life.ready()
        return session_management.frame(rp, session_state, interval=interval)


class AwaitingLogouts(Client[AsyncShell]):
    """The calls about the end of sessions, for code that awaits; see :class:`WaitingLogouts`."""

    __slots__ = ()

    def __init__(
        self,
        life: Life[AsyncShell],
        pending: PendingLogins,
        doors: "Doors | None" = None,
        sessions: "SessionIndex | None" = None,
    ) -> None:
        super().__init__(life, pending, doors)
        if sessions is None and self._copies is None:
            return
        from oidc_adapters.clients.end_doors import AwaitingEndDoors
        from oidc_adapters.clients.session_ends import Indexed, SessionEnds

        indexed = None
        if sessions is not None:
            index = _checked(sessions)
            indexed = Indexed(index, index.awaiting)
        self._ends = SessionEnds(AwaitingEndDoors(life), self._copies, indexed)

    async def start_logout(
        self,
        tokens: Tokens | EndedSession | None = None,
        request: LogoutRequest | None = None,
        *,
        session: str = "",
        cookie: str | bytes = "",
    ) -> Redirect:
        """Start a logout at the provider, like :meth:`WaitingLogouts.start_logout`."""
        with self._life.starting_logout:
            seen, of = cookies_in(cookie), self._leaving_of(session, tokens)
            rp, shell = ready = await self._ready_to_leave(of)
            leave, notes = Departure.of(ready, self.pending, request), tuple[str, ...]()
            started = await self._begun(ready, leave, tokens, of)
            if of is not None:
                ended, notes = await self.session_ends.leave(of)
                started = await shell.run(rp, leave.started(ended))
            return leaving(started, await self._kept(leave, started.pending, seen), notes)

    async def _kept(
        self, leave: Departure, pending: PendingLogout, seen: Cookies
    ) -> tuple[SetCookie, ...]:
        """Keep a logout in flight, if the browser comes back from it."""
        if not pending.post_logout_redirect_uri:
            return ()
        rp, secrets = leave.rp, leave.secrets
        with STORE:
            kept = await self.pending.put_logout_async(rp, pending, secrets, seen, leave.now)
        return as_cookies(kept)

    async def _ready_to_leave(self, of: "Key | None") -> Ready[AsyncShell]:
        """Return the parts of a logout; without them, a session ends all the same."""
        try:
            return await self._life.ready_async()
        except OidcError:
            if of is not None:
                await self.session_ends.end(of)
            raise

    async def _begun(
        self,
        ready: Ready[AsyncShell],
        leave: Departure,
        tokens: Tokens | EndedSession | None,
        of: "Key | None",
    ) -> LogoutStarted:
        """Begin a logout; where the provider's page is at fault, a session ends all the same."""
        rp, shell = ready
        try:
            return await shell.run(rp, leave.started(tokens))
        except ProtocolViolation:
            if of is not None:
                await self.session_ends.end(of)
            raise

    async def finish_logout(self, incoming: Incoming) -> LogoutResult:
        """Check a return from a logout, like :meth:`WaitingLogouts.finish_logout`."""
        with self._life.finishing_logout:
            return await self._left(incoming)

    async def finish_any_logout(self, incoming: Incoming) -> LogoutResult:
        """Finish a logout that may be another client's, which is not reported then."""
        with self._life.trying_logout:
            return await self._left(incoming)

    async def _left(self, incoming: Incoming) -> LogoutResult:
        check_kind(incoming, Incoming, about="incoming")
        (rp, shell), pending = self._life.opened(), self.pending
        logout_id, now = pending_id_of(returned_state(incoming)), shell.clock.now()
        with clearing(pending.profile, pending.profile.logout_name(logout_id), incoming):
            with STORE:
                found = await pending.take_logout_async(rp, logout_id, incoming.cookies, now)
            taken = as_taken(found, TakenLogout)
        with answering(taken.cookies):
            logged_out = await shell.run(rp, logout.finish(rp, taken.pending, incoming, now=now))
        return LogoutResult(logged_out=logged_out, cookies=taken.cookies)

    async def backchannel_logout(self, incoming: Incoming) -> Reply:
        """End the sessions of a logout token, like :meth:`WaitingLogouts.backchannel_logout`.

        It goes on if its caller is cancelled.
        """
        return await self.session_ends.backchannel(incoming)

    async def frontchannel_logout(self, incoming: Incoming) -> Reply:
        """End the session of a frame, like :meth:`WaitingLogouts.frontchannel_logout`."""
        return await self.session_ends.frontchannel(incoming)

    async def session_frame(self, session_state: str, *, interval: int = 10) -> Reply:
        """Return the page that watches, like :meth:`WaitingLogouts.session_frame`."""
        rp, _ = await self._life.ready_async()
        return session_management.frame(rp, session_state, interval=interval)


def _checked(sessions: "SessionIndex") -> "SessionIndex":
    from oidc_adapters.stores.sessions import SessionIndex as Kind

    return as_setting(sessions, Kind, "sessions")
