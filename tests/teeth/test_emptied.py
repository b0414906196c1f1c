"""The loader that empties checks."""

import ast
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.abc import SourceLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType
from typing import Any, TypeAlias

import pytest

from tests.teeth.checks import CHECKS, Check
from tests.teeth.emptied import Emptying, NotThere, install, with_emptied

Planted: TypeAlias = Callable[[Check], Any]

SOURCE = """
LIMIT = 3

def refused(text):
    '''Refuse long text.'''
    if len(text) > LIMIT:
        raise ValueError(text)
    return len(text)

class Store:
    def take(self, name):
        return [name]

    async def wait(self):
        raise ValueError
"""


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Planted]:
    """Load a module with checks emptied, as a subprocess does with those of the library."""
    (tmp_path / "planted_checks.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def load(check: Check) -> Any:
        monkeypatch.setitem(CHECKS, "planted", check)
        monkeypatch.setattr(sys, "meta_path", [Emptying(["planted"]), *sys.meta_path])
        return import_module("planted_checks")

    yield load
    sys.modules.pop("planted_checks", None)


def test_an_emptied_function_accepts_everything_and_nothing_else_changes(planted: Planted) -> None:
    module = planted(Check("planted_checks", "refused"))

    assert module.refused("too long") is None
    assert module.Store().take("a") == ["a"]


def test_without_its_check_emptied_the_module_refuses(planted: Planted) -> None:
    module = planted(Check("planted_checks", "Store.wait"))

    with pytest.raises(ValueError, match="too long"):
        module.refused("too long")


def test_a_method_may_do_something_first(planted: Planted) -> None:
    module = planted(Check("planted_checks", "Store.take", "name = 'another'", before=True))

    assert module.Store().take("a") == ["another"]


def test_a_check_of_the_library_is_emptied_in_its_own_module() -> None:
    finder = Emptying(["state"])
    package = import_module("oidc_core.endpoints.authorization")

    assert finder.find_spec("oidc_core.wire.errors", None) is None
    spec = finder.find_spec(CHECKS["state"].module, package.__path__)
    assert spec is not None
    assert isinstance(spec.loader, SourceLoader)
    code = spec.loader.get_code(CHECKS["state"].module)
    assert isinstance(code, CodeType)
    (state,) = [
        each for each in code.co_consts if isinstance(each, CodeType) and each.co_name == "_state"
    ]
    assert state.co_names == ()


@pytest.mark.parametrize("name", ["refuse", "Store.takes", "Shop.take", "LIMIT"])
def test_a_check_that_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises(NotThere, match=name):
        with_emptied(SOURCE, [Check("m", name)])


@pytest.mark.parametrize("name", CHECKS)
def test_each_check_is_a_function_of_the_library(name: str) -> None:
    check = CHECKS[name]
    spec = find_spec(check.module)
    assert spec is not None
    assert spec.origin is not None

    source = Path(spec.origin).read_text("utf-8")

    assert ast.unparse(with_emptied(source, [check])) != ast.unparse(ast.parse(source))


def test_nothing_is_emptied_in_a_process_that_has_the_library_loaded() -> None:
    import oidc_core

    assert oidc_core.__name__
    with pytest.raises(NotThere, match="oidc_"):
        install(["state"])
