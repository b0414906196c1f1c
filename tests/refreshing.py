"""A refresh by its two operations, with a store in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.records import MemoryRecords
from oidc_core.model.records import Tokens
from oidc_core.operations import refresh
from oidc_core.operations.refresh import Refreshed


def _forget(_tokens: Tokens) -> None:
    """A store that forgets."""


def refreshed(
    client: OidcClient, tokens: Tokens, store: Callable[[Tokens], object] = _forget
) -> Refreshed:
    """Renew tokens, store them, and verify their ID token."""
    rp, shell = client.rp, client.shell
    renewed = shell.run(rp, refresh.renew(rp, tokens))
    store(renewed.tokens)
    return shell.run(rp, refresh.verify(rp, renewed, now=shell.clock.now()))


async def refreshed_async(
    client: AsyncOidcClient, tokens: Tokens, store: Callable[[Tokens], object] = _forget
) -> Refreshed:
    """Do the same, awaited."""
    rp, shell = client.rp, client.shell
    renewed = await shell.run(rp, refresh.renew(rp, tokens))
    store(renewed.tokens)
    return await shell.run(rp, refresh.verify(rp, renewed, now=shell.clock.now()))


def grants_by(clock: FrozenClock, **settings: Any) -> Grants:
    """Return grants in memory whose store goes by a clock that a test moves."""

    def elapsed() -> float:
        return float(clock.now())

    records = MemoryRecords(clock=clock, elapsed=elapsed)
    given: dict[str, Any] = {"trusted": 0, **settings}
    return Grants(records, "a sealing secret of 32 octets or so", **given)
