"""Logins in a Django project (``pip install oidc-core[django]``).

.. code-block:: python

    # settings.py
    INSTALLED_APPS += ["oidc_adapters.web.django"]
    MIDDLEWARE += ["oidc_adapters.web.django.middleware.OidcMiddleware"]  # after Django's own
    AUTHENTICATION_BACKENDS = ["oidc_adapters.web.django.backends.OidcBackend"]
    LOGIN_URL = "oidc:login"
    OIDC = {"ISSUER": ..., "CLIENT_ID": ..., "CLIENT_SECRET": ..., "REDIRECT_URI": ...}

    # urls.py
    urlpatterns += [path("", include("oidc_adapters.web.django.urls"))]

``request.user``, ``@login_required``, the admin and the signals of logins are Django's own.
"""

from oidc_adapters.web.django.views import (
    AwaitedTokens,
    aoidc_session,
    aoidc_tokens,
    oidc_required,
    oidc_session,
    oidc_step_up,
    oidc_tokens,
)

__all__ = [
    "AwaitedTokens",
    "aoidc_session",
    "aoidc_tokens",
    "oidc_required",
    "oidc_session",
    "oidc_step_up",
    "oidc_tokens",
]
