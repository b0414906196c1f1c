"""Applications for a server with several workers: each says which worker has answered."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ISSUER = "OIDC_TEST_ISSUER"
BASE = "OIDC_TEST_BASE"
FOLDER = "OIDC_TEST_FOLDER"
CLIENT_ID = "client-1"
CLIENT_SECRET = "a secret of the client"
SECRET = "a secret of this application, 32 octets or more"
APP = "oidc_adapters.web.django"


def _settings() -> dict[str, Any]:
    return {
        "ISSUER": os.environ[ISSUER],
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
        "REDIRECT_URI": f"{os.environ[BASE]}/callback",
        "RECORDS": f"{os.environ[FOLDER]}/oidc.db",
        "LOGIN_BY_GET": True,
    }


def django_application(*, migrate: bool = False) -> Callable[..., Any]:
    """Return a Django project."""
    from django.conf import settings
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    file = f"{os.environ[FOLDER]}/django.db"
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        AUTHENTICATION_BACKENDS=[f"{APP}.backends.OidcBackend"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": file}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            APP,
        ],
        LOGIN_URL="oidc:login",
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            f"{APP}.middleware.OidcMiddleware",
        ],
        OIDC=_settings(),
        ROOT_URLCONF="tests.processes.web_urls",
        SECRET_KEY=SECRET,
        USE_TZ=True,
    )
    application = get_wsgi_application()
    if migrate:
        call_command("migrate", verbosity=0)
    return application


def flask_application() -> Callable[..., Any]:
    """Return a Flask application."""
    from flask import Flask

    from oidc_adapters.web.flask import Oidc

    app = Flask(__name__)
    app.config |= {f"OIDC_{name}": value for name, value in _settings().items()}
    app.config["SECRET_KEY"] = SECRET
    oidc = Oidc(app)

    @oidc.required
    def page() -> str:
        return f"{os.getpid()} {bool(oidc.tokens.fresh().access_token)}"

    app.add_url_rule("/orders", view_func=page)
    return app
