"""The table of names that changed leads from a name that is gone to one that is there."""

from __future__ import annotations

import csv
from typing import Final

import pytest

import reference_sources
from oidc_core.wire.codes import CODES
from tests.docs.pages import ROOT

TABLE: Final = ROOT / "docs" / "decisions" / "0014-names.csv"


def renamed(kind: str) -> list[tuple[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as opened:
        return [(row["old"], row["new"]) for row in csv.DictReader(opened) if row["kind"] == kind]


@pytest.mark.parametrize(("old", "new"), renamed("code"))
def test_an_old_code_is_gone_or_kept_for_a_part_and_its_new_name_is_a_code(
    old: str, new: str
) -> None:
    """A code that said several things has a row for each; the last is the usual case."""
    assert old not in CODES or (old, old) in renamed("code")
    assert new in CODES


@pytest.mark.parametrize(("old", "new"), renamed("module"))
def test_an_old_module_is_gone_and_its_new_name_is_a_module(old: str, new: str) -> None:
    assert not reference_sources.path_of(old).exists()
    assert all(reference_sources.path_of(name).exists() for name in new.split("; "))
