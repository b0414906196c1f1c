"""Mutations of the code that mutmut leaves alone: tables, defaults, decorated functions.

mutmut changes what is in functions, one at a time, in a process in which the modules are imported
already. That leaves out all code that runs while a module is imported, and every function with a
decorator. Here is the same for those, on the syntax tree: each mutant is one change to the module.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
LONGEST: Final = 160
"""How many characters of code name a mutant."""


@dataclass(frozen=True)
class Mutant:
    """One change: its place, the old text, the new text, and the whole module with it."""

    module: str
    function: str
    before: str
    after: str
    source: str = field(default="", compare=False, repr=False)


def mutants(module: str, source: str, also: frozenset[str]) -> Iterator[Mutant]:
    """Yield every mutant of a module's code outside of plain functions.

    Args:
        module: its name.
        source: its text.
        also: plain functions that run while the module is imported.
    """
    tree = ast.parse(source)
    for owner, statement in _statements(tree, "", also):
        for node, change in _changes(statement):
            place = _place(statement, node)
            before = _named(place)
            undo = change()
            after, text = _named(place), ast.unparse(tree)
            undo()
            yield Mutant(module, owner, before, after, text)


def _named(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:LONGEST]


def _statements(
    tree: ast.Module | ast.ClassDef, owner: str, also: frozenset[str]
) -> Iterator[tuple[str, ast.stmt]]:
    for statement in tree.body:
        match statement:
            case ast.ClassDef():
                yield from _statements(statement, f"{owner}{statement.name}.", also)
            case ast.FunctionDef():
                if statement.decorator_list or statement.name in also:
                    for inner in statement.body:
                        if not _is_docstring(inner):
                            yield f"{owner}{statement.name}", inner
            case ast.Assign() | ast.AnnAssign():
                yield owner.rstrip("."), statement
            case _:  # imports and docstrings
                pass


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


_Change = tuple[ast.AST, "Callable[[], Callable[[], None]]"]


def _changes(statement: ast.stmt) -> Iterator[_Change]:
    """Yield the node of each change with a function that makes it and returns its undo."""
    if isinstance(statement, ast.AnnAssign) and _is_type(statement.annotation):
        return  # TypeAlias: no part of it runs
    for node in _running(statement):
        yield from _of_expression(node)
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Return)) and node.value is not None:
            nothing = isinstance(node.value, ast.Constant) and node.value.value is None
            yield node, _setting(node, "value", ast.Constant("" if nothing else None))
        if isinstance(node, ast.Call):
            yield from _of_call(node)


def _is_type(annotation: ast.expr) -> bool:
    return isinstance(annotation, ast.Name) and annotation.id == "TypeAlias"


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Walk through what runs: annotations do not."""
    yield node
    idle = (getattr(node, "annotation", None), getattr(node, "returns", None))
    for child in ast.iter_child_nodes(node):
        if child not in idle:
            yield from _running(child)


def _of_expression(node: ast.AST) -> Iterator[_Change]:
    match node:
        case ast.Constant():
            for value in _other_values(node.value):
                yield node, _setting(node, "value", value)
        case ast.Compare():
            yield node, _setting(node, "ops", [COMPARISONS[type(node.ops[0])](), *node.ops[1:]])
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield node, _setting(node, "op", other)
        case ast.BinOp() if type(node.op) in ARITHMETIC:
            yield node, _setting(node, "op", ARITHMETIC[type(node.op)]())
        case ast.UnaryOp():
            yield node, _setting(node, "op", ast.UAdd())
        case ast.IfExp() | ast.If():
            for truth in (False, True):
                yield node, _setting(node, "test", ast.Constant(truth))
        case ast.comprehension() if node.ifs:
            yield node, _setting(node, "ifs", node.ifs[1:])
        case _:
            pass


def _other_values(value: object) -> list[object]:
    match value:
        case bool():
            return [not value]
        case int():
            return [value + 1]
        case str():
            return [text for text in (f"XX{value}XX", value.swapcase()) if text != value]
        case bytes():
            return [b"XX" + value]
        case _:
            return []


def _of_call(call: ast.Call) -> Iterator[_Change]:
    for index, argument in enumerate(call.args):
        without = call.args[:index] + call.args[index + 1 :]
        if len(call.args) + len(call.keywords) > 1:
            yield call, _setting(call, "args", without)
        if not isinstance(argument, (ast.Constant, ast.Starred)):
            none = [*call.args[:index], ast.Constant(None), *call.args[index + 1 :]]
            yield call, _setting(call, "args", none)
    for index in range(len(call.keywords)):
        fewer = call.keywords[:index] + call.keywords[index + 1 :]
        yield call, _setting(call, "keywords", fewer)


def _setting(node: ast.AST, name: str, value: object) -> Callable[[], Callable[[], None]]:
    old = getattr(node, name)

    def change() -> Callable[[], None]:
        setattr(node, name, value)
        return lambda: setattr(node, name, old)

    return change


def _place(statement: ast.stmt, node: ast.AST) -> ast.AST:
    """Return the largest part of the statement around a node that is short enough to be named."""
    around: list[ast.AST] = [statement]
    while around[-1] is not node:
        child = next(
            (child for child in ast.iter_child_nodes(around[-1]) if _contains(child, node)), node
        )
        around.append(child)
    named = (part for part in around if isinstance(part, (ast.expr, ast.stmt, ast.comprehension)))
    return next((part for part in named if len(ast.unparse(part)) <= LONGEST), node)


def _contains(tree: ast.AST, node: ast.AST) -> bool:
    return any(part is node for part in ast.walk(tree))
