"""The table of attacks: each row has the code that refuses it, and what shows that.

`attack_codes.csv` has the rows of all sections, from A (the transaction of a login) to M
(failures), by their identifiers: the codes of today, the misbehaviours and what is odd but legal,
the tests, or the reason why there is none.

A test of a token may name the rows it covers in its docstring, as ``E03``; they are rows of the
sections D (claims of the ID token), E (compact JWS and JSON), F (keys and algorithms) and X (JWE).
"""

from __future__ import annotations

import ast
import csv
import re
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from oidc_adapters.testing import MISBEHAVIOURS, ODD_BUT_LEGAL
from oidc_core.wire.codes import CODES
from tests.meta.trees import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECTIONS: Final = {
    "A": 28, "B": 31, "C": 21, "D": 36, "E": 32, "F": 35, "X": 17,
    "H": 15, "I": 29, "J": 30, "K": 20, "L": 22, "M": 12,
}  # fmt: skip
IDS: Final = tuple(
    [f"{section}{number:02}" for section, last in SECTIONS.items() for number in range(1, last + 1)]
)
NOT_YET: Final = "not there yet: "
NAMED: Final = re.compile(r"\b[DEFX]\d\d\b")


class Attack(NamedTuple):
    """A row of the table."""

    id: str
    codes: tuple[str, ...]
    rows: tuple[str, ...]
    tests: tuple[str, ...]
    reason: str


def _read() -> tuple[Attack, ...]:
    with (ROOT / "tests/spec/attack_codes.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            [
                Attack(
                    row["id"],
                    tuple(row["codes"].split()),
                    tuple(row["rows"].split()),
                    tuple(row["tests"].split()),
                    row["reason"],
                )
                for row in csv.DictReader(file)
            ]
        )


ATTACKS: Final = _read()


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


def test_every_row_is_there_once() -> None:
    assert tuple([attack.id for attack in ATTACKS]) == IDS


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_a_row_is_shown_or_has_a_reason(attack: Attack) -> None:
    shown = attack.codes + attack.rows + attack.tests

    assert bool(attack.rows + attack.tests) != bool(attack.reason)
    assert not (shown and attack.reason)
    assert not attack.reason or len(attack.reason) > 20


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_its_codes_are_those_of_its_misbehaviours(attack: Attack) -> None:
    assert set(attack.codes) <= CODES.keys()
    assert set(attack.rows) <= MISBEHAVIOURS.keys() | ODD_BUT_LEGAL.keys()
    refused = {MISBEHAVIOURS[name].code for name in attack.rows if name in MISBEHAVIOURS}
    assert refused <= set(attack.codes)


def test_its_tests_are_there() -> None:
    lost = [
        test
        for attack in ATTACKS
        for test in attack.tests
        if f"def {test.partition('::')[2]}(" not in _text(test.partition("::")[0])
    ]

    assert lost == []


def _text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def test_a_row_that_a_docstring_names_is_there_and_shown(named: dict[str, set[str]]) -> None:
    excused = {attack.id for attack in ATTACKS if attack.reason}

    assert sorted(named.keys() - set(IDS)) == []
    assert sorted(named.keys() & excused) == []


def test_every_row_of_a_feature_that_exists_is_shown() -> None:
    """The reasons that are left are features to come, and what no client could refuse."""
    later = [attack.id for attack in ATTACKS if attack.reason.startswith(NOT_YET)]
    excused = [attack.id for attack in ATTACKS if attack.reason and attack.id not in later]
    shown = [attack.id for attack in ATTACKS if not attack.reason]

    print(f"{len(shown)} of {len(ATTACKS)} rows shown, {len(later)} not there yet: {later}")
    assert excused == ["E31", "J20", "J24", "L16", "L17"]
    assert len(shown) >= 300


def test_only_the_docstrings_of_tests_name_rows() -> None:
    source = '"""E01."""\ndef test_a():\n    """E02, F03: x."""\ndef helper():\n    """E04."""\n'

    assert [*named_rows(source)] == [("E02", "test_a"), ("F03", "test_a")]
