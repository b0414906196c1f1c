"""The closed table of codes."""

import re

import pytest

from oidc_core.wire import codes
from oidc_core.wire.codes import CODES, CodeRow


def test_no_code_stands_twice() -> None:
    assert [row.code for row in codes._TABLE] == [*CODES]


@pytest.mark.parametrize("row", CODES.values(), ids=lambda row: row.code)
def test_a_row_is_complete(row: CodeRow) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", row.code)
    assert row.fault in {"protocol", "provider", "callback", "transport", "store", "usage"}
    assert row.retryable in {"no", "restart", "later"}
    assert re.fullmatch(r"[a-z_]+", row.stage)
    assert row.hint.isprintable()
    assert 0 < len(row.hint) <= 70
    assert not row.hint.endswith(".")
    assert row.spec or row.fault in {"store", "usage"}


@pytest.mark.parametrize(
    ("fault", "retryables"),
    [
        ("callback", {"restart"}),
        ("usage", {"no"}),
        ("transport", {"no", "later", "restart"}),
    ],
)
def test_a_fault_says_whether_trying_again_helps(fault: str, retryables: set[str]) -> None:
    assert {row.retryable for row in CODES.values() if row.fault == fault} == retryables
