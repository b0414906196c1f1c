"""Logins in a plain WSGI application."""

import os
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from examples.web.pages import LONGEST, greeting

from oidc_adapters.web import WebRequest
from oidc_adapters.web.assembly import web_login_of
from oidc_core.wire.replies import Reply

Start = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[dict[str, Any], Start], Iterable[bytes]]


def application(config: Mapping[str, Any]) -> Application:
    """Return the application, made of its settings."""
    web = web_login_of(config, folder=Path())
    routes = web.routes()

    def page(request: WebRequest) -> Reply:
        session = web.required(request)
        if isinstance(session, Reply):
            return session
        return greeting(session, web.setup.logout_path)

    def serve(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > LONGEST:
            reply = Reply(status=413)
        else:
            request = WebRequest.of_wsgi(environ, environ["wsgi.input"].read(length))
            reply = routes.get(environ.get("PATH_INFO") or "/", page)(request)
        phrase = HTTPStatus(reply.status).phrase
        start(
            f"{reply.status} {phrase}", [*reply.headers, ("content-length", f"{len(reply.body)}")]
        )
        return [reply.body if environ["REQUEST_METHOD"] != "HEAD" else b""]

    return serve


def from_environment() -> Application:
    """Return the application, made of the environment."""
    return application(os.environ)
