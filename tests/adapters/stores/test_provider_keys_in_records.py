"""Key sets in the memory of each process, with a store behind that they share."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores import provider_keys_in_records
from oidc_adapters.stores.answers_in_records import name_of
from oidc_adapters.stores.kept_answer import dump_answer
from oidc_adapters.stores.provider_keys import ProviderKeys
from oidc_adapters.stores.provider_keys_in_records import RecordProviderKeys
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.stores.sealed_box import SealedBox
from oidc_core.jose.key_set import KeySet
from oidc_core.machine.key_fetching import BUCKET_SIZE, STALE_IF_ERROR, KeyRecord, fetched
from oidc_core.machine.steps import KeysAnswer, KeysFound
from oidc_core.wire.errors import StoreFailure, UsageError
from oidc_core.wire.http import HttpResponse, KeysWanted
from oidc_core.wire.limits import Limits
from oidc_core.wire.way import CHANNELS, Way
from tests.adapters.stores.records.plugged import AwaitedRecords, PluggedRecords, failing_at
from tests.adapters.stores.test_provider_keys import HOUR, WANTED, Provider, kids, withheld
from tests.flows.rig import NOW, run_asyncio, run_trio

SECRET: Final = b"the sealing secret of the tests!"


class Fleet:
    """Processes that share a store, and a provider that counts."""

    def __init__(self, records: Any = None) -> None:
        self.records = PluggedRecords() if records is None else records
        self.clock = FrozenClock(NOW)
        self.provider = Provider(self.clock)

    def process(self, *secrets: bytes) -> Callable[[KeysWanted], KeysAnswer]:
        keys: ProviderKeys = RecordProviderKeys(self.records, *(secrets or (SECRET,)))
        return lambda wanted: keys.find(wanted, self.provider.send, self.clock)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


def wanting(kid: str, newer_than: int, **changed: Any) -> KeysWanted:
    return evolve(WANTED, newer_than=newer_than, missing_kid=kid, **changed)


def test_one_fetches_for_all(fleet: Fleet) -> None:
    first = fleet.process()(WANTED)
    fleet.clock.advance(100)
    others = [fleet.process()(WANTED) for _ in range(7)]

    assert fleet.provider.fetches == 1
    for answer in (first, *others):
        assert kids(answer) == ("first",)
        assert isinstance(answer, KeysFound)
        assert answer.fetched_at == NOW


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_awaiting_processes_share_with_waiting_ones(run: Any) -> None:
    fleet = Fleet()
    fleet.process()(WANTED)
    keys = RecordProviderKeys(AwaitedRecords(fleet.records), SECRET)

    async def find() -> KeysAnswer:
        return await keys.find_async(WANTED, fleet.provider.send_async, fleet.clock)

    assert kids(run(find)) == ("first",)
    assert fleet.provider.fetches == 1
    assert keys.failure is None


def test_what_is_in_memory_needs_no_store(fleet: Fleet) -> None:
    process = fleet.process()
    process(WANTED)
    fleet.records.calls.clear()

    for _ in range(5):
        assert kids(process(WANTED)) == ("first",)
    assert fleet.records.calls == []


def test_a_set_goes_out_of_date_for_all(fleet: Fleet) -> None:
    one, other = fleet.process(), fleet.process()
    one(WANTED)
    other(WANTED)
    fleet.clock.advance(HOUR)
    fleet.provider.kids = ("second",)

    assert kids(other(WANTED)) == ("second",)
    assert kids(one(WANTED)) == ("second",)
    assert fleet.provider.fetches == 2


# --- rotation ------------------------------------------------------------------------------------


def test_a_rotated_key_is_fetched_by_one_and_found_by_all(fleet: Fleet) -> None:
    processes = [fleet.process() for _ in range(4)]
    for process in processes:
        process(WANTED)
    fleet.clock.advance(10)
    fleet.provider.kids = ("second",)

    for process in processes:
        assert kids(process(wanting("second", NOW))) == ("second",)
    assert fleet.provider.fetches == 2


def test_a_set_that_lacks_the_key_too_is_not_taken_for_a_new_one(fleet: Fleet) -> None:
    one, other = fleet.process(), fleet.process()
    one(WANTED)
    other(WANTED)
    fleet.clock.advance(10)
    one(wanting("unknown", NOW))
    fleet.provider.kids = ("second",)
    fleet.clock.advance(10)

    assert kids(other(wanting("second", NOW))) == ("second",)
    assert fleet.provider.fetches == 3


def test_for_a_token_that_names_no_key_only_a_fetch_tells(fleet: Fleet) -> None:
    one, other = fleet.process(), fleet.process()
    one(WANTED)
    other(WANTED)
    fleet.clock.advance(10)
    unnamed = evolve(WANTED, newer_than=NOW)
    one(unnamed)
    fleet.provider.kids = ("second",)
    fleet.clock.advance(10)
    assert kids(other(unnamed)) == ("second",)
    assert fleet.provider.fetches == 3

    again = evolve(WANTED, newer_than=NOW + 10)
    assert kids(one(again)) == ("second",)  # its fetches are used up
    assert fleet.provider.fetches == 3


def test_who_may_not_fetch_still_finds_what_another_fetched(fleet: Fleet) -> None:
    one, other = fleet.process(), fleet.process()
    one(WANTED)
    other(WANTED)
    for number in range(BUCKET_SIZE):
        fleet.clock.advance(1)
        other(wanting(f"unknown-{number}", fleet.clock.now() - 1))
    fleet.provider.kids = ("second",)
    spent = fleet.provider.fetches
    late = wanting("second", fleet.clock.now())
    assert withheld(other(late))[0] == "throttled"
    fleet.clock.advance(1)
    one(wanting("second", NOW))

    assert kids(other(late)) == ("second",)
    assert fleet.provider.fetches == spent + 1


def test_a_withheld_set_is_looked_for_once_a_second(fleet: Fleet) -> None:
    process = fleet.process()
    process(WANTED)
    for number in range(BUCKET_SIZE):
        fleet.clock.advance(1)
        process(wanting(f"unknown-{number}", fleet.clock.now() - 1))
    fleet.clock.advance(1)
    fleet.records.calls.clear()
    fetches = fleet.provider.fetches

    for _ in range(50):
        assert withheld(process(wanting("x", fleet.clock.now())))[0] == "throttled"

    assert fleet.records.calls == ["read"]
    assert fleet.provider.fetches == fetches


def test_strangers_cause_bounded_fetches_in_each_process(fleet: Fleet) -> None:
    processes = [fleet.process() for _ in range(3)]
    for process in processes:
        process(WANTED)
    for number in range(30):
        for process in processes:
            process(wanting(f"unknown-{number}", NOW, source="unsolicited"))

    assert fleet.provider.fetches <= 1 + BUCKET_SIZE * len(processes)


# --- trust ---------------------------------------------------------------------------------------


def test_a_set_that_another_policy_would_not_take_is_not_taken(fleet: Fleet) -> None:
    fleet.process()(WANTED)
    strict = evolve(WANTED, way=Way(channels=frozenset({CHANNELS[0]})))
    small = evolve(WANTED, limits=Limits(keys=1))

    for wanted in (strict, small, evolve(WANTED, way=Way(reach="any"))):
        fleet.process()(wanted)
    assert fleet.provider.fetches == 4


def test_no_key_comes_in_from_who_writes_the_store(fleet: Fleet) -> None:
    fleet.process()(WANTED)
    name = name_of("keys", WANTED.kept_under)
    records: MemoryRecords = fleet.records.records
    found = records.read(name)
    assert found is not None
    forged = SealedBox(b"the sealing secret of a stranger").close("x", label=name)
    moved = SealedBox(SECRET).close("x", label="keys:another")
    before = found.version
    for number, value in enumerate((forged, moved, "nonsense", "")):
        assert records.replace(name, before, str(number), value, 2_000_000_000)
        fleet.clock.advance(1)
        keys = RecordProviderKeys(records, SECRET)
        assert kids(keys.find(WANTED, fleet.provider.send, fleet.clock)) == ("first",)
        assert keys.failure is not None
        assert keys.failure.code == "seal_invalid"
        written = records.read(name)
        assert written is not None
        before = written.version
    assert fleet.provider.fetches == 5


def test_what_the_core_refuses_is_fetched_again(fleet: Fleet) -> None:
    name = name_of("keys", WANTED.kept_under)
    broken = HttpResponse(200, (("content-type", "application/json"),), b"{", NOW)
    text = dump_answer(broken, 0)
    assert text is not None
    sealed = SealedBox(SECRET).close(text, label=name)
    fleet.records.records.create(name, "broken", sealed, 2_000_000_000)

    assert kids(fleet.process()(WANTED)) == ("first",)
    assert kids(fleet.process()(WANTED)) == ("first",)
    assert fleet.provider.fetches == 1


def test_a_set_is_not_written_over_one_that_came_meanwhile(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.process()(WANTED)
    keys = RecordProviderKeys(fleet.records, SECRET)
    newer = KeyRecord(key_set=KeySet(), fetched_at=NOW)

    def reading(*arguments: Any) -> Any:
        keys._records[WANTED.kept_under] = newer
        return fetched(*arguments)

    monkeypatch.setattr(provider_keys_in_records, "fetched", reading)
    keys.find(WANTED, fleet.provider.send, fleet.clock)

    assert keys._records[WANTED.kept_under] is newer
    assert fleet.provider.fetches == 1


def test_the_memory_of_looks_stays_as_small_as_that_of_sets(fleet: Fleet) -> None:
    keys = RecordProviderKeys(fleet.records, SECRET, cap=1)
    for way in (WANTED.way, Way(reach="any")):
        wanted = evolve(WANTED, way=way)
        for number in range(BUCKET_SIZE + 1):
            newer_than = fleet.clock.now() if number else None
            fleet.clock.advance(1)
            missing = evolve(wanted, newer_than=newer_than, missing_kid=f"unknown-{number}")
            keys.find(missing if number else wanted, fleet.provider.send, fleet.clock)
        assert len(keys._looked) == 1
        fleet.clock.advance(HOUR)


# --- failures ------------------------------------------------------------------------------------


def test_a_store_that_fails_ends_no_login(fleet: Fleet) -> None:
    for call in ("read", "create", "times"):
        fleet.records.before = failing_at(call)
        keys = RecordProviderKeys(fleet.records, SECRET)
        assert kids(keys.find(WANTED, fleet.provider.send, fleet.clock)) == ("first",)
        assert keys.failure is not None
        assert keys.failure.code == "store_unavailable"


def test_a_process_that_starts_while_the_provider_is_down_takes_an_older_set(
    fleet: Fleet,
) -> None:
    fleet.process()(WANTED)
    fleet.clock.advance(2 * HOUR)
    fleet.provider.broken = "dropped"

    assert kids(fleet.process()(WANTED)) == ("first",)
    fleet.clock.advance(STALE_IF_ERROR)
    assert withheld(fleet.process()(WANTED)) == ("unreachable", "http_malformed", None)


def test_a_provider_that_fails_puts_nothing_into_the_store(fleet: Fleet) -> None:
    fleet.provider.broken = "syntax"
    fleet.process()(WANTED)
    assert fleet.records.records.read(name_of("keys", WANTED.kept_under)) is None


def test_a_memory_that_is_full_says_so(fleet: Fleet) -> None:
    keys = RecordProviderKeys(fleet.records, SECRET, cap=1)
    keys.find(WANTED, fleet.provider.send, fleet.clock)
    fleet.process()(evolve(WANTED, way=Way(reach="any")))

    with pytest.raises(StoreFailure) as caught:
        keys.find(evolve(WANTED, way=Way(reach="any")), fleet.provider.send, fleet.clock)
    assert caught.value.code == "store_full"


def test_what_the_sender_raises_is_its_own_callers(fleet: Fleet) -> None:
    def raises(_request: object) -> Any:
        raise ZeroDivisionError

    keys = RecordProviderKeys(fleet.records, SECRET)
    with pytest.raises(ZeroDivisionError):
        keys.find(WANTED, raises, fleet.clock)
    assert kids(keys.find(WANTED, fleet.provider.send, fleet.clock)) == ("first",)


def test_code_that_waits_needs_a_store_that_waits() -> None:
    fleet = Fleet(AwaitedRecords())
    with pytest.raises(UsageError) as caught:
        fleet.process()(WANTED)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "records")


def test_it_needs_a_secret_and_a_count() -> None:
    odd: Any = "many"
    for arguments in ((), (b"short",)):
        with pytest.raises(UsageError):
            RecordProviderKeys(MemoryRecords(), *arguments)
    with pytest.raises(UsageError) as caught:
        RecordProviderKeys(MemoryRecords(), SECRET, cap=odd)
    assert caught.value.about == "cap"
