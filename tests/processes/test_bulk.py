"""Fifty callers in eight processes, and records at their expiry: one exchange for each."""

from collections.abc import Callable
from typing import Literal

import pytest

from tests.processes.crowd import Process, answers
from tests.processes.messages import Ask
from tests.processes.scene import Scene, all_is_well

PROCESSES = 8
CALLERS = 50


def ask(workers: list[Process], grants: tuple[str, ...], leeway: int = 30) -> None:
    """Let fifty callers ask for all grants."""
    for number, worker in enumerate(workers):
        callers = len(range(number, CALLERS, len(workers)))
        worker.tell(Ask(grants, callers, leeway=leeway, seed=number))


@pytest.mark.parametrize(("kind", "preloaded"), [("threads", False), ("asyncio", True)])
def test_each_expiry_causes_one_exchange(
    scene: Callable[..., Scene],
    size: Callable[[int, int], int],
    kind: Literal["threads", "asyncio"],
    preloaded: bool,
) -> None:
    stage = scene(kind=kind, preloaded=preloaded)
    grants = stage.give("grant", size(100, 2_000))
    workers = stage.workers(PROCESSES)
    ask(workers, grants)
    all_is_well(stage, grants, answers(workers, size(60, 600)))


def test_a_token_that_is_due_is_handed_out_while_one_caller_renews_it(
    scene: Callable[..., Scene], size: Callable[[int, int], int]
) -> None:
    stage = scene()
    grants = stage.give("grant", size(50, 1_000), remaining=25)
    workers = stage.workers(PROCESSES)
    ask(workers, grants)
    got = answers(workers, size(60, 600))
    all_is_well(stage, grants, got, older=stage.first_access_token)
