"""Answers that one process got, for all that share a store."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import monotonic

import pytest

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores import answers_in_records
from oidc_adapters.stores.answers_in_records import SharedAnswers, name_of
from oidc_adapters.stores.kept_answer import LARGEST, Kept
from oidc_adapters.stores.records import at_once
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse
from oidc_core.wire.way import CHANNELS, Way
from tests.adapters.stores.records.plugged import AwaitedRecords, PluggedRecords, failing_at

NOW = 1_700_000_000
SECRET = b"the sealing secret of the tests!"
NAME = name_of("metadata", "https://op.example")


class Process:
    """A process that wants a document, and counts how often it had to ask."""

    def __init__(self, records: PluggedRecords, secret: bytes = SECRET) -> None:
        self.answers = SharedAnswers(records, (secret,), "metadata")
        self.clock = FrozenClock(NOW)
        self.asked = 0
        self.taken: list[bytes] = []
        self.enough: Callable[[Kept], bool] = lambda _kept: True
        self.body: bytes | None = b'{"a":1}'
        self.while_asking: Callable[[], object] = lambda: None

    def take(self, kept: Kept) -> bool:
        if self.enough(kept):
            self.taken.append(kept.response.body)
            return True
        return False

    async def ask(self) -> HttpResponse | None:
        self.asked += 1
        self.while_asking()
        return None if self.body is None else HttpResponse(200, (), self.body, self.clock.now())

    def want(self) -> None:
        answers, clock = self.answers, self.clock
        at_once(
            answers.through(answers.waiting, NAME, self.take, self.ask, clock=clock, life=3_600)
        )


@pytest.fixture
def records() -> PluggedRecords:
    return PluggedRecords()


def test_one_asks_and_the_others_take(records: PluggedRecords) -> None:
    one, other = Process(records), Process(records)
    one.want()
    other.want()

    assert (one.asked, one.taken) == (1, [])
    assert (other.asked, other.taken) == (0, [b'{"a":1}'])
    assert records.records.read(f"{NAME}:claim") is None
    found = records.records.read(NAME)
    assert found is not None
    assert '"a"' not in found.value


def test_what_is_not_enough_is_asked_for_and_replaced(records: PluggedRecords) -> None:
    one, other, third = Process(records), Process(records), Process(records)
    one.want()
    other.enough = lambda _kept: False
    other.body = b'{"a":2}'
    other.want()
    third.want()

    assert other.asked == 1
    assert third.taken == [b'{"a":2}']


@pytest.mark.parametrize("body", [None, b"x" * (LARGEST + 1), b"\xff"])
def test_what_may_not_be_shared_is_not(records: PluggedRecords, body: bytes | None) -> None:
    one, other = Process(records), Process(records)
    one.body = body
    one.want()
    other.want()

    assert (one.asked, other.asked) == (1, 1)


def test_eight_that_begin_together_ask_once(records: PluggedRecords) -> None:
    barrier = Barrier(8)
    processes = [Process(records) for _ in range(8)]

    def want(process: Process) -> None:
        barrier.wait(30)
        process.want()

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(want, process) for process in processes]:
            done.result(30)

    assert sum(process.asked for process in processes) == 1


def test_who_waits_too_long_asks_for_itself(
    records: PluggedRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers_in_records, "WAIT", 0.2)
    slow, other = Process(records), Process(records)
    began = monotonic()
    slow.while_asking = other.want
    slow.want()

    assert (slow.asked, other.asked) == (1, 1)
    assert 0.2 <= monotonic() - began < 5


def test_who_waits_is_offered_each_answer_once(
    records: PluggedRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers_in_records, "WAIT", 0.3)
    one, slow, other = (Process(records) for _ in range(3))
    one.want()
    offered: list[Kept] = []

    def too_old(kept: Kept) -> bool:
        offered.append(kept)
        return False

    other.enough = too_old
    slow.enough = lambda _kept: False
    slow.while_asking = other.want
    slow.want()

    assert len(offered) == 1
    assert other.asked == 1


def test_a_claim_that_was_left_behind_is_soon_over(records: PluggedRecords) -> None:
    for value in ("0", "nonsense", "99999999999"):
        process = Process(records)
        process.enough = lambda _kept: False
        records.records.create(f"{NAME}:claim", "left", value, 2_000_000_000)
        began = monotonic()
        process.want()
        assert process.asked == 1
        assert monotonic() - began < 1
        assert records.records.read(f"{NAME}:claim") is None


def test_who_fails_lets_the_next_ask(records: PluggedRecords) -> None:
    one, other = Process(records), Process(records)

    def fail() -> None:
        raise ZeroDivisionError

    one.while_asking = fail
    with pytest.raises(ZeroDivisionError):
        one.want()
    began = monotonic()
    other.want()

    assert other.asked == 1
    assert monotonic() - began < 1


# --- the store is a help and no guard ------------------------------------------------------------


@pytest.mark.parametrize("call", ["read", "times", "create", "remove"])
def test_a_store_that_fails_is_told_and_in_nobodys_way(records: PluggedRecords, call: str) -> None:
    process = Process(records)
    records.before = failing_at(call)
    process.want()

    assert process.asked == 1
    failure = process.answers.failure
    assert failure is not None
    assert (failure.code, failure.found, failure.about) == (
        "store_unavailable",
        "ConnectionError",
        "metadata",
    )

    records.before = lambda _name, _key: None
    process.want()
    assert process.answers.failure is None


def test_a_record_that_does_not_open_is_written_over(records: PluggedRecords) -> None:
    old, new = Process(records, b"another sealing secret of tests!"), Process(records)
    old.want()
    new.want()

    assert new.asked == 1
    assert new.answers.failure is not None
    assert new.answers.failure.code == "seal_invalid"
    new.want()
    assert (new.asked, new.taken) == (1, [b'{"a":1}'])


def test_a_look_offers_what_is_there(records: PluggedRecords) -> None:
    one, other = Process(records), Process(records)
    at_once(other.answers.look(other.answers.waiting, NAME, other.take, other.clock))
    one.want()
    at_once(other.answers.look(other.answers.waiting, NAME, other.take, other.clock))
    assert other.taken == [b'{"a":1}']
    records.before = failing_at("read")
    at_once(other.answers.look(other.answers.waiting, NAME, other.take, other.clock))
    assert other.answers.failure is not None


def test_code_that_waits_needs_a_store_that_waits() -> None:
    answers = SharedAnswers(AwaitedRecords(), (SECRET,), "metadata")
    with pytest.raises(UsageError):
        _ = answers.waiting
    assert answers.awaiting.records is not None


# --- names ---------------------------------------------------------------------------------------


def test_a_name_depends_on_everything_that_decides_and_not_on_its_order() -> None:
    one = name_of("keys", "a", Way(channels=frozenset(CHANNELS)), 5, None, ["x"])
    same = name_of("keys", "a", Way(channels=frozenset(reversed(CHANNELS))), 5, None, ["x"])
    others = {
        name_of("keys", "a", Way(channels=frozenset(CHANNELS[:1])), 5, None, ["x"]),
        name_of("keys", "a", Way(judged=True), 5, None, ["x"]),
        name_of("keys", "a", Way(), 5, None, ["x"]),
        name_of("metadata", "a", Way(channels=frozenset(CHANNELS)), 5, None, ["x"]),
        name_of("keys", "b", Way(channels=frozenset(CHANNELS)), 5, None, ["x"]),
    }
    assert one == same
    assert len({one, *others}) == 6
    assert len(one) < 60
