"""The page of needs as tests see it: each need with its tests and its status.

``python -m tests.docs.needs`` writes the table at the head of the page again.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: Final = ROOT / "docs" / "explanation" / "needs.md"
STATUSES: Final = ("answered", "partly", "not yet")
_HEAD, _END = "<!-- needs -->\n", "<!-- end -->"
_FUNCTION: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_NOT_OF_ANCHORS: Final = ".,:'"


@dataclass(frozen=True)
class Need:
    """One section of the page.

    Attributes:
        number: of its heading, as text.
        title: the rest of its heading.
        tests: the ids of its tests.
        status: the word in its last line.
        missing: what the last line says after that word.
    """

    number: str
    title: str
    tests: tuple[str, ...]
    status: str
    missing: str

    @property
    def anchor(self) -> str:
        """The fragment that leads to its heading."""
        head = f"{self.number}. {self.title}".lower()
        return "".join(each for each in head if each not in _NOT_OF_ANCHORS).replace(" ", "-")


def needs(text: str) -> list[Need]:
    """Return the needs of the page's text, in their order."""
    return [_need(section) for section in text.split("\n## ")[1:]]


def _need(section: str) -> Need:
    head, *lines = section.strip().splitlines()
    number, _, title = head.partition(". ")
    tests = [line.split("`")[1] for line in lines if line.startswith("- `tests/")]
    status, _, missing = lines[-1].removeprefix("Status: **").partition("**")
    return Need(number, title, tuple(tests), status, missing.removeprefix(":").strip())


def table(found: list[Need]) -> str:
    """Return the table at the head of the page."""
    counts = Counter(each.status for each in found)
    total = ", ".join(f"{counts[status]} {status}" for status in STATUSES)
    lines = [f"Of {len(found)} needs: {total}.", "", "|  | need | status |", "| --- | --- | --- |"]
    lines += [
        f"| {each.number} | [{each.title}](#{each.anchor}) | {each.status} |" for each in found
    ]
    return "\n".join(lines)


def drawn(text: str) -> str:
    """Return the table that the page's text has."""
    return text.partition(_HEAD)[2].partition(_END)[0].strip()


@cache
def tests_in(path: str) -> frozenset[str]:
    """Return the names of the tests that pytest collects from a file."""
    file = ROOT / path
    if not (file.name.startswith("test_") and file.suffix == ".py" and file.is_file()):
        return frozenset()
    return frozenset(_collected(ast.parse(file.read_text("utf-8")), ""))


def _collected(scope: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    for each in scope.body:
        if isinstance(each, ast.ClassDef) and each.name.startswith("Test"):
            yield from _collected(each, f"{prefix}{each.name}::")
        elif isinstance(each, _FUNCTION) and each.name.startswith("test_"):
            yield prefix + each.name


def lost(need: Need) -> list[str]:
    """Return the ids of its tests that pytest would not find."""
    parts = [(test, *test.partition("::")[::2]) for test in need.tests]
    return [test for test, path, name in parts if name not in tests_in(path)]


if __name__ == "__main__":
    before = PAGE.read_text("utf-8")
    first, _, rest = before.partition(_HEAD)
    kept = rest.partition(_END)[2]
    PAGE.write_text(f"{first}{_HEAD}{table(needs(before))}\n{_END}{kept}", "utf-8")
