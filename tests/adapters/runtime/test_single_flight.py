"""Work that several want at once is done once; it survives its callers, and they survive it."""

import asyncio
import gc
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import Any, Final

import pytest
import trio

from oidc_adapters.runtime import single_flight
from oidc_adapters.runtime.single_flight import SingleFlight
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.errors import OidcError, StoreFailure, TransportFailure

Run = Callable[[Callable[[], Awaitable[Any]]], Any]
LONG: Final = 30
MARK: ContextVar[str] = ContextVar("MARK", default="nobody")


def under_asyncio(main: Callable[[], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        return await main()

    return asyncio.run(run())


def under_trio(main: Callable[[], Awaitable[Any]]) -> Any:
    return trio.run(main)


LIBRARIES = pytest.mark.parametrize("run", [under_asyncio, under_trio])


class Work:
    """Counts how often it was begun; a gate keeps it waiting, in threads or in a loop."""

    def __init__(self, result: str = "done") -> None:
        self.result = result
        self.begun = 0
        self.ended = 0
        self.started = threading.Event()
        self.gate = threading.Event()

    def __call__(self) -> str:
        self.begun += 1
        self.started.set()
        assert self.gate.wait(LONG)
        self.ended += 1
        return self.result

    async def awaited(self) -> str:
        self.begun += 1
        self.started.set()
        while not self.gate.is_set():
            await checkpoint()
        self.ended += 1
        return self.result


async def checkpoint() -> None:
    """Let all others of this loop run."""
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        await asyncio.sleep(0)
    else:
        await trio.lowlevel.checkpoint()


async def cancelled(call: Callable[[], Awaitable[Any]], work: Work) -> None:
    """Begin a call, and cancel it once the work has begun."""
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        task = asyncio.ensure_future(call())
        while not work.started.is_set():
            await checkpoint()
        await checkpoint()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(call)
            while not work.started.is_set():
                await checkpoint()
            await checkpoint()
            nursery.cancel_scope.cancel()


def waiting(flights: SingleFlight[str], key: str, threads: int, tasks: int = 0) -> None:
    """Go on once so many threads, and tasks of other loops, wait for a flight."""
    pause = threading.Event()
    for _ in range(3_000):
        flight = flights._flights.get((os.getpid(), key))
        found = (0, 0)
        if flight is not None:
            blocked = getattr(flight.future._condition, "_waiters", ())
            found = (len(blocked), len(getattr(flight.future, "_done_callbacks", ())))
        if found == (threads, tasks):
            return
        pause.wait(0.01)
    pytest.fail("they do not wait")


# --- threads -------------------------------------------------------------------------------------


def test_threads_that_want_the_same_share_one_piece_of_work() -> None:
    flights, work = SingleFlight[str](), Work()
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(flights.run, "a", work, seconds=LONG)
        assert work.started.wait(LONG)
        assert "a" in flights
        others = [threads.submit(flights.run, "a", work, seconds=LONG) for _ in range(7)]
        waiting(flights, "a", 7)
        work.gate.set()

        assert {one.result(LONG) for one in (first, *others)} == {"done"}
    assert (work.begun, "a" in flights) == (1, False)


def test_other_keys_are_other_work_and_no_lock_is_held_meanwhile() -> None:
    flights, work, other = SingleFlight[str](), Work(), Work("other")
    other.gate.set()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(flights.run, ("a", 1), work, seconds=LONG)
        assert work.started.wait(LONG)

        assert flights.run(("a", 2), other, seconds=0) == "other"
        work.gate.set()
        assert first.result(LONG) == "done"


def test_what_has_landed_is_begun_again() -> None:
    flights, work = SingleFlight[str](), Work()
    work.gate.set()

    assert [flights.run("a", work, seconds=0) for _ in range(3)] == ["done"] * 3
    assert work.begun == 3


def test_a_failure_goes_to_all_who_wait_and_is_forgotten() -> None:
    flights, gate, work = SingleFlight[str](), Work(), Work()
    work.gate.set()

    def failing() -> str:
        gate()
        raise KeyError("k")

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(flights.run, "a", failing, seconds=LONG)
        assert gate.started.wait(LONG)
        others = [threads.submit(flights.run, "a", work, seconds=LONG) for _ in range(3)]
        waiting(flights, "a", 3)
        gate.gate.set()
        for one in (first, *others):
            with pytest.raises(KeyError):
                one.result(LONG)

    assert work.begun == 0
    assert flights.run("a", work, seconds=0) == "done"


def test_work_that_wants_its_own_result_does_not_wait_for_it() -> None:
    flights = SingleFlight[str]()

    def again() -> str:
        with pytest.raises(TimeoutError):
            flights.run("a", again, seconds=LONG)
        return flights.run("b", lambda: "other work", seconds=0)

    assert flights.run("a", again, seconds=0) == "other work"
    assert "a" not in flights


def refusal() -> OidcError:
    """A failure with a cause, as a store of an application raises it."""
    fault = StoreFailure("store_full", found=1, about="provider keys")
    fault.__cause__ = ConnectionError("the database")
    return fault


def of_login(name: str, fault: OidcError) -> tuple[str, OidcError]:
    """Write into an error what belongs to one login, as the clients do."""
    assert (fault.code, fault.found, fault.about) == ("store_full", 1, "provider keys")
    assert (fault.return_to, fault.cookies) == ("", ())  # nobody else has written there
    assert isinstance(fault.__cause__, ConnectionError)
    fault.return_to = f"/private-of-{name}"
    fault.cookies = (SetCookie(name, "", 0, "Lax", secure=True),)
    fault.about = name
    return name, fault


def check_own(failures: list[tuple[str, OidcError]], count: int) -> None:
    assert len({id(fault) for _, fault in failures}) == count
    for name, fault in failures:
        assert (fault.return_to, fault.about) == (f"/private-of-{name}", name)
        assert [cookie.name for cookie in fault.cookies] == [name]


def test_each_thread_gets_an_error_of_its_own() -> None:
    flights, gate = SingleFlight[str](), Work()

    def failing() -> str:
        gate()
        raise refusal()

    def one(name: str) -> tuple[str, OidcError]:
        try:
            flights.run("a", failing, seconds=LONG)
        except OidcError as fault:
            return of_login(name, fault)
        raise AssertionError

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(one, "first")
        assert gate.started.wait(LONG)
        others = [threads.submit(one, f"n{number}") for number in range(3)]
        waiting(flights, "a", 3)
        gate.gate.set()
        failures = [done.result(LONG) for done in (first, *others)]

    check_own(failures, 4)


@LIBRARIES
def test_each_task_gets_an_error_of_its_own(run: Run) -> None:
    flights, failures = SingleFlight[str](), list[tuple[str, OidcError]]()

    async def failing() -> str:
        for _ in range(10):
            await checkpoint()
        raise refusal()

    async def one(name: str) -> None:
        try:
            await flights.run_async("a", failing, seconds=LONG)
        except OidcError as fault:
            failures.append(of_login(name, fault))

    async def main() -> None:
        await together(*[partial(one, f"n{number}") for number in range(5)])

    run(main)
    check_own(failures, 5)


def test_an_error_of_ones_own_has_all_facts_and_says_where_the_work_raised_it() -> None:
    flights = SingleFlight[str]()

    async def failing() -> str:
        raise TransportFailure("http_timeout", found=1, expected=2, of="answer", sent="no")

    async def main() -> TransportFailure:
        with pytest.raises(TransportFailure) as failure:
            await flights.run_async("a", failing, seconds=LONG)
        assert failure.traceback[-1].name == "failing"
        return failure.value

    fault = under_asyncio(main)
    assert (fault.code, fault.found, fault.expected, fault.of, fault.sent) == (
        "http_timeout", 1, 2, "answer", "no",
    )  # fmt: skip


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_thread_that_ends_leaves_the_work_to_those_who_wait(end: type[BaseException]) -> None:
    flights, gate, work = SingleFlight[str](), Work(), Work()
    work.gate.set()

    def ending() -> str:
        gate()
        raise end

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(flights.run, "a", ending, seconds=LONG)
        assert gate.started.wait(LONG)
        others = [threads.submit(flights.run, "a", work, seconds=LONG) for _ in range(3)]
        waiting(flights, "a", 3)
        gate.gate.set()

        assert {one.result(LONG) for one in others} == {"done"}
        with pytest.raises(end):
            first.result(LONG)


def test_what_must_not_be_done_twice_is_not_begun_again_by_those_who_wait() -> None:
    flights, gate, work = SingleFlight[str](repeatable=False), Work(), Work()
    work.gate.set()

    def ending() -> str:
        gate()
        raise KeyboardInterrupt

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(flights.run, "a", ending, seconds=LONG)
        assert gate.started.wait(LONG)
        other = threads.submit(flights.run, "a", work, seconds=LONG)
        waiting(flights, "a", 1)
        gate.gate.set()

        with pytest.raises(CancelledError):
            other.result(LONG)
        with pytest.raises(KeyboardInterrupt):
            first.result(LONG)
    assert work.begun == 0


def test_each_who_waits_has_a_deadline_of_its_own() -> None:
    flights, work = SingleFlight[str](), Work()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(flights.run, "a", work, seconds=0)  # its own work goes on
        assert work.started.wait(LONG)
        patient = threads.submit(flights.run, "a", work, seconds=LONG)
        waiting(flights, "a", 1)
        with pytest.raises(TimeoutError):
            flights.run("a", work, seconds=0)
        work.gate.set()

        assert [first.result(LONG), patient.result(LONG)] == ["done", "done"]
    assert work.begun == 1


# --- loops ---------------------------------------------------------------------------------------


@LIBRARIES
def test_tasks_share_one_piece_of_work(run: Run) -> None:
    flights, work, results = SingleFlight[str](), Work(), list[str]()

    async def one() -> None:
        results.append(await flights.run_async("a", work.awaited, seconds=LONG))

    async def main() -> None:
        async def open_gate() -> None:
            while not work.started.is_set():
                await checkpoint()
            await checkpoint()
            work.gate.set()

        await together(*[one] * 20, open_gate)

    run(main)
    assert (results, work.begun, "a" in flights) == (["done"] * 20, 1, False)


async def together(*calls: Callable[[], Awaitable[None]]) -> None:
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        await asyncio.gather(*[call() for call in calls])
    else:
        async with trio.open_nursery() as nursery:
            for call in calls:
                nursery.start_soon(call)


@LIBRARIES
def test_cancelled_callers_leave_the_work_and_the_next_one_joins_it(run: Run) -> None:
    flights, work = SingleFlight[str](), Work()

    async def main() -> str:
        for _ in range(3):
            await cancelled(lambda: flights.run_async("a", work.awaited, seconds=LONG), work)
        assert "a" in flights
        results = list[str]()

        async def joins() -> None:
            results.append(await flights.run_async("a", work.awaited, seconds=LONG))

        async def open_gate() -> None:
            await checkpoint()
            work.gate.set()

        await together(joins, open_gate)
        return results[0]

    assert run(main) == "done"
    assert work.begun == 1


@LIBRARIES
def test_work_goes_on_though_nobody_waits(run: Run) -> None:
    flights, work = SingleFlight[str](), Work()

    async def main() -> None:
        await cancelled(lambda: flights.run_async("a", work.awaited, seconds=LONG), work)
        gc.collect()
        work.gate.set()
        while "a" in flights:
            await checkpoint()

    run(main)
    assert (work.begun, work.ended) == (1, 1)


@LIBRARIES
def test_the_deadline_of_a_task_ends_its_waiting_and_not_the_work(run: Run) -> None:
    flights, work = SingleFlight[str](), Work()

    async def main() -> str:
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await flights.run_async("a", work.awaited, seconds=0)
            await checkpoint()
        work.gate.set()
        return await flights.run_async("a", work.awaited, seconds=LONG)

    assert run(main) == "done"
    assert work.begun == 1


@LIBRARIES
def test_a_failure_goes_to_all_tasks_and_not_to_the_loop(run: Run) -> None:
    flights, failures, work = SingleFlight[str](), list[str](), Work()

    async def failing() -> str:
        for _ in range(10):
            await checkpoint()
        raise KeyError("k")

    async def one() -> None:
        try:
            await flights.run_async("a", failing, seconds=LONG)
        except KeyError as failure:
            failures.append(str(failure))

    async def main() -> str:
        await together(*[one] * 5)
        work.gate.set()
        return await flights.run_async("a", work.awaited, seconds=LONG)

    assert run(main) == "done"
    assert failures == ["'k'"] * 5


@LIBRARIES
def test_a_loop_that_ends_leaves_the_work_to_the_next_caller(run: Run) -> None:
    flights, work = SingleFlight[str](), Work()

    async def leaves() -> None:
        await cancelled(lambda: flights.run_async("a", work.awaited, seconds=LONG), work)

    run(leaves)
    assert "a" not in flights
    work.gate.set()

    assert flights.run("a", work, seconds=0) == "done"
    assert work.begun == 2


@LIBRARIES
def test_a_loop_that_ends_leaves_the_work_to_a_thread_that_waits(run: Run) -> None:
    flights, work, again = SingleFlight[str](), Work(), Work("again")
    again.gate.set()
    with ThreadPoolExecutor(1) as threads:

        async def leaves() -> Any:
            await cancelled(lambda: flights.run_async("a", work.awaited, seconds=LONG), work)
            waits = threads.submit(flights.run, "a", again, seconds=LONG)
            waiting(flights, "a", 1, tasks=1)
            return waits

        assert run(leaves).result(LONG) == "again"
    assert (work.ended, again.begun) == (0, 1)


@pytest.mark.parametrize("closed", [True, False])
def test_a_loop_that_no_longer_runs_counts_as_ended(closed: bool) -> None:
    """Nobody cancelled its tasks, as its application should have."""
    flights, work, again = SingleFlight[str](), Work(), Work("again")
    again.gate.set()
    loop = asyncio.new_event_loop()
    with ThreadPoolExecutor(1) as threads:

        async def leaves() -> Any:
            await cancelled(lambda: flights.run_async("a", work.awaited, seconds=LONG), work)
            waits = threads.submit(flights.run, "a", again, seconds=LONG)
            waiting(flights, "a", 1, tasks=1)
            return waits

        waits = loop.run_until_complete(leaves())
        (task,) = asyncio.all_tasks(loop)
        if closed:
            loop.close()
        assert "a" not in flights
        assert flights.run("a", again, seconds=0) == "again"  # and sets the other one free
        assert waits.result(LONG) == "again"
    if not closed:
        work.gate.set()
        loop.run_until_complete(asyncio.wait([task]))
        assert task.exception() is None  # what comes late is dropped
        loop.close()


def abandoned(flights: SingleFlight[str], work: Work) -> Callable[[], None]:
    """Begin work in a loop that will be closed with it, and return what closes it."""
    loop = asyncio.new_event_loop()

    async def leaves() -> None:
        await cancelled(lambda: flights.run_async("a", work.awaited, seconds=LONG), work)

    loop.run_until_complete(loop.create_task(leaves()))
    (flight,) = flights._flights.values()
    running = [True]
    flight.alive = lambda: running[0]  # as if it still ran when they began to wait

    def close() -> None:
        running.clear()
        running.append(False)
        loop.close()

    return close


def test_a_thread_that_waits_for_a_loop_begins_again_soon_after_that_was_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(single_flight, "_LOOK", 0.01)
    flights, work, again = SingleFlight[str](), Work(), Work("again")
    again.gate.set()
    close = abandoned(flights, work)

    with ThreadPoolExecutor(3) as threads:
        waits = [threads.submit(flights.run, "a", again, seconds=LONG) for _ in range(3)]
        waiting(flights, "a", 3, tasks=1)
        close()
        assert [one.result(LONG / 2) for one in waits] == ["again"] * 3


@LIBRARIES
def test_a_task_that_waits_for_another_loop_begins_again_soon_after_that_was_closed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_flight, "_LOOK", 0.01)
    flights, work, again = SingleFlight[str](), Work(), Work("again")
    again.gate.set()
    close = abandoned(flights, work)

    async def waits() -> None:
        results.append(await flights.run_async("a", again.awaited, seconds=LONG))

    async def closes() -> None:
        await checkpoint()
        close()

    results = list[str]()

    async def main() -> None:
        await together(waits, waits, closes)

    run(main)
    assert results == ["again", "again"]


def test_what_must_not_be_done_twice_is_broken_off_where_its_loop_was_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(single_flight, "_LOOK", 0.01)
    flights, work, again = SingleFlight[str](repeatable=False), Work(), Work("again")
    close = abandoned(flights, work)

    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(flights.run, "a", again, seconds=LONG)
        waiting(flights, "a", 1, tasks=1)
        close()
        with pytest.raises(CancelledError):
            waits.result(LONG / 2)
    assert again.begun == 0


def test_those_who_wait_look_each_second_and_no_longer_than_their_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flights, work, waited = SingleFlight[str](), Work(), list[float]()

    def never(_future: Future[object], timeout: float = 0) -> object:
        waited.append(timeout)
        raise TimeoutError

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(flights.run, "a", work, seconds=0)
        assert work.started.wait(LONG)
        with monkeypatch.context() as patched:
            patched.setattr(Future, "exception", never)
            patched.setattr(single_flight, "monotonic", lambda: sum(waited))
            with pytest.raises(TimeoutError):
                flights.run("a", work, seconds=2.5)
        work.gate.set()
        assert first.result(LONG) == "done"
    assert waited == [1, 1, 0.5]


def test_a_run_of_trio_that_is_over_counts_as_ended() -> None:
    flights, work = SingleFlight[str](), Work()

    async def leaves() -> Callable[[], bool]:
        await cancelled(lambda: flights.run_async("a", work.awaited, seconds=LONG), work)
        (flight,) = flights._flights.values()
        assert flight.alive()
        return flight.alive

    assert not trio.run(leaves)()


def test_a_task_that_is_cancelled_before_its_first_step_leaves_the_work() -> None:
    flights, work = SingleFlight[str](), Work()

    async def main() -> None:
        leader = asyncio.ensure_future(flights.run_async("a", work.awaited, seconds=LONG))
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task(), leader}:
            task.cancel()
        with pytest.raises(CancelledError):
            await leader

    under_asyncio(main)
    assert ("a" in flights, work.begun) == (False, 0)


def test_tasks_that_wait_for_a_cancelled_one_begin_again() -> None:
    flights, work, again = SingleFlight[str](), Work(), Work("again")
    again.gate.set()

    async def main() -> str:
        before = asyncio.all_tasks()
        leader = asyncio.ensure_future(flights.run_async("a", work.awaited, seconds=LONG))
        while not work.started.is_set():
            await checkpoint()
        (shared,) = asyncio.all_tasks() - before - {leader}
        joined = asyncio.ensure_future(flights.run_async("a", again.awaited, seconds=LONG))
        await asyncio.sleep(0)
        shared.cancel()
        with pytest.raises(CancelledError):
            await leader
        return await joined

    assert under_asyncio(main) == "again"
    assert (work.begun, again.begun) == (1, 1)


def test_a_loop_that_takes_no_task_leaves_nothing_under_way() -> None:
    flights, work = SingleFlight[str](), Work()

    async def main() -> None:
        def refuses(_loop: object, work: Any, **_: object) -> Any:
            work.close()
            raise RuntimeError("the loop is shutting down")

        loop = asyncio.get_running_loop()
        loop.set_task_factory(refuses)
        with pytest.raises(RuntimeError) as refusal:
            await flights.run_async("a", work.awaited, seconds=LONG)
        loop.set_task_factory(None)
        assert str(refusal.value) == "the loop is shutting down"

    under_asyncio(main)
    assert "a" not in flights


# --- threads and loops together ------------------------------------------------------------------


def test_threads_and_two_loops_share_one_piece_of_work() -> None:
    flights, work = SingleFlight[str](), Work()

    async def joins() -> str:
        return await flights.run_async("a", work.awaited, seconds=LONG)

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(flights.run, "a", work, seconds=LONG)
        assert work.started.wait(LONG)
        others = [
            threads.submit(under_asyncio, joins),
            threads.submit(under_trio, joins),
            threads.submit(flights.run, "a", work, seconds=LONG),
        ]
        waiting(flights, "a", 1, tasks=2)
        work.gate.set()

        assert {one.result(LONG) for one in (first, *others)} == {"done"}
    assert work.begun == 1


@LIBRARIES
def test_a_thread_waits_for_the_task_of_a_loop(run: Run) -> None:
    flights, work = SingleFlight[str](), Work()

    async def leads() -> str:
        return await flights.run_async("a", work.awaited, seconds=LONG)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(run, leads)
        assert work.started.wait(LONG)
        other = threads.submit(flights.run, "a", work, seconds=LONG)
        waiting(flights, "a", 1, tasks=1)
        work.gate.set()

        assert [first.result(LONG), other.result(LONG)] == ["done", "done"]
    assert work.begun == 1


@LIBRARIES
def test_the_work_sees_the_context_of_the_caller_who_began_it(run: Run) -> None:
    flights, seen = SingleFlight[str](), list[str]()

    async def work() -> str:
        seen.append(MARK.get())
        MARK.set("the work")
        return ""

    async def main() -> str:
        MARK.set("the caller")
        await flights.run_async("a", work, seconds=LONG)
        return MARK.get()

    assert run(main) == "the caller"
    assert seen == ["the caller"]


def test_a_forked_process_does_not_wait_for_its_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    flights, work, own = SingleFlight[str](), Work(), Work("own")
    own.gate.set()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(flights.run, "a", work, seconds=LONG)
        assert work.started.wait(LONG)
        with monkeypatch.context() as child:
            child.setattr(os, "getpid", lambda: -1)
            assert "a" not in flights
            assert flights.run("a", own, seconds=0) == "own"
        work.gate.set()
        assert first.result(LONG) == "done"
