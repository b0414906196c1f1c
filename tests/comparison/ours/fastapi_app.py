"""The application with this library's door for FastAPI."""

import os
from importlib import import_module
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI

from oidc_adapters import Tokens
from oidc_adapters.web.fastapi import Oidc, WebSession

oidc = Oidc(vars(import_module("settings")))
app = FastAPI(exception_handlers=oidc.exception_handlers)
app.include_router(oidc.router)


@app.get("/")
async def index(user: Annotated[WebSession, Depends(oidc.user)]) -> str:
    return f"Hello {user.claims['name']}"


@app.get("/report")
async def report(tokens: Annotated[Tokens, Depends(oidc.tokens)]) -> Any:
    async with httpx.AsyncClient() as client:
        bearer = {"Authorization": f"Bearer {tokens.access_token}"}
        return (await client.get(os.environ["API"], headers=bearer)).json()
