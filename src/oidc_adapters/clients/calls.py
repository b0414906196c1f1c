"""What the calls of a client have in common, whether they wait or await.

A failed login can still be answered: what is raised here carries the cookies to clear, and where
the application was to go on once it is certain that this browser started the login.
"""

from collections.abc import Generator
from contextlib import contextmanager

from attrs import evolve

from oidc_adapters.stores.pending import CookieProfile, Taken
from oidc_adapters.stores.pending.cookies import Cookies
from oidc_core.endpoints.authorization import AuthenticationRequest, Callback
from oidc_core.endpoints.end_session import LogoutRequest
from oidc_core.machine.steps import Step
from oidc_core.model.pending import LoginSecrets
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import login, logout
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.operations.login import LoginStarted
from oidc_core.operations.logout import LogoutStarted
from oidc_core.wire.cookies import SetCookie, cookie_pairs
from oidc_core.wire.errors import CallbackError, OidcError, UsageError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.settings import check_kind, check_text

_STILL_WAITING = frozenset({"connection_mismatch", "binding_duplicated"})
"""Refusals after which the login waits on, for another client or another request."""


def cookies_in(header: str | bytes) -> Cookies:
    """Read a ``Cookie`` header.

    Raises:
        UsageError: ``parameter_invalid`` for cookies that a framework has parsed.
    """
    if isinstance(header, bytes):
        header = header.decode("latin-1")
    if not isinstance(header, str):
        found, expected = type(header).__name__, "the Cookie header"
        raise UsageError("parameter_invalid", found=found, expected=expected, about="cookie")
    return cookie_pairs(header)


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
    """Return the callback of a request, for whatever client it may be.

    Raises:
        UsageError: ``parameter_invalid`` for what is no request.
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


def starting_logout(
    rp: RelyingParty, tokens: Tokens | None, request: LogoutRequest | None, state: str, now: int
) -> Step[LogoutStarted]:
    """Start a logout, with the ID token as a hint unless the request has another."""
    check_kind(tokens, Tokens | None, about="tokens")
    check_kind(request, LogoutRequest | None, about="request")
    asked = LogoutRequest() if request is None else request
    if tokens is not None and not asked.id_token_hint:
        asked = evolve(asked, id_token_hint=tokens.id_token)
    return logout.start(rp, asked, state=state, now=now)


@contextmanager
def clearing(profile: CookieProfile, name: str, incoming: Incoming) -> Generator[None]:
    """Have a refusal clear away the cookie it was about, if the browser brought it."""
    try:
        yield
    except CallbackError as error:
        brought = any(found == name for found, _ in incoming.cookies)
        if brought and error.code not in _STILL_WAITING:
            error.cookies = (profile.forgotten(name),)
        raise


@contextmanager
def answering(cookies: tuple[SetCookie, ...], return_to: str = "") -> Generator[None]:
    """Have a failure carry how the browser can be answered."""
    try:
        yield
    except OidcError as error:
        error.cookies, error.return_to = cookies, return_to
        raise
