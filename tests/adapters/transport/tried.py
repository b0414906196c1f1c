"""The transports that are tried, and the table of their duties.

``python -m tests.adapters.transport.tried`` prints the table of `docs/how-to/own-transport.md`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, cast

import requests
import trio

from oidc_adapters.testing import (
    ASYNC_TRANSPORT_DUTIES,
    TRANSPORT_DUTIES,
    AsyncTransportDuty,
    TransportDuty,
    TransportSetup,
    lacking,
)
from oidc_adapters.transport.in_threads import InThreads
from oidc_adapters.transport.over_requests import RequestsTransport
from oidc_adapters.transport.over_standard_library import StandardTransport
from oidc_adapters.transport.over_urllib3 import Urllib3Transport

Mode = Literal["sync", "asyncio", "trio"]


class Tried(NamedTuple):
    """A transport as it is tried.

    Attributes:
        title: of its column.
        modes: how its code runs.
        opened: makes it.
        lacks: the duties that it says it lacks, each with the reason.
    """

    title: str
    modes: tuple[Mode, ...]
    opened: Callable[[TransportSetup], Any]
    lacks: object


def _urllib3(setup: TransportSetup) -> Urllib3Transport:
    return Urllib3Transport(
        ca=setup.ca, client_certificate=setup.client_certificate, proxy=setup.proxy
    )


def _in_threads(setup: TransportSetup) -> InThreads:
    return InThreads(_urllib3(setup))


def _standard(setup: TransportSetup) -> StandardTransport:
    return StandardTransport(
        ca=setup.ca, client_certificate=setup.client_certificate, proxy=setup.proxy
    )


def _requests(setup: TransportSetup) -> RequestsTransport:
    session = requests.Session()
    if setup.ca is not None:
        session.verify = str(setup.ca)
    if setup.client_certificate is not None:
        chain, key = setup.client_certificate
        session.cert = (str(chain), str(key))
    if setup.proxy is not None:
        session.proxies = {"http": setup.proxy, "https": setup.proxy}
    return RequestsTransport(session)


TRIED: Final = (
    Tried("`Urllib3Transport`", ("sync",), _urllib3, Urllib3Transport),
    Tried(
        "`InThreads`",
        ("asyncio", "trio"),
        _in_threads,
        InThreads,
    ),
    Tried("`StandardTransport`", ("sync",), _standard, StandardTransport),
    Tried("`RequestsTransport`", ("sync",), _requests, RequestsTransport),
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
    """Return the table of duties, as the page has it."""
    heads = [f"{each.title} ({', '.join(each.modes)})" for each in TRIED]
    lines = [
        f"| duty | {' | '.join(heads)} |",
        f"| --- |{' --- |' * len(TRIED)}",
    ]
    for duty in ASYNC_TRANSPORT_DUTIES:
        cells = [_cell(each, duty) for each in TRIED]
        lines.append(f"| `{duty.name}`: {duty.sentence} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(tried: Tried, duty: AsyncTransportDuty) -> str:
    if all(duty.name not in map(str, duties(mode)) for mode in tried.modes):
        return ""
    reason = lacking(tried.lacks, duty)
    return f"**no**: {reason}" if reason else "yes"


if __name__ == "__main__":
    print(table())
