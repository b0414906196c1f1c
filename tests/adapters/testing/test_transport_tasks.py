"""Each duty towards an event loop is failed by a transport that neglects it."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.testing import ASYNC_TRANSPORT_DUTIES, TransportSetup
from oidc_adapters.transport.in_threads import InThreads
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest
from tests.adapters.testing.bent_transports import good
from tests.adapters.transport.tried import innermost
from tests.flows.rig import run_asyncio, run_trio

DUTY_OF = {duty.name: duty for duty in ASYNC_TRANSPORT_DUTIES}
pytestmark = pytest.mark.slow
BOTH = pytest.mark.parametrize("run", [run_asyncio, run_trio])


def block(seconds: float) -> None:
    time.sleep(seconds)


class Blocks:
    def __init__(self, setup: TransportSetup) -> None:
        self.inner = good(setup)

    async def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        return self.inner.send(request, clock)


class BlocksBriefly(InThreads):
    def __init__(self, setup: TransportSetup) -> None:
        super().__init__(good(setup))

    async def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        block(0.007)
        return await super().send(request, clock)


class Leaks(InThreads):
    """It loses a place with each exchange that is cancelled."""

    def __init__(self, setup: TransportSetup) -> None:
        super().__init__(good(setup))
        self.places = 16

    async def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        if not self.places:
            return NoAnswer("no", "http_timeout", clock.now(), "busy")
        self.places -= 1
        answer = await super().send(request, clock)
        self.places += 1
        return answer


class OneThread(InThreads):
    def __init__(self, setup: TransportSetup) -> None:
        super().__init__(good(setup), threads=1)


def tried(duty: str, kind: Any) -> Any:
    async def main() -> None:
        await DUTY_OF[duty](kind)

    return main


@BOTH
@pytest.mark.parametrize("kind", [Blocks, BlocksBriefly])
def test_one_that_blocks_the_loop_is_told(run: Any, kind: Any) -> None:
    with pytest.raises((AssertionError, BaseExceptionGroup)) as caught:
        run(tried("loop", kind))
    assert re.search("it blocks the event loop", str(innermost(caught.value)))


@BOTH
@pytest.mark.parametrize(
    ("duty", "kind"), [("side-by-side", OneThread), ("cancelled-often", Leaks)]
)
def test_one_whose_places_are_used_up_is_told(run: Any, duty: str, kind: Any) -> None:
    with pytest.raises((AssertionError, BaseExceptionGroup)) as caught:
        run(tried(duty, kind))
    assert re.search("had to wait|came, not an answer|never", str(innermost(caught.value)))


@BOTH
def test_one_that_cannot_be_cancelled_is_told(run: Any) -> None:
    with pytest.raises((AssertionError, BaseExceptionGroup)) as caught:
        run(tried("cancellation", Blocks))
    assert re.search("never arrived|not cancelled|ended after", str(innermost(caught.value)))
