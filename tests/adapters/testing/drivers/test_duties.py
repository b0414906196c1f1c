"""The duties of a driver by name, and the error that names one."""

import pytest

from oidc_adapters.testing.drivers import DRIVER_DUTIES, DutyBroken
from oidc_adapters.testing.drivers.duties import broken
from tests.adapters.testing.drivers import test_judging, test_key_watch, test_prepared


def test_the_error_names_the_duty_and_says_what_happened() -> None:
    with pytest.raises(DutyBroken) as caught:
        broken("sent-once", "the refresh request was sent again")

    assert caught.value.duty == "sent-once"
    assert isinstance(caught.value, AssertionError)
    assert str(caught.value) == (
        "sent-once: A request is sent once, and again only as its resend allows."
        " But the refresh request was sent again."
    )


def test_each_duty_is_broken_by_a_driver_that_the_machine_finds() -> None:
    tried = [*test_judging.ROWS, *test_key_watch.ROWS, *test_prepared.ROWS]

    found = {row.values[1] for row in tried} | {"stored-first"}

    assert found == {*DRIVER_DUTIES}
    assert len(tried) >= 30
