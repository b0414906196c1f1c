"""The paved road: one object per client and provider, one call per task, sync and async.

:class:`OidcClient` and :class:`AsyncOidcClient` do the same with the same names; each operation
they drive is written once, in :mod:`oidc_core`.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from oidc_adapters.clients.calls import (
    STORE,
    answering,
    arrived,
    as_cookies,
    as_taken,
    check_profile,
    clearing,
    cookies_in,
    finishing,
    restarting_once,
    settled,
    starting,
    starting_logout,
)
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.results import LoginResult, LogoutResult, Redirect
from oidc_adapters.clients.shell import AsyncShell, Shell, check_transport
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.stores.pending import PendingLogins, Taken, TakenLogout
from oidc_adapters.stores.provider_keys import ProviderKeys
from oidc_adapters.transport import AsyncTransport, Transport
from oidc_core.endpoints.authorization import (
    DEFAULT_REQUEST,
    AuthenticationRequest,
    Callback,
    pending_id,
)
from oidc_core.endpoints.end_session import LogoutRequest, returned_state
from oidc_core.model.pending import pending_id_of
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.model.routes import Routes
from oidc_core.operations import discovery, logout, refresh
from oidc_core.operations.refresh import Refreshed
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.settings import as_setting, check_kind

_NO_COOKIE: Final = ""


class OidcClient:
    """One client at one provider, for code that waits.

    An application with several clients puts them into
    :class:`~oidc_adapters.clients.connections.Connections`, which takes their callbacks.

    Args:
        rp: the relying party, with the provider's metadata.
        shell: the world.
        pending: where logins wait for their browser.
    """

    __slots__ = ("_routes", "pending", "rp", "shell")

    def __init__(self, rp: RelyingParty, shell: Shell, pending: PendingLogins) -> None:
        self._routes = Routes((rp,))
        as_setting(shell, Shell, "shell")
        as_setting(pending, PendingLogins, "pending")
        check_profile(rp, pending)
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
        as_setting(setup, ClientSetup, "setup")
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
        cookie: str | bytes = _NO_COOKIE,
    ) -> Redirect:
        """Start a login: where to send the browser, and the cookies to set.

        Args:
            request: what is asked of the provider and its user.
            return_to: where the application goes on afterwards; comes back in the result, or empty
                where it is too long for the store.  From a query parameter take
                ``path_only(text)``.
            cookie: the ``Cookie`` header of the request, so that old logins of this browser are
                cleared away.
        """
        seen, now = cookies_in(cookie), self.shell.clock.now()
        with STORE:
            secrets = self.pending.secrets(self.shell.entropy)
        started = self.shell.run(self.rp, starting(self.rp, secrets, request, return_to, now))
        with STORE:
            kept = self.pending.put(self.rp, started, seen, now)
        return Redirect(url=started.url, cookies=as_cookies(kept))

    def finish_login(self, incoming: Incoming, *, account: str = "") -> LoginResult:
        """Finish a login.

        It is taken out of its store once, before anything is sent: after any failure start a new
        one, at once or, where ``retryable`` says ``later``, in a while.  The error carries
        ``cookies`` to set, and ``return_to`` once it is certain that this browser started it.

        Args:
            incoming: the request at the redirect URI.
            account: for a link: the application's account that is signed in now.

        Raises:
            CallbackError: start the login again.
            ProviderError: the provider refused, as in ``access_denied``.
            UsageError: ``redirect_uri_unknown`` if ``incoming`` does not say at which URL.
            OidcError: see its ``hint`` and ``retryable``.
        """
        callback = arrived(incoming, account)
        login_id = pending_id(callback)
        self._routes.among(incoming.url)
        return self.finish_found(login_id, callback, incoming, account)

    def finish_found(
        self, login_id: str, callback: Callback, incoming: Incoming, account: str
    ) -> LoginResult:
        """Finish a login that is known to be of this client, or of none."""
        rp, pending, now = self.rp, self.pending, self.shell.clock.now()
        profile = pending.profile
        with restarting_once(profile, incoming):
            with clearing(profile, profile.login_name(login_id), incoming):
                with STORE:
                    found = pending.take(rp, login_id, incoming.cookies, now)
                taken = as_taken(found, Taken)
            with answering(taken.cookies, taken.pending):
                logged_in = self.shell.run(rp, finishing(rp, taken, callback, now, account))
        cookies = (*taken.cookies, *settled(profile, incoming))
        return LoginResult(logged_in=logged_in, cookies=cookies, connection=rp.connection)

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
        self,
        tokens: Tokens | None = None,
        request: LogoutRequest | None = None,
        *,
        cookie: str | bytes = _NO_COOKIE,
    ) -> Redirect:
        """Start a logout at the provider; end the application's own session first.

        Args:
            tokens: those of the session that ends.
            request: what is asked of the provider.
            cookie: the ``Cookie`` header of the request.
        """
        seen, now = cookies_in(cookie), self.shell.clock.now()
        with STORE:
            secrets = self.pending.logout_secrets(self.shell.entropy)
        step = starting_logout(self.rp, tokens, request, secrets.state, now)
        started = self.shell.run(self.rp, step)
        if not started.pending.post_logout_redirect_uri:
            return Redirect(url=started.url, cookies=())
        with STORE:
            kept = self.pending.put_logout(self.rp, started.pending, secrets, seen, now)
        return Redirect(url=started.url, cookies=as_cookies(kept))

    def finish_logout(self, incoming: Incoming) -> LogoutResult:
        """Check that a return from a logout was asked for by this browser.

        Raises:
            CallbackError: ``logout_state_mismatch``, ``logout_expired``, ``cookie_invalid``.
        """
        check_kind(incoming, Incoming, about="incoming")
        rp, pending = self.rp, self.pending
        logout_id, now = pending_id_of(returned_state(incoming)), self.shell.clock.now()
        with clearing(pending.profile, pending.profile.logout_name(logout_id), incoming):
            with STORE:
                found = pending.take_logout(rp, logout_id, incoming.cookies, now)
            taken = as_taken(found, TakenLogout)
        with answering(taken.cookies):
            logged_out = self.shell.run(rp, logout.finish(rp, taken.pending, incoming, now=now))
        return LogoutResult(logged_out=logged_out, cookies=taken.cookies)


class AsyncOidcClient:
    """One client at one provider, for code that awaits; as :class:`OidcClient`."""

    __slots__ = ("_routes", "pending", "rp", "shell")

    def __init__(self, rp: RelyingParty, shell: AsyncShell, pending: PendingLogins) -> None:
        self._routes = Routes((rp,))
        as_setting(shell, AsyncShell, "shell")
        as_setting(pending, PendingLogins, "pending")
        check_profile(rp, pending)
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
        as_setting(setup, ClientSetup, "setup")
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
        cookie: str | bytes = _NO_COOKIE,
    ) -> Redirect:
        """Start a login; as :meth:`OidcClient.start_login`."""
        seen, now = cookies_in(cookie), self.shell.clock.now()
        with STORE:
            secrets = self.pending.secrets(self.shell.entropy)
        step = starting(self.rp, secrets, request, return_to, now)
        started = await self.shell.run(self.rp, step)
        with STORE:
            kept = await self.pending.put_async(self.rp, started, seen, now)
        return Redirect(url=started.url, cookies=as_cookies(kept))

    async def finish_login(self, incoming: Incoming, *, account: str = "") -> LoginResult:
        """Finish a login; as :meth:`OidcClient.finish_login`."""
        callback = arrived(incoming, account)
        login_id = pending_id(callback)
        self._routes.among(incoming.url)
        return await self.finish_found(login_id, callback, incoming, account)

    async def finish_found(
        self, login_id: str, callback: Callback, incoming: Incoming, account: str
    ) -> LoginResult:
        """Finish a login that is known to be of this client, or of none."""
        rp, pending, now = self.rp, self.pending, self.shell.clock.now()
        profile = pending.profile
        with restarting_once(profile, incoming):
            with clearing(profile, profile.login_name(login_id), incoming):
                with STORE:
                    found = await pending.take_async(rp, login_id, incoming.cookies, now)
                taken = as_taken(found, Taken)
            with answering(taken.cookies, taken.pending):
                logged_in = await self.shell.run(rp, finishing(rp, taken, callback, now, account))
        cookies = (*taken.cookies, *settled(profile, incoming))
        return LoginResult(logged_in=logged_in, cookies=cookies, connection=rp.connection)

    async def refresh(
        self, tokens: Tokens, store: Callable[[Tokens], Awaitable[None]]
    ) -> Refreshed:
        """Renew tokens; as :meth:`OidcClient.refresh`."""
        renewed = await self.shell.run(self.rp, refresh.renew(self.rp, tokens))
        await store(renewed.tokens)
        now = self.shell.clock.now()
        return await self.shell.run(self.rp, refresh.verify(self.rp, renewed, now=now))

    async def start_logout(
        self,
        tokens: Tokens | None = None,
        request: LogoutRequest | None = None,
        *,
        cookie: str | bytes = _NO_COOKIE,
    ) -> Redirect:
        """Start a logout at the provider; as :meth:`OidcClient.start_logout`."""
        seen, now = cookies_in(cookie), self.shell.clock.now()
        with STORE:
            secrets = self.pending.logout_secrets(self.shell.entropy)
        step = starting_logout(self.rp, tokens, request, secrets.state, now)
        started = await self.shell.run(self.rp, step)
        if not started.pending.post_logout_redirect_uri:
            return Redirect(url=started.url, cookies=())
        with STORE:
            kept = await self.pending.put_logout_async(self.rp, started.pending, secrets, seen, now)
        return Redirect(url=started.url, cookies=as_cookies(kept))

    async def finish_logout(self, incoming: Incoming) -> LogoutResult:
        """Check a return from a logout; as :meth:`OidcClient.finish_logout`."""
        check_kind(incoming, Incoming, about="incoming")
        rp, pending = self.rp, self.pending
        logout_id, now = pending_id_of(returned_state(incoming)), self.shell.clock.now()
        with clearing(pending.profile, pending.profile.logout_name(logout_id), incoming):
            with STORE:
                found = await pending.take_logout_async(rp, logout_id, incoming.cookies, now)
            taken = as_taken(found, TakenLogout)
        with answering(taken.cookies):
            logged_out = await self.shell.run(
                rp, logout.finish(rp, taken.pending, incoming, now=now)
            )
        return LogoutResult(logged_out=logged_out, cookies=taken.cookies)


def _default_transport() -> Transport:
    from oidc_adapters.transport.over_urllib3 import Urllib3Transport

    return Urllib3Transport()


def _default_async_transport() -> AsyncTransport:
    from oidc_adapters.transport.in_threads import InThreads

    return InThreads(_default_transport())
