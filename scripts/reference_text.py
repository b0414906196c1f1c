"""Docstrings and tables as Markdown."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROLE: Final = re.compile(r":\w+:`([^`<]+)`")
_SECTION: Final = re.compile(r"(Args|Attributes|Raises|Returns|Yields):")
_ITEM: Final = re.compile(r"    (\S[^:]*): (.*)")
_CODE: Final = re.compile(r"\.\. code-block:: (\w+)\n")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; a bar within a cell is escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def first_line(docstring: str) -> str:
    """Return the summary of a docstring."""
    return inline(docstring.partition("\n\n")[0])


def inline(text: str) -> str:
    """Return text with its roles and literals as Markdown has them, on one line."""
    shown = _ROLE.sub(lambda role: f"`{role.group(1).removeprefix('~').rpartition('.')[2]}`", text)
    return " ".join(shown.replace("``", "`").split())


def prose(docstring: str) -> str:
    """Return a docstring as Markdown: paragraphs, sections as lists, drawings as blocks."""
    blocks = re.split(r"\n\n+(?=\S)", docstring)
    return "\n".join(_block(block) for block in blocks if block.strip())


def _block(block: str) -> str:
    lines = block.splitlines()
    code = _CODE.match(block)
    if code:
        return f"```{code.group(1)}\n{dedent(block[code.end() :]).strip(chr(10))}\n```\n"
    section = _SECTION.fullmatch(lines[0])
    if section:
        return f"{section.group(1)}:\n\n{_items(lines[1:])}"
    if lines[0].startswith(("* ", "- ", "1. ")):
        return "\n".join(_list(lines)) + "\n"
    if "::" in block or lines[0].startswith("    "):
        head, _, drawing = block.partition("::")
        shown = drawing if "::" in block else block
        start = f"{inline(head)}:\n\n" if "::" in block and head.strip() else ""
        return f"{start}```text\n{dedent(shown).strip(chr(10))}\n```\n" if shown.strip() else ""
    return inline(block) + "\n"


def _items(lines: Sequence[str]) -> str:
    """Return the entries of a section: a list, or the paragraph that some sections are."""
    entries: list[str] = []
    for line in lines:
        if line.startswith("     ") and entries:
            entries[-1] += " " + line.strip()
        else:
            entries.append(line)
    shown = [
        f"- `{match.group(1)}`: {inline(match.group(2))}"
        if (match := _ITEM.fullmatch(entry))
        else f"- {inline(entry)}"
        for entry in entries
        if entry.strip()
    ]
    return "\n".join(shown) + "\n"


def _list(lines: Sequence[str]) -> list[str]:
    entries: list[str] = []
    for line in lines:
        if line.startswith("  ") and entries:
            entries[-1] += " " + line.strip()
        else:
            entries.append(line)
    return [re.sub(r"^\* ", "- ", inline(entry)) for entry in entries]
