"""The closed table of codes."""

import re

import pytest

from oidc_core.wire import codes
from oidc_core.wire.codes import CODES, CodeRow
from oidc_core.wire.errors import ANSWER_STATUS


def test_no_code_stands_twice() -> None:
    assert [row.code for row in codes._TABLE] == [*CODES]


@pytest.mark.parametrize("row", CODES.values(), ids=lambda row: row.code)
def test_a_row_is_complete(row: CodeRow) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", row.code)
    assert row.fault in {"protocol", "provider", "callback", "transport", "store", "usage"}
    assert row.retryable in {"no", "restart", "later"}
    assert row.kind in ANSWER_STATUS
    assert re.fullmatch(r"[a-z_]+", row.stage)
    assert row.hint.isprintable()
    assert 0 < len(row.hint) <= 70
    assert not row.hint.endswith(".")
    assert row.spec or row.fault in {"store", "usage"}


def test_only_what_a_new_login_heals_is_to_be_started_again() -> None:
    assert {row.code for row in CODES.values() if row.retryable == "restart"} == {
        "state_unknown",
        "state_expired",
        "state_used",
        "policy_changed",
        "binding_missing",
        "metadata_changed",
        "grant_unknown",
        "grant_ended",
        "grant_expired",
        "session_ended",
    }


@pytest.mark.parametrize("row", CODES.values(), ids=lambda row: row.code)
def test_kind_and_retryable_agree(row: CodeRow) -> None:
    """A fault that heals by itself says so in both; only a stale operation is started again."""
    assert (row.kind == "later") == (row.retryable == "later")
    assert row.retryable != "restart" or row.kind == "stale"
    assert row.fault != "usage" or (row.retryable, row.kind) == ("no", "configuration")
