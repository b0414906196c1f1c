"""The record of a shared grant."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_core.model.grants import Target, elapsed
from oidc_core.wire.errors import UsageError
from tests.unit.machine.grants_records import API, NOW, WAITS, access, record


def test_what_is_left_of_an_access_token_is_counted_by_the_store_s_clock() -> None:
    assert access().remaining(NOW) == 300
    assert access().remaining(NOW + 301) == -1
    assert access(lifetime=None).remaining(NOW) is None


def test_a_time_of_the_future_is_now_or_long_ago() -> None:
    """A store that was restored knows such times."""
    assert (elapsed(5, 5), elapsed(5, 9)) == (0, 4)
    assert (elapsed(61, 1), elapsed(7, 1)) == (0, 0)
    assert elapsed(62, 1) > 10**12
    assert access(stored_at=NOW + 50).remaining(NOW) == 400
    remaining = access(stored_at=NOW + 61).remaining(NOW)
    assert remaining is not None
    assert remaining < 0


def test_an_access_token_is_found_by_its_target() -> None:
    other = access("access-3", target=API)
    kept = record(access=(access(), other))
    assert kept.access_for(Target()) == access()
    assert kept.access_for(API) == other
    assert kept.access_for(Target("openid")) is None


def test_no_token_is_shown() -> None:
    kept = record(hint="hint-1", unverified=WAITS)
    shown = repr(kept) + repr(kept.access) + repr(kept.unverified)
    for secret in ("refresh-1", "access-1", "access-2", "a.b.c", "hint-1"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("generation", "0"),
        ("generation", -1),
        ("born", -1),
        ("sends", -1),
        ("misses", -1),
        ("state", "asleep"),
        ("access", [access()]),
        ("access", ("access-1",)),
        ("last_failure", "down"),
        ("unverified", "a.b.c"),
        ("rotates", 1),
    ],
)
def test_a_record_is_made_of_what_it_says(name: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        record(**{name: value})
    assert (caught.value.code, caught.value.about) == ("parameter_invalid", name)
