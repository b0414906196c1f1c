import asyncio
import gc
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import pytest
import trio
from attrs import evolve, fields

from oidc_adapters.runtime import single_flight
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.locks import ProcessLock
from oidc_adapters.stores import provider_keys
from oidc_adapters.stores.provider_keys import MemoryProviderKeys, StaticProviderKeys
from oidc_core.jose.key_set import KeySet, parse_key_set
from oidc_core.machine.key_fetching import (
    BUCKET_SIZE,
    REFILL,
    STALE_IF_ERROR,
    KeyRecord,
    fetched,
)
from oidc_core.machine.steps import KeysAnswer, KeysFound, KeysWithheld
from oidc_core.wire.errors import StoreFailure
from oidc_core.wire.http import AnswerTo, HttpRequest, HttpResponse, KeysWanted, NoAnswer, Source
from oidc_core.wire.jsontypes import JsonObject, render
from oidc_core.wire.limits import LIMITS, Limits
from oidc_core.wire.way import Channel, Way
from tests.flows.rig import NOW, run_asyncio, run_trio

JWK: Final = JsonObject(
    {
        "kty": "EC",
        "crv": "P-256",
        "kid": "first",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }
)
HOUR: Final = 3_600
WANTED: Final = KeysWanted(
    issuer="https://op.example",
    client_id="client",
    jwks_uri="https://op.example/jwks",
    max_age=HOUR,
    source="solicited",
    way=Way(),
)

Run = Callable[[Callable[[], Awaitable[Any]]], Any]
LIBRARIES = pytest.mark.parametrize("run", [run_asyncio, run_trio])


def key_set_of(*kids: str) -> JsonObject:
    return JsonObject({"keys": tuple(JsonObject({**JWK, "kid": kid}) for kid in kids)})


class Provider:
    """Answers with its key set, or not at all, and counts."""

    def __init__(self, clock: FrozenClock, *kids: str) -> None:
        self.kids = kids or ("first",)
        self.fetches = 0
        self.broken: str | None = None
        self.clock = clock
        self._lock = threading.Lock()

    def send(self, request: HttpRequest) -> AnswerTo:
        with self._lock:
            self.fetches += 1
        plain = evolve(request, way=WANTED.way, headers=WANTED.request.headers)
        assert plain == WANTED.request
        now = self.clock.now()
        json = (("content-type", "application/json"),)
        if self.broken == "dropped":
            return AnswerTo(request, NoAnswer("maybe", "http_malformed", now))
        if self.broken == "status":
            return AnswerTo(request, HttpResponse(503, json, b"{}", now))
        body = b"{" if self.broken == "syntax" else render(key_set_of(*self.kids)).encode()
        return AnswerTo(request, HttpResponse(200, json, body, now))

    async def send_async(self, request: HttpRequest) -> AnswerTo:
        return self.send(request)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture
def provider(clock: FrozenClock) -> Provider:
    return Provider(clock)


@pytest.fixture
def keys() -> MemoryProviderKeys:
    return MemoryProviderKeys()


def kids(answer: KeysAnswer) -> tuple[str | None, ...]:
    assert isinstance(answer, KeysFound)
    return tuple(key.kid for key in answer.key_set.keys)


CODES: Final = {
    "dropped": "http_malformed",
    "status": "http_status_unexpected",
    "syntax": "json_malformed",
}
"""The failure of a fetch while the provider is broken in that way."""


def withheld(answer: KeysAnswer) -> tuple[str, str | None, int | None]:
    assert isinstance(answer, KeysWithheld)
    code = None if answer.fault is None else answer.fault.code
    return answer.reason, code, answer.retry_after


# --- one caller after the other ------------------------------------------------------------------


def test_a_set_is_fetched_once_and_used_until_it_is_old(
    keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    first = keys.find(WANTED, provider.send, clock)
    clock.advance(HOUR - 1)
    second = keys.find(WANTED, provider.send, clock)

    assert isinstance(first, KeysFound)
    assert isinstance(second, KeysFound)
    assert (first.fetched_at, first.now, second.fetched_at) == (NOW, NOW, NOW)
    assert second.now == NOW + HOUR - 1
    assert provider.fetches == 1

    clock.advance(1)
    third = keys.find(WANTED, provider.send, clock)

    assert isinstance(third, KeysFound)
    assert third.fetched_at == NOW + HOUR
    assert provider.fetches == 2


def test_a_set_says_whose_it_is(
    keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    """The core refuses a set of another provider, even if a store mixes them up."""
    for _ in range(2):  # fetched, and then stored
        found = keys.find(WANTED, provider.send, clock)
        assert isinstance(found, KeysFound)
        assert (found.issuer, found.jwks_uri) == (WANTED.issuer, WANTED.jwks_uri)
    assert provider.fetches == 1

    clock.advance(HOUR)
    provider.broken = "dropped"
    stale = keys.find(WANTED, provider.send, clock)
    assert isinstance(stale, KeysFound)
    assert (stale.issuer, stale.jwks_uri) == (WANTED.issuer, WANTED.jwks_uri)


def test_issuers_and_addresses_have_sets_of_their_own(
    keys: MemoryProviderKeys, clock: FrozenClock
) -> None:
    sent: list[HttpRequest] = []

    def send(request: HttpRequest) -> AnswerTo:
        sent.append(request)
        return AnswerTo(request, NoAnswer("no", "http_connect_failed", clock.now()))

    for wanted in (
        WANTED,
        evolve(WANTED, issuer="https://b.example"),
        evolve(WANTED, jwks_uri="https://op.example/jwks2"),
        evolve(WANTED, client_id="another client of the same provider"),
    ):
        for _ in range(BUCKET_SIZE):
            keys.find(wanted, send, clock)

    assert len(sent) == 3 * BUCKET_SIZE


@pytest.mark.parametrize("broken", ["dropped", "status", "syntax"])
def test_a_failing_fetch_keeps_the_old_keys_for_a_day(
    keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock, broken: str
) -> None:
    keys.find(WANTED, provider.send, clock)
    provider.broken = broken
    for _ in range(24):
        clock.advance(HOUR)

        assert kids(keys.find(WANTED, provider.send, clock)) == ("first",)

    clock.advance(HOUR - 1)
    assert kids(keys.find(WANTED, provider.send, clock)) == ("first",)
    clock.advance(1)
    assert clock.now() == NOW + HOUR + STALE_IF_ERROR
    assert withheld(keys.find(WANTED, provider.send, clock)) == ("unreachable", CODES[broken], None)

    provider.broken = None
    clock.advance(REFILL)
    assert kids(keys.find(WANTED, provider.send, clock)) == ("first",)


def test_while_a_provider_is_down_it_is_not_asked_for_every_login(
    keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    keys.find(WANTED, provider.send, clock)
    clock.advance(HOUR)
    provider.broken, provider.fetches = "dropped", 0

    for _ in range(1_000):
        assert kids(keys.find(WANTED, provider.send, clock)) == ("first",)
    assert provider.fetches == BUCKET_SIZE


def test_a_cold_store_says_whether_it_failed_or_was_throttled(
    keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    provider.broken = "dropped"

    answers = [withheld(keys.find(WANTED, provider.send, clock)) for _ in range(4)]

    assert answers == [
        ("unreachable", "http_malformed", None),
        ("unreachable", "http_malformed", None),
        ("throttled", "http_malformed", REFILL),
        ("throttled", "http_malformed", REFILL),
    ]


def test_a_rotated_key_is_found_within_one_fetch(
    keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    keys.find(WANTED, provider.send, clock)
    provider.kids, provider.fetches = ("second", "first"), 0
    clock.advance(5)
    missing = evolve(WANTED, newer_than=NOW, missing_kid="second")

    assert kids(keys.find(missing, provider.send, clock)) == ("second", "first")
    assert kids(keys.find(missing, provider.send, clock)) == ("second", "first")
    assert provider.fetches == 1


@pytest.mark.parametrize("source", ["solicited", "unsolicited"])
def test_a_flood_of_unknown_kids_is_a_handful_of_fetches(
    keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock, source: Source
) -> None:
    keys.find(WANTED, provider.send, clock)
    provider.fetches = 0
    clock.advance(HOUR // 2)  # both buckets are full again
    for number in range(10_000):
        missing = evolve(WANTED, newer_than=clock.now(), missing_kid=f"kid-{number}", source=source)
        keys.find(missing, provider.send, clock)

    assert provider.fetches == BUCKET_SIZE

    clock.advance(10 * REFILL)
    for number in range(10_000):
        missing = evolve(WANTED, newer_than=clock.now(), missing_kid=f"k{number}", source=source)
        keys.find(missing, provider.send, clock)

    assert provider.fetches == 2 * BUCKET_SIZE


def test_one_unknown_kid_is_asked_for_once_a_minute(
    keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    keys.find(WANTED, provider.send, clock)
    clock.advance(HOUR // 2)
    provider.fetches = 0
    missing = evolve(WANTED, newer_than=clock.now(), missing_kid="never")

    answers = [keys.find(missing, provider.send, clock) for _ in range(100)]

    assert {kids(answer) for answer in answers} == {("first",)}
    assert provider.fetches == 1


def test_strangers_never_starve_the_providers_own_tokens(
    keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    keys.find(WANTED, provider.send, clock)
    clock.advance(HOUR // 2)
    for number in range(1_000):
        unsolicited = evolve(
            WANTED, newer_than=clock.now(), missing_kid=f"kid-{number}", source="unsolicited"
        )
        keys.find(unsolicited, provider.send, clock)
    # The keys that strangers asked for include the key that the provider signs with from now on.
    unsolicited = evolve(WANTED, newer_than=clock.now(), missing_kid="second", source="unsolicited")
    keys.find(unsolicited, provider.send, clock)
    provider.kids = ("second", "first")
    solicited = evolve(WANTED, newer_than=clock.now(), missing_kid="second")

    assert kids(keys.find(solicited, provider.send, clock)) == ("second", "first")


def test_what_a_sender_raises_is_raised_and_releases_the_store(
    keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    def send(_request: HttpRequest) -> AnswerTo:
        raise KeyError("k")

    with pytest.raises(KeyError):
        keys.find(WANTED, send, clock)

    assert kids(keys.find(WANTED, provider.send, clock)) == ("first",)


# --- many at a time ------------------------------------------------------------------------------


class Gated(Provider):
    """Answers only once it is let go on."""

    def __init__(self, clock: FrozenClock) -> None:
        super().__init__(clock)
        self.asked = threading.Event()
        self.gate = threading.Event()

    def send(self, request: HttpRequest) -> AnswerTo:
        self.asked.set()
        assert self.gate.wait(30)
        return super().send(request)


def test_two_hundred_threads_and_a_cold_store_are_one_fetch(
    keys: MemoryProviderKeys, clock: FrozenClock
) -> None:
    provider, barrier = Gated(clock), threading.Barrier(201)

    def find() -> KeysAnswer:
        barrier.wait(30)
        return keys.find(WANTED, provider.send, clock)

    with ThreadPoolExecutor(200) as threads:
        futures = [threads.submit(find) for _ in range(200)]
        barrier.wait(30)
        assert provider.asked.wait(30)
        provider.gate.set()
        answers = [future.result(30) for future in futures]

    assert provider.fetches == 1
    assert {kids(answer) for answer in answers} == {("first",)}
    whose = {(a.issuer, a.jwks_uri) for a in answers if isinstance(a, KeysFound)}
    assert whose == {(WANTED.issuer, WANTED.jwks_uri)}


@pytest.mark.parametrize("broken", ["dropped", "syntax"])
def test_a_fetch_that_fails_fails_once_for_all_who_wait(
    keys: MemoryProviderKeys, clock: FrozenClock, broken: str
) -> None:
    provider = Gated(clock)
    provider.broken = broken

    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(keys.find, WANTED, provider.send, clock)
        assert provider.asked.wait(30)
        others = [threads.submit(keys.find, WANTED, provider.send, clock) for _ in range(7)]
        _until_waiting(keys, 7)
        provider.gate.set()
        answers = {future.result(30) for future in (first, *others)}

    assert {withheld(answer) for answer in answers} == {("unreachable", CODES[broken], None)}
    assert provider.fetches == 1


def test_a_fetch_that_was_broken_off_is_made_by_one_of_those_who_waited(
    keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    asked, gate = threading.Event(), threading.Event()

    def broken_off(_request: HttpRequest) -> AnswerTo:
        asked.set()
        assert gate.wait(30)
        raise KeyboardInterrupt

    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(keys.find, WANTED, broken_off, clock)
        assert asked.wait(30)
        others = [threads.submit(keys.find, WANTED, provider.send, clock) for _ in range(7)]
        _until_waiting(keys, 7)
        gate.set()

        assert {kids(future.result(30)) for future in others} == {("first",)}
        with pytest.raises(KeyboardInterrupt):
            first.result(30)
    assert provider.fetches == 1


def _until_waiting(keys: MemoryProviderKeys, threads: int) -> None:
    """Go on once so many threads wait for the same fetch."""
    (flight,) = keys._flights._flights.values()
    _until(lambda: len(getattr(flight.future._condition, "_waiters", ())) == threads)


def _until(condition: Callable[[], bool]) -> None:
    """Let other threads run, until a condition holds; bounded."""
    pause = threading.Event()
    for _ in range(1_000):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail("nothing happened for 10 s")


class Turns:
    """Lets tasks of either library wait for each other, within one loop."""

    def __init__(self, run: Run) -> None:
        self.trio = run is run_trio

    def event(self) -> Any:
        return trio.Event() if self.trio else asyncio.Event()

    async def go(self, *tasks: Callable[[], Awaitable[None]]) -> None:
        """Run tasks together until all are done."""
        if self.trio:
            async with trio.open_nursery() as nursery:
                for task in tasks:
                    nursery.start_soon(task)
        else:
            await asyncio.gather(*[task() for task in tasks])

    async def step(self, times: int = 20) -> None:
        """Let all others run until they wait."""
        for _ in range(times):
            if self.trio:
                await trio.lowlevel.checkpoint()
            else:
                await asyncio.sleep(0)


@LIBRARIES
def test_many_tasks_and_a_cold_store_are_one_fetch(
    run: Run, keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    turns, answers = Turns(run), list[KeysAnswer]()

    async def main() -> None:
        gate = turns.event()

        async def send(request: HttpRequest) -> AnswerTo:
            await gate.wait()
            return provider.send(request)

        async def find() -> None:
            answers.append(await keys.find_async(WANTED, send, clock))

        async def open_gate() -> None:
            await turns.step()
            gate.set()

        await turns.go(*[find] * 100, open_gate)

    run(main)

    assert provider.fetches == 1
    assert [kids(answer) for answer in answers] == 100 * [("first",)]


async def _cancelled(turns: Turns, call: Callable[[], Awaitable[object]]) -> None:
    """Begin a call and cancel it while it waits."""
    if turns.trio:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(call)
            await turns.step()
            nursery.cancel_scope.cancel()
    else:
        task = asyncio.ensure_future(call())
        await turns.step()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


@LIBRARIES
@pytest.mark.parametrize("callers", [1, 2, 3, 10])
def test_cancelled_callers_leave_their_fetch_to_fill_the_store(
    run: Run, callers: int, keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    """Even if many callers give up during a slow first fetch: it is one, and throttles nobody."""
    turns = Turns(run)

    async def main() -> list[KeysAnswer]:
        gate = turns.event()

        async def slow(request: HttpRequest) -> AnswerTo:
            await gate.wait()
            return provider.send(request)

        for _ in range(callers):
            await _cancelled(turns, lambda: keys.find_async(WANTED, slow, clock))
        gate.set()
        await turns.step()
        return [await keys.find_async(WANTED, slow, clock) for _ in range(3)]

    answers = run(main)
    assert [kids(answer) for answer in answers] == 3 * [("first",)]
    assert provider.fetches == 1


@LIBRARIES
def test_who_comes_after_cancelled_callers_waits_for_their_fetch(
    run: Run, keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    turns, answers = Turns(run), list[KeysAnswer]()

    async def main() -> None:
        gate = turns.event()

        async def slow(request: HttpRequest) -> AnswerTo:
            await gate.wait()
            return provider.send(request)

        async def find() -> None:
            answers.append(await keys.find_async(WANTED, slow, clock))

        async def open_gate() -> None:
            await turns.step()
            gate.set()

        for _ in range(BUCKET_SIZE):
            await _cancelled(turns, lambda: keys.find_async(WANTED, slow, clock))
        await turns.go(find, find, open_gate)

    run(main)
    assert [kids(answer) for answer in answers] == 2 * [("first",)]
    assert provider.fetches == 1


@LIBRARIES
@pytest.mark.parametrize(("source", "left"), [("solicited", True), ("unsolicited", False)])
def test_loops_that_end_during_a_fetch_use_up_no_fetch_of_the_providers_own_tokens(
    run: Run,
    source: Source,
    left: bool,
    provider: Provider,
    clock: FrozenClock,
) -> None:
    """As where each request of an application has a separate loop."""
    keys = MemoryProviderKeys()
    turns, wanted = Turns(run), evolve(WANTED, source=source)

    async def gives_up() -> None:
        never = turns.event()

        async def stuck(_request: HttpRequest) -> AnswerTo:
            await never.wait()
            raise AssertionError

        await _cancelled(turns, lambda: keys.find_async(wanted, stuck, clock))

    for _ in range(BUCKET_SIZE):
        run(gives_up)

    answer = keys.find(wanted, provider.send, clock)
    assert isinstance(answer, KeysFound) is left
    assert provider.fetches == (1 if left else 0)


def test_a_set_is_kept_under_everything_that_decides_it() -> None:
    """A member that is added to the wish counts, unless it is named as one that does not."""
    names = {member.name for member in fields(KeysWanted)}

    no_matter = {"client_id", "max_age", "newer_than", "missing_kid", "source", "limits"}
    sizes = ("key_set", "keys", "members")
    assert len(WANTED.kept_under) == len(names - no_matter) + len(sizes)
    different = (
        evolve(WANTED, issuer="https://b.example"),
        evolve(WANTED, jwks_uri="https://op.example/b"),
        evolve(WANTED, way=Way(judged=True)),
        *[evolve(WANTED, limits=evolve(LIMITS, **{name: 100})) for name in sizes],
    )
    assert len({WANTED.kept_under, *[one.kept_under for one in different]}) == 7
    same = evolve(WANTED, client_id="b", max_age=1, newer_than=2, missing_kid="k")
    same = evolve(same, limits=Limits(id_token=5))
    assert evolve(same, source="unsolicited").kept_under == WANTED.kept_under


def test_who_has_no_fetch_left_keeps_none_from_others(
    keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    """An answer that a stranger did not get does not bind the provider's own tokens."""
    down = Provider(clock)
    down.broken = "dropped"
    stranger = evolve(WANTED, source="unsolicited")
    for _ in range(BUCKET_SIZE):
        keys.find(stranger, down.send, clock)

    denied = keys._begin(stranger, clock.now())
    assert denied is not None
    assert keys._of_flight(denied, WANTED, clock) is None
    assert withheld(keys.find(stranger, provider.send, clock)) == (
        "throttled",
        "http_malformed",
        REFILL,
    )
    assert isinstance(keys.find(WANTED, provider.send, clock), KeysFound)


# --- bounds --------------------------------------------------------------------------------------


def of_tenant(number: int) -> KeysWanted:
    return evolve(WANTED, issuer=f"https://op.example/{number}", jwks_uri=f"https://k/{number}")


def any_set(clock: FrozenClock) -> Callable[[HttpRequest], AnswerTo]:
    json = (("content-type", "application/json"),)
    body = render(key_set_of("first")).encode()
    return lambda request: AnswerTo(request, HttpResponse(200, json, body, clock.now()))


def test_at_its_cap_the_set_fetched_longest_ago_is_fetched_again(clock: FrozenClock) -> None:
    keys, send = MemoryProviderKeys(cap=3), any_set(clock)
    for number in range(3):
        keys.find(of_tenant(number), send, clock)
        clock.advance(REFILL)

    keys.find(of_tenant(3), send, clock)

    assert [*keys._records] == [of_tenant(number).kept_under for number in (1, 2, 3)]
    assert isinstance(keys.find(of_tenant(0), send, clock), KeysFound)


def test_what_holds_fetches_back_is_not_forgotten_at_the_cap(clock: FrozenClock) -> None:
    """Otherwise a stranger who names enough providers could have one of them asked without end."""
    keys, send = MemoryProviderKeys(cap=2), any_set(clock)
    for number in range(2):
        keys.find(of_tenant(number), send, clock)

    with pytest.raises(StoreFailure) as refusal:
        keys.find(of_tenant(2), send, clock)
    assert (refusal.value.code, refusal.value.found) == ("store_full", 2)
    assert isinstance(keys.find(of_tenant(1), send, clock), KeysFound)

    clock.advance(REFILL)
    assert isinstance(keys.find(of_tenant(2), send, clock), KeysFound)


@LIBRARIES
def test_a_provider_that_is_down_fails_for_all_tasks_at_once(
    run: Run, keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    turns, answers = Turns(run), list[KeysAnswer]()
    provider.broken = "dropped"

    async def main() -> None:
        gate = turns.event()

        async def send(request: HttpRequest) -> AnswerTo:
            await gate.wait()
            return provider.send(request)

        async def find() -> None:
            answers.append(await keys.find_async(WANTED, send, clock))

        async def open_gate() -> None:
            await turns.step()
            gate.set()

        await turns.go(*[find] * 20, open_gate)

    run(main)

    assert provider.fetches == 1
    told = [withheld(answer) for answer in answers]
    assert told == 20 * [("unreachable", "http_malformed", None)]


def test_a_new_set_serves_all_who_waited_for_a_newer_one_in_the_same_second(
    keys: MemoryProviderKeys, clock: FrozenClock
) -> None:
    """Neither of them knows the other's key; both get the set that was fetched for one."""
    keys.find(WANTED, Provider(clock).send, clock)
    provider = Gated(clock)
    provider.kids = ("second", "first")
    missing = evolve(WANTED, newer_than=NOW, missing_kid="second")
    another = evolve(WANTED, newer_than=NOW, missing_kid=None)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(keys.find, missing, provider.send, clock)
        assert provider.asked.wait(30)
        second = threads.submit(keys.find, another, provider.send, clock)
        _until_waiting(keys, 1)
        provider.gate.set()

        assert kids(first.result(30)) == kids(second.result(30)) == ("second", "first")
    assert provider.fetches == 1


def test_who_may_fetch_no_more_waits_for_a_fetch_that_is_under_way(
    keys: MemoryProviderKeys, clock: FrozenClock
) -> None:
    down = Provider(clock)
    down.broken = "dropped"
    for _ in range(BUCKET_SIZE - 1):
        keys.find(WANTED, down.send, clock)
    provider = Gated(clock)

    with ThreadPoolExecutor(2) as threads:
        last = threads.submit(keys.find, WANTED, provider.send, clock)
        assert provider.asked.wait(30)
        late = threads.submit(keys.find, WANTED, down.send, clock)
        _until_waiting(keys, 1)
        assert not late.done()
        provider.gate.set()

        assert kids(last.result(30)) == kids(late.result(30)) == ("first",)


def test_one_store_serves_threads_and_two_event_loops_at_a_time(
    keys: MemoryProviderKeys, clock: FrozenClock
) -> None:
    provider = Gated(clock)
    ready = threading.Barrier(4)

    async def send(request: HttpRequest) -> AnswerTo:
        # Blocks its loop only; the other loop and the thread have to wait for it all the same.
        return provider.send(request)

    async def find() -> KeysAnswer:
        ready.wait(30)
        return await keys.find_async(WANTED, send, clock)

    def find_in_thread() -> KeysAnswer:
        ready.wait(30)
        return keys.find(WANTED, provider.send, clock)

    with ThreadPoolExecutor(3) as threads:
        futures = [
            threads.submit(run_asyncio, find),
            threads.submit(run_trio, find),
            threads.submit(find_in_thread),
        ]
        ready.wait(30)
        assert provider.asked.wait(30)
        provider.gate.set()
        answers = [future.result(30) for future in futures]

    assert provider.fetches == 1
    assert {kids(answer) for answer in answers} == {("first",)}


def test_a_forked_process_does_not_wait_for_its_parents_fetch(
    keys: MemoryProviderKeys,
    provider: Provider,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gated = Gated(clock)

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(keys.find, WANTED, gated.send, clock)
        assert gated.asked.wait(30)
        with monkeypatch.context() as child:
            child.setattr(os, "getpid", lambda: -1)
            assert kids(keys.find(WANTED, provider.send, clock)) == ("first",)
        gated.gate.set()
        first.result(30)
    assert provider.fetches == gated.fetches == 1


def test_what_another_client_s_sender_raises_is_nobody_else_s(
    keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    """A client that was closed meanwhile cannot fetch; the one that waits for it has a sender."""
    asked, gate = threading.Event(), threading.Event()

    def closed(_request: HttpRequest) -> AnswerTo:
        asked.set()
        gate.wait(30)
        raise KeyError("closed")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(keys.find, WANTED, closed, clock)
        assert asked.wait(30)
        second = pool.submit(keys.find, evolve(WANTED), provider.send, clock)
        _until_waiting(keys, 1)
        gate.set()
        assert kids(second.result(30)) == ("first",)
        with pytest.raises(KeyError):
            first.result(30)
    assert provider.fetches == 1


def test_what_another_task_s_sender_raises_is_nobody_else_s(
    keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    async def main() -> KeysAnswer:
        gate = asyncio.Event()

        async def closed(_request: HttpRequest) -> AnswerTo:
            await gate.wait()
            raise KeyError("closed")

        async def send(request: HttpRequest) -> AnswerTo:
            return provider.send(request)

        first = asyncio.create_task(keys.find_async(WANTED, closed, clock))
        await asyncio.sleep(0)
        second = asyncio.create_task(keys.find_async(evolve(WANTED), send, clock))
        await asyncio.sleep(0)
        gate.set()
        with pytest.raises(KeyError):
            await first
        return await second

    assert kids(asyncio.run(main())) == ("first",)


def test_a_fetch_that_never_lands_has_failed_when_its_deadline_is_over(
    keys: MemoryProviderKeys, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a task fetches and this call blocks its loop."""
    waited: list[float] = []

    def too_long(_future: Future[object], timeout: float = 0) -> object:
        waited.append(timeout)
        raise TimeoutError

    def send(_request: HttpRequest) -> AnswerTo:
        raise AssertionError

    async def main() -> KeysAnswer:
        async def send_async(_request: HttpRequest) -> AnswerTo:
            await asyncio.sleep(30)
            raise AssertionError

        task = asyncio.create_task(keys.find_async(WANTED, send_async, clock))
        await asyncio.sleep(0)
        with monkeypatch.context() as patched:
            patched.setattr(Future, "exception", too_long)
            patched.setattr(single_flight, "monotonic", lambda: sum(waited))
            answer = keys.find(WANTED, send, clock)
        task.cancel()
        return answer

    assert asyncio.run(main()) == KeysWithheld("unreachable")
    assert sum(waited) == WANTED.request.deadline + 1  # its answer must be read, too


@pytest.fixture
def small_heap() -> Iterator[None]:
    """Have the collector look only at objects of the test: it runs hundreds of times."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("small_heap")
@pytest.mark.parametrize("count", [1, 60])
def test_the_garbage_collector_may_end_a_fetch_wherever_another_one_is(
    count: int, keys: MemoryProviderKeys, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs at any allocation, and the fetch that it ends enters the locks of the store."""
    monkeypatch.setattr(single_flight, "ProcessLock", CollectingLock)
    monkeypatch.setattr(provider_keys, "ProcessLock", CollectingLock)
    keys, provider = MemoryProviderKeys(), Provider(clock, *map(str, range(count)))

    def abandon() -> None:
        async def never(_request: HttpRequest) -> AnswerTo:
            await asyncio.get_running_loop().create_future()
            raise AssertionError

        async def main() -> None:
            task = asyncio.ensure_future(keys.find_async(WANTED, never, clock))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])

        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda _loop, _context: None)
        loop.run_until_complete(main())
        loop.close()  # and nobody cancelled what was left

    found: list[KeysAnswer] = []

    def rounds() -> None:
        for _ in range(3):
            abandon()
            found.append(keys.find(WANTED, provider.send, clock))
            clock.advance(HOUR)

    # A thread that hangs ends with the tests.
    thread = threading.Thread(target=rounds, daemon=True)
    thread.start()
    thread.join(60)
    assert [len(kids(answer)) for answer in found] == [count] * 3


class CollectingLock:
    """A lock within which the garbage collector always runs."""

    def __init__(self) -> None:
        self._process = ProcessLock()

    @property
    def lock(self) -> Any:
        return self

    def __enter__(self) -> None:
        self._process.lock.__enter__()
        gc.collect()

    def __exit__(self, *_: object) -> None:
        self._process.lock.release()


def test_a_set_is_read_outside_of_the_lock(
    keys: MemoryProviderKeys,
    provider: Provider,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The store serves others from memory while it reads a large set."""
    served: list[KeysAnswer] = []
    keys.find(WANTED, provider.send, clock)
    clock.advance(REFILL)
    other = evolve(WANTED, max_age=2 * HOUR)

    def reading(*given: Any) -> Any:
        finds = threading.Thread(
            target=lambda: served.append(keys.find(other, provider.send, clock)), daemon=True
        )
        finds.start()
        finds.join(20)
        return fetched(*given)

    monkeypatch.setattr(provider_keys, "fetched", reading)
    newer = evolve(WANTED, newer_than=clock.now() - 1, missing_kid="second")
    provider.kids = ("second",)

    assert kids(keys.find(newer, provider.send, clock)) == ("second",)
    assert [kids(answer) for answer in served] == [("first",)]


def test_a_set_is_read_again_where_its_record_changed_meanwhile(
    keys: MemoryProviderKeys,
    provider: Provider,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fetch that was taken out of a bucket meanwhile stays taken."""
    stranger, reads = evolve(WANTED, source="unsolicited"), list[KeyRecord]()

    def reading(before: KeyRecord, *given: Any) -> Any:
        reads.append(before)
        if len(reads) == 1:
            assert keys._begin(stranger, clock.now()) is None
        return fetched(before, *given)

    monkeypatch.setattr(provider_keys, "fetched", reading)

    assert kids(keys.find(WANTED, provider.send, clock)) == ("first",)
    (record,) = keys._records.values()
    assert [before.unsolicited.left for before in reads] == [BUCKET_SIZE, BUCKET_SIZE - 1]
    assert (record.solicited.left, record.unsolicited.left) == (BUCKET_SIZE - 1, BUCKET_SIZE - 1)


def test_a_fetch_lands_even_if_its_answer_breaks_the_reader(
    keys: MemoryProviderKeys, provider: Provider, clock: FrozenClock
) -> None:
    def send(request: HttpRequest) -> AnswerTo:
        answer: Any = object()
        return AnswerTo(request, answer)

    with pytest.raises(AttributeError):
        keys.find(WANTED, send, clock)

    assert kids(keys.find(WANTED, provider.send, clock)) == ("first",)


# --- a fixed set ---------------------------------------------------------------------------------


@LIBRARIES
def test_a_configured_set_is_never_fetched(run: Run, clock: FrozenClock) -> None:
    key_set: KeySet = parse_key_set(key_set_of("configured"))
    keys = StaticProviderKeys(key_set)

    def send(_request: HttpRequest) -> AnswerTo:
        raise AssertionError

    async def send_async(_request: HttpRequest) -> AnswerTo:
        raise AssertionError

    other = evolve(WANTED, issuer="https://b.example", jwks_uri="https://b.example/jwks")
    for wanted in (WANTED, other):
        found = KeysFound(wanted.issuer, wanted.jwks_uri, key_set, NOW, NOW)
        assert keys.find(evolve(wanted, newer_than=NOW), send, clock) == found
        assert run(partial(keys.find_async, wanted, send_async, clock)) == found


def test_a_set_that_anybody_could_have_sent_serves_no_strict_policy() -> None:
    """Two relying parties share the store; only one of them lets an unverified server pass."""
    clock = FrozenClock(NOW)
    store, provider = MemoryProviderKeys(), Provider(clock)
    strict = evolve(WANTED, way=Way(channels=frozenset({Channel("verified")})))

    assert isinstance(store.find(WANTED, provider.send, clock), KeysFound)
    refused = withheld(store.find(strict, provider.send, clock))
    assert refused == ("unreachable", "channel_unverified", None)
    assert isinstance(store.find(WANTED, provider.send, clock), KeysFound)
    assert provider.fetches == 2
