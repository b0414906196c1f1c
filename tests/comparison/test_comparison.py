"""Our columns of the table of scenarios; the command plays those of others."""

from __future__ import annotations

from typing import Final

import pytest

from tests.comparison.columns import COLUMNS
from tests.comparison.scenarios import SCENARIOS, outcome
from tests.comparison.table import LINES, PAGE, column_of, lines_of, played, table

HERE: Final = ("ours_fastapi", "ours_flask")
"""The columns that this process plays; a project of Django has a process of its own."""
IN: Final = "200, logged in"
NEEDS: Final = {
    "ours_django": ("django", "requests"),
    "ours_fastapi": ("fastapi", "httpx"),
    "ours_flask": ("flask", "requests"),
}
EXPECTED: Final = {
    "A login": IN,
    "Two tabs": f"{IN}; {IN}",
    "Fourteen restored tabs, at once": "14 of 14 logged in",
    "Fourteen tabs, in turn": "14 of 14 logged in",
    "Back button after the login": IN,
    "Replay of a callback": f"{IN}; 0 code exchanges",
    "Wrong `state`": "400, page `binding_missing`; 0 code exchanges",
    "Wrong `iss` in the callback": "400, page `response_iss_mismatch`; 0 code exchanges",
    "Provider down at the start": "503, page `http_malformed`",
    "Provider down at the callback": "503, page `code_in_doubt`",
    "Five requests at expiry": (
        "5 of 5 answered; 1 refresh, 0 refused as reuse; the next request answered"
    ),
    "Cancelled at the provider": "403, page `provider_error`",
    "Wrong client secret": "502, page `provider_error`; 4 requests",
    "A stranger's callback": "400, page `binding_missing`; not logged in",
    "A way back to another site": "led to `/`",
    "Identifier of the session": "changed",
    "A script without a session": "401",
}
SLOW: Final = "Five requests at expiry"


def ready(name: str) -> None:
    for package in NEEDS[name]:
        pytest.importorskip(package, reason="a framework is needed")


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name != SLOW])
@pytest.mark.parametrize("name", HERE)
def test_a_scenario_with_our_door(name: str, scenario: str) -> None:
    ready(name)

    assert outcome(COLUMNS[name], scenario) == EXPECTED[scenario]


@pytest.mark.slow
def test_all_scenarios_with_our_door_for_django() -> None:
    ready("ours_django")

    lines = str(lines_of(COLUMNS["ours_django"].path))

    assert played("ours_django") == {LINES: lines, **EXPECTED}


@pytest.mark.slow
@pytest.mark.parametrize("name", HERE)
def test_five_requests_at_expiry_make_one_refresh(name: str) -> None:
    ready(name)

    assert outcome(COLUMNS[name], SLOW) == EXPECTED[SLOW]


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_the_page_says_what_is_seen(name: str) -> None:
    heads = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    cells = [line.strip("| ").split(" | ") for line in heads]
    place = cells[0].index(COLUMNS[name].title)

    found = {row[0]: row[place] for row in cells[2:]}

    assert found == {LINES: str(lines_of(COLUMNS[name].path)), **EXPECTED}


def test_each_scenario_is_expected_and_explained() -> None:
    assert [*EXPECTED] == [*SCENARIOS]
    assert all(play.__doc__ for play in SCENARIOS.values())


def test_a_table_has_a_row_for_each_scenario() -> None:
    ready("ours_flask")
    rest = dict.fromkeys(SCENARIOS, "-")
    found = {"ours_flask": {**rest, **column_of(COLUMNS["ours_flask"], ["A login"])}}

    assert f"| A login | {IN} |" in table(found)
