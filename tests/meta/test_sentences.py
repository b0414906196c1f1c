"""The count of sentences that are hard to read: its patterns, and which text counts as prose."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from sentence_patterns import PATTERNS, Pattern, found
from sentence_sources import paragraphs, sentences, split
from tests.meta.trees import HERE, Tree

if TYPE_CHECKING:
    from pathlib import Path

NEAR_MISSES = [
    "The listener takes the callback of its own login.",
    "One transport is over the standard library.",
    "Return at what time it ended.",
    "The likelihood is small.",
    "The overhead of one call is small.",
    "There is no key of this name.",
    "The token is no longer valid.",
    "The default is True, False or None.",
    "Two of them are new, and none of these is signed.",
    "What is a token?",
    "Return what the provider sent.",
    "The context holds the client secret.",
    "The letter stands for a word.",
    "The client has its own key.",
    "Several claims, such as the nonce, are optional.",
    "Ask for something else.",
    "It waits for them to finish.",
    "The provider may refuse.",
    "The parameter is optional but useful for tests.",
    "The user has to choose.",
    "Do it on the same day, so far as possible.",
    "The standard describes it.",
    "Who uses it must know the changes.",
]
"""Sentences with the words of a pattern and without its construction."""


@pytest.mark.parametrize("row", PATTERNS, ids=lambda row: row.name)
def test_a_pattern_finds_its_hard_sentence_and_no_plain_one(row: Pattern) -> None:

    assert row.name in found(row.hard)
    assert found(row.plain) == []
    assert row.why


def test_each_pattern_has_its_own_name() -> None:
    assert len({row.name for row in PATTERNS}) == len(PATTERNS)


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_a_near_miss_is_not_found(text: str) -> None:
    assert found(text) == []


def test_a_paragraph_is_split_at_the_ends_of_its_sentences() -> None:
    assert [*split("See RFC 6749, e.g. Section 4. The next one is here. Two words.")] == [
        "See RFC 6749, e.g. Section 4.",
        "The next one is here.",
    ]


def test_names_and_addresses_become_one_word() -> None:
    assert [*split("Read `a b` at https://op.example/x and [the page](y.md) now.")] == [
        "Read CODE at CODE and the page now."
    ]


@pytest.mark.parametrize(
    "text",
    [
        "```python\nwhat is over\n```",
        ">>> whoever(1)\n'anew'",
        "$ mend whoever",
        "|---|---|",
    ],
)
def test_code_is_no_prose(text: str) -> None:
    assert [*paragraphs(text, 1)] == []


def test_an_indented_block_after_two_colons_is_code() -> None:
    text = "First words::\n\n    whoever = None\n\nLast words."

    assert [*paragraphs(text, 1)] == [(1, "First words::"), (5, "Last words.")]


def test_items_and_cells_are_paragraphs_with_their_lines() -> None:
    text = "- one\n  more\n- two\n\nArgs:\n    name: its text.\n| a | b |"

    assert [(line, said.strip()) for line, said in paragraphs(text, 1)] == [
        (1, "one more"),
        (3, "two"),
        (6, "its text."),
        (7, "a"),
        (7, "b"),
    ]


def test_docstrings_comments_messages_and_documents_are_read(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.plant("src/a.py", '"""The module is here."""\n\nX = "start a new login"\n')
    tree.plant("tests/b.py", '# The first line\n# goes on.\n\nX = "this is not shown"\n')
    tree.plant("docs/how-to/c.md", "# A title of three\n")
    tree.plant("docs/reference/d.md", "This page is generated.\n")

    assert [(said.path, said.line, said.text) for said in sentences(tmp_path)] == [
        ("src/a.py", 1, "The module is here."),
        ("src/a.py", 3, "start a new login"),
        ("tests/b.py", 1, "The first line goes on."),
        ("docs/how-to/c.md", 1, "A title of three"),
    ]


@pytest.mark.parametrize(("limit", "status"), [("50", 1), ("51", 0)])
def test_the_command_fails_at_its_limit(tmp_path: Path, limit: str, status: int) -> None:
    Tree(tmp_path).plant("README.md", "Whoever asks is in.\n\nThe client asks.\n")

    done = HERE.run(
        sys.executable, "scripts/sentences", str(tmp_path), "--list", f"--below={limit}"
    )

    assert done.returncode == status
    assert done.stdout.splitlines() == [
        "README.md:1: whoever: Whoever asks is in.",
        "1 of 2 sentences match a pattern: 50.00 %",
    ]


@pytest.mark.slow
def test_few_sentences_of_the_repository_are_hard() -> None:
    done = HERE.run(sys.executable, "scripts/sentences", "--list", "--below=2")

    assert done.returncode == 0, done.stdout
