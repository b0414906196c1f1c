"""One exchange, whose store fails at one step after the other."""

from __future__ import annotations

from time import monotonic
from typing import Any, Final

import pytest
from attrs import define, field

from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.records import AtOnce, Found, Records, Times, at_once
from oidc_core.machine.grant_answers import Swap
from oidc_core.machine.grant_verdicts import decide_end
from oidc_core.machine.grant_writes import Fresh
from oidc_core.machine.grants import ABANDONED
from oidc_core.model.pending import SingleUse
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import StoreFailure, UsageError
from oidc_core.wire.http import Answer, WireRequest
from tests.adapters.clients.test_session_tokens import KINDS, LIFETIME, Site, refused, site

NEVER: Final = Policy(userinfo="never", resend_in_doubt="never")
SECRET: Final = "a sealing secret of 32 octets or so"


@define
class Faulty:
    """A store of which some calls fail: by name and number, before or after they are applied."""

    records: Records
    faults: dict[tuple[str, int], str] = field(factory=dict[tuple[str, int], str])
    fault: Exception = field(factory=ConnectionError)
    counts: dict[str, int] = field(factory=dict[str, int])
    single_use: SingleUse = "process"

    def _fails(self, name: str, when: str) -> None:
        if when == "before":
            self.counts[name] = self.counts.get(name, 0) + 1
        if self.faults.get((name, self.counts[name])) == when:
            raise self.fault

    def times(self) -> Times:
        return self.records.times()

    def read(self, key: str, /) -> Found | None:
        self._fails("read", "before")
        return self.records.read(key)

    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        return self.records.create(key, version, value, until)

    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        self._fails("replace", "before")
        done = self.records.replace(key, expected, version, value, until)
        self._fails("replace", "after")
        return done

    def remove(self, key: str, expected: str, /) -> bool:
        return self.records.remove(key, expected)

    def clean(self, most: int = 1_000, /) -> int:
        return self.records.clean(most)

    def close(self) -> None:
        self.records.close()


def faulty(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> tuple[Site, Faulty]:
    """A session whose access token has expired, in a store that will fail."""
    monkeypatch.setattr("oidc_adapters.clients.one_exchange._RETRY", 0.01)
    here = site(**changed)
    store = Faulty(here.client._doors.grants.records)
    grants = Grants(store, SECRET, trusted=0)
    kind: Any = here.client._doors.__class__
    renewed = kind(here.client._life, grants)
    here.client._doors = renewed
    here.client._copies.exchanges._doors = renewed
    here.clock.advance(LIFETIME)
    return here, store


CLAIM, MARK, STORE, VERIFY = 1, 2, 3, 4


@KINDS
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", [MARK, STORE])
def test_a_write_that_fails_after_the_claim_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, awaits: bool, step: int, when: str
) -> None:
    here, store = faulty(monkeypatch, awaits=awaits, policy=NEVER)
    store.faults["replace", step] = when

    assert here.fresh().expires_at == here.clock.now() + LIFETIME

    assert here.exchanges == 1


@KINDS
@pytest.mark.parametrize("step", [CLAIM, VERIFY])
def test_a_write_that_fails_before_or_after_an_exchange_is_the_caller_s(
    monkeypatch: pytest.MonkeyPatch, awaits: bool, step: int
) -> None:
    here, store = faulty(monkeypatch, awaits=awaits, policy=NEVER)
    store.faults["replace", step] = "before"

    error = refused(here.fresh)

    assert isinstance(error, StoreFailure)
    assert (error.code, error.about) == ("store_unavailable", "grants")
    here.fresh()
    assert here.exchanges == 1


@KINDS
def test_an_answer_waits_for_a_store_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, awaits: bool
) -> None:
    here, store = faulty(monkeypatch, awaits=awaits, policy=NEVER)
    store.faults.update({("read", number): "before" for number in range(2, 30)})

    here.fresh()

    assert here.exchanges == 1
    assert store.counts["read"] > 29


@KINDS
@pytest.mark.parametrize("call", [("replace", MARK), ("read", 2), ("replace", STORE)])
def test_no_failure_of_a_store_loses_an_answer(
    monkeypatch: pytest.MonkeyPatch, awaits: bool, call: tuple[str, int]
) -> None:
    """A store may raise errors of this library: a folder that others can write to is refused."""
    here, store = faulty(monkeypatch, awaits=awaits, policy=NEVER)
    store.fault = UsageError("config_invalid", about="folder")
    store.faults[call] = "before"

    here.fresh()

    assert here.exchanges == 1
    here.clock.advance(LIFETIME)
    here.fresh()
    assert here.exchanges == 2


@KINDS
def test_a_record_that_another_caller_changes_all_the_time_is_no_busy_loop(
    monkeypatch: pytest.MonkeyPatch, awaits: bool
) -> None:
    here, store = faulty(monkeypatch, awaits=awaits, policy=NEVER)
    monkeypatch.setattr("oidc_adapters.clients.one_exchange._RETRY", 0.05)
    replaced, began = store.replace, monotonic()

    def replace(*write: Any) -> bool:
        done = store.counts.get("replace", 0) < MARK or monotonic() > began + 0.5
        store.counts["refused"] = store.counts.get("refused", 0) + (not done)
        return done and replaced(*write)

    monkeypatch.setattr(Faulty, "replace", staticmethod(replace))

    here.fresh()

    assert here.exchanges == 1
    assert 2 < store.counts["refused"] < 20


@KINDS
def test_a_mark_that_took_too_long_is_taken_back(
    monkeypatch: pytest.MonkeyPatch, awaits: bool
) -> None:
    """The process may have been stopped in between, and others may have given it up."""
    here, store = faulty(monkeypatch, awaits=awaits, policy=NEVER)
    monkeypatch.setattr("oidc_adapters.clients.one_exchange.SEND_WITHIN", -1.0)
    made = store.replace

    def replaced(key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        done = made(key, expected, version, value, until)
        if store.counts["replace"] >= STORE:
            monkeypatch.setattr("oidc_adapters.clients.one_exchange.SEND_WITHIN", 2.0)
        return done

    monkeypatch.setattr(Faulty, "replace", staticmethod(replaced))
    here.fresh()
    assert here.exchanges == 1
    assert store.counts["replace"] == 2 + 1 + 4


@KINDS
def test_a_mark_has_its_own_time(monkeypatch: pytest.MonkeyPatch, awaits: bool) -> None:
    """A process that stopped after its claim marks an exchange of now, not an old one."""
    here, store = faulty(monkeypatch, awaits=awaits, policy=NEVER)
    grants, key = here.client._doors.grants, here.tokens._of
    made, ages = store.replace, list[int]()

    def replaced(name: str, expected: str, version: str, value: str, until: int, /) -> bool:
        done = made(name, expected, version, value, until)
        held = at_once(grants.read(AtOnce(store.records), key))
        assert held.record is not None
        if held.record.state == "claimed":
            here.clock.advance(ABANDONED)
        elif held.record.state == "sending":
            ages.append(held.times.now - held.record.changed_at)
        return done

    monkeypatch.setattr(Faulty, "replace", staticmethod(replaced))
    here.fresh()
    assert ages == [0]


@KINDS
def test_a_transport_that_raises_leaves_a_doubt(
    monkeypatch: pytest.MonkeyPatch, awaits: bool
) -> None:
    here, _ = faulty(monkeypatch, awaits=awaits, policy=NEVER)

    def send(request: WireRequest, clock: object) -> Answer:
        raise ZeroDivisionError

    async def send_async(request: WireRequest, clock: object) -> Answer:
        raise ZeroDivisionError

    kind: Any = here.transport.__class__
    monkeypatch.setattr(kind, "send", staticmethod(send_async if awaits else send))

    error = refused(here.fresh)

    assert (error.code, error.cause) == ("refresh_in_doubt", "ZeroDivisionError")
    assert error.retryable == "restart"


@KINDS
def test_what_could_not_be_sent_is_the_caller_s_fault_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, awaits: bool
) -> None:
    here, _ = faulty(monkeypatch, awaits=awaits, policy=NEVER)
    credentials = here.client.shell.credentials
    without = type(credentials)()
    here.client.shell.credentials = without

    for _ in range(2):
        error = refused(here.fresh)
        assert error.code == "credential_missing"
    here.client.shell.credentials = credentials

    here.fresh()
    assert here.exchanges == 1


@KINDS
def test_a_late_answer_of_an_ended_session_is_dropped(
    monkeypatch: pytest.MonkeyPatch, awaits: bool
) -> None:
    here, store = faulty(monkeypatch, awaits=awaits, policy=NEVER)
    grants, key = here.client._doors.grants, here.tokens._of
    reads = store.read

    def read(name: str, /) -> Found | None:
        if store.counts.get("read", 0) == 1:  # the answer has come: the user logs out now
            store.counts["read"] = 2
            records = AtOnce(store.records)
            held = at_once(grants.read(records, key))
            assert held.record is not None
            ends = decide_end(held.record, Fresh("version-9", ""), now=held.times.now)
            assert isinstance(ends, Swap)
            assert at_once(grants.replace(records, key, held.record.version, ends.new))
        return reads(name)

    monkeypatch.setattr(Faulty, "read", staticmethod(read))

    error = refused(here.fresh)

    assert error.code == "grant_ended"
    assert here.exchanges == 1
