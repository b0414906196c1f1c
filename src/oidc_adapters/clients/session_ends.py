"""How sessions end: the provider says so, or the application does.

Written once, as coroutines; code that waits runs them to their end at once.
"""

from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple

from oidc_adapters.clients.doors import Operation
from oidc_adapters.clients.end_doors import EndDoors
from oidc_adapters.clients.results import EndedSession
from oidc_adapters.clients.session_tokens import Copies
from oidc_adapters.runtime.events import LogoutRefused, SessionsEnded
from oidc_adapters.runtime.fails_closed import FailsClosed, unavailable
from oidc_adapters.stores.grants import Key
from oidc_adapters.stores.records.callers import Side
from oidc_adapters.stores.session_values import IndexedSession, SessionKey
from oidc_adapters.stores.sessions import SessionIndex, ToldLogout
from oidc_core.jose.jws import claims_kept
from oidc_core.model.claim_values import text
from oidc_core.model.connection import Connection
from oidc_core.operations import backchannel_logout, frontchannel_logout, revocation
from oidc_core.operations.backchannel_logout import LogoutNotice
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.errors import (
    OidcError,
    StoreFailure,
    TransportFailure,
    UsageError,
    note_of,
)
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.replies import Reply
from oidc_core.wire.settings import check_kind

_END_SESSION: Final = "end_session"
_APPLICATION: Final = FailsClosed(_END_SESSION)
_AWAY: Final = "store_unavailable"
_NOT_REVOKED: Final = "tokens not revoked: the provider names no revocation_endpoint"


class Indexed(NamedTuple):
    """The session index of a client, and its store as the client reaches it."""

    sessions: SessionIndex
    side: Side


class SessionEnds:
    """Everything that a client does when sessions begin and end.

    Args:
        doors: the client.
        copies: what this process knows of grants, ``None`` for a client that keeps none.
        indexed: the index, ``None`` for a client without one.
    """

    __slots__ = ("_copies", "_doors", "_indexed")

    def __init__(self, doors: EndDoors, copies: Copies | None, indexed: Indexed | None) -> None:
        self._doors = doors
        self._copies = copies
        self._indexed = indexed
        if copies is not None and indexed is not None:
            copies.gone = self._forget

    @property
    def names_sessions(self) -> bool:
        """Whether there is an index."""
        return self._indexed is not None

    # --- a login ---------------------------------------------------------------------------------

    def check_name(self, session_id: str) -> None:
        """Refuse a login whose session would have no name.

        Raises:
            UsageError: ``parameter_invalid``.
        """
        if self._indexed is not None and self._copies is None and not session_id:
            expected = "the application's name of the session, as this client keeps no grants"
            raise UsageError("parameter_invalid", about="session_id", expected=expected)

    async def add(
        self, connection: Connection, logged_in: LoggedIn, session_id: str, grant_id: str
    ) -> None:
        """Add the session of a login to the index; if that fails, its grant is ended.

        Raises:
            CallbackError: ``session_ended``.
            StoreFailure: ``store_unavailable``.
        """
        if self._indexed is None:
            return
        (index, side), token = self._indexed, logged_in.id_token
        until = self._doors.clock.now() + index.lifetime
        bound = token.session_expiry
        session = IndexedSession(
            session_id=session_id or grant_id,
            grant_id=grant_id,
            issuer=logged_in.identity.issuer,
            subject=logged_in.identity.subject,
            sid=token.sid,
            issued_at=token.iat,
            began_at=logged_in.asked.demands.started_at,
            until=until if bound is None else min(until, bound),
        )
        try:
            await index.adding(side, connection, session)
        except OidcError:
            with suppress(OidcError):
                await self._end_grant(grant_id)
            raise

    # --- the provider ends sessions --------------------------------------------------------------

    async def backchannel(self, incoming: Incoming) -> Reply:
        """Take a logout token, and return the answer to the provider."""
        _ = self.indexed
        check_kind(incoming, Incoming, about="incoming")
        return backchannel_logout.reply(await self.refusal(incoming))

    async def refusal(self, incoming: Incoming) -> OidcError | None:
        """Take a logout token, and return why it ended no session, or not all of them."""
        try:
            await self._take(incoming)
        except OidcError as error:
            self._doors.refused(LogoutRefused, error)
            return error
        return None

    async def frontchannel(self, incoming: Incoming) -> Reply:
        """Take the request of a frame, and return its page."""
        _ = self.indexed
        check_kind(incoming, Incoming, about="incoming")
        return frontchannel_logout.reply((self._doors.rp,), await self.frame_refusal(incoming))

    async def frame_refusal(self, incoming: Incoming) -> OidcError | None:
        """Take the request of a frame, and return why it ended no session, or not all of them."""
        try:
            await self._take_frame(incoming)
        except OidcError as error:
            self._doors.refused(LogoutRefused, error)
            return error
        return None

    async def _take(self, incoming: Incoming) -> None:
        (index, side), now = self.indexed, self._doors.clock.now()
        operation = await self._ready()
        step = backchannel_logout.receive(operation.rp, incoming, now=now)
        notice = await operation.run(step)
        backchannel_logout.refuse_repeat(notice, used=await index.is_used(side, notice.once))
        await self._doors.together(notice.once, partial(self._end_told, notice))

    async def _ready(self) -> Operation:
        """Return the parts of an operation; without metadata nobody knows whether a token holds.

        Raises:
            TransportFailure: ``keys_unavailable``.
        """
        try:
            return await self._doors.ready()
        except UsageError:
            raise
        except OidcError as error:
            raise TransportFailure(
                "keys_unavailable", about="metadata", cause=error.code
            ) from error

    async def _end_told(self, notice: LogoutNotice) -> None:
        """End all sessions of a logout token; only then it counts as used."""
        (index, side), now = self.indexed, self._doors.clock.now()
        token = notice.logout_token
        told = ToldLogout(
            connection=notice.connection,
            issuer=notice.issuer,
            subject=token.sub,
            sid=token.sid,
            issued_at=token.iat,
            now=now,
        )
        await self._end_all(told)
        await index.use(side, notice.once, notice.until - now)

    async def _take_frame(self, incoming: Incoming) -> None:
        """End the session that a frame names; it cannot name a user, and nobody signed it."""
        doors = self._doors
        notice, now = frontchannel_logout.receive(doors.rp, incoming), doors.clock.now()
        if notice.sid is None:
            return
        told = ToldLogout(
            connection=notice.connection,
            issuer=notice.issuer,
            subject=None,
            sid=notice.sid,
            issued_at=now,
            now=now,
            always=False,
        )
        await self._end_all(told)

    async def _end_all(self, told: ToldLogout) -> None:
        """End the sessions of a logout; one that cannot be ended keeps no other one alive.

        Raises:
            OidcError: why a session could not be ended; a repetition tries it again.
        """
        index, side = self.indexed
        faults, ended = list[OidcError](), set[str]()

        async def end(sessions: tuple[IndexedSession, ...]) -> set[SessionKey]:
            done = {each.key for each in sessions if await self._end_one(each, faults)}
            ended.update([name for name, _ in done])
            return done

        try:
            await index.ended(side, told, end)
        finally:
            self._doors.tell(SessionsEnded, sessions=len(ended))
        if faults:
            raise faults[0]

    async def _end_one(self, session: IndexedSession, faults: list[OidcError]) -> bool:
        """End a session: first its grant, so that no refresh gives it tokens, then the rest."""
        before = len(faults)
        try:
            await self._end_grant(session.grant_id)
        except OidcError as error:
            if error.code == _AWAY:
                raise
            faults.append(error)
        end_session = self.indexed.sessions.end_session
        try:
            if end_session is not None:
                with _APPLICATION:
                    await self._doors.call(end_session, session.session_id)
        except OidcError as error:
            faults.append(_of_application(error))
        return len(faults) == before

    async def _end_grant(self, grant_id: str) -> None:
        if self._copies is not None and grant_id:
            await self._copies.ended(Key.of(grant_id, self._doors.rp.connection))

    # --- the application ends one ----------------------------------------------------------------

    async def end(self, of: Key) -> EndedSession | None:
        """End the grant of a session that logs out, and forget the session.

        Raises:
            StoreFailure: ``store_unavailable``: it has not ended.
        """
        return None if self._copies is None else await self._copies.left(of)

    async def leave(self, of: Key) -> tuple[EndedSession | None, tuple[str, ...]]:
        """End the grant of a session that logs out, and revoke its tokens if that is the policy.

        Returns:
            what the session had, ``None`` if it had ended before; and notes of what failed.

        Raises:
            StoreFailure: ``store_unavailable``: it has not ended.
        """
        ended, notes = await self.end(of), list[str]()
        rp = self._doors.rp
        if ended is None or not rp.policy.revoke_at_logout:
            return ended, ()
        if rp.provider.revocation_endpoint is None:
            return ended, (_NOT_REVOKED,)
        for each in revocation.to_revoke(ended.tokens, ended.access_tokens):
            try:
                operation = await self._doors.ready()
                await operation.run(revocation.revoke(operation.rp, ended.tokens, each))
            except OidcError as error:
                notes.append(f"{each.kind} not revoked: {note_of(error)}")
        return ended, tuple(notes)

    async def _forget(self, of: Key, ended: EndedSession) -> None:
        """Take a session off the index; one that stays there does no harm."""
        if self._indexed is None:
            return
        (index, side), rp = self._indexed, self._doors.rp
        tokens, grant_id = ended.tokens, of.name.partition(":")[2]
        with suppress(OidcError):
            iss = text(claims_kept(tokens.id_token).members.get("iss")) or ""
            session = IndexedSession(
                session_id=grant_id,
                grant_id=grant_id,
                issuer=rp.issuer_rule.identity(iss),
                subject=tokens.subject,
                sid=tokens.sid,
                issued_at=0,
                began_at=0,
                until=0,
            )
            await index.removing(side, rp.connection, session)

    @property
    def indexed(self) -> Indexed:
        """The index.

        Raises:
            UsageError: ``config_invalid`` for a client without ``sessions``.
        """
        if self._indexed is None:
            expected = "SessionIndex(records, secret), which names the sessions of users"
            raise UsageError("config_invalid", about="sessions", expected=expected)
        return self._indexed


def _of_application(error: OidcError) -> OidcError:
    """Return why the application did not end a session.

    What it raised may be about anything, and must not read as a refusal of the logout: the provider
    would not repeat that.
    """
    if isinstance(error, StoreFailure | UsageError):
        return error
    fault = unavailable(error, _END_SESSION)
    fault.__cause__ = error
    return fault
