"""Logins in an aiohttp application: a handler that needs a user, and answers to errors."""

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web as http
from examples.web.pages import LONGEST, greeting
from multidict import CIMultiDict

from oidc_adapters.web import AsyncWebLogin, WebRequest
from oidc_adapters.web.assembly import async_web_login_of
from oidc_adapters.web.logins import AsyncRoute
from oidc_core.wire.errors import OidcError
from oidc_core.wire.replies import Reply

Handler = Callable[[http.Request], Awaitable[http.StreamResponse]]
LOGINS = http.AppKey("logins", AsyncWebLogin)


async def index(request: http.Request) -> http.Response:
    """Greet the user."""
    logins = request.app[LOGINS]
    session = await logins.required(await _asked(request))
    if isinstance(session, Reply):
        return _response(session)
    return _response(greeting(session, logins.setup.logout_path))


async def expiry(request: http.Request) -> http.Response:
    """Say when the access token of the user expires."""
    logins = request.app[LOGINS]
    session = await logins.required(await _asked(request))
    if isinstance(session, Reply):
        return _response(session)
    tokens = await logins.tokens(session).fresh()
    return http.json_response({"expires_at": tokens.expires_at})


def application(config: Mapping[str, Any]) -> http.Application:
    """Return the application, made of its settings."""
    app = http.Application(client_max_size=LONGEST, middlewares=[_answering])
    logins = app[LOGINS] = async_web_login_of(config, folder=Path())
    app.router.add_get("/", index)
    app.router.add_get("/tokens", expiry)
    for path, route in logins.routes().items():
        handler = _handler(route)
        app.router.add_get(path, handler)
        app.router.add_post(path, handler)
    app.on_cleanup.append(_close)
    return app


@http.middleware
async def _answering(request: http.Request, handler: Handler) -> http.StreamResponse:
    """Answer an error of a client with a page, or with JSON for a script."""
    try:
        return await handler(request)
    except OidcError as error:
        return _response(await request.app[LOGINS].failed(await _asked(request), error))


def _handler(route: AsyncRoute) -> Handler:
    async def handle(request: http.Request) -> http.StreamResponse:
        return _response(await route(await _asked(request)))

    return handle


async def _asked(request: http.Request) -> WebRequest:
    url = request.rel_url
    return WebRequest.of(
        request.method,
        url.raw_path,
        query=url.raw_query_string,
        headers=request.headers.items(),
        body=await request.read(),
    )


def _response(reply: Reply) -> http.Response:
    return http.Response(status=reply.status, body=reply.body, headers=CIMultiDict(reply.headers))


async def _close(app: http.Application) -> None:
    await app[LOGINS].close()


if __name__ == "__main__":
    http.run_app(application(os.environ), host="127.0.0.1", port=8000)
