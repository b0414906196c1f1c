"""The application with Authlib's client for Starlette, in the way of its documentation."""

from __future__ import annotations

from typing import Any

import settings
from authlib.integrations.starlette_client import OAuth, OAuthError
from starlette.applications import Starlette
from starlette.config import Config
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Route

TOKENS: dict[str, Any] = {}  # in place of the table of the documentation


async def fetch_token(_name: str, request: Request) -> Any:
    return TOKENS.get(request.session["user"]["sub"])


async def update_token(_name: str, token: Any, refresh_token: str = "", **_found: str) -> None:
    for sub, known in TOKENS.items():
        if known["refresh_token"] == refresh_token:
            TOKENS[sub] = token


oauth = OAuth(
    Config(environ=settings.ENVIRONMENT), fetch_token=fetch_token, update_token=update_token
)
oauth.register("op", client_kwargs=settings.OP_CLIENT_KWARGS)


async def index(request: Request) -> Any:
    if "user" not in request.session:
        return RedirectResponse(request.url_for("login"))
    return PlainTextResponse(f"Hello {request.session['user']['name']}")


async def login(request: Request) -> Any:
    return await oauth.op.authorize_redirect(request, request.url_for("callback"))


async def callback(request: Request) -> Any:
    try:
        token = await oauth.op.authorize_access_token(request)
    except OAuthError as error:
        return HTMLResponse(f"<h1>{error.error}</h1>")
    request.session["user"] = dict(token["userinfo"])
    TOKENS[token["userinfo"]["sub"]] = token
    return RedirectResponse(request.url_for("index"))


async def report(request: Request) -> Any:
    answer = await oauth.op.get("userinfo", request=request)
    return JSONResponse(answer.json())


app = Starlette(
    routes=[
        Route("/", index),
        Route("/login", login),
        Route("/callback", callback),
        Route("/report", report),
    ],
    middleware=[Middleware(SessionMiddleware, secret_key=settings.SECRET_KEY)],
)
