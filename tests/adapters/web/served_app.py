"""The application of `test_fastapi_served.py`; its settings come by the environment."""

import os
from typing import Annotated

from fastapi import Depends, FastAPI

from oidc_adapters.web.fastapi import Oidc, WebSession
from oidc_core.model.records import Tokens


def app() -> FastAPI:
    """Return the application of one worker."""
    oidc = Oidc({**os.environ, "OIDC_LOGIN_BY_GET": True})
    made = FastAPI(exception_handlers=oidc.exception_handlers)
    made.include_router(oidc.router)

    async def index(
        user: Annotated[WebSession, Depends(oidc.user)],
        tokens: Annotated[Tokens, Depends(oidc.tokens)],
    ) -> dict[str, object]:
        return {
            "sub": user.identity.subject,
            "token": bool(tokens.access_token),
            "pid": os.getpid(),
        }

    made.add_api_route("/orders", index)
    return made
