"""A FastAPI application with oidc-core."""

import os
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse, PlainTextResponse

from oidc_adapters import Tokens
from oidc_adapters.web.fastapi import Oidc, WebSession

oidc = Oidc(os.environ)  # OIDC_ISSUER, OIDC_CLIENT_ID, and so on
app = FastAPI(exception_handlers=oidc.exception_handlers)
app.include_router(oidc.router)

User = Annotated[WebSession, Depends(oidc.user)]


@app.get("/")
async def index() -> HTMLResponse:
    return HTMLResponse('<form method="post" action="/logout"><button>Log out</button></form>')


@app.get("/orders")
async def orders(user: User, page: str = "1") -> PlainTextResponse:
    name = user.claims.get("name", "")
    return PlainTextResponse(f"{name} ({user.identity.subject}), page {page}")


@app.get("/report")
async def report(tokens: Annotated[Tokens, Depends(oidc.tokens)]) -> Any:
    bearer = {"Authorization": f"Bearer {tokens.access_token}"}
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{os.environ['API']}userinfo", headers=bearer)).json()
