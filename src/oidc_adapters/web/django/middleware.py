"""The middleware: it ends what a provider has ended, and answers errors of this library."""

from functools import partial
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject

from oidc_adapters.web.django.door import Door
from oidc_adapters.web.django.sessions import KEY, WATCHED
from oidc_adapters.web.django.views import failed
from oidc_core.wire.errors import OidcError, UsageError

_ASKS_ALWAYS: Final = "django.contrib.auth.middleware.LoginRequiredMiddleware"


class OidcMiddleware(MiddlewareMixin):
    """Makes ``request.user`` nobody as soon as the session has ended; after Django's own.

    It reads our record of the session when somebody asks for the user.  An error of this library
    in a view becomes a page, or JSON for a script.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Watch the session of a request."""
        setattr(request, WATCHED, True)
        lazy: Any = SimpleLazyObject(partial(_user, request))
        request.user = lazy
        request.auser = partial(sync_to_async(_evaluated), request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        """Answer if the store is away, where a later middleware asks for the user in any case."""
        if _ASKS_ALWAYS not in settings.MIDDLEWARE:
            return None
        try:
            _evaluated(request)
        except OidcError as error:
            return self.process_exception(request, error)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer an error of this library; a mistake in the code is left to Django."""
        if isinstance(exception, UsageError) or not isinstance(exception, OidcError):
            return None
        return failed(request, exception)


def _user(request: HttpRequest) -> Any:
    """Return the user of a request, whose session has not ended.

    Raises:
        StoreFailure: ``store_unavailable``.
    """
    if KEY in request.session:
        door = Door.of_settings()
        session = door.sessions.kept(request)
        if session is None or not door.web.knows(session):
            request.session.flush()
    return auth.get_user(request)


def _evaluated(request: HttpRequest) -> Any:
    """Return the user of a request, who is known afterwards."""
    user = request.user
    _ = user.is_authenticated
    return user
