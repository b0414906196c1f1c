"""Modules as their sources have them: public names, signatures, docstrings."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from reference_text import first_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SRC: Final = Path(__file__).resolve().parent.parent / "src"
WIDTH: Final = 88
SHORT: Final = 40

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A public name: how it is written, its docstring, and its public members."""

    name: str
    signature: str
    docstring: str = ""
    members: tuple[Entry, ...] = ()

    @property
    def summary(self) -> str:
        """The first sentence, or the text in its place."""
        return first_line(self.docstring)


@dataclass(frozen=True, kw_only=True)
class Module:
    """A module, with its public names in the order of the source."""

    name: str
    docstring: str
    entries: tuple[Entry, ...]

    @property
    def summary(self) -> str:
        """The first sentence of its docstring."""
        return first_line(self.docstring)


def path_of(name: str) -> Path:
    """Return the file of a module or package."""
    path = SRC.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def tree_of(name: str) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path_of(name).read_text("utf-8"))


def public_names(package: str) -> dict[str, str]:
    """Return the promised names with their modules, as the package itself looks them up."""
    for node in tree_of(package).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "_NAMES" and node.value:
            named: dict[str, str] = ast.literal_eval(cast("ast.Call", node.value).args[0])
            return {name: home for home, names in named.items() for name in names.split()}
    raise LookupError("_NAMES")


def module_of(name: str) -> Module:
    """Read a module; a package promises what its `__all__` names, wherever that is defined."""
    tree = tree_of(name)
    listed = _listed(tree)
    entries = _gathered(tree, listed) if listed else [*_entries(tree)]
    return Module(name=name, docstring=ast.get_docstring(tree) or "", entries=tuple(entries))


def _listed(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return []


def _gathered(tree: ast.Module, listed: Sequence[str]) -> list[Entry]:
    """Return the entries of a package's names, out of the modules they are imported from."""
    homes = {
        alias.asname or alias.name: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    entries: list[Entry] = [*_entries(tree)]
    for home in dict.fromkeys(homes[name] for name in listed if name in homes):
        entries += module_of(home).entries
    return [entry for entry in entries if entry.name in listed]


def _entries(tree: ast.Module) -> Iterator[Entry]:
    following = [*tree.body, ast.Pass()][1:]
    for node, after in zip(tree.body, following, strict=True):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield _class(node)
        elif isinstance(node, Function) and not node.name.startswith("_"):
            if "overload" not in map(ast.unparse, node.decorator_list):
                yield _function(node)
        elif isinstance(node, ast.AnnAssign):
            name = ast.unparse(node.target)
            if not name.startswith("_"):
                yield Entry(name=name, signature=_constant(node), docstring=_said(after))


def _said(node: ast.stmt) -> str:
    """Return the docstring of a constant: the string that follows it."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        value = node.value.value
        return cleandoc(value) if isinstance(value, str) else ""
    return ""


def _constant(node: ast.AnnAssign) -> str:
    name, kind = ast.unparse(node.target), ast.unparse(node.annotation)
    value = "" if node.value is None else ast.unparse(node.value)
    limit = WIDTH if kind == "TypeAlias" else SHORT
    return f"{name}: {kind}" + (f" = {value}" if value and len(value) <= limit else "")


def _class(node: ast.ClassDef) -> Entry:
    bases = [ast.unparse(base) for base in node.bases]
    members = tuple(
        _member(item)
        for item in node.body
        if isinstance(item, Function) and not item.name.startswith("_")
    )
    return Entry(
        name=node.name,
        signature=_wrapped(f"class {node.name}" + (f"({', '.join(bases)})" if bases else ""), node),
        docstring=ast.get_docstring(node) or "",
        members=members,
    )


def _wrapped(head: str, node: ast.ClassDef) -> str:
    """Return a class with its parts: its fields, or the arguments of its constructor."""
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            return f"{head}\n" + _signature(item, name=node.name)
    fields = [
        f"    {ast.unparse(item.target)}: {ast.unparse(item.annotation)}{_default(item.value)}"
        for item in node.body
        if isinstance(item, ast.AnnAssign)
        and not ast.unparse(item.target).startswith("_")
        and "ClassVar" not in ast.unparse(item.annotation)
        and not _is_derived(item.value)
    ]
    return "\n".join([head, *fields])


def _field_arguments(value: ast.expr | None) -> dict[str, str]:
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "field":
        return {word.arg or "": ast.unparse(word.value) for word in value.keywords}
    return {}


def _is_derived(value: ast.expr | None) -> bool:
    return _field_arguments(value).get("init") == "False"


def _default(value: ast.expr | None) -> str:
    if value is None:
        return ""
    if not (isinstance(value, ast.Call) and ast.unparse(value.func) == "field"):
        return f" = {ast.unparse(value)}"
    named = _field_arguments(value)
    if "factory" in named or "Factory" in named.get("default", ""):
        return " = …"
    return f" = {named['default']}" if "default" in named else ""


def _member(node: Function) -> Entry:
    decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
    if decorators & {"property", "cached_property"}:
        kind = "" if node.returns is None else f": {ast.unparse(node.returns)}"
        return Entry(
            name=node.name,
            signature=f"{node.name}{kind}",
            docstring=ast.get_docstring(node) or "",
        )
    return _function(node)


def _function(node: Function) -> Entry:
    docstring = ast.get_docstring(node) or ""
    return Entry(name=node.name, signature=_signature(node), docstring=docstring)


def _signature(node: Function, name: str = "") -> str:
    """Return a signature on one line, or with one line for each argument."""
    prefix = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    arrow = "" if node.returns is None or name else f" -> {ast.unparse(node.returns)}"
    arguments = [item for item in _arguments(node.args) if item not in {"self", "cls"}]
    head = f"{prefix}{name or node.name}"
    line = f"{head}({', '.join(arguments)}){arrow}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{head}(", *(f"    {item}," for item in arguments), f"){arrow}"])


def _arguments(args: ast.arguments) -> list[str]:
    plain = [*args.posonlyargs, *args.args]
    defaults = [None] * (len(plain) - len(args.defaults)) + [*args.defaults]
    found = [_argument(arg, value) for arg, value in zip(plain, defaults, strict=True)]
    if args.posonlyargs:
        found.insert(len(args.posonlyargs), "/")
    if args.vararg:
        found.append(f"*{_argument(args.vararg, None)}")
    elif args.kwonlyargs:
        found.append("*")
    found += [
        _argument(arg, value) for arg, value in zip(args.kwonlyargs, args.kw_defaults, strict=True)
    ]
    return [*found, f"**{_argument(args.kwarg, None)}"] if args.kwarg else found


def _argument(arg: ast.arg, default: ast.expr | None) -> str:
    kind = "" if arg.annotation is None else f": {ast.unparse(arg.annotation)}"
    value = "" if default is None else f" = {ast.unparse(default)}"
    return f"{arg.arg}{kind}{value}"
