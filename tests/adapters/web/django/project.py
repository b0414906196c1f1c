"""A Django project in this process, a browser that visits it, and the provider it logs in at.

Django's settings are global to a process: they are configured once, and each test overrides
``settings.OIDC``.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

import pytest

from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.testing import AuthorizationResponse, FakeProvider, InMemoryTransport
from oidc_core.wire.http import Answer, NoAnswer, WireRequest
from tests.adapters.stores.records.plugged import PluggedRecords
from tests.adapters.web.visiting import BASE, CLIENT, NAVIGATION
from tests.flows.rig import honest_provider

pytest.importorskip("django", reason="Django is not installed")

import django
from asgiref.sync import async_to_sync
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core.management import call_command
from django.test import AsyncClient, Client
from django.test.utils import override_settings

__all__ = ["apps", "async_to_sync", "call_command", "user_logged_in", "user_logged_out"]

APP: Final = "oidc_adapters.web.django"
PLACE: Final = "tests.adapters.web.django"
SECRET: Final = "a secret of this project, of 32 octets or more"
BACKENDS: Final = (f"{APP}.backends.OidcBackend", "django.contrib.auth.backends.ModelBackend")
MIDDLEWARE: Final = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    f"{APP}.middleware.OidcMiddleware",
)
ALWAYS: Final = "django.contrib.auth.middleware.LoginRequiredMiddleware"


def of_provider(provider: FakeProvider, **changed: Any) -> dict[str, Any]:
    """Return ``settings.OIDC`` for a provider."""
    return {
        "ISSUER": provider.issuer,
        "CLIENT_ID": CLIENT.client_id,
        "CLIENT_SECRET": CLIENT.client_secret,
        "REDIRECT_URI": f"{BASE}/callback",
        "POST_LOGOUT_REDIRECT_URI": f"{BASE}/goodbye",
        "RECORDS": MemoryRecords(),
        "TRANSPORT": InMemoryTransport(provider),
        "LOGIN_BY_GET": True,
        **changed,
    }


def configured() -> None:
    """Configure Django for this process, once, with a database in memory."""
    if settings.configured:
        return
    settings.configure(
        ALLOWED_HOSTS=["rp.example", "testserver"],
        AUTHENTICATION_BACKENDS=BACKENDS,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",
            APP,
        ],
        LOGIN_URL="oidc:login",
        MIDDLEWARE=MIDDLEWARE,
        OIDC=of_provider(honest_provider(clients=(CLIENT,))),
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # quick, for tests
        ROOT_URLCONF=f"{PLACE}.project_urls",
        SECRET_KEY=SECRET,
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)


configured()
User: Any = get_user_model()
Session: Any = apps.get_model("sessions", "Session")


class Line:
    """The line to a provider, which a test can cut."""

    judges_addresses = True

    def __init__(self, provider: FakeProvider) -> None:
        self.transport = InMemoryTransport(provider)
        self.down = False

    def send(self, request: WireRequest, clock: SystemClock) -> Answer:
        """Send a request."""
        if self.down:
            return NoAnswer("no", "http_connect_failed", clock.now())
        return self.transport.send(request, clock)


class Project:
    """The project with settings for one test, and a browser."""

    def __init__(self, *, provider: FakeProvider | None = None, **changed: Any) -> None:
        django_settings = {name: changed.pop(name) for name in [*changed] if name in _DJANGO}
        self.provider = provider or honest_provider(clients=(CLIENT,))
        self.records = PluggedRecords(MemoryRecords())
        self.transport = Line(self.provider)
        own = {"RECORDS": self.records, "TRANSPORT": self.transport}
        oidc = of_provider(self.provider, **{**own, **changed})
        self.override = override_settings(OIDC=oidc, **django_settings)
        self.browser: Any = self.another()

    @staticmethod
    def another(**named: Any) -> Any:
        """Return another browser."""
        return Client(SERVER_NAME="rp.example", **named)

    @staticmethod
    def awaiting() -> Any:
        """Return a client that speaks to the project as an ASGI server does."""
        return AsyncClient()

    def ask(self, target: str, method: str = "GET", **named: Any) -> Any:
        """Make one request, by default a navigation."""
        browser = named.pop("browser", self.browser)
        headers = {**NAVIGATION, **named.pop("headers", {})}
        held: dict[str, Any] = {"headers": headers, "secure": True, **named}
        reply = browser.generic(method, target, **held)
        for name, morsel in [*browser.cookies.items()]:
            if morsel["max-age"] == 0:
                del browser.cookies[name]
        return reply

    def post(self, target: str, body: str = "", **named: Any) -> Any:
        """Send a form."""
        kind = "application/x-www-form-urlencoded"
        return self.ask(target, "POST", data=body, content_type=kind, **named)

    def at_provider(self, url: str, **named: Any) -> AuthorizationResponse:
        """Arrive at the provider; return what the browser brings back."""
        return self.provider.authorize(url, SystemClock().now(), **named)

    def bring(self, response: AuthorizationResponse, **named: Any) -> Any:
        """Bring a message back to the callback."""
        target = response.url.removeprefix(BASE)
        headers = {"sec-fetch-site": "cross-site"}
        if response.form is None:
            return self.ask(target, headers=headers, **named)
        return self.post(target, response.form.decode(), headers=headers, **named)

    def log_in(self, page: str = "/orders", browser: Any = None, **named: Any) -> Any:
        """Ask for a page, log in, and return the answer of the callback."""
        visiting = {"browser": browser or self.browser}
        reply = self.ask(page, **visiting)
        reply = self.ask(reply["location"], **visiting)
        return self.bring(self.at_provider(reply["location"], **named), **visiting)

    def told(self, **who: Any) -> Any:
        """Send the logout token of a user to the back channel."""
        told = self.provider.backchannel_logout(SystemClock().now(), **who)
        kind, headers = told.content_type, {"sec-fetch-mode": ""}
        server = self.another(enforce_csrf_checks=True)
        reply = self.ask(
            "/backchannel-logout", "POST", data=told.form, content_type=kind, headers=headers,
            browser=server,
        )  # fmt: skip
        assert dict(parse_qsl(told.form.decode()))["logout_token"]
        return reply


_DJANGO: Final = frozenset(
    {
        "AUTHENTICATION_BACKENDS", "BASE_DIR", "LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL",
        "MIDDLEWARE", "SESSION_COOKIE_AGE", "SESSION_COOKIE_SAMESITE", "SESSION_ENGINE",
        "FORCE_SCRIPT_NAME", "ROOT_URLCONF", "SECRET_KEY", "SECRET_KEY_FALLBACKS",
    }
)  # fmt: skip
"""Settings of Django that a test may change; the others belong to ``OIDC``."""
