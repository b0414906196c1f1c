"""One script logs a user in over each HTTP library."""

from __future__ import annotations

import inspect
from typing import Any, Final

import pytest

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.testing import TransportSetup, serve
from oidc_core.model.policy import Policy
from tests.adapters.transport.tried import TRIED, Mode, Tried
from tests.flows.rig import NOW, SEALING_SECRET, honest_provider, run_asyncio, run_trio, setup_for

CASES: Final = [
    pytest.param(tried, mode, id=f"{tried.title}-{mode}") for tried in TRIED for mode in tried.modes
]
PATHS: Final = ["/.well-known/openid-configuration", "/token", "/jwks", "/userinfo", "/token"]
LOOPBACK: Final = Policy(quirks=frozenset({"insecure_allow_http_loopback"}))


async def soon(result: Any) -> Any:
    """Return a result, whether the client waits for it or has it awaited."""
    return await result if inspect.isawaitable(result) else result


async def log_in_refresh_and_leave(client: Any, provider: Any, clock: FrozenClock) -> str:
    """Log in, use the tokens until they are renewed, and log out; return who it was."""
    page = await soon(client.start_login())
    header = "; ".join(f"{cookie.name}={cookie.value}" for cookie in page.cookies)
    incoming = provider.authorize(page.url, clock.now()).incoming(header)
    result = await soon(client.finish_login(incoming))
    clock.advance(3_590)
    tokens = await soon(client.tokens(result.grant_id).fresh())
    goodbye = await soon(client.start_logout(tokens))
    assert goodbye.url.startswith(f"{provider.issuer}/")
    return str(result.logged_in.identity.subject)


@pytest.mark.parametrize(("tried", "mode"), CASES)
def test_one_script_runs_over_each_library(tried: Tried, mode: Mode) -> None:
    pytest.importorskip(tried.package)
    kind: Any = OidcClient if mode == "sync" else AsyncOidcClient
    run = run_trio if mode == "trio" else run_asyncio
    clock = FrozenClock(NOW)
    records = MemoryRecords(clock=clock, elapsed=lambda: float(clock.now()))
    with serve(honest_provider(), clock) as server:

        async def main() -> str:
            transport = tried.opened(TransportSetup())
            client = kind(
                setup_for(server.provider, policy=LOOPBACK),
                MemoryPendingLogins(),
                transport=transport,
                clock=clock,
                grants=Grants(records, SEALING_SECRET, trusted=0),
            )
            user = await log_in_refresh_and_leave(client, server.provider, clock)
            await soon(getattr(transport, "close", lambda: None)())
            return user

        assert run(main) == "alice"
        asked = [request.url.removeprefix(server.issuer) for request, _ in server.exchanges]

    assert asked == PATHS
