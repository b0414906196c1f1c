"""The client that awaits; what both kinds do alike is in `test_oidc_client.py`."""

from typing import Any, get_type_hints

import pytest

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.life import AsyncWorld, World
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.stores.sessions import SessionIndex
from oidc_adapters.testing import AsyncInMemoryTransport
from oidc_core.model.records import Tokens
from oidc_core.wire.errors import UsageError
from tests.flows.rig import (
    NOW,
    honest_provider,
    run_asyncio,
    run_trio,
    setup_for,
)

LIBRARIES = pytest.mark.parametrize("run", [run_asyncio, run_trio])


def test_both_are_given_the_same_of_the_world() -> None:
    names = {"Grants": Grants, "SessionIndex": SessionIndex}
    waits, awaits = get_type_hints(World, None, names), get_type_hints(AsyncWorld, None, names)

    assert waits.keys() == awaits.keys()
    assert {name for name in waits if waits[name] != awaits[name]} == {"transport"}


def made() -> tuple[AsyncInMemoryTransport, AsyncOidcClient]:
    transport = AsyncInMemoryTransport(honest_provider())
    clock, setup = FrozenClock(NOW), setup_for(transport.provider)
    client = AsyncOidcClient(setup, MemoryPendingLogins(), transport=transport, clock=clock)
    return transport, client


async def logged_in(transport: AsyncInMemoryTransport, client: AsyncOidcClient) -> Tokens:
    page = await client.start_login(prompt="login")
    header = "; ".join(f"{cookie.name}={cookie.value}" for cookie in page.cookies)
    response = transport.provider.authorize(page.url, NOW)
    return (await client.finish_login(response.incoming(header))).logged_in.tokens


@LIBRARIES
def test_it_asks_for_userinfo_and_closes_in_the_end(run: Any) -> None:
    async def main() -> tuple[str, str]:
        transport, client = made()
        async with client as same:
            assert same is client
            found = await client.userinfo(await logged_in(transport, client))
        with pytest.raises(UsageError) as caught:
            async with client:
                raise AssertionError
        return found.userinfo.sub, str(caught.value.found)

    assert run(main) == ("alice", "closed")
