"""The session index: what it finds, and that no order of a login and a logout leaves a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.records import MemoryRecords, at_once
from oidc_adapters.stores.session_values import MOST, IndexedSession
from oidc_adapters.stores.sessions import SessionIndex, ToldLogout
from oidc_core.wire.errors import CallbackError, StoreFailure, UsageError
from tests.adapters.stores.records.plugged import AwaitedRecords, PluggedRecords, failing_at
from tests.flows.rig import run_asyncio, run_trio
from tests.indexed import (
    CONNECTION,
    ISSUER,
    SECRET,
    UTC,
    a_place,
    end,
    logout,
    many,
    of_alice,
    of_sid,
    session,
)

Case = tuple[dict[str, Any], list[str]]


def test_a_session_is_found_by_its_user_and_by_the_session_of_the_provider() -> None:
    _, index = a_place()
    first, second = session("s-1"), session("s-2", sid="sid-2", grant_id="g")
    for each in (first, second, session("s-3", subject="bob"), session("s-4", sid=None)):
        index.add(CONNECTION, each)

    assert of_alice(index) == ["s-4", "s-2", "s-1"]
    assert index.of_sid(CONNECTION, ISSUER, "sid-2") == (second,)
    assert of_sid(index) == ["s-3", "s-1"]
    assert of_sid(index, "sid-3") == []


def test_a_client_and_an_issuer_have_their_own_sessions() -> None:
    _, index = a_place()
    index.add(CONNECTION, session())
    for other in (
        CONNECTION._replace(client_id="another"),
        CONNECTION._replace(connection_id="another"),
        CONNECTION._replace(issuer="https://other.example"),
    ):
        assert index.of_subject(other, ISSUER, "alice") == ()
    assert index.of_subject(CONNECTION, "https://other.example", "alice") == ()


def test_a_session_that_is_added_again_is_there_once() -> None:
    _, index = a_place()
    index.add(CONNECTION, session(grant_id="g-1"))
    index.add(CONNECTION, session(grant_id="g-2"))
    (found,) = index.of_subject(CONNECTION, ISSUER, "alice")
    assert found.grant_id == "g-2"


def test_a_session_that_has_ended_by_itself_is_forgotten() -> None:
    clock = FrozenClock(UTC)
    records, index = a_place(clock)
    index.add(CONNECTION, session("short", until=UTC + 60))
    index.add(CONNECTION, session("long"))
    clock.advance(61)

    assert of_alice(index) == ["long"]
    index.add(CONNECTION, session("new"))
    assert end(index, logout()) == (True, ["long", "new"])
    assert records.calls


def test_a_session_that_is_removed_is_found_no_more() -> None:
    _, index = a_place()
    named, unnamed = session("s-1"), session("s-2", sid=None)
    for each in (named, unnamed, session("s-3")):
        index.add(CONNECTION, each)

    for _ in range(2):
        index.remove(CONNECTION, named)
        index.remove(CONNECTION, unnamed)
        assert (of_alice(index), of_sid(index)) == (["s-3"], ["s-3"])
    assert end(index, logout()) == (True, ["s-3"])


@pytest.mark.parametrize("count", [MOST, MOST + 1, 3 * MOST + 5])
@pytest.mark.parametrize("changed", [{}, {"sid": None}, {"sid": "sid-1"}])
def test_many_sessions_are_found_and_ended(count: int, changed: dict[str, Any]) -> None:
    _, index = a_place()
    names = many(index, count, **changed)

    assert of_alice(index) == names[::-1]
    if changed.get("sid"):
        assert of_sid(index) == names[::-1]
    index.remove(CONNECTION, session("s-3", **{"sid": "sid-3", **changed}))
    assert sorted(of_alice(index)) == sorted({*names} - {"s-3"})
    told = logout(sid=changed["sid"]) if changed.get("sid") else logout()
    done, ended = end(index, told)
    assert done
    assert sorted(ended) == sorted({*names} - {"s-3"})
    assert of_alice(index) == []
    assert end(index, told) == (True, [])
    many(index, 2, issued_at=UTC + 99, began_at=UTC + 99)
    assert of_alice(index) == ["s-1", "s-0"]


def test_a_login_and_a_logout_take_few_calls_whatever_the_number_of_sessions() -> None:
    records, index = a_place()
    counts: list[int] = []
    for number in range(5 * MOST):
        records.calls.clear()
        index.add(CONNECTION, session(f"s-{number}", sid=f"sid-{number}"))
        counts.append(len(records.calls))
    assert [counts[0], *counts[2:MOST], max(counts)] == [6, *[5] * (MOST - 2), 9]
    records.calls.clear()
    assert of_sid(index, "sid-7") == ["s-7"]
    assert len(records.calls) == 3
    records.calls.clear()
    assert len(of_alice(index)) == 5 * MOST
    assert len(records.calls) == 5


def test_pages_of_sessions_that_ended_by_themselves_are_passed_over() -> None:
    clock = FrozenClock(UTC)
    records, index = a_place(clock)
    for number in range(10 * MOST):
        now = clock.now()
        new = session(f"s-{number}", sid=None, until=now + 600, issued_at=now, began_at=now)
        index.add(CONNECTION, new)
        clock.advance(120)
    records.calls.clear()
    assert len(of_alice(index)) == 4
    assert len(records.calls) < 6


ALICE = ["a-1", "a-2", "a-none"]
LOGOUTS: list[Case] = [
    ({}, ALICE),
    ({"sid": "sid-1"}, ["a-1", "a-none"]),
    ({"subject": None, "sid": "sid-1"}, ["a-1", "b-1"]),
    ({"subject": "bob", "sid": "sid-2"}, []),
    ({"subject": "carol"}, []),
    ({"issued_at": UTC - 1, "now": UTC - 10}, []),
    ({"connection": CONNECTION._replace(client_id="another")}, []),
    ({"issuer": "https://other.example"}, []),
]


@pytest.mark.parametrize(("changed", "expected"), LOGOUTS)
def test_a_logout_ends_the_sessions_that_fit_each_of_sub_and_sid(
    changed: dict[str, Any], expected: list[str]
) -> None:
    _, index = a_place()
    for each in (
        session("a-1"),
        session("a-2", sid="sid-2"),
        session("a-none", sid=None),
        session("b-1", subject="bob"),
    ):
        index.add(CONNECTION, each)

    done, ended = end(index, logout(**changed))

    assert (done, sorted(ended)) == (True, expected)
    left = index.of_subject(CONNECTION, ISSUER, "alice")
    assert sorted(each.session_id for each in left) == sorted({*ALICE} - {*expected})
    assert end(index, logout(**changed)) == (True, [])


@pytest.mark.parametrize("told", [logout(), logout(sid="sid-1"), logout(subject=None, sid="sid-1")])
def test_a_session_that_could_not_be_ended_stays_for_a_repetition(told: ToldLogout) -> None:
    _, index = a_place()
    names = [f"s-{number}" for number in range(MOST + 3)]
    for name in names:
        index.add(CONNECTION, session(name))

    done, ended = end(index, told, "s-2", "s-66")

    assert not done
    assert sorted(ended) == sorted({*names} - {"s-2", "s-66"})
    assert sorted(of_alice(index)) == ["s-2", "s-66"]
    done, ended = end(index, told)
    assert (done, sorted(ended)) == (True, ["s-2", "s-66"])


def test_a_login_after_a_logout_is_not_ended_by_its_repetition() -> None:
    _, index = a_place()
    index.add(CONNECTION, session("before"))
    late = logout(now=UTC + 100)
    assert end(index, late, "before") == (False, [])
    index.add(CONNECTION, session("after", issued_at=UTC + 13, began_at=UTC + 11))
    assert end(index, logout(now=UTC + 130)) == (True, ["before"])
    assert of_alice(index) == ["after"]


def test_the_clock_of_the_provider_may_be_ahead() -> None:
    """A login came before if it did so by the clock of the application."""
    _, index = a_place()
    ahead = logout(issued_at=UTC + 40, now=UTC + 10)
    index.add(CONNECTION, session("before"))
    assert end(index, ahead, "before") == (False, [])
    index.add(CONNECTION, session("after", issued_at=UTC + 45, began_at=UTC + 15))
    assert end(index, logout(issued_at=UTC + 40, now=UTC + 30)) == (True, ["before"])


def test_of_several_logouts_the_newest_decides() -> None:
    _, index = a_place()
    assert end(index, logout(issued_at=UTC + 20, now=UTC + 20)) == (True, [])
    index.add(CONNECTION, session("new", issued_at=UTC + 21, began_at=UTC + 20))
    assert end(index, logout()) == (True, [])
    with pytest.raises(CallbackError):
        index.add(CONNECTION, session("old", issued_at=UTC + 15, began_at=UTC + 15))


def test_a_logout_that_nobody_signed_is_remembered_for_lists_that_are_there() -> None:
    records, index = a_place()
    told = logout(subject=None, sid="sid-1", always=False)
    assert end(index, told) == (True, [])
    assert {*records.calls} <= {"read", "times"}
    index.add(CONNECTION, session())
    assert end(index, told) == (True, ["session-1"])
    with pytest.raises(CallbackError):
        index.add(CONNECTION, session("late"))


# --- the store -----------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["read", "create", "replace"])
def test_a_store_that_fails_lets_nobody_in_and_says_so(call: str) -> None:
    records, index = a_place()
    index.add(CONNECTION, session())
    records.before = failing_at(call)
    with pytest.raises(StoreFailure) as caught:
        index.add(CONNECTION, session("s-2", sid="sid-2"))
    assert (caught.value.code, caught.value.about) == ("store_unavailable", "sessions")


def test_the_store_learns_no_name() -> None:
    records, index = a_place()
    for number in range(MOST + 2):
        index.add(CONNECTION, session(f"session-{number}", grant_id="grant-1"))
    kept = records.records._records
    assert len(kept) == 4
    for key, record in kept.items():
        assert key.partition(":")[0] in {"sessions", "sid"}
        for part in ("session-", "grant-1", "alice", "sid-1", "op.example"):
            assert part not in key + record.value


def test_what_was_kept_elsewhere_is_refused() -> None:
    records, index = a_place()
    index.add(CONNECTION, session())
    index.add(CONNECTION, session("s-2", subject="bob"))
    one, _, other = sorted(records.records._records)
    kept = records.records._records
    kept[one], kept[other] = kept[other], kept[one]
    with pytest.raises(StoreFailure) as caught:
        of_alice(index)
    assert caught.value.code == "seal_invalid"


def test_a_name_is_used_for_as_long_as_it_has_to_be() -> None:
    records, index = a_place()
    side = index.waiting
    assert not at_once(index.is_used(side, "a-name"))
    for _ in range(2):
        at_once(index.use(side, "a-name", 60))
        assert at_once(index.is_used(side, "a-name"))
    ((key, record),) = records.records._records.items()
    assert key.startswith("spent:")
    assert "a-name" not in key
    assert record.until == UTC + 60


# --- settings ------------------------------------------------------------------------------------


def test_settings_are_judged() -> None:
    for about, changed in (
        ("end_session", {"end_session": "forget"}),
        ("lifetime", {"lifetime": 0}),
        ("lifetime", {"lifetime": True}),
    ):
        arguments: Any = changed
        with pytest.raises(UsageError) as caught:
            SessionIndex(MemoryRecords(), SECRET, **arguments)
        assert (caught.value.code, caught.value.about) == ("config_invalid", about)
    anything: Any = object()
    _, index = a_place()
    for call, about in (
        (lambda: index.add(anything, session()), "connection"),
        (lambda: index.add(CONNECTION, anything), "session"),
        (lambda: index.remove(anything, session()), "connection"),
        (lambda: index.remove(CONNECTION, anything), "session"),
        (lambda: index.of_subject(anything, ISSUER, "alice"), "connection"),
        (lambda: index.of_subject(CONNECTION, anything, "alice"), "issuer"),
        (lambda: index.of_subject(CONNECTION, ISSUER, anything), "subject"),
        (lambda: index.of_sid(CONNECTION, ISSUER, anything), "sid"),
    ):
        with pytest.raises(UsageError) as caught:
            call()
        assert (caught.value.code, caught.value.about) == ("parameter_invalid", about)
    assert "alice" not in repr(logout()) + repr(index)


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_code_that_awaits_does_the_same(run: Callable[[Any], IndexedSession]) -> None:
    plugged = PluggedRecords(MemoryRecords(clock=FrozenClock(UTC)))
    index = SessionIndex(AwaitedRecords(plugged), SECRET)

    async def main() -> IndexedSession:
        for name in ("s-1", "s-2"):
            await index.add_async(CONNECTION, session(name))
        assert len(await index.of_sid_async(CONNECTION, ISSUER, "sid-1")) == 2
        await index.remove_async(CONNECTION, session("s-2"))
        (left,) = await index.of_subject_async(CONNECTION, ISSUER, "alice")
        return left

    assert run(main) == session("s-1")
    with pytest.raises(UsageError):
        of_alice(index)
