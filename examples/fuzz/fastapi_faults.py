"""Five mistakes that people make, planted in a FastAPI application."""

import json
from collections.abc import AsyncIterable
from typing import cast
from urllib.parse import quote, unquote

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse, StreamingResponse
from starlette.middleware.base import RequestResponseEndpoint

CALLBACK = "/callback"


def plant(app: FastAPI, fault: str) -> FastAPI:
    """Plant a mistake in an application, and return it."""
    {
        "state not bound to the browser": unbound_state,
        "open redirect by next": open_redirect,
        "session kept across users": kept_session,
        "error page that leaks": telling_page,
        "endless restart": endless_restart,
    }[fault](app)
    return app


def unbound_state(app: FastAPI) -> None:
    """Keep login cookies on the server, for browsers that lose them."""
    kept: dict[str, str] = {}

    @app.middleware("http")
    async def bound_nowhere(request: Request, on: RequestResponseEndpoint) -> Response:
        if request.url.path == CALLBACK:
            cookie = "; ".join(map("=".join, {**kept, **request.cookies}.items())).encode()
            others = [each for each in request.scope["headers"] if each[0] != b"cookie"]
            request.scope["headers"] = [*others, (b"cookie", cookie)]
        response = await on(request)
        if request.url.path == "/login" and request.method == "POST":
            for header in response.headers.getlist("set-cookie"):
                name, _, value = header.partition(";")[0].partition("=")
                kept[name] = value
        return response


def open_redirect(app: FastAPI) -> None:
    """Go on to wherever a link says."""

    @app.middleware("http")
    async def go_on(request: Request, on: RequestResponseEndpoint) -> Response:
        to = request.query_params.get("next")
        return await on(request) if to is None else RedirectResponse(to)


def kept_session(app: FastAPI) -> None:
    """Remember the first user of a browser, in a cookie that no login and no logout ends."""

    @app.middleware("http")
    async def remember(request: Request, on: RequestResponseEndpoint) -> Response:
        if request.url.path != "/who":
            return await on(request)
        if "first" in request.cookies:
            return JSONResponse(json.loads(unquote(request.cookies["first"])))
        response = cast("StreamingResponse", await on(request))
        parts = cast("AsyncIterable[bytes]", response.body_iterator)
        body = b"".join([part async for part in parts])
        told = JSONResponse(json.loads(body), response.status_code)
        if isinstance(json.loads(body), list):
            told.set_cookie("first", quote(body.decode()), secure=True)
        return told


def telling_page(app: FastAPI) -> None:
    """Show the whole request in a header of an error, to make support easier."""

    @app.middleware("http")
    async def tell(request: Request, on: RequestResponseEndpoint) -> Response:
        response = await on(request)
        if response.status_code >= 400:
            response.headers["x-request"] = str(request.url)
        return response


def endless_restart(app: FastAPI) -> None:
    """Start the login again whenever one fails; links start logins here."""

    @app.middleware("http")
    async def again(request: Request, on: RequestResponseEndpoint) -> Response:
        response = await on(request)
        failed = request.url.path == CALLBACK and response.status_code >= 400
        return RedirectResponse("/login", 303) if failed else response
