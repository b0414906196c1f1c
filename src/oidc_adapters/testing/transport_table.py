"""The duties of every transport, as a table that a test of any transport can run.

.. code-block:: python

    def opened(setup: TransportSetup) -> MyTransport:
        return MyTransport(ca=setup.ca, proxy=setup.proxy)

    @pytest.mark.parametrize("duty", TRANSPORT_DUTIES, ids=str)
    def test_it_does_its_duty(duty: TransportDuty) -> None:
        duty(opened)

A duty makes one transport or several, runs servers on loopback, with TLS and an authority of their
own, and closes all of it in the end.  Duties wait for deadlines, so each takes up to some seconds.

A transport that cannot fulfil a duty says so by an attribute ``lacks``: the names of such duties,
each with the reason.  :func:`lacking` returns the reason.
"""

import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias, cast

from attrs import field, frozen

from oidc_adapters.stores.records import at_once
from oidc_adapters.testing import transport_answers as answers
from oidc_adapters.testing import transport_limits as limits
from oidc_adapters.testing import transport_tasks as tasks
from oidc_adapters.testing import transport_ways as ways
from oidc_adapters.testing.fault_server import Read, Send
from oidc_adapters.testing.transport_place import (
    PLAIN,
    Place,
    TransportSetup,
    World,
    answering,
    check,
    check_answered,
)
from oidc_adapters.testing.transport_place import closed as close
from oidc_adapters.testing.transport_worlds import Tasks, Waits
from oidc_adapters.transport import AsyncTransport, Transport

SharedClient: TypeAlias = Callable[[], tuple[Transport, Callable[[str], int]]]
"""Returns a transport over an application's client, and a call that fetches a URL with it."""

AsyncSharedClient: TypeAlias = Callable[[], tuple[AsyncTransport, Callable[[str], Awaitable[int]]]]
"""The same for code that awaits."""


class _Row(NamedTuple):
    """A duty that does not know yet whether the transport waits or is awaited."""

    name: str
    sentence: str
    work: Callable[[Place], Coroutine[Any, Any, None]]

    async def perform(self, opened: Callable[[TransportSetup], Any], world: World) -> None:
        """Run it, and close what it opened."""
        with tempfile.TemporaryDirectory() as folder:
            place = Place(opened, Path(folder), world)
            try:
                await self.work(place)
            finally:
                await place.close()


@frozen
class TransportDuty:
    """A duty of a transport that waits; call it with a function that makes a transport.

    Attributes:
        name: a word or a few, joined by hyphens.
        sentence: what the transport does.
    """

    name: str
    sentence: str
    _row: _Row = field(repr=False)

    def __call__(self, opened: Callable[[TransportSetup], Transport]) -> None:
        """Try whether a transport does it.

        Args:
            opened: makes a transport with these settings.

        Raises:
            AssertionError: the transport does not; the message says how.
            Exception: what the transport raised.
        """
        at_once(self._row.perform(opened, Waits()))

    def __str__(self) -> str:
        return self.name


@frozen
class AsyncTransportDuty:
    """A duty of a transport that is awaited, under asyncio or trio.

    Attributes:
        name: a word or a few, joined by hyphens.
        sentence: what the transport does.
    """

    name: str
    sentence: str
    _row: _Row = field(repr=False)

    async def __call__(self, opened: Callable[[TransportSetup], AsyncTransport]) -> None:
        """Try whether a transport does it, like :class:`TransportDuty`."""
        await self._row.perform(opened, Tasks())

    def __str__(self) -> str:
        return self.name


def lacking(transport: object, duty: TransportDuty | AsyncTransportDuty) -> str:
    """Return why a transport, or its class, says that it lacks a duty; or an empty string."""
    lacks: object = getattr(transport, "lacks", None)
    if not isinstance(lacks, Mapping):  # a class whose instances say it
        return ""
    reasons = cast("Mapping[str, str]", lacks)
    return reasons.get(duty.name, "")


def _row(name: str, work: Callable[[Place], Coroutine[Any, Any, None]]) -> _Row:
    return _Row(name, (work.__doc__ or "").partition("\n")[0].strip(), work)


_ROWS: Final = (
    _row("silence", limits.silence),
    _row("dripping-head", limits.dripping_head),
    _row("dripping-body", limits.dripping_body),
    _row("dripping-handshake", limits.dripping_handshake),
    _row("dripping-tls", limits.dripping_tls),
    _row("no-room", limits.no_room),
    _row("large-head", limits.large_head),
    _row("large-body", limits.large_body),
    _row("large-frame", limits.large_frame),
    _row("refused", limits.refused),
    _row("causes", limits.causes),
    _row("request-as-is", answers.request_as_is),
    _row("no-injection", answers.no_injection),
    _row("redirects", answers.redirects),
    _row("statuses", answers.statuses),
    _row("headers", answers.headers),
    _row("cookies", answers.cookies),
    _row("encodings", answers.encodings),
    _row("not-http", answers.not_http),
    _row("broken-off", answers.broken_off),
    _row("ambiguous", answers.ambiguous),
    _row("surplus", answers.surplus),
    _row("stale", answers.stale),
    _row("resends", answers.resends),
    _row("after-failures", answers.after_failures),
    _row("authority", ways.authority),
    _row("host-name", ways.host_name),
    _row("tls-version", ways.tls_version),
    _row("client-certificate", ways.client_certificate),
    _row("channel", ways.channel),
    _row("addresses", ways.addresses),
    _row("proxy", ways.proxy),
    _row("proxy-refuses", ways.proxy_refuses),
    _row("proxy-plain", ways.proxy_plain),
    _row("environment", ways.environment),
)
_OF_TASKS: Final = (
    _row("cancellation", tasks.cancellation),
    _row("cancelled-often", tasks.cancelled_often),
    _row("loop", tasks.loop),
    _row("side-by-side", tasks.side_by_side),
)

TRANSPORT_DUTIES: Final = tuple([TransportDuty(r.name, r.sentence, r) for r in _ROWS])
"""The duties of a transport, for code that waits."""

ASYNC_TRANSPORT_DUTIES: Final = tuple(
    [AsyncTransportDuty(r.name, r.sentence, r) for r in (*_ROWS, *_OF_TASKS)]
)
"""The duties of a transport, for code that awaits: those, and the ones towards an event loop."""


# --- a client of the application -----------------------------------------------------------------


@frozen
class SharedClientDuty:
    """The duty of a transport over a client of the application: it never closes the client."""

    name: str = "own-client"
    sentence: str = (
        "The application's client is never closed, and serves the application meanwhile."
    )

    def __call__(self, opened: SharedClient) -> None:
        """Try whether a transport does it, like :class:`TransportDuty`."""
        at_once(_keeps_client(opened, Waits()))

    async def awaited(self, opened: AsyncSharedClient) -> None:
        """Try it for a transport that is awaited."""
        await _keeps_client(opened, Tasks())


async def _keeps_client(opened: Callable[[], tuple[Any, Any]], world: World) -> None:
    with (
        answering((Read(), Send(PLAIN)) * 8) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        transport, fetch = opened()
        place = Place(lambda _: transport, Path(folder), world)
        for _ in range(2):
            check_answered(await place.send(transport, server.url()))
            status = await world.settled(fetch(server.url()))
            check(status == 200, f"the application's own request had the status {status!r}")
        await close(transport, world)
        status = await world.settled(fetch(server.url()))
        check(status == 200, "the application's client was closed")


SHARED_CLIENT: Final = SharedClientDuty()
"""The duty of a transport over a client of the application."""
