"""A FastAPI application with a page for users who are logged in."""

import os
from typing import Annotated

from fastapi import Depends, FastAPI

from oidc_adapters.web.fastapi import Oidc, WebSession

oidc = Oidc(os.environ)  # OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, ...
app = FastAPI(exception_handlers=oidc.exception_handlers)
app.include_router(oidc.router)


@app.get("/")
async def index(user: Annotated[WebSession, Depends(oidc.user)]) -> str:
    """Greet the user."""
    return f"Hello {user.claims.get('name', 'there')}"
