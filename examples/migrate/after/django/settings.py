"""The project with oidc-core."""

import os
from pathlib import Path

BASE_DIR = Path(os.environ["DATA"])
SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "shop.db"}}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "oidc_adapters.web.django",
    "carried",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "oidc_adapters.web.django.middleware.OidcMiddleware",
]
AUTHENTICATION_BACKENDS = ["oidc_adapters.web.django.backends.OidcBackend"]
LOGIN_URL = "oidc:login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

OIDC = {
    "ISSUER": os.environ["ISSUER"],
    "CLIENT_ID": os.environ["CLIENT_ID"],
    "CLIENT_SECRET": os.environ["CLIENT_SECRET"],
    "REDIRECT_URI": "http://localhost/callback",
    "POST_LOGOUT_REDIRECT_URI": "http://localhost/logged-out",
    "SCOPE": "openid profile email offline_access",
    "LOGIN_BY_GET": True,
    "USER_OF": "carried.users.user_of",
}
CARRY_BY_EMAIL = True
CARRY_DOMAINS = ["op.example"]
