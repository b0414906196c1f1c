"""A warning points to the application's line, once for each of its lines."""

import warnings
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from oidc_adapters.runtime.caller import warn_caller


def _through(depth: int) -> None:
    warn_caller("careful") if depth == 0 else _through(depth - 1)


def layered(package: str) -> Any:
    """The same as a function of a package: its module is what its globals say."""
    names: dict[str, Any] = {"__name__": package, "warn_caller": warn_caller}
    names["_through"] = FunctionType(_through.__code__, names)
    return names["_through"]


@pytest.mark.parametrize("package", ["oidc_adapters", "oidc_adapters.a.b", "oidc_core.a"])
@pytest.mark.parametrize("depth", [0, 1, 5])
def test_it_points_to_the_line_that_called_the_library(package: str, depth: int) -> None:
    through = layered(package)
    with pytest.warns(UserWarning, match="careful") as caught:
        through(depth)

    (warning,) = caught
    assert warning.filename == __file__
    assert warning.lineno == through_line()


def through_line() -> int:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return lines.index("        through(depth)") + 1


def test_code_of_the_application_is_no_layer() -> None:
    with pytest.warns(UserWarning, match="careful") as caught:
        layered("application")(0)

    assert caught[0].lineno == _through.__code__.co_firstlineno + 1


def test_each_line_warns_once_by_pythons_own_rules() -> None:
    through = layered("oidc_adapters.context")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            through(1)
        through(1)
        through(1)

    assert [warning.lineno - caught[0].lineno for warning in caught] == [0, 1, 2]
