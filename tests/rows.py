"""Misbehaviours as parameters of tests.

Rows with the same code at the same endpoint differ in what the provider says, which one test judges
for all of them.  Tests of what happens after a refusal take the first of them, and the others only
in the full run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from oidc_adapters.testing import MISBEHAVIOURS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _pytest.mark import ParameterSet

    from oidc_adapters.testing import Misbehaviour


def _first() -> frozenset[str]:
    seen: dict[tuple[str, ...], str] = {}
    for row in MISBEHAVIOURS.values():
        seen.setdefault((row.endpoint, row.during, row.code, row.needs), row.name)
    return frozenset(seen.values())


FIRST: Final = _first()
"""The names of rows, one for each code at each endpoint."""


def parameters(rows: Iterable[Misbehaviour], *more: Any) -> list[ParameterSet]:
    """Return rows as parameters by their names, those that are not the first as slow tests."""
    return [
        pytest.param(
            row, *more, id=row.name, marks=() if row.name in FIRST else (pytest.mark.slow,)
        )
        for row in rows
    ]
