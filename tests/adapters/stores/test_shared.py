"""One store for everything that the processes of an application share."""

from typing import Any

import pytest

from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.pending import CookieProfile
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.stores.shared import SharedStore
from oidc_adapters.testing import InMemoryTransport
from oidc_core.wire.errors import UsageError
from tests.adapters.stores.records.plugged import PluggedRecords
from tests.flows.rig import NOW, Browser, honest_provider, setup_for

SECRET = b"the sealing secret of the tests!"


def test_logins_keys_and_metadata_are_shared_by_workers() -> None:
    provider, clock = honest_provider(), FrozenClock(NOW)
    browser, records = Browser(), PluggedRecords(MemoryRecords(clock=clock))
    transport, setup = InMemoryTransport(provider), setup_for(provider)

    def worker() -> OidcClient:
        shared = SharedStore(records, SECRET)
        return OidcClient(
            setup,
            shared.pending,
            keys=shared.keys,
            metadata=shared.metadata,
            grants=shared.grants,
            transport=transport,
            clock=clock,
        )

    for _ in range(3):
        page = worker().start_login()
        browser.receive(page.cookies)
        returned = provider.authorize(page.url, clock.now())
        result = worker().finish_login(returned.incoming(browser.header))
        notes = [note for each in result.logged_in.evidence.each for note in each.notes]
        assert "single_use: shared" in notes
        access_token = result.logged_in.tokens.access_token
        assert worker().tokens(result.grant_id).fresh().access_token == access_token

    paths = [request.url.rpartition("/")[2] for request, _ in transport.exchanges]
    assert [paths.count(name) for name in ("openid-configuration", "jwks", "token")] == [1, 1, 3]


def test_its_cookies_are_of_the_profile() -> None:
    profile = CookieProfile(prefix="__Host-app-")
    assert SharedStore(MemoryRecords(), SECRET, profile=profile).pending.profile is profile


def test_it_needs_a_store_and_a_secret() -> None:
    odd: Any = "records"
    for records, secrets, about in (
        (odd, (SECRET,), "records"),
        (MemoryRecords(), (), "sealing secret"),
    ):
        with pytest.raises(UsageError) as caught:
            SharedStore(records, *secrets)
        assert (caught.value.code, caught.value.about) == ("config_invalid", about)
