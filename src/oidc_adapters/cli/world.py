"""The world that the commands touch, as one value: a test gives them another."""

import os
import sys
import webbrowser
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from io import StringIO
from threading import Event
from typing import TextIO, TypeAlias

from attrs import field, frozen

from oidc_adapters.runtime.boot_clock import Boot, this_boot
from oidc_adapters.runtime.clock import Clock, SystemClock
from oidc_adapters.runtime.entropy import Entropy, SystemEntropy
from oidc_adapters.transport import Transport
from oidc_adapters.transport.over_urllib3 import Urllib3Transport

OpenTransport: TypeAlias = Callable[[str | None], AbstractContextManager[Transport]]


@frozen(kw_only=True)
class World:
    """Streams, environment, network, time, randomness and browser.

    Attributes:
        out, err: standard output and standard error.
        stdin: standard input.
        environ: the environment's variables.
        transport: opens a transport that trusts a CA, or the system's.
        clock: tells the time.
        entropy: gives secrets.
        open_page: has a browser open a URL; says whether there is one.
        wait: returns when somebody wants a server to end.
        boot: tells the running start of the machine, by which kept tokens age.
    """

    out: TextIO
    err: TextIO
    stdin: TextIO
    environ: Mapping[str, str] = field(repr=False)
    transport: OpenTransport
    clock: Clock
    entropy: Entropy
    open_page: Callable[[str], bool]
    wait: Callable[[], None]
    boot: Callable[[], Boot] = this_boot


def world_of_this_process() -> World:
    """Return the world as it is."""
    return World(
        out=_open(sys.stdout),
        err=_open(sys.stderr),
        stdin=_open(sys.stdin),
        environ=os.environ,
        transport=lambda ca: Urllib3Transport(ca=ca),
        clock=SystemClock(),
        entropy=SystemEntropy(),
        open_page=webbrowser.open,
        wait=wait_for_interrupt,
    )


def _open(stream: TextIO | None) -> TextIO:
    """Return a stream of the process, or an empty one if it was closed before that began."""
    return StringIO() if stream is None else stream


def wait_for_interrupt(event: Event | None = None) -> None:
    """Return when somebody presses Ctrl-C, or when the event happens."""
    with suppress(KeyboardInterrupt):
        (event or Event()).wait()
