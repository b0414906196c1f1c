"""oidc-provider-mock: clients register themselves; the login page asks for a name only."""

import importlib
import os

from tests.interop.providers.loopback import Given, WsgiApplication, serve


def application_at(_origin: str, given: Given) -> WsgiApplication:
    """Make the application, which names itself by the ``Host`` of each request."""
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    mock = importlib.import_module("oidc_provider_mock")
    user = mock.User(sub=given.login, claims={"name": "Alice Liddell", "email": given.email})
    made: WsgiApplication = mock.app(require_client_registration=True, user_claims=(user,))
    return made


if __name__ == "__main__":
    serve(application_at)
