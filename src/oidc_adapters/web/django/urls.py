"""The routes, for ``include()`` under the root; their paths follow ``settings.OIDC``."""

from urllib.parse import urlsplit

from django.conf import settings
from django.urls import URLPattern, path

from oidc_adapters.web.django import views
from oidc_adapters.web.django.door import given
from oidc_adapters.web.web_setup import WebSetup
from oidc_core.wire.errors import UsageError

app_name = "oidc"


def routes() -> list[URLPattern]:
    """Return the routes of the settings.

    If a setting is wrong, some are there all the same: they say so when they are called, and
    ``manage.py check`` says so before.
    """
    try:
        held = given()
    except UsageError:
        held = {}
    default, ways = WebSetup(), (held.get("HOME", "/"), held.get("GOODBYE", "/"))
    callback, back = _path(held, "REDIRECT_URI"), _path(held, "POST_LOGOUT_REDIRECT_URI")
    found = (
        (held.get("LOGIN_PATH", default.login_path), views.login),
        (held.get("LOGOUT_PATH", default.logout_path), views.logout),
        ("/backchannel-logout", views.backchannel_logout),
        ("/frontchannel-logout", views.frontchannel_logout),
        (callback, views.callback),
        (None if back in ways else back, views.after_logout),
    )
    root = (settings.FORCE_SCRIPT_NAME or "").rstrip("/") + "/"
    made: list[URLPattern] = []
    for place, view in found:
        if isinstance(place, str):
            made.append(path(place.removeprefix(root).lstrip("/"), view, name=view.__name__))
    return made


def _path(held: dict[str, object], name: str) -> str | None:
    """Return the path of a URL of the settings."""
    url = held.get(name)
    return urlsplit(url).path if isinstance(url, str) else None


urlpatterns = routes()
