"""A fake provider on a loopback port, for clients and browsers that speak real HTTP.

The provider stays what it is; this module lends it a socket, a clock and a browser's cookie.
"""

import sys
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from threading import Lock, Thread
from typing import ClassVar, Final

from attrs import field, frozen

from oidc_adapters.testing.authorization_endpoint import arrival
from oidc_adapters.testing.ledger import keep
from oidc_adapters.testing.metadata import endpoint
from oidc_adapters.testing.oauth_messages import RequestRefused, unique_parameters
from oidc_adapters.testing.pages import form_post_page, frames_page, login_page, notice_page
from oidc_adapters.testing.parties import AuthorizationResponse, Session
from oidc_adapters.testing.provider import FakeProvider
from oidc_adapters.testing.session_management import COOKIE as STATE_COOKIE
from oidc_adapters.testing.session_management import browser_state
from oidc_adapters.testing.transports import RecordedExchange, TellsTime, recorded
from oidc_adapters.transport.conversation import StrictConversation
from oidc_core.wire.http import Answer, HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.settings import check_kind
from oidc_core.wire.urls import with_query

_COOKIE: Final = "fake_provider_session"
_MAX_BODY: Final = 65_536
_HTML: Final = (
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
)


@frozen
class _Memory:
    """The state that the server keeps in addition to its provider."""

    lock: Lock = field(factory=Lock)
    sessions: dict[str, Session] = field(factory=dict[str, Session])
    exchanges: deque[RecordedExchange] = field(factory=recorded)


class ServedProvider:
    """A provider that is being served.

    Attributes:
        issuer: its issuer identifier, ``http://127.0.0.1:PORT``.
        provider: the provider behind it; change it (rotate keys, misbehave) between requests.
    """

    def __init__(self, provider: FakeProvider, clock: TellsTime, *, interactive: bool) -> None:
        check_kind(provider, FakeProvider, about="provider", code="config_invalid")
        check_kind(clock, TellsTime, about="clock", code="config_invalid")
        check_kind(interactive, bool, about="interactive", code="config_invalid")
        self.issuer = provider.issuer
        self.provider = provider
        self._clock = clock
        self._interactive = interactive
        self._memory = _Memory()

    @property
    def exchanges(self) -> tuple[RecordedExchange, ...]:
        """The back channel's requests with their answers, in order; credentials included.

        Only the newest 100,000 are kept.
        """
        with self._memory.lock:
            return tuple(self._memory.exchanges)

    @property
    def time(self) -> int:
        """What the provider's clock shows, in seconds since the epoch."""
        return self._clock.now() + self.provider.skew

    def answer(self, request: WireRequest) -> Answer:
        """Answer a request, of a client or of a browser."""
        with self._memory.lock:
            base = request.url.partition("?")[0]
            try:
                if base == endpoint(self.provider.base, "authorize"):
                    return self._authorize(request)
                if base == endpoint(self.provider.base, "end-session"):
                    return self._end_session(request)
            except RequestRefused as refused:
                text = f"{refused.error}: {refused.error_description}"
                return self._page(notice_page("This request cannot be answered", text), 400)
            answer = self.provider.answer(request, self._clock.now())
            self._memory.exchanges.append((request, answer))
            return answer

    def _page(self, body: bytes, status: int = 200) -> HttpResponse:
        return HttpResponse(status, _HTML, body, self._clock.now())

    def _authorize(self, request: WireRequest) -> HttpResponse:
        """Let somebody sign in: at once, or after the page if there is one to be shown."""
        session = self._memory.sessions.get(_session_id(request))
        asked = arrival(self.provider, request.url)
        if self._interactive and request.method == "GET" and "none" not in asked.prompts:
            scope = asked.parameters.get("scope", "")
            return self._page(login_page(request.url, asked.client, scope, self.provider.users))
        choice = _choice(request)
        user = choice.get("user", self.provider.users[0].sub)
        if user not in {known.sub for known in self.provider.users}:
            raise RequestRefused("invalid_request", "there is no such user")
        if session is not None and choice.get("user", session.sub) != session.sub:
            session = None  # another user was chosen
        callback = self.provider.authorize(
            request.url,
            self._clock.now(),
            user=user,
            approve=choice.get("decision", "approve") == "approve",
            session=session,
        )
        return self._delivered(callback)

    def _delivered(self, callback: AuthorizationResponse) -> HttpResponse:
        headers: tuple[tuple[str, str], ...] = ()
        if callback.session is not None:
            keep(self._memory.sessions, callback.session.sid, callback.session)
            cookie = f"{_COOKIE}={callback.session.sid}; Path=/; HttpOnly; SameSite=Lax"
            headers = (("set-cookie", cookie), *self._state_cookie(callback.session.sid))
        if callback.mode == "form_post":
            page = form_post_page(callback)
            return HttpResponse(200, (*_HTML, *headers), page, self._clock.now())
        return self._redirect(callback.url, headers)

    def _state_cookie(self, sid: str | None) -> tuple[tuple[str, str], ...]:
        """Return the header that sets what the frame's script reads, or that removes it."""
        if not self.provider.session_management:
            return ()
        value = "; Max-Age=0" if sid is None else browser_state(sid)
        # A frame of another site gets it only so; browsers take Secure from 127.0.0.1 too.
        cookie = f"{STATE_COOKIE}={value}; Path=/; Secure; SameSite=None"
        return (("set-cookie", cookie),)

    def _redirect(self, url: str, headers: tuple[tuple[str, str], ...]) -> HttpResponse:
        # 303, so that no browser posts the login form to the client (RFC 9700 §4.12).
        place = (
            ("location", url),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
        )
        return HttpResponse(303, (*place, *headers), b"", self._clock.now())

    def _end_session(self, request: WireRequest) -> HttpResponse:
        posted = "" if request.method == "GET" else (request.body or b"").decode("latin-1")
        url = self.provider.end_session(
            with_query(request.url, posted) if posted else request.url, self._clock.now()
        )
        session = self._memory.sessions.pop(_session_id(request), None)
        frames = () if session is None else self.provider.frontchannel_logout_urls(session.sid)
        ended = f"{_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        gone = (("set-cookie", ended), *self._state_cookie(None))
        if frames:
            page = frames_page(frames, url)
            return HttpResponse(200, (*_HTML, *gone), page, self._clock.now())
        if url is not None:
            return self._redirect(url, gone)
        page = notice_page("Signed out", "You are signed out at the fake provider.")
        return HttpResponse(200, (*_HTML, *gone), page, self._clock.now())


def _session_id(request: WireRequest) -> str:
    return session_of(next((value for name, value in request.headers if name == "cookie"), ""))


def session_of(cookies: str) -> str:
    """Return the session that a ``Cookie`` header names, or an empty string."""
    pairs = [pair.strip().partition("=") for pair in cookies.split(";")]
    return next((value for name, _, value in pairs if name == _COOKIE), "")


def _choice(request: WireRequest) -> dict[str, str]:
    """Return what was chosen on the login page, if it was shown."""
    if request.method != "POST":
        return {}
    try:
        return dict(unique_parameters((request.body or b"").decode("ascii"))[0])
    except ValueError:
        raise RequestRefused("invalid_request", "the form is not form-encoded") from None


class _Server(ThreadingHTTPServer):
    """Remembers its connections, so that closing it leaves no thread behind."""

    daemon_threads = False

    def __init__(self, conversation: "type[_Conversation]", port: int) -> None:
        super().__init__(("127.0.0.1", port), conversation)
        self._open: set[socket] = set()

    def process_request(
        self, request: socket | tuple[bytes, socket], client_address: object
    ) -> None:
        self._open.add(request if isinstance(request, socket) else request[1])
        super().process_request(request, client_address)

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """Do not report a client that went away; every other error is a defect."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        """End the connections that clients keep open."""
        for connection in self._open:
            with suppress(OSError):  # closed long ago
                connection.shutdown(SHUT_RDWR)


class _Conversation(StrictConversation):
    """One connection: requests in, the provider's answers out."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    max_body = _MAX_BODY
    disable_nagle_algorithm = True  # headers and body go out in two writes
    served: ClassVar[ServedProvider]

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the date of an answer, by the provider's own clock."""
        return super().date_time_string(self.served.time if timestamp is None else timestamp)

    def converse(self) -> None:
        """Have the provider answer."""
        served = self.served
        request = WireRequest(
            method=self.command,
            url=served.issuer + self.path,
            headers=tuple((name.lower(), value) for name, value in self.headers.items()),
            body=self.body if self.command == "POST" else None,
            resend="never",
            max_body=_MAX_BODY,
            deadline=30,
        )
        answer = served.answer(request)
        if isinstance(answer, NoAnswer):
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)


@contextmanager
def serve(
    provider: FakeProvider, clock: TellsTime, *, interactive: bool = False, port: int = 0
) -> Generator[ServedProvider]:
    """Serve a provider on 127.0.0.1, as long as the context lasts.

    Args:
        provider: what to serve.  It moves to the issuer ``http://127.0.0.1:PORT``: the provider
            served, without the memory of the one given, is the context's ``provider``.
        clock: tells the time; a frozen one is fine.
        interactive: whether a browser sees a page to sign in on; otherwise the first user is
            signed in and consents at once.
        port: where to listen; a free port by default.

    Yields:
        The provider being served.
    """
    check_kind(provider, FakeProvider, about="provider", code="config_invalid")
    check_kind(port, int, about="port", code="config_invalid")

    class Conversation(_Conversation):
        """The conversations of this server."""

    server = _Server(Conversation, port)
    issuer = f"http://127.0.0.1:{server.server_address[1]}"
    served = ServedProvider(provider.moved_to(issuer), clock, interactive=interactive)
    Conversation.served = served
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.close_connections()
        server.server_close()
        thread.join()
