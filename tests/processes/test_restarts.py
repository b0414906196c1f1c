"""Eight workers are replaced one after the other, while fifty callers ask on and on."""

import signal
from collections.abc import Callable
from time import sleep
from typing import Literal

import pytest

from tests.processes.crowd import Process
from tests.processes.messages import Answers, Ask, Left, ProviderPlan
from tests.processes.scene import Scene, gathered

PROCESSES = 8
CALLERS = 50


@pytest.mark.parametrize("kind", ["threads", "asyncio"])
def test_a_rolling_restart_leaves_nothing_in_doubt(
    scene: Callable[..., Scene],
    size: Callable[[int, int], int],
    kind: Literal["threads", "asyncio"],
) -> None:
    stage = scene(ProviderPlan(token_lifetime=8), trusted=2, linger=0.2, kind=kind)
    grants = stage.give("grant", size(40, 100))

    def begun(number: int, name: str) -> Process:
        worker = stage.worker(f"{name}-{number}")
        callers = len(range(number, CALLERS, PROCESSES))
        worker.tell(
            Ask(grants, callers, leeway=2, seed=number, block=len(grants), rounds=1_000, pace=0.05)
        )
        return worker

    def left(worker: Process) -> Answers:
        worker.signal(signal.SIGTERM)
        assert worker.expect(Left).seconds < 5
        taken = worker.expect(Answers)
        worker.gone()
        return taken

    workers = [begun(number, "old") for number in range(PROCESSES)]
    sleep(1)
    got = list[Answers]()
    for number in range(PROCESSES):
        got.append(left(workers[number]))
        workers[number] = begun(number, "new")
        sleep(size(1, 5) / 2)
    got += [left(worker) for worker in workers]

    taken, fates = gathered(got), stage.fates()
    assert sum(fate.sent for fate in fates.values()) > len(grants)
    for grant in grants:
        fate, record = fates[grant], stage.record(grant)
        about = stage.teller(grant, record.state, taken[grant], fate)
        assert record.state in {"current", "unverified"}, about()
        assert fate.sent == record.generation, about()
        assert not fate.reused, about()
        assert not fate.revoked, about()
        assert record.tokens.refresh_token in fate.refresh, about()
        assert {each for each in taken[grant] if each[0] in "!~"} <= {"!config_invalid"}, about()
