"""Counts of the blocks of code on the pages: how many run, and how many are compared."""

from __future__ import annotations

from collections import Counter

from tests.docs.pages import Page, written_pages
from tests.docs.test_code_blocks import RUN, TUTORIALS, outputs


def counted(pages: list[Page]) -> Counter[str]:
    """Count pages and blocks, and what is done with them."""
    found = Counter[str]()
    for page in pages:
        found["pages"] += 1
        found["blocks"] += len(page.blocks)
        kinds = Counter(block.language for block in page.blocks)
        found["Python, run"] += kinds["python"]
        compared = outputs(page) if page.blocks else []
        found["outputs, compared"] += sum(bool(expected) for _, expected in compared)
        played = page.path in RUN | TUTORIALS
        found["terminal sessions, run" if played else "commands, read"] += kinds["console"]
        found["drawings"] += kinds["mermaid"]
    return found


def counts() -> str:
    """Say in one line what is done with the blocks of all pages that somebody wrote."""
    found = counted(written_pages())
    pages, blocks = found.pop("pages"), found.pop("blocks")
    rest = blocks - found.total()
    told = ", ".join(f"{number} {what}" for what, number in found.items() if number)
    return f"{pages} written pages with {blocks} blocks: {told}, {rest} only shown"
