"""Applications of ten lines: counted, and used without sockets."""

from __future__ import annotations

import ast
import os
import runpy
import sys
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import pytest

from oidc_adapters.testing.pytest_plugin import (
    async_oidc_settings,
    logged_in_client,
    oidc_browser,
    oidc_clock,
    oidc_provider,
    oidc_redirect_uri,
    oidc_settings,
)
from tests.adapters.testing.user_suites import DOORS

if TYPE_CHECKING:
    from oidc_adapters.testing.pytest_plugin import LoggedInClient

__all__ = [
    "async_oidc_settings",
    "logged_in_client",
    "oidc_browser",
    "oidc_clock",
    "oidc_provider",
    "oidc_redirect_uri",
    "oidc_settings",
]

pytest_plugins = ["pytester"]

FOLDER: Final = Path(__file__).resolve().parents[2] / "examples" / "ten_lines"


def lines_of(text: str) -> int:
    """Count the lines of an application: neither blank, nor comments, nor docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = node.body[1:] if ast.get_docstring(node) else node.body
    return len([line for line in ast.unparse(tree).splitlines() if line.strip()])


@pytest.fixture
def flask_client(monkeypatch: pytest.MonkeyPatch, oidc_settings: dict[str, Any]) -> Any:
    pytest.importorskip("flask", reason="Flask is needed")
    settings = ModuleType("settings")
    vars(settings).update(oidc_settings)
    monkeypatch.setitem(sys.modules, "settings", settings)
    return runpy.run_path(str(FOLDER / "flask_app.py"))["app"].test_client()


@pytest.fixture
def fastapi_client(monkeypatch: pytest.MonkeyPatch, async_oidc_settings: dict[str, Any]) -> Any:
    pytest.importorskip("fastapi", reason="FastAPI is needed")
    client = pytest.importorskip("fastapi.testclient", reason="httpx is needed")
    monkeypatch.setattr(os, "environ", {**os.environ, **async_oidc_settings})
    return client.TestClient(runpy.run_path(str(FOLDER / "fastapi_app.py"))["app"])


@pytest.mark.parametrize("door", ["fastapi", "flask"])
def test_a_page_is_for_users_who_are_logged_in(
    request: pytest.FixtureRequest, logged_in_client: LoggedInClient, door: str
) -> None:
    client = request.getfixturevalue(f"{door}_client")

    assert client.get("/", headers={"Accept": "application/json"}).status_code == 401
    logged_in_client(client, sub="alice", page="/")
    assert client.get("/").text.strip('"') == "Hello Alice Adams"


@pytest.mark.slow
def test_a_page_of_a_django_project_is_for_users_who_are_logged_in(
    pytester: pytest.Pytester,
) -> None:
    pytest.importorskip("django", reason="Django is needed")
    project = dedent(DOORS["django"]).replace('"conftest"', '"django_app"')
    pytester.makeconftest(f"import sys\nsys.path.insert(0, {str(FOLDER)!r})\n{project}")
    pytester.makepyfile(
        """
        def test_the_page(client, logged_in_client):
            assert client.get("/", headers={"Accept": "application/json"}).status_code == 401
            logged_in_client(client, sub="alice", page="/")
            assert client.get("/").text == "Hello Alice Adams"
        """
    )

    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_an_application_has_ten_lines_at_most(path: Path) -> None:
    assert lines_of(path.read_text("utf-8")) <= 10
