"""The web routes of a login, for any framework, written once as coroutines.

:class:`~oidc_adapters.web.logins.WebLogin` runs them to their end at once, and
:class:`~oidc_adapters.web.logins.AsyncWebLogin` awaits them.
"""

from contextlib import suppress
from inspect import isawaitable
from typing import Final

from oidc_adapters.clients.results import LoginResult
from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.web import answers
from oidc_adapters.web.pages import (
    Page,
    WayOn,
    elsewhere,
    failure_of,
    left_page,
    login_page,
    logout_page,
)
from oidc_adapters.web.parties import Parties
from oidc_adapters.web.places import Places
from oidc_adapters.web.requests import WebRequest
from oidc_adapters.web.sessions import AsyncSessions, WebSession
from oidc_adapters.web.web_setup import Site, WebSetup, check_admission, check_step_up
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.evidence import evidence_json
from oidc_core.operations import backchannel_logout, frontchannel_logout
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.errors import CallbackError, OidcError, StoreFailure, UsageError
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.replies import Reply
from oidc_core.wire.settings import check_kind
from oidc_core.wire.urls import encode_form, path_only

_SESSIONS: Final = FailsClosed("web sessions")
_OVER: Final = frozenset({"state_unknown", "state_used", "state_expired", "binding_missing"})
"""Refusals of a callback that came before, or that no login waits for any more."""

_YOUNG: Final = 60
"""Seconds in which a session that fails does not lead to a new login by itself."""

_Cookies = tuple[SetCookie, ...]


class Kernel:
    """The web routes of the logins of one application.

    Args:
        parties: its clients.
        sessions: its sessions in browsers.
        setup: its settings.

    Raises:
        UsageError: ``config_invalid`` for redirect URIs on several hosts.
    """

    __slots__ = ("_home", "_parties", "_sessions", "_setup", "places", "site")

    def __init__(self, parties: Parties, sessions: AsyncSessions, setup: WebSetup) -> None:
        self._parties = parties
        self._sessions = sessions
        self._setup = setup
        self.site = Site.of(parties.rps)
        self.places = Places(parties.rps)
        self._home = WayOn(label="Go to the start page", url=setup.home)

    @property
    def cookie_names(self) -> tuple[str, ...]:
        """The names of the cookies that bring a session."""
        return tuple([cookie.name for cookie in self._sessions.forgotten()])

    # --- users -----------------------------------------------------------------------------------

    async def user(self, request: WebRequest) -> WebSession | None:
        """Return the session of a request; a page of another site opens no WebSocket with it.

        A session of a client that is gone, or of another application, is none.
        """
        check_kind(request, WebRequest, about="request")
        if request.is_websocket and not request.is_from(self.site.origin):
            return None
        with _SESSIONS:
            found = await self._sessions.read(request)
            return None if found is None or self.places.known(found) is None else found

    async def required(self, request: WebRequest) -> WebSession | Reply:
        """Return the session of a request, or the answer that asks for a login."""
        try:
            session = await self.user(request)
        except UsageError:
            raise
        except OidcError as error:
            return self._failed(request, error, return_to=request.way_back(self.site.origin))
        return session or self.challenge(request)

    def challenge(self, request: WebRequest) -> Reply:
        """Return the answer to a request that needs a login.

        It sets no cookie: another tab may have brought a new session meanwhile.
        """
        url = self._login_url(request.way_back(self.site.origin))
        if request.navigates:
            return answers.redirect(url)
        if request.is_htmx:
            return answers.led_by_htmx(401, url)
        return answers.told(401, {"error": "login_required", "login_url": url})

    async def failed(self, request: WebRequest, error: OidcError) -> Reply:
        """Return the answer where the application met an error of a client.

        If the session is over, it ends, and the browser is asked to log in: but not if it has just
        done so, since it would go round in circles.  A callback of the application's own says
        nothing about the session: a stranger's link may lead there.
        """
        check_kind(error, OidcError, about="error")
        own_callback = isinstance(error, CallbackError)
        back = "" if own_callback else request.way_back(self.site.origin)
        if error.retryable != "restart" or own_callback:
            return self._failed(request, error, return_to=back)
        held = await self._held(request)
        if held is not None:
            try:
                with _SESSIONS:
                    await self._sessions.end(held.session_id)
            except OidcError as fault:  # with its session, the login would lead straight back here
                return self._failed(request, fault, return_to=back)
            if self._parties.now() < held.began_at + _YOUNG:
                return self._failed(request, error, return_to=back)
        return self.challenge(request)

    # --- a login ---------------------------------------------------------------------------------

    async def login(self, request: WebRequest) -> Reply:
        """Start a login, or show the page that starts one."""
        check_kind(request, WebRequest, about="request")
        return_to = path_only(request.parameter("return_to"), self._setup.home)
        place = self.places.named(request.parameter("provider"))
        if request.method == "POST":
            if not request.is_from(self.site.origin):
                return self._page(elsewhere(self._home))
            return await self._start(request, place, return_to)
        if request.method not in {"GET", "HEAD"}:
            return answers.only("GET, HEAD, POST")
        if not request.navigates:
            return self.challenge(request)
        if await self._held(request) is not None:
            return answers.redirect(return_to)
        if self._setup.login_by_get and place is not None and request.method == "GET":
            return await self._start(request, place, return_to)
        return self._page(self._login_page(return_to))

    async def step_up(self, request: WebRequest, asked: AuthenticationRequest) -> Reply:
        """Start a login that asks for more than others, and comes back to the same page."""
        check_kind(request, WebRequest, about="request")
        check_kind(asked, AuthenticationRequest, about="asked")
        check_step_up(self._setup, asked)
        held = await self._held(request)
        if not request.navigates or (held is None and not self._setup.login_by_get):
            return self.challenge(request)
        place = self.places.named("") if held is None else self.places.of(held)
        return await self._start(request, place, request.way_back(self.site.origin), asked=asked)

    async def callback(self, request: WebRequest) -> Reply:
        """Finish a login: begin a new session, and send the browser to where it wanted to go."""
        check_kind(request, WebRequest, about="request")
        held = await self._held(request)
        try:
            with _SESSIONS:
                session_id = self._sessions.reserve()
            incoming = request.incoming(self.site.url_of(request.path))
            result = await self._parties.finish_login(incoming, session_id)
        except OidcError as error:
            return await self._not_finished(request, error, held)
        session = self._session_of(session_id, result)
        try:
            await self._admit(session, result.logged_in)
            with _SESSIONS:
                cookies = await self._sessions.begin(session, held)
        except OidcError as error:
            await self._drop(session)
            return self._failed(request, error, result.cookies)
        if held is not None and held.identity != session.identity:
            await self._drop(held)
        url = path_only(result.logged_in.return_to, self._setup.home)
        return answers.redirect(url, (*result.cookies, *cookies))

    async def _not_finished(
        self, request: WebRequest, error: OidcError, held: WebSession | None
    ) -> Reply:
        """Answer a callback that does not hold."""
        if held is not None and isinstance(error, CallbackError) and error.code in _OVER:
            return answers.redirect(path_only(error.return_to, self._setup.home), error.cookies)
        if error.retryable == "restart":
            by_any_link = self._setup.login_by_get
            url = self.site.url_of(request.path) if by_any_link else ""
            place = self.places.to_restart(error, url)
            if place is not None:
                return await self._start(request, place, error.return_to, error.cookies)
        return self._failed(request, error, error.cookies)

    async def _start(
        self,
        request: WebRequest,
        place: int | None,
        return_to: str,
        cookies: _Cookies = (),
        asked: AuthenticationRequest | None = None,
    ) -> Reply:
        if place is None:
            return self._page(self._login_page(return_to))
        cookie = request.header("cookie")
        asked, way_back = asked or self._setup.request, path_only(return_to, self._setup.home)
        try:
            page = await self._parties.start_login(place, asked, way_back, cookie)
        except OidcError as error:
            return self._failed(request, error, (*cookies, *error.cookies), way_back)
        return self._sent(request, page.url, (*cookies, *page.cookies))

    def _session_of(self, session_id: str, result: LoginResult) -> WebSession:
        logged_in = result.logged_in
        claims = logged_in.claims
        kept = {name: claims[name] for name in self._setup.claims if name in claims}
        each = logged_in.evidence.each if self._setup.evidence else ()
        evidence = tuple([evidence_json(accepted) for accepted in each])
        return WebSession(
            session_id=session_id,
            identity=logged_in.identity,
            claims=JsonObject(kept),
            evidence=evidence,
            connection=result.connection,
            grant_id=result.grant_id,
            began_at=self._parties.now(),
            until=logged_in.id_token.session_expiry,
        )

    async def _admit(self, session: WebSession, logged_in: LoggedIn) -> None:
        """Let the application say whether this user may come in."""
        try:
            said: object = self._setup.admit(logged_in)
            check_admission(await said if isawaitable(said) else said)
        except OidcError:
            raise
        except BaseException:  # the application's own, which no session survives
            await self._drop(session)
            raise

    async def _drop(self, session: WebSession) -> None:
        """End the grant of a session that nobody can use; one that stays is used by nobody."""
        if session.grant_id:
            with suppress(OidcError):
                await self._parties.end_grant(self.places.of(session), session.grant_id)

    # --- a logout --------------------------------------------------------------------------------

    async def logout(self, request: WebRequest) -> Reply:
        """End the session here, and send the browser to the provider, which ends its own."""
        check_kind(request, WebRequest, about="request")
        if request.method in {"GET", "HEAD"}:
            if not request.navigates:
                return answers.only("POST")
            fields = self._setup.form_fields()
            return self._page(logout_page(self._setup.logout_path, fields, self._home))
        if request.method != "POST":
            return answers.only("GET, HEAD, POST")
        if not request.is_from(self.site.origin):
            return self._page(elsewhere(self._home))
        try:
            with _SESSIONS:
                session = await self._sessions.read(request)
            return await self._leave(request, session)
        except UsageError:
            raise
        except OidcError as error:
            return self._failed(request, error)

    async def _leave(self, request: WebRequest, session: WebSession | None) -> Reply:
        """End a session: first its grant, then itself, then the one at the provider.

        A provider that cannot be reached keeps nobody logged in here, and a grant that nobody can
        read does not either.
        """
        forgotten, url = self._sessions.forgotten(), ""
        if session is None:
            return self._sent(request, self._setup.goodbye, forgotten)
        form, cookies = tuple[tuple[str, str], ...](), _Cookies()
        try:
            place, cookie = self.places.of(session), request.header("cookie")
            page = await self._parties.start_logout(place, session.grant_id, cookie)
            url, form, cookies = page.url, page.form, page.cookies
        except OidcError as error:
            if isinstance(error, StoreFailure) and error.retryable == "later":
                raise
        with _SESSIONS:
            await self._sessions.end(session.session_id)
        cookies = (*cookies, *forgotten)
        if form:
            return self._page(left_page(url, form, self._home), cookies)
        return self._sent(request, url or self._setup.goodbye, cookies)

    async def after_logout(self, request: WebRequest) -> Reply:
        """Send a browser that is back from a logout on its way; nothing depends on its answer."""
        check_kind(request, WebRequest, about="request")
        try:
            incoming = request.incoming(self.site.url_of(request.path))
            result = await self._parties.finish_logout(incoming)
        except OidcError as error:
            return answers.redirect(self._setup.goodbye, error.cookies)
        return answers.redirect(self._setup.goodbye, result.cookies)

    async def backchannel_logout(self, request: WebRequest) -> Reply:
        """Take a logout token of the provider; it needs no session and no CSRF token."""
        check_kind(request, WebRequest, about="request")
        try:
            incoming = request.incoming(self.site.url_of(request.path))
        except CallbackError as error:
            return answers.private(backchannel_logout.reply(error))
        return answers.private(await self._parties.backchannel_logout(incoming))

    async def frontchannel_logout(self, request: WebRequest) -> Reply:
        """Take the request of a frame of the provider."""
        check_kind(request, WebRequest, about="request")
        try:
            incoming = request.incoming(self.site.url_of(request.path))
        except CallbackError as error:
            return answers.private(frontchannel_logout.reply(self._parties.rps, error))
        return answers.private(await self._parties.frontchannel_logout(incoming))

    # --- parts -----------------------------------------------------------------------------------

    async def _held(self, request: WebRequest) -> WebSession | None:
        """Return the session of a request, ``None`` also if nobody can say."""
        try:
            return await self.user(request)
        except UsageError:
            raise
        except OidcError:
            return None

    def _login_url(self, return_to: str) -> str:
        query = encode_form((("return_to", return_to),)) if return_to else ""
        return f"{self._setup.login_path}?{query}" if query else self._setup.login_path

    def _login_page(self, return_to: str) -> Page:
        fields = (("return_to", return_to), *self._setup.form_fields())
        return login_page(self._setup.login_path, fields, self.places.names)

    def _failed(
        self, request: WebRequest, error: OidcError, cookies: _Cookies = (), return_to: str = ""
    ) -> Reply:
        """Answer with a failure: a page for a person, JSON for a script."""
        self._setup.on_failure(error)
        back = path_only(error.return_to or return_to, "")
        if not request.is_scripted:
            label = "Try again" if error.retryable == "later" else "Log in"
            logins: tuple[WayOn, ...] = (WayOn(label=label, url=self._login_url(back)),)
            if error.kind == "interaction":  # a link would lead back a user who is still logged in
                logins = self._login_page(back).ways
            return self._page(failure_of(error, logins, self._home), cookies)
        members = {"error": error.code, "kind": error.kind}
        return answers.told(error.answer_status, members, cookies, error.retry_after)

    def _page(self, page: Page, cookies: _Cookies = ()) -> Reply:
        return answers.shown(page, self._setup.draw, cookies)

    def _sent(self, request: WebRequest, url: str, cookies: _Cookies) -> Reply:
        """Send a browser elsewhere, in the way that it can follow."""
        if request.is_htmx:
            return answers.led_by_htmx(200, url, cookies)
        if request.is_scripted:
            return answers.told(200, {"location": url}, cookies)
        return answers.redirect(url, cookies)
