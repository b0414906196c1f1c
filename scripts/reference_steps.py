"""The diagram of an operation's steps, derived from its classes and functions.

A class that waits (`Exchange`, `NeedKeys`) or is verified (`Verification`) leads to the values that
its methods build: another class that waits, or `Done`. A value that a helper builds counts as built
by its caller. A module takes what another of the operations defines for its own: the steps after
the tokens are drawn with a login.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

from reference_sources import Function, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

OPERATIONS: Final = "oidc_core.operations."
SHAPES: Final = {"Exchange": "[{}]", "NeedKeys": "[{}]", "Verification": "[/{}/]"}
_END: Final = re.compile(r'"Done: (\w+)"')
Targets: TypeAlias = dict[str, tuple[str, ...]]


def diagram(module: str) -> str:
    """Return the diagram of a module's operations, for Mermaid."""
    tree = tree_of(module)
    body = [*tree.body, *_continued(tree)]
    waiting = _waiting(body)
    local = {node.name: node for node in body if isinstance(node, Function)}
    lines = list[str]()
    for name, kind in waiting.items():
        label = f'"AwaitingKeys: {name}"' if kind == "Verification" else name
        lines.append(f"    {name}{SHAPES[kind].format(label)}\n")
    for node in tree.body:
        result = _result(node) if isinstance(node, Function) else ""
        if isinstance(node, Function) and result and not node.name.startswith("_"):
            lines.append(f"    {node.name}([{node.name}])\n")
            lines += _arrows(node.name, node, result, waiting, local)
    for each in body:
        if isinstance(each, ast.ClassDef) and each.name in waiting:
            lines += _of_class(each, waiting, local)
    return "".join(["flowchart TD\n", *_words(module, waiting, lines), *dict.fromkeys(lines)])


def _words(module: str, waiting: Mapping[str, str], lines: Sequence[str]) -> Iterator[str]:
    """Yield the title of a diagram and what it shows, for people who do not see it."""
    operation = module.removeprefix(OPERATIONS)
    begins = [line.partition("(")[0].strip() for line in lines if "([" in line]
    ends = sorted({found[1] for line in lines if (found := _END.search(line))})
    told = {"begins with": begins, "waits in": waiting, "ends with": ends}
    said = "; ".join(f"{verb} {', '.join(names)}" for verb, names in told.items() if names)
    yield f"    accTitle: The steps of {operation}\n"
    yield f"    accDescr: The operation {said}.\n"


def _continued(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the definitions of the modules with which the operation goes on."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(OPERATIONS):
            yield from tree_of(node.module or "").body


def _waiting(body: Sequence[ast.stmt]) -> Mapping[str, str]:
    """Name the classes that wait, each with its kind of wait."""
    found: dict[str, str] = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                kind = ast.unparse(base).partition("[")[0]
                if kind in SHAPES:
                    found[node.name] = kind
    return found


def _of_class(
    node: ast.ClassDef, waiting: Mapping[str, str], local: Mapping[str, Function]
) -> Iterator[str]:
    for method in node.body:
        result = _result(method) if isinstance(method, Function) else ""
        if isinstance(method, Function) and result:
            yield from _arrows(node.name, method, result, waiting, local, label=method.name)
    if waiting[node.name] == "Verification" and _asks_again():
        yield f"    {node.name} -->|a fresh set, once| {node.name}\n"


@cache
def _asks_again() -> bool:
    """Look whether waiting for keys may lead to waiting for keys: a rotation was not seen yet."""
    return any(
        isinstance(node, Function) and (ast.unparse(node.returns or node)).startswith("'Awaiting")
        for outer in tree_of("oidc_core.machine.verification").body
        if isinstance(outer, ast.ClassDef) and outer.name == "AwaitingKeys"
        for node in outer.body
    )


def _arrows(
    source: str,
    node: Function,
    result: str,
    waiting: Mapping[str, str],
    local: Mapping[str, Function],
    *,
    label: str = "",
) -> Iterator[str]:
    for target in dict.fromkeys(_built(node, waiting, local, frozenset())):
        end = f'Done_{result}(("Done: {result}"))' if target == "Done" else target
        yield f"    {source} -->" + (f"|{label}|" if label else "") + f" {end}\n"


def _built(
    node: Function,
    waiting: Mapping[str, str],
    local: Mapping[str, Function],
    seen: frozenset[str],
) -> Iterator[str]:
    """Name the steps that a function builds, itself or through helpers that return steps."""
    for name in _named(node):
        if name == "Done" or name in waiting:
            yield name
        elif name in local and name not in seen and _leads_on(local[name], waiting):
            yield from _built(local[name], waiting, local, seen | {name})


def _named(node: Function) -> Iterator[str]:
    """Name the functions and classes that a function calls, or one of which it chooses to call."""
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Name(id=name)):
                yield name
            case ast.IfExp(body=ast.Name(id=one), orelse=ast.Name(id=other)):
                yield from (one, other)
            case _:
                pass


def _leads_on(node: Function, waiting: Mapping[str, str]) -> bool:
    """Return whether a function returns a step, named as such or by its class."""
    kind = "" if node.returns is None else ast.unparse(node.returns).strip("'\"")
    return kind in waiting or bool(_result(node))


def _result(node: Function) -> str:
    """Return the result of the operation, if this returns a step."""
    kind = "" if node.returns is None else ast.unparse(node.returns).strip("'\"")
    return kind.removeprefix("Step[").removesuffix("]") if kind.startswith("Step[") else ""
