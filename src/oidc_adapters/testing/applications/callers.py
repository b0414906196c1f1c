"""Requests to an application by its WSGI or ASGI interface, in this process and without sockets.

An exception that the application lets go becomes a 500 with its traceback, as a server makes it.
"""

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Iterable, Mapping
from inspect import iscoroutinefunction
from io import BytesIO, StringIO
from traceback import format_exception
from typing import Any, Final, Protocol, Self
from urllib.parse import unquote_to_bytes, urlsplit

from oidc_adapters.testing.applications.visits import Headers, PageAnswer, SentRequest

LARGEST_COOKIE: Final = 8_190
"""Octets of the longest ``Cookie`` header that servers take; they answer a longer one with 431."""

_PORTS: Final = {"http": 80, "https": 443}


class Caller(Protocol):
    """Asks an application."""

    def ask(self, request: SentRequest) -> PageAnswer:
        """Return the answer to a request."""
        ...

    def close(self) -> None:
        """Tell the application that the server ends."""
        ...


def caller_of(application: Any) -> Caller:
    """Return a caller: by ASGI for a coroutine function, by WSGI for any other application."""
    awaited = iscoroutinefunction(application) or iscoroutinefunction(application.__call__)
    return AsgiCaller(application) if awaited else WsgiCaller(application)


class WsgiCaller:
    """Asks a WSGI application (PEP 3333).

    Args:
        application: the application.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def ask(self, request: SentRequest) -> PageAnswer:
        """Return the answer to a request."""
        if _is_too_long(request):
            return _TOO_LONG
        errors, started = StringIO(), list[tuple[str, list[tuple[str, str]]]]()

        def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            started.append((status, headers))

        fault = _Fault()
        with fault:
            parts = self._application(environ_of(request, errors), start)
            try:
                body = b"".join(parts)
            finally:
                getattr(parts, "close", _nothing)()
            status, headers = started[-1]
            return _answered(int(status[:3]), headers, body, errors.getvalue())
        return fault.answer(errors.getvalue())

    def close(self) -> None:
        """Do nothing: WSGI knows no end."""


class AsgiCaller:
    """Asks an ASGI application, in a new event loop.

    Args:
        application: the application.
    """

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self._application = application
        self._loop = asyncio.new_event_loop()
        self._life = _Lifespan(application, self._loop)

    def ask(self, request: SentRequest) -> PageAnswer:
        """Return the answer to a request."""
        if _is_too_long(request):
            return _TOO_LONG
        return self._loop.run_until_complete(self._asked(request))

    async def _asked(self, request: SentRequest) -> PageAnswer:
        body, statuses = bytearray(), list[int]()
        headers: list[tuple[str, str]] = []
        asked = [{"type": "http.request", "body": request.body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)
            return asked.pop() if asked else {"type": "http.disconnect"}

        async def send(message: Mapping[str, Any]) -> None:
            await asyncio.sleep(0)
            if message["type"] == "http.response.start":
                statuses.append(int(message["status"]))
                raw = message.get("headers", ())
                headers.extend([(n.decode("latin-1"), v.decode("latin-1")) for n, v in raw])
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        fault = _Fault()
        with fault:
            await self._application(scope_of(request), receive, send)
            return _answered(statuses[-1], headers, bytes(body), "")
        return fault.answer("")

    def close(self) -> None:
        """Tell the application that the server ends, and end the event loop."""
        self._life.end()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


class _Lifespan:
    """The life of an ASGI application: its start, and its end; many applications have neither."""

    def __init__(
        self, application: Callable[..., Awaitable[None]], loop: AbstractEventLoop
    ) -> None:
        self._loop = loop
        self._asked: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._said = asyncio.Event()
        self._task = loop.create_task(self._live(application))
        self._step("startup")

    async def _live(self, application: Callable[..., Awaitable[None]]) -> None:
        scope: dict[str, Any] = {"type": "lifespan", "asgi": _ASGI, "state": {}}
        with _Fault():  # an application without a life says so by any exception
            await application(scope, self._asked.get, self._send)
        self._said.set()

    async def _send(self, message: Mapping[str, Any]) -> None:
        await asyncio.sleep(0)
        if str(message["type"]).startswith("lifespan."):
            self._said.set()

    def _step(self, name: str) -> None:
        if self._task.done():
            return
        self._said.clear()
        self._asked.put_nowait({"type": f"lifespan.{name}"})
        self._loop.run_until_complete(self._said.wait())

    def end(self) -> None:
        """Tell the application that the server ends."""
        self._step("shutdown")
        self._loop.run_until_complete(asyncio.wait((self._task,), timeout=1))


_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}


def environ_of(request: SentRequest, errors: StringIO) -> dict[str, Any]:
    """Return the environment of a WSGI request."""
    parts = urlsplit(request.url)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path or "/").decode("latin-1"),
        "QUERY_STRING": parts.query,
        "REQUEST_URI": f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(parts.port or _PORTS.get(parts.scheme, 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": BytesIO(request.body),
        "wsgi.errors": errors,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        environ["CONTENT_TYPE" if name == "content-type" else f"HTTP_{key}"] = value
    return environ


def scope_of(request: SentRequest) -> dict[str, Any]:
    """Return the scope of an ASGI request."""
    parts = urlsplit(request.url)
    port = parts.port or _PORTS.get(parts.scheme, 80)
    own = (("host", parts.netloc), ("content-length", str(len(request.body))))
    return {
        "type": "http",
        "asgi": _ASGI,
        "http_version": "1.1",
        "method": request.method,
        "scheme": parts.scheme,
        "path": unquote_to_bytes(parts.path or "/").decode("utf-8", "replace"),
        "raw_path": (parts.path or "/").encode("ascii", "replace"),
        "root_path": "",
        "query_string": parts.query.encode("ascii", "replace"),
        "headers": [
            (name.encode("latin-1"), value.encode("latin-1", "replace"))
            for name, value in (*own, *request.headers)
        ],
        "client": ("127.0.0.1", 50_000),
        "server": (parts.hostname or "", port),
        "state": {},
    }


def _is_too_long(request: SentRequest) -> bool:
    return len(request.header("cookie")) > LARGEST_COOKIE


_TOO_LONG: Final = PageAnswer(status=431, told="the Cookie header is too long for a server")


def _answered(
    status: int, headers: Iterable[tuple[str, str]], body: bytes, told: str
) -> PageAnswer:
    lowered: Headers = tuple([(name.lower(), value) for name, value in headers])
    odd = [name for name, value in lowered if "\n" in value or "\r" in value]
    if odd:
        return PageAnswer(status=500, told=f"{told}the header {odd[0]} has a line end")
    return PageAnswer(status=status, headers=lowered, body=body, told=told)


class _Fault:
    """Keeps an exception that an application lets go, as a server does."""

    def __init__(self) -> None:
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, trace: object) -> bool:
        self._error = error
        return isinstance(error, Exception)

    def answer(self, told: str) -> PageAnswer:
        """Return what a server makes of it; the error stream has said something before."""
        trace = "" if self._error is None else "".join(format_exception(self._error))
        return PageAnswer(status=500, told=told + trace)


def _nothing() -> None:
    return None
