"""The world as it is."""

import sys
import webbrowser
from threading import Event

from oidc_adapters.cli.world import wait_for_interrupt, world_of_this_process
from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.runtime.entropy import SystemEntropy
from oidc_adapters.transport.over_urllib3 import Urllib3Transport


def test_it_is_made_of_the_real_things() -> None:
    world = world_of_this_process()

    assert (world.out, world.err) == (sys.stdout, sys.stderr)
    assert isinstance(world.clock, SystemClock)
    assert isinstance(world.entropy, SystemEntropy)
    assert world.open_page is webbrowser.open
    with world.transport(None) as transport:
        assert isinstance(transport, Urllib3Transport)


def test_variables_are_not_shown() -> None:
    assert "PATH" not in repr(world_of_this_process())


def test_a_wait_ends_with_its_event() -> None:
    event = Event()
    event.set()

    wait_for_interrupt(event)

    assert event.is_set()


def test_a_wait_ends_with_an_interrupt() -> None:
    wait_for_interrupt(Interrupted())

    assert Interrupted.waits == 1


class Interrupted(Event):
    """An event during whose wait somebody presses Ctrl-C."""

    waits = 0

    def wait(self, timeout: float | None = None) -> bool:
        Interrupted.waits += 1
        raise KeyboardInterrupt
