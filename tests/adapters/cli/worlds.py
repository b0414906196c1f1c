"""A world for the commands: real loopback HTTP, all else known beforehand, all of it recorded."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from io import BytesIO, StringIO, TextIOWrapper
from queue import Queue
from threading import Thread

from attrs import field, frozen

from oidc_adapters.cli import run
from oidc_adapters.cli.recording import Recorded, RecordingTransport
from oidc_adapters.cli.world import World
from oidc_adapters.runtime.boot_clock import Boot, this_boot
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import Entropy, FixedEntropy
from oidc_adapters.transport import Transport
from oidc_adapters.transport.over_urllib3 import Urllib3Transport

NOW = 1_800_000_000


class Terminal(StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def ascii_stream() -> TextIOWrapper:
    return TextIOWrapper(BytesIO(), encoding="ascii")


def no_page(url: str) -> bool:
    return False


def nothing() -> None:
    return None


@frozen(kw_only=True)
class Ran:
    """The result of a command."""

    status: int
    out: str
    err: str
    exchanges: tuple[Recorded, ...]


@frozen(kw_only=True)
class Stage:
    """A world and what was said in it."""

    out: StringIO = field(factory=StringIO)
    err: StringIO = field(factory=StringIO)
    stdin: StringIO = field(factory=StringIO)
    environ: Mapping[str, str] = field(factory=dict[str, str])
    open_page: Callable[[str], bool] = no_page
    wait: Callable[[], None] = nothing
    entropy: Entropy = field(factory=lambda: FixedEntropy(1))
    boot: Callable[[], Boot] = this_boot
    wires: list[RecordingTransport] = field(factory=list[RecordingTransport])

    @contextmanager
    def transport(self, ca: str | None) -> Generator[Transport]:
        with Urllib3Transport(ca=ca) as inner:
            self.wires.append(RecordingTransport(inner))
            yield self.wires[-1]

    @property
    def world(self) -> World:
        return World(
            out=self.out,
            err=self.err,
            stdin=self.stdin,
            environ=self.environ,
            transport=self.transport,
            clock=FrozenClock(NOW),
            entropy=self.entropy,
            open_page=self.open_page,
            wait=self.wait,
            boot=self.boot,
        )

    def run(self, *argv: str) -> Ran:
        status = run(argv, self.world)
        said = [one for wire in self.wires for one in wire.exchanges]
        return Ran(
            status=status,
            out=self.out.getvalue(),
            err=self.err.getvalue(),
            exchanges=tuple(said),
        )


def visiting(visit: Callable[[str], None]) -> tuple[Callable[[str], bool], Queue[Thread]]:
    """Return a function that opens a page as a browser does, in parallel; and its threads."""
    threads: Queue[Thread] = Queue()

    def open_page(url: str) -> bool:
        thread = Thread(target=visit, args=(url,))
        thread.start()
        threads.put(thread)
        return True

    return open_page, threads
