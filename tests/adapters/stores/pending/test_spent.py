import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from oidc_adapters.stores.pending import MemorySpent
from oidc_core.model.pending import pending_id_of
from oidc_core.wire.errors import StoreFailure
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
    """Nobody waits for it here: work that just began has not ended, even if a clock says so."""
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
    assert len(spent._names) == 1
    assert not spent.seen_once("new", NOW + 100, NOW + 50)


@pytest.mark.parametrize("longest", [120, 86_400, 10**9])
@pytest.mark.parametrize("clock", ["right", "a year ahead at first"])
def test_one_that_lasts_long_holds_up_none_that_came_after_it(longest: int, clock: str) -> None:
    elapsed = Elapsed()
    spent = MemorySpent(cap=20, elapsed=elapsed)
    ahead = 0 if clock == "right" else 365 * 86_400
    assert spent.seen_once("long", NOW + ahead + longest, NOW + ahead)

    for number in range(100):
        elapsed.seconds += 10
        now = NOW + int(elapsed.seconds)
        assert spent.seen_once(f"{number}", now + 60, now)
    assert len(spent._names) == sum(map(len, spent._together.values())) <= 8
    assert spent.seen_once("long", NOW + 2_000, NOW + 1_000) is (longest == 120 and not ahead)


def test_names_of_all_lifetimes_go_when_they_are_over() -> None:
    elapsed = Elapsed()
    spent = MemorySpent(elapsed=elapsed)
    for number in range(100):
        assert spent.seen_once(f"{number}", NOW + number * 37 % 100, NOW)

    for second in range(1, 101):
        elapsed.seconds = second
        assert spent.seen_once(f"at {second}", NOW + second, NOW + second)
        assert len(spent._names) == 100 - second + 1
    assert (len(spent._due) + len(spent._late), len(spent._together)) == (1, 1)


@pytest.mark.parametrize("cap", [1, 3, 100])
def test_at_the_cap_a_further_name_is_refused_and_none_is_forgotten(cap: int) -> None:
    """Otherwise a finished login could be finished once more, after enough others."""
    elapsed = Elapsed()
    spent = MemorySpent(cap=cap, elapsed=elapsed)
    names = [pending_id_of(f"{number}") for number in range(cap)]
    for name in names:
        assert spent.seen_once(name, NOW + 60, NOW)

    for _ in range(2):
        with pytest.raises(StoreFailure) as refusal:
            spent.seen_once(pending_id_of("another"), NOW + 60, NOW)
        assert (refusal.value.code, refusal.value.found) == ("store_full", cap)
        assert not any(spent.seen_once(name, NOW + 60, NOW) for name in names)

    elapsed.seconds = 61
    assert spent.seen_once(pending_id_of("another"), NOW + 120, NOW + 61)


@pytest.mark.parametrize(
    "name", ["", "a", "ä", "\ud800", 31 * "0", 32 * "x", 16 * "0 ", 33 * "0", 500 * "n"]
)
def test_a_name_of_any_other_form_is_remembered_as_well(name: str) -> None:
    spent = MemorySpent()

    assert spent.seen_once(name, NOW + 60, NOW)
    assert not spent.seen_once(name, NOW + 60, NOW)
    assert spent.seen_once(name + "1", NOW + 60, NOW)
    assert {len(key) for key in spent._names} == {16}


def test_threads_see_a_name_once_among_them() -> None:
    spent, barrier = MemorySpent(), threading.Barrier(8)

    def see_all() -> int:
        barrier.wait(30)
        return sum(spent.seen_once(f"{number}", NOW + 60, NOW) for number in range(2_000))

    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(see_all) for _ in range(8)]

        assert sum(future.result(60) for future in futures) == 2_000
