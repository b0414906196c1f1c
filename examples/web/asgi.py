"""Logins in a plain ASGI application."""

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from examples.web.pages import LONGEST, greeting

from oidc_adapters.web import AsyncWebLogin, WebRequest
from oidc_adapters.web.assembly import async_web_login_of
from oidc_core.wire.replies import Reply

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


def application(config: Mapping[str, Any]) -> Application:
    """Return the application, made of its settings."""
    web = async_web_login_of(config, folder=Path())
    routes = web.routes()

    async def page(request: WebRequest) -> Reply:
        session = await web.required(request)
        if isinstance(session, Reply):
            return session
        return greeting(session, web.setup.logout_path)

    async def serve(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(web, receive, send)
            return
        if scope["type"] != "http":
            return
        body = await _body(receive)
        if body is None:
            reply = Reply(status=413)
        else:
            request = WebRequest.of_asgi(scope, body)
            reply = await routes.get(scope["path"], page)(request)
        headers = [*reply.headers, ("content-length", f"{len(reply.body)}")]
        raw = [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        await send({"type": "http.response.body", "body": reply.body})

    return serve


async def _body(receive: Receive) -> bytes | None:
    """Return the body of a request, ``None`` for one that is too long."""
    body, more = b"", True
    while more and len(body) <= LONGEST:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body if len(body) <= LONGEST else None


async def _live(web: AsyncWebLogin, receive: Receive, send: Send) -> None:
    """Start without the provider, and close the client in the end."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await web.close()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def from_environment() -> Application:
    """Return the application, made of the environment."""
    return application(os.environ)
