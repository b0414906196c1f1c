"""Sessions in browsers, sealed in a store that all processes share.

The browser keeps one small cookie: the sealed name of its session.  Who reads the store cannot
make that cookie, and a cookie that was made by somebody else does not cost a call of the store.

Theory of operation.  The record of a session is created once, when it begins.  To end a session
that has no record, a record of its end is created in its place.  So a beginning and an end meet in
one record, and the one that comes second sees the first.
"""

from contextlib import suppress
from os import urandom
from typing import Final

from attrs import evolve

from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.stores.pending.cookies import CookieProfile
from oidc_adapters.stores.records.both import at_once
from oidc_adapters.stores.records.callers import Callers, Side, new_version
from oidc_adapters.stores.records.ports import AsyncRecords, Found, Records
from oidc_adapters.stores.sealed_box import SealedBox
from oidc_adapters.web.requests import WebRequest
from oidc_adapters.web.session_values import Kept, dump_session, load_session
from oidc_adapters.web.sessions import WebSession
from oidc_core.wire.cookies import SetCookie, cookie_pairs
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.errors import CallbackError, OidcError, StoreFailure
from oidc_core.wire.settings import as_count, as_setting, check_kind, check_text

SESSION_COOKIE: Final = CookieProfile(prefix="__Host-session")
"""How the cookie of a session is written unless the application says otherwise."""

_STORE: Final = FailsClosed("web sessions")
_ABOUT: Final = "web sessions"
_DAY: Final = 86_400
_OCTETS: Final = 32
_NAME: Final = 43
_ENDED: Final = "ended"
_TO_BEGIN: Final = 3_600
"""Seconds for which a session cannot begin that was ended before; a login takes less."""

_OVERLAP: Final = 30
"""Seconds for which the requests of other tabs may use the session before a new login."""

_STEPS: Final = 8
"""How often the time of the last request is written in one idle time."""

_ATTEMPTS: Final = 8


class _Sealed:
    """The common part of both kinds: everything, as coroutines."""

    __slots__ = ("_box", "_callers", "_profile", "idle", "lifetime")

    def __init__(
        self,
        records: Records | AsyncRecords,
        *secrets: bytes | str,
        lifetime: int = _DAY,
        idle: int = _DAY // 4,
        profile: CookieProfile = SESSION_COOKIE,
    ) -> None:
        self._callers = Callers(records)
        self._box = SealedBox(*secrets)
        self.lifetime = as_count(lifetime, "lifetime")
        self.idle = as_count(idle, "idle")
        self._profile = as_setting(profile, CookieProfile, "profile")

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def reserve(self) -> str:
        """Return a new name for a session, which nobody can use yet."""
        return b64url_encode(urandom(_OCTETS))

    def forgotten(self) -> tuple[SetCookie, ...]:
        """Return the cookie with which a browser forgets its session."""
        return (self._profile.forgotten(self._profile.prefix),)

    async def _begin(
        self, side: Side, session: WebSession, replaced: WebSession | None
    ) -> tuple[SetCookie, ...]:
        check_kind(session, WebSession, about="session")
        check_kind(replaced, WebSession | None, about="replaced")
        with _STORE:
            now = (await side.records.times()).utc
        latest = now + self.lifetime
        until = latest if session.until is None else min(latest, session.until)
        if until <= now:  # the browser would be sent round in circles
            raise CallbackError("session_ended")
        session = evolve(session, until=until)
        if not await self._create(side, session.session_id, Kept(session, now), now):
            raise CallbackError("session_ended")
        if replaced is not None and replaced.identity == session.identity:
            await self._fade(side, replaced.session_id)
        elif replaced is not None:
            await self._end(side, replaced.session_id)
        name, life = self._profile.prefix, max(1, until - now)
        sealed = self._box.close(session.session_id, label=name)
        return (self._profile.cookie(name, sealed, life),)

    async def _read(self, side: Side, request: WebRequest) -> WebSession | None:
        check_kind(request, WebRequest, about="request")
        session_id = self._named_by(request)
        return None if session_id is None else await self._named(side, session_id)

    async def _named(self, side: Side, session_id: str) -> WebSession | None:
        check_text(session_id, "session_id")
        if not _is_name(session_id):
            return None
        with _STORE:
            found = await side.records.read(_key(session_id))
        kept = None if found is None else self._opened(session_id, found)
        if found is None or kept is None:
            return None
        now, until = found.times.utc, kept.session.until or 0
        if now >= until or now >= kept.seen_at + self.idle:
            return None
        if now >= kept.seen_at + max(1, self.idle // _STEPS):
            with suppress(OidcError):  # the session is there: that it was used is not vital
                await self._replace(side, found, kept._replace(seen_at=now), now)
        return kept.session

    async def _end(self, side: Side, session_id: str) -> None:
        check_text(session_id, "session_id")
        if not _is_name(session_id):
            return
        for _ in range(_ATTEMPTS):
            with _STORE:
                found = await side.records.read(_key(session_id))
            if found is None:
                if await self._create(side, session_id, None, await self._utc(side)):
                    return
            elif self._is_ended(session_id, found) or await self._removed(side, session_id, found):
                return
        raise StoreFailure("store_unavailable", about=_ABOUT, cause="contention")

    async def _fade(self, side: Side, session_id: str) -> None:
        """End a session in some seconds; if somebody else changes it meanwhile, at once."""
        with _STORE:
            found = await side.records.read(_key(session_id))
        kept = None if found is None else self._opened(session_id, found)
        if found is None or kept is None:
            return
        now = found.times.utc
        until = min(kept.session.until or 0, now + _OVERLAP)
        faded = kept._replace(session=evolve(kept.session, until=until))
        if not await self._replace(side, found, faded, now):
            await self._end(side, session_id)

    def _named_by(self, request: WebRequest) -> str | None:
        """Return the name of the session that a cookie brings, if we made that cookie."""
        name = self._profile.prefix
        values = [value for found, value in cookie_pairs(request.header("cookie")) if found == name]
        if len(values) != 1:
            return None
        try:
            return self._box.open(values[0], label=name)
        except StoreFailure:
            return None

    def _opened(self, session_id: str, found: Found) -> Kept | None:
        text = self._box.open(found.value, label=_label(session_id))
        return None if text == _ENDED else load_session(text, session_id)

    def _is_ended(self, session_id: str, found: Found) -> bool:
        try:
            return self._opened(session_id, found) is None
        except StoreFailure:
            return False

    async def _utc(self, side: Side) -> int:
        with _STORE:
            return (await side.records.times()).utc

    async def _create(self, side: Side, session_id: str, kept: Kept | None, now: int) -> bool:
        text = _ENDED if kept is None else dump_session(kept)
        until = now + _TO_BEGIN if kept is None else self._until(kept, now)
        sealed = self._box.close(text, label=_label(session_id))
        with _STORE:
            made = await side.records.create(_key(session_id), new_version(), sealed, until)
        return made is True

    async def _replace(self, side: Side, found: Found, kept: Kept, now: int) -> bool:
        session_id = kept.session.session_id
        sealed = self._box.close(dump_session(kept), label=_label(session_id))
        key, until = _key(session_id), self._until(kept, now)
        with _STORE:
            done = await side.records.replace(key, found.version, new_version(), sealed, until)
        return done is True

    async def _removed(self, side: Side, session_id: str, found: Found) -> bool:
        with _STORE:
            return await side.records.remove(_key(session_id), found.version) is True

    def _until(self, kept: Kept, now: int) -> int:
        return min(kept.session.until or 0, now + self.idle)


class RecordSessions(_Sealed):
    """Keeps the sessions of browsers in a store of records, for code that waits.

    .. code-block:: python

        sessions = RecordSessions(SqliteRecords("sessions.db"), secret)
        index = SessionIndex(records, secret, end_session=sessions.end)

    Each request with a session reads one record; the time of the last request is written at most
    eight times in an idle time.

    Args:
        records: a store that waits.
        secrets: the sealing secrets, newest first, each of at least 32 octets of entropy; the same
            in all processes.
        lifetime: seconds after a login at which its session ends, a day by default.
        idle: seconds without a request after which it ends, six hours by default.
        profile: how the cookie is written; its prefix is the whole name.

    Raises:
        UsageError: ``config_invalid``.
    """

    __slots__ = ()

    def begin(
        self, session: WebSession, replaced: WebSession | None = None, /
    ) -> tuple[SetCookie, ...]:
        """Begin a session; return the cookie that brings it to the browser.

        Raises:
            CallbackError: ``session_ended``: it was ended before it began, its name was used, or
                its ``until`` has passed.
            StoreFailure: ``store_unavailable``: it has not begun.
        """
        return at_once(self._begin(self._callers.waiting, session, replaced))

    def read(self, request: WebRequest, /) -> WebSession | None:
        """Return the session of a request, ``None`` without one.

        Raises:
            StoreFailure: ``store_unavailable``, or a record that this release cannot read.
        """
        return at_once(self._read(self._callers.waiting, request))

    def named(self, session_id: str, /) -> WebSession | None:
        """Return the session of a name that the application itself kept for a browser.

        Raises:
            StoreFailure: ``store_unavailable``, or a record that this release cannot read.
        """
        return at_once(self._named(self._callers.waiting, session_id))

    def end(self, session_id: str, /) -> None:
        """End a session, which may be unknown, ended already, or not begun.

        Raises:
            StoreFailure: ``store_unavailable``: it may not have ended.
        """
        at_once(self._end(self._callers.waiting, session_id))


class AsyncRecordSessions(_Sealed):
    """Keeps the sessions of browsers for code that awaits, like :class:`RecordSessions`.

    A store that waits is taken too; its calls run in threads.
    """

    __slots__ = ()

    async def begin(
        self, session: WebSession, replaced: WebSession | None = None, /
    ) -> tuple[SetCookie, ...]:
        """Begin a session, like :meth:`RecordSessions.begin`."""
        return await self._begin(self._callers.awaiting, session, replaced)

    async def read(self, request: WebRequest, /) -> WebSession | None:
        """Return the session of a request, like :meth:`RecordSessions.read`."""
        return await self._read(self._callers.awaiting, request)

    async def named(self, session_id: str, /) -> WebSession | None:
        """Return the session of a name, like :meth:`RecordSessions.named`."""
        return await self._named(self._callers.awaiting, session_id)

    async def end(self, session_id: str, /) -> None:
        """End a session, like :meth:`RecordSessions.end`."""
        await self._end(self._callers.awaiting, session_id)


def _is_name(session_id: str) -> bool:
    """Return whether this can be a name of ours: an index may know other ones."""
    plain = session_id.replace("-", "a").replace("_", "a")
    return len(session_id) == _NAME and plain.isascii() and plain.isalnum()


def _key(session_id: str) -> str:
    return f"web-session:{session_id}"


def _label(session_id: str) -> str:
    return f"web session {session_id}"
