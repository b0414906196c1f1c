"""A login sealed in a cookie is taken once, within its time, however many try."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.stores.pending import CookiePendingLogins, MemorySpent
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.machine.steps import Exchange
from oidc_core.model.pending import SingleUse
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import (
    CallbackError,
    StoreFailure,
    UsageError,
)
from tests.adapters.stores.pending.started import (
    NOW,
    RP,
    SECRET,
    code,
    finished,
    jar,
    put,
    received,
    refusal,
    refused,
    sent,
    started,
)

NEW: Final = b"n" * 32
FORM_POST: Final = AuthenticationRequest(response_mode="form_post")


@pytest.fixture
def store() -> CookiePendingLogins:
    return CookiePendingLogins(SECRET)


# --- taken once ----------------------------------------------------------------------------------


def test_a_login_is_put_and_taken_once(store: CookiePendingLogins) -> None:
    begun = started(store=store)
    cookies = put(store, begun)

    taken = store.take(RP, begun.pending.id, sent(cookies), NOW)

    assert (taken.pending, taken.binding) == (begun.pending, begun.binding)
    assert taken.single_use == "process"
    assert received(cookies, taken.cookies) == {}
    assert isinstance(finished(begun, taken), Exchange)
    assert code(store, begun.pending.id, cookies) == "state_used"


def test_it_is_taken_once_as_long_as_it_could_be_finished() -> None:
    """Both clocks go on: the one that can be set, and the one that cannot."""
    passed = [0.0]
    store = CookiePendingLogins(SECRET, spent=MemorySpent(elapsed=lambda: passed[0]))
    begun = started(store=store)
    cookies = put(store, begun)
    store.take(RP, begun.pending.id, sent(cookies), NOW)

    passed[0] = 1_200.0
    assert code(store, begun.pending.id, cookies, now=NOW + 1_200) == "state_used"


def test_it_is_taken_once_though_the_clock_goes_wrong_meanwhile(store: CookiePendingLogins) -> None:
    begun, another = started(1, store=store), started(2, now=NOW + 3_600, store=store)
    cookies, others = put(store, begun), put(store, another)
    store.take(RP, begun.pending.id, sent(cookies), NOW)
    store.take(RP, another.pending.id, sent(others), NOW + 3_600)

    assert code(store, begun.pending.id, cookies) == "state_used"


def test_what_would_be_remembered_no_longer_is_refused(store: CookiePendingLogins) -> None:
    begun = started(store=store)
    cookies = put(store, begun)

    for _ in range(2):
        error = refusal(store, begun.pending.id, cookies, now=NOW + 1_201)
        assert (error.code, error.found, error.expected) == ("state_expired", 1_201, 600)


@pytest.mark.parametrize("begins", [0, 1_199, 2**32 - 1])
def test_the_edges_of_the_clock_are_as_any_other_time(begins: int) -> None:
    store = CookiePendingLogins(SECRET)
    begun = started(store=store, now=begins)
    cookies = put(store, begun)

    assert code(store, begun.pending.id, cookies, now=begins + 1_201) == "state_expired"
    taken = store.take(RP, begun.pending.id, sent(cookies), begins)
    assert taken.pending == begun.pending
    assert isinstance(finished(begun, taken, now=begins), Exchange)


@pytest.mark.parametrize("begins", [-1, 2**32])
def test_a_clock_beyond_its_edges_is_refused_at_the_start(
    store: CookiePendingLogins, begins: int
) -> None:
    begun = started(store=store, now=begins)

    error = refused(UsageError, "config_invalid", lambda: store.put(RP, begun, (), begins))

    assert (error.about, error.found) == ("clock", begins)


@pytest.mark.parametrize("now", [NOW + 601, NOW + 1_200, NOW - 61])
def test_a_login_out_of_its_time_is_refused_by_the_core(
    store: CookiePendingLogins, now: int
) -> None:
    begun = started(store=store)
    taken = store.take(RP, begun.pending.id, sent(put(store, begun)), now)

    refused(CallbackError, "state_expired", lambda: finished(begun, taken, now=now))


def test_the_lifetime_is_the_policys() -> None:
    store, rp = CookiePendingLogins(SECRET), evolve(RP, policy=Policy(login_lifetime=60))
    begun = started(store=store, rp=rp)
    (cookie,) = store.put(rp, begun, (), NOW)

    assert cookie.max_age == 60
    error = refusal(store, begun.pending.id, jar(cookie), now=NOW + 121, rp=rp)
    assert (error.code, error.expected) == ("state_expired", 60)
    assert store.take(rp, begun.pending.id, sent(jar(cookie)), NOW + 120).pending == begun.pending


class SharedSpent:
    """Shared among processes."""

    def __init__(self) -> None:
        self._spent = MemorySpent()

    @property
    def single_use(self) -> SingleUse:
        return "shared"

    def seen_once(self, name: str, until: int, now: int) -> bool:
        return self._spent.seen_once(name, until, now)


def test_two_processes_that_share_what_is_spent_take_a_login_once() -> None:
    spent = SharedSpent()
    here, there = (CookiePendingLogins(SECRET, spent=spent) for _ in range(2))
    begun = started(store=here)
    cookies = put(here, begun)

    assert there.take(RP, begun.pending.id, sent(cookies), NOW).single_use == "shared"
    for process in (here, there):
        assert code(process, begun.pending.id, cookies) == "state_used"


class RecordingSpent(SharedSpent):
    """Writes down what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, int, int]] = []

    def seen_once(self, name: str, until: int, now: int) -> bool:
        self.asked.append((name, until, now))
        return super().seen_once(name, until, now)


def test_what_is_spent_is_the_whole_id_for_as_long_as_its_cookie_is_taken() -> None:
    """Of a cookie's name another login could have the same: it is 48 bits of these 128."""
    spent = RecordingSpent()
    store = CookiePendingLogins(SECRET, spent=spent)
    begun = started(store=store)

    store.take(RP, begun.pending.id, sent(put(store, begun)), NOW + 5)

    assert spent.asked == [(begun.pending.id, NOW + 1_200, NOW + 5)]
    assert len(begun.pending.id) == 22


class FailingSpent(SharedSpent):
    """Cannot be reached."""

    def __init__(self, fault: Exception) -> None:
        super().__init__()
        self.fault = fault

    def seen_once(self, name: str, until: int, now: int) -> bool:
        raise self.fault


@pytest.mark.parametrize(
    "fault", [ConnectionError("refused"), TimeoutError(), KeyError("k"), ValueError("no integer")]
)
def test_a_login_is_not_taken_where_nobody_can_say_that_it_was_not(fault: Exception) -> None:
    store = CookiePendingLogins(SECRET, spent=FailingSpent(fault))
    begun = started(store=store)
    cookies = sent(put(store, begun))

    with pytest.raises(StoreFailure) as failure:
        store.take(RP, begun.pending.id, cookies, NOW)

    assert (failure.value.code, failure.value.about) == ("store_unavailable", "spent logins")
    assert failure.value.__cause__ is fault


class Later:
    """The result of a call that should have been awaited."""


class VagueSpent(SharedSpent):
    """Answers neither yes nor no."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def seen_once(self, name: str, until: int, now: int) -> Any:
        return self.answer


@pytest.mark.parametrize("answer", [Later(), None, 1, 0, "OK", b"", []])
def test_neither_yes_nor_no_lets_nobody_in(answer: object) -> None:
    store = CookiePendingLogins(SECRET, spent=VagueSpent(answer))
    begun = started(store=store)

    with pytest.raises(StoreFailure) as failure:
        store.take(RP, begun.pending.id, sent(put(store, begun)), NOW)

    error = failure.value
    assert (error.code, error.about) == ("store_unavailable", "spent logins")
    assert (error.found, error.expected) == (type(answer).__name__, "bool")


def test_a_memory_of_what_is_spent_that_is_full_lets_nobody_in() -> None:
    store = CookiePendingLogins(SECRET, spent=MemorySpent(cap=1))
    first, second = started(1, store=store), started(2, store=store)
    cookies = sent({**put(store, first), **put(store, second)})
    store.take(RP, first.pending.id, cookies, NOW)

    with pytest.raises(StoreFailure) as failure:
        store.take(RP, second.pending.id, cookies, NOW)
    assert failure.value.code == "store_full"
    with pytest.raises(CallbackError) as replay:
        store.take(RP, first.pending.id, cookies, NOW)
    assert replay.value.code == "state_used"


def test_threads_take_a_login_once_among_them(store: CookiePendingLogins) -> None:
    logins = [started(seed, store=store) for seed in range(100)]
    cookies = [sent(put(store, begun)) for begun in logins]
    barrier = threading.Barrier(8)

    def take_all() -> list[str]:
        barrier.wait(30)
        taken: list[str] = []
        for begun, own in zip(logins, cookies, strict=True):
            with suppress(CallbackError):
                taken.append(store.take(RP, begun.pending.id, own, NOW).pending.state)
        return taken

    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(take_all) for _ in range(8)]
        taken = [state for future in futures for state in future.result(60)]

    assert sorted(taken) == sorted(begun.pending.state for begun in logins)
