"""A fake provider as a WSGI or an ASGI application, for any server and any test client.

.. code-block:: python

    provider = FakeProvider(issuer="https://op.example")
    application = wsgi_application(ServedProvider(provider, clock))

The provider answers under the URLs that its metadata names; the host of a request does not matter.
"""

from collections.abc import Awaitable, Callable, Iterable
from http.client import responses
from typing import Any, Final, TypeAlias
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from oidc_adapters.testing.served_provider import MAX_BODY, ServedProvider
from oidc_core.wire.http import HttpResponse
from oidc_core.wire.settings import check_kind

Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]
AsgiApplication: TypeAlias = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

_Headers: TypeAlias = tuple[tuple[str, str], ...]

_UNRESERVED: Final = "/-._~!$&'()*+,;=:@"


def wsgi_application(served: ServedProvider) -> WSGIApplication:
    """Return the provider as an application of WSGI (PEP 3333).

    Where the provider gives no answer at all, it raises ``ConnectionAbortedError``.

    Args:
        served: the provider, its clock, and whether it shows a page to sign in on.
    """
    check_kind(served, ServedProvider, about="served")

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        told = environ.get("CONTENT_LENGTH", "")
        length = int(told) if told.isdecimal() else 0
        body = b"" if length > MAX_BODY else environ["wsgi.input"].read(length)
        path = quote(
            (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1"),
            safe=_UNRESERVED,
        )
        query = environ.get("QUERY_STRING", "")
        answer = _answer(
            served,
            environ["REQUEST_METHOD"],
            f"{path}?{query}" if query else path,
            _wsgi_headers(environ),
            None if length > MAX_BODY else body,
        )
        phrase = responses.get(answer.status, "Unknown")
        start(f"{answer.status} {phrase}", [*answer.headers, _length(answer)])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else answer.body]

    return application


def asgi_application(served: ServedProvider) -> AsgiApplication:
    """Return the provider as an application of ASGI 3, with its lifespan.

    Where the provider gives no answer at all, it raises ``ConnectionAbortedError``.

    Args:
        served: the provider, its clock, and whether it shows a page to sign in on.
    """
    check_kind(served, ServedProvider, about="served")

    async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        if scope["type"] != "http":
            return
        path = quote(scope["path"].encode(), safe=_UNRESERVED)
        query = scope.get("query_string", b"").decode("latin-1")
        answer = _answer(
            served,
            scope["method"],
            f"{path}?{query}" if query else path,
            tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"]),
            await _body(receive),
        )
        raw = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in (*answer.headers, _length(answer))
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})

    return application


def _answer(
    served: ServedProvider, method: str, target: str, headers: _Headers, body: bytes | None
) -> HttpResponse:
    """Have the provider answer; a body that is too long is not read at all."""
    if body is None:
        return HttpResponse(413, (), b"", served.time)
    posted = body if method == "POST" else None
    answer = served.answer(served.request(method, target, headers, posted))
    if isinstance(answer, HttpResponse):
        return answer
    message = "the provider gives no answer"
    raise ConnectionAbortedError(message)


def _length(answer: HttpResponse) -> tuple[str, str]:
    return "content-length", str(len(answer.body))


def _wsgi_headers(environ: WSGIEnvironment) -> _Headers:
    """Return the headers that the provider reads, by the names that they have in HTTP."""
    sent = {"content-type": environ.get("CONTENT_TYPE")}
    sent |= {name: environ.get(f"HTTP_{name.upper()}") for name in ("authorization", "cookie")}
    return tuple([(name, value) for name, value in sent.items() if value])


async def _body(receive: Receive) -> bytes | None:
    """Return the body of a request, ``None`` for one that is too long."""
    body, more = b"", True
    while more and len(body) <= MAX_BODY:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body if len(body) <= MAX_BODY else None


async def _lifespan(receive: Receive, send: Send) -> None:
    """Start and stop; there is nothing to do for either."""
    kind = ""
    while kind != "lifespan.shutdown":
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
