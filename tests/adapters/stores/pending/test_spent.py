import threading
from concurrent.futures import ThreadPoolExecutor

from oidc_adapters.stores.pending import MemorySpent
from tests.flows.rig import NOW


class Elapsed:
    """Seconds that pass when a test says so."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_name_is_seen_once_until_it_is_over() -> None:
    elapsed = Elapsed()
    spent = MemorySpent(elapsed=elapsed)

    assert spent.seen_once("a", NOW + 60, NOW)
    assert not spent.seen_once("a", NOW + 60, NOW)
    assert not spent.seen_once("a", NOW + 60, NOW + 60)
    assert spent.seen_once("b", NOW + 60, NOW)
    elapsed.seconds = 61
    assert spent.seen_once("a", NOW + 120, NOW + 61)
    assert not spent.seen_once("a", NOW + 120, NOW + 61)


def test_a_clock_set_forward_and_right_again_makes_nothing_forgotten() -> None:
    elapsed = Elapsed()
    spent = MemorySpent(elapsed=elapsed)
    assert spent.seen_once("a", NOW + 60, NOW)

    elapsed.seconds = 5
    assert spent.seen_once("b", NOW + 3_660, NOW + 3_600)
    assert not spent.seen_once("a", NOW + 60, NOW + 3_600)
    elapsed.seconds = 10

    assert not spent.seen_once("a", NOW + 60, NOW + 10)
    assert not spent.seen_once("b", NOW + 3_660, NOW + 10)


def test_what_is_in_time_is_remembered_however_long_a_clock_is_behind() -> None:
    elapsed = Elapsed()
    spent = MemorySpent(elapsed=elapsed)
    assert spent.seen_once("a", NOW + 60, NOW)

    elapsed.seconds = 86_400

    assert spent.seen_once("b", NOW + 60, NOW - 86_400)
    assert not spent.seen_once("a", NOW + 60, NOW)


def test_time_is_told_by_the_machine_unless_a_test_tells_it() -> None:
    """Nobody waits for it here: what just began is not over, whatever a clock says."""
    spent = MemorySpent()
    assert spent.seen_once("a", NOW + 60, NOW)

    assert not spent.seen_once("a", NOW + 60, NOW + 86_400)


def test_it_speaks_for_its_process() -> None:
    assert MemorySpent().single_use == "process"


def test_what_is_over_is_forgotten() -> None:
    elapsed = Elapsed()
    spent = MemorySpent(cap=10, elapsed=elapsed)
    for number in range(10):
        assert spent.seen_once(f"{number}", NOW + number, NOW)

    elapsed.seconds = 50
    assert spent.seen_once("new", NOW + 100, NOW + 50)
    assert [*spent._names] == ["new"]


def test_at_the_cap_the_oldest_is_forgotten_and_nothing_else() -> None:
    spent = MemorySpent(cap=3)
    for name in "abc":
        assert spent.seen_once(name, NOW + 60, NOW)

    assert spent.seen_once("d", NOW + 60, NOW)

    assert [not spent.seen_once(name, NOW + 60, NOW) for name in "bcd"] == [True, True, True]
    assert spent.seen_once("a", NOW + 60, NOW)


def test_at_the_cap_the_oldest_is_still_refused() -> None:
    spent = MemorySpent(cap=3)
    for name in "abc":
        spent.seen_once(name, NOW + 60, NOW)

    for _ in range(10):
        assert not spent.seen_once("a", NOW + 60, NOW)
    assert [*spent._names] == ["a", "b", "c"]


def test_threads_see_a_name_once_among_them() -> None:
    spent, barrier = MemorySpent(), threading.Barrier(8)

    def see_all() -> int:
        barrier.wait(30)
        return sum(spent.seen_once(f"{number}", NOW + 60, NOW) for number in range(2_000))

    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(see_all) for _ in range(8)]

        assert sum(future.result(60) for future in futures) == 2_000
