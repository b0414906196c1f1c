"""Logins in a Litestar application: a dependency that needs a user, and one for tokens."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from examples.web.pages import LONGEST, greeting
from litestar import Litestar, Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse

from oidc_adapters.web import WebRequest, WebSession
from oidc_adapters.web.assembly import async_web_login_of
from oidc_adapters.web.logins import AsyncRoute
from oidc_core.model.records import Tokens
from oidc_core.wire.errors import OidcError
from oidc_core.wire.replies import Reply

Asked = Request[Any, Any, Any]


class Answer(Response[bytes]):
    """An answer of the routes, with all of its headers."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.body, status_code=reply.status)
        self.reply = reply

    def to_asgi_response(self, *_: object, **__: object) -> ASGIResponse:
        """Return the answer as it is sent."""
        reply = self.reply
        return ASGIResponse(body=reply.body, status_code=reply.status, headers=reply.headers)


class Answered(Exception):
    """A request whose answer is known before its handler is called."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def _route(path: str, route: AsyncRoute) -> HTTPRouteHandler:
    async def call(request: Asked) -> Response[bytes]:
        body = await request.body()
        return Answer(await route(WebRequest.of_asgi(dict(request.scope), body)))

    methods: list[Any] = ["GET", "POST"]
    decorate = HTTPRouteHandler(
        path, http_method=methods, request_max_body_size=LONGEST, include_in_schema=False
    )
    return decorate(call)


@get("/")
async def index(session: NamedDependency[WebSession]) -> Response[bytes]:
    """Greet the user."""
    return Answer(greeting(session, "/logout"))


@get("/tokens")
async def expiry(tokens: NamedDependency[Tokens]) -> dict[str, int | None]:
    """Say when the access token of the user expires."""
    return {"expires_at": tokens.expires_at}


def application(config: Mapping[str, Any]) -> Litestar:
    """Return the application, made of its settings."""
    web = async_web_login_of(config, folder=Path())

    async def session(request: Asked) -> WebSession:
        found = await web.required(WebRequest.of_asgi(dict(request.scope)))
        if isinstance(found, Reply):
            raise Answered(found)
        return found

    async def tokens(request: Asked, session: NamedDependency[WebSession]) -> Tokens:
        try:
            return await web.tokens(session).fresh()
        except OidcError as error:
            reply = await web.failed(WebRequest.of_asgi(dict(request.scope)), error)
            raise Answered(reply) from error

    async def close() -> None:
        await web.close()

    return Litestar(
        [index, expiry, *(_route(path, route) for path, route in web.routes().items())],
        dependencies={"session": Provide(session), "tokens": Provide(tokens)},
        exception_handlers={Answered: _answer},
        on_shutdown=[close],
    )


def _answer(_: Asked, error: Answered) -> Answer:
    return Answer(error.reply)


def from_environment() -> Litestar:
    """Return the application, made of the environment."""
    return application(os.environ)
