"""The cost of ``fresh()`` above a look into a dictionary, with a valid copy in memory."""

import asyncio
from collections.abc import Callable
from time import monotonic, thread_time
from typing import Any, Final

from benchmarks.rounds import Effort, spread
from benchmarks.rows import Row, value_row
from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.session_tokens import AsyncSessionTokens, SessionTokens
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.stores.records import MemoryRecords
from oidc_core.model.records import Tokens

_ISSUER: Final = "https://op.example"
_TIMES: Final = 20_000
_COPIES: Final = {"grant:1": (1.0, monotonic() + 3_600)}


def fresh_rows(effort: Effort) -> tuple[Row, ...]:
    """Both kinds of clients; the floor is timed in the same round."""
    times = max(1, _TIMES * min(effort.batch, 8_000) // 8_000)
    tokens = _waiting()
    sync = [_above(_timed(look, times), _timed(tokens.fresh, times)) for _ in _rounds(effort)]
    awaited = [asyncio.run(_awaited(times)) for _ in _rounds(effort)]
    return (
        value_row("fresh_us", spread(tuple(sync)), "µs"),
        value_row("fresh_async_us", spread(tuple(awaited)), "µs"),
    )


def look() -> bool:
    """Look a copy up, and compare its time: the least that anybody has to do."""
    copy = _COPIES.get("grant:1")
    return copy is not None and monotonic() < copy[1]


async def look_async() -> bool:
    """Do the same, awaited."""
    copy = _COPIES.get("grant:1")
    return copy is not None and monotonic() < copy[1]


def _rounds(effort: Effort) -> range:
    return range(max(3, effort.rounds))


def _timed(call: Callable[[], object], times: int) -> float:
    began = thread_time()
    for _ in range(times):
        call()
    return (thread_time() - began) / times * 1e6


async def _awaited(times: int) -> float:
    tokens = await _awaiting()
    begin = thread_time()
    for _ in range(times):
        await look_async()
    middle = thread_time()
    for _ in range(times):
        await tokens.fresh()
    return _above((middle - begin) / times * 1e6, (thread_time() - middle) / times * 1e6)


def _above(floor: float, cost: float) -> float:
    return cost - floor


def _tokens() -> Tokens:
    return Tokens(
        issuer=_ISSUER,
        client_id="client",
        access_token="access",
        refresh_token="refresh",
        id_token="header.claims.signature",
        scope="openid",
        subject="alice",
    )


def _settings() -> dict[str, Any]:
    setup = ClientSetup(
        issuer=_ISSUER,
        client_id="client",
        client_secret="a secret",
        redirect_uri="https://rp.example/callback",
    )
    grants = Grants(MemoryRecords(), bytes(range(32)), trusted=3_600)
    return {"setup": setup, "pending": MemoryPendingLogins(), "grants": grants}


def _waiting() -> SessionTokens:
    client = OidcClient(**_settings())
    tokens = client.tokens(client.keep(_tokens()))
    tokens.fresh()
    return tokens


async def _awaiting() -> AsyncSessionTokens:
    client = AsyncOidcClient(**_settings())
    tokens = client.tokens(await client.keep(_tokens()))
    await tokens.fresh()
    return tokens
