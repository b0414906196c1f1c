"""Every attrs class of the core is frozen and slotted, and no module holds mutable state.

A separate process scans the core, so that a planted copy can be scanned by the same code.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from tests.meta.trees import HERE

if TYPE_CHECKING:
    from tests.meta.trees import Tree

SCAN: Final = r"""
import collections, importlib, inspect, json, re, sys
from collections.abc import MutableMapping, MutableSequence, MutableSet
import attrs

MUTABLE = (MutableMapping, MutableSequence, MutableSet, bytearray)
offences = []

def classes(owner, module):
    for value in list(vars(owner).values()):
        if isinstance(value, type) and value.__module__ == module.__name__ and value is not owner:
            yield value
            yield from classes(value, module)

def thaws(kind):
    name = next((field.name for field in attrs.fields(kind)), "anything")
    try:
        kind.__setattr__(kind.__new__(kind), name, 1)
    except attrs.exceptions.FrozenInstanceError:
        return False
    except Exception:
        return True
    return True

def table(module, name):
    kind = str(inspect.get_annotations(module).get(name, ""))
    return bool(re.search(r"\bFinal\[.*\bMapping\[", kind))

for name in json.loads(sys.argv[1]):
    module = importlib.import_module(name)
    for kind in classes(module, module):
        if "__attrs_attrs__" not in vars(kind):
            continue
        if "__slots__" not in vars(kind):
            offences.append(f"{name}.{kind.__qualname__} is not slotted")
        if thaws(kind):
            offences.append(f"{name}.{kind.__qualname__} is not frozen")
    for key, value in list(vars(module).items()):
        if key.startswith("__") or isinstance(value, type):
            continue
        if isinstance(value, dict) and table(module, key):
            continue
        if isinstance(value, MUTABLE):
            offences.append(f"{name}.{key} is a mutable {type(value).__name__}")
        if hasattr(value, "cache_clear") and getattr(value, "__module__", "") == name:
            offences.append(f"{name}.{key} remembers its calls")
print(json.dumps(sorted(set(offences))))
"""


PLANTED: Final = "oidc_core.planted"


def thawed(tree: Tree, modules: list[str]) -> list[str]:
    """Scan modules and return what can be changed in them."""
    done = tree.python(SCAN, json.dumps(modules))
    assert done.returncode == 0, done.stderr
    offences: list[str] = json.loads(done.stdout)
    return offences


def test_the_core_is_frozen() -> None:
    assert thawed(HERE, HERE.modules()) == []


@pytest.mark.parametrize(
    ("text", "offence"),
    [
        ("@attrs.define\nclass Soft:\n    x: int\n", "Soft is not frozen"),
        ("@attrs.frozen(slots=False)\nclass Open:\n    x: int\n", "Open is not slotted"),
        (
            "class Outer:\n    @attrs.define\n    class Inner:\n        x: int\n",
            "Outer.Inner is not frozen",
        ),
        ("CACHE = {}\n", "CACHE is a mutable dict"),
        ("CACHE: Final = {'a': 1}\n", "CACHE is a mutable dict"),
        ("CACHE: Final[dict[str, int]] = {}\n", "CACHE is a mutable dict"),
        ("SEEN: Final = set()\n", "SEEN is a mutable set"),
        ("QUEUE: Final = collections.deque()\n", "QUEUE is a mutable deque"),
        ("NAMES = ['a']\n", "NAMES is a mutable list"),
        ("@functools.cache\ndef memo() -> int:\n    return 1\n", "memo remembers its calls"),
    ],
)
def test_what_can_change_is_seen(planted: Tree, text: str, offence: str) -> None:
    imports = "import collections, functools\nfrom typing import Final\nimport attrs\n"
    planted.plant("src/oidc_core/planted.py", imports + text)

    assert thawed(planted, [PLANTED]) == [f"{PLANTED}.{offence}"]


def test_final_tables_are_allowed(planted: Tree) -> None:
    planted.plant(
        "src/oidc_core/planted.py",
        "from collections.abc import Mapping\n"
        "from types import MappingProxyType\n"
        "from typing import Final\n"
        "TABLE: Final[Mapping[str, int]] = {'a': 1}\n"
        "VIEW: Final = MappingProxyType({'a': 1})\n"
        "NAMES: Final = ('a', 'b')\n"
        "KINDS: Final = frozenset({'a'})\n",
    )

    assert thawed(planted, [PLANTED]) == []
