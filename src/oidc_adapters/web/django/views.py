"""The routes as views of Django, and functions for the views of a project."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Final, cast

from asgiref.sync import sync_to_async
from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException
from django.utils.encoding import escape_uri_path
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from oidc_adapters.clients.session_tokens import LEEWAY, SessionTokens
from oidc_adapters.web import answers
from oidc_adapters.web.django.door import Door
from oidc_adapters.web.django.sessions import serving
from oidc_adapters.web.logins import WebLogin
from oidc_adapters.web.pages import Page, WayOn
from oidc_adapters.web.requests import WebRequest
from oidc_adapters.web.sessions import WebSession
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.records import Tokens
from oidc_core.wire.errors import OidcError, UsageError
from oidc_core.wire.replies import Reply

View = Callable[..., Any]
_SET_COOKIE: Final = "set-cookie"


def oidc_session(request: HttpRequest) -> WebSession | None:
    """Return the session of a request, ``None`` for a user who did not log in by a provider.

    Raises:
        StoreFailure: ``store_unavailable``.
    """
    return Door.of_settings().sessions.of(request)


def oidc_tokens(request: HttpRequest) -> SessionTokens:
    """Return the tokens of the session: ask for ``fresh()`` ones before each use.

    Raises:
        UsageError: ``parameter_invalid`` without a session.
    """
    found = oidc_session(request)
    if found is None:
        expected = "a view with @oidc_required"
        raise UsageError("parameter_invalid", about="session", expected=expected)
    return Door.of_settings().web.tokens(found)


async def aoidc_session(request: HttpRequest) -> WebSession | None:
    """Return the session of a request, like :func:`oidc_session`."""
    return await sync_to_async(oidc_session)(request)


async def aoidc_tokens(request: HttpRequest) -> "AwaitedTokens":
    """Return the tokens of the session, like :func:`oidc_tokens`."""
    return AwaitedTokens(await sync_to_async(oidc_tokens)(request))


class AwaitedTokens:
    """The tokens of a session, for a view that awaits: each call runs in a thread."""

    __slots__ = ("_tokens",)

    def __init__(self, tokens: SessionTokens) -> None:
        self._tokens = tokens

    async def fresh(
        self,
        leeway: int = LEEWAY,
        *,
        refused: str | None = None,
        scope: str = "",
        resource: Sequence[str] = (),
    ) -> Tokens:
        """Return tokens whose access token is usable, like :meth:`SessionTokens.fresh`."""
        call = sync_to_async(self._tokens.fresh, thread_sensitive=False)
        return await call(leeway, refused=refused, scope=scope, resource=resource)


def oidc_step_up(request: HttpRequest, asked: AuthenticationRequest) -> HttpResponse:
    """Return the answer of a view that needs a login of another kind, as a second factor.

    A view that awaits calls it by ``sync_to_async``.

    Raises:
        UsageError: ``config_invalid`` if it asks for an ``acr`` that no session keeps.
    """
    return _answered(request, lambda wanted: Door.of_settings().web.step_up(wanted, asked))


def oidc_required(view: View) -> View:
    """Let a view be called for users who logged in by a provider; it may be a coroutine function.

    A navigation is sent to the login and comes back.  A script gets a 401 with the path of the
    login, and HTMX a header that leads there.  Django's ``login_required`` redirects them all.
    """
    if iscoroutinefunction(view):

        @wraps(view)
        async def aguarded(request: HttpRequest, *args: Any, **named: Any) -> Any:
            asks = await sync_to_async(_challenge)(request)
            return await view(request, *args, **named) if asks is None else asks

        return aguarded

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **named: Any) -> Any:
        asks = _challenge(request)
        return view(request, *args, **named) if asks is None else asks

    return guarded


def failed(request: HttpRequest, error: OidcError) -> HttpResponse:
    """Return the answer to an error of this library, as of ``fresh()``."""
    return _answered(request, lambda asked: Door.of_settings().web.failed(asked, error))


@login_not_required
@csrf_protect
def login(request: HttpRequest) -> HttpResponse:
    """Start a login.  Django's parameter ``next`` is taken for ``return_to``."""
    door = Door.of_settings()
    back = request.POST.get("next", request.GET.get("next", ""))
    hosts, secure = {request.get_host()}, request.is_secure()
    if not url_has_allowed_host_and_scheme(back, hosts, require_https=secure):
        return _answered(request, door.web.login)
    if request.method == "GET" and door.sessions.of(request) is not None:
        return _answered(request, lambda _: _not_for_this_user(door.web, back))
    return _answered(request, door.web.login, urlencode({"return_to": back}))


@login_not_required
@csrf_protect
def logout(request: HttpRequest) -> HttpResponse:
    """End the session here and at the provider; that of another backend ends here."""
    door = Door.of_settings()
    if request.method == "POST" and door.sessions.of(request) is None:
        auth.logout(request)
    return _answered(request, door.web.logout)


@login_not_required
@csrf_exempt
def callback(request: HttpRequest) -> HttpResponse:
    """Finish a login; by ``form_post`` the provider sends the form, which knows no token."""
    return _answered(request, Door.of_settings().web.callback)


@login_not_required
def after_logout(request: HttpRequest) -> HttpResponse:
    """Take the browser back from a logout at the provider."""
    return _answered(request, Door.of_settings().web.after_logout)


@login_not_required
@csrf_exempt
def backchannel_logout(request: HttpRequest) -> HttpResponse:
    """Take a logout token of the provider, which knows no token against CSRF."""
    return _answered(request, Door.of_settings().web.backchannel_logout)


@login_not_required
@xframe_options_exempt
def frontchannel_logout(request: HttpRequest) -> HttpResponse:
    """Take the request of a frame of the provider."""
    return _answered(request, Door.of_settings().web.frontchannel_logout)


def _challenge(request: HttpRequest) -> HttpResponse | None:
    """Return the answer that asks for a login, ``None`` for somebody who has logged in."""
    if oidc_session(request) is not None:
        return None
    return _answered(request, Door.of_settings().web.challenge)


def _not_for_this_user(web: WebLogin, back: str) -> Reply:
    """Show a page where Django sent a user who has logged in to the login again.

    A redirect would go round in circles: the page that was asked for refuses this user.
    """
    form = web.setup.form_fields()
    leave = WayOn(label="Log out", url=web.setup.logout_path, method="post", fields=form)
    ways = (WayOn(label="Try the page again", url=back), leave)
    text = "You are logged in, and the page that you asked for is not open to you."
    page = Page(status=403, title="This page is not for you", text=text, ways=ways)
    return answers.shown(page, web.setup.draw)


def _answered(
    request: HttpRequest, route: Callable[[WebRequest], Reply], more: str = ""
) -> HttpResponse:
    """Return the answer of a route, with more parameters in the query if there are any."""
    body = b""
    if request.method == "POST":
        with suppress(RawPostDataException):  # a multipart form: no route takes one
            body = request.body
    query = "&".join(filter(None, (request.META.get("QUERY_STRING", ""), more)))
    headers = cast("dict[str, str]", request.headers).items()
    path = escape_uri_path(request.path)
    asked = WebRequest.of(request.method or "GET", path, query=query, headers=headers, body=body)
    with serving(request):
        reply = route(asked)
    response = HttpResponse(reply.body, status=reply.status)
    for name, value in reply.headers:
        if name.lower() == _SET_COOKIE:
            response.cookies.load(value)
        else:
            response[name] = value
    return response
