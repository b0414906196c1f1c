"""Canaille: clients register themselves, and the user consents to each.

Its database is a file. The store in memory would not do: a query with two conditions finds there
what fulfils one of them, so that any text counts as an authorization code.
"""

import importlib
import os
from typing import Any

from tests.interop.providers.loopback import Given, WsgiApplication, serve


def application_at(origin: str, given: Given) -> WsgiApplication:
    """Make the application of the issuer `origin`, with one key of each type and one user."""
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    config = {
        "SECRET_KEY": "for the tests only",
        "SERVER_NAME": origin.removeprefix("http://"),
        "PREFERRED_URL_SCHEME": "http",
        "CANAILLE": {"DATABASE": "sql", "JAVASCRIPT": False},
        "CANAILLE_SQL": {"DATABASE_URI": "sqlite:///canaille.sqlite"},
        "CANAILLE_OIDC": {
            "DYNAMIC_CLIENT_REGISTRATION_OPEN": True,
            "TRUSTED_DOMAINS": ["nothing.example"],  # by default 127.0.0.1, without consent
            "ACTIVE_JWKS": _keys(),
        },
    }
    application: Any = importlib.import_module("canaille").create_app(config)
    models = importlib.import_module("canaille.app.models")
    backend = importlib.import_module("canaille.backends").Backend.instance
    user = {
        "user_name": given.login,
        "password": given.password,
        "formatted_name": "Alice Liddell",
        "family_name": "Liddell",
        "emails": [given.email],
    }
    with application.app_context():
        backend.save(models.User(**user))
    made: WsgiApplication = application
    return made


def _keys() -> list[dict[str, Any]]:
    jwk = importlib.import_module("joserfc.jwk")
    fresh = (
        jwk.RSAKey.generate_key(2048, auto_kid=True),
        jwk.ECKey.generate_key("P-256", auto_kid=True),
        jwk.OKPKey.generate_key("Ed25519", auto_kid=True),
    )
    return [key.as_dict(private=True) for key in fresh]


if __name__ == "__main__":
    serve(application_at)
