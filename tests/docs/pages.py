"""Pages of Markdown as tests see them: their fenced blocks and their links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_FENCE: Final = re.compile(
    r"^(?:<!-- file: (\S+) -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
_HEADING: Final = re.compile(r"^#+ (.*)$", re.MULTILINE)
_NOT_OF_ANCHORS: Final = re.compile(r"[^\w\- ]")
_ANCHOR: Final = re.compile(r'<a id="(\w+)"></a>')
_LINK: Final = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_SAVED: Final = "Save this as `"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line its text begins in.

    A comment before it may name the file that it shows, which tests run; the block itself is then
    not run.
    """

    language: str
    text: str
    line: int
    file: str = ""


@dataclass(frozen=True)
class Page:
    """A page of the repository, by its path from the root."""

    path: str

    @property
    def text(self) -> str:
        return (ROOT / self.path).read_text("utf-8")

    @property
    def blocks(self) -> list[Block]:
        text = self.text
        return [
            Block(
                language=found.group(2),
                text=found.group(3),
                line=text.count("\n", 0, found.start(3)) + 1,
                file=found.group(1) or "",
            )
            for found in _FENCE.finditer(text)
        ]

    @property
    def files(self) -> list[tuple[str, str]]:
        """Name and text of each file that the reader saves, in order; a name may come again."""
        lines = self.text.splitlines()
        saved = [(lines[b.line - 4].rpartition(_SAVED)[2], b.text) for b in self.blocks]
        return [(said.removesuffix("`:"), text) for said, text in saved if said.endswith("`:")]

    @property
    def links(self) -> list[str]:
        """The targets of its links, except those inside blocks."""
        return _LINK.findall(_FENCE.sub("", self.text))

    @property
    def anchors(self) -> set[str]:
        """The fragments that lead to its headings and its anchors."""
        text = _FENCE.sub("", self.text)
        titles = [_NOT_OF_ANCHORS.sub("", t.strip().lower()) for t in _HEADING.findall(text)]
        return {title.replace(" ", "-") for title in titles} | {*_ANCHOR.findall(text)}


def written_pages() -> list[Page]:
    """The README, all of docs/ but the generated reference, and the pages of the examples."""
    docs = sorted([*(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
    paths = [path.relative_to(ROOT).as_posix() for path in docs]
    return [Page("README.md"), *(Page(p) for p in paths if not p.startswith("docs/reference/"))]


def all_pages() -> list[Page]:
    """Every page whose links must lead somewhere."""
    reference = sorted((ROOT / "docs" / "reference").rglob("*.md"))
    others = (Page(f"{name}.md") for name in ("CHANGELOG", "CONTRIBUTING", "SECURITY"))
    generated = (Page(path.relative_to(ROOT).as_posix()) for path in reference)
    return [*written_pages(), *others, *generated]
