"""Tie tests to the register of requirements, `tests/requirements.csv`, by `@pytest.mark.req`.

A mark with an id that the register does not know is an error of collection.
`--req-report FILE` writes which tests prove which requirement; `scripts/requirements` reads it.
"""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

REGISTER: Final = Path(__file__).with_name("requirements.csv")
STATUSES: Final = ("planned", "done", "n/a", "policy-option")


@cache
def register() -> tuple[dict[str, str], ...]:
    """Read the rows of the register."""
    with REGISTER.open(encoding="utf-8", newline="") as opened:
        return tuple(csv.DictReader(opened))


def unknown_ids(ids: Iterable[str]) -> list[str]:
    """Return those ids that the register does not have."""
    known = {row["id"] for row in register()}
    return sorted({*ids} - known)


class RequirementMarks:
    """The pytest plugin: checks the marks at collection, and reports them when asked."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        proofs: dict[str, set[str]] = {}
        for item in items:
            for mark in item.iter_markers("req"):
                for requirement in mark.args:
                    proofs.setdefault(requirement, set()).add(item.nodeid.split("[")[0])
        unknown = unknown_ids(proofs)
        if unknown:
            places = [f"{name} in {min(proofs[name])}" for name in unknown]
            raise pytest.UsageError(f"unknown requirements: {'; '.join(places)}")
        target: str | None = config.getoption("--req-report")
        if target:
            found = {name: sorted(tests) for name, tests in sorted(proofs.items())}
            Path(target).write_text(json.dumps(found, indent=1), encoding="utf-8")
