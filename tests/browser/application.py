"""A small application on loopback, made with the library, for a real browser."""

from __future__ import annotations

from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, ClassVar, Final

from attrs import define, field

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.results import LoginResult
from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import CookieProfile, MemoryPendingLogins
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.stores.sessions import SessionIndex
from oidc_adapters.testing import FakeClient, FakeProvider, serve
from oidc_adapters.transport.conversation import StrictConversation
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import ProviderError
from oidc_core.wire.http import Answer, HttpResponse, WireRequest
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.replies import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from oidc_adapters.testing import ServedProvider
    from oidc_core.wire.cookies import SetCookie

POLICY: Final = Policy(quirks=frozenset({"insecure_allow_http_loopback"}))
SEALING_SECRET: Final = "a sealing secret of 32 octets or so"
COOKIE: Final = "application_session"
NOBODY: Final = "nobody is signed in"
WATCHING: Final = """<span id="heard"></span><iframe src="/session" hidden></iframe><script>
addEventListener("message", (event) => {
  if (event.origin === location.origin) document.getElementById("heard").append(event.data + ";");
});
</script>"""


@define(kw_only=True)
class StagingProvider(FakeProvider):
    """A provider with further pages, by their URL."""

    staged: dict[str, str] = field(init=False, factory=dict[str, str])

    def answer(self, request: WireRequest, now: int) -> Answer:
        """Answer a request."""
        body = self.staged.get(request.url)
        if body is None:
            return super().answer(request, now)
        page = f'<!doctype html><link rel="icon" href="data:,"><title>Staged</title>{body}'
        return HttpResponse(200, (("content-type", "text/html"),), page.encode(), now)

    def stage(self, body: str) -> str:
        """Have a page; return its URL."""
        url = f"{self.issuer}/staged"
        self.staged[url] = body
        return url


@define
class Application:
    """Pages behind a login, and a door for the provider's frame.

    Attributes:
        origin: where it is, as browsers see it.
        provider: the provider, which is served too.
        sessions: the logins, by the session's name.
        framed: the ``Cookie`` header of each request of a frame.
    """

    origin: str
    provider: StagingProvider
    client: OidcClient
    sessions: dict[str, LoginResult]
    framed: list[str] = field(factory=list[str])

    def answer(self, incoming: Incoming) -> Reply:
        """Answer a request of the browser."""
        assert incoming.url is not None
        pages: dict[str, Callable[[Incoming], Reply]] = {
            "/": self._home,
            "/login": self._login,
            "/callback": self._callback,
            "/logout": self._logout,
            "/frame": self._frame,
            "/watched": self._watched,
            "/session": self._session,
            "/again": self._again,
            "/elsewhere": lambda _: _page("another application"),
        }
        page = pages.get(incoming.url.removeprefix(self.origin))
        return Reply(status=404) if page is None else page(incoming)

    def _session_id(self, incoming: Incoming) -> str:
        held = [pair.strip().partition("=") for pair in incoming.cookie.split(";")]
        return next((value for name, _, value in held if name == COOKIE), "")

    def _home(self, incoming: Incoming) -> Reply:
        login = self.sessions.get(self._session_id(incoming))
        return _page(NOBODY if login is None else f"hello, {login.logged_in.identity.subject}")

    def _login(self, incoming: Incoming) -> Reply:
        page = self.client.start_login(cookie=incoming.cookie)
        return _redirect(page.url, page.cookies)

    def _watched(self, incoming: Incoming) -> Reply:
        """Answer with a page that watches the provider's session, and counts its messages."""
        return _page(WATCHING)

    def _session(self, incoming: Incoming) -> Reply:
        told = self.sessions[self._session_id(incoming)].logged_in.session_state
        assert told is not None
        return self.client.session_frame(told, interval=1)

    def _again(self, incoming: Incoming) -> Reply:
        """Ask whether the same user is signed in at the provider, without a page of it."""
        login = self.sessions[self._session_id(incoming)].logged_in
        silent = AuthenticationRequest(prompt="none", id_token_hint=login.tokens.id_token)
        page = self.client.start_login(silent, cookie=incoming.cookie)
        return _redirect(page.url, page.cookies)

    def _callback(self, incoming: Incoming) -> Reply:
        try:
            result = self.client.finish_login(incoming)
        except ProviderError as refusal:
            self.sessions.pop(self._session_id(incoming), None)
            return _redirect(f"{self.origin}/?{refusal.error}", refusal.cookies)
        self.sessions[result.grant_id] = result
        # Lax, as applications have it: a frame of another site sends no such cookie.
        session = f"{COOKIE}={result.grant_id}; Path=/; HttpOnly; SameSite=Lax"
        return _redirect(f"{self.origin}/", result.cookies, session)

    def _logout(self, incoming: Incoming) -> Reply:
        login = self.sessions.get(self._session_id(incoming))
        assert login is not None
        page = self.client.start_logout(login.logged_in.tokens, cookie=incoming.cookie)
        return _redirect(page.url, page.cookies)

    def _frame(self, incoming: Incoming) -> Reply:
        self.framed.append(incoming.cookie)
        return self.client.frontchannel_logout(incoming)


def _page(text: str) -> Reply:
    headers = (("content-type", "text/html; charset=utf-8"), ("cache-control", "no-store"))
    page = f'<!doctype html><link rel="icon" href="data:,"><title>Application</title><p>{text}</p>'
    return Reply(status=200, headers=headers, body=page.encode())


def _redirect(url: str, cookies: tuple[SetCookie, ...], *more: str) -> Reply:
    texts = [*[cookie.header for cookie in cookies], *more]
    return Reply(status=303, headers=(("location", url), *[("set-cookie", set_) for set_ in texts]))


class _Conversation(StrictConversation):
    """The requests of one connection."""

    timeout = 30
    application: ClassVar[Application]

    def converse(self) -> None:
        """Have the application answer."""
        path, _, query = self.path.partition("?")
        url = self.application.origin + path
        cookie = "; ".join(self.headers.get_all("cookie", []))
        reply = self.application.answer(Incoming(method="GET", url=url, query=query, cookie=cookie))
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)


@contextmanager
def running(host: str) -> Generator[Application]:
    """Run an application and its provider, which is at the host ``127.0.0.1``.

    Args:
        host: of the application: ``127.0.0.1``, or ``localhost``, which is another site.
    """

    class Conversation(_Conversation):
        """The conversations of this application."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Conversation)
    origin = f"http://{host}:{server.server_address[1]}"
    registered = FakeClient(
        redirect_uris=(f"{origin}/callback", f"{origin}/elsewhere"),
        post_logout_redirect_uris=(f"{origin}/",),
        frontchannel_logout_uri=f"{origin}/frame",
    )
    provider = StagingProvider(clients=(registered,), session_management=True)
    with server, serve(provider, SystemClock()) as served:
        application = _application(origin, served, registered)
        Conversation.application = application
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield application
        finally:
            server.shutdown()
            thread.join()


def _application(origin: str, served: ServedProvider, registered: FakeClient) -> Application:
    records, sessions = MemoryRecords(), dict[str, LoginResult]()

    def end_session(session_id: str) -> None:
        sessions.pop(session_id, None)

    client = OidcClient(
        ClientSetup(
            issuer=served.issuer,
            registration=ClientRegistration(
                client_id=registered.client_id,
                redirect_uris=registered.redirect_uris[:1],
                post_logout_redirect_uris=registered.post_logout_redirect_uris,
                frontchannel_logout_uri=registered.frontchannel_logout_uri,
                frontchannel_logout_session_required=True,
            ),
            client_secret=registered.client_secret,
            policy=POLICY,
        ),
        MemoryPendingLogins(profile=CookieProfile.insecure_for_loopback_development()),
        grants=Grants(records, SEALING_SECRET),
        sessions=SessionIndex(records, SEALING_SECRET, end_session=end_session),
    )
    assert isinstance(served.provider, StagingProvider)
    return Application(origin, served.provider, client, sessions)
