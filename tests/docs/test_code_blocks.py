"""Every code block of the README and of docs/ runs, and prints what the page says it prints."""

from __future__ import annotations

import ast
import io
import linecache
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Final

import pytest

from oidc_adapters.cli.arguments import parse
from tests.docs.pages import ROOT, Block, Page, written_pages

LANGUAGES: Final = {"python", "text", "console", "mermaid", "toml"}
ALONE: Final = {"README.md"}
"""Pages whose blocks are independent of each other; any other page reads as one script."""

APART: Final = {"docs/how-to/django.md", "docs/how-to/logging.md"}
"""Pages whose settings are global to a process: each runs in a process of its own."""

RUN: Final = {"docs/how-to/command-line.md"}
"""Pages whose commands run, in `test_command_line.py`; those of any other page are only read."""

TUTORIALS: Final = {"docs/tutorial/fastapi.md", "docs/tutorial/flask.md"}
"""Pages whose blocks are files of a folder; all of their steps run in `test_tutorials.py`."""

OTHERS: Final = {"docs/migrate/from-openidconnect-julia.md": {"julia"}}
"""Languages of pages that nothing here runs; such a page says so."""

LOGGED_IN_WITH: Final = "docs/providers/"
"""Pages whose settings are judged in `test_providers.py`, which logs in with them."""

BETWEEN: Final = "---- the next block ----\n"

PAGES: Final = [page for page in written_pages() if page.blocks]


def run(page: Page, block: Block, names: dict[str, Any]) -> str:
    """Run a block and return what it prints; a traceback shows the page's own lines."""
    name = f"{page.path}, the block in line {block.line}"
    linecache.cache[name] = (len(block.text), None, block.text.splitlines(keepends=True), name)
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(block.text, name, "exec", dont_inherit=True), names)
    return printed.getvalue()


def run_apart(page: Page) -> list[str]:
    """Run the blocks of a page in a new process and return what each prints."""
    script = f"print({BETWEEN!r}, end='')\n".join([block.text for block, _ in outputs(page)])
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(BETWEEN)


def namespace() -> dict[str, Any]:
    return {"__name__": "__page__"}


def outputs(page: Page) -> list[tuple[Block, str]]:
    """Pair each block of Python with the output that the page shows: the text block after it."""
    blocks = page.blocks
    after = [*blocks[1:], Block("", "", 0)]
    return [
        (block, following.text if following.language == "text" else "")
        for block, following in zip(blocks, after, strict=True)
        if block.language == "python" and not block.file
    ]


def claims_something(block: Block, printed: str) -> bool:
    return printed != "" or any(isinstance(n, ast.Assert) for n in ast.walk(ast.parse(block.text)))


def commands(page: Page) -> list[list[str]]:
    """The commands of the console blocks, in words."""
    lines = [line for b in page.blocks if b.language == "console" for line in b.text.splitlines()]
    return [shlex.split(line.removeprefix("$ ")) for line in lines if line.startswith("$ ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_the_blocks_do_what_the_page_says(page: Page) -> None:
    if page.path in TUTORIALS:
        return
    names = namespace()
    if page.path in APART:
        assert run_apart(page) == [expected for _, expected in outputs(page)]
        return

    for block, expected in outputs(page):
        names = namespace() if page.path in ALONE else names

        assert run(page, block, names) == expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_a_page_with_code_makes_a_claim_that_can_fail(page: Page) -> None:
    if page.path in TUTORIALS or page.path.startswith(LOGGED_IN_WITH):
        return
    found = outputs(page)
    judged = found if page.path in ALONE else found[-1:]

    assert [block.line for block, printed in judged if not claims_something(block, printed)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_there_is_no_block_that_nobody_looks_at(page: Page) -> None:
    assert {block.language for block in page.blocks} <= LANGUAGES | OTHERS.get(page.path, set())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_a_block_that_shows_a_file_is_that_file(page: Page) -> None:
    for block in page.blocks:
        if block.file:
            assert block.text == (ROOT / block.file).read_text("utf-8"), block.file


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_the_commands_are_understood(page: Page) -> None:
    if page.path in RUN | TUTORIALS:
        return
    for program, *arguments in commands(page):
        if program == "./demo":
            parse(["demo", *arguments], {"CLIENT_SECRET": "of the page"})
        elif program == "oidc":
            parse(arguments, {"CLIENT_SECRET": "of the page"})
        else:
            assert program in {"./test", "./bench", "pip", ".venv/bin/python"}
            assert program != ".venv/bin/python" or run_by_python(arguments).is_file()


def run_by_python(arguments: list[str]) -> Path:
    """Return the file that a command of Python runs, by its path or by the name of a module."""
    if arguments[0] != "-m":
        return ROOT / arguments[0]
    module = ROOT.joinpath(*arguments[1].split("."))
    return module / "__main__.py" if module.is_dir() else module.with_suffix(".py")


def test_each_door_of_the_readme_has_its_examples() -> None:
    doors = Page("README.md").text.split("\n### ")[1:]
    blocks = [door.partition("\n")[0] for door in doors if "```python\n" in door]

    assert blocks == ["The application developer", "The framework author", "The protocol expert"]


def test_the_contract_for_embedders_is_the_one_of_the_shell() -> None:
    from oidc_adapters.clients import shell

    contract = " ".join((shell.__doc__ or "").partition("**")[2].partition("**")[0].split())

    assert contract.startswith("Send each request once")
    assert contract.removeprefix("S").rstrip(".") in " ".join(Page("README.md").text.split())


def test_a_wrong_claim_is_seen() -> None:
    page = Page("README.md")

    assert run(page, Block("python", "print(1)", 1), namespace()) == "1\n"
    with pytest.raises(AssertionError):
        run(page, Block("python", "assert 1 == 2", 1), namespace())
