"""A process stops for seconds, as on a laptop that sleeps, and goes on where it was."""

import signal
from collections.abc import Callable
from time import sleep

from tests.processes.crowd import answers
from tests.processes.holding import POINTS, ask, grants_of, holder
from tests.processes.messages import Release
from tests.processes.scene import Scene, all_is_well, gathered


def test_a_process_that_stops_within_the_guard_costs_nothing(
    scene: Callable[..., Scene], size: Callable[[int, int], int]
) -> None:
    stage = scene(claim=1, send=30, patience=40)
    bystanders = stage.workers(2)
    holders = [holder(stage, point, size(6, 12)) for point in POINTS]
    for each in holders:
        each.worker.signal(signal.SIGSTOP)
        each.worker.tell(Release())
    every = grants_of(holders)
    ask(bystanders, every)
    sleep(5)
    for each in holders:
        each.worker.signal(signal.SIGCONT)
    all_is_well(stage, every, answers([*bystanders, *[each.worker for each in holders]]))


def test_a_late_pair_heals_a_record_in_doubt(
    scene: Callable[..., Scene], size: Callable[[int, int], int]
) -> None:
    """Under `never`, beyond the guard: nothing is sent twice, and nothing stays in doubt."""
    stage = scene(claim=1, send=4, patience=20, resend="never")
    bystanders = stage.workers(2)
    holders = [holder(stage, point, size(6, 12), again=10) for point in POINTS]
    for each in holders:
        each.worker.signal(signal.SIGSTOP)
        each.worker.tell(Release())
    every = grants_of(holders)
    ask(bystanders, every)
    got = gathered(answers(bystanders))
    doubted = [each for each in every if {*got[each]} == {"!refresh_in_doubt"}]
    points = {each.rpartition("-")[0] for each in doubted}
    assert points == {"after-mark", "before-send", "after-send", "before-store"}, stage.told()
    for each in holders:
        each.worker.signal(signal.SIGCONT)
    healed = answers([each.worker for each in holders])
    ask(bystanders, every)
    all_is_well(stage, every, [*answers(bystanders), *healed])
