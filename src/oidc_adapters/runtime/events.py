"""The events of a client, reported as they happen: to one callable, if the application gives one.

An event is a frozen value. It names the client and the event. It holds no secret, no token and no
data of a user, so an application may log each event unchanged.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from inspect import iscoroutinefunction
from pathlib import PurePath
from traceback import extract_tb
from types import TracebackType
from typing import Final, cast
from warnings import warn

from attrs import frozen

from oidc_core.machine.steps import KeysAnswer, KeysFound, KeysWithheld
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.codes import Fault, Kind, Retryable
from oidc_core.wire.errors import OidcError, Place, UsageError
from oidc_core.wire.http import Answer, HttpRequest, HttpResponse, KeysWanted, NoAnswer


@frozen(kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        issuer: the provider.
        client_id: the client.
        connection_id: tells connections to the same provider apart.
    """

    issuer: str
    client_id: str
    connection_id: str


class LoginBegan(Event):
    """A login was started; the browser goes to the provider."""

    __slots__ = ()


class LoginFinished(Event):
    """A user is logged in."""

    __slots__ = ()


class LogoutBegan(Event):
    """A logout was started; the browser goes to the provider."""

    __slots__ = ()


class LogoutFinished(Event):
    """The browser came back from a logout."""

    __slots__ = ()


@frozen(kw_only=True)
class SessionsEnded(Event):
    """The provider said that sessions ended, and so they have.

    Attributes:
        sessions: how many sessions the client has ended; 0 if it knew none.
    """

    sessions: int


class TokensRefreshed(Event):
    """A refresh token gave new tokens, and everything that came with them was verified."""

    __slots__ = ()


class UserInfoRead(Event):
    """The provider told about a user outside of a login."""

    __slots__ = ()


class MetadataRead(Event):
    """The client read the provider's metadata for the first time."""

    __slots__ = ()


@frozen(kw_only=True)
class MetadataReplaced(Event):
    """The provider has published other metadata, and the client uses it from now on.

    Attributes:
        endpoints_moved: whether users must start logins in flight again, since an endpoint that
            they need is elsewhere.
    """

    endpoints_moved: bool


@frozen(kw_only=True)
class Refusal(Event):
    """Something was refused, or failed; the event has the members of the error.

    Attributes:
        code: the stable code.
        fault: whose fault it is, as in ``callback`` or ``provider``.
        kind: what to tell the user, as in ``stale``.
        retryable: whether trying again helps.
        cause: why it happened, in one word, or an empty string.
        place: the exchange in which it happened, if it was in one.
    """

    code: str
    fault: Fault
    kind: Kind
    retryable: Retryable
    cause: str
    place: Place | None


class LoginRefused(Refusal):
    """A login did not begin, or did not come to its end."""

    __slots__ = ()


class LogoutRefused(Refusal):
    """A logout did not begin or was not asked for, or a token that tells of one does not hold."""

    __slots__ = ()


class RefreshRefused(Refusal):
    """There are no new tokens, or they cannot be believed."""

    __slots__ = ()


class UserInfoRefused(Refusal):
    """The provider told nothing about a user, or it cannot be believed."""

    __slots__ = ()


@frozen(kw_only=True)
class MetadataRefused(Refusal):
    """The provider's metadata could not be read or believed.

    Attributes:
        older_kept: whether older metadata goes on serving.
    """

    older_kept: bool


@frozen(kw_only=True)
class RequestSent(Event):
    """A request was sent to the provider, or could not be.

    Attributes:
        purpose: its purpose, as in ``token``.
        url: origin and path of its URL.
        status: the HTTP status of the answer; ``None`` without one.
        failure: the code of the failure, as in ``http_timeout``; empty with an answer.
        seconds: how long it took.
    """

    purpose: str
    url: str
    status: int | None
    failure: str
    seconds: float


@frozen(kw_only=True)
class KeysFetched(Event):
    """The client has a new key set of the provider.

    Attributes:
        jwks_uri: where it was published: origin and path.
        keys: how many keys are in it.
    """

    jwks_uri: str
    keys: int


@frozen(kw_only=True)
class KeysRefused(Event):
    """A key set that a token needed was not available.

    Attributes:
        jwks_uri: where it is published: origin and path.
        reason: ``throttled`` or ``unreachable``.
    """

    jwks_uri: str
    reason: str


OnEvent = Callable[[Event], object]
"""The callable that an application gives for events; its result does not count."""

_FUNCTION: Final = "a function of one event that is not awaited"


class Events:
    """Tells what happens in one client.

    A callable that raises changes no outcome: the first time a ``RuntimeWarning`` names the
    exception and where it was raised, and then it goes unmentioned.

    Args:
        on_event: gets each event, in the thread or task in which it happened.
        rp: whose events they are.

    Raises:
        UsageError: ``config_invalid`` for a value that cannot be called, or must be awaited.
    """

    __slots__ = ("_client", "_on_event", "_unharmed")

    def __init__(self, on_event: OnEvent, rp: RelyingParty) -> None:
        if not _can_be_told(on_event):
            found = type(on_event).__name__
            raise UsageError("config_invalid", about="on_event", found=found, expected=_FUNCTION)
        self._on_event = on_event
        self._client = {
            "issuer": rp.issuer,
            "client_id": rp.client.client_id,
            "connection_id": rp.client.connection_id,
        }
        self._unharmed = _Unharmed()

    def tell(self, kind: Callable[..., Event], /, **facts: object) -> None:
        """Tell of an event of this kind."""
        event = kind(**self._client, **facts)
        with self._unharmed:
            self._on_event(event)

    def refused(self, kind: Callable[..., Event], error: OidcError, /, **facts: object) -> None:
        """Tell of a refusal."""
        self.tell(
            kind,
            code=error.code,
            fault=error.fault,
            kind=error.kind,
            retryable=error.retryable,
            cause=error.cause,
            place=error.place,
            **facts,
        )

    def sent(self, request: HttpRequest, answer: Answer, seconds: float) -> None:
        """Tell of a request."""
        self.tell(
            RequestSent,
            purpose=request.purpose,
            url=_bare(request.url),
            status=answer.status if isinstance(answer, HttpResponse) else None,
            failure=answer.code if isinstance(answer, NoAnswer) else "",
            seconds=seconds,
        )

    def keys(self, wanted: KeysWanted, answer: KeysAnswer, *, asked: bool) -> None:
        """Report the outcome of a wish for keys, unless they were there already.

        Args:
            wanted: the wish.
            answer: what is there now.
            asked: whether the provider was asked.
        """
        where = _bare(wanted.jwks_uri)
        if isinstance(answer, KeysWithheld):
            self.tell(KeysRefused, jwks_uri=where, reason=answer.reason)
        elif not asked or not isinstance(cast("object", answer), KeysFound):
            return  # the step that gets a wrong answer refuses it
        elif answer.fetched_at == answer.now:
            self.tell(KeysFetched, jwks_uri=where, keys=len(answer.key_set.keys))
        else:
            self.tell(KeysRefused, jwks_uri=where, reason="unreachable")


class Told:
    """Tells how a piece of an operation ended; it may be kept and used by any thread or task.

    Args:
        tell: is given the event where it went well.
        refuse: is given the event where it was refused, and the error.
        done: the event where it went well, if that is one.
        refused: the event where it was refused.
        but: the codes of refusals that are not reported: somebody else may still succeed.
    """

    __slots__ = ("_but", "_done", "_refuse", "_refused", "_tell")

    def __init__(
        self,
        tell: Callable[[type[Event]], None],
        refuse: Callable[[type[Event], OidcError], None],
        done: type[Event] | None,
        refused: type[Event],
        *,
        but: AbstractSet[str] = frozenset(),
    ) -> None:
        self._tell = tell
        self._refuse = refuse
        self._done = done
        self._refused = refused
        self._but = but

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        fault: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if fault is None:
            if self._done is not None:
                self._tell(self._done)
        elif isinstance(fault, OidcError) and fault.code not in self._but:
            self._refuse(self._refused, fault)


class _Unharmed:
    """Lets what goes on around an application's callable be unharmed by it; reports once."""

    __slots__ = ("_reported",)

    def __init__(self) -> None:
        self._reported = False

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(fault, Exception):
            return False
        if not self._reported:
            self._reported = True
            last = extract_tb(trace)[-1]
            where = f"{PurePath(last.filename).name}:{last.lineno}"
            text = f"on_event raised {type(fault).__name__} at {where}; the client goes on"
            with suppress(RuntimeWarning):  # where warnings are errors
                warn(text, RuntimeWarning, stacklevel=4)
        return True


def _can_be_told(call: object) -> bool:
    awaited = iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__)
    return callable(call) and not awaited


def _bare(url: str) -> str:
    """Return origin and path of a URL: a query may hold a secret."""
    return url.partition("?")[0]
