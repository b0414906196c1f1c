"""Sessions of browsers in Django's own sessions.

Theory of operation.  Django's session has the name of ours, and Django's cookie brings it.  The
name is public.  Our record has the rest: it says that the session has begun, and whether it
has ended.  So the provider can end a session that no request has brought, with each of Django's
session engines.  Login, rotation, expiry and signals are Django's.
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final

from django.contrib import auth
from django.http import HttpRequest

from oidc_adapters.web.record_sessions import RecordSessions
from oidc_adapters.web.requests import WebRequest
from oidc_adapters.web.sessions import WebSession, as_account
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.errors import OidcError, UsageError

KEY: Final = "oidc_session"
"""The key in Django's session under which the name of ours is."""

WATCHED: Final = "oidc_watched"
"""The attribute of a request that the middleware watches."""

_CACHED: Final = "oidc_cached_session"
_REQUEST: ContextVar[HttpRequest] = ContextVar("oidc_request")
_LOG: Final = logging.getLogger("oidc_adapters.web.django")


@contextmanager
def serving(request: HttpRequest) -> Generator[None]:
    """Let the sessions use a request of Django's as long as the routes answer it."""
    token = _REQUEST.set(request)
    try:
        yield
    finally:
        _REQUEST.reset(token)


def current() -> HttpRequest:
    """Return the request that the routes answer.

    Raises:
        UsageError: ``parameter_invalid`` outside of one.
    """
    found = _REQUEST.get(None)
    if found is None:
        raise UsageError("parameter_invalid", about="request", expected="a request of Django's")
    return found


class DjangoSessions:
    """Sessions of browsers in Django's own sessions.

    Args:
        records: says which sessions have begun and not ended.
    """

    __slots__ = ("_records",)

    def __init__(self, records: RecordSessions) -> None:
        self._records = records

    def reserve(self) -> str:
        """Return a new name for a session."""
        return self._records.reserve()

    def begin(self, session: WebSession, replaced: WebSession | None, /) -> tuple[SetCookie, ...]:
        """Log the user in at Django, under a new key of Django's session.

        Raises:
            CallbackError: ``session_ended``, or ``account_refused`` for a user without an account.
            UsageError: ``config_invalid`` without the middleware, which ends sessions.
        """
        request = current()
        if not hasattr(request, WATCHED):
            expected = "oidc_adapters.web.django.middleware.OidcMiddleware in it"
            error = UsageError("config_invalid", about="MIDDLEWARE", expected=expected)
            _LOG.error("%s", error)
            raise error
        try:
            self._log_in(request, session, replaced)
        except OidcError:
            raise
        except Exception:
            _LOG.exception("the login of a user failed at Django")
            request.session.flush()
            raise
        return ()

    def _log_in(
        self, request: HttpRequest, session: WebSession, replaced: WebSession | None
    ) -> None:
        user = auth.authenticate(request, identity=session.identity, claims=session.claims)
        user = as_account(user)
        self._records.begin(session, replaced)
        if auth.SESSION_KEY in request.session:
            request.session.cycle_key()  # Django does so only for users who were nobody before
        auth.login(request, user)
        request.session[KEY] = session.session_id

    def read(self, request: WebRequest, /) -> WebSession | None:
        """Return the session of the request that the routes answer."""
        del request
        return self.of(current())

    def of(self, request: HttpRequest) -> WebSession | None:
        """Return the session of a request of Django's, ``None`` without one or without a user.

        Raises:
            StoreFailure: ``store_unavailable``.
        """
        return self.kept(request) if request.user.is_authenticated else None

    def kept(self, request: HttpRequest) -> WebSession | None:
        """Return the session that Django's session names, whether or not there is a user."""
        name: object = request.session.get(KEY)
        if not isinstance(name, str):
            return None
        cached: WebSession | None = getattr(request, _CACHED, None)
        if cached is None or cached.session_id != name:
            cached = self.named(name)
            setattr(request, _CACHED, cached)
        return cached

    def named(self, session_id: str) -> WebSession | None:
        """Return the session of a name, ``None`` if it has ended.

        Raises:
            StoreFailure: ``store_unavailable``.
        """
        return self._records.named(session_id)

    def end(self, session_id: str, /) -> None:
        """End a session; if the request has brought it, Django's ends too."""
        self._records.end(session_id)
        request: Any = _REQUEST.get(None)
        if request is not None and request.session.get(KEY) == session_id:
            del request.session[KEY]
            auth.logout(request)

    def left(self, request: HttpRequest) -> WebSession | None:
        """End the session of a user who leaves through Django's own logout, and return it."""
        found: WebSession | None = None
        with suppress(OidcError):
            found = self.kept(request)
            name = request.session.pop(KEY, None)
            if isinstance(name, str):
                self._records.end(name)
        return found

    def forgotten(self) -> tuple[SetCookie, ...]:
        """Return no cookie: Django removes its own."""
        return ()
