"""Which sessions of the application belong to a user, and to a session of the provider.

The application keeps its own sessions.  The index only names them, so that a logout of the provider
finds them: by subject, or by ``sid``.
"""

from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.stores.pending.spent_in_records import SPENT_VALUE, spent_key
from oidc_adapters.stores.records.both import at_once
from oidc_adapters.stores.records.callers import Callers, Side, new_version
from oidc_adapters.stores.records.ports import AsyncRecords, Records
from oidc_adapters.stores.sealed_box import SealedBox
from oidc_adapters.stores.session_lists import SESSIONS, ListName, SessionLists
from oidc_adapters.stores.session_values import Ending, Entry, IndexedSession, SessionKey
from oidc_core.model.connection import Connection
from oidc_core.wire.errors import CallbackError
from oidc_core.wire.settings import as_count, as_setting, check_kind, check_text

EndSession: TypeAlias = Callable[[str], object]
"""Ends a session of the application by its name; it may be called again for one that has ended."""

EndMany: TypeAlias = Callable[[tuple[IndexedSession, ...]], Awaitable[AbstractSet[SessionKey]]]
"""Ends sessions, and returns the keys of those that it ended."""

_STORE: Final = FailsClosed(SESSIONS)
_MONTH: Final = 30 * 86_400
_DAY: Final = 86_400


class ToldLogout(NamedTuple):
    """A logout as the provider told it.

    Attributes:
        connection: the client and provider that it is for.
        issuer: the issuer, as an identity names it.
        subject: whose sessions end; ``None`` if only ``sid`` says which.
        sid: the provider's session; ``None`` if all sessions of the user end.
        issued_at: when the provider issued it, in seconds since the epoch.
        now: when it came.
        always: whether it is remembered where no session is known: a login that is being finished
            is refused then.
    """

    connection: Connection
    issuer: str
    subject: str | None
    sid: str | None
    issued_at: int
    now: int
    always: bool = True

    def __repr__(self) -> str:
        return f"ToldLogout(issuer={self.issuer!r}, issued_at={self.issued_at})"

    def ending(self, *, unnamed: bool = False) -> Ending:
        """Return which sessions end."""
        before = min(self.issued_at, self.now)
        return Ending(self.issued_at, before, self.subject, unnamed)


class SessionIndex:
    """Names the sessions of an application in a store that all its processes share.

    .. code-block:: python

        sessions = SessionIndex(SqliteRecords("sessions.db"), secret, end_session=forget)
        client = OidcClient(setup, pending, grants=grants, sessions=sessions)

    The client adds a session when a login is finished, and ends sessions when the provider says so.
    To add one takes two calls of the store for its user, and three for the provider's session.  To
    find some takes two calls, and one more for each further 64 sessions of that user.

    Args:
        records: the store; one that waits serves waiting and awaiting clients, one that is awaited
            serves awaiting clients.
        secrets: the sealing secrets, newest first, each of at least 32 octets of entropy; the same
            in all processes.
        end_session: is called with the name of each session that the provider ended.  For awaiting
            clients it may be awaited.  It has to take a name twice, and one that it does not know.
        lifetime: seconds after a login at which its session is forgotten; at least as long as a
            session of the application may last, 30 days by default.

    Raises:
        UsageError: ``config_invalid``.
    """

    __slots__ = ("_box", "_callers", "end_session", "lifetime")

    def __init__(
        self,
        records: Records | AsyncRecords,
        *secrets: bytes | str,
        end_session: EndSession | None = None,
        lifetime: int = _MONTH,
    ) -> None:
        self._callers = Callers(records)
        self._box = SealedBox(*secrets)
        self.end_session = as_setting(end_session, Callable[..., object] | None, "end_session")
        self.lifetime = as_count(lifetime, "lifetime")

    def __repr__(self) -> str:
        return "SessionIndex()"

    @property
    def waiting(self) -> Side:
        """The store, for code that waits.

        Raises:
            UsageError: ``config_invalid`` for a store that is awaited.
        """
        return self._callers.waiting

    @property
    def awaiting(self) -> Side:
        """The store, for code that awaits."""
        return self._callers.awaiting

    # --- for applications ------------------------------------------------------------------------

    def add(self, connection: Connection, session: IndexedSession) -> None:
        """Add a session, before anybody can use it; ``finish_login`` does so by itself.

        Args:
            connection: of the login.
            session: the session.

        Raises:
            CallbackError: ``session_ended``: the provider ended it meanwhile; it is not added, and
                nobody may use it.
            StoreFailure: ``store_unavailable``: nobody may use the session.
        """
        at_once(self.adding(self.waiting, connection, session))

    async def add_async(self, connection: Connection, session: IndexedSession) -> None:
        """Add a session, like :meth:`add`."""
        await self.adding(self.awaiting, connection, session)

    def of_subject(
        self, connection: Connection, issuer: str, subject: str
    ) -> tuple[IndexedSession, ...]:
        """Return the sessions of a user, newest first.

        Args:
            connection: of their logins.
            issuer: the issuer of the identity.
            subject: the user.

        Raises:
            StoreFailure: ``store_unavailable``.
        """
        return at_once(self.found(self.waiting, connection, issuer, subject, None))

    async def of_subject_async(
        self, connection: Connection, issuer: str, subject: str
    ) -> tuple[IndexedSession, ...]:
        """Return the sessions of a user, like :meth:`of_subject`."""
        return await self.found(self.awaiting, connection, issuer, subject, None)

    def of_sid(self, connection: Connection, issuer: str, sid: str) -> tuple[IndexedSession, ...]:
        """Return the sessions that belong to one of the provider, like :meth:`of_subject`."""
        return at_once(self.found(self.waiting, connection, issuer, None, sid))

    async def of_sid_async(
        self, connection: Connection, issuer: str, sid: str
    ) -> tuple[IndexedSession, ...]:
        """Return the sessions that belong to one of the provider, like :meth:`of_subject`."""
        return await self.found(self.awaiting, connection, issuer, None, sid)

    def remove(self, connection: Connection, session: IndexedSession) -> None:
        """Forget a session that has ended: by its name, or by that of its grant.

        It does not matter if it is unknown.

        Raises:
            StoreFailure: ``store_unavailable``.
        """
        at_once(self.removing(self.waiting, connection, session))

    async def remove_async(self, connection: Connection, session: IndexedSession) -> None:
        """Forget a session that has ended, like :meth:`remove`."""
        await self.removing(self.awaiting, connection, session)

    # --- for clients -----------------------------------------------------------------------------

    async def adding(self, side: Side, connection: Connection, session: IndexedSession) -> None:
        """Add a session, like :meth:`add`."""
        check_kind(connection, Connection, about="connection")
        check_kind(session, IndexedSession, about="session")
        lists, issuer = self._lists(side), session.issuer
        of_user = ListName.of_subject(connection, issuer, session.subject)
        place = await lists.add(of_user, session)
        if session.sid is None:
            return
        try:
            await lists.add(ListName.of_sid(connection, issuer, session.sid), session, place)
        except CallbackError:
            await lists.take_out(of_user, place, {session.key})
            raise

    async def found(
        self,
        side: Side,
        connection: Connection,
        issuer: str,
        subject: str | None,
        sid: str | None,
    ) -> tuple[IndexedSession, ...]:
        """Return the sessions of a user, or of a session of the provider, newest first."""
        check_kind(connection, Connection, about="connection")
        check_text(issuer, "issuer")
        lists, seen = self._lists(side), dict[str, IndexedSession]()
        if sid is not None:
            check_text(sid, "sid")
            name = ListName.of_sid(connection, issuer, sid)
        else:
            check_text(subject, "subject")
            name = ListName.of_subject(connection, issuer, subject or "")

        async def look(_place: int, entries: tuple[Entry, ...], now: int) -> bool:
            known = entries
            if sid is not None:
                known = await self._known(lists, connection, entries)
            for session, _ in reversed(known):
                if session.until > now:
                    seen.setdefault(session.session_id, session)
            return False

        await lists.walk(name, look)
        return tuple(seen.values())

    async def removing(self, side: Side, connection: Connection, session: IndexedSession) -> None:
        """Forget a session, like :meth:`remove`."""
        check_kind(connection, Connection, about="connection")
        check_kind(session, IndexedSession, about="session")
        lists, issuer = self._lists(side), session.issuer
        of_user = ListName.of_subject(connection, issuer, session.subject)

        async def forget(place: int, entries: tuple[Entry, ...], _now: int) -> bool:
            gone = {each.key for each, _ in entries if _is_same(each, session)}
            return bool(gone) and await lists.take_out(of_user, place, gone)

        if session.sid is None:
            await lists.walk(of_user, forget)
            return
        of_sid = ListName.of_sid(connection, issuer, session.sid)

        async def forget_both(place: int, entries: tuple[Entry, ...], _now: int) -> bool:
            same = [each for each in entries if _is_same(each.session, session)]
            await self._forget(lists, connection, tuple(same))
            gone = {each.session.key for each in same}
            return bool(gone) and await lists.take_out(of_sid, place, gone)

        await lists.walk(of_sid, forget_both)

    async def ended(self, side: Side, told: ToldLogout, end: EndMany) -> bool:
        """End all sessions that a logout is about; return whether all have ended.

        The logout is written down first, so that no login before it adds one more.  A session that
        ``end`` does not return stays, and a repetition tries it again.

        Raises:
            StoreFailure: ``store_unavailable``: a repetition goes on.
        """
        lists = self._lists(side)
        if told.sid is None:
            return await self._ended_of_subject(lists, told, end, unnamed=False)
        left = not await self._ended_of_sid(lists, told, end)
        if told.subject is not None:
            left |= not await self._ended_of_subject(lists, told, end, unnamed=True)
        return not left

    async def is_used(self, side: Side, once: str) -> bool:
        """Return whether a logout of this name has ended all its sessions.

        Raises:
            StoreFailure: ``store_unavailable``.
        """
        with _STORE:
            return await side.records.read(spent_key(once)) is not None

    async def use(self, side: Side, once: str, lifetime: int) -> None:
        """Remember that a logout has ended all its sessions, for some seconds.

        Raises:
            StoreFailure: ``store_unavailable``.
        """
        with _STORE:
            times = await side.records.times()
            until = times.utc + max(0, lifetime)
            await side.records.create(spent_key(once), new_version(), SPENT_VALUE, until)

    async def _ended_of_subject(
        self, lists: SessionLists, told: ToldLogout, end: EndMany, *, unnamed: bool
    ) -> bool:
        name = ListName.of_subject(told.connection, told.issuer, told.subject or "")
        ending = told.ending(unnamed=unnamed)
        marked = await lists.mark(name, ending, lasts=_DAY, always=told.always)
        if marked is None or (unnamed and not await lists.unnamed(name)):
            return True
        left, done = set[SessionKey](), set[SessionKey]()

        async def each(place: int, entries: tuple[Entry, ...], _now: int) -> bool:
            covered = [session for session, _ in entries if marked.covers(session)]
            mine = {session.key for session in covered}
            done.update(await end(tuple([s for s in covered if s.key not in done])))
            left.update(mine - done)
            return await lists.take_out(name, place, mine & done)

        await lists.walk(name, each)
        return not left

    async def _ended_of_sid(self, lists: SessionLists, told: ToldLogout, end: EndMany) -> bool:
        name = ListName.of_sid(told.connection, told.issuer, told.sid or "")
        marked = await lists.mark(name, told.ending(), lasts=_DAY, always=told.always)
        if marked is None:
            return True
        left, done = set[SessionKey](), set[SessionKey]()

        async def each(place: int, entries: tuple[Entry, ...], _now: int) -> bool:
            covered = tuple([entry for entry in entries if marked.covers(entry.session)])
            known = await self._known(lists, told.connection, covered)
            wanted = tuple([s for s, _ in known if s.key not in done])
            done.update(await end(wanted))
            over = [each for each in known if each.session.key in done]
            await self._forget(lists, told.connection, tuple(over))
            mine = {session.key for session, _ in known} - done
            left.update(mine)
            gone = {session.key for session, _ in covered} - mine
            return await lists.take_out(name, place, gone)

        await lists.walk(name, each)
        return not left

    async def _known(
        self, lists: SessionLists, connection: Connection, entries: tuple[Entry, ...]
    ) -> tuple[Entry, ...]:
        """Return which sessions are on the list of their user: the others have ended."""
        known: list[Entry] = []
        for (name, place), some in _by_place(connection, entries).items():
            here = await lists.here(name, place, {each.session.key for each in some})
            known += [each for each in some if each.session.key in here]
        return tuple(known)

    async def _forget(
        self, lists: SessionLists, connection: Connection, entries: tuple[Entry, ...]
    ) -> None:
        """Take sessions that have ended off the lists of their users."""
        for (name, place), some in _by_place(connection, entries).items():
            await lists.take_out(name, place, {each.session.key for each in some})

    def _lists(self, side: Side) -> SessionLists:
        return SessionLists(side, self._box)


def _is_same(one: IndexedSession, other: IndexedSession) -> bool:
    if one.session_id == other.session_id:
        return True
    return other.grant_id != "" and one.grant_id == other.grant_id


def _by_place(
    connection: Connection, entries: tuple[Entry, ...]
) -> dict[tuple[ListName, int], list[Entry]]:
    """Return entries by the list of their user, and the place there."""
    of_user = partial(ListName.of_subject, connection)
    places: dict[tuple[ListName, int], list[Entry]] = {}
    for entry in entries:
        session = entry.session
        name = of_user(session.issuer, session.subject)
        places.setdefault((name, entry.place), []).append(entry)
    return places
