"""The checks of ``manage.py check``: each names a setting and says what to do."""

from collections.abc import Iterator
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Warned
from django.urls import Resolver404, resolve

from oidc_adapters.web.django.door import Door, given
from oidc_core.wire.errors import UsageError

_MIDDLEWARE: Final = "oidc_adapters.web.django.middleware.OidcMiddleware"
_USERS: Final = "django.contrib.auth.middleware.AuthenticationMiddleware"
_BACKEND: Final = "oidc_adapters.web.django.backends.OidcBackend"
_URLS: Final = "oidc_adapters.web.django.urls"


def check_settings(**_: object) -> list[CheckMessage]:
    """Judge the settings of a project, without a request to the provider."""
    found = [*_parts(), *_session(), *_users()]
    try:
        door = Door.of_settings()
    except UsageError as error:
        return [Error(f"OIDC: {error}", hint=error.hint, id="oidc.E001"), *found]
    setup = door.web.setup
    for path in (setup.login_path, setup.logout_path, *door.web.callback_paths):
        if not _leads_here(path):
            hint = f'Add path("", include("{_URLS}")) to the URLs of the project.'
            found.append(Error(f"No view of this app is at {path}.", hint=hint, id="oidc.E004"))
    return found


def _parts() -> Iterator[CheckMessage]:
    """Look for the middleware and the backend."""
    middleware = [*settings.MIDDLEWARE]
    if _MIDDLEWARE not in middleware:
        hint = f'Add "{_MIDDLEWARE}" after "{_USERS}".'
        yield Error("MIDDLEWARE lacks what ends sessions.", hint=hint, id="oidc.E002")
    elif _USERS in middleware and middleware.index(_USERS) > middleware.index(_MIDDLEWARE):
        hint = f'Put "{_MIDDLEWARE}" after "{_USERS}".'
        yield Error("MIDDLEWARE has a wrong order.", hint=hint, id="oidc.E002")
    if _BACKEND not in settings.AUTHENTICATION_BACKENDS:
        hint = f'Add "{_BACKEND}".'
        yield Error("AUTHENTICATION_BACKENDS has no backend.", hint=hint, id="oidc.E003")


def _session() -> Iterator[CheckMessage]:
    """Look at the cookie of Django's session."""
    if settings.SESSION_COOKIE_SAMESITE == "Strict":
        said = 'SESSION_COOKIE_SAMESITE is "Strict".'
        hint = 'Say "Lax": a browser that comes back from the provider does not send the cookie.'
        yield Error(said, hint=hint, id="oidc.E005")


def _users() -> Iterator[CheckMessage]:
    """Look at the model of users."""
    kind: Any = get_user_model()
    try:
        own = "USER_OF" in given()
    except UsageError:
        own = True
    if not own and kind.get_email_field_name() == kind.USERNAME_FIELD:
        said = "Users are named by their e-mail addresses, and this app names them by a digest."
        hint = "Say in OIDC['USER_OF'] which user an issuer and subject have."
        yield Warned(said, hint=hint, id="oidc.W001")


def _leads_here(path: str) -> bool:
    """Return whether a path leads to a view of this app."""
    root = (settings.FORCE_SCRIPT_NAME or "").rstrip("/")
    try:
        return resolve(path.removeprefix(root)).app_name == "oidc"
    except Resolver404:
        return False
