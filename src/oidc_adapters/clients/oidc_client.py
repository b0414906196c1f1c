"""The paved road: one object per client and provider, one call per task, sync and async.

:class:`OidcClient` and :class:`AsyncOidcClient` do the same with the same names; each operation
they drive is written once, in :mod:`oidc_core`.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from attrs import evolve, field, frozen

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.shell import AsyncShell, Shell, check_transport
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.stores.pending import PendingLogins, SetCookie, Taken
from oidc_adapters.stores.provider_keys import ProviderKeys
from oidc_adapters.transport import AsyncTransport, Transport
from oidc_core.codec import dump_pending_logout, load_pending_logout
from oidc_core.endpoints.authorization import (
    DEFAULT_REQUEST,
    AuthenticationRequest,
    Callback,
    cookies_of,
    pending_id,
)
from oidc_core.endpoints.end_session import LogoutRequest
from oidc_core.machine.steps import Step
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import discovery, login, logout, refresh
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.operations.login import LoginStarted
from oidc_core.operations.logout import LoggedOut, LogoutStarted
from oidc_core.operations.refresh import Refreshed
from oidc_core.wire.encoding import b64url_decode, b64url_encode
from oidc_core.wire.errors import CallbackError, OidcError

Cookies: TypeAlias = Mapping[str, str] | str
"""A request's cookies: by name, or as the ``Cookie`` header."""

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LOGOUT: Final = "logout"
_LOGOUT_LIFETIME: Final = 600
_NO_COOKIES: Final = ""


@frozen(kw_only=True)
class Redirect:
    """Answer the browser with a redirect (303) to ``url`` that sets ``cookies``."""

    url: str = field(repr=False)
    cookies: tuple[SetCookie, ...]


@frozen(kw_only=True)
class LoginResult:
    """A user who is logged in; answer the browser with a page that sets ``cookies``.

    Give the session a new identifier first, and go on to ``logged_in.return_to`` only if it is a
    path of this application.
    """

    logged_in: LoggedIn
    cookies: tuple[SetCookie, ...]


@frozen(kw_only=True)
class LogoutResult:
    """The browser is back from a logout; answer it with a page that sets ``cookies``."""

    logged_out: LoggedOut
    cookies: tuple[SetCookie, ...]


class OidcClient:
    """One client at one provider, for code that waits.

    Args:
        rp: the relying party, with the provider's metadata.
        shell: the world.
        pending: where logins wait for their browser.
    """

    __slots__ = ("pending", "rp", "shell")

    def __init__(self, rp: RelyingParty, shell: Shell, pending: PendingLogins) -> None:
        if rp.network.judged:
            check_transport(shell.transport)
        self.rp = rp
        self.shell = shell
        self.pending = pending

    @classmethod
    def discover(
        cls,
        setup: ClientSetup,
        pending: PendingLogins,
        *,
        transport: Transport | None = None,
        keys: ProviderKeys | None = None,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
    ) -> "OidcClient":
        """Discover the provider, unless its metadata is in the setup, and return the client.

        Args:
            setup: the settings.
            pending: where logins wait: ``CookiePendingLogins(secret)`` is right for most.
            transport: sends requests; over urllib3 by default.
            keys: has the key sets of providers; in memory by default.
            clock: tells the time; the system's by default.
            entropy: gives secrets; the operating system's by default.

        Raises:
            OidcError: a setting is wrong, or the provider cannot be reached or believed.
        """
        sender = _default_transport() if transport is None else transport
        shell = Shell(sender, Credentials(), keys, clock=clock, entropy=entropy)
        rp = setup.relying_party()
        if setup.metadata is None:
            rp = shell.run(rp, discovery.discover(rp))
        shell.credentials = setup.credentials(rp)
        return cls(rp, shell, pending)

    def start_login(
        self,
        request: AuthenticationRequest = DEFAULT_REQUEST,
        *,
        return_to: str = "",
        cookies: Cookies = _NO_COOKIES,
    ) -> Redirect:
        """Start a login: where to send the browser, and the cookies to set.

        Args:
            request: what is asked of the provider and its user.
            return_to: where the application goes on afterwards; comes back in the result.
            cookies: those of the request, so that old logins of this browser are cleared away.
        """
        now = self.shell.clock.now()
        step = _start(self.rp, self.shell.entropy, request, return_to, now)
        started = self.shell.run(self.rp, step)
        set_cookies = self.pending.put(started, _seen(cookies), now)
        return Redirect(url=started.url, cookies=set_cookies)

    def finish_login(
        self, callback: Callback | str, *, cookies: Cookies, account: str = ""
    ) -> LoginResult:
        """Finish a login.

        It is taken out of its store once, before anything is sent: after any failure start a new
        one, at once or, where ``retryable`` says ``later``, in a while.

        Args:
            callback: what arrived at the redirect URI; a string is its URL or query.
            cookies: those of the request.
            account: for a link: the application's account that is signed in now.

        Raises:
            CallbackError: start the login again.
            ProviderError: the provider refused, as in ``access_denied``.
            OidcError: see its ``hint`` and ``retryable``.
        """
        arrived, now = _arrived(callback), self.shell.clock.now()
        by_name = _by_name(cookies)
        taken = self.pending.take(pending_id(arrived, by_name), by_name, now)
        logged_in = self.shell.run(self.rp, _finish(self.rp, taken, arrived, now, account))
        return LoginResult(logged_in=logged_in, cookies=taken.cookies)

    def refresh(self, tokens: Tokens, store: Callable[[Tokens], None]) -> Refreshed:
        """Renew tokens.

        Args:
            tokens: as they were stored.
            store: keeps the new tokens; called before they are verified, so that a rotated
                refresh token is never lost.

        Raises:
            TransportFailure: ``refresh_in_doubt`` if nobody knows whether it happened.
            ProviderError: ``invalid_grant``: log in again.
        """
        renewed = self.shell.run(self.rp, refresh.renew(self.rp, tokens))
        store(renewed.tokens)
        now = self.shell.clock.now()
        return self.shell.run(self.rp, refresh.verify(self.rp, renewed, now=now))

    def start_logout(
        self, tokens: Tokens | None = None, request: LogoutRequest | None = None
    ) -> Redirect:
        """Start a logout at the provider; end the application's own session first."""
        step = _start_logout(self.rp, self.shell.entropy, tokens, request, self.shell.clock.now())
        return _logout_redirect(self.pending, self.shell.run(self.rp, step))

    def finish_logout(self, url: str, *, cookies: Cookies) -> LogoutResult:
        """Check that a return from a logout was asked for by this browser.

        Raises:
            CallbackError: ``logout_state_mismatch``.
        """
        step = _finish_logout(self.rp, self.pending, url, cookies)
        return _logged_out(self.pending, self.shell.run(self.rp, step))


class AsyncOidcClient:
    """One client at one provider, for code that awaits; as :class:`OidcClient`."""

    __slots__ = ("pending", "rp", "shell")

    def __init__(self, rp: RelyingParty, shell: AsyncShell, pending: PendingLogins) -> None:
        if rp.network.judged:
            check_transport(shell.transport)
        self.rp = rp
        self.shell = shell
        self.pending = pending

    @classmethod
    async def discover(
        cls,
        setup: ClientSetup,
        pending: PendingLogins,
        *,
        transport: AsyncTransport | None = None,
        keys: ProviderKeys | None = None,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
    ) -> "AsyncOidcClient":
        """Discover the provider; as :meth:`OidcClient.discover`."""
        sender = _default_async_transport() if transport is None else transport
        shell = AsyncShell(sender, Credentials(), keys, clock=clock, entropy=entropy)
        rp = setup.relying_party()
        if setup.metadata is None:
            rp = await shell.run(rp, discovery.discover(rp))
        shell.credentials = setup.credentials(rp)
        return cls(rp, shell, pending)

    async def start_login(
        self,
        request: AuthenticationRequest = DEFAULT_REQUEST,
        *,
        return_to: str = "",
        cookies: Cookies = _NO_COOKIES,
    ) -> Redirect:
        """Start a login; as :meth:`OidcClient.start_login`."""
        now = self.shell.clock.now()
        step = _start(self.rp, self.shell.entropy, request, return_to, now)
        started = await self.shell.run(self.rp, step)
        set_cookies = await self.pending.put_async(started, _seen(cookies), now)
        return Redirect(url=started.url, cookies=set_cookies)

    async def finish_login(
        self, callback: Callback | str, *, cookies: Cookies, account: str = ""
    ) -> LoginResult:
        """Finish a login; as :meth:`OidcClient.finish_login`."""
        arrived, now = _arrived(callback), self.shell.clock.now()
        by_name = _by_name(cookies)
        taken = await self.pending.take_async(pending_id(arrived, by_name), by_name, now)
        logged_in = await self.shell.run(self.rp, _finish(self.rp, taken, arrived, now, account))
        return LoginResult(logged_in=logged_in, cookies=taken.cookies)

    async def refresh(
        self, tokens: Tokens, store: Callable[[Tokens], Awaitable[None]]
    ) -> Refreshed:
        """Renew tokens; as :meth:`OidcClient.refresh`."""
        renewed = await self.shell.run(self.rp, refresh.renew(self.rp, tokens))
        await store(renewed.tokens)
        now = self.shell.clock.now()
        return await self.shell.run(self.rp, refresh.verify(self.rp, renewed, now=now))

    async def start_logout(
        self, tokens: Tokens | None = None, request: LogoutRequest | None = None
    ) -> Redirect:
        """Start a logout at the provider; as :meth:`OidcClient.start_logout`."""
        step = _start_logout(self.rp, self.shell.entropy, tokens, request, self.shell.clock.now())
        return _logout_redirect(self.pending, await self.shell.run(self.rp, step))

    async def finish_logout(self, url: str, *, cookies: Cookies) -> LogoutResult:
        """Check a return from a logout; as :meth:`OidcClient.finish_logout`."""
        step = _finish_logout(self.rp, self.pending, url, cookies)
        return _logged_out(self.pending, await self.shell.run(self.rp, step))


def _default_transport() -> Transport:
    from oidc_adapters.transport.over_urllib3 import Urllib3Transport

    return Urllib3Transport()


def _default_async_transport() -> AsyncTransport:
    from oidc_adapters.transport.in_threads import InThreads

    return InThreads(_default_transport())


def _start(
    rp: RelyingParty, entropy: Entropy, request: AuthenticationRequest, return_to: str, now: int
) -> Step[LoginStarted]:
    asked = evolve(request, return_to=return_to) if return_to else request
    return login.start(rp, entropy.login_secrets(), asked, now=now)


def _by_name(cookies: Cookies) -> Mapping[str, str]:
    return cookies_of(cookies) if isinstance(cookies, str) else cookies


def _seen(cookies: Cookies) -> Mapping[str, str]:
    """Read cookies that only decide what to clear away: a bad one must not prevent a new login."""
    try:
        return _by_name(cookies)
    except CallbackError:
        return {}


def _arrived(callback: Callback | str) -> Callback:
    if isinstance(callback, Callback):
        return callback
    return Callback.from_url(callback) if _is_url(callback) else Callback.from_query(callback)


def _is_url(text: str) -> bool:
    """Tell a URL or path from a query alone, whose values may hold a question mark too."""
    head, mark, _ = text.partition("?")
    looks_so = head.startswith("/") or "=" not in head or _SCHEME.match(head)
    return mark != "" and bool(looks_so)


def _finish(
    rp: RelyingParty, taken: Taken, callback: Callback, now: int, account: str
) -> Step[LoggedIn]:
    return login.finish(
        rp,
        taken.pending,
        callback,
        binding=taken.binding,
        now=now,
        single_use=taken.single_use,
        account=account,
    )


def _start_logout(
    rp: RelyingParty,
    entropy: Entropy,
    tokens: Tokens | None,
    request: LogoutRequest | None,
    now: int,
) -> Step[LogoutStarted]:
    asked = LogoutRequest() if request is None else request
    if tokens is not None and not asked.id_token_hint:
        asked = evolve(asked, id_token_hint=tokens.id_token)
    return logout.start(rp, asked, state=entropy.token(), now=now)


def _logout_redirect(pending: PendingLogins, started: LogoutStarted) -> Redirect:
    profile = pending.profile
    cookie = SetCookie(
        name=profile.prefix + _LOGOUT,
        value=b64url_encode(dump_pending_logout(started.pending).encode()),
        max_age=_LOGOUT_LIFETIME,
        same_site="Lax",
        secure=profile.secure,
    )
    return Redirect(url=started.url, cookies=(cookie,))


def _finish_logout(
    rp: RelyingParty, pending: PendingLogins, url: str, cookies: Cookies
) -> Step[LoggedOut]:
    value = _by_name(cookies).get(pending.profile.prefix + _LOGOUT)
    try:
        text = b64url_decode((value or "").encode("ascii", "replace")).decode("utf-8", "replace")
        waiting = load_pending_logout(text)
    except OidcError:
        raise CallbackError("logout_state_mismatch", about="cookie") from None
    return logout.finish(rp, waiting, url.partition("?")[2] if _is_url(url) else url)


def _logged_out(pending: PendingLogins, logged_out: LoggedOut) -> LogoutResult:
    forgotten = pending.profile.forgotten(pending.profile.prefix + _LOGOUT)
    return LogoutResult(logged_out=logged_out, cookies=(forgotten,))
