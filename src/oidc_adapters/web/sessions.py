"""The port of an application's sessions in browsers, and what a session says.

A session gets its name before its login is finished, and its content afterwards.  A provider may
end it in between: :meth:`Sessions.end` is called with a name that has no session yet, and
:meth:`Sessions.begin` must refuse that name from then on.
"""

from typing import Final, Protocol, TypeVar

from attrs import field, frozen

from oidc_adapters.web.requests import WebRequest
from oidc_core.model.claims import Identity
from oidc_core.model.connection import Connection
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.errors import CallbackError
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.settings import check_fields, fields_of, json_object

T = TypeVar("T")

_NOTHING: Final = JsonObject({})


@frozen(kw_only=True)
class WebSession:
    """A user who is logged in with a browser.

    Attributes:
        session_id: the name of the session.  It is no secret: nobody can log in with it.
        identity: who it is: issuer and subject, the only key to an account.
        claims: the chosen claims of the login.
        evidence: what was checked at the login, one object for each accepted thing, as
            :func:`~oidc_core.model.evidence.evidence_json` makes them; empty unless it is kept.
        connection: the client and provider of the login.
        grant_id: the name of its grant; empty if the client keeps none.
        began_at: when it began, in seconds since the epoch.
        until: when it ends at the latest, in the same unit; ``None`` where only the store decides.

    Raises:
        UsageError: ``parameter_invalid``, naming the attribute.
    """

    session_id: str
    identity: Identity
    claims: JsonObject = field(default=_NOTHING, repr=False, converter=json_object)
    evidence: tuple[JsonObject, ...] = field(default=(), repr=False)
    connection: Connection
    grant_id: str = field(default="", repr=False)
    began_at: int
    until: int | None = None

    def __attrs_post_init__(self) -> None:
        check_fields(self, _SESSION)


_SESSION: Final = fields_of(WebSession, "parameter_invalid")


class Sessions(Protocol):
    """Sessions in browsers, for code that waits.

    Every exception of a call other than those named here counts as ``store_unavailable``.
    """

    def reserve(self) -> str:
        """Return a new name for a session, which nobody can use yet.

        If no session of that name begins within ten minutes, none ever may.
        """
        ...

    def begin(self, session: WebSession, replaced: WebSession | None, /) -> tuple[SetCookie, ...]:
        """Begin a session under its reserved name; return the cookies that bring it to the browser.

        The browser never keeps the identifier it had before.

        Args:
            session: the session.
            replaced: the session that the browser had until now, which ends.  That of the same
                user may go on for some seconds, for the requests of other tabs.

        Raises:
            CallbackError: ``session_ended``: it was ended before it began; ``account_refused``: the
                application has no account for this user.
        """
        ...

    def read(self, request: WebRequest, /) -> WebSession | None:
        """Return the session of a request, ``None`` without one."""
        ...

    def end(self, session_id: str, /) -> None:
        """End a session, which may be unknown, ended already, or not begun."""
        ...

    def forgotten(self) -> tuple[SetCookie, ...]:
        """Return the cookies with which a browser forgets its session."""
        ...


def as_account(account: T | None) -> T:
    """Return the account that an application has for a user.

    Raises:
        CallbackError: ``account_refused``: there is none.
    """
    if account is None:
        raise CallbackError("account_refused")
    return account


class AsyncSessions(Protocol):
    """Sessions in browsers, for code that awaits, like :class:`Sessions`."""

    def reserve(self) -> str:
        """Return a new name for a session, like :meth:`Sessions.reserve`."""
        ...

    async def begin(
        self, session: WebSession, replaced: WebSession | None, /
    ) -> tuple[SetCookie, ...]:
        """Begin a session, like :meth:`Sessions.begin`."""
        ...

    async def read(self, request: WebRequest, /) -> WebSession | None:
        """Return the session of a request, like :meth:`Sessions.read`."""
        ...

    async def end(self, session_id: str, /) -> None:
        """End a session, like :meth:`Sessions.end`."""
        ...

    def forgotten(self) -> tuple[SetCookie, ...]:
        """Return the cookies with which a browser forgets its session."""
        ...
