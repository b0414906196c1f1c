"""Logins in a Flask application (``pip install oidc-core[flask]``).

.. code-block:: python

    app = Flask(__name__)
    app.config.from_prefixed_env()  # FLASK_OIDC_ISSUER and so on
    oidc = Oidc(app)


    @app.get("/")
    @oidc.required
    def index() -> str:
        return f"Hello {escape(oidc.session.claims.get('name', 'there'))}"

Sessions and tokens stay on the server; Flask's own ``session`` is not used.  The routes check by
themselves which site a form came from.  With Flask-WTF say ``csrf.exempt(oidc.blueprint)``: a
provider that calls knows no token of yours.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, cast

from flask import Blueprint, Flask, Response, after_this_request, current_app, request

from oidc_adapters.clients.session_tokens import SessionTokens
from oidc_adapters.web.assembly import web_login_of
from oidc_adapters.web.logins import Route, WebLogin
from oidc_adapters.web.requests import WebRequest
from oidc_adapters.web.sessions import WebSession
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.wire.errors import OidcError, UsageError
from oidc_core.wire.replies import Reply

A = ParamSpec("A")
R = TypeVar("R")

_KEPT: Final = "oidc_session"
_NAME: Final = "oidc"
_BODY: Final = 131_072


class Oidc:
    """Logins in a Flask application.

    The settings are in ``app.config``, see :func:`~oidc_adapters.web.assembly.web_login_of`; by
    default ``OIDC_RECORDS`` is ``oidc.db`` in the instance folder, and ``OIDC_SECRET`` is the
    ``SECRET_KEY``.

    The provider calls ``/backchannel-logout`` and ``/frontchannel-logout``.

    Args:
        app: the application; without one call :meth:`init_app`.
        web: the routes, put together by hand, in place of all settings but the paths.
    """

    def __init__(self, app: Flask | None = None, *, web: WebLogin | None = None) -> None:
        self._given = web
        self.blueprint = Blueprint(_NAME, __name__)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Add the routes to an application.

        Raises:
            UsageError: ``config_invalid``, naming the setting.
        """
        config = cast("dict[str, Any]", app.config)
        root = str(config.get("APPLICATION_ROOT") or "/")
        folder = Path(app.instance_path)
        web = self._given or web_login_of(config, folder=folder, root_path=root)
        app.extensions[_NAME] = web
        blueprint = self.blueprint = Blueprint(_NAME, __name__)
        for place, (path, route) in enumerate(web.routes(root).items()):
            endpoint = f"route_{place}"
            blueprint.add_url_rule(path, endpoint, _view(route), methods=("GET", "POST"))
        app.register_blueprint(blueprint)
        app.register_error_handler(OidcError, _failed)

    @property
    def user(self) -> WebSession | None:
        """The session of the current request, ``None`` without one.

        Raises:
            StoreFailure: ``store_unavailable``.
        """
        asked = cast("Any", request)  # `g` may live longer: an application may push its context
        if not hasattr(asked, _KEPT):
            after_this_request(_varied)
            setattr(asked, _KEPT, _web().user(_asked()))
        return cast("WebSession | None", getattr(asked, _KEPT))

    @property
    def session(self) -> WebSession:
        """The session of the current request, in a view that is :meth:`required` to have one.

        Raises:
            UsageError: ``parameter_invalid`` without a session.
        """
        found = self.user
        if found is None:
            expected = "a view with @oidc.required"
            raise UsageError("parameter_invalid", about="session", expected=expected)
        return found

    @property
    def tokens(self) -> SessionTokens:
        """The tokens of the session: ask for ``fresh()`` ones before each use.

        It fails as :attr:`session` does.
        """
        return _web().tokens(self.session)

    def step_up(self, asked: AuthenticationRequest) -> Response:
        """Return the answer of a view that needs a login of another kind, as a second factor."""
        return _response(_web().step_up(_asked(), asked))

    def required(self, view: Callable[A, R]) -> Callable[A, R | Response]:
        """Let a view be called for users who are logged in; it may be a coroutine function."""

        @wraps(view)
        def guarded(*args: A.args, **named: A.kwargs) -> R | Response:
            if self.user is None:
                return _response(_web().challenge(_asked()))
            called = cast("Callable[A, R]", current_app.ensure_sync(view))
            return called(*args, **named)

        return guarded


def _web() -> WebLogin:
    return cast("WebLogin", current_app.extensions[_NAME])


def _asked(body: bytes = b"") -> WebRequest:
    return WebRequest.of_wsgi(cast("Mapping[str, object]", request.environ), body)


def _varied(response: Response) -> Response:
    """Tell caches that the answer depends on the cookie, as Flask's own session does."""
    response.vary.add("Cookie")
    return response


def _view(route: Route) -> Callable[[], Response]:
    def view() -> Response:
        request.max_content_length = _BODY
        return _response(route(_asked(request.get_data(cache=False))))

    return view


def _failed(error: OidcError) -> Response:
    return _response(_web().failed(_asked(), error))


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, list(reply.headers))
