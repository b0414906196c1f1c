"""Each MUST that a provider can break has a misbehaviour, or what is odd but legal about it.

`must_rows.csv` has the requirements of level MUST and MUST NOT that `tests/requirements.csv` calls
done, each with rows, or with the reason why no provider can break it.  What is planned there is not
there yet.
"""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from oidc_adapters.testing import MISBEHAVIOURS, ODD_BUT_LEGAL
from tests.meta.trees import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN: Final = "what the client itself does, keeps or sends: no message of a provider breaks it"
VECTORS: Final = "computed by both sides alike: known vectors show it"


def _table(path: str) -> tuple[Mapping[str, str], ...]:
    with (ROOT / path).open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


TABLE: Final = _table("tests/spec/must_rows.csv")
DONE: Final = tuple(
    [
        row["id"]
        for row in _table("tests/requirements.csv")
        if row["status"] == "done" and row["level"] in {"MUST", "MUST NOT"}
    ]
)


def test_every_must_that_is_done_is_there_once() -> None:
    assert tuple([row["id"] for row in TABLE]) == DONE


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["id"])
def test_it_has_rows_or_a_reason(row: Mapping[str, str]) -> None:
    names = row["rows"].split()

    assert bool(names) != bool(row["reason"])
    assert set(names) <= MISBEHAVIOURS.keys() | ODD_BUT_LEGAL.keys()


def test_the_counts() -> None:
    kinds = Counter("rows" if row["rows"] else row["reason"] for row in TABLE)
    print(f"{kinds['rows']} of {len(TABLE)} with rows, {kinds[OWN]} the client's own duty")

    assert kinds["rows"] >= 160
    assert sum(kinds.values()) - kinds["rows"] - kinds[OWN] - kinds[VECTORS] == 3
