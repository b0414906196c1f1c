"""The lists of a session index: no order of logins and logouts loses or leaves a session."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oidc_adapters.stores.records import at_once
from oidc_adapters.stores.session_values import IndexedSession
from oidc_adapters.stores.sessions import SessionIndex, ToldLogout
from oidc_core.wire.errors import OidcError, StoreFailure
from tests.indexed import (
    CONNECTION,
    a_place,
    at_call,
    end,
    ends,
    logout,
    many,
    of_alice,
    of_sid,
    quiet,
    session,
)

FEW = 4
"""Entries of a page in tests of races, so that pages come soon."""


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oidc_adapters.stores.session_lists.MOST", FEW)


def is_added(index: SessionIndex, new: IndexedSession) -> bool:
    """Return whether a session was added, or refused since it has ended."""
    code = fails(lambda: index.add(CONNECTION, new))
    assert code in {"", "session_ended"}
    return not code


def fails(call: Callable[[], object]) -> str:
    """Return the code with which something fails."""
    try:
        call()
    except OidcError as error:
        return error.code
    return ""


def break_off() -> None:
    raise ConnectionError


TELLINGS = [
    logout(),
    logout(sid="sid-1"),
    logout(subject=None, sid="sid-1"),
]
RACES = [*[(told, "sid-1") for told in TELLINGS], *[(told, None) for told in TELLINGS[:2]]]


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize(("told", "sid"), RACES)
@pytest.mark.parametrize("there", [0, 1, FEW - 1, FEW])
def test_a_logout_at_any_moment_of_a_login_leaves_no_session(
    told: ToldLogout, sid: str | None, there: int
) -> None:
    for moment in range(12):
        records, index = a_place()
        for number in range(there):
            index.add(CONNECTION, session(f"s-{number}", sid=sid))
        ended: list[str] = []

        def log_out(index: SessionIndex = index, ended: list[str] = ended) -> None:
            ended.extend(end(index, told)[1])

        at_call(records, moment, log_out)
        refused = not is_added(index, session("racing", sid=sid))
        records.before = quiet
        ended += end(index, told)[1]  # a logout after the login
        assert refused or "racing" in ended
        assert {f"s-{number}" for number in range(there)} <= {*ended}
        assert of_alice(index) == []


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize(("told", "sid"), RACES)
@pytest.mark.parametrize("there", [1, FEW - 1, FEW, FEW + 1])
def test_a_login_at_any_moment_of_a_logout_leaves_no_session(
    told: ToldLogout, sid: str | None, there: int
) -> None:
    for moment in range(20):
        records, index = a_place()
        for number in range(there):
            index.add(CONNECTION, session(f"s-{number}", sid=sid))
        added: list[bool] = []

        def add(index: SessionIndex = index, added: list[bool] = added) -> None:
            racing = [session(f"racing-{number}", sid=sid) for number in range(FEW + 2)]
            added.extend([is_added(index, each) for each in racing])

        at_call(records, moment, add)
        done, ended = end(index, told)
        assert done
        joined = {f"racing-{number}" for number, each in enumerate(added) if each}
        assert joined <= {*ended}
        assert {f"s-{number}" for number in range(there)} <= {*ended}
        records.before = quiet
        assert of_alice(index) == []


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("there", [0, FEW - 1, FEW])
def test_logins_of_one_user_at_the_same_moment_are_all_added(there: int) -> None:
    for moment in range(12):
        records, index = a_place()
        names = many(index, there)

        def add(index: SessionIndex = index, names: list[str] = names) -> None:
            for number in range(FEW + 2):
                index.add(CONNECTION, session(f"other-{number}", sid=None))
                names.append(f"other-{number}")

        at_call(records, moment, add)
        index.add(CONNECTION, session("racing"))
        records.before = quiet
        assert sorted(of_alice(index)) == sorted(["racing", *names])


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("there", [1, FEW - 1, FEW, FEW + 1])
@pytest.mark.parametrize("sid", ["sid-1", None])
def test_sessions_that_come_and_go_at_the_same_moment_are_kept_apart(
    there: int, sid: str | None
) -> None:
    """Somebody who is slow must not put back, or drop, what others have changed meanwhile."""
    for moment in range(14):
        for adds in (True, False):
            records, index = a_place()
            names = {*many(index, there, sid=sid)}

            def change(index: SessionIndex = index, names: set[str] = names) -> None:
                for name in {"s-1", max(names, key=lambda name: int(name[2:]))}:
                    index.remove(CONNECTION, session(name, sid=sid))
                    names.discard(name)
                for number in range(100, 100 + FEW + 2):
                    index.add(CONNECTION, session(f"s-{number}", sid=sid))
                    names.add(f"s-{number}")

            at_call(records, moment, change)
            if adds:
                index.add(CONNECTION, session("s-50", sid=sid))
                names.add("s-50")
            else:
                index.remove(CONNECTION, session("s-0", sid=sid))
                names.discard("s-0")
            records.before = quiet
            assert sorted(of_alice(index)) == sorted(names)
            if sid is not None:
                assert sorted(of_sid(index)) == sorted(names)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("moment", range(9))
def test_a_login_that_is_broken_off_anywhere_harms_no_other(moment: int) -> None:
    records, index = a_place()
    names = many(index, FEW + 2)

    at_call(records, moment, break_off)
    assert fails(lambda: index.add(CONNECTION, session("broken"))) in {"", "store_unavailable"}
    records.before = quiet
    index.add(CONNECTION, session("next", sid="sid-next"))
    index.remove(CONNECTION, session("s-5", sid="sid-5"))
    index.add(CONNECTION, session("last", sid="sid-last"))
    found = of_alice(index)
    assert {"next", "last", *names} - {"s-5"} == {*found} - {"broken"}
    done, ended = end(index, logout())
    assert done
    assert {*found} <= {*ended}
    assert of_alice(index) == []


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("told", TELLINGS)
def test_a_logout_that_is_broken_off_anywhere_is_resumed(told: ToldLogout) -> None:
    for moment in range(40):
        records, index = a_place()
        names = [f"s-{number}" for number in range(FEW + 3)]
        for name in names:
            index.add(CONNECTION, session(name))
        ended: list[str] = []

        at_call(records, moment, break_off)

        def log_out(index: SessionIndex = index, ended: list[str] = ended) -> bool:
            return at_once(index.ended(index.waiting, told, ends(ended)))

        assert fails(log_out) in {"", "store_unavailable"}
        records.before = quiet
        assert moment < 2 or not is_added(index, session("late"))
        assert log_out()
        assert {*ended} == {*names}
        assert of_alice(index) == []


def never(*_: object) -> bool:
    """Be a write that somebody else was quicker than."""
    return False


def test_a_list_that_others_write_all_the_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    records, index = a_place()
    index.add(CONNECTION, session("s-1", sid=None))
    monkeypatch.setattr("oidc_adapters.stores.session_lists._PATIENCE", 0.05)
    monkeypatch.setattr(records, "replace", never)
    with pytest.raises(StoreFailure) as caught:
        index.add(CONNECTION, session("s-2", sid=None))
    assert (caught.value.code, caught.value.cause) == ("store_unavailable", "busy")
