"""Drivers that send too much, or resume a step with something else than its answer."""

from typing import Any

import pytest

from tests.adapters.testing.drivers import bent
from tests.adapters.testing.drivers.bent import Driver, check_finds, machine, rows

ROWS: list[Any] = rows(
    asked_for=[bent.WarmsUp],
    sent_once=[bent.SendsTwice, bent.TriesAgain],
    no_redirects=[bent.FollowsRedirects],
    own_answer=[bent.LagsBehind, bent.CachesAnswers, bent.ChangesAnswers],
    answers_told=[bent.RaisesForStatus],
    failures_told=[bent.DropsFailures, bent.CallsAllUnsent],
    stamped=[bent.StampsEarly],
    no_misuse=[bent.ResumesWithAnother, bent.SharesRequests],
    outcome_told=[bent.SwallowsRefusals, bent.RunsForEver],
)


@pytest.mark.parametrize(("driver", "duty"), ROWS)
def test_the_machine_finds_it(driver: Driver, duty: str) -> None:
    check_finds(machine(driver), duty)
