"""The record of an example, seen from outside: logins by browser, and texts that are secret."""

import json
from typing import Any, Final, NamedTuple, cast
from urllib.parse import parse_qsl, urlsplit

from oidc_adapters.testing.applications.cookie_jar import cookie_of
from oidc_adapters.testing.applications.links import browser_url, content_of
from oidc_adapters.testing.applications.visits import Visit
from oidc_adapters.testing.applications.world import World
from oidc_adapters.testing.parties import AuthorizationResponse
from oidc_adapters.testing.provider import FakeProvider
from oidc_core.wire.http import HttpResponse

_SHORTEST: Final = 16
"""Shorter texts do not count as secrets: a page may have the same text for another reason."""

_TOKENS: Final = ("access_token", "refresh_token", "id_token")


class Secret(NamedTuple):
    """The kind of a secret, and the issuer of the provider that shares it, or an empty string."""

    kind: str
    issuer: str


class Granted(NamedTuple):
    """A login that a person granted at a provider, and the browser in which they did so."""

    browser: int
    issuer: str
    sub: str
    sid: str
    state: str


class Book:
    """The record of one example.

    Args:
        world: its world.

    Attributes:
        visits: all requests of browsers and providers, with their answers.
        trace: a line for each move and each visit, without anything random.
        loops: the ways of browsers that went round in circles.
        logged: what the application wrote to its log.
        secrets: texts that must not show, each with its kind.
        starts: in which browser each login was started, by its ``state``.
        granted: what was granted, by its code.
        redeemed: the codes that the application sent to a provider in the newest visit.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._read = 0
        self.visits: list[Visit] = []
        self.trace: list[str] = []
        self.loops: list[str] = []
        self.logged: list[str] = []
        self.starts: dict[str, int] = {}
        self.granted: dict[str, Granted] = {}
        self.redeemed: list[str] = []
        self.secrets: dict[str, Secret] = {}
        self.keep("sealing key", world.secret)
        for provider in world.providers:
            self.keep("client secret", provider.clients[0].client_secret, provider.issuer)

    def keep(self, kind: str, text: object, issuer: str = "") -> None:
        """Remember a secret, with the kind that it had first."""
        if isinstance(text, str) and len(text) >= _SHORTEST:
            self.secrets.setdefault(text, Secret(kind, issuer))

    def visited(self, visit: Visit, browser: int | None) -> None:
        """Write a visit down, and learn what its answer brings."""
        self.visits.append(visit)
        self._read_exchanges()
        for header in visit.answer.every("set-cookie"):
            made = cookie_of(visit.request.url, header, self._world.clock.now())
            if made is not None and made.http_only:
                self.keep("cookie", made.value)
        url = browser_url(visit.request.url, visit.answer.location)
        provider = self._world.lines.provider_at(url) if visit.answer.location else None
        if provider is not None:
            self._led(provider, url, browser)
        if visit.navigates or visit.answer.status != 200:
            self.trace.append(self._line(visit))

    def _read_exchanges(self) -> None:
        """Learn from the newest requests to providers."""
        fresh = self._world.lines.exchanges[self._read :]
        self._read += len(fresh)
        self.redeemed = []
        for request, answer in fresh:
            provider = self._world.lines.provider_at(request.url)
            issuer = "" if provider is None else provider.issuer
            form = dict(parse_qsl((request.body or b"").decode("latin-1")))
            self.keep("verifier", form.get("code_verifier"), issuer)
            if "code" in form:
                self.redeemed.append(form["code"])
            if isinstance(answer, HttpResponse) and request.method == "POST":
                members = _members(answer.body)
                for name in _TOKENS:
                    self.keep(name.replace("_", " "), members.get(name), issuer)

    def _led(self, provider: FakeProvider, url: str, browser: int | None) -> None:
        """Learn from the request with which a browser goes to a provider."""
        sent = dict(parse_qsl(urlsplit(url).query))
        for name in ("state", "nonce"):
            self.keep(name, sent.get(name), provider.issuer)
        if browser is not None and "state" in sent:
            self.starts.setdefault(sent["state"], browser)

    def grant(self, provider: FakeProvider, response: AuthorizationResponse, browser: int) -> None:
        """Write down what a person granted in a browser."""
        code, session = response.parameter("code"), response.session
        if code is None or session is None:
            return
        self.keep("code", code, provider.issuer)
        state = response.parameter("state") or ""
        granted = Granted(browser, provider.issuer, session.sub, session.sid, state)
        self.granted.setdefault(code, granted)

    def move(self, text: str) -> None:
        """Write a move down."""
        self.trace.append(text)

    def _line(self, visit: Visit) -> str:
        """Return a visit as a line."""
        request, answer = visit.request, visit.answer
        line = f"  {visit.place}: {request.method} {self.shown(request.url)} -> {answer.status}"
        if answer.location:
            to = browser_url(request.url, answer.location)
            return f"{line} {self.shown(to)}"
        if visit.navigates and answer.body:
            title = content_of(request.url, answer.text).title
            return f'{line} "{title}"' if title else line
        return line

    def shown(self, url: str) -> str:
        """Return a URL without secrets: without the origin, on another site without the query."""
        if not url.startswith(self._world.routes.origin + "/"):
            return url.partition("?")[0]
        parts = urlsplit(url.removeprefix(self._world.routes.origin))
        base = url.partition("?")[0].removeprefix(self._world.routes.origin) or "/"
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        query = "&".join([f"{name}={self._value(value)}" for name, value in pairs])
        return f"{base}?{query}" if query else base

    def _value(self, value: str) -> str:
        found = self.secrets.get(value)
        if found is not None:
            return f"<{found.kind}>"
        return value if len(value) <= _SHORTEST * 2 else f"<{len(value)} characters>"


def _members(body: bytes) -> dict[str, Any]:
    """Return the members of a JSON object, or an empty dict for any other text."""
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
