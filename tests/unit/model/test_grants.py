"""The record of a shared grant."""

import pytest

from oidc_core.wire.errors import UsageError
from tests.unit.machine.grants_records import NOW, record


def test_what_is_left_of_an_access_token_is_counted_by_the_store_s_clock() -> None:
    assert record().remaining(NOW) == 300
    assert record().remaining(NOW + 301) == -1
    assert record(lifetime=None).remaining(NOW) is None


def test_no_token_is_shown() -> None:
    shown = repr(record(unverified="a.new.token"))
    assert "refresh-1" not in shown
    assert "access-1" not in shown
    assert "a.new.token" not in shown


def test_a_record_is_made_of_what_it_says() -> None:
    with pytest.raises(UsageError) as caught:
        record(generation="0")
    assert (caught.value.code, caught.value.about) == ("parameter_invalid", "generation")
