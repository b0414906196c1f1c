"""Logins in a store that processes share: judged first, then taken by one caller."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from oidc_adapters.runtime.clock import FrozenClock, SystemClock
from oidc_adapters.stores.pending import MemoryPendingLogins, RecordPendingLogins
from oidc_adapters.stores.records import SLACK, MemoryRecords
from oidc_adapters.stores.sealed_box import SealedBox
from oidc_core.codec import dump_pending_login
from oidc_core.machine.steps import Exchange
from oidc_core.model.pending import pending_id_of
from oidc_core.wire.errors import CallbackError, OidcError, StoreFailure, UsageError
from tests.adapters.stores.pending.started import (
    NOW,
    OTHER_CLIENT,
    RP,
    SECRET,
    Jar,
    all_taken,
    finished,
    jar,
    logout_started,
    put,
    refused,
    sent,
    started,
)
from tests.adapters.stores.records.plugged import AwaitedRecords, PluggedRecords, failing_at

OTHER_SECRET = b"another sealing secret of tests!"


@pytest.fixture
def records() -> PluggedRecords:
    return PluggedRecords()


@pytest.fixture
def store(records: PluggedRecords) -> RecordPendingLogins:
    return RecordPendingLogins(records, SECRET)


def taking(store: RecordPendingLogins, pending_id: str, cookies: Jar) -> Callable[[], object]:
    return partial(store.take, RP, pending_id, sent(cookies), NOW)


def test_a_login_is_put_by_one_process_and_taken_by_another(records: PluggedRecords) -> None:
    ones, others = (RecordPendingLogins(records, SECRET) for _ in range(2))
    begun = started()
    cookies = put(ones, begun)

    assert others.belongs(RP, begun.pending.id, ())
    taken = others.take(RP, begun.pending.id, sent(cookies), NOW)

    assert (taken.pending, taken.binding) == (begun.pending, begun.binding)
    assert taken.single_use == "shared"
    assert isinstance(finished(begun, taken), Exchange)
    for store in (ones, others):
        refused(CallbackError, "state_unknown", taking(store, begun.pending.id, cookies))
    assert records.records.read(f"login:{begun.pending.id}") is None


def test_in_memory_it_says_how_far_it_reaches() -> None:
    store = RecordPendingLogins(MemoryRecords(), SECRET)
    begun = started()
    taken = store.take(RP, begun.pending.id, sent(put(store, begun)), NOW)
    assert taken.single_use == "process"


def test_a_record_shows_nothing(records: PluggedRecords, store: RecordPendingLogins) -> None:
    begun = started()
    put(store, begun)
    found = records.records.read(f"login:{begun.pending.id}")

    assert found is not None
    assert begun.pending.id == pending_id_of(begun.pending.state)
    for secret in (begun.pending.state, begun.pending.code_verifier, begun.binding, "client"):
        assert secret not in found.value
    opened = SealedBox(SECRET).open(found.value, label=f"login:{begun.pending.id}")
    assert opened == dump_pending_login(begun.pending)


def test_what_is_refused_takes_nothing(records: PluggedRecords, store: RecordPendingLogins) -> None:
    begun, another = started(1), started(2)
    own, others = put(store, begun), put(store, another)

    refused(CallbackError, "binding_missing", taking(store, begun.pending.id, others))
    foreign = partial(store.take, OTHER_CLIENT, begun.pending.id, sent(own), NOW)
    refused(CallbackError, "connection_mismatch", foreign)
    twice = partial(store.take, RP, begun.pending.id, sent(own) * 2, NOW)
    refused(CallbackError, "binding_duplicated", twice)

    assert "remove" not in records.calls
    assert store.take(RP, begun.pending.id, sent(own), NOW).pending == begun.pending


# --- races ---------------------------------------------------------------------------------------


def test_who_reads_a_login_that_another_takes_meanwhile_is_told(
    records: PluggedRecords, store: RecordPendingLogins
) -> None:
    begun = started()
    cookies = put(store, begun)
    quicker = RecordPendingLogins(records.records, SECRET)
    won: list[object] = []

    def take_first(name: str, _key: str) -> None:
        if name == "remove" and not won:
            won.append(quicker.take(RP, begun.pending.id, sent(cookies), NOW))

    records.before = take_first

    refused(CallbackError, "state_used", taking(store, begun.pending.id, cookies))
    assert len(won) == 1


def test_who_reads_a_logout_that_another_takes_meanwhile_is_told(
    records: PluggedRecords, store: RecordPendingLogins
) -> None:
    pending, secrets = logout_started(store)
    cookies = sent(jar(*store.put_logout(RP, pending, secrets, (), NOW)))
    quicker = RecordPendingLogins(records.records, SECRET)
    logout_id = pending_id_of(pending.state)

    def take_first(name: str, _key: str) -> None:
        if name == "remove":
            quicker.take_logout(RP, logout_id, cookies, NOW)

    records.before = take_first

    late = partial(store.take_logout, RP, logout_id, cookies, NOW)
    refused(CallbackError, "logout_state_mismatch", late)


def test_logins_and_logouts_are_taken_once_among_threads(store: RecordPendingLogins) -> None:
    logins = [started(seed) for seed in range(200)]
    cookies = [sent(put(store, begun)) for begun in logins]

    def take(number: int) -> str:
        return store.take(RP, logins[number].pending.id, cookies[number], NOW).pending.state

    taken = all_taken([partial(take, number) for number in range(200)])

    assert sorted(taken) == sorted(begun.pending.state for begun in logins)


def test_awaiting_code_takes_from_a_store_that_waits_and_from_one_that_is_awaited() -> None:
    async def once(store: RecordPendingLogins) -> None:
        begun = started()
        kept = await store.put_async(RP, begun, (), NOW)
        assert await store.belongs_async(RP, begun.pending.id, ())
        tries = [store.take_async(RP, begun.pending.id, sent(jar(*kept)), NOW) for _ in range(8)]
        ends = await asyncio.gather(*tries, return_exceptions=True)
        refusals = {end.code for end in ends if isinstance(end, OidcError)}
        assert sum(not isinstance(end, BaseException) for end in ends) == 1
        assert refusals <= {"state_used", "state_unknown"}

    for records in (PluggedRecords(), AwaitedRecords(), MemoryRecords()):
        asyncio.run(once(RecordPendingLogins(records, SECRET)))


# --- failures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["read", "remove"])
def test_a_store_that_fails_takes_nothing(
    records: PluggedRecords, store: RecordPendingLogins, call: str
) -> None:
    begun = started()
    cookies = put(store, begun)
    records.before = failing_at(call)

    error = refused(StoreFailure, "store_unavailable", taking(store, begun.pending.id, cookies))
    assert (error.found, error.about) == ("ConnectionError", "pending logins")

    records.before = lambda _name, _key: None
    assert store.take(RP, begun.pending.id, sent(cookies), NOW).pending == begun.pending


def test_nobody_gets_a_login_of_which_it_is_not_known_who_took_it(
    records: PluggedRecords, store: RecordPendingLogins
) -> None:
    begun = started()
    cookies = put(store, begun)
    records.after = failing_at("remove")

    refused(StoreFailure, "store_unavailable", taking(store, begun.pending.id, cookies))
    refused(CallbackError, "state_unknown", taking(store, begun.pending.id, cookies))


def test_a_login_that_cannot_be_kept_does_not_begin(
    records: PluggedRecords, store: RecordPendingLogins
) -> None:
    records.before = failing_at("create")
    pending, secrets = logout_started(store)

    refused(StoreFailure, "store_unavailable", partial(store.put, RP, started(), (), NOW))
    ending = partial(store.put_logout, RP, pending, secrets, (), NOW)
    refused(StoreFailure, "store_unavailable", ending)


def test_belongs_fails_with_its_store(records: PluggedRecords, store: RecordPendingLogins) -> None:
    records.before = failing_at("read")
    refused(StoreFailure, "store_unavailable", partial(store.belongs, RP, "x", ()))


def test_a_state_that_comes_twice_is_refused(store: RecordPendingLogins) -> None:
    begun = started()
    put(store, begun)
    error = refused(UsageError, "entropy_failure", partial(store.put, RP, begun, (), NOW))
    assert error.about == "state"


def test_a_store_that_is_full_says_so() -> None:
    store = RecordPendingLogins(MemoryRecords(cap=1), SECRET)
    put(store, started(1))
    refused(StoreFailure, "store_full", partial(store.put, RP, started(2), (), NOW))


# --- a store that somebody else writes -----------------------------------------------------------


def test_a_record_of_another_login_is_refused(
    records: PluggedRecords, store: RecordPendingLogins
) -> None:
    begun, another = started(1), started(2)
    cookies = put(store, another, put(store, begun))
    moved = records.records.read(f"login:{another.pending.id}")
    old = records.records.read(f"login:{begun.pending.id}")
    assert moved is not None
    assert old is not None
    records.records.replace(
        f"login:{begun.pending.id}", old.version, "2", moved.value, 2_000_000_000
    )

    refused(StoreFailure, "seal_invalid", taking(store, begun.pending.id, cookies))


def test_a_login_outlives_a_rotation_of_the_sealing_secret(records: PluggedRecords) -> None:
    old = RecordPendingLogins(records, SECRET)
    begun, another = started(1), started(2)
    cookies = put(old, another, put(old, begun))

    new = RecordPendingLogins(records, OTHER_SECRET, SECRET)
    assert new.take(RP, begun.pending.id, sent(cookies), NOW).pending == begun.pending
    without = RecordPendingLogins(records, OTHER_SECRET)
    refused(StoreFailure, "seal_invalid", taking(without, another.pending.id, cookies))


# --- time, settings ------------------------------------------------------------------------------


def test_a_record_goes_an_hour_after_its_login() -> None:
    now = SystemClock().now()
    clock = FrozenClock(now)
    records = MemoryRecords(clock=clock)
    store = RecordPendingLogins(records, SECRET)
    lifetime = RP.policy.login_lifetime
    put(store, started(now=now))

    clock.advance(lifetime + SLACK)
    assert records.clean() == 0
    clock.advance(60)
    assert records.clean() == 1


def test_a_clock_of_the_past_as_in_tests_loses_no_login() -> None:
    store = RecordPendingLogins(MemoryRecords(), SECRET)
    logins = [started(seed) for seed in range(3)]
    cookies: Jar = {}
    for begun in logins:
        cookies = put(store, begun, cookies)
    for begun in logins:
        assert store.take(RP, begun.pending.id, sent(cookies), NOW).pending == begun.pending


def test_code_that_waits_needs_a_store_that_waits() -> None:
    store = RecordPendingLogins(AwaitedRecords(), SECRET)
    pending, secrets = logout_started(store)
    calls: tuple[Callable[[], object], ...] = (
        partial(store.put, RP, started(), (), NOW),
        partial(store.belongs, RP, "x", ()),
        partial(store.take, RP, "x", (), NOW),
        partial(store.put_logout, RP, pending, secrets, (), NOW),
        partial(store.take_logout, RP, "x", (), NOW),
    )
    for call in calls:
        assert refused(UsageError, "config_invalid", call).about == "records"


def test_a_sealing_secret_is_needed() -> None:
    refused(UsageError, "config_invalid", partial(RecordPendingLogins, MemoryRecords()))
    short = partial(RecordPendingLogins, MemoryRecords(), b"short")
    refused(UsageError, "config_invalid", short)


def test_both_stores_set_the_same_cookies() -> None:
    begun = started()
    in_memory = MemoryPendingLogins().put(RP, begun, (), NOW)
    assert RecordPendingLogins(MemoryRecords(), SECRET).put(RP, begun, (), NOW) == in_memory
