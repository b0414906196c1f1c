"""The application of `./scripts/cookie-budget`: a login page and a callback, and a journal of both.

gunicorn loads it in several processes, which share only the sealing secret.
"""

from __future__ import annotations

import json
import os
import time
from html import escape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from oidc_adapters import (
    AuthenticationRequest,
    ClientSetup,
    CookiePendingLogins,
    Incoming,
    OidcClient,
    OidcError,
    Policy,
    UsageError,
    path_only,
)
from oidc_core.wire.cookies import cookie_pairs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from oidc_core.wire.cookies import SetCookie

SETTINGS: Final = "COOKIE_BUDGET"
"""The variable with the settings of the application, as JSON."""

DEFAULT: Final = "/welcome"
"""Where a login goes on that does not know any better."""

_ACR: Final = "urn:example:two-factor"  # the fake provider can do it


class Site:
    """The application.

    Args:
        settings: ``issuer``, ``secret`` of the client and ``sealing`` secret, ``redirect_uri``,
            ``journal`` (a file), ``hold`` (seconds before a start is answered).
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        setup = ClientSetup(
            issuer=settings["issuer"],
            client_id="client",
            client_secret=settings["secret"],
            redirect_uri=settings["redirect_uri"],
            policy=Policy(quirks=frozenset({"insecure_allow_http_loopback"})),
        )
        self.client = OidcClient(setup, CookiePendingLogins(settings["sealing"]))
        self._requests = {
            "default": AuthenticationRequest(),
            "form_post": AuthenticationRequest(response_mode="form_post"),
            "largest": self._largest(),
        }

    def _largest(self) -> AuthenticationRequest:
        """Return the request with the longest demands that the store still takes."""
        longest = AuthenticationRequest()
        for length in range(1, 400):
            asked = AuthenticationRequest(
                required_acr=(_ACR, "urn:" + "x" * length), max_age=3_600, expected_sub="alice"
            )
            try:
                self.client.start_login(asked)
            except UsageError as refused:
                if refused.code != "pending_too_large":
                    raise
                return longest
            longest = asked
        message = "no demands are too large"
        raise RuntimeError(message)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, and write down what it brought and what it got."""
        path = environ["PATH_INFO"]
        if path == "/login":
            answer = self._login(environ)
        elif path == "/callback":
            answer = self._callback(environ)
        elif path == "/":
            answer = Answer("200 OK", "site", "This is the site.")
        else:
            answer = Answer("404 Not Found", "nothing here", "")
        self._note(environ, answer)
        start_response(answer.status, answer.headers())
        return [answer.page()]

    def _login(self, environ: WSGIEnvironment) -> Answer:
        query = parse_qs(environ["QUERY_STRING"])
        redirect = self.client.start_login(
            self._requests[query["demands"][0]],
            return_to=query["next"][0],
            cookie=environ.get("HTTP_COOKIE", ""),
        )
        time.sleep(self._settings["hold"])  # so that the browser asks for other tabs meanwhile
        answer = Answer("303 See Other", "", "", redirect.cookies)
        answer.location = redirect.url
        return answer

    def _callback(self, environ: WSGIEnvironment) -> Answer:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        try:
            result = self.client.finish_login(
                Incoming(
                    method=environ["REQUEST_METHOD"],
                    url=self._settings["redirect_uri"],
                    query=environ["QUERY_STRING"],
                    body=environ["wsgi.input"].read(length),
                    cookie=environ.get("HTTP_COOKIE", ""),
                )
            )
        except OidcError as refused:
            return Answer("400 Bad Request", "refused", refused.code, refused.cookies)
        logged_in = result.logged_in
        onward = path_only(logged_in.return_to, DEFAULT)
        text = f"Hello {logged_in.identity.subject}, on to {onward}"
        return Answer("200 OK", "logged in", text, result.cookies)

    def _note(self, environ: WSGIEnvironment, answer: Answer) -> None:
        profile = self.client.pending.profile
        pairs = cookie_pairs(environ.get("HTTP_COOKIE", ""))
        mine = {name: len(name) + len(value) + 3 for name, value in pairs if profile.owns(name)}
        line = {
            "path": environ["PATH_INFO"],
            "status": answer.status,
            "code": answer.text if answer.title == "refused" else "",
            "seen": [*mine],
            "octets": [*mine.values()],
            "set": [cookie.name for cookie in answer.cookies if cookie.max_age],
            "deleted": [cookie.name for cookie in answer.cookies if not cookie.max_age],
        }
        written = json.dumps(line) + "\n"
        file = os.open(self._settings["journal"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, written.encode())  # one write: the processes do not mix their lines
        finally:
            os.close(file)


class Answer:
    """An answer, before it is written."""

    def __init__(
        self, status: str, title: str, text: str, cookies: tuple[SetCookie, ...] = ()
    ) -> None:
        self.status, self.title, self.text = status, title, text
        self.cookies = cookies
        self.location = ""

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers."""
        plain = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")]
        onward = [("Location", self.location)] if self.location else []
        return [*plain, *onward, *[("Set-Cookie", cookie.header) for cookie in self.cookies]]

    def page(self) -> bytes:
        """Return the page."""
        title = escape(self.title)
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
            f'<link rel="icon" href="data:,"><h1>{title}</h1><p>{escape(self.text)}</p></html>'
        ).encode()


def made() -> Site:
    """Return the application of this process; gunicorn calls it."""
    return Site(json.loads(os.environ[SETTINGS]))
