"""One store for everything that the processes of an application share."""

from typing import Any

import pytest

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.pending import CookieProfile
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.stores.shared import SharedStore
from oidc_adapters.testing import AsyncInMemoryTransport, InMemoryTransport
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.incoming import Incoming
from tests.adapters.stores.records.plugged import AwaitedRecords, PluggedRecords
from tests.flows.rig import NOW, Browser, honest_provider, run_asyncio, run_trio, setup_for

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


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
@pytest.mark.parametrize("awaited", [False, True], ids=["waits", "awaited"])
def test_awaiting_workers_share_either_kind_of_store(run: Any, awaited: bool) -> None:
    provider, clock, browser = honest_provider(), FrozenClock(NOW), Browser()
    transport, setup = AsyncInMemoryTransport(provider), setup_for(provider)
    plugged = PluggedRecords(MemoryRecords(clock=clock))

    def worker() -> AsyncOidcClient:
        shared = SharedStore(AwaitedRecords(plugged) if awaited else plugged, SECRET)
        return AsyncOidcClient(
            setup,
            shared.pending,
            keys=shared.keys,
            metadata=shared.metadata,
            grants=shared.grants,
            transport=transport,
            clock=clock,
        )

    async def logs_in_and_out() -> None:
        page = await worker().start_login()
        browser.receive(page.cookies)
        returned = provider.authorize(page.url, clock.now()).incoming(browser.header)
        result = await worker().finish_login(returned)
        browser.receive(result.cookies)
        with pytest.raises(CallbackError) as caught:
            await worker().finish_login(returned)
        assert caught.value.code == "state_unknown"
        tokens = await worker().tokens(result.grant_id).fresh()
        leaving = await worker().start_logout(tokens, cookie=browser.header)
        browser.receive(leaving.cookies)
        url = provider.end_session(leaving.url, clock.now())
        assert url is not None
        base, _, query = url.partition("?")
        back = Incoming(method="GET", url=base, query=query, cookie=browser.header)
        assert (await worker().finish_logout(back)).cookies[0].max_age == 0
        with pytest.raises(CallbackError) as caught:
            await worker().finish_logout(back)
        assert caught.value.code == "logout_state_mismatch"

    run(logs_in_and_out)
    paths = [request.url.rpartition("/")[2] for request, _ in transport.exchanges]
    assert [paths.count(name) for name in ("openid-configuration", "jwks", "token")] == [1, 1, 1]


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
