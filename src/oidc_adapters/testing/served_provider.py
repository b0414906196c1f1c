"""A fake provider as browsers and clients reach it, without the sockets.

The provider stays what it is; this module lends it a clock and the browsers' cookies.
"""

from collections import deque
from collections.abc import Mapping
from threading import Lock
from typing import Final
from urllib.parse import urlsplit

from attrs import field, frozen

from oidc_adapters.testing.authorization_request import arrival
from oidc_adapters.testing.ledger import keep
from oidc_adapters.testing.metadata import discovery_urls, endpoint
from oidc_adapters.testing.oauth_messages import RequestRefused, unique_parameters
from oidc_adapters.testing.pages import form_post_page, frames_page, login_page, notice_page
from oidc_adapters.testing.parties import AuthorizationResponse, Session
from oidc_adapters.testing.provider import FakeProvider
from oidc_adapters.testing.session_management import COOKIE as STATE_COOKIE
from oidc_adapters.testing.session_management import browser_state
from oidc_adapters.testing.transports import RecordedExchange, TellsTime, recorded
from oidc_core.wire.http import Answer, HttpResponse, WireRequest
from oidc_core.wire.settings import check_kind
from oidc_core.wire.urls import with_query

_COOKIE: Final = "fake_provider_session"
MAX_BODY: Final = 65_536
"""How many octets the body of a request may have."""

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

    Args:
        provider: the provider.
        clock: tells the time; a frozen one is fine.
        interactive: whether a browser sees a page to sign in on; otherwise users are signed in and
            consent at once.
        origin: where it is reached; empty for where its URLs say.
        ca: the PEM text of the certificate that signed its own; empty without TLS.

    Attributes:
        issuer: its issuer identifier.
        provider: the provider behind it; change it (rotate keys, misbehave) between requests.
        origin: the scheme, host and port that it listens at.
        ca: the PEM text of the CA to trust, for ``Urllib3Transport(ca=served.ca)``.
    """

    def __init__(
        self,
        provider: FakeProvider,
        clock: TellsTime,
        *,
        interactive: bool = False,
        origin: str = "",
        ca: str = "",
    ) -> None:
        for value, kind, about in (
            (provider, FakeProvider, "provider"),
            (clock, TellsTime, "clock"),
            (interactive, bool, "interactive"),
            (origin, str, "origin"),
            (ca, str, "ca"),
        ):
            check_kind(value, kind, about=about, code="config_invalid")
        self.issuer = provider.issuer
        self.provider = provider
        self.origin = origin or _origin(provider.base)
        self.ca = ca
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

    @property
    def back_channel(self) -> dict[str, str]:
        """The origins of its URLs, each with the one to connect to: a setting of ``Policy``."""
        published = (_origin(self.issuer), _origin(self.provider.base))
        return {} if self.origin in published else dict.fromkeys(published, self.origin)

    def reached(self, url: str) -> str:
        """Return where a browser finds a URL of the provider, whose host it cannot look up."""
        origin = _origin(url)
        return self.back_channel.get(origin, origin) + url.removeprefix(origin)

    def request(
        self, method: str, target: str, headers: tuple[tuple[str, str], ...], body: bytes | None
    ) -> WireRequest:
        """Return the request that arrived for a path and query, with the URL that was published."""
        path = target.partition("?")[0]
        at_issuer = _origin(self.issuer) + path in discovery_urls(self.issuer)
        return WireRequest(
            method=method,
            url=_origin(self.issuer if at_issuer else self.provider.base) + target,
            headers=headers,
            body=body,
            resend="never",
            max_body=MAX_BODY,
            deadline=30,
        )

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
        begins = request.method == "GET" or "?" not in request.url
        choice: Mapping[str, str] = {} if begins else _form(request)
        url = _asked(request) if begins else request.url
        asked = arrival(self.provider, url)
        if self._interactive and begins and "none" not in asked.prompts:
            scope = asked.parameters.get("scope", "")
            return self._page(login_page(url, asked.client, scope, self.provider.users))
        user = choice.get("user")
        if user is not None and not self.provider.knows(user):
            raise RequestRefused("invalid_request", "there is no such user")
        if session is not None and user not in {None, session.sub}:
            session = None  # another user was chosen
        callback = self.provider.authorize(
            url,
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
        if not self.provider.has_session_state:
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


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _asked(request: WireRequest) -> str:
    """Return an authorization request as a URL, also where it is a form (OIDC Core §3.1.2.1)."""
    if request.method == "GET":
        return request.url
    kind = next((value for name, value in request.headers if name == "content-type"), "")
    if kind.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise RequestRefused("invalid_request", "the body is not a form")
    return with_query(request.url, (request.body or b"").decode("latin-1"))


def _form(request: WireRequest) -> Mapping[str, str]:
    """Return what a browser posted."""
    try:
        return unique_parameters((request.body or b"").decode("ascii"))[0]
    except ValueError:
        raise RequestRefused("invalid_request", "the form is not form-encoded") from None
