"""Progress: what a command is waiting for, on standard error, if that is a terminal."""

from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.redaction import printable
from oidc_adapters.cli.world import World
from oidc_adapters.clients.shell import Shell
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.transport import Transport
from oidc_core.wire.http import AnswerTo, HttpRequest


def say(world: World, text: str) -> None:
    """Say what is waited for; a file or a pipe is not told."""
    if world.err.isatty():
        page = Page(world.err, world.environ)
        page.raw(f"... {printable(text)}")
        page.flush()


class ProgressShell(Shell):
    """A shell that says whom it asks.

    Args:
        transport: sends requests.
        world: has the terminal, the clock and the entropy.
    """

    __slots__ = ("_world",)

    def __init__(self, transport: Transport, world: World) -> None:
        self._world = world
        super().__init__(transport, Credentials(), clock=world.clock, entropy=world.entropy)

    def send(self, request: HttpRequest) -> AnswerTo:
        """Send a request as every shell does, and say so before."""
        say(self._world, f"{request.method} {request.url.partition('?')[0]}")
        return super().send(request)
