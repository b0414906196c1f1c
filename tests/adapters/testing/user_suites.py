"""Beginnings of test suites of users: an application of each framework, and its client."""

from typing import Final

FLASK: Final = """
    import pytest
    from flask import Flask
    from oidc_adapters.web.flask import Oidc

    pytest_plugins = ["oidc_adapters.testing.pytest_plugin"]

    @pytest.fixture
    def client(oidc_settings):
        app = Flask(__name__)
        app.config |= oidc_settings
        oidc = Oidc(app)

        @app.get("/orders")
        @oidc.required
        def orders():
            return f"Hello {oidc.session.claims['name']}"

        return app.test_client()
"""
WHY: Final = (
    "the login failed: 502 ",
    "Code: iat_in_future",
    "/favicon.ico does not lead to a login: 404",
    "the login failed: 50",
    "config_invalid",
    "parameter_invalid",
)
FASTAPI: Final = """
    from typing import Annotated

    import pytest
    from fastapi import Depends, FastAPI
    from fastapi.testclient import TestClient
    from oidc_adapters.web.fastapi import Oidc, WebSession

    pytest_plugins = ["oidc_adapters.testing.pytest_plugin"]

    @pytest.fixture
    def client(async_oidc_settings):
        oidc = Oidc(async_oidc_settings)
        app = FastAPI(exception_handlers=oidc.exception_handlers)
        app.include_router(oidc.router)

        @app.get("/orders")
        async def orders(user: Annotated[WebSession, Depends(oidc.user)]) -> str:
            return f"Hello {user.claims['name']}"

        with TestClient(app) as client:
            yield client
"""
DJANGO: Final = """
    import sys
    import django
    import pytest
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.http import HttpResponse
    from django.test import Client, override_settings
    from django.urls import include, path

    pytest_plugins = ["oidc_adapters.testing.pytest_plugin"]

    settings.configure(
        SECRET_KEY="a secret of the project, of 32 octets or more",
        ALLOWED_HOSTS=["testserver"],
        ROOT_URLCONF="conftest",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oidc_adapters.web.django",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "oidc_adapters.web.django.middleware.OidcMiddleware",
        ],
        AUTHENTICATION_BACKENDS=["oidc_adapters.web.django.backends.OidcBackend"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        OIDC={},
    )
    django.setup()
    call_command("migrate", verbosity=0)

    from oidc_adapters.web.django import oidc_required, oidc_session

    @oidc_required
    def orders(request):
        return HttpResponse(f"Hello {oidc_session(request).claims['name']}")

    @pytest.fixture
    def client(django_oidc_settings):
        with override_settings(OIDC=django_oidc_settings):
            yield Client()

    urlpatterns = [path("orders", orders), path("", include("oidc_adapters.web.django.urls"))]
"""
DOORS: Final = {"django": DJANGO, "fastapi": FASTAPI, "flask": FLASK}
