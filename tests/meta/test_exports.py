"""The promise of the roots: complete, in order, and the same for type checkers."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Final

import pytest

import oidc_adapters
import oidc_core
from tests.meta.source_rules import in_order
from tests.meta.trees import HERE, SRC

if TYPE_CHECKING:
    from collections.abc import Mapping

WHILE_TYPING: Final = "TYPE_CHECKING"
PACKAGES: Final[tuple[Any, ...]] = (oidc_core, oidc_adapters)
ROOTS: Final = pytest.mark.parametrize("root", PACKAGES, ids=lambda root: root.__name__)
NAMES: Final = [
    pytest.param(root, name, id=f"{root.__name__}.{name}")
    for root in PACKAGES
    for name in root.__all__
]


def seen_by_type_checkers(root: str) -> Mapping[str, str]:
    """Return what a root imports in its `TYPE_CHECKING` block, each name with its module."""
    tree = ast.parse((SRC / root / "__init__.py").read_text("utf-8"))
    blocks = [
        node for node in tree.body if isinstance(node, ast.If) and WHILE_TYPING in ast.dump(node)
    ]
    return {
        alias.asname or alias.name: node.module or ""
        for block in blocks
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@ROOTS
def test_the_public_names_are_in_order(root: Any) -> None:
    assert in_order([*root.__all__]) == [*root.__all__]
    assert len({*root.__all__}) == len(root.__all__)


@ROOTS
def test_type_checkers_see_the_public_names_where_they_are_found(root: Any) -> None:
    homes = {
        name: home.removesuffix(f".{name}") if home.endswith(f".{name}") else home
        for name, home in root._HOME.items()
    }

    assert seen_by_type_checkers(root.__name__) == homes
    assert {*homes} == {*root.__all__}


@pytest.mark.parametrize(("root", "name"), NAMES)
def test_a_public_name_is_found(root: Any, name: str) -> None:
    assert getattr(root, name) is not None
    assert name in dir(root)


def test_a_name_of_both_roots_is_one_thing() -> None:
    both = {*oidc_core.__all__} & {*oidc_adapters.__all__}

    assert "OidcError" in both
    assert [n for n in both if getattr(oidc_core, n) is not getattr(oidc_adapters, n)] == []


@ROOTS
def test_an_unknown_name_is_an_attribute_error(root: Any) -> None:
    with pytest.raises(AttributeError, match=f"'{root.__name__}' has no attribute 'no_such_name'"):
        root.__getattr__("no_such_name")


@ROOTS
def test_the_package_alone_loads_nothing(root: Any) -> None:
    done = HERE.python(
        f"import sys, {root.__name__};"
        "print([name for name in sys.modules if name.startswith('oidc_')])"
    )

    assert done.stdout.strip() == f"['{root.__name__}']"
