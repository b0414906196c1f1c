"""The page with the table: columns played in processes of their own, and what they stand for."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.comparison.columns import COLUMNS, LATENCY
from tests.comparison.scenarios import SCENARIOS, outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.comparison.columns import Column

ROOT: Final = Path(__file__).resolve().parents[2]
TEMPLATE: Final = Path(__file__).parent / "page.md"
PAGE: Final = ROOT / "docs" / "explanation" / "compared-with-authlib.md"
LINES: Final = "Lines of the application"
PACKAGES: Final = ("Authlib", "Flask", "Starlette", "FastAPI", "Django")
LONGEST: Final = 300


def lines_of(path: Path) -> int:
    """Count the lines of a program: neither blank, nor comments, nor docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            node.body = node.body[1:] if ast.get_docstring(node) else node.body
    kept = [node for node in tree.body if "annotations" not in ast.dump(node)[:80]]
    return len([line for node in kept for line in ast.unparse(node).splitlines() if line.strip()])


def played(name: str) -> Mapping[str, str]:
    """Play a column in a process of its own, since a process has one project of Django."""
    command = (sys.executable, "-W", "ignore", "-m", "tests.comparison", "--column", name)
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=LONGEST, check=True
    )
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def column_of(column: Column, names: Iterable[str] = SCENARIOS) -> dict[str, str]:
    """Play a column here, and return the outcome of each scenario."""
    return {LINES: str(lines_of(column.path))} | {name: outcome(column, name) for name in names}


def table(found: Mapping[str, Mapping[str, str]]) -> str:
    """Return the table, one row for each scenario."""
    columns = [COLUMNS[name] for name in found]
    rows = [["Scenario", *[column.title for column in columns]], ["---"] * (len(columns) + 1)]
    rows += [[name, *[found[each][name] for each in found]] for name in (LINES, *SCENARIOS)]
    return "".join([f"| {' | '.join(row)} |\n" for row in rows])


def page(found: Mapping[str, Mapping[str, str]]) -> str:
    """Return the page."""
    return TEMPLATE.read_text("utf-8").format(
        date=datetime.now(tz=UTC).date().isoformat(),
        versions=", ".join([f"{name} {version(name)}" for name in PACKAGES]),
        python=sys.version.split()[0],
        table=table(found),
        latency=LATENCY,
    )
