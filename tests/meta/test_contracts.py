"""The contracts of import-linter and ruff hold, and each is red on a planted offence."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.meta.trees import HERE

if TYPE_CHECKING:
    from tests.meta.trees import Tree

FORBIDDEN = (
    "socket",
    "ssl",
    "time",
    "random",
    "secrets",
    "os",
    "threading",
    "asyncio",
    "subprocess",
    "logging",
    "datetime",
    "urllib3",
    "cryptography",
    "oidc_adapters",
)

CROSSINGS = (
    (
        "Each layer of the core imports only from the layers below it",
        "oidc_core.model.policy",
        "oidc_core.machine.steps",
    ),
    (
        "Operations are independent of each other",
        "oidc_core.operations.refresh",
        "oidc_core.operations.login",
    ),
    (
        "Endpoints are independent of each other",
        "oidc_core.endpoints.userinfo",
        "oidc_core.endpoints.tokens",
    ),
    ("The machine has an inner order", "oidc_core.machine.dpop", "oidc_core.machine.steps"),
    ("The model has an inner order", "oidc_core.model.client", "oidc_core.model.relying_party"),
    ("JOSE has an inner order", "oidc_core.jose.profiles", "oidc_core.jose.jws"),
    ("The wire has an inner order", "oidc_core.wire.encoding", "oidc_core.wire.jsontypes"),
    (
        "Each layer of the adapters imports only from the layers below it",
        "oidc_adapters.stores.sealed_box",
        "oidc_adapters.clients.shell",
    ),
)
"""A contract, and an import that breaks it: one for each contract of layers."""

PACKAGES = (
    "oidc_core",
    "oidc_core.wire",
    "oidc_core.jose",
    "oidc_core.model",
    "oidc_core.machine",
    "oidc_core.endpoints",
    "oidc_core.operations",
    "oidc_adapters",
)


def broken_contracts(tree: Tree) -> tuple[list[str], str]:
    """Run import-linter and return the names of the contracts that do not hold."""
    linter = str(Path(sys.executable).with_name("lint-imports"))
    done = tree.run(linter, "--no-cache", "--no-logo")
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    assert bool(done.returncode) == ("0 broken" not in done.stdout)
    return re.findall(r"^(.*) BROKEN$", done.stdout, re.MULTILINE), done.stdout


def ruff_codes(tree: Tree, path: str) -> list[str]:
    done = tree.run(
        sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", path
    )
    return re.findall(rf"^{re.escape(path)}:\d+:\d+: ([A-Z]+\d+)", done.stdout, re.MULTILINE)


def test_the_contracts_hold() -> None:
    broken, output = broken_contracts(HERE)

    assert broken == [], output


def test_every_forbidden_import_of_the_core_is_seen(planted: Tree) -> None:
    planted.plant("src/oidc_core/codec.py", "".join(f"import {name}\n" for name in FORBIDDEN))

    broken, output = broken_contracts(planted)

    assert "The core touches no world" in broken
    unseen = [name for name in FORBIDDEN if f"not allowed to import {name}" not in output]
    assert unseen == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("contract", "importer", "imported"),
    CROSSINGS,
    ids=[f"{importer}-{imported}" for _, importer, imported in CROSSINGS],
)
def test_an_import_against_the_layers_is_seen(
    planted: Tree, contract: str, importer: str, imported: str
) -> None:
    path = f"src/{importer.replace('.', '/')}.py"
    planted.plant(path, f"import {imported} as planted_import\n")

    broken, output = broken_contracts(planted)

    assert contract in broken
    assert f"- {importer} -> {imported} (l." in output


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_a_module_without_a_row_is_seen(planted: Tree, package: str) -> None:
    planted.plant(
        f"src/{package.replace('.', '/')}/convenience.py", '"""A module nobody gave a row."""\n'
    )

    broken, output = broken_contracts(planted)

    assert len(broken) == 1
    assert f"- {package}.convenience" in output


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("from urllib.request import urlopen\n", "TID251"),
        ("import datetime\n\nNOW = datetime.datetime.now(datetime.UTC)\n", "TID251"),
        ("from datetime import datetime as clock\n\nNOW = clock.now(None)\n", "TID251"),
        ("from uuid import uuid4 as chance\n\nID = chance()\n", "TID251"),
        ('TEXT = open("/etc/hostname")\n', "PTH123"),
        ('print("hello")\n', "T201"),
    ],
    ids=["request", "now", "alias", "uuid4", "open", "print"],
)
def test_a_banned_name_is_seen(planted: Tree, text: str, code: str) -> None:
    planted.plant("src/oidc_core/planted.py", text)

    assert code in ruff_codes(planted, "src/oidc_core/planted.py")


def test_a_banned_name_is_free_for_an_adapter(planted: Tree) -> None:
    planted.plant("src/oidc_adapters/fetching.py", "from urllib.request import urlopen\n")

    assert "TID251" not in ruff_codes(planted, "src/oidc_adapters/fetching.py")
