"""The records of a session index: the names of sessions, and the logouts that came.

Theory of operation.  Each user has a list of sessions, and each session of the provider (``sid``)
has one.  The *head* of a list is one record, with the newest entries and what has ended.  Once it
is full, its entries move to a *page*, another record, which gets no further entry.  So a login and
a logout of the same list meet in one place, the head, and one of them comes first.
"""

from typing import Final, NamedTuple, TypeAlias

from attrs import field, frozen

from oidc_core.wire.errors import OidcError, StoreFailure, UsageError
from oidc_core.wire.jsontypes import JsonObject, JsonValue, parse_object, render
from oidc_core.wire.settings import check_fields, fields_of

MOST: Final = 64
"""Entries of a head and of a page."""

LONGEST: Final = 512
"""Characters of a session's name."""

SessionKey: TypeAlias = tuple[str, str]
"""A session's name and the name of its grant: a session that logs in again has a second grant."""

_VERSION: Final = 1
_ENDINGS: Final = 8


@frozen(kw_only=True)
class IndexedSession:
    """A session of the application, as an index names it.

    Attributes:
        session_id: the application's name for it, of at most 512 characters.
        grant_id: the name of its grant, or an empty string.
        issuer: the issuer, as :class:`~oidc_core.model.claims.Identity` of the login names it.
        subject: the user.
        sid: the provider's session, if it named one.
        issued_at: ``iat`` of the ID token of the login, in seconds since the epoch.
        began_at: when the login began, by the clock of the application, in the same unit.
        until: when the session ends by itself; it is forgotten then.

    Raises:
        UsageError: ``parameter_invalid``, naming the attribute.
    """

    session_id: str = field(repr=False)
    grant_id: str = field(default="", repr=False)
    issuer: str
    subject: str = field(repr=False)
    sid: str | None = field(default=None, repr=False)
    issued_at: int
    began_at: int
    until: int

    def __attrs_post_init__(self) -> None:
        check_fields(self, _SESSION)
        if not 0 < len(self.session_id) <= LONGEST:
            found, expected = len(self.session_id), f"1 to {LONGEST} characters"
            raise UsageError(
                "parameter_invalid", about="session_id", found=found, expected=expected
            )

    @property
    def key(self) -> SessionKey:
        """What tells it apart from the others of a list."""
        return self.session_id, self.grant_id


_SESSION: Final = fields_of(IndexedSession, "parameter_invalid")


class Ending(NamedTuple):
    """Which sessions a logout ends: those of logins before it, but none of a later login.

    Attributes:
        issued_at: when the provider issued the logout.  An ID token that is not younger is one of
            before, by the same clock.
        began_before: when it was issued, or came if that was earlier.  A login that began before is
            one of before, even if its ID token was issued later.
        subject: whose sessions end; ``None`` for those of anybody.
        unnamed: whether only those sessions end that name no session of the provider.
    """

    issued_at: int
    began_before: int
    subject: str | None = None
    unnamed: bool = False

    def __repr__(self) -> str:
        return f"Ending(issued_at={self.issued_at}, unnamed={self.unnamed})"

    def covers(self, session: IndexedSession) -> bool:
        """Return whether a session ends."""
        if self.subject is not None and session.subject != self.subject:
            return False
        if self.unnamed and session.sid is not None:
            return False
        return session.issued_at <= self.issued_at or session.began_at < self.began_before

    def is_alike(self, other: "Ending") -> bool:
        """Return whether another one is about the same sessions; its time does not count."""
        return (self.subject, self.unnamed) == (other.subject, other.unnamed)


class Entry(NamedTuple):
    """A session in a list.

    Attributes:
        session: the session.
        place: the page of the user's list that it is on, or moves to once the head is full.
    """

    session: IndexedSession
    place: int


class Head(NamedTuple):
    """The head of a list.

    Attributes:
        first, last: the pages that may have entries; ``last`` is 0 before the first one.
        until: when the last session of the list ends by itself.
        unnamed: whether a session was ever added that names no session of the provider.
        endings: the logouts that came, newest last.
        entries: the newest sessions.
    """

    first: int = 1
    last: int = 0
    until: int = 0
    unnamed: bool = False
    endings: tuple[Ending, ...] = ()
    entries: tuple[Entry, ...] = ()

    def has_ended(self, session: IndexedSession) -> bool:
        """Return whether a logout came that ends a session."""
        return any(each.covers(session) for each in self.endings)

    def with_ending(self, ending: Ending) -> "Head":
        """Return the head with one more logout, which replaces an earlier one of its kind."""
        others = [each for each in self.endings if not each.is_alike(ending)]
        return self._replace(endings=(*others, ending)[-_ENDINGS:])


def dump_head(head: Head) -> str:
    """Return a head as compact JSON."""
    members = {
        "v": _VERSION,
        "pages": (head.first, head.last),
        "until": head.until,
        "unnamed": head.unnamed,
        "endings": tuple([tuple(each) for each in head.endings]),
        "entries": _rows(head.entries),
    }
    return render(JsonObject(members))


def load_head(text: str, issuer: str) -> Head:
    """Read a head of sessions of an issuer.

    Raises:
        StoreFailure: ``record_invalid`` or ``record_version_unknown``.
    """
    members = _members(text)
    match members.get("pages"), members.get("until"), members.get("unnamed"):
        case (int(first), int(last)), int(until), bool(unnamed):
            endings = tuple([_ending(each) for each in _items(members, "endings")])
            entries = _entries(members, issuer)
            return Head(first, last, until, unnamed, endings, entries)
        case _:
            raise StoreFailure("record_invalid", about="sessions")


def dump_page(entries: tuple[Entry, ...]) -> str:
    """Return the entries of a page as compact JSON."""
    return render(JsonObject({"v": _VERSION, "entries": _rows(entries)}))


def load_page(text: str, issuer: str) -> tuple[Entry, ...]:
    """Read the entries of a page, like :func:`load_head`."""
    return _entries(_members(text), issuer)


def _rows(entries: tuple[Entry, ...]) -> tuple[JsonValue, ...]:
    """Return entries as rows, without the issuer, which the name of the list has."""
    return tuple(
        [
            (
                session.session_id, session.grant_id, session.subject, session.sid,
                session.issued_at, session.began_at, session.until, place,
            )
            for session, place in entries
        ]
    )  # fmt: skip


def _entries(members: JsonObject, issuer: str) -> tuple[Entry, ...]:
    return tuple([_entry(each, issuer) for each in _items(members, "entries")])


def _entry(row: JsonValue, issuer: str) -> Entry:
    match row:
        case (
            str(session_id), str(grant_id), str(subject), (str() | None) as sid,
            int(issued_at), int(began_at), int(until), int(place),
        ):  # fmt: skip
            session = IndexedSession(
                session_id=session_id,
                grant_id=grant_id,
                issuer=issuer,
                subject=subject,
                sid=sid,
                issued_at=issued_at,
                began_at=began_at,
                until=until,
            )
            return Entry(session, place)
        case _:
            raise StoreFailure("record_invalid", about="sessions")


def _ending(row: JsonValue) -> Ending:
    match row:
        case (int(issued_at), int(began_before), (str() | None) as subject, bool(unnamed)):
            return Ending(issued_at, began_before, subject, unnamed)
        case _:
            raise StoreFailure("record_invalid", about="sessions")


def _items(members: JsonObject, name: str) -> tuple[JsonValue, ...]:
    items = members.get(name)
    if not isinstance(items, tuple):
        raise StoreFailure("record_invalid", about="sessions")
    return items


def _members(text: str) -> JsonObject:
    try:
        members = parse_object(text.encode("utf-8", "surrogatepass"))
    except OidcError:
        raise StoreFailure("record_invalid", about="sessions") from None
    found = members.get("v")
    if found != _VERSION:
        shown = found if isinstance(found, int) else type(found).__name__
        raise StoreFailure(
            "record_version_unknown", about="sessions", found=shown, expected=_VERSION
        )
    return members
