"""Times that can be trusted on a noisy machine: ratios within rounds, in one process.

All candidates run in each round, in shuffled order and in batches of some milliseconds. The rounds
compare the CPU time of this thread, so that neighbours disturb little; the collector is on, and
older objects are frozen.
"""

import gc
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from random import Random
from statistics import median, quantiles
from time import thread_time_ns
from typing import Final, NamedTuple, TypeAlias

Call: TypeAlias = Callable[[], object]


class Effort(NamedTuple):
    """How much is spent on the measurements.

    Attributes:
        rounds: how often each candidate is timed.
        batch: microseconds one timing takes at least.
        held: how many logins are held where memory is measured.
        processes: how often an import is timed.
    """

    rounds: int
    batch: int
    held: int
    processes: int


FULL: Final = Effort(rounds=21, batch=8_000, held=100_000, processes=7)
TINY: Final = Effort(rounds=2, batch=20, held=200, processes=1)


class Spread(NamedTuple):
    """A median with the quartiles around it."""

    low: float
    median: float
    high: float


class Samples:
    """Microseconds a call, one for each round, by the candidates' names."""

    __slots__ = ("_by_name",)

    def __init__(self, by_name: Mapping[str, tuple[float, ...]]) -> None:
        self._by_name = by_name

    def cost(self, name: str) -> Spread:
        """Return what a call costs, in microseconds."""
        return spread(self._by_name[name])

    def ratio(self, name: str, floor: str) -> Spread:
        """Return how many times the floor of the same round a call costs."""
        pairs = zip(self._by_name[name], self._by_name[floor], strict=True)
        return spread(tuple([cost / least for cost, least in pairs]))


def interleaved(calls: Mapping[str, Call], effort: Effort) -> Samples:
    """Time all candidates, round by round."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    sizes = {name: _batch_size(call, effort.batch) for name, call in calls.items()}
    order, shuffle = [*calls], Random(1).shuffle
    with frozen_heap():
        for _ in range(effort.rounds):
            shuffle(order)
            for name in order:
                elapsed = _timed(calls[name], sizes[name])
                found[name].append(max(elapsed, 1) / sizes[name] / 1_000)
    return Samples({name: tuple(costs) for name, costs in found.items()})


def spread(values: tuple[float, ...]) -> Spread:
    """Return the median and the quartiles."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(low, median(values), high)


@contextmanager
def frozen_heap() -> Generator[None]:
    """Spare the collector what exists already."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _batch_size(call: Call, batch: int) -> int:
    """Find how many calls fill a batch; they warm up at the same time."""
    size = 1
    while True:
        elapsed = _timed(call, size)
        if elapsed >= batch * 500:
            return max(1, size * batch * 1_000 // elapsed)
        size *= 2


def _timed(call: Call, size: int) -> int:
    repeated = [None] * size
    start = thread_time_ns()
    for _ in repeated:
        call()
    return thread_time_ns() - start
