"""The guides name everything that the libraries of before have, and show the files that run."""

from __future__ import annotations

import ast
import inspect
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from oidc_adapters import context
from tests.docs.pages import ROOT, Page
from tests.migration.stages import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

AUTHLIB: Final = Page("docs/migrate/from-authlib.md")
DJANGO: Final = Page("docs/migrate/from-mozilla-django-oidc.md")
JULIA: Final = Page("docs/migrate/from-openidconnect-julia.md")


def folder_of(package: str) -> Path:
    pytest.importorskip(package, reason="the group of peers is needed")
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text("utf-8")))


def settings_of(folder: Path) -> set[str]:
    """Return the names that mozilla-django-oidc asks the settings for."""
    return {
        node.args[0].value
        for path in folder.rglob("*.py")
        for node in nodes(path)
        if isinstance(node, ast.Call) and node.args
        if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
        if ast.unparse(node.func).rpartition(".")[2] in {"get_settings", "import_from_settings"}
    }


def public_methods(path: Path, kind: str) -> set[str]:
    return {
        method.name
        for node in nodes(path)
        if isinstance(node, ast.ClassDef) and node.name == kind
        for method in node.body
        if isinstance(method, ast.FunctionDef) and not method.name.startswith("_")
    }


def test_each_setting_of_mozilla_django_oidc_is_answered() -> None:
    named = settings_of(folder_of("mozilla_django_oidc"))

    assert len(named) > 30
    assert [name for name in sorted(named) if name not in DJANGO.text] == []


def test_each_hook_of_its_backend_is_answered() -> None:
    hooks = public_methods(
        folder_of("mozilla_django_oidc") / "auth.py", "OIDCAuthenticationBackend"
    )

    assert len(hooks) > 10
    assert [name for name in sorted(hooks - {"get_settings"}) if name not in DJANGO.text] == []


def test_each_setting_of_authlib_is_answered() -> None:
    path = folder_of("authlib") / "integrations" / "base_client" / "registry.py"
    (found,) = [
        ast.literal_eval(node.value)
        for node in nodes(path)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "OAUTH_CLIENT_PARAMS"
    ]

    assert [name for name in found if name not in AUTHLIB.text] == []


def test_each_call_of_authlib_is_answered() -> None:
    base = folder_of("authlib") / "integrations"
    calls = public_methods(base / "flask_client" / "apps.py", "FlaskOAuth2App")
    calls |= public_methods(base / "base_client" / "sync_openid.py", "OpenIDMixin")

    assert len(calls) > 6
    assert [name for name in sorted(calls) if f"`{name}(" not in AUTHLIB.text] == []


def test_each_parameter_of_the_julia_calls_is_answered() -> None:
    """Ours that the original has not are named by the page that lists the differences."""
    own = {"self", "ctx", "code", "query", "transport", "clock", "decrypt"}
    calls = [value for name, value in vars(context).items() if name.startswith("flow_")]
    names = {
        parameter
        for call in (context.OIDCCtx, *calls)
        for parameter in inspect.signature(call).parameters
    }

    assert [name for name in sorted(names - own) if name not in JULIA.text] == []


def test_each_program_is_shown_by_a_guide() -> None:
    shown = {block.file for page in (AUTHLIB, DJANGO) for block in page.blocks if block.file}
    files = {
        path.relative_to(ROOT).as_posix()
        for path in FOLDER.rglob("*.py")
        if path.name != "__init__.py"
    }

    assert shown == files
