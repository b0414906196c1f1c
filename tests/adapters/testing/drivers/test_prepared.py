"""Drivers that change a prepared request, each found by its duty."""

from typing import Any

import pytest

from tests.adapters.testing.drivers import bent
from tests.adapters.testing.drivers.bent import Driver, check_finds, machine, rows

ROWS: list[Any] = rows(
    as_prepared=[
        bent.AltersBodies,
        bent.AltersValues,
        bent.KeepsCookies,
        bent.DropsHeaders,
        bent.SwapsMethods,
        bent.MixesSecrets,
    ],
    limits_kept=[bent.TakesLargeAnswers, bent.WaitsForEver],
    fresh_proofs=[bent.ReusesJtis, bent.RepeatsProofs],
    dpop_nonces=[bent.ForgetsNonces, bent.SharesNonces],
    honest_passes=[bent.SignsEarly],
)


@pytest.mark.parametrize(("driver", "duty"), ROWS)
def test_the_machine_finds_it(driver: Driver, duty: str) -> None:
    check_finds(machine(driver), duty)
