"""A client's life and its events, as a stranger would use them."""

import logging
from collections.abc import Callable

from oidc_adapters import (
    CheckedUserInfo,
    ClientSetup,
    Event,
    KeysFetched,
    KeysRefused,
    LoginBegan,
    LoginFinished,
    LoginRefused,
    LogoutBegan,
    LogoutFinished,
    LogoutRefused,
    MemoryPendingLogins,
    MetadataRead,
    MetadataRefused,
    MetadataReplaced,
    OidcClient,
    Place,
    RefreshRefused,
    Refusal,
    RequestSent,
    SessionsEnded,
    Tokens,
    TokensRefreshed,
    Transport,
    UserInfoRead,
    UserInfoRefused,
    log_events,
    loopback_login,
)
from oidc_core import Kind, LoggedIn, Retryable

GOES_WELL = (
    LoginBegan,
    LoginFinished,
    LogoutBegan,
    LogoutFinished,
    MetadataRead,
    TokensRefreshed,
    UserInfoRead,
)
GOES_WRONG = (LoginRefused, LogoutRefused, MetadataRefused, RefreshRefused, UserInfoRefused)


def counted(event: Event) -> str:
    """The name that an application's counter would have."""
    whose: tuple[str, str, str] = (event.issuer, event.client_id, event.connection_id)
    match event:
        case RequestSent():
            took: tuple[str, str, int | None, str, float] = (
                event.purpose, event.url, event.status, event.failure, event.seconds,
            )  # fmt: skip
            return f"{took[0]} {took[2] or took[3]}"
        case KeysFetched():
            return f"{event.keys} keys of {event.jwks_uri}"
        case KeysRefused():
            return event.reason
        case SessionsEnded():
            return f"{event.sessions} sessions"
        case MetadataReplaced():
            return "moved" if event.endpoints_moved else "replaced"
        case Refusal():
            kind: Kind = event.kind
            retry: Retryable = event.retryable
            place: Place | None = event.place
            return f"{event.code} {kind} {retry} {place}"
        case _:
            return type(event).__name__ + whose[1]


def asks(client: OidcClient, tokens: Tokens) -> CheckedUserInfo:
    """The members of a request by keyword, and UserInfo alone."""
    page = client.start_login(
        prompt="login",
        max_age=60,
        login_hint="alice",
        scope="openid email",
        acr_values="urn:example:two-factor",
        required_acr=["urn:example:two-factor"],
        claims={"userinfo": {"email": None}},
        extra={"audience": "api"},
        return_to="/inbox",
        cookie="",
    )
    found: CheckedUserInfo = client.userinfo(tokens)
    assert page.url
    return found


def lives(setup: ClientSetup, transport: Transport) -> OidcClient:
    """A client from beginning to end."""
    log: Callable[[Event], object] = log_events(logging.getLogger("oidc"))
    with OidcClient(setup, MemoryPendingLogins(), transport=transport, on_event=log) as client:
        client.start_login()
    return client


def at_this_machine(setup: ClientSetup) -> LoggedIn:
    """A login with the browser of this machine."""
    return loopback_login(setup, open_browser=print, timeout=30, prompt="login")
