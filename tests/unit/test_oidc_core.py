"""The public names: each is found where it lives, and only when it is first used."""

from importlib import import_module
from types import ModuleType

import pytest

import oidc_core


@pytest.mark.parametrize("name", oidc_core.__all__)
def test_a_public_name_is_the_one_of_its_module(name: str) -> None:
    home = import_module(oidc_core._HOME[name])
    found = oidc_core.__getattr__(name)
    if isinstance(found, ModuleType):
        assert found is home
        assert home.__name__ == f"oidc_core.operations.{name}"
    else:
        assert found is getattr(home, name)


def test_no_name_is_public_by_accident() -> None:
    assert sorted(oidc_core._HOME) == sorted(oidc_core.__all__) == dir(oidc_core)


@pytest.mark.parametrize("name", ["Nothing", "Login", "_HOME2", "", "__path2__"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(oidc_core, name)
    assert str(caught.value) == f"module 'oidc_core' has no attribute {name!r}"
