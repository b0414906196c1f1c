"""The common part of a client's calls, whether they wait or await.

A failed login can still be answered: its error carries the cookies to clear, and the place where
the application wanted to go on, once it is certain that this browser started the login.
"""

from collections.abc import Generator
from contextlib import contextmanager
from copy import copy
from typing import Final, NamedTuple, TypeVar, cast

from attrs import evolve

from oidc_adapters.clients.results import EndedSession, Redirect
from oidc_adapters.clients.shell import AsyncShell, Shell
from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.stores.pending import CookieProfile, MemoryPendingLogins, PendingLogins, Taken
from oidc_adapters.stores.pending.cookies import Cookies
from oidc_adapters.stores.pending.ports import LogoutSecrets
from oidc_core.endpoints.authorization import AuthenticationRequest, Callback
from oidc_core.endpoints.end_session import LogoutRequest
from oidc_core.machine.steps import Step
from oidc_core.model.pending import LoginSecrets, PendingLogin
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import login, logout
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.operations.login import LoginStarted
from oidc_core.operations.logout import LogoutStarted
from oidc_core.wire.cookies import SetCookie, cookie_pairs
from oidc_core.wire.errors import CallbackError, OidcError, StoreFailure, UsageError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.settings import check_kind, check_text
from oidc_core.wire.urls import parse_url

PENDING: Final = "pending logins"
STORE: Final = FailsClosed(PENDING)
"""Every exception of a store of logins in flight is the store's failure."""

_UNPROVEN: Final = frozenset(
    {
        "state_missing",
        "state_mismatch",
        "binding_missing",
        "binding_mismatch",
        "parameter_too_long",  # which is looked at before
    }
)
"""Refusals before it is certain that this browser started the login."""

OF_ANOTHER: Final = frozenset(
    {"connection_mismatch", "logout_state_mismatch", "cookie_invalid", "cookie_key_unknown"}
)
"""A client's codes for the logout of another client, or of no client: the last client raises it."""

CLOSING: Final = 30.0
"""Seconds that ``close()`` waits for exchanges that have started."""

_MARK_LIFETIME: Final = 600
"""Seconds for which a browser remembers that a login failed and a new one was started."""

T = TypeVar("T")

_STILL_WAITING: Final = frozenset({"connection_mismatch", "binding_duplicated"})
"""Refusals after which the login waits on, for another client or another request."""


def check_profile(rp: RelyingParty, pending: PendingLogins) -> None:
    """Refuse cookies for development where the browser comes back to another machine.

    Raises:
        UsageError: ``config_invalid``.
    """
    if pending.profile.secure:
        return
    for uri in rp.client.redirect_uris:
        if "://" in uri and not parse_url(uri, about="redirect_uri", http=True).is_loopback:
            expected = "a redirect URI on loopback with such cookies"
            raise UsageError("config_invalid", about="profile", found=uri, expected=expected)


def development_logins() -> PendingLogins:
    """Return where logins wait in development, with cookies that go over plain http."""
    return MemoryPendingLogins(profile=CookieProfile.insecure_for_loopback_development())


def cookies_in(header: str | bytes) -> Cookies:
    """Read a ``Cookie`` header.

    Raises:
        UsageError: ``parameter_invalid`` for cookies that a framework has parsed.
    """
    check_kind(header, str | bytes, about="cookie")
    return cookie_pairs(header.decode("latin-1") if isinstance(header, bytes) else header)


def starting(
    rp: RelyingParty,
    secrets: LoginSecrets,
    request: AuthenticationRequest,
    return_to: str,
    now: int,
) -> Step[LoginStarted]:
    """Start a login; a ``return_to`` that no store can keep is dropped: a stranger wrote it."""
    check_kind(request, AuthenticationRequest, about="request")
    check_text(return_to, "return_to")
    if return_to:
        keepable = not any("\ud800" <= each <= "\udfff" for each in return_to)
        request = evolve(request, return_to=return_to if keepable else "")
    return login.start(rp, secrets, request, now=now)


def arrived(incoming: Incoming, account: str) -> Callback:
    """Return the callback of a request, for any client.

    Raises:
        UsageError: ``parameter_invalid`` for a value that is not a request.
        CallbackError: ``parameter_malformed``.
    """
    check_kind(incoming, Incoming, about="incoming")
    check_text(account, "account")
    return Callback.of(incoming)


def finishing(
    rp: RelyingParty, taken: Taken, callback: Callback, now: int, account: str
) -> Step[LoggedIn]:
    """Finish the login that was taken out of its store."""
    return login.finish(
        rp,
        taken.pending,
        callback,
        binding=taken.binding,
        now=now,
        single_use=taken.single_use,
        account=account,
    )


class Departure(NamedTuple):
    """A logout that starts.

    Attributes:
        rp: the relying party.
        request: what is asked of the provider.
        secrets: of this logout.
        now: the time, in seconds since the epoch.
    """

    rp: RelyingParty
    request: LogoutRequest | None
    secrets: LogoutSecrets
    now: int

    @classmethod
    def of(
        cls,
        ready: tuple[RelyingParty, Shell | AsyncShell],
        pending: PendingLogins,
        request: LogoutRequest | None,
    ) -> "Departure":
        """Return the logout that starts now, with new secrets."""
        rp, shell = ready
        with STORE:
            secrets = pending.logout_secrets(shell.entropy)
        return cls(rp, request, secrets, shell.clock.now())

    def started(self, tokens: Tokens | EndedSession | None) -> Step[LogoutStarted]:
        """Start it, with the newest ID token as a hint unless the request has another."""
        check_kind(tokens, Tokens | EndedSession | None, about="tokens")
        check_kind(self.request, LogoutRequest | None, about="request")
        asked = LogoutRequest() if self.request is None else self.request
        if tokens is not None and not asked.id_token_hint:
            hint = tokens.id_token if isinstance(tokens, Tokens) else tokens.id_token_hint
            asked = evolve(asked, id_token_hint=hint)
        return logout.start(self.rp, asked, state=self.secrets.state, now=self.now)


def leaving(
    started: LogoutStarted, cookies: tuple[SetCookie, ...], notes: tuple[str, ...] = ()
) -> Redirect:
    """Return how the browser is answered when a logout starts."""
    notes = (*started.notes, *notes)
    return Redirect(url=started.url, form=started.form, cookies=cookies, notes=notes)


@contextmanager
def clearing(profile: CookieProfile, name: str, incoming: Incoming) -> Generator[None]:
    """Have a refusal clear away the cookie it was about, if the browser brought it."""
    try:
        yield
    except CallbackError as error:
        brought = any(found == name for found, _ in incoming.cookies)
        if not brought or error.code in _STILL_WAITING:
            raise
        own = copy(error)
        own.cookies = (profile.forgotten(name),)
        raise own from error


@contextmanager
def answering(
    cookies: tuple[SetCookie, ...], pending: PendingLogin | None = None
) -> Generator[None]:
    """Let a failure carry how the application can answer the browser.

    A copy carries it: several logins that waited for the same thing may fail with one error.
    """
    try:
        yield
    except OidcError as error:
        own = copy(error)
        own.cookies = cookies
        if pending is not None and error.code not in _UNPROVEN:
            own.connection, own.account = pending.connection, pending.account
            own.return_to = pending.return_to
        raise own from error


_TWICE: Final = "a new login has just failed in the same way, so show a page"
_NO_COOKIES: Final = "the browser brought no cookie of this application, so show a page"


@contextmanager
def restarting_once(profile: CookieProfile, incoming: Incoming) -> Generator[None]:
    """Let a failure say ``restart`` only once in a row, and only if the browser keeps our cookies.

    An application may start a new login whenever it is told to.  At a provider with a single
    sign-on session it would go round forever where the same failure comes back each time.
    """
    try:
        yield
    except OidcError as error:
        if error.retryable != "restart":
            raise
        own, brought = copy(error), {name for name, _ in incoming.cookies}
        again = profile.restarted in brought
        if again or not any(map(profile.owns, brought)):
            own.retryable = "no"
            own.hint = f"{error.hint}; {_TWICE if again else _NO_COOKIES}"
            own.cookies += mark_forgotten(profile, incoming)
        else:
            across = incoming.method == "POST"
            mark = profile.cookie(profile.restarted, "1", _MARK_LIFETIME, across=across)
            own.cookies += (mark,)
        raise own from error


def mark_forgotten(profile: CookieProfile, incoming: Incoming) -> tuple[SetCookie, ...]:
    """Return the cookie that deletes the mark of a restart, if the browser brought that mark."""
    brought = any(name == profile.restarted for name, _ in incoming.cookies)
    return (profile.forgotten(profile.restarted),) if brought else ()


def as_cookies(kept: object) -> tuple[SetCookie, ...]:
    """Return the cookies that a store sets; without a tuple of them the login was not kept.

    Raises:
        StoreFailure: ``store_unavailable``.
    """
    if not isinstance(kept, tuple):
        raise _no_answer(kept, "a tuple of cookies")
    return cast("tuple[SetCookie, ...]", kept)


def as_taken(taken: T, kind: type[T]) -> T:
    """Return what a store took out.

    Raises:
        StoreFailure: ``store_unavailable`` for anything else.
    """
    if not isinstance(cast("object", taken), kind):
        raise _no_answer(taken, kind.__name__)
    return taken


def _no_answer(answer: object, expected: str) -> StoreFailure:
    found = type(answer).__name__
    return StoreFailure("store_unavailable", found=found, expected=expected, about=PENDING)
