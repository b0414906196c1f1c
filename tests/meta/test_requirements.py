"""The register of requirements is well formed, and agrees with the tests' marks."""

from __future__ import annotations

import csv
import importlib.machinery
import importlib.util
import io
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.meta.trees import HERE, ROOT
from tests.requirement_marks import STATUSES, register, unknown_ids

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import ModuleType

MARKED = """
import pytest

@pytest.mark.req({id!r})
def test_something():
    assert 1 + 1 == 2
"""


def untested(rows: tuple[Mapping[str, str], ...]) -> list[str]:
    """Name the rows that say `done` and have no test that exists."""
    return [
        row["id"]
        for row in rows
        if row["status"] == "done"
        and not (row["tests"] and all(_exists(test) for test in row["tests"].split("; ")))
    ]


def _exists(test: str) -> bool:
    path, *names = test.split("::")
    source = ROOT / path
    return source.is_file() and all(name in source.read_text("utf-8") for name in names)


def test_the_register_is_well_formed() -> None:
    twice = [name for name, count in Counter(row["id"] for row in register()).items() if count > 1]

    assert twice == []
    assert {row["status"] for row in register()} <= {*STATUSES}


def test_what_is_done_has_a_test() -> None:
    assert untested(register()) == []


@pytest.mark.parametrize("tests", ["", "tests/meta/test_none.py::test_x", f"{__name__}::test_none"])
def test_what_is_done_without_a_test_is_seen(tests: str) -> None:
    rows = ({"id": "X-1", "status": "done", "tests": tests},)

    assert untested(rows) == ["X-1"]


def test_an_unknown_id_is_seen() -> None:
    known = register()[0]["id"]

    assert unknown_ids([known, "NO-SUCH-1"]) == ["NO-SUCH-1"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "status"), [("OIDCC-2-01", 0), ("NO-SUCH-1", 4)])
def test_an_unknown_mark_stops_the_run(tmp_path: Path, name: str, status: int) -> None:
    marked = tmp_path / "test_marked.py"
    marked.write_text(MARKED.format(id=name), encoding="utf-8")

    done = HERE.run(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("-c", str(ROOT / "pyproject.toml"), f"--rootdir={ROOT}", "-p", "tests.conftest"),
        str(marked),
    )

    assert done.returncode == status, done.stdout + done.stderr
    assert (name in done.stdout + done.stderr) == bool(status)


def test_the_columns_follow_the_marks() -> None:
    before = io.StringIO()
    writer = csv.writer(before, lineterminator="\n")
    statuses = ("planned", "done", "n/a", "policy-option")
    writer.writerow(["id", "status", "tests"])
    writer.writerows([name, status, "old"] for name, status in zip("ABCD", statuses, strict=True))

    after = _script().renewed(before.getvalue(), {"A": ["a::x", "b::y"], "D": ["d::z"]})

    assert list(csv.reader(io.StringIO(after)))[1:] == [
        ["A", "done", "a::x; b::y"],
        ["B", "planned", ""],
        ["C", "n/a", ""],
        ["D", "policy-option", "d::z"],
    ]


@pytest.mark.slow
def test_the_register_is_up_to_date() -> None:
    done = HERE.run(sys.executable, "scripts/requirements", "--check")

    assert done.returncode == 0, done.stdout + done.stderr


def _script() -> ModuleType:
    path = str(ROOT / "scripts" / "requirements")
    loader = importlib.machinery.SourceFileLoader("requirements_script", path)
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
