"""The transports that are tried, and the table of their duties.

``python -m tests.adapters.transport.tried`` prints the table of `docs/how-to/own-transport.md`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, Literal, NamedTuple, cast

import trio
from urllib3 import PoolManager

from oidc_adapters.testing import (
    ASYNC_TRANSPORT_DUTIES,
    SHARED_CLIENT,
    TRANSPORT_DUTIES,
    AsyncTransportDuty,
    TransportDuty,
    TransportSetup,
    lacking,
)

Mode = Literal["sync", "asyncio", "trio"]


class Tried(NamedTuple):
    """A transport as it is tried.

    Attributes:
        title: of its column.
        modes: how its code runs.
        module: where its class is.
        package: what that needs.
        made: makes it of its class and of settings; without, its class takes them.
        shared: makes it over a client of the application, with a call that fetches a URL by that
            client; ``None`` if it takes no such client.
    """

    title: str
    modes: tuple[Mode, ...]
    module: str
    package: str
    made: Callable[[Any, TransportSetup], Any] | None = None
    shared: Callable[[Any], tuple[Any, Callable[[str], int]]] | None = None

    @property
    def kind(self) -> Any:
        """Its class."""
        return getattr(import_module(f"oidc_adapters.transport.{self.module}"), self.title)

    def opened(self, setup: TransportSetup) -> Any:
        """Make one."""
        if self.made is not None:
            return self.made(self.kind, setup)
        return self.kind(
            ca=setup.ca, client_certificate=setup.client_certificate, proxy=setup.proxy
        )


def _in_threads(kind: Any, setup: TransportSetup) -> Any:
    return kind(TRIED[0].opened(setup))


def _over_session(kind: Any, setup: TransportSetup) -> Any:
    session: Any = import_module("requests").Session()
    if setup.ca is not None:
        session.verify = str(setup.ca)
    if setup.client_certificate is not None:
        chain, key = setup.client_certificate
        session.cert = (str(chain), str(key))
    if setup.proxy is not None:
        session.proxies = {"http": setup.proxy, "https": setup.proxy}
    return kind(session)


def _shared_pools(kind: Any) -> tuple[Any, Callable[[str], int]]:
    pools = PoolManager()
    return kind(pool_manager=pools), lambda url: pools.request("GET", url, timeout=5).status


def _shared_session(kind: Any) -> tuple[Any, Callable[[str], int]]:
    session: Any = import_module("requests").Session()

    def fetch(url: str) -> int:
        status: int = session.get(url, timeout=5).status_code
        return status

    return kind(session), fetch


_WAITS: Final = ("sync",)
_AWAITED: Final = ("asyncio", "trio")

TRIED: Final = (
    Tried("Urllib3Transport", _WAITS, "over_urllib3", "urllib3", shared=_shared_pools),
    Tried("InThreads", _AWAITED, "in_threads", "urllib3", _in_threads),
    Tried("StandardTransport", _WAITS, "over_standard_library", "http.client"),
    Tried("RequestsTransport", _WAITS, "over_requests", "requests", _over_session, _shared_session),
    Tried("HttpxTransport", _WAITS, "over_httpx", "httpx"),
    Tried("AsyncHttpxTransport", _AWAITED, "over_httpx", "httpx"),
    Tried("Httpx2Transport", _WAITS, "over_httpx2", "httpx2"),
    Tried("AsyncHttpx2Transport", _AWAITED, "over_httpx2", "httpx2"),
    Tried("AiohttpTransport", ("asyncio",), "over_aiohttp", "aiohttp"),
)


def duties(mode: Mode) -> tuple[TransportDuty | AsyncTransportDuty, ...]:
    """Return the duties of code that runs so."""
    return TRANSPORT_DUTIES if mode == "sync" else ASYNC_TRANSPORT_DUTIES


def perform(duty: Any, opened: Callable[[TransportSetup], Any], mode: Mode) -> None:
    """Try a duty."""
    if mode == "sync":
        duty(opened)
    elif mode == "asyncio":
        asyncio.run(duty(opened))
    else:
        trio.run(duty, opened)


def innermost(error: BaseException) -> BaseException:
    """Return an error without the groups of a nursery around it."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


def table() -> str:
    """Return the table of duties, as the page has it: what the runs of test_tried.py show."""
    heads = [f"`{each.title}`" for each in TRIED]
    lines = [
        f"| duty | {' | '.join(heads)} |",
        f"| --- |{' --- |' * len(TRIED)}",
    ]
    for duty in ASYNC_TRANSPORT_DUTIES:
        cells = [_cell(each, duty) for each in TRIED]
        lines.append(f"| `{duty.name}`: {duty.sentence} | {' | '.join(cells)} |")
    kept = ["sync" if each.shared is not None else "takes none" for each in TRIED]
    lines.append(f"| `{SHARED_CLIENT.name}`: {SHARED_CLIENT.sentence} | {' | '.join(kept)} |")
    return "\n".join(lines)


def _cell(tried: Tried, duty: AsyncTransportDuty) -> str:
    if all(duty.name not in map(str, duties(mode)) for mode in tried.modes):
        return ""
    reason = lacking(tried.kind, duty)
    return f"**no**: {reason}" if reason else ", ".join(tried.modes)


if __name__ == "__main__":
    print(table())
