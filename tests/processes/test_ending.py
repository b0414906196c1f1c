"""A process ends while its exchanges are under way."""

import signal
from collections.abc import Callable
from time import monotonic, sleep
from typing import Literal

import pytest

from tests.processes.crowd import PATIENCE
from tests.processes.messages import Ask, Left, Quit
from tests.processes.scene import Scene


def sent(stage: Scene, count: int) -> None:
    """Wait until the provider has answered so many exchanges."""
    end = monotonic() + PATIENCE
    while sum(fate.sent for fate in stage.fates().values()) < count:
        assert monotonic() < end, stage.told()
        sleep(0.02)


@pytest.mark.parametrize(
    ("kind", "how"), [("threads", "closes"), ("asyncio", "closes"), ("threads", "returns")]
)
def test_an_exchange_under_way_is_finished(
    scene: Callable[..., Scene],
    size: Callable[[int, int], int],
    kind: Literal["threads", "asyncio"],
    how: Literal["closes", "returns"],
) -> None:
    """One that closes its client, or whose main thread just returns."""
    stage = scene(kind=kind, linger=1)
    grants = stage.give("grant", size(6, 50))
    worker = stage.worker("leaving")
    worker.tell(Ask(grants, len(grants), each=False))
    sent(stage, len(grants))
    if how == "closes":
        worker.signal(signal.SIGTERM)
        assert worker.expect(Left).seconds < 5
    else:
        worker.tell(Quit())
    worker.gone()
    fates = stage.fates()
    for grant in grants:
        record, about = stage.record(grant), stage.teller(grant)
        assert record.state in {"unverified", "current"}, about()
        assert record.generation == 1, about()
        assert record.tokens.refresh_token in fates[grant].refresh, about()
        assert fates[grant].sent == 1, about()
        assert not fates[grant].reused, about()
