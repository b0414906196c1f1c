"""The layers of a package: their order from the contract of import-linter, the arrows from imports.

An arrow is left out where others lead the same way. It has two heads between siblings that import
from each other.
"""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grimp

from reference_text import inline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent


def picture(package: str) -> str:
    """Return the layers of a package for Mermaid, highest first."""
    layers = layers_of(package)
    names = [name for row in layers for name in row]
    order = ", ".join(names)
    lines = [
        "flowchart TD",
        f"    accTitle: The layers of {package}",
        f"    accDescr: From the highest to the lowest: {order}. Arrows lead only downwards.",
        *[f"    {above} {arrow} {below}" for above, arrow, below in _arrows(package, names)],
    ]
    return "\n".join(lines) + "\n"


def names_of(package: str) -> str:
    """Return the list of the layers, highest first, with their summaries."""
    names = [name for row in layers_of(package) for name in row]
    return "".join(f"- `{name}`: {summary_of(package, name)}\n" for name in names)


def layers_of(package: str) -> list[list[str]]:
    """Return the layers that the contract of a package names; those in one list are siblings."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts: list[dict[str, Any]] = table["tool"]["importlinter"]["contracts"]
    (rows,) = [each["layers"] for each in contracts if each.get("containers") == [package]]
    return [[name.strip(" ()") for name in row.replace(":", "|").split("|")] for row in rows]


def summary_of(package: str, layer: str) -> str:
    """Return the first sentence of a layer's docstring."""
    path = ROOT / "src" / package / layer
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    said = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return inline(said.partition("\n\n")[0])


def imports_of(package: str, layers: Iterable[str]) -> dict[str, set[str]]:
    """Return the layers that each layer imports from."""
    graph = grimp.build_graph(package, include_external_packages=False, cache_dir=None)
    known, found = {*layers}, defaultdict[str, set[str]](set)
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            above, below = ((*name.split("."), "")[1] for name in (module, imported))
            if above != below and {above, below} <= known:
                found[above].add(below)
    return {layer: found[layer] for layer in layers}


def _arrows(package: str, names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield the arrows of a picture, each with its shape."""
    found, rank = imports_of(package, names), {name: at for at, name in enumerate(names)}
    down = {a: {b for b in targets if rank[b] > rank[a]} for a, targets in found.items()}
    for above, below in shortest(down):
        yield above, "<-->" if above in found[below] else "-->", below


def shortest(arrows: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """Leave out each arrow whose end can be reached by others; none of them goes in circles."""

    def reached(start: str) -> set[str]:
        nearer = arrows.get(start, set[str]())
        return nearer.union(*[reached(each) for each in nearer])

    return [
        (above, below)
        for above, targets in arrows.items()
        for below in sorted(targets)
        if not any(below in reached(other) for other in targets)
    ]
