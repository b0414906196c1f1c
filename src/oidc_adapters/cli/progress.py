"""Progress of a command, on standard error, if that is a terminal."""

from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.redaction import printable
from oidc_adapters.cli.world import World
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.transport import Transport, judges_addresses
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest


def say(world: World, text: str) -> None:
    """Say what the command waits for, to a terminal only."""
    if world.err.isatty():
        page = Page(world.err, world.environ)
        page.raw(f"... {printable(text)}")
        page.flush()


class ProgressTransport:
    """A transport that announces each request.

    Args:
        transport: does the work.
        world: has the terminal.

    Attributes:
        judges_addresses: as the other transport.
    """

    def __init__(self, transport: Transport, world: World) -> None:
        self._transport = transport
        self._world = world
        self.judges_addresses = judges_addresses(transport)

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        """Send a request as the other transport does, and say so before."""
        say(self._world, f"{request.method} {request.url.partition('?')[0]}")
        return self._transport.send(request, clock)
