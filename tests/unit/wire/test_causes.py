"""The table of causes: each has a verdict and says what to do."""

import re
from typing import get_args

import pytest

from oidc_core.wire.causes import CAUSES, PROVIDER_HINTS, CauseRow, hint_at
from oidc_core.wire.errors import verdict
from oidc_core.wire.http import Purpose


@pytest.mark.parametrize("row", CAUSES.values(), ids=lambda row: row.cause)
def test_a_cause_is_one_word_with_a_verdict_and_a_hint(row: CauseRow) -> None:
    assert CAUSES[row.cause] is row
    assert re.fullmatch("[a-z]+(_[a-z]+)*", row.cause)
    assert (row.retryable, row.kind) in {("later", "later"), ("no", "configuration")}
    assert row.hint
    assert not row.hint.endswith(".")


@pytest.mark.parametrize("error", PROVIDER_HINTS)
def test_a_hint_to_a_providers_error_fits_its_verdict(error: str) -> None:
    retryable, _ = verdict(error, None)
    assert ("try again later" in PROVIDER_HINTS[error]) == (retryable == "later")
    assert ("new login" in PROVIDER_HINTS[error]) == (retryable == "restart")


PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_what_answers_in_place_of_an_endpoint_is_looked_for_by_purpose(purpose: Purpose) -> None:
    assert hint_at(purpose, "http_status_unexpected").startswith("check ")
    assert hint_at(purpose, "iss_mismatch") == ""
    assert hint_at("another", "http_status_unexpected") == ""
