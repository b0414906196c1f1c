"""Logins in a FastAPI application (``pip install oidc-core[fastapi]``).

.. code-block:: python

    import os
    from typing import Annotated
    from fastapi import Depends, FastAPI
    from oidc_adapters.web.fastapi import Oidc, WebSession

    oidc = Oidc(os.environ)  # OIDC_ISSUER and so on
    app = FastAPI(exception_handlers=oidc.exception_handlers)
    app.include_router(oidc.router)


    @app.get("/")
    async def index(user: Annotated[WebSession, Depends(oidc.user)]) -> str:
        return f"Hello {user.claims.get('name', 'there')}"

Sessions and tokens stay on the server; no ``SessionMiddleware`` is needed.  Nothing blocks the
event loop.  In tests, ``app.dependency_overrides[oidc.user]`` takes another user.
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from fastapi.openapi.models import APIKey
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from oidc_adapters.web.logins import AsyncWebLogin
from oidc_adapters.web.sessions import WebSession
from oidc_adapters.web.starlette import LoginRequired
from oidc_adapters.web.starlette import Oidc as OidcRoutes
from oidc_core.model.records import Tokens

__all__ = ["LoginRequired", "Oidc", "User", "WebSession"]

_NOTHING: Final = MappingProxyType[str, Any]({})
_ABOUT: Final = "A session in a cookie; it begins at {login_path}."


class Oidc(OidcRoutes):
    """Logins in a FastAPI application, and all that Starlette's ``Oidc`` has.

    Attributes:
        router: the routes of logins and logouts; including it also closes the client in the end.
            Include it without a prefix: paths are settings.
        user: the dependency of an operation that needs a login: the session of the user.
        tokens: the dependency of an operation that uses an access token: fresh tokens of the user.

    Args:
        config: the settings, see :func:`~oidc_adapters.web.assembly.web_login_of`.
        folder: where the SQLite file ``oidc.db`` is by default.
        root_path: what the application is mounted under, as browsers see it.
        web: the routes, put together by hand, in place of all settings; its maker closes it.
        scheme_name: the name of the security scheme in the OpenAPI schema.

    Raises:
        UsageError: ``config_invalid``, naming the setting.
    """

    def __init__(
        self,
        config: Mapping[str, Any] = _NOTHING,
        *,
        folder: str | Path = ".",
        root_path: str = "",
        web: AsyncWebLogin | None = None,
        scheme_name: str = "oidc",
    ) -> None:
        super().__init__(config, folder=folder, root_path=root_path, web=web)
        self.user = User(self, scheme_name)
        self.tokens = _tokens_of(self)
        self.router = APIRouter(lifespan=self.lifespan, routes=list(self.routes))


class User(SecurityBase):
    """The session of the user, for ``Depends``, which also fills the OpenAPI schema in."""

    def __init__(self, oidc: OidcRoutes, scheme_name: str) -> None:
        self._oidc = oidc
        name = next(iter(oidc.web.cookie_names), "session")
        about = _ABOUT.format(login_path=oidc.web.setup.login_path)
        self.model = APIKey.model_validate({"in": "cookie", "name": name, "description": about})
        self.scheme_name = scheme_name

    async def __call__(self, connection: HTTPConnection) -> WebSession:
        """Return the session of a request, like :meth:`Oidc.required`."""
        return await self._oidc.required(connection)


def _tokens_of(oidc: Oidc) -> Callable[[WebSession], Awaitable[Tokens]]:
    async def tokens(session: Annotated[WebSession, Depends(oidc.user)]) -> Tokens:
        return await oidc.tokens_of(session).fresh()

    return tokens
