"""Tenants whose settings come out of a database, and change while users log in."""

from __future__ import annotations

from typing import Any, Final

import pytest
from attrs import evolve, field, frozen

from oidc_adapters.clients.connections import Connections
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.results import LoginResult
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.pending import CookiePendingLogins
from oidc_adapters.testing import FakeProvider, InMemoryTransport
from oidc_core.wire.errors import OidcError
from oidc_core.wire.incoming import Incoming
from tests.flows.rig import FAKE_CLIENT, NOW, SEALING_SECRET, honest_provider, setup_for

CALLBACK: Final = FAKE_CLIENT.redirect_uris[0]


@frozen
class Tenants:
    """The application: a row for each tenant, and one path for all callbacks."""

    rows: dict[str, FakeProvider] = field(factory=dict[str, FakeProvider])

    def add(self, name: str, issuer: str, **client: Any) -> None:
        """Write a row, as an administrator does."""
        self.rows[name] = honest_provider(issuer=issuer, clients=(evolve(FAKE_CLIENT, **client),))

    def client(self, name: str) -> OidcClient:
        provider = self.rows[name]
        return OidcClient(
            setup_for(provider, response_iss="required"),
            CookiePendingLogins(SEALING_SECRET),
            transport=InMemoryTransport(provider),
            clock=FrozenClock(NOW),
        )

    def start(self, name: str) -> Incoming:
        """Send a browser to the provider of a tenant; return what it brings back."""
        page = self.client(name).start_login()
        header = "; ".join(f"{cookie.name}={cookie.value}" for cookie in page.cookies)
        return self.rows[name].authorize(page.url, NOW).incoming(header)

    def finish(self, incoming: Incoming) -> LoginResult:
        """Take a callback with the settings of this moment."""
        return Connections(*map(self.client, self.rows)).finish_login(incoming)


def two() -> Tenants:
    tenants = Tenants()
    tenants.add("blue", "https://blue.example")
    tenants.add("green", "https://green.example")
    return tenants


def code_of(tenants: Tenants, incoming: Incoming) -> str:
    with pytest.raises(OidcError) as refused:
        tenants.finish(incoming)
    return refused.value.code


def test_two_tenants_share_the_path_of_their_callbacks() -> None:
    tenants = two()
    came = [tenants.start(name) for name in ("blue", "green")]

    assert {each.url for each in came} == {CALLBACK}
    assert [tenants.finish(each).connection.issuer for each in reversed(came)] == [
        "https://green.example",
        "https://blue.example",
    ]


def test_settings_of_a_tenant_change_between_two_requests() -> None:
    tenants = two()
    before = tenants.start("blue")
    tenants.add("blue", "https://moved.example", client_id="another")

    assert tenants.finish(tenants.start("blue")).connection.issuer == "https://moved.example"
    assert tenants.finish(tenants.start("green")).connection.issuer == "https://green.example"
    assert code_of(tenants, before) == "connection_mismatch"


def test_an_answer_of_one_issuer_to_a_login_at_another_is_refused() -> None:
    tenants = two()
    honest = tenants.start("blue")
    swapped = honest.query.replace("blue.example", "green.example")

    assert swapped != honest.query
    assert code_of(tenants, evolve(honest, query=swapped)) == "response_iss_mismatch"
