"""django-oauth-toolkit: its issuer has a path, its database is a file, its one client is known.

Django takes its settings from here, and finds its routes in the same module.
"""

import importlib
from pathlib import Path
from typing import Any

from tests.interop.providers.loopback import Given, WsgiApplication, serve

LOGIN_PAGE = """
<form method="post">{% csrf_token %}{{ form }}
<input type="hidden" name="next" value="{{ next }}"><button>Log in</button></form>
"""
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
FORGERIES = "django.middleware.csrf.CsrfViewMiddleware"
USERS = "django.contrib.auth.middleware.AuthenticationMiddleware"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"]},
}
CONTEXT = "django.template.context_processors.request"

urlpatterns: list[Any] = []


def application_at(_origin: str, given: Given) -> WsgiApplication:
    """Make the application, which names itself by the ``Host`` of each request."""
    _configure()
    urls = importlib.import_module("django.urls")
    login = importlib.import_module("django.contrib.auth.views").LoginView
    urlpatterns.append(urls.path("login/", login.as_view()))
    urlpatterns.append(urls.path("o/", urls.include("oauth2_provider.urls")))
    importlib.import_module("django.core.management").call_command("migrate", verbosity=0)
    users = importlib.import_module("django.contrib.auth.models").User.objects
    users.create_user(given.login, given.email, given.password)
    importlib.import_module("oauth2_provider.models").Application.objects.create(
        client_id=given.client_id,
        client_secret=given.client_secret,
        client_type="confidential",
        authorization_grant_type="authorization-code",
        algorithm="RS256",
        redirect_uris=given.redirect_uri,
        post_logout_redirect_uris=given.post_logout_redirect_uri,
    )
    made: WsgiApplication = importlib.import_module("django.core.wsgi").get_wsgi_application()
    return made


def _configure() -> None:
    Path("registration").mkdir()
    Path("registration", "login.html").write_text(LOGIN_PAGE, "utf-8")
    importlib.import_module("django.conf").settings.configure(
        SECRET_KEY="for the tests only",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        LOGIN_URL="/login/",
        LOGGING=LOGGING,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # quick, for tests only
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[SESSIONS, FORGERIES, USERS],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(Path("db").resolve())}
        },
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [str(Path.cwd())],
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": [CONTEXT]},
            }
        ],
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": _signing_key(),
            "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
            "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
            "SCOPES": {"openid": "who you are", "profile": "your name", "email": "your e-mail"},
        },
    )
    importlib.import_module("django").setup()


def _signing_key() -> str:
    rsa = importlib.import_module("cryptography.hazmat.primitives.asymmetric.rsa")
    forms = importlib.import_module("cryptography.hazmat.primitives.serialization")
    pem: bytes = rsa.generate_private_key(65_537, 2_048).private_bytes(
        forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()
    )
    return pem.decode()


if __name__ == "__main__":
    serve(application_at)
