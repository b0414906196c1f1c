"""The table of attacks on a token: each row has a test that names it, or a reason for no test.

A test names the rows it covers in its docstring, as ``E03``; they are rows of the sections D
(claims of the ID token), E (compact JWS and JSON), F (keys and algorithms) and X (JWE).
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

import pytest

from tests.meta.trees import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECTIONS: Final = {"D": 36, "E": 32, "F": 35, "X": 17}
ROWS: Final = frozenset(
    f"{section}{number:02}" for section, last in SECTIONS.items() for number in range(1, last + 1)
)
NO_TEST: Final = {
    "D20": "c_hash and s_hash stand in front-channel ID tokens, which no flow here takes yet",
    "E31": "a token is a str by its type: type checkers refuse bytes, and nothing decodes them",
    "F32": "no request object is signed yet, so no assertion can be taken for one",
}
NAMED: Final = re.compile(r"\b[DEFX]\d\d\b")


def named_rows(source: str) -> Iterator[tuple[str, str]]:
    """Yield each row that a test of this source names, and the test."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for row in NAMED.findall(ast.get_docstring(node) or ""):
                yield row, node.name


def rows_in(folder: Path) -> dict[str, set[str]]:
    """Return the rows that the tests below a folder name, each with its tests."""
    found: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for row, name in named_rows(path.read_text("utf-8")):
            found.setdefault(row, set()).add(name)
    return found


@pytest.fixture(scope="module")
def named() -> dict[str, set[str]]:
    return rows_in(ROOT / "tests")


def test_every_row_has_a_test_or_a_reason(named: dict[str, set[str]]) -> None:
    assert sorted(ROWS - named.keys() - NO_TEST.keys()) == []


def test_no_row_has_both_a_test_and_a_reason_for_none(named: dict[str, set[str]]) -> None:
    assert sorted(named.keys() & NO_TEST.keys()) == []
    assert all(len(reason) > 40 for reason in NO_TEST.values())


def test_no_test_names_a_row_that_is_not_there(named: dict[str, set[str]]) -> None:
    assert sorted((named.keys() | NO_TEST.keys()) - ROWS) == []


def test_only_the_docstrings_of_tests_name_rows() -> None:
    source = '"""E01."""\ndef test_a():\n    """E02, F03: x."""\ndef helper():\n    """E04."""\n'

    assert [*named_rows(source)] == [("E02", "test_a"), ("F03", "test_a")]
