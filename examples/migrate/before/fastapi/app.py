"""A FastAPI application with Authlib's client for Starlette."""

import os
from typing import Annotated, Any

from authlib.integrations.starlette_client import OAuth, OAuthError
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware

TOKENS = {}  # a table of the database


async def fetch_token(_name, request):
    return TOKENS.get(request.session["user"]["sub"])


async def update_token(_name, token, refresh_token=None, **_found):
    for sub, known in TOKENS.items():
        if known["refresh_token"] == refresh_token:
            TOKENS[sub] = token


app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=os.environ["SECRET_KEY"])
oauth = OAuth(fetch_token=fetch_token, update_token=update_token)
oauth.register(
    "op",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=f"{os.environ['ISSUER']}/.well-known/openid-configuration",
    api_base_url=os.environ["API"],
    client_kwargs={
        "scope": "openid profile email offline_access",
        "code_challenge_method": "S256",
    },
)


def current_user(request: Request) -> dict[str, Any]:
    if "user" not in request.session:
        request.session["next"] = f"{request.url.path}?{request.url.query}"
        raise HTTPException(307, headers={"Location": "/login"})
    return request.session["user"]


User = Annotated[dict[str, Any], Depends(current_user)]


@app.get("/login")
async def login(request: Request):
    return await oauth.op.authorize_redirect(request, request.url_for("callback"))


@app.get("/callback")
async def callback(request: Request):
    try:
        token = await oauth.op.authorize_access_token(request)
    except OAuthError as error:
        return PlainTextResponse(f"Not logged in: {error.error}", 403)
    request.session["user"] = dict(token["userinfo"])
    TOKENS[token["userinfo"]["sub"]] = token
    return RedirectResponse(request.session.pop("next", "/"))


@app.post("/logout")
async def logout(request: Request):
    token = TOKENS.pop(request.session["user"]["sub"])
    request.session.clear()
    back = request.url_for("logged_out")
    return await oauth.op.logout_redirect(request, back, id_token_hint=token["id_token"])


@app.get("/logged-out")
async def logged_out(request: Request):
    await oauth.op.validate_logout_response(request)
    return RedirectResponse("/")


@app.get("/")
async def index():
    return HTMLResponse('<form method="post" action="/logout"><button>Log out</button></form>')


@app.get("/orders")
async def orders(user: User, page: str = "1"):
    return PlainTextResponse(f"{user['name']} ({user['sub']}), page {page}")


@app.get("/report")
async def report(request: Request, _user: User):
    return (await oauth.op.get("userinfo", request=request)).json()
