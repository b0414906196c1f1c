"""Loads a copy of the library in which named checks check nothing: nothing of it is on the disk."""

import ast
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any, Final

from tests.teeth.checks import CHECKS, Check

_PACKAGES: Final = ("oidc_core", "oidc_adapters")


class NotThere(LookupError):
    """A check names no function of its module."""


def with_emptied(source: str, checks: Iterable[Check]) -> ast.Module:
    """Return the module with these functions emptied.

    Raises:
        NotThere: one of them is not in it.
    """
    tree = ast.parse(source)
    for check in checks:
        function = _found(tree, check.name)
        body = ast.parse(check.emptied).body
        function.body = [*body, *function.body] if check.before else body
    return ast.fix_missing_locations(tree)


def _found(tree: ast.Module, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    nodes: list[ast.stmt] = tree.body
    *classes, last = name.split(".")
    for each in classes:
        inner = [node for node in nodes if isinstance(node, ast.ClassDef) and node.name == each]
        nodes = inner[0].body if inner else []
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == last:
            return node
    raise NotThere(name)


class _Loader(SourceFileLoader):
    """Compiles a module with checks emptied."""

    def __init__(self, loader: SourceFileLoader, checks: tuple[Check, ...]) -> None:
        super().__init__(loader.name, loader.path)
        self._checks = checks

    def get_code(self, fullname: str) -> CodeType:
        """Compile it, past every cache."""
        path = self.get_filename(fullname)
        tree = with_emptied(self.get_data(path).decode("utf-8"), self._checks)
        code: CodeType = compile(tree, path, "exec", dont_inherit=True)
        return code


class Emptying(MetaPathFinder):
    """Finds the modules of some checks, and has them compiled without these checks."""

    def __init__(self, names: Iterable[str]) -> None:
        self._checks: dict[str, tuple[Check, ...]] = {}
        for name in names:
            check = CHECKS[name]
            self._checks[check.module] = (*self._checks.get(check.module, ()), check)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module of the checks; others are found as usual."""
        checks = self._checks.get(fullname)
        if checks is None:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        loader: Any = None if spec is None else spec.loader
        if spec is None or not isinstance(loader, SourceFileLoader):
            raise NotThere(fullname)
        spec.loader = _Loader(loader, checks)
        return spec


def install(names: Iterable[str]) -> None:
    """Have every module of the library loaded without these checks, from now on.

    Raises:
        NotThere: the library is loaded already.
    """
    loaded = [name for name in sys.modules if name.partition(".")[0] in _PACKAGES]
    if loaded:
        raise NotThere(loaded[0])
    sys.meta_path.insert(0, Emptying(names))
