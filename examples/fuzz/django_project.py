"""A Django project to fuzz: its settings, and how it gets into another world.

``settings.OIDC`` comes with each world.
"""

from collections.abc import Mapping
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.core.signals import setting_changed
from django.core.wsgi import get_wsgi_application

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "oidc_adapters.web.django.middleware.OidcMiddleware",
]


def create_app(*first: str) -> Any:
    """Return the only application of this process, with more middleware before its own."""
    settings.configure(
        SECRET_KEY="a key of this project alone, of 32 octets or more",
        ALLOWED_HOSTS=["app.example"],
        AUTHENTICATION_BACKENDS=["oidc_adapters.web.django.backends.OidcBackend"],
        CSRF_FAILURE_VIEW="examples.fuzz.django_urls.form_is_old",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oidc_adapters.web.django",
        ],
        LOGIN_URL="oidc:login",
        MIDDLEWARE=[*first, *MIDDLEWARE],
        OIDC={},
        ROOT_URLCONF="examples.fuzz.django_urls",
        SESSION_COOKIE_SECURE=True,
        SESSION_ENGINE="django.contrib.sessions.backends.cache",
    )
    django.setup()
    call_command("migrate", verbosity=0)
    return get_wsgi_application()


def enter(oidc: Mapping[str, Any]) -> None:
    """Put the project into a new world: no users, no sessions, other settings."""
    from django.contrib.auth.models import User
    from django.core.cache import cache

    settings.OIDC = dict(oidc)
    setting_changed.send(enter, setting="OIDC", value=settings.OIDC, enter=True)
    User.objects.all().delete()
    cache.clear()
