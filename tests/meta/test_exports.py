"""`from oidc_core import …` is complete, in order, and the same for type checkers."""

from __future__ import annotations

import ast
from typing import Final

import pytest

import oidc_core
from tests.meta.source_rules import in_order
from tests.meta.trees import HERE, SRC

WHILE_TYPING: Final = "TYPE_CHECKING"


def seen_by_type_checkers() -> list[str]:
    """Name what `oidc_core/__init__.py` imports in its `TYPE_CHECKING` block."""
    tree = ast.parse((SRC / "oidc_core" / "__init__.py").read_text("utf-8"))
    blocks = [
        node for node in tree.body if isinstance(node, ast.If) and WHILE_TYPING in ast.dump(node)
    ]
    return sorted(
        name.asname or name.name
        for block in blocks
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    )


def test_the_public_names_are_in_order() -> None:
    assert in_order([*oidc_core.__all__]) == [*oidc_core.__all__]
    assert len({*oidc_core.__all__}) == len(oidc_core.__all__)


def test_type_checkers_see_the_public_names() -> None:
    assert seen_by_type_checkers() == sorted(oidc_core.__all__)


@pytest.mark.parametrize("name", oidc_core.__all__)
def test_a_public_name_is_found(name: str) -> None:
    assert getattr(oidc_core, name) is not None
    assert name in dir(oidc_core)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        oidc_core.__getattr__("no_such_name")


def test_the_package_alone_loads_nothing() -> None:
    done = HERE.python(
        "import sys, oidc_core; print([name for name in sys.modules if name.startswith('oidc_c')])"
    )

    assert done.stdout.strip() == "['oidc_core']"
