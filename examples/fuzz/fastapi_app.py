"""A FastAPI application to fuzz: a page, and a route that says who is signed in."""

from collections.abc import Mapping
from html import escape
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse

from oidc_adapters.web.fastapi import Oidc, WebSession
from oidc_core.model.records import Tokens


def create_app(settings: Mapping[str, Any]) -> FastAPI:
    """Return the application, made of its settings."""
    oidc = Oidc(settings)
    app = FastAPI(exception_handlers=oidc.exception_handlers)
    app.include_router(oidc.router)

    async def index(user: Annotated[WebSession, Depends(oidc.user)]) -> HTMLResponse:
        return HTMLResponse(f"Hello {escape(str(user.claims.get('name', 'you')))}")

    async def tokens(fresh: Annotated[Tokens, Depends(oidc.tokens)]) -> HTMLResponse:
        return HTMLResponse(escape(" ".join(fresh.scope)))

    async def who(
        user: Annotated[WebSession | None, Depends(oidc.optional_user)],
    ) -> list[str] | None:
        return None if user is None else [user.identity.issuer, user.identity.subject]

    app.add_api_route("/", index)
    app.add_api_route("/tokens", tokens)
    app.add_api_route("/who", who)
    return app
