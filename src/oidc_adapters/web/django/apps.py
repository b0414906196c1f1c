"""The application, for ``INSTALLED_APPS``."""

from contextlib import suppress
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_out
from django.core.checks import register
from django.core.signals import setting_changed
from django.urls import clear_url_caches

from oidc_adapters.web.django.door import Door
from oidc_core.wire.errors import OidcError


class OidcConfig(AppConfig):
    """The application: it registers the checks, and listens to logouts that Django does itself."""

    name = "oidc_adapters.web.django"
    label = "oidc"
    verbose_name = "OpenID Connect"

    def ready(self) -> None:
        """Register checks and receivers."""
        from oidc_adapters.web.django.checks import check_settings

        register(check_settings)
        user_logged_out.connect(_left, dispatch_uid=self.name)
        setting_changed.connect(_changed, dispatch_uid=self.name)


def _left(request: Any = None, **_: object) -> None:
    """End the session of a user who leaves through Django's own logout, as of the admin."""
    if hasattr(request, "session"):
        with suppress(OidcError):
            door = Door.of_settings()
            session = door.sessions.left(request)
            if session is not None and session.grant_id:
                door.web.tokens(session).end()


def _changed(setting: str, **_: object) -> None:
    """Read the settings again after a test has overridden one."""
    from oidc_adapters.web.django import urls

    Door.forget()
    if setting == "OIDC":
        urls.urlpatterns[:] = urls.routes()
        clear_url_caches()
