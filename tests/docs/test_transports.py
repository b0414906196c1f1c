"""The table of transports and duties is the one of the transports that are tried."""

from __future__ import annotations

import pytest

from tests.adapters.transport.tried import TRIED, table
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "how-to" / "own-transport.md"


def test_the_table_of_the_page_is_the_declared_one() -> None:
    for tried in TRIED:
        pytest.importorskip(tried.package)
    text = PAGE.read_text("utf-8")
    between = text.partition("<!-- transports -->\n")[2].partition("<!-- end -->")[0]

    assert between.strip() == table(), "python -m tests.adapters.transport.tried prints it"
