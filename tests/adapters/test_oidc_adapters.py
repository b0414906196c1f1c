"""The public names: each is found where it lives, and only when it is first used."""

from importlib import import_module

import pytest

import oidc_adapters


@pytest.mark.parametrize("name", oidc_adapters.__all__)
def test_a_public_name_is_the_one_of_its_module(name: str) -> None:
    home = import_module(oidc_adapters._HOME[name])
    assert oidc_adapters.__getattr__(name) is getattr(home, name)


def test_no_name_is_public_by_accident() -> None:
    assert sorted(oidc_adapters._HOME) == sorted(oidc_adapters.__all__) == dir(oidc_adapters)


@pytest.mark.parametrize("name", ["Nothing", "Login", "_HOME2", "", "__path2__"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(oidc_adapters, name)
    assert str(caught.value) == f"module 'oidc_adapters' has no attribute {name!r}"
