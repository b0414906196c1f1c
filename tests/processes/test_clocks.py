"""Somebody sets the wall clock of one process, by an hour, at each point of its exchanges."""

from collections.abc import Callable

import pytest

from tests.processes.crowd import answers
from tests.processes.holding import POINTS, ask, grants_of, holder
from tests.processes.messages import Release, StepClock
from tests.processes.scene import Scene, all_is_well


@pytest.mark.parametrize("seconds", [-3_600, 3_600], ids=["back", "forward"])
def test_a_wall_clock_that_is_set_costs_no_session(
    scene: Callable[..., Scene], size: Callable[[int, int], int], seconds: int
) -> None:
    stage = scene(claim=1, send=10, patience=30)
    bystanders = stage.workers(2)
    holders = [holder(stage, point, size(6, 12), again=30) for point in POINTS]
    for each in holders:
        each.worker.tell(StepClock(seconds))
        each.worker.tell(Release())
    every = grants_of(holders)
    ask(bystanders, every)
    all_is_well(stage, every, answers([*bystanders, *[each.worker for each in holders]]))
