"""The records of a session index."""

from __future__ import annotations

import pytest

from oidc_adapters.stores.session_values import (
    LONGEST,
    Ending,
    Entry,
    Head,
    dump_head,
    dump_page,
    load_head,
    load_page,
)
from oidc_core.wire.errors import StoreFailure, UsageError
from tests.indexed import ISSUER, UTC, session


def test_a_session_has_a_name() -> None:
    for name in ("", "x" * (LONGEST + 1)):
        with pytest.raises(UsageError) as caught:
            session(name)
        assert (caught.value.code, caught.value.about) == ("parameter_invalid", "session_id")
    assert session("x" * LONGEST).session_id


def test_a_session_shows_neither_its_names_nor_its_user() -> None:
    shown = repr(session("my-session", grant_id="my-grant", subject="alice", sid="my-sid"))
    for part in ("my-session", "my-grant", "alice", "my-sid"):
        assert part not in shown
    assert "alice" not in repr(Ending(UTC, UTC, "alice"))


@pytest.mark.parametrize(
    ("issued_at", "began_at", "covered"),
    [
        (UTC - 1, UTC - 5, True),
        (UTC, UTC, True),
        (UTC + 1, UTC - 1, True),
        (UTC + 1, UTC, False),
        (UTC + 9, UTC + 9, False),
    ],
)
def test_a_logout_ends_logins_before_it_alone(issued_at: int, began_at: int, covered: bool) -> None:
    ending = Ending(UTC, UTC)
    assert ending.covers(session(issued_at=issued_at, began_at=began_at)) is covered


def test_a_logout_ends_the_sessions_that_it_names_alone() -> None:
    ending = Ending(UTC, UTC, "alice")
    assert ending.covers(session())
    assert not ending.covers(session(subject="bob"))
    unnamed = Ending(UTC, UTC, "alice", unnamed=True)
    assert not unnamed.covers(session())
    assert unnamed.covers(session(sid=None))


def test_of_logouts_of_one_kind_the_last_is_remembered() -> None:
    head = Head()
    for number in range(20):
        head = head.with_ending(Ending(UTC + number, UTC))
        head = head.with_ending(Ending(UTC + number, UTC, "alice"))
    assert [each.issued_at for each in head.endings] == [UTC + 19, UTC + 19]
    for number in range(20):
        head = head.with_ending(Ending(UTC, UTC, f"user-{number}"))
    assert len(head.endings) == 8
    assert head.has_ended(session(subject="user-19"))
    assert not head.has_ended(session(subject="user-19", issued_at=UTC + 1, began_at=UTC))


ENTRIES = (Entry(session(), 1), Entry(session("session-2", grant_id="g", sid=None), 1))


def test_a_head_and_a_page_are_read_as_they_were_written() -> None:
    head = Head(2, 5, UTC, True, (Ending(1, 2), Ending(1, 2, "alice", True)), ENTRIES)
    assert load_head(dump_head(head), ISSUER) == head
    assert load_head(dump_head(Head()), ISSUER) == Head()
    assert load_page(dump_page(ENTRIES), ISSUER) == ENTRIES


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "record_invalid"),
        ("[]", "record_invalid"),
        ("{}", "record_version_unknown"),
        ('{"v":2}', "record_version_unknown"),
        ('{"v":1}', "record_invalid"),
        ('{"v":1,"pages":[1,0],"until":1,"unnamed":false,"endings":[]}', "record_invalid"),
        ('{"v":1,"pages":[1,0],"until":1,"unnamed":false,"entries":[]}', "record_invalid"),
        (
            '{"v":1,"pages":[1,0],"until":1,"unnamed":false,"endings":[5],"entries":[]}',
            "record_invalid",
        ),
        (
            '{"v":1,"pages":[1,0],"until":1,"unnamed":false,"endings":[],"entries":[["s"]]}',
            "record_invalid",
        ),
    ],
)
def test_what_is_no_head_is_refused(text: str, code: str) -> None:
    with pytest.raises(StoreFailure) as caught:
        load_head(text, ISSUER)
    assert (caught.value.code, caught.value.about) == (code, "sessions")


def test_what_is_no_page_is_refused() -> None:
    with pytest.raises(StoreFailure) as caught:
        load_page('{"v":1,"entries":{}}', ISSUER)
    assert caught.value.code == "record_invalid"
