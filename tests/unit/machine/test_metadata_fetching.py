"""When metadata is read: at first use, when it is old, when it is doubted; and when it is not."""

from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve

from oidc_core.machine.metadata_fetching import (
    LONGEST_WAIT,
    REREAD,
    MetadataRecord,
    after,
    has_failed,
    has_read,
    is_due,
    last_failure,
)
from oidc_core.wire.errors import (
    OidcError,
    Place,
    ProtocolViolation,
    ProviderError,
    TransportFailure,
    UsageError,
)
from tests.parties import relying_party

NOW = 1_700_000_000
AGE = 3_600
EMPTY = MetadataRecord()
RP = relying_party()
READ = has_read(EMPTY, RP, NOW)
DOWN = TransportFailure("http_timeout")


def test_what_was_never_read_is_due() -> None:
    assert is_due(EMPTY, AGE, NOW)
    assert last_failure(EMPTY, NOW) is None


@pytest.mark.parametrize(
    ("age", "due"), [(0, False), (AGE - 1, False), (AGE, True), (10 * AGE, True), (-1, True)]
)
def test_metadata_is_due_when_it_is_old_or_the_clock_was_set_back(age: int, due: bool) -> None:
    assert is_due(READ, AGE, NOW + age) is due


def test_after_a_failure_nobody_asks_until_the_wait_is_over() -> None:
    failed = has_failed(EMPTY, DOWN, NOW)

    assert [is_due(failed, AGE, NOW + seconds) for seconds in (0, 1, 2, 3)] == [
        False,
        False,
        True,
        True,
    ]
    assert is_due(failed, AGE, NOW - 1)  # the clock was set back


def test_waits_double_up_to_a_bound() -> None:
    record, waits = EMPTY, list[int]()
    for _ in range(40):
        record = has_failed(record, DOWN, NOW)
        waits.append(next(each for each in range(1_000) if is_due(record, AGE, NOW + each)))

    assert waits[:4] == [2, 4, 8, 16]
    assert all(one <= other for one, other in pairwise(waits))
    assert waits[-1] == LONGEST_WAIT


@pytest.mark.parametrize(("told", "wait"), [(None, 2), (0, 2), (30, 30), (100_000, LONGEST_WAIT)])
def test_a_provider_that_says_how_long_to_wait_is_heeded_within_bounds(
    told: int | None, wait: int
) -> None:
    record = has_failed(EMPTY, TransportFailure("http_timeout", retry_after=told), NOW)

    assert not is_due(record, AGE, NOW + wait - 1)
    assert is_due(record, AGE, NOW + wait)


def test_the_last_failure_says_after_how_long_it_is_tried_again() -> None:
    record = has_failed(EMPTY, DOWN, NOW)
    first, second = last_failure(record, NOW), last_failure(record, NOW + 1)

    assert first is not None
    assert second is not None
    assert (first.code, first.retry_after, second.retry_after) == ("http_timeout", 2, 1)
    assert DOWN.retry_after is None
    assert len({id(DOWN), id(first), id(second), id(record.error)}) == 4
    late = last_failure(record, NOW + 100)
    assert late is not None
    assert late.retry_after == 0


def test_a_failure_that_time_does_not_heal_names_no_time() -> None:
    wrong = ProtocolViolation("metadata_issuer_mismatch")
    failure = last_failure(has_failed(EMPTY, wrong, NOW), NOW)

    assert failure is not None
    assert (failure.code, failure.retryable, failure.retry_after) == (
        "metadata_issuer_mismatch",
        "no",
        None,
    )


def test_a_failure_keeps_what_was_believed() -> None:
    record = has_failed(READ, DOWN, NOW + AGE)

    assert record.rp is RP
    assert not is_due(record, AGE, NOW + AGE + 1)
    assert is_due(record, AGE, NOW + AGE + 2)


def test_a_document_that_says_the_same_stays_the_same_value() -> None:
    again = relying_party()
    assert again is not RP

    kept = has_read(has_failed(READ, DOWN, NOW), again, NOW + AGE)
    other = has_read(READ, relying_party(client={"client_id": "another"}), NOW + AGE)

    assert kept == MetadataRecord(rp=RP, read_at=NOW + AGE, tried_at=NOW + AGE)
    assert kept.rp is RP
    assert other.rp is not RP


def error(code: str, purpose: str = "token", **facts: Any) -> OidcError:
    made = ProtocolViolation(code, **facts)
    made.place = Place(purpose, "https://op.example/x") if purpose else None
    return made


def keys_missing(cause: str, found: int | None) -> OidcError:
    made = TransportFailure("keys_unavailable", cause=cause, found=found)
    made.place = Place("key_set", "https://op.example/jwks")
    return made


def said(status: int) -> OidcError:
    """In JSON, as a web framework says that it has no such page."""
    made = ProviderError("Not Found", status=status)
    made.place = Place("token", "https://op.example/token")
    return made


SHOWS_A_CHANGE = [
    error("alg_not_allowed", "", retryable="restart"),
    error("http_status_unexpected", found=404),
    error("http_status_unexpected", "refresh", found=410),
    error("http_status_unexpected", "userinfo", found=405),
    error("http_redirect_refused", found=302),
    keys_missing("http_status_unexpected", 404),
    keys_missing("http_redirect_refused", 302),
    said(404),
]
SHOWS_NONE = [
    error("alg_not_allowed", "", retryable="no"),
    error("http_status_unexpected", found=500),
    error("http_status_unexpected", "discovery", found=404),
    error("http_redirect_refused", "discovery"),
    error("http_status_unexpected", "", found=404),
    error("signature_invalid", "", retryable="restart"),
    keys_missing("http_status_unexpected", 503),
    keys_missing("refused", None),
    said(400),
    DOWN,
]


@pytest.mark.parametrize("found", SHOWS_A_CHANGE)
def test_what_shows_a_change_has_metadata_read_again_soon(found: OidcError) -> None:
    record = after(READ, found)

    assert record == evolve(READ, doubted=True)
    assert after(record, found) is record
    assert not is_due(record, AGE, NOW + REREAD - 1)
    assert is_due(record, AGE, NOW + REREAD)
    assert not has_read(record, RP, NOW + REREAD).doubted


@pytest.mark.parametrize("found", SHOWS_NONE)
def test_other_refusals_cast_no_doubt(found: OidcError) -> None:
    assert after(READ, found) is READ


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_metadata_that_lacks_what_every_login_needs_replaces_none_that_has_it(name: str) -> None:
    poorer = relying_party(provider={name: None})
    with pytest.raises(UsageError) as caught:
        has_read(READ, poorer, NOW + AGE)
    assert (caught.value.code, caught.value.about) == ("unsupported_by_provider", name)
    assert has_read(EMPTY, poorer, NOW).rp is poorer
    assert has_read(has_read(EMPTY, poorer, NOW), poorer, NOW + AGE).rp is poorer
