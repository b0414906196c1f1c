"""Rules of the source that a look at the syntax tree can judge.

Each rule takes a module's path and tree and yields what offends, one line each.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Rule = Callable[[ast.Module, str], Iterator[str]]

LONGEST_MODULE: Final = 400
LONGEST_FUNCTION: Final = 40

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def long_modules(_tree: ast.Module, text: str) -> Iterator[str]:
    lines = text.count("\n")
    if lines > LONGEST_MODULE:
        yield f"{lines} lines"


def long_functions(tree: ast.Module, _text: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{node.name} has {lines} lines"


def bare_excepts(tree: ast.Module, _text: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"line {node.lineno}: a bare except"


def asserts(tree: ast.Module, _text: str) -> Iterator[str]:
    """`python -O` removes an assert, and the check with it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield f"line {node.lineno}: an assert is no check"


def dollar_patterns(tree: ast.Module, _text: str) -> Iterator[str]:
    r"""`$` also matches before a final newline: use `fullmatch`, or `\Z`."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        known = node.func.attr in {"compile", "match", "search", "fullmatch"}
        if known and isinstance(node.func.value, ast.Name) and node.func.value.id == "re":
            texts = [
                part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)
            ]
            if any(isinstance(text, str) and _dollar(text) for text in texts):
                yield f"line {node.lineno}: a pattern with $"


def _dollar(pattern: str) -> bool:
    """Tell whether a pattern has a `$` that is neither escaped nor in a set of characters."""
    bare = re.sub(r"\\.", "", pattern, flags=re.DOTALL)
    return "$" in re.sub(r"\[\^?\]?[^\]]*\]", "", bare)


def rebound_globals(tree: ast.Module, _text: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield f"line {node.lineno}: global {', '.join(node.names)}"


def silenced_checks(_tree: ast.Module, text: str) -> Iterator[str]:
    marks = ("# no" + "qa", "# type: " + "ignore", "pragma: " + "no cover", "pyright: " + "ignore")
    for number, line in enumerate(text.splitlines(), 1):
        for mark in marks:
            if mark in line:
                yield f"line {number}: {mark}"


def undocumented(tree: ast.Module, _text: str) -> Iterator[str]:
    """A module, and every public class, function and method in it, has a docstring."""
    if tree.body and not ast.get_docstring(tree):
        yield "the module has no docstring"
    yield from _undocumented_in(tree, "")


def _undocumented_in(owner: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    for node in owner.body:
        if not isinstance(node, Documented) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node) and not _needs_no_words(node):
            yield f"{prefix}{node.name} has no docstring"
        if isinstance(node, ast.ClassDef):
            yield from _undocumented_in(node, f"{node.name}.")


def _needs_no_words(node: Documented) -> bool:
    """Tell overloads, setters, and what overrides a documented name by its decorator."""
    said = {ast.unparse(item).split(".")[-1] for item in node.decorator_list}
    return bool(said & {"overload", "setter", "override"})


def wrong_all(tree: ast.Module, _text: str) -> Iterator[str]:
    """`__all__`, where there is one, names each public name once, in order, and no other."""
    value = _all_of(tree)
    if value is None:
        return
    try:
        named: list[str] = [*ast.literal_eval(value)]
    except ValueError:
        yield "__all__ is not a plain list, which type checkers could read"
        return
    if len(named) != len({*named}):
        yield "__all__ names something twice"
    if named != in_order(named):
        yield "__all__ is not sorted"
    public = {name for name in _defined(tree) if not name.startswith("_")}
    yield from (f"__all__ lacks {name}" for name in sorted(public - {*named}))
    known = public | _imported(tree)
    yield from (f"__all__ names {name}, not defined" for name in sorted({*named} - known))


def in_order(names: list[str]) -> list[str]:
    """Put constants first, then classes, then functions and modules, as ruff's RUF022 does."""

    def place(name: str) -> tuple[int, str]:
        kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
        return kind, name

    return sorted(names, key=place)


def _all_of(tree: ast.Module) -> ast.expr | None:
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        target = node.target if isinstance(node, ast.AnnAssign) else target
        if isinstance(target, ast.Name) and target.id == "__all__":
            return node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    return None


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, Documented):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (item.id for item in node.targets if isinstance(item, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def _imported(tree: ast.Module) -> set[str]:
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))
    return {item.asname or item.name for node in found for item in node.names}


RULES: Final = (
    long_modules,
    long_functions,
    bare_excepts,
    asserts,
    dollar_patterns,
    rebound_globals,
    silenced_checks,
    undocumented,
    wrong_all,
)


@cache
def _parsed(text: str) -> ast.Module:
    """Parse a module once for all rules."""
    return ast.parse(text)


def offences(rule: Rule, src: Path) -> list[str]:
    """Apply one rule to every module under a folder."""
    found: list[str] = []
    for path in sorted(src.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        where = path.relative_to(src)
        found += (f"{where}: {line}" for line in rule(_parsed(text), text))
    return found


def without_mirror(src: Path, tests: Path) -> list[str]:
    """Name the modules that have no separate test module.

    `oidc_core/a/b/c.py` is mirrored by `unit/a/b/test_c.py` or `unit/a/test_b_c.py`, a module of
    the adapters in the same way under `adapters/`. An `__init__.py` that defines nothing needs no
    test.
    """
    found: list[str] = []
    for package, kind in (("oidc_core", "unit"), ("oidc_adapters", "adapters")):
        for path in sorted((src / package).rglob("*.py")):
            parts = [*path.relative_to(src / package).with_suffix("").parts]
            if parts[-1] == "__main__" or (parts[-1] == "__init__" and _defines_nothing(path)):
                continue
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            parts = parts or [package]
            mirrors = [
                tests.joinpath(kind, *parts[:depth], f"test_{'_'.join(parts[depth:])}.py")
                for depth in range(len(parts))
            ]
            if not any(mirror.exists() for mirror in mirrors):
                found.append(str(path.relative_to(src)))
    return found


def _defines_nothing(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return not any(isinstance(node, Documented) for node in tree.body)
