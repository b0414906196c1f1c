"""Small applications behind each door of the library, and how a browser asks them in memory."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar
from urllib.parse import unquote

from oidc_adapters.web import WebRequest, WebSession
from oidc_adapters.web.assembly import async_web_login_of, web_login_of
from oidc_core.wire.replies import Reply
from tests.interop.matrix import TRIED

HOST: Final = "127.0.0.1:9999"
PAGE: Final = "/me"
Settings = Mapping[str, Any]
T = TypeVar("T")


class Run(Protocol):
    """Runs a coroutine to its end."""

    def __call__(self, coroutine: Coroutine[Any, Any, T], /) -> T:
        """Return its result."""
        ...


class Reached(NamedTuple):
    """An answer: its status, headers in order and body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header, empty without one."""
        return next((value for known, value in self.headers if known.lower() == name), "")


class Ask(Protocol):
    """Asks an application."""

    def __call__(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, /
    ) -> Reached:
        """Return its answer."""
        ...


@dataclass(frozen=True, kw_only=True)
class Door:
    """A door: its name, whether its application awaits, and how to make one.

    The application has a page that says who is logged in and renews the tokens.
    """

    name: str
    awaits: bool
    page: str = PAGE
    make: Callable[[Settings, ExitStack], Ask]

    def __str__(self) -> str:
        return f"{self.name}, {'async' if self.awaits else 'sync'}"


def through_wsgi(app: Any) -> Ask:
    """Ask an application of PEP 3333."""

    def ask(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reached:
        path, _, query = target.partition("?")
        started: list[Any] = []

        def start_response(status: str, found: list[tuple[str, str]], _: object = None) -> None:
            started.extend((status, found))

        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "9999",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": headers.get("content-type", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "HTTP_HOST": HOST,
            **{f"HTTP_{name.upper().replace('-', '_')}": each for name, each in headers.items()},
        }
        parts = app(environ, start_response)
        held = b"".join(parts)
        return Reached(int(started[0][:3]), tuple(started[1]), held)

    return ask


def through_asgi(app: Any, run: Run) -> Ask:
    """Ask an application of ASGI 3; each request is a coroutine that is run to its end."""

    async def asked(scope: dict[str, Any], body: bytes) -> Reached:
        sent: list[dict[str, Any]] = []
        parts = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if not parts:
                await asyncio.Event().wait()  # the browser stays for the answer
            return parts.pop()

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await app(scope, receive, send)
        pairs = tuple((name.decode(), value.decode()) for name, value in sent[0]["headers"])
        return Reached(sent[0]["status"], pairs, b"".join(each.get("body", b"") for each in sent))

    def ask(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reached:
        path, _, query = target.partition("?")
        sent_with = {"host": HOST, **headers, "content-length": str(len(body))}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent_with.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 9999),
        }
        return run(asked(scope, body))

    return ask


def in_one_loop(stack: ExitStack, close: Callable[[], Coroutine[Any, Any, None]]) -> Run:
    """Return how to run coroutines, all in one event loop, in which the client is closed."""
    runner = stack.enter_context(asyncio.Runner())
    stack.callback(lambda: runner.run(close()))
    return runner.run


# --- the applications ----------------------------------------------------------------------------


def _plain(settings: Settings, stack: ExitStack) -> Ask:
    """A framework of somebody's own, which waits."""
    web = web_login_of(settings, folder=Path())
    stack.callback(web.close)
    routes = web.routes()

    def ask(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reached:
        path, _, query = target.partition("?")
        request = WebRequest.of(method, path, query=query, headers=headers.items(), body=body)
        reply = routes[path](request) if path in routes else web.required(request)
        if isinstance(reply, WebSession):
            reply = Reply(status=200, body=told(reply, web.tokens(reply).fresh().access_token))
        return Reached(reply.status, reply.headers, reply.body)

    return ask


def _plain_awaited(settings: Settings, stack: ExitStack) -> Ask:
    """A framework of somebody's own, which awaits."""
    web = async_web_login_of(settings, folder=Path())
    routes = web.routes()
    run = in_one_loop(stack, web.close)

    async def answered(request: WebRequest) -> Reply:
        found = await (routes.get(request.path) or web.required)(request)
        if isinstance(found, WebSession):
            tokens = await web.tokens(found).fresh()
            return Reply(status=200, body=told(found, tokens.access_token))
        return found

    def ask(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reached:
        path, _, query = target.partition("?")
        request = WebRequest.of(method, path, query=query, headers=headers.items(), body=body)
        reply = run(answered(request))
        return Reached(reply.status, reply.headers, reply.body)

    return ask


def told(session: WebSession, access_token: str) -> bytes:
    """Return what the page of a user says."""
    return f"{session.identity.subject} {bool(access_token)}".encode()


def _flask(settings: Settings, stack: ExitStack) -> Ask:
    flask, oidc, app = _flask_app(settings, stack)

    def me() -> Any:
        return flask.Response(told(oidc.session, oidc.tokens.fresh().access_token))

    app.add_url_rule(PAGE, view_func=oidc.required(me))
    return through_wsgi(app)


def _flask_awaited(settings: Settings, stack: ExitStack) -> Ask:
    flask, oidc, app = _flask_app(settings, stack)

    async def me() -> Any:
        return flask.Response(told(oidc.session, oidc.tokens.fresh().access_token))

    app.add_url_rule(PAGE, view_func=oidc.required(me))
    return through_wsgi(app)


def _flask_app(settings: Settings, stack: ExitStack) -> tuple[Any, Any, Any]:
    flask = import_module("flask")
    app = flask.Flask("application")
    app.config.update(settings)
    oidc = import_module("oidc_adapters.web.flask").Oidc(app)
    stack.callback(app.extensions["oidc"].close)
    return flask, oidc, app


def _starlette(settings: Settings, stack: ExitStack) -> Ask:
    oidc: Any = import_module("oidc_adapters.web.starlette").Oidc(settings)
    responses, routing = import_module("starlette.responses"), import_module("starlette.routing")

    async def me(request: Any) -> Any:
        session = await oidc.required(request)
        tokens = await oidc.tokens_of(session).fresh()
        return responses.Response(told(session, tokens.access_token))

    app = import_module("starlette.applications").Starlette(
        routes=[routing.Route(PAGE, me), *oidc.routes], exception_handlers=oidc.exception_handlers
    )
    return through_asgi(app, in_one_loop(stack, oidc.close))


def _fastapi(settings: Settings, stack: ExitStack) -> Ask:
    fastapi: Any = import_module("fastapi")
    oidc: Any = import_module("oidc_adapters.web.fastapi").Oidc(settings)
    app = fastapi.FastAPI(exception_handlers=oidc.exception_handlers)
    app.include_router(oidc.router)

    user_of, tokens_of = fastapi.Depends(oidc.user), fastapi.Depends(oidc.tokens)

    def me(user: Any = user_of, tokens: Any = tokens_of) -> Any:
        return fastapi.Response(told(user, tokens.access_token))

    app.get(PAGE)(me)
    return through_asgi(app, in_one_loop(stack, oidc.close))


def _django(settings: Settings, stack: ExitStack) -> Ask:
    _django_project(settings, stack)
    return through_wsgi(import_module("django.core.wsgi").get_wsgi_application())


def _django_awaited(settings: Settings, stack: ExitStack) -> Ask:
    _django_project(settings, stack)
    asgi = import_module("django.core.handlers.asgi")
    to_sync = import_module("asgiref.sync").async_to_sync

    async def awaited(asked: Coroutine[Any, Any, Reached]) -> Reached:
        return await asked

    # What waits runs in this thread, which has the database in its memory.
    return through_asgi(asgi.ASGIHandler(), to_sync(awaited))


def _django_project(settings: Settings, stack: ExitStack) -> None:
    """Put the settings into Django's own, which are global to a process, for a while."""
    overriding = import_module("tests.adapters.web.django.project").override_settings
    door = import_module("oidc_adapters.web.django.door").Door
    oidc = {name.removeprefix("OIDC_"): value for name, value in settings.items()}
    urls = "tests.interop.django_urls"
    stack.enter_context(overriding(OIDC=oidc, ROOT_URLCONF=urls, ALLOWED_HOSTS=["*"]))
    stack.callback(door.of_settings().web.close)


DOORS: Final = (
    Door(name="no framework", awaits=False, make=_plain),
    Door(name="no framework", awaits=True, make=_plain_awaited),
    Door(name="Flask", awaits=False, make=_flask),
    Door(name="Flask", awaits=True, make=_flask_awaited),
    Door(name="Django", awaits=False, make=_django),
    Door(name="Django", awaits=True, page="/awaited", make=_django_awaited),
    Door(name="Starlette", awaits=True, make=_starlette),
    Door(name="FastAPI", awaits=True, make=_fastapi),
)


def doors_table() -> str:
    """Draw which doors are tried at which providers."""
    heads = ("", *[tried.name for tried in TRIED])
    lines = [heads, ("---",) * len(heads)]
    lines += [(str(door), *["works"] * len(TRIED)) for door in DOORS]
    return "\n".join([f"| {' | '.join(line)} |" for line in lines])


if __name__ == "__main__":
    sys.stdout.write(f"{doors_table()}\n")
