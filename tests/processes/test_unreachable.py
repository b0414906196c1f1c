"""The store cannot be reached for two seconds, or its answers are lost, at each point."""

from collections.abc import Callable
from time import sleep

import pytest

from tests.processes.conftest import FULL_SIZE
from tests.processes.crowd import answers
from tests.processes.holding import POINTS, ask, grants_of, holder
from tests.processes.messages import Ask, LoseAnswers, Point, Release, Step, When
from tests.processes.places import Store
from tests.processes.scene import Scene, all_is_well
from tests.servers.cutting_proxy import CuttingProxy

AWAY = 2.0
AGAIN = 40.0
LATER = ["store_unavailable"]
WRITES: tuple[Step, ...] = ("claim", "mark", "store", "verify")
GROUPS = tuple([(step,) for step in WRITES]) if FULL_SIZE else (WRITES,)


@pytest.mark.parametrize("how", ["refusing", "hanging"])
def test_an_outage_costs_no_session(
    scene: Callable[..., Scene], size: Callable[[int, int], int], store: Store, how: str
) -> None:
    """Refusing: every call fails at once.  Hanging: the store itself does not answer."""
    stage = scene(at=store.place._replace(patience=1), claim=1, send=30, patience=40)
    bystanders = stage.workers(2)
    holders = [holder(stage, point, size(6, 12), again=AGAIN) for point in POINTS]
    every = grants_of(holders)
    if how == "refusing":
        stage.down.touch()
        for each in holders:
            each.worker.tell(Release())
        ask(bystanders, every, again=AGAIN)
        sleep(AWAY)
        stage.down.unlink()
    else:
        with store.paused():
            for each in holders:
                each.worker.tell(Release())
            ask(bystanders, every, again=AGAIN)
            sleep(AWAY)
    got = answers([*bystanders, *[each.worker for each in holders]])
    all_is_well(stage, every, got, later=LATER)


@pytest.mark.parametrize("steps", GROUPS, ids="+".join)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_failure_of_the_store_costs_no_session(
    scene: Callable[..., Scene],
    size: Callable[[int, int], int],
    steps: tuple[Step, ...],
    when: When,
) -> None:
    """Once for each step: before it, nothing was written; after it, the write was applied."""
    stage = scene(claim=1, send=30, patience=40)
    grants = stage.give("grant", size(6, 12))
    workers = stage.workers(3)
    for number, worker in enumerate(workers):
        for step in steps:
            worker.tell(LoseAnswers(Point(step, when)))
        worker.tell(Ask(grants, len(grants), seed=number, again=AGAIN))
    all_is_well(stage, grants, answers(workers), later=LATER)


@pytest.mark.parametrize("store", ["postgresql", "redis"], indirect=True)
def test_a_lost_answer_of_a_server_costs_no_session(
    scene: Callable[..., Scene], size: Callable[[int, int], int], store: Store
) -> None:
    """A proxy cuts the connection after the server has written."""
    count = size(6, 50)
    with CuttingProxy(store.listens) as proxy:
        stage = scene(at=store.behind(proxy.port), claim=1, send=30, patience=40)
        for step in WRITES:
            held = holder(stage, Point(step, "before"), count, again=AGAIN)
            proxy.lose_answers(b"grant:", count)
            held.worker.tell(Release())
            got = answers([held.worker])
            assert proxy.lost, step
            all_is_well(stage, held.grants, got, later=LATER)
