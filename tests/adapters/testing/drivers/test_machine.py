"""The machine for drivers: honest drivers pass, and every operation and fault is met."""

import unittest
from collections import Counter
from contextlib import suppress
from typing import ClassVar

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from oidc_adapters.clients.shell import AsyncShell, Shell
from oidc_adapters.testing.drivers import FAULTS, Drive, DriverMachine, DriverWorld
from oidc_core.wire.http import Answer, AnswerTo, HttpRequest, WireRequest
from tests.adapters.testing.drivers.bent import SEARCH, Machine, Plain, check_finds, machine

SHORT = settings(SEARCH, max_examples=60)


class OfShell(DriverMachine):
    """Our own driver for code that waits."""

    counts: ClassVar[Counter[str]] = Counter()

    def driver(self, world: DriverWorld) -> Drive:
        return Shell(
            world.transport, world.credentials, world.keys, clock=world.clock, entropy=world.entropy
        ).run


class OfAsyncShell(DriverMachine):
    """Our own driver for code that awaits."""

    counts: ClassVar[Counter[str]] = Counter()

    def driver(self, world: DriverWorld) -> Drive:
        return AsyncShell(
            world.async_transport,
            world.credentials,
            world.keys,
            clock=world.clock,
            entropy=world.entropy,
        ).run


REACHED = {
    "discovery",
    "login",
    "refresh",
    "userinfo",
    "revocation",
    "logout",
    "meanwhile",
    "ended well",
    "with a stranger",
    *[f"with {fault}" for fault in {*FAULTS} - {"slow", "nonce", "demand", "meanwhile"}],
}


@pytest.mark.parametrize("tried", [OfShell, OfAsyncShell])
def test_our_own_drivers_pass_and_everything_happens_to_them(tried: type[DriverMachine]) -> None:
    tried.counts.clear()

    run_state_machine_as_test(tried, settings=SHORT)

    assert {*tried.counts} == REACHED, tried.counts
    operations = sum([tried.counts[name] for name in ("login", "refresh", "userinfo")])
    assert operations >= 2 * SHORT.max_examples, tried.counts


def test_a_subclass_is_a_test_case_of_unittest() -> None:
    assert issubclass(OfShell.TestCase, unittest.TestCase)


def test_a_machine_without_a_driver_says_what_is_missing() -> None:
    with pytest.raises(TypeError, match=r"DriverMachine has no method driver\(self, world\)"):
        run_state_machine_as_test(DriverMachine, settings=SHORT)


class Locking(Plain):
    """Sends one request at a time."""

    sending = False

    def transmitted(self, request: WireRequest) -> Answer:
        assert not self.sending
        self.sending = True
        try:
            return super().transmitted(request)
        finally:
            self.sending = False


class OneAtATime(Machine):
    """Lets no operation run while another waits."""

    overlaps = False

    def driver(self, world: DriverWorld) -> Drive:
        return Locking(world).run


class Overlapping(OneAtATime):
    """Does."""

    overlaps = True


def test_overlaps_may_be_switched_off() -> None:
    run_state_machine_as_test(OneAtATime, settings=settings(SHORT, max_examples=10))
    check_finds(Overlapping, "outcome-told")


class CatchesAll(Plain):
    """Catches every exception, a broken duty too."""

    def told(self, request: HttpRequest) -> AnswerTo:
        with suppress(Exception):
            self.transmitted(evolve(self.prepared(request), deadline=60))
        return super().told(request)


def test_a_duty_counts_as_broken_though_the_driver_catches_the_error() -> None:
    check_finds(machine(CatchesAll), "limits-kept")
