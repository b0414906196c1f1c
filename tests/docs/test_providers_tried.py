"""The page of the providers says what the tests of the providers declare."""

from __future__ import annotations

from typing import Final

import pytest

from tests.docs.pages import ROOT
from tests.interop.doors import doors_table
from tests.interop.matrix import FEATURES, TRIED, features_table, settings_table

PAGE: Final = ROOT / "docs" / "explanation" / "providers-tried.md"
DRAWN: Final = {
    "settings": settings_table(),
    "features": features_table(),
    "doors": doors_table(),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_table_of_the_page_is_the_declared_one(name: str) -> None:
    between = (
        PAGE.read_text("utf-8").partition(f"<!-- {name} -->\n")[2].partition("<!-- end -->")[0]
    )

    assert between.strip() == DRAWN[name], "python -m tests.interop.matrix and .doors print them"


def test_the_matrix_has_no_gap() -> None:
    assert len(TRIED) == 5
    for tried in TRIED:
        assert tuple(tried.cells) == FEATURES
