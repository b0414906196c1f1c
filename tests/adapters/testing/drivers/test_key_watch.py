"""Drivers that have other keys than the provider's, or ask it too rarely or too often."""

from typing import Any

import pytest

from tests.adapters.testing.drivers import bent
from tests.adapters.testing.drivers.bent import Driver, check_finds, machine, rows

ROWS: list[Any] = rows(
    keys_dated=[bent.DatesKeysNow, bent.HasFixedKeys],
    keys_when_due=[bent.KeepsKeys, bent.KnowsNoKeys],
    keys_throttled=[bent.FetchesAlways],
    stamped=[bent.TellsOldTime],
)


@pytest.mark.parametrize(("driver", "duty"), ROWS)
def test_the_machine_finds_it(driver: Driver, duty: str) -> None:
    check_finds(machine(driver), duty)
