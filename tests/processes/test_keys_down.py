"""The provider's keys cannot be read while new ID tokens wait to be verified."""

from collections.abc import Callable

from oidc_core.machine.key_fetching import REFILL
from tests.processes.crowd import answers
from tests.processes.messages import Ask, StepClock
from tests.processes.scene import Scene, all_is_well, gathered


def test_sessions_go_on_once_the_keys_can_be_read(
    scene: Callable[..., Scene], size: Callable[[int, int], int]
) -> None:
    stage = scene()
    grants = stage.give("grant", size(12, 50))
    workers = stage.workers(4)
    stage.operate("key_endpoint", down=True, rotate=True)
    for number, worker in enumerate(workers):
        worker.tell(Ask(grants, 6, seed=number))
    got = gathered(answers(workers))
    for grant in grants:
        about = stage.teller(grant, got[grant])
        assert {*got[grant]} == {"!keys_unavailable"}, about()
        assert stage.record(grant).state == "unverified", about()

    stage.operate("key_endpoint", down=False, rotate=False)
    for number, worker in enumerate(workers):
        worker.tell(StepClock(REFILL))  # a client that asked in vain asks again after that
        worker.tell(Ask(grants, 6, seed=number))
    all_is_well(stage, grants, answers(workers))
