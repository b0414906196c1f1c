"""The pages import from the public roots, and from nowhere else: what they use is promised."""

from __future__ import annotations

import ast
from importlib import import_module
from typing import TYPE_CHECKING, Final

import pytest

from tests.docs.pages import Block, Page, written_pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOTS: Final = (
    "oidc_core",
    "oidc_adapters",
    "oidc_adapters.context",
    "oidc_adapters.testing",
    "oidc_adapters.testing.samples",
    "oidc_adapters.testing.strategies",
    "oidc_adapters.web",
)
DOORS: Final = {
    "oidc_adapters.clients.httpx_auth": frozenset({"HttpxAuth"}),
    "oidc_adapters.testing.drivers": frozenset(
        {"Drive", "DriverMachine", "DriverWorld", "DutyBroken"}
    ),
    "oidc_adapters.testing.applications": frozenset({"ApplicationMachine", "Routes", "World"}),
    "oidc_adapters.testing.attackers": frozenset(
        {"AttackSettings", "AttackerMachine", "InvariantBroken"}
    ),
    "oidc_adapters.testing.pytest_plugin": frozenset({"LoggedInClient"}),
    "oidc_adapters.web.fastapi": frozenset({"Oidc", "WebSession"}),
    "oidc_adapters.web.assembly": frozenset({"async_web_login_of", "web_login_of"}),
    "oidc_adapters.web.django": frozenset(
        {"oidc_required", "oidc_session", "oidc_step_up", "oidc_tokens"}
    ),
    "oidc_adapters.web.django.accounts": frozenset({"user_of"}),
    "oidc_adapters.web.flask": frozenset({"Oidc"}),
    "oidc_adapters.web.starlette": frozenset({"Oidc"}),
}
"""Modules that need a further package, each with the names that pages import of it."""
PROMISED: Final = {
    **{root: frozenset[str](import_module(root).__all__) for root in ROOTS},
    **DOORS,
}
PAGES: Final = [page for page in written_pages() if page.blocks]


def imported(block: Block) -> Iterator[tuple[str, str]]:
    """Yield module and name of each import of this project; no name for a module alone."""
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


def elsewhere(blocks: Iterable[Block]) -> list[str]:
    """Name what blocks of Python import of this project and no root promises."""
    return [
        f"{module} {name}".rstrip()
        for block in blocks
        if block.language == "python"
        for module, name in imported(block)
        if module.startswith(("oidc_core", "oidc_adapters"))
        and name not in PROMISED.get(module, frozenset())
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_a_page_imports_from_the_roots_alone(page: Page) -> None:
    assert elsewhere(page.blocks) == []


def test_each_root_is_used_by_a_page() -> None:
    blocks = [b for page in PAGES for b in page.blocks if b.language == "python"]

    assert {module for block in blocks for module, _ in imported(block)} >= {*ROOTS}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from oidc_core import login", []),
        ("from oidc_adapters import OidcClient", []),
        ("from oidc_adapters.testing import FakeProvider", []),
        ("from urllib.parse import urlsplit", []),
        ("from oidc_core.operations import login", ["oidc_core.operations login"]),
        ("from oidc_adapters.clients.shell import Shell", ["oidc_adapters.clients.shell Shell"]),
        ("from oidc_adapters import transport", ["oidc_adapters transport"]),
        ("from oidc_adapters import OidcClient, _HOME", ["oidc_adapters _HOME"]),
        ("import oidc_core.machine.steps as steps", ["oidc_core.machine.steps"]),
        ("def f() -> None:\n    import oidc_core", ["oidc_core"]),
    ],
)
def test_an_import_from_elsewhere_is_seen(line: str, found: list[str]) -> None:
    no_code = Block("text", "import oidc_core.codec", 3)

    assert elsewhere([Block("python", line, 1), no_code]) == found
