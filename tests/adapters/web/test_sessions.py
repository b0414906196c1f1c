"""The value of a session."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.web.record_sessions import AsyncRecordSessions, RecordSessions
from oidc_adapters.web.sessions import AsyncSessions, Sessions, as_account
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.settings import as_setting
from tests.adapters.web.test_record_sessions import session
from tests.flows.rig import SEALING_SECRET
from tests.parties import refused


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("session_id", 1),
        ("identity", "alice"),
        ("claims", "name"),
        ("connection", ("a", "b")),
        ("grant_id", None),
        ("began_at", True),
        ("until", "soon"),
    ],
)
def test_each_member_is_judged(name: str, value: object) -> None:
    members: dict[str, Any] = {"session_id": "name"} | {name: value}
    error = refused(UsageError, "parameter_invalid", lambda: session(**members))

    assert error.about == name


def test_claims_are_frozen_and_hidden() -> None:
    made = session("name", claims={"groups": ["a"]}, grant_id="secret")

    assert made.claims["groups"] == ("a",)
    assert "groups" not in repr(made)
    assert "secret" not in repr(made)


def test_the_ports_tell_waiting_from_awaited() -> None:
    waiting = RecordSessions(MemoryRecords(), SEALING_SECRET)
    awaited = AsyncRecordSessions(MemoryRecords(), SEALING_SECRET)

    assert as_setting(waiting, Sessions, "sessions") is waiting
    assert as_setting(awaited, AsyncSessions, "sessions") is awaited
    refused(UsageError, "config_invalid", lambda: as_setting(awaited, Sessions, "sessions"))
    refused(UsageError, "config_invalid", lambda: as_setting(waiting, AsyncSessions, "sessions"))


def test_a_user_without_an_account() -> None:
    error = refused(CallbackError, "account_refused", lambda: as_account(None))

    assert (error.kind, error.answer_status) == ("user", 403)
    assert as_account("alice") == "alice"
