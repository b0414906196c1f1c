"""The loop of a caller: how it waits for other callers, and replaces callers that are gone."""

from __future__ import annotations

from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest

from oidc_adapters.clients.exchanges import Watch
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.records import AtOnce, Found, MemoryRecords, Times, at_once
from oidc_core.machine.grant_writes import Fresh, written
from oidc_core.machine.grants import Guards
from oidc_core.model.grants import GrantRecord
from oidc_core.model.policy import Policy
from oidc_core.model.resends import Grace
from oidc_core.wire.errors import StoreFailure
from tests.adapters.clients.test_session_tokens import KINDS, LIFETIME, Site, refused, site
from tests.flows.mixing import settled

SECRET = "a sealing secret of 32 octets or so"


class TestWatch:
    def test_time_counts_while_a_record_stays_the_same(self) -> None:
        watch = Watch()
        assert watch.look("a", 10.0) == 0
        assert watch.look("a", 10.2) == pytest.approx(0.2)
        assert watch.look("a", 10.4) == pytest.approx(0.4)
        assert watch.look("b", 10.6) == 0
        assert watch.look("b", 11.0) == pytest.approx(0.4)

    def test_of_a_time_without_looks_a_second_counts(self) -> None:
        """Others may have slept as well, as on a laptop, or the store did not answer."""
        watch = Watch()
        watch.look("a", 10.0)
        assert watch.look("a", 500.0) == 1.0

    def test_a_clock_that_runs_backwards_takes_nothing_away(self) -> None:
        watch = Watch()
        watch.look("a", 10.0)
        watch.look("a", 11.0)
        assert watch.look("a", 5.0) == 1.0


def left(here: Site, **changes: Any) -> GrantRecord:
    """Leave the session as a process would that is gone, with guards that pass quickly."""
    doors: Any = here.client._doors
    store: Any = doors.grants.records
    grants = Grants(store, SECRET, trusted=0, patience=2.5, guards=Guards(claim=1, send=1))
    doors.grants = grants
    here.clock.advance(LIFETIME)
    records, key = AtOnce(store), here.tokens._of
    held = at_once(grants.read(records, key))
    assert held.record is not None
    new = written(held.record, Fresh("version-9", ""), held.times.now, attempt="gone", **changes)
    assert at_once(grants.replace(records, key, held.record.version, new))
    return new


@KINDS
def test_a_claim_whose_holder_is_gone_is_taken_over(awaits: bool) -> None:
    here = site(awaits=awaits, policy=Policy(userinfo="never", resend_in_doubt="never"))
    left(here, state="claimed")

    here.fresh()
    assert here.exchanges == 1


@KINDS
@pytest.mark.parametrize(
    ("resend", "sent"), [("never", 0), ("once", 1), (Grace(600), 1), ("reusable", 1)]
)
def test_an_exchange_whose_holder_is_gone_is_in_doubt(awaits: bool, resend: Any, sent: int) -> None:
    here = site(awaits=awaits, policy=Policy(userinfo="never", resend_in_doubt=resend))
    left(here, state="sending", sends=1)

    if sent:
        here.fresh()
    else:
        error = refused(here.fresh)
        assert (error.code, error.retryable) == ("refresh_in_doubt", "restart")
    assert here.exchanges == sent


@KINDS
def test_a_caller_waits_only_so_long(awaits: bool) -> None:
    here = site(awaits=awaits)
    left(here, state="sending", sends=1)
    here.client._doors.grants = Grants(
        here.client._doors.grants.records, SECRET, trusted=0, patience=0.1
    )

    error = refused(here.fresh)

    assert isinstance(error, StoreFailure)
    assert (error.code, error.retryable) == ("refresh_busy", "later")
    assert here.exchanges == 0


@KINDS
def test_who_has_a_token_that_is_good_yet_waits_for_nobody(awaits: bool) -> None:
    here = site(awaits=awaits)
    first = here.fresh()
    left(here, state="sending", sends=1)
    here.clock.advance(-20)

    assert here.fresh() == first
    assert here.exchanges == 0


@KINDS
def test_callers_with_a_good_token_do_not_end_the_watch_of_one_who_waits(awaits: bool) -> None:
    here = site(awaits=awaits)
    first = here.fresh().access_token
    left(here, state="sending", sends=1)
    here.clock.advance(-20)
    waits, got = [True], list[str]()

    def wait() -> None:
        got.append(here.fresh(refused=first).access_token)
        waits.clear()

    waiter = Thread(target=wait)
    waiter.start()
    began = monotonic()
    while waits and monotonic() < began + 10:
        sleep(0.01)
        if waits:
            here.fresh(leeway=31)
    waiter.join(5)

    assert got
    assert got != [first]
    assert here.exchanges == 1
    assert not here.client._copies.exchanges._watches


@KINDS
def test_watches_are_bounded(monkeypatch: pytest.MonkeyPatch, awaits: bool) -> None:
    monkeypatch.setattr("oidc_adapters.clients.exchanges._MOST_WATCHES", 2)
    here = site(awaits=awaits)
    left(here, state="sending", sends=1)
    here.clock.advance(-20)
    watches = here.client._copies.exchanges._watches
    watches.update({"grant:1": Watch(), "grant:2": Watch()})

    here.fresh()

    assert list(watches) == [here.tokens._of.name]


@KINDS
@pytest.mark.parametrize("call", ["fresh", "end"])
def test_a_store_whose_writes_never_apply_holds_nobody_for_ever(awaits: bool, call: str) -> None:
    here = site(awaits=awaits)
    doors, tried = here.client._doors, list[object]()
    here.clock.advance(LIFETIME)

    class Stubborn(MemoryRecords):
        def replace(self, *write: object) -> bool:
            tried.append(write)
            return False

        def read(self, key: str, /) -> Found | None:
            found: Found | None = doors.grants.records.read(key)
            return found

    doors.records, doors.grants.patience = AtOnce(Stubborn()), 0.3
    calls = {"fresh": here.fresh, "end": lambda: settled(here.tokens.end())}
    began = monotonic()

    error = refused(calls[call])

    assert (error.code, error.retryable) == ("refresh_busy", "later")
    assert monotonic() - began < 2
    assert 0 < len(tried) < 20


@KINDS
def test_a_token_that_cannot_be_renewed_now_is_handed_out_as_long_as_it_is_valid(
    awaits: bool,
) -> None:
    here = site(awaits=awaits)
    doors, first = here.client._doors, here.fresh()

    class ReadOnly(MemoryRecords):
        def replace(self, *write: object) -> bool:
            raise ConnectionError

        def read(self, key: str, /) -> Found | None:
            found: Found | None = doors.grants.records.read(key)
            return found

    doors.records = AtOnce(ReadOnly())
    here.clock.advance(LIFETIME - 1)

    assert here.fresh() == first
    named = refused(lambda: here.fresh(refused=first.access_token))
    here.clock.advance(1)
    assert named.code == refused(here.fresh).code == "store_unavailable"
    assert here.exchanges == 0


@KINDS
def test_a_store_whose_clock_runs_backwards_causes_no_storm(awaits: bool) -> None:
    here = site(awaits=awaits)
    doors, now = here.client._doors, [here.clock.now()]

    class Backwards(MemoryRecords):
        def times(self) -> Times:
            now[0] -= 100
            return Times(now[0], here.clock.now())

        def replace(self, *write: Any) -> bool:
            done: bool = doors.grants.records.replace(*write)
            return done

        def read(self, key: str, /) -> Found | None:
            found: Found = doors.grants.records.read(key)
            return found._replace(times=self.times())

    doors.records = AtOnce(Backwards())

    assert refused(here.fresh).code == "refresh_busy"

    assert here.exchanges == 4


@KINDS
def test_a_session_whose_end_was_written_unnoticed_is_told_to_its_caller(awaits: bool) -> None:
    """Only this caller can revoke its tokens: the record has them no more."""
    here = site(awaits=awaits)
    doors = here.client._doors

    class Forgetful(MemoryRecords):
        def replace(self, *write: Any) -> bool:
            doors.grants.records.replace(*write)
            raise ConnectionError

        def read(self, key: str, /) -> Found | None:
            found: Found | None = doors.grants.records.read(key)
            return found

    doors.records = AtOnce(Forgetful())

    ended = settled(here.tokens.end())

    assert ended.tokens.refresh_token
    assert settled(here.tokens.end()) is None


@KINDS
def test_a_session_whose_end_was_not_written_goes_on(awaits: bool) -> None:
    here = site(awaits=awaits)
    doors = here.client._doors

    class Down(MemoryRecords):
        def replace(self, *write: Any) -> bool:
            raise ConnectionError

        def read(self, key: str, /) -> Found | None:
            found: Found | None = doors.grants.records.read(key)
            return found

    works, doors.records = doors.records, AtOnce(Down())

    error = refused(lambda: settled(here.tokens.end()))

    assert (error.code, error.retryable) == ("store_unavailable", "later")
    doors.records = works
    assert here.fresh().access_token


@KINDS
def test_an_id_token_waits_for_its_keys_and_is_judged_by_its_receipt(awaits: bool) -> None:
    """A key endpoint that is down, or a laptop that slept, must not end a session."""
    here = site(awaits=awaits)
    here.clock.advance(LIFETIME)
    shell: Any = here.client.shell
    keys = shell._keys
    del shell._keys
    shell._keys = _Withheld()

    error = refused(here.fresh)
    assert (error.code, error.retryable) == ("store_unavailable", "later")
    here.clock.advance(2 * 86_400)
    shell._keys = keys

    here.fresh()
    assert here.exchanges == 2  # the access token had expired meanwhile


@KINDS
def test_a_token_that_was_never_handed_out_can_be_revoked_too(awaits: bool) -> None:
    here = site(awaits=awaits)
    first = here.fresh().access_token
    here.clock.advance(LIFETIME)
    shell: Any = here.client.shell
    del shell._keys
    shell._keys = _Withheld()
    assert refused(here.fresh).code == "store_unavailable"

    ended = settled(here.tokens.end())

    (unverified,) = ended.access_tokens
    assert unverified != first
    assert ended.id_token_hint == ended.tokens.id_token


class _Withheld:
    def find(self, *_: object) -> object:
        raise ConnectionError

    async def find_async(self, *_: object) -> object:
        raise ConnectionError


@KINDS
@pytest.mark.parametrize("seconds", [-3_600, 3_600])
def test_a_wall_clock_that_somebody_set_refuses_no_id_token(awaits: bool, seconds: int) -> None:
    """The other clock of the store, which nobody sets, tells when it came."""
    here = site(awaits=awaits)
    here.clock.advance(LIFETIME)
    here.client._doors.grants.records._clock = FrozenClock(here.clock.now() + seconds)

    here.fresh()
    assert here.exchanges == 1


@KINDS
def test_an_id_token_of_another_time_by_both_clocks_is_refused(awaits: bool) -> None:
    here = site(awaits=awaits)
    here.clock.advance(LIFETIME)
    records, later = here.client._doors.grants.records, FrozenClock(here.clock.now() + 3_600)
    records._clock, records._elapsed = later, later.now

    assert refused(here.fresh).code == "exp_expired"
    assert here.exchanges == 1
