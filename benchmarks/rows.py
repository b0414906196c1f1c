"""The rows of the table: a name, what was measured, what it should be."""

import json
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from benchmarks.count import Count
from benchmarks.rounds import Spread

COUNTED_ON: Final = (3, 11)
"""The version of CPython whose bytecodes the targets are counted in."""

TARGETS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "validate_rs256_bytecodes": 1_628,
        "validate_rs256_calls": 67,
        "login_bytecodes": 7_247,
        "keyset_64_vs_1": 1.05,
        "unknown_kid_us": 10,
        "oversize_refusal_us": 10,
        "assertion_es256": 1.25,
        "dpop_es256": 1.4,
        "jwe_rsa_oaep_256": 1.1,
        "jwe_ecdh_es_a128kw": 1.35,
        "jwe_dir": 1.8,
        "import_core_classes": 63,
        "import_client_bytecodes": 2_580_000,
        "transport_over_urlopen": 1.15,
        "pending_cookie_bytes": 110,
        "pending_memory_bytes": 500,
        "spent_memory_bytes": 160,
        "fresh_us": 0.5,
        "fresh_async_us": 1.0,
        "web_flask_login": 0.5,
        "web_fastapi_login": 0.5,
        "web_import_flask": 1.0,
        "web_import_fastapi": 1.0,
        "web_import_django": 1.0,
    }
)
"""At most so much: the ratio where a row has one, otherwise the value.

Counts of bytecodes only ever fall (decision 0030).  The one of the import has a margin:
it counts the standard library and the packages that are installed, too.
"""


class Row(NamedTuple):
    """One line.

    Attributes:
        name: what was measured.
        value: the measured value, in ``unit``.
        unit: of the value.
        ratio: how many times the floor that is, where there is a floor.
        low, high: the quartiles of the ratio, or of the value where there is no ratio.
        target: what it may be at most, if anything was promised.
        exact: whether no noise can move it, so that a gate can rely on it.
    """

    name: str
    value: float
    unit: str
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    target: float | None = None
    exact: bool = False

    @property
    def ok(self) -> bool:
        """Whether the target is met; a row without a target counts as met."""
        found = self.value if self.ratio is None else self.ratio
        return self.target is None or found <= self.target


def ratio_row(name: str, cost: Spread, ratio: Spread) -> Row:
    """Return a row of microseconds that is judged by its ratio to a floor."""
    return Row(
        name=name,
        value=cost.median,
        unit="µs",
        ratio=ratio.median,
        low=ratio.low,
        high=ratio.high,
        target=TARGETS.get(name),
    )


def value_row(name: str, value: Spread, unit: str) -> Row:
    """Return a row that is judged by its value."""
    target = TARGETS.get(name)
    return Row(name, value.median, unit, low=value.low, high=value.high, target=target)


def exact_row(name: str, value: int, unit: str) -> Row:
    """Return a row that comes out the same each time."""
    return Row(name, value, unit, target=TARGETS.get(name), exact=True)


def count_rows(count: Count, *, bytecodes: str, calls: str | None = None) -> tuple[Row, ...]:
    """Return the rows of a count; other versions of CPython have other bytecodes, and no target."""
    rows = [Row(bytecodes, count.bytecodes, "bytecodes")]
    if calls is not None:
        rows.append(Row(calls, count.calls, "calls"))
    if sys.version_info[:2] != COUNTED_ON:
        return tuple(rows)
    return tuple([row._replace(target=TARGETS.get(row.name), exact=True) for row in rows])


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text."""
    cells = [("name", "value", "unit", "ratio", "quartiles", "target", "")]
    cells += [
        (
            row.name,
            _number(row.value),
            row.unit,
            "" if row.ratio is None else f"{row.ratio:.2f}",
            "" if row.low is None or row.high is None else _range(row.low, row.high),
            "" if row.target is None else f"≤ {_number(row.target)}",
            "" if row.target is None else "ok" if row.ok else "MISSED",
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            [
                cell.ljust(width) if at in {0, 2, 6} else cell.rjust(width)
                for at, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
        ).rstrip()
        for line in cells
    ]
    return "\n".join(lines)


def _range(low: float, high: float) -> str:
    return f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    if value == int(value) and value >= 10:
        return f"{int(value):,}"
    return f"{value:,.1f}" if value >= 10 else f"{value:.2f}"


def rendered_json(rows: Sequence[Row]) -> str:
    """Return the rows as a JSON array, one object each."""
    objects = [
        {
            "name": row.name,
            "value": round(row.value, 4),
            "unit": row.unit,
            "ratio": None if row.ratio is None else round(row.ratio, 4),
            "target": row.target,
            "ok": row.ok,
        }
        for row in rows
    ]
    return json.dumps(objects, indent=1, ensure_ascii=False) + "\n"
