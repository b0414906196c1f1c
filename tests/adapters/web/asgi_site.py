"""An application of Starlette or FastAPI, by the framework's own test client."""

from __future__ import annotations

import warnings
from typing import Any, Final

from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.testing import AsyncInMemoryTransport, FakeProvider
from tests.adapters.web.visiting import BASE, CLIENT, NAVIGATION
from tests.flows.rig import honest_provider

SECRET: Final = "a secret of this application, 32 octets or more"


def settings_for(provider: FakeProvider, **config: Any) -> dict[str, Any]:
    """Return the settings of an application whose links start logins."""
    return {
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": CLIENT.client_id,
        "OIDC_CLIENT_SECRET": CLIENT.client_secret,
        "OIDC_REDIRECT_URI": f"{BASE}/callback",
        "OIDC_POST_LOGOUT_REDIRECT_URI": f"{BASE}/goodbye",
        "OIDC_SECRET": SECRET,
        "OIDC_RECORDS": MemoryRecords(),
        "OIDC_TRANSPORT": AsyncInMemoryTransport(provider),
        "OIDC_LOGIN_BY_GET": True,
        **config,
    }


def client_of(app: Any, **named: Any) -> Any:
    """Return a test client; which HTTP package is behind it does not matter here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from starlette.testclient import TestClient
    return TestClient(app, base_url=BASE, follow_redirects=False, **named)


class AsgiSite:
    """An application and a browser."""

    def __init__(self, app: Any, provider: FakeProvider | None = None, **named: Any) -> None:
        self.app = app
        self.provider = provider or honest_provider(clients=(CLIENT,))
        self.browser = client_of(app, **named)

    def ask(self, url: str, method: str = "GET", **named: Any) -> Any:
        headers = named.pop("headers", NAVIGATION)
        return self.browser.request(method, url.removeprefix(BASE) or "/", headers=headers, **named)

    def arrive(self, reply: Any) -> str:
        """Log in at the provider, and return the URL of the callback."""
        url = reply.headers["location"]
        return self.provider.authorize(url, SystemClock().now()).url

    def log_in(self, page: str = "/orders") -> Any:
        """Ask for a page, log in, and return the answer of the callback."""
        reply = self.ask(self.ask(page).headers["location"])
        return self.ask(self.arrive(reply))
