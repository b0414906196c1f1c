"""The page of needs names tests that exist, and the status of each need fits them."""

from __future__ import annotations

from typing import Final

import pytest

from tests.docs.needs import PAGE, STATUSES, Need, drawn, lost, needs, table

TEXT: Final = PAGE.read_text("utf-8")
NEEDS: Final = needs(TEXT)
HERE: Final = "tests/docs/test_needs.py"


def test_the_needs_are_numbered_in_their_order() -> None:
    assert [each.number for each in NEEDS] == [str(1 + place) for place in range(40)]
    assert len({each.title for each in NEEDS}) == len(NEEDS)


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.number)
def test_each_test_of_a_need_exists(need: Need) -> None:
    assert lost(need) == []
    assert len({*need.tests}) == len(need.tests)


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.number)
def test_the_status_fits_the_tests_and_says_what_is_missing(need: Need) -> None:
    assert need.status in STATUSES
    assert bool(need.tests) is (need.status != "not yet")
    assert (need.missing not in {"", "."}) is (need.status == "partly")


def test_the_table_of_the_page_is_made_of_its_sections() -> None:
    assert drawn(TEXT) == table(NEEDS), "python -m tests.docs.needs writes it"


@pytest.mark.parametrize(
    ("test", "there"),
    [
        (f"{HERE}::test_each_test_of_a_need_exists", True),
        (f"{HERE}::test_each_test_of_a_need_is_gone", False),
        (f"{HERE}::code_of", False),
        (f"{HERE}::TestNothing::test_it", False),
        (HERE, False),
        ("tests/docs/needs.py::tests_in", False),
        ("tests/docs/test_gone.py::test_it", False),
    ],
)
def test_a_test_that_is_not_collected_is_seen(test: str, there: bool) -> None:
    need = Need("1", "A need", (test,), "answered", ".")

    assert lost(need) == ([] if there else [test])


def test_every_test_made_for_a_need_stands_on_the_page() -> None:
    made = {path.name for path in (PAGE.parents[2] / "tests" / "needs").glob("test_*.py")}
    named = {test.partition("::")[0] for need in NEEDS for test in need.tests}

    assert {f"tests/needs/{name}" for name in made} <= named
