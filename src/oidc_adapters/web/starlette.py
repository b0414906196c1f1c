"""Logins in a Starlette application (``pip install oidc-core[starlette]``).

.. code-block:: python

    oidc = Oidc(os.environ)


    async def index(request: Request) -> PlainTextResponse:
        session = await oidc.required(request)
        return PlainTextResponse(f"Hello {session.claims.get('name', 'there')}")


    app = Starlette(
        routes=[Route("/", index), *oidc.routes],
        exception_handlers=oidc.exception_handlers,
        lifespan=oidc.lifespan,
    )

Sessions and tokens stay on the server; no ``SessionMiddleware`` is needed.  Nothing blocks the
event loop.  The routes check by themselves which site a form came from.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NoReturn, TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route

from oidc_adapters.clients.session_tokens import AsyncSessionTokens
from oidc_adapters.stores.records import AsyncRecords, for_awaiting
from oidc_adapters.web.assembly import async_web_login_of, records_of
from oidc_adapters.web.logins import AsyncRoute, AsyncWebLogin
from oidc_adapters.web.requests import WebRequest
from oidc_adapters.web.sessions import WebSession
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.wire.errors import OidcError
from oidc_core.wire.replies import Reply

View: TypeAlias = Callable[[Request], Awaitable[Response]]
ExceptionHandlers: TypeAlias = dict[
    int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]
]

_BODY: Final = 131_072
_NOTHING: Final = MappingProxyType[str, Any]({})


class LoginRequired(HTTPException):
    """A request needs a login, and has none.

    Attributes:
        reply: the answer: a redirect for a navigation, 401 with JSON for a script.
    """

    def __init__(self, reply: Reply) -> None:
        kept = {name: value for name, value in reply.headers if name != "content-type"}
        super().__init__(reply.status, headers=kept)
        self.reply = reply


class _Opened(NamedTuple):
    web: AsyncWebLogin
    routes: dict[str, AsyncRoute]
    records: AsyncRecords | None


class Oidc:
    """Logins in a Starlette application.

    It is made without a request to the provider.  If the provider is down, the application starts,
    and a login is answered with a page that says so.

    Args:
        config: the settings, see :func:`~oidc_adapters.web.assembly.web_login_of`; ``os.environ``
            will do.
        folder: where the SQLite file ``oidc.db`` is by default.
        root_path: what the application is mounted under, as browsers see it.
        web: the routes, put together by hand, in place of all settings; its maker closes it.

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
    ) -> None:
        self._config, self._folder, self._given = config, Path(folder), web
        self._root_path = root_path
        self._opened: _Opened | None = None
        self._views = {path: self._view(path) for path in self._open().routes}

    @property
    def web(self) -> AsyncWebLogin:
        """The routes of the kernel; if a lifespan has closed them, they are made once more."""
        return self._open().web

    @property
    def routes(self) -> list[Route]:
        """The routes of logins and logouts, to add to those of the application."""
        methods = ("GET", "POST")
        views = self._views.items()
        return [Route(p, v, methods=methods, include_in_schema=False) for p, v in views]

    @property
    def exception_handlers(self) -> ExceptionHandlers:
        """The answers to :class:`LoginRequired` and to every error of this library."""
        return {LoginRequired: self._challenged, OidcError: self._failed}

    @asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncGenerator[None]:
        """Close in the end what was made of the settings.  It never fails to start."""
        yield
        await self.close()

    async def close(self) -> None:
        """Close what was made of the settings; a further request makes it once more."""
        opened, self._opened = self._opened, None
        if opened is not None and self._given is None:
            await opened.web.close()
            if opened.records is not None:
                await opened.records.close()

    async def optional_user(self, connection: HTTPConnection) -> WebSession | None:
        """Return the session of a request, ``None`` without one.

        Raises:
            StoreFailure: ``store_unavailable``.
        """
        return await self.web.user(WebRequest.of_asgi(connection.scope))

    async def required(self, connection: HTTPConnection) -> WebSession:
        """Return the session of a request.

        Raises:
            LoginRequired: there is none; it is answered as the request can take it.
            StoreFailure: ``store_unavailable``.
        """
        found = await self.optional_user(connection)
        if found is None:
            raise LoginRequired(self.web.challenge(WebRequest.of_asgi(connection.scope)))
        return found

    async def step_up(self, request: Request, asked: AuthenticationRequest) -> NoReturn:
        """Ask for a login of another kind, as with a second factor; see :meth:`WebLogin.step_up`.

        A dependency may call it as well as a view.

        Raises:
            LoginRequired: always; it is answered as the request can take it.
            UsageError: ``config_invalid`` if it asks for an ``acr`` that no session keeps.
        """
        raise LoginRequired(await self.web.step_up(WebRequest.of_asgi(request.scope), asked))

    def tokens_of(self, session: WebSession) -> AsyncSessionTokens:
        """Return the tokens of a session: ask for ``fresh()`` ones before each use."""
        return self.web.tokens(session)

    def _open(self) -> "_Opened":
        if self._opened is None:
            web, made = self._given, None
            if web is None:
                records = records_of(self._config, self._folder)
                given = records is self._config.get("OIDC_RECORDS")
                made = None if given else for_awaiting(records)
                config = {**self._config, "OIDC_RECORDS": made or records}
                web = async_web_login_of(config, folder=self._folder, root_path=self._root_path)
            self._opened = _Opened(web, web.routes(self._root_path), made)
        return self._opened

    def _view(self, path: str) -> View:
        async def view(request: Request) -> Response:
            asked = WebRequest.of_asgi(request.scope, await _body(request))
            return _response(await self._open().routes[path](asked))

        return view

    async def _challenged(self, _: Request, error: LoginRequired) -> Response:
        return _response(error.reply)

    async def _failed(self, request: Request, error: OidcError) -> Response:
        return _response(await self.web.failed(WebRequest.of_asgi(request.scope), error))


async def _body(request: Request) -> bytes:
    """Return the octets of a body; a longer one than any route takes is refused."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _BODY:
            raise HTTPException(413)
    return body


def _response(reply: Reply) -> Response:
    response = Response(reply.body, reply.status)
    for name, value in reply.headers:
        response.headers.append(name, value)
    return response
