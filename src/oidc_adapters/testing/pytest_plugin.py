"""Fixtures of pytest for the tests of an application: logins without sockets, at a frozen time.

They are asked for in a ``conftest.py``:

.. code-block:: python

    pytest_plugins = ["oidc_adapters.testing.pytest_plugin"]


    @pytest.fixture
    def app(oidc_settings):
        return create_app(oidc_settings)


    def test_orders(app, logged_in_client):
        client = logged_in_client(app.test_client(), sub="alice", page="/orders")
        assert "Hello Alice" in client.get("/orders").text

pytest loads nothing of this by itself, so nobody else's tests start more slowly for it.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urljoin

import pytest

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing.fake_browser import FakeBrowser
from oidc_adapters.testing.parties import FakeClient
from oidc_adapters.testing.provider import FakeProvider
from oidc_adapters.testing.transports import AsyncInMemoryTransport
from oidc_adapters.testing.web_settings import web_settings

C = TypeVar("C")

_NOW: Final = 1_700_000_000


class LoggedInClient(Protocol):
    """Logs a user in and returns the client, as :meth:`FakeBrowser.logged_in` does."""

    def __call__(
        self,
        client: C,
        *,
        sub: str | None = None,
        claims: Mapping[str, object] | None = None,
        page: str | None = None,
        login_path: str = "/login",
    ) -> C:
        """Return the client, logged in."""
        ...


@pytest.fixture
def oidc_clock() -> FrozenClock:
    """The clock of the application and of its provider: it moves by ``advance(seconds)``."""
    return FrozenClock(_NOW)


@pytest.fixture
def oidc_redirect_uri() -> str:
    """The redirect URI of the application; a test suite with another one overrides it."""
    return "http://localhost/callback"


@pytest.fixture
def oidc_provider(oidc_redirect_uri: str) -> FakeProvider:
    """The provider: in memory, and honest until it is told otherwise.

    ``oidc_provider.misbehave = "wrong_nonce"`` has it make a mistake, by a name of
    ``MISBEHAVIOURS``; ``oidc_provider.skew = 600`` sets its clock; and
    ``oidc_provider.rotate_keys()`` has it sign with other keys.
    """
    client = FakeClient(
        redirect_uris=(oidc_redirect_uri,),
        post_logout_redirect_uris=(urljoin(oidc_redirect_uri, "/logged-out"),),
        backchannel_logout_uri=urljoin(oidc_redirect_uri, "/backchannel-logout"),
    )
    return FakeProvider(clients=(client,))


@pytest.fixture
def oidc_settings(oidc_provider: FakeProvider, oidc_clock: FrozenClock) -> dict[str, Any]:
    """The settings of an application that waits, as of Flask, for this provider."""
    return web_settings(oidc_provider, oidc_clock)


@pytest.fixture
def async_oidc_settings(
    oidc_settings: dict[str, Any], oidc_provider: FakeProvider
) -> dict[str, Any]:
    """The settings of an application that awaits, as of FastAPI, for this provider."""
    return {**oidc_settings, "OIDC_TRANSPORT": AsyncInMemoryTransport(oidc_provider)}


@pytest.fixture
def django_oidc_settings(oidc_settings: dict[str, Any]) -> dict[str, Any]:
    """The value of ``settings.OIDC`` in a Django project, for this provider."""
    named = {name.removeprefix("OIDC_"): value for name, value in oidc_settings.items()}
    return {name: value for name, value in named.items() if name != "SECRET"}


@pytest.fixture
def oidc_browser(oidc_provider: FakeProvider, oidc_clock: FrozenClock) -> FakeBrowser:
    """A browser: ``oidc_browser.log_in(client)`` returns the answer to the callback."""
    return FakeBrowser(provider=oidc_provider, clock=oidc_clock)


@pytest.fixture
def logged_in_client(oidc_browser: FakeBrowser) -> LoggedInClient:
    """Log a user in: ``logged_in_client(app.test_client(), sub="alice", page="/orders")``."""
    return oidc_browser.logged_in
