"""The committed reference is what the code says, and says all of it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

import pytest

import oidc_adapters
import oidc_core
import reference_pages
import reference_sources
import reference_steps
from oidc_core.model.policy import QUIRKS
from oidc_core.wire.codes import CODES
from reference_text import prose
from tests.docs.pages import ROOT, Page

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

PAGES: Final = reference_pages.pages()


def test_the_reference_is_up_to_date() -> None:
    assert reference_pages.outdated() == [], "run .venv/bin/python scripts/reference"


@pytest.mark.parametrize("package", [oidc_core, oidc_adapters], ids=lambda each: each.__name__)
def test_every_public_name_is_listed(package: ModuleType) -> None:
    start = f"## Public names of `{package.__name__}`\n"
    listed = PAGES["README.md"].partition(start)[2].partition("\n## ")[0]
    public: list[str] = package.__all__

    assert len(public) > 50
    assert [name for name in public if f"| [`{name}`]" not in listed] == []


def test_every_code_and_every_quirk_has_its_row() -> None:
    page = PAGES["codes.md"]
    assert [code for code in CODES if f'| <a id="{code}"></a>`{code}` |' not in page] == []
    assert [quirk for quirk in QUIRKS if f"| `{quirk}` |" not in PAGES["quirks.md"]] == []


def test_each_module_of_the_core_has_a_page() -> None:
    core = ROOT / "src" / "oidc_core"
    layers = {path.parent.name for path in core.glob("*/__init__.py")}
    modules = {f"{path.parent.name}.{path.stem}" for path in core.glob("[a-z]*/[a-z]*")}
    modules |= {path.stem for path in core.glob("[a-z]*.py")}

    without = {
        "wire.grammar",
        "jose.key_material",
        "model.claim_values",
        "model.digests",
        "wire.facts",
        "wire.messages",
        "jose.key_set_text",
        "machine.disagreements",
        "wire.structuring",
    }
    """Modules that only the core uses: characters, tests of key material, typing."""

    assert {name.split(".")[0] for name in modules} == {*layers, "codec"}
    assert modules - {*reference_pages.CORE} == without


@pytest.mark.parametrize(
    "name",
    [
        "OidcClient.start_login",
        "OidcClient.finish_login",
        "AsyncOidcClient",
        "AsyncOidcClient.finish_login",
    ],
)
def test_a_name_has_a_heading_that_links_can_name(name: str) -> None:
    level = "###" if "." in name else "##"

    module = "async_oidc_client" if name.startswith("Async") else "oidc_client"
    assert f"\n{level} {name}\n" in PAGES[f"oidc_adapters.clients.{module}.md"]


def test_a_signature_stands_as_it_was_written() -> None:
    page = PAGES["oidc_core.operations.refresh.md"]

    assert (
        "verify(rp: RelyingParty, renewed: TokensRenewed, *, now: int) -> Step[Refreshed]" in page
    )


def test_the_steps_of_a_login_are_drawn_from_its_classes() -> None:
    drawn = reference_steps.diagram("oidc_core.operations.login")

    assert "    finish([finish])\n" in drawn
    assert "    finish --> AwaitingTokens\n" in drawn
    assert "    AwaitingTokens -->|consume| IdTokenOfLogin\n" in drawn
    assert '    IdTokenOfLogin -->|passed| Done_LoggedIn(("Done: LoggedIn"))\n' in drawn
    assert "    IdTokenOfLogin -->|passed| AwaitingUserInfo\n" in drawn
    assert "    AwaitingUserInfo -->|consume| AwaitingUserInfoKeys\n" in drawn
    assert "    IdTokenOfLogin -->|a fresh set, once| IdTokenOfLogin\n" in drawn
    assert "from_tokens" not in drawn


def test_a_step_that_a_function_chooses_is_drawn() -> None:
    drawn = reference_steps.diagram("oidc_core.operations.validation")

    assert "    validate --> IdTokenAlone\n" in drawn
    assert "    accTitle: The steps of validation\n" in drawn
    assert "begins with validate; waits in IdTokenAlone; ends with CheckedIdToken." in drawn


def test_a_docstring_becomes_markdown() -> None:
    docstring = "See :func:`~a.b.c` and ``d``::\n\n    e\n\nRaises:\n    UsageError: if ``f``\n"

    assert (
        prose(docstring)
        == "See `c` and `d`:\n\n```text\ne\n```\n\nRaises:\n\n- `UsageError`: if `f`\n"
    )


def test_code_in_a_docstring_stays_code() -> None:
    docstring = "A call.\n\n.. code-block:: python\n\n    if a:\n\n        b()\n\nMore.\n"

    assert prose(docstring) == "A call.\n\n```python\nif a:\n\n    b()\n```\n\nMore.\n"


def test_overloads_are_no_second_entry() -> None:
    names = [entry.name for entry in reference_sources.module_of("oidc_core.machine.steps").entries]

    assert names.count("resume") == 1
    assert len(names) == len({*names})


@pytest.mark.slow
def test_an_outdated_page_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_pages, "FOLDER", tmp_path)
    reference_pages.main([])
    assert reference_pages.outdated() == []
    (tmp_path / "codes.md").write_text("another", "utf-8")
    (tmp_path / "quirks.md").unlink()
    (tmp_path / "odd.md").write_text("", "utf-8")

    assert reference_pages.outdated() == ["codes.md", "odd.md", "quirks.md"]
    assert reference_pages.main(["--check"]) == 1

    reference_pages.main([])

    assert reference_pages.main(["--check"]) == 0


def cells(page: str, column: int) -> list[str]:
    """The cells of one column of a page's tables."""
    rows = [line for line in Page(page).text.splitlines() if line.startswith("| ")]
    found = [row.removeprefix("| ").removesuffix(" |").split(" | ") for row in rows]
    return [row[column] for row in found if len(row) > column]


@pytest.mark.parametrize(
    ("page", "column"),
    [("docs/explanation/threat-model.md", 2), ("docs/how-to/refresh-tokens.md", 0)],
)
def test_the_codes_that_a_page_names_exist(page: str, column: int) -> None:
    named = [
        word.strip("` ,")
        for cell in cells(page, column)
        for word in cell.split()
        if word.startswith("`") and "…" not in word and word.strip("` ,").islower()
    ]
    other = {"error", "invalid_grant"}

    assert len(named) > 2
    assert [code for code in named if code not in CODES and code not in other] == []


def test_the_sources_parse_alone() -> None:
    assert isinstance(reference_sources.tree_of("oidc_core.endpoints.id_token"), ast.Module)
