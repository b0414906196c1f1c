"""Importing the core needs no module that does I/O, and costs little."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from tests.meta.trees import HERE

if TYPE_CHECKING:
    from tests.meta.trees import Tree

POISON: Final = (
    "socket",
    "ssl",
    "asyncio",
    "subprocess",
    "logging",
    "random",
    "secrets",
    "urllib3",
    "cryptography",
)
PLANTED: Final = "oidc_core.planted"
MOST_CLASSES: Final = 64
HEAVY: Final = ("cattrs", "urllib3", "cryptography")

IMPORT_POISONED: Final = """
import importlib, json, sys
poison, modules = json.loads(sys.argv[1])
for name in [*sys.modules]:
    if name.split(".")[0] in poison:
        del sys.modules[name]
for name in poison:
    sys.modules[name] = None  # any import of it now fails
for name in modules:
    importlib.import_module(name)
"""

WEIGH: Final = """
import importlib, json, sys
module, heavy = json.loads(sys.argv[1])
before = {*sys.modules}
importlib.import_module(module)
loaded = sorted({*sys.modules} - before)
classes = {
    value for name in loaded for value in vars(sys.modules[name]).values()
    if isinstance(value, type) and "__attrs_attrs__" in vars(value)
}
found = [name for name in heavy if name in loaded]
print(json.dumps({"classes": len(classes), "heavy": found, "modules": loaded}))
"""


def poisoned_import(tree: Tree, modules: list[str]) -> str:
    """Import modules with the poison spread; return what went wrong."""
    done = tree.python(IMPORT_POISONED, json.dumps([POISON, modules]))
    return "" if done.returncode == 0 else done.stderr


def weight(tree: Tree, module: str) -> tuple[int, list[str]]:
    """Return how many attrs classes an import builds, and what heavy packages it loads."""
    done = tree.python(WEIGH, json.dumps([module, HEAVY]))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert module in found["modules"]
    return found["classes"], found["heavy"]


def test_importing_the_core_needs_no_world() -> None:
    assert poisoned_import(HERE, HERE.modules()) == ""


@pytest.mark.parametrize("name", POISON)
def test_a_poisoned_import_is_seen(planted: Tree, name: str) -> None:
    planted.plant("src/oidc_core/planted.py", f"import {name}\n")

    assert f"import of {name} halted; None in sys.modules" in poisoned_import(planted, [PLANTED])


def test_importing_login_is_light() -> None:
    classes, heavy = weight(HERE, "oidc_core.operations.login")

    assert classes <= MOST_CLASSES
    assert heavy == []


def test_too_many_classes_are_seen(planted: Tree) -> None:
    many = "import attrs\n" + "".join(
        f"@attrs.frozen\nclass C{number}:\n    x: int\n" for number in range(MOST_CLASSES + 1)
    )
    planted.plant("src/oidc_core/planted.py", many)

    classes, _ = weight(planted, PLANTED)

    assert classes > MOST_CLASSES


def test_a_heavy_package_is_seen(planted: Tree) -> None:
    planted.plant("src/oidc_core/planted.py", "import cattrs\n")

    _, heavy = weight(planted, PLANTED)

    assert heavy == ["cattrs"]
