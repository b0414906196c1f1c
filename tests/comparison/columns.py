"""The columns of the table: how each application is set up, and a provider that all log in at."""

from __future__ import annotations

import os
import runpy
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from attrs import define, field

from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.testing import FakeClient, FakeProvider, ServedProvider, serve
from oidc_core.wire.http import Answer, HttpResponse, WireRequest
from tests.comparison.browser import Browser
from tests.comparison.sites import AsgiSite, Site, WsgiSite

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping


HERE: Final = Path(__file__).parent
CLIENT: Final = FakeClient(redirect_uris=("http://localhost/callback",))
SECRET: Final = "a secret of the compared applications, of 32 octets or more"
SCOPE: Final = "openid profile email offline_access"
WRONG: Final = "not the secret that the provider knows of this client"

LATENCY: Final = 0.1
"""Seconds."""

Settings = dict[str, Any]


def ours(issuer: str, secret: str, folder: Path) -> Settings:
    """Return the settings of this library."""
    return {
        "OIDC_ISSUER": issuer,
        "OIDC_CLIENT_ID": CLIENT.client_id,
        "OIDC_CLIENT_SECRET": secret,
        "OIDC_REDIRECT_URI": CLIENT.redirect_uris[0],
        "OIDC_SCOPE": SCOPE,
        "OIDC_RECORDS": str(folder / "oidc.db"),
        "OIDC_LOGIN_BY_GET": True,
        "SECRET_KEY": SECRET,
    }


def ours_django(issuer: str, secret: str, folder: Path) -> Settings:
    """Return the settings of a Django project with this library."""
    named = ours(issuer, secret, folder)
    return {
        "OIDC": {
            name.removeprefix("OIDC_"): value
            for name, value in named.items()
            if name.startswith("OIDC_")
        },
        "INSTALLED_APPS": [
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oidc_adapters.web.django",
        ],
        "MIDDLEWARE": [
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "oidc_adapters.web.django.middleware.OidcMiddleware",
        ],
        "AUTHENTICATION_BACKENDS": ["oidc_adapters.web.django.backends.OidcBackend"],
        "DATABASES": {
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "users.db")}
        },
        "SECRET_KEY": SECRET,
    }


def authlib(issuer: str, secret: str, _folder: Path) -> Settings:
    """Return the settings of Authlib, as its clients for Flask and Starlette read them."""
    named = {
        "OP_CLIENT_ID": CLIENT.client_id,
        "OP_CLIENT_SECRET": secret,
        "OP_SERVER_METADATA_URL": f"{issuer}/.well-known/openid-configuration",
        "OP_API_BASE_URL": f"{issuer}/",
    }
    asked = {"scope": SCOPE, "code_challenge_method": "S256"}
    return {**named, "ENVIRONMENT": named, "OP_CLIENT_KWARGS": asked, "SECRET_KEY": SECRET}


def authlib_django(issuer: str, secret: str, folder: Path) -> Settings:
    """Return the settings of a Django project with Authlib."""
    flat = authlib(issuer, secret, folder)
    names = ("client_id", "client_secret", "server_metadata_url", "api_base_url", "client_kwargs")
    client = {name: flat[f"OP_{name.upper()}"] for name in names}
    return {
        "AUTHLIB_OAUTH_CLIENTS": {"op": client},
        "MIDDLEWARE": ["django.contrib.sessions.middleware.SessionMiddleware"],
        "SESSION_ENGINE": "django.contrib.sessions.backends.cache",
        "SECRET_KEY": SECRET,
    }


@define(kw_only=True)
class Column:
    """One application of the table.

    Attributes:
        title: its heading.
        file: the file of the application.
        site: puts it into a site.
        settings: its settings, by issuer, client secret and a folder for files.
        django: whether it is a project of Django.
    """

    title: str
    file: str
    site: Callable[[Any], Site]
    settings: Callable[[str, str, Path], Settings]
    django: bool = False

    @property
    def path(self) -> Path:
        """Where the application lies."""
        return HERE / self.file


COLUMNS: Final[Mapping[str, Column]] = MappingProxyType(
    {
        "ours_flask": Column(
            title="oidc-core, Flask", file="ours/flask_app.py", site=WsgiSite, settings=ours
        ),
        "ours_fastapi": Column(
            title="oidc-core, FastAPI", file="ours/fastapi_app.py", site=AsgiSite, settings=ours
        ),
        "ours_django": Column(
            title="oidc-core, Django",
            file="ours/django_app.py",
            site=WsgiSite,
            settings=ours_django,
            django=True,
        ),
        "authlib_flask": Column(
            title="Authlib, Flask", file="peers/authlib_flask.py", site=WsgiSite, settings=authlib
        ),
        "authlib_starlette": Column(
            title="Authlib, Starlette",
            file="peers/authlib_starlette.py",
            site=AsgiSite,
            settings=authlib,
        ),
        "authlib_django": Column(
            title="Authlib, Django",
            file="peers/authlib_django.py",
            site=WsgiSite,
            settings=authlib_django,
            django=True,
        ),
    }
)


@define(kw_only=True)
class Stage:
    """An application that has just started, and an honest provider.

    Attributes:
        served: the provider.
        site: the application.
    """

    served: ServedProvider
    site: Site
    _seen: int = field(default=0, alias="seen")

    @property
    def provider(self) -> FakeProvider:
        """The provider behind the port."""
        return self.served.provider

    def browser(self, user: str = "alice") -> Browser:
        """Return a new browser."""
        return Browser(site=self.site, provider=self.provider, clock=SystemClock(), user=user)

    def mark(self) -> None:
        """Count token requests from now on."""
        self._seen = len(self.served.exchanges)

    def token_requests(self, grant_type: str) -> list[int]:
        """Return the statuses of the token requests of a grant type since the mark."""
        return [
            answer.status
            for request, answer in self.served.exchanges[self._seen :]
            if isinstance(answer, HttpResponse) and request.url.endswith("/token")
            if parse_qs((request.body or b"").decode())["grant_type"] == [grant_type]
        ]


@define(kw_only=True)
class SlowProvider(FakeProvider):
    """A provider whose token endpoint needs some time to refresh, as real ones do."""

    def answer(self, request: WireRequest, now: int) -> Answer:
        """Answer a request."""
        if b"grant_type=refresh_token" in (request.body or b""):
            time.sleep(LATENCY)
        return super().answer(request, now)


@contextmanager
def stage(column: Column, *, secret: str = CLIENT.client_secret) -> Generator[Stage]:
    """Start a provider on loopback and an application for it."""
    provider = SlowProvider(clients=(CLIENT,), unasked=("name",))
    with serve(provider, SystemClock()) as served, tempfile.TemporaryDirectory() as folder:
        os.environ["API"] = f"{served.issuer}/userinfo"
        settings = column.settings(served.issuer, secret, Path(folder))
        app = _django_app(column, settings) if column.django else _app(column, settings)
        site = column.site(app)
        try:
            yield Stage(served=served, site=site)
        finally:
            site.close()


def _app(column: Column, settings: Settings) -> Any:
    """Run the file of an application whose settings are the module ``settings``."""
    module = ModuleType("settings")
    vars(module).update(settings)
    sys.modules["settings"] = module
    try:
        return runpy.run_path(str(column.path))["app"]
    finally:
        del sys.modules["settings"]


def _django_app(column: Column, settings: Settings) -> Any:
    """Start a project; the next one in this process takes its place."""
    name = f"tests.comparison.{column.file.removesuffix('.py').replace('/', '.')}"
    sys.modules.pop(name, None)
    start_project({"ROOT_URLCONF": name, "ALLOWED_HOSTS": ["localhost"], **settings})
    return import_module(name).app


def start_project(settings: Settings, *, migrate: bool = True) -> None:
    """Give Django the settings of a project; the next one in this process takes its place."""
    import django
    from django.conf import settings as configured
    from django.core.management import call_command
    from django.core.signals import setting_changed
    from django.db import connections
    from django.urls import clear_url_caches

    if not configured.configured:
        configured.configure(**settings)
        django.setup()
    for key, value in settings.items():
        setattr(configured, key, value)
        setting_changed.send(sender=None, setting=key, value=value, enter=True)
    if "DATABASES" in settings:
        connections.close_all()
        connections.settings = connections.configure_settings(settings["DATABASES"])
        del connections["default"]
        if migrate:
            call_command("migrate", run_syncdb=True, verbosity=0)
    clear_url_caches()
