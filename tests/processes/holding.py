"""Workers that stand at points of their exchanges, each with grants of its own."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.processes.crowd import Process
from tests.processes.messages import Ask, Hold, Point
from tests.processes.scene import Scene

POINTS: Final = (
    Point("claim", "before"),
    Point("claim", "after"),
    Point("mark", "before"),
    Point("mark", "after"),
    Point("send", "before"),
    Point("send", "after"),
    Point("store", "before"),
    Point("store", "after"),
    Point("verify", "before"),
    Point("verify", "after"),
)


class Holder(NamedTuple):
    """A worker that stands at a point with all of its grants."""

    point: Point
    grants: tuple[str, ...]
    worker: Process


def holder(scene: Scene, point: Point, count: int, *, again: float = 0, tag: str = "") -> Holder:
    """Begin a worker, and let it come to a point with so many grants, each with a caller."""
    name = f"{point}{tag}"
    grants = scene.give(name, count)
    worker = scene.worker(f"holder-{name}")
    worker.tell(Hold(point))
    worker.tell(Ask(grants, count, each=False, again=again))
    worker.holds(count)
    return Holder(point, grants, worker)


def ask(
    workers: Sequence[Process], grants: Sequence[str], *, again: float = 0, leeway: int = 30
) -> None:
    """Let each worker have one caller for each grant."""
    for worker in workers:
        worker.tell(Ask(tuple(grants), len(grants), each=False, again=again, leeway=leeway))


def grants_of(holders: Sequence[Holder]) -> tuple[str, ...]:
    """Return the grants of all of them."""
    return tuple([grant for each in holders for grant in each.grants])
