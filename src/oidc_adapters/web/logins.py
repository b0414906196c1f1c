"""The web routes of an application's logins: what a framework calls.

.. code-block:: python

    web = WebLogin(client, RecordSessions(records, secret))
    reply = web.callback(WebRequest.of_wsgi(environ))
"""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Final, Generic, TypeAlias, TypeVar

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.connections import AsyncConnections, Connections
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.session_tokens import AsyncSessionTokens, SessionTokens
from oidc_adapters.stores.records.both import at_once
from oidc_adapters.web.kernel import Kernel
from oidc_adapters.web.parties import AwaitingParties, WaitingParties, WaitingSessions
from oidc_adapters.web.requests import WebRequest, path_below
from oidc_adapters.web.sessions import AsyncSessions, Sessions, WebSession
from oidc_adapters.web.web_setup import WebSetup
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.wire.errors import OidcError, UsageError
from oidc_core.wire.replies import Reply
from oidc_core.wire.settings import as_setting, check_kind

P = TypeVar("P", bound=WaitingParties | AwaitingParties)
R = TypeVar("R")

Route: TypeAlias = Callable[[WebRequest], Reply]
AsyncRoute: TypeAlias = Callable[[WebRequest], Awaitable[Reply]]

_SETUP: Final = WebSetup()


class _Logins(Generic[P]):
    """The common part of both kinds.

    Attributes:
        setup: the settings.
    """

    __slots__ = ("_kernel", "_parties", "setup")

    def __init__(self, parties: P, sessions: AsyncSessions, setup: WebSetup) -> None:
        self._parties: P = parties
        self.setup = as_setting(setup, WebSetup, "setup")
        self._kernel = Kernel(parties, sessions, setup)

    @property
    def callback_paths(self) -> tuple[str, ...]:
        """The paths of the redirect URIs: a framework leads them to ``callback``."""
        return tuple(self._kernel.site.urls)

    @property
    def after_logout_paths(self) -> tuple[str, ...]:
        """The paths that a provider sends browsers back to, to lead to ``after_logout``.

        A page of the application that is named there takes them without it.
        """
        found = self._kernel.site.paths_of_returns(self._parties.rps)
        return tuple([path for path in found if path not in {self.setup.goodbye, self.setup.home}])

    @property
    def cookie_names(self) -> tuple[str, ...]:
        """The names of the cookies that bring a session."""
        return self._kernel.cookie_names

    def knows(self, session: WebSession) -> bool:
        """Return whether a session is of one of the clients; :meth:`user` returns no other one."""
        check_kind(session, WebSession, about="session")
        return self._kernel.places.known(session) is not None

    def _below(
        self, root_path: str, login: R, logout: R, callback: R, after_logout: R
    ) -> dict[str, R]:
        """Return the routes that browsers call by their paths in the application.

        Browsers may come back from a logout to a page that is not of this application.
        """
        root = root_path.rstrip("/")
        returns = [path_below(path, root) for path in self.after_logout_paths]
        found = dict.fromkeys([path for path in returns if path is not None], after_logout)
        callbacks = dict.fromkeys(self.callback_paths, callback)
        own = {self.setup.login_path: login, self.setup.logout_path: logout, **callbacks}
        for path, route in own.items():
            below = path_below(path, root)
            if below is None:
                expected = f"a path below {root}"
                raise UsageError("config_invalid", about="path", found=path, expected=expected)
            found[below] = route
        return found

    def challenge(self, request: WebRequest) -> Reply:
        """Return the answer to a request that needs a login, and has none.

        A navigation is redirected to the login, which brings the user back to the same path.  A
        script gets a 401 with the URL of the login as JSON, HTMX in its own header.
        """
        check_kind(request, WebRequest, about="request")
        return self._kernel.challenge(request)


class WebLogin(_Logins[WaitingParties]):
    """The web routes of the logins of an application that waits.

    Each route takes a request and returns the answer: status, headers with ``Set-Cookie`` in order,
    and body.  No answer may be kept by a cache.  The routes of a login check by themselves that a
    form came from this application, so a framework's own CSRF protection is switched off for them;
    it has to be for callbacks and back-channel logouts.

    Args:
        client: the client, or several of them.
        sessions: the sessions in browsers.
        setup: paths, and what is asked and kept.

    Raises:
        UsageError: ``config_invalid``.
    """

    __slots__ = ()

    def __init__(
        self, client: OidcClient | Connections, sessions: Sessions, setup: WebSetup = _SETUP
    ) -> None:
        as_setting(client, OidcClient | Connections, "client")
        as_setting(sessions, Sessions, "sessions")
        if iscoroutinefunction(getattr(setup, "admit", None)):
            expected = "a function that needs no await"
            raise UsageError("config_invalid", about="admit", expected=expected)
        super().__init__(WaitingParties(client), WaitingSessions(sessions), setup)

    def routes(self, root_path: str = "") -> dict[str, Route]:
        """Return all routes by their paths, with methods GET and POST.

        The provider calls ``/backchannel-logout`` and ``/frontchannel-logout``.

        Args:
            root_path: what the application is mounted under; the paths are those below it.

        Raises:
            UsageError: ``config_invalid`` for a path of the setup that is not below it.
        """
        check_kind(root_path, str, about="root_path")
        return {
            "/backchannel-logout": self.backchannel_logout,
            "/frontchannel-logout": self.frontchannel_logout,
            **self._below(root_path, self.login, self.logout, self.callback, self.after_logout),
        }

    def close(self) -> None:
        """Close the client, or all of several."""
        self._parties.close()

    def login(self, request: WebRequest) -> Reply:
        """Start a login: by a form of this application, or by a link where the setup says so.

        The parameter ``return_to`` is the path to come back to, and ``provider`` the
        ``connection_id`` or issuer of one of several clients.
        """
        return at_once(self._kernel.login(request))

    def step_up(self, request: WebRequest, asked: AuthenticationRequest) -> Reply:
        """Start a login that asks for more, as a view needs it (RFC 9470 calls it a step-up).

        The browser comes back to the same page.  The view judges by the claims of the session, as
        ``acr`` or ``auth_time``, which :attr:`WebSetup.claims` has to name.  Scripts get a 401, and
        where links start no login, a user who is not logged in is asked to log in first.

        Args:
            request: the request of the view.
            asked: what this login asks of the provider.  Prefer ``required_acr``: a provider that
                gives less leads to a page.  After ``acr_values`` the view would ask once more.

        Raises:
            UsageError: ``config_invalid`` if it asks for an ``acr`` that no session keeps.
        """
        return at_once(self._kernel.step_up(request, asked))

    def callback(self, request: WebRequest) -> Reply:
        """Finish a login, at the redirect URI.

        The browser gets a new session and goes on to where it came from.  The callback of a login
        that is over sends a browser that is logged in on its way.  A failure that a new login can
        end differently starts one, once; every other one is a page.
        """
        return at_once(self._kernel.callback(request))

    def logout(self, request: WebRequest) -> Reply:
        """End the session here and at the provider; a link shows a page with the form for it."""
        return at_once(self._kernel.logout(request))

    def after_logout(self, request: WebRequest) -> Reply:
        """Take the browser back from the provider, at the ``post_logout_redirect_uri``."""
        return at_once(self._kernel.after_logout(request))

    def backchannel_logout(self, request: WebRequest) -> Reply:
        """Take a logout token, at the ``backchannel_logout_uri``.

        Raises:
            UsageError: ``config_invalid`` for a client without ``sessions``.
        """
        return at_once(self._kernel.backchannel_logout(request))

    def frontchannel_logout(self, request: WebRequest) -> Reply:
        """Take the request of a frame, at the ``frontchannel_logout_uri``.

        Raises:
            UsageError: ``config_invalid`` for a client without ``sessions``.
        """
        return at_once(self._kernel.frontchannel_logout(request))

    def user(self, request: WebRequest) -> WebSession | None:
        """Return the session of a request, ``None`` without one.

        Raises:
            StoreFailure: ``store_unavailable``.
        """
        return at_once(self._kernel.user(request))

    def required(self, request: WebRequest) -> WebSession | Reply:
        """Return the session of a request, or the answer that asks for a login."""
        return at_once(self._kernel.required(request))

    @property
    def clients(self) -> tuple[OidcClient, ...]:
        """The clients, in order."""
        return self._parties.clients

    def tokens(self, session: WebSession) -> SessionTokens:
        """Return the tokens of a session: ask for ``fresh()`` ones before each use.

        Raises:
            UsageError: ``config_invalid`` for a client without ``grants``, or one that is gone.
        """
        check_kind(session, WebSession, about="session")
        return self._parties.clients[self._kernel.places.of(session)].tokens(session.grant_id)

    def failed(self, request: WebRequest, error: OidcError) -> Reply:
        """Return the answer where the application met an error, as of ``fresh()``.

        If the session is over, it ends, and the browser is asked to log in.
        """
        return at_once(self._kernel.failed(request, error))


class AsyncWebLogin(_Logins[AwaitingParties]):
    """The web routes of the logins of an application that awaits, like :class:`WebLogin`."""

    __slots__ = ()

    def __init__(
        self,
        client: AsyncOidcClient | AsyncConnections,
        sessions: AsyncSessions,
        setup: WebSetup = _SETUP,
    ) -> None:
        as_setting(client, AsyncOidcClient | AsyncConnections, "client")
        as_setting(sessions, AsyncSessions, "sessions")
        super().__init__(AwaitingParties(client), sessions, setup)

    def routes(self, root_path: str = "") -> dict[str, AsyncRoute]:
        """Return all routes by their paths, like :meth:`WebLogin.routes`."""
        check_kind(root_path, str, about="root_path")
        return {
            "/backchannel-logout": self.backchannel_logout,
            "/frontchannel-logout": self.frontchannel_logout,
            **self._below(root_path, self.login, self.logout, self.callback, self.after_logout),
        }

    async def close(self) -> None:
        """Close the client, or all of several, like :meth:`WebLogin.close`."""
        await self._parties.close()

    async def login(self, request: WebRequest) -> Reply:
        """Start a login, like :meth:`WebLogin.login`."""
        return await self._kernel.login(request)

    async def step_up(self, request: WebRequest, asked: AuthenticationRequest) -> Reply:
        """Start a login that asks for more, like :meth:`WebLogin.step_up`."""
        return await self._kernel.step_up(request, asked)

    async def callback(self, request: WebRequest) -> Reply:
        """Finish a login, like :meth:`WebLogin.callback`."""
        return await self._kernel.callback(request)

    async def logout(self, request: WebRequest) -> Reply:
        """End the session, like :meth:`WebLogin.logout`."""
        return await self._kernel.logout(request)

    async def after_logout(self, request: WebRequest) -> Reply:
        """Take the browser back from the provider, like :meth:`WebLogin.after_logout`."""
        return await self._kernel.after_logout(request)

    async def backchannel_logout(self, request: WebRequest) -> Reply:
        """Take a logout token, like :meth:`WebLogin.backchannel_logout`."""
        return await self._kernel.backchannel_logout(request)

    async def frontchannel_logout(self, request: WebRequest) -> Reply:
        """Take the request of a frame, like :meth:`WebLogin.frontchannel_logout`."""
        return await self._kernel.frontchannel_logout(request)

    async def user(self, request: WebRequest) -> WebSession | None:
        """Return the session of a request, like :meth:`WebLogin.user`."""
        return await self._kernel.user(request)

    async def required(self, request: WebRequest) -> WebSession | Reply:
        """Return the session of a request or an answer, like :meth:`WebLogin.required`."""
        return await self._kernel.required(request)

    @property
    def clients(self) -> tuple[AsyncOidcClient, ...]:
        """The clients, in order."""
        return self._parties.clients

    def tokens(self, session: WebSession) -> AsyncSessionTokens:
        """Return the tokens of a session, like :meth:`WebLogin.tokens`."""
        check_kind(session, WebSession, about="session")
        return self._parties.clients[self._kernel.places.of(session)].tokens(session.grant_id)

    async def failed(self, request: WebRequest, error: OidcError) -> Reply:
        """Return the answer to an error, like :meth:`WebLogin.failed`."""
        return await self._kernel.failed(request, error)
