"""The fake provider as an application of WSGI and of ASGI."""

from __future__ import annotations

import io
import json
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit
from wsgiref.util import setup_testing_defaults

import pytest

from oidc_adapters.testing import (
    Dialect,
    FakeProvider,
    ServedProvider,
    asgi_application,
    wsgi_application,
)
from oidc_core.wire.errors import UsageError
from tests.parties import refused

from .raw_client import VERIFIER, authorization_url, basic, claims_of
from .test_transports import Stopped

FORM: Final = "application/x-www-form-urlencoded"


class Asked:
    """An answer of an application."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.body = status, dict(headers), body


def by_wsgi(
    served: ServedProvider, method: str, target: str, body: bytes = b"", **more: str
) -> Asked:
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": FORM if body else "",
        "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{name.upper()}": value for name, value in more.items()},
    }
    setup_testing_defaults(environ)
    found: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], _error: object = None) -> Any:
        found.extend([int(status.split(maxsplit=1)[0]), headers])
        return found.append

    octets = b"".join(wsgi_application(served)(environ, start))
    return Asked(found[0], found[1], octets)


def by_asgi(
    served: ServedProvider, method: str, target: str, body: bytes = b"", **more: str
) -> Asked:
    path, _, query = target.partition("?")
    headers = [*([("content-type", FORM)] if body else []), *more.items()]
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    pieces = [body[:10], body[10:]]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    finish(asgi_application(served)(scope, receive, send))
    told = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    return Asked(sent[0]["status"], told, sent[1]["body"])


def finish(running: Any) -> None:
    """Run a coroutine that never waits."""
    with pytest.raises(StopIteration):
        running.send(None)


WAYS: Final = pytest.mark.parametrize("ask", [by_wsgi, by_asgi])


def served_at(issuer: str = "https://op.example/a", **settings: Any) -> ServedProvider:
    return ServedProvider(FakeProvider(issuer=issuer, id_token_alg="EdDSA", **settings), Stopped())


def target_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@WAYS
def test_a_whole_login(ask: Any) -> None:
    served = served_at()
    provider, client = served.provider, served.provider.clients[0]

    came = ask(served, "GET", target_of(authorization_url(provider)))
    location: str = came.headers["location"]
    callback = dict(parse_qsl(urlsplit(location).query))
    form: dict[str, str] = {
        "grant_type": "authorization_code",
        "code": callback["code"],
        "redirect_uri": client.redirect_uris[0],
        "code_verifier": VERIFIER,
    }
    proof = basic(client)[1]
    body = urlencode(form).encode()
    answer = ask(served, "POST", "/a/token", body, authorization=proof)
    silent = ask(
        served,
        "GET",
        target_of(authorization_url(provider, prompt="none")),
        cookie=came.headers["set-cookie"].partition(";")[0],
    )

    assert (came.status, callback["iss"]) == (303, "https://op.example/a")
    assert answer.status == 200
    assert answer.headers["content-length"] == str(len(answer.body))
    assert claims_of(json.loads(answer.body)["id_token"])["sub"] == "alice"
    assert "code=" in silent.headers["location"]
    assert len(served.exchanges) == 1


@WAYS
def test_an_authorization_request_may_be_posted(ask: Any) -> None:
    served = served_at()
    url, _, query = authorization_url(served.provider).partition("?")

    answer = ask(served, "POST", target_of(url), query.encode())

    assert "code=" in answer.headers["location"]


@WAYS
def test_metadata_is_below_the_issuer_though_endpoints_are_elsewhere(ask: Any) -> None:
    served = served_at(dialect=Dialect(endpoints_below="https://login.example/b"))
    known = "/.well-known/openid-configuration"

    assert ask(served, "GET", f"/a{known}").body == ask(served, "GET", f"/b{known}").body
    assert ask(served, "GET", "/b/jwks").status == 200
    assert ask(served, "GET", "/a/jwks").status == 404
    assert served.back_channel == {}
    assert served.origin == "https://login.example"


@WAYS
def test_a_body_that_is_too_long_is_not_read(ask: Any) -> None:
    assert ask(served_at(), "POST", "/a/token", 65_537 * b"x").status == 413


@WAYS
def test_a_head_has_no_body(ask: Any) -> None:
    answer = ask(served_at(), "HEAD", "/a/nothing")

    assert (answer.status, answer.body, answer.headers["content-length"]) == (404, b"", "9")


@WAYS
def test_an_odd_status_goes_through(ask: Any) -> None:
    served = served_at()
    served.provider.fail_next("keys", 599)

    assert ask(served, "GET", "/a/jwks").status == 599


def test_a_request_without_a_length_has_no_body() -> None:
    environ: dict[str, Any] = {"PATH_INFO": "/a/jwks", "CONTENT_LENGTH": "x"}
    setup_testing_defaults(environ)

    def start(status: str, _headers: object, _error: object = None) -> Any:
        assert status == "200 OK"

    assert b'"keys"' in b"".join(wsgi_application(served_at())(environ, start))


def test_no_answer_is_an_error_of_the_connection() -> None:
    served = served_at()
    served.provider.fail_next("keys", None, times=2)

    with pytest.raises(ConnectionAbortedError):
        by_wsgi(served, "GET", "/a/jwks")
    async_answer = asgi_application(served)
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/a/jwks", "headers": []}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(_message: dict[str, Any]) -> None:
        """Take nothing."""

    with pytest.raises(ConnectionAbortedError):
        async_answer(scope, receive, send).__await__().send(None)


def test_it_lives_as_long_as_its_server() -> None:
    messages = ["lifespan.startup", "lifespan.shutdown"]
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": messages.pop(0)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    finish(asgi_application(served_at())({"type": "lifespan"}, receive, send))
    finish(asgi_application(served_at())({"type": "websocket"}, receive, send))

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize("made", [wsgi_application, asgi_application])
def test_it_is_made_of_a_served_provider(made: Any) -> None:
    refused(UsageError, "parameter_invalid", lambda: made(FakeProvider()))
