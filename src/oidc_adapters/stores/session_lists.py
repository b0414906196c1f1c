"""The lists of a session index in a store: each change is one that replaces a version.

A login adds its session by a write of the head, and a logout writes itself down in the head before
it looks for sessions.  So of both one comes first.  If it is the login, the logout finds the
session.  If it is the logout, the login reads it, and is refused.
"""

from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from os import urandom
from time import monotonic
from typing import Final, NamedTuple, TypeAlias

from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.stores.answers_in_records import name_of
from oidc_adapters.stores.records.callers import Side, new_version
from oidc_adapters.stores.records.ports import Times
from oidc_adapters.stores.sealed_box import SealedBox
from oidc_adapters.stores.session_values import (
    MOST,
    Ending,
    Entry,
    Head,
    IndexedSession,
    SessionKey,
    dump_head,
    dump_page,
    load_head,
    load_page,
)
from oidc_core.model.connection import Connection
from oidc_core.wire.errors import CallbackError, StoreFailure

SESSIONS: Final = "sessions"
"""The name of the index in errors."""

_STORE: Final = FailsClosed(SESSIONS)
_PATIENCE: Final = 10.0
"""Seconds for which a write is tried again while others write to the same list."""

_PAUSE: Final = 0.02
_STEPS: Final = 2

Each: TypeAlias = Callable[[int, tuple[Entry, ...], int], Awaitable[bool]]
"""Takes the entries of a place, with the time of the store; returns whether the place is empty."""


class ListName(NamedTuple):
    """The name of a list; its records belong to one client and one issuer."""

    key: str
    issuer: str

    @classmethod
    def of_subject(cls, connection: Connection, issuer: str, subject: str) -> "ListName":
        """Name the list of a user."""
        return cls(name_of("sessions", *connection[:3], issuer, subject), issuer)

    @classmethod
    def of_sid(cls, connection: Connection, issuer: str, sid: str) -> "ListName":
        """Name the list of a session of the provider."""
        return cls(name_of("sid", *connection[:3], issuer, sid), issuer)

    def page(self, number: int) -> str:
        """Return the key of a page."""
        return f"{self.key}:{number}"


class _Read(NamedTuple):
    """A head as it was read; without a record the version is empty."""

    head: Head
    version: str
    times: Times


class SessionLists:
    """The lists of one kind of callers.

    Args:
        side: the store.
        box: seals what is kept there.
    """

    __slots__ = ("_box", "_side")

    def __init__(self, side: Side, box: SealedBox) -> None:
        self._side = side
        self._box = box

    async def add(self, name: ListName, session: IndexedSession, place: int = 0) -> int:
        """Add a session, in place of one of the same name and grant.

        Args:
            name: the list.
            session: the session.
            place: its page of the user's list; 0 if it gets one here.

        Returns:
            its page of the user's list.

        Raises:
            CallbackError: ``session_ended``: a logout came that ends it, and it is not added.
            StoreFailure: ``store_unavailable``, or what is kept there cannot be read.
        """
        tries = _Tries(self._side)
        while True:
            read = await self._head(name)
            head, now = read.head, read.times.utc
            if head.has_ended(session):
                raise CallbackError("session_ended")
            lasting = tuple([each for each in head.entries if _lasts(each, session, now)])
            if len(lasting) >= MOST:
                if not await self._spill(name, read, lasting):
                    await tries.pause()
                continue
            entry = Entry(session, place or head.last + 1)
            new = head._replace(
                entries=(*lasting, entry),
                until=max(head.until, session.until),
                unnamed=head.unnamed or session.sid is None,
            )
            if await self._write_head(name, read, new):
                return entry.place
            await tries.pause()

    async def mark(
        self, name: ListName, ending: Ending, *, lasts: int, always: bool = True
    ) -> Ending | None:
        """Write a logout down; from then on the list gets no session that it ends.

        Args:
            name: the list.
            ending: the logout.
            lasts: seconds for which it is kept at least.
            always: whether it is written where there is no list.

        Returns:
            the sessions to look for.  A repeated logout keeps the time when it came first.
            ``None``: there is no list, and nothing was written.

        Raises:
            StoreFailure: ``store_unavailable``, or what is kept there cannot be read.
        """
        tries = _Tries(self._side)
        while True:
            read = await self._head(name)
            if not (read.version or always):
                return None
            for before in read.head.endings:
                if before.is_alike(ending) and before.issued_at >= ending.issued_at:
                    return before if before.issued_at == ending.issued_at else ending
            until = max(read.head.until, read.times.utc + lasts)
            new = read.head.with_ending(ending)._replace(until=until)
            if await self._write_head(name, read, new):
                return ending
            await tries.pause()

    async def walk(self, name: ListName, each: Each) -> None:
        """Go through the sessions that a list has now, newest first.

        Raises:
            StoreFailure: ``store_unavailable``, or what is kept there cannot be read.
        """
        head, _, times = await self._head(name)
        if head.entries:
            await each(head.last + 1, head.entries, times.utc)
        pages, first = range(head.last, head.first - 1, -1), head.last + 1
        for number in pages:
            entries, version = await self._page(name, number)
            if version and not await each(number, entries, times.utc):
                first = number
        if first > head.first:
            await self._advance(name, first)

    async def unnamed(self, name: ListName) -> bool:
        """Return whether a list may have sessions that name no session of the provider."""
        return (await self._head(name)).head.unnamed

    async def take_out(self, name: ListName, place: int, keys: AbstractSet[SessionKey]) -> bool:
        """Take sessions out of a place of a list; return whether the place is empty.

        Raises:
            StoreFailure: ``store_unavailable``, or what is kept there cannot be read.
        """
        tries = _Tries(self._side)
        while True:
            read = await self._head(name)
            if place > read.head.last:
                kept = _without(read.head.entries, keys)
                same = len(kept) == len(read.head.entries)
                if same or await self._write_head(name, read, read.head._replace(entries=kept)):
                    return not kept
            else:
                entries, version = await self._page(name, place)
                kept = _without(entries, keys)
                if len(kept) == len(entries):
                    return not kept
                if await self._write_page(name, place, version, kept):
                    return not kept
            await tries.pause()

    async def here(
        self, name: ListName, place: int, keys: AbstractSet[SessionKey]
    ) -> AbstractSet[SessionKey]:
        """Return which sessions are at a place of a list.

        Raises:
            StoreFailure: ``store_unavailable``, or what is kept there cannot be read.
        """
        head, _, _ = await self._head(name)
        entries = head.entries
        if place <= head.last:
            entries, _ = await self._page(name, place)
        return {each.session.key for each in entries} & keys

    async def _spill(self, name: ListName, read: _Read, entries: tuple[Entry, ...]) -> bool:
        """Move the entries of a full head to a new page; return whether it is done.

        A page may be there: of a caller who was broken off, or of one who is quicker.  It is
        written over only if the head is still the one that was read after that page was seen.
        """
        head, number = read.head, read.head.last + 1
        if not await self._write_page(name, number, "", entries):
            _, version = await self._page(name, number)
            again = await self._head(name)
            if again.version != read.version or not version:
                return False
            if not await self._write_page(name, number, version, entries):
                return False
        first = await self._first(name, head)
        new = head._replace(first=first, last=number, entries=())
        return await self._write_head(name, read, new)

    async def _first(self, name: ListName, head: Head) -> int:
        """Return the first page that is there; a few steps each time keep up with new pages."""
        first = head.first
        for _ in range(_STEPS):
            if first > head.last or (await self._page(name, first))[1]:
                break
            first += 1
        return first

    async def _advance(self, name: ListName, first: int) -> None:
        """Write down that there are no earlier pages; if somebody else writes, leave it."""
        read = await self._head(name)
        if read.version and read.head.first < first <= read.head.last + 1:
            await self._write_head(name, read, read.head._replace(first=first))

    async def _head(self, name: ListName) -> _Read:
        records = self._side.records
        with _STORE:
            found = await records.read(name.key)
            if found is None:
                return _Read(Head(), "", await records.times())
        text = self._box.open(found.value, label=_label(name.key))
        return _Read(load_head(text, name.issuer), found.version, found.times)

    async def _page(self, name: ListName, number: int) -> tuple[tuple[Entry, ...], str]:
        """Return the entries of a page, and its version, which is empty without a record."""
        key = name.page(number)
        with _STORE:
            found = await self._side.records.read(key)
        if found is None:
            return (), ""
        text = self._box.open(found.value, label=_label(key))
        return load_page(text, name.issuer), found.version

    async def _write_head(self, name: ListName, read: _Read, new: Head) -> bool:
        return await self._write(name.key, read.version, dump_head(new), new.until)

    async def _write_page(
        self, name: ListName, number: int, version: str, entries: tuple[Entry, ...]
    ) -> bool:
        """Write a page; one without entries is removed."""
        key = name.page(number)
        if not entries:
            with _STORE:
                return await self._side.records.remove(key, version)
        until = max([each.session.until for each in entries])
        return await self._write(key, version, dump_page(entries), until)

    async def _write(self, key: str, version: str, text: str, until: int) -> bool:
        records, value = self._side.records, self._box.close(text, label=_label(key))
        with _STORE:
            if version:
                return await records.replace(key, version, new_version(), value, until)
            return await records.create(key, new_version(), value, until)


class _Tries:
    """Lost races in a row; each is followed by a random moment, and there is an end to them."""

    __slots__ = ("_end", "_side")

    def __init__(self, side: Side) -> None:
        self._side = side
        self._end = monotonic() + _PATIENCE

    async def pause(self) -> None:
        """Let a moment pass.

        Raises:
            StoreFailure: ``store_unavailable``: others write to the list all the time.
        """
        if monotonic() > self._end:
            raise StoreFailure("store_unavailable", about=SESSIONS, cause="busy")
        await self._side.pause(urandom(1)[0] / 255 * _PAUSE)


def _lasts(entry: Entry, new: IndexedSession, now: int) -> bool:
    """Return whether an entry stays when another one is added."""
    return entry.session.until > now and entry.session.key != new.key


def _without(entries: tuple[Entry, ...], keys: AbstractSet[SessionKey]) -> tuple[Entry, ...]:
    return tuple([each for each in entries if each.session.key not in keys])


def _label(key: str) -> str:
    return f"v1 {key}"
