"""The pages of the site, laid out for Sphinx from the Markdown of the repository.

The Markdown stays as a code host shows it. This module adds to it the things that only a site
needs: a page for each section, the tables of contents, and a page for each file outside docs/ that
a page links to. A link is written again where its target has another place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SECTIONS: Final = {
    "Learn": "tutorial",
    "Do": "how-to",
    "Migrate": "migrate",
    "Providers": "providers",
    "Understand": "explanation",
    "Look up": "reference",
}
"""The folder of each section of docs/README.md, in their order."""

_LANGUAGES: Final = {
    ".py": "python",
    ".toml": "toml",
    ".json": "json",
    ".html": "html",
    ".css": "css",
    ".js": "javascript",
    ".sh": "sh",
}
_PASSED_OR_LINK: Final = re.compile(
    r"^```.*?^```$|`[^`\n]*`|(?P<start>\]\()(?P<target>[^)\s]+)\)", re.MULTILINE | re.DOTALL
)
_TITLE: Final = re.compile(r"^# (.+)$", re.MULTILINE)
_PART: Final = re.compile(r"^## (.+)\n", re.MULTILINE)
_SOURCE: Final = "source"
_UNLISTED: Final = "---\norphan: true\nnosearch: true\n---\n"


class Lost(Exception):
    """A link, or a page, that the site cannot have."""


@dataclass
class Layout:
    """The pages of the site by their path in it.

    Attributes:
        root: the repository.
        pages: the Markdown of each page, by the path of its file.
        pictures: the files that pages show, by their path in the site.
    """

    root: Path = ROOT
    pages: dict[str, str] = field(default_factory=dict[str, str])
    pictures: dict[str, Path] = field(default_factory=dict[str, Path])
    waiting: list[str] = field(default_factory=list[str])

    def lay_out(self) -> None:
        """Lay out every page of docs/, and each file that these lead to."""
        for path in sorted((self.root / "docs").rglob("*.md")):
            name = path.relative_to(self.root).as_posix()
            self.pages[place_of(name)] = self.rewritten(path.read_text("utf-8"), name)
        self._add_sections()
        while self.waiting:
            name = self.waiting.pop()
            if place_of(name) not in self.pages:
                self.pages[place_of(name)] = self._source_page(name)

    def rewritten(self, text: str, name: str, *, place: str = "") -> str:
        """Return the text of a page with its links to where the site has their targets.

        Args:
            text: Markdown.
            name: the path of its file in the repository.
            place: the path of the page in the site, unless it follows from its name.
        """
        start = PurePosixPath(place or place_of(name)).parent

        def to_place(found: re.Match[str]) -> str:
            target = found["target"]
            if target is None or "://" in target or target.startswith(("#", "mailto:")):
                return found[0]
            path, mark, part = target.partition("#")
            aim = os.path.normpath(PurePosixPath(name).parent / path)
            return f"]({os.path.relpath(self._reached(aim, name), start)}{mark}{part})"

        return _PASSED_OR_LINK.sub(to_place, text)

    def _reached(self, aim: str, name: str) -> str:
        """Return the place of a file that a page links to, and see that it gets there."""
        path = self.root / aim
        if path.is_dir():
            return self._reached(f"{aim}/README.md", name)
        if not path.is_file():
            raise Lost(f"{name}: there is no {aim}")
        if path.suffix in {".svg", ".png"}:
            self.pictures[place_of(aim)] = path
        elif not (aim.startswith("docs/") and path.suffix == ".md"):
            self.waiting.append(aim)
        return place_of(aim)

    def _source_page(self, name: str) -> str:
        """Return the page of a file outside docs/: its Markdown, or its text as code."""
        text = (self.root / name).read_text("utf-8")
        if name.endswith(".md"):
            return _UNLISTED + self.rewritten(text, name)
        language = _LANGUAGES.get(PurePosixPath(name).suffix, "text")
        return f"{_UNLISTED}# `{name}`\n\n````{language}\n{text.rstrip()}\n````\n"

    def _add_sections(self) -> None:
        """Make the first page and the page of each section from docs/README.md."""
        readme = "docs/README.md"
        parts = _parts((self.root / readme).read_text("utf-8"))
        unknown = {*self._folders()} - {*SECTIONS.values(), "decisions"}
        sections = {**SECTIONS, **{name.capitalize(): name for name in sorted(unknown)}}
        tops = list[str]()
        for title, folder in sections.items():
            top, listed = f"{folder}/index.md", parts.get(title, "")
            if top not in self.pages and (listed or folder in self._folders()):
                raised = listed.replace("\n### ", "\n## ")
                text = self.rewritten(f"# {title}\n\n{raised}", readme, place=top)
                self.pages[top] = text
            if top in self.pages:
                tops.append(top)
                self._add_contents(top, self._children(folder))
        self._add_contents("index.md", tops)
        self._add_modules()

    def _folders(self) -> set[str]:
        return {place.partition("/")[0] for place in self.pages if "/" in place}

    def _children(self, folder: str) -> list[str]:
        """Return the pages of a section: as its own list has them, and the others by title."""
        top = f"{folder}/index.md"
        listed = [
            os.path.normpath(PurePosixPath(folder) / found["target"].partition("#")[0])
            for found in _PASSED_OR_LINK.finditer(self.pages[top])
            if found["target"]
        ]
        inside = {p for p in self.pages if p.startswith(f"{folder}/") and "/oidc_" not in p}
        others = sorted(inside - {*listed, top}, key=self._by_title)
        nested = ["decisions/index.md"] if folder == "explanation" else []
        if nested:
            self._add_contents(nested[0], self._children("decisions"))
        return [*(p for p in dict.fromkeys(listed) if p in inside - {top}), *others, *nested]

    def _by_title(self, place: str) -> str:
        return title_of(self.pages[place]).casefold()

    def _add_modules(self) -> None:
        """Group the reference's pages of modules: a page for each package, and each layer."""
        modules = [p for p in self.pages if p.startswith("reference/oidc_")]
        for package in sorted({_module(place)[0] for place in modules}):
            layers = dict[str, list[str]]()
            for place in sorted(p for p in modules if _module(p)[0] == package):
                layers.setdefault(_module(place)[1], []).append(place)
            top = f"reference/modules-of-{package}.md"
            self.pages[top] = f"# Modules of `{package}`\n\nGenerated from the code, by folder.\n"
            groups = [self._group(package, layer, places) for layer, places in layers.items()]
            self._add_contents(top, groups, hidden=False)
            self._add_contents("reference/index.md", [top])

    def _group(self, package: str, layer: str, places: list[str]) -> str:
        """Return the page of a layer: its own if there is nothing else in it."""
        if len(places) == 1:
            return places[0]
        group = f"reference/modules-of-{package}.{layer}.md"
        self.pages[group] = f"# `{package}.{layer}`\n"
        self._add_contents(group, places, hidden=False)
        return group

    def _add_contents(self, place: str, entries: list[str], *, hidden: bool = True) -> None:
        start = PurePosixPath(place).parent
        lines = [os.path.relpath(entry, start) for entry in entries]
        how = [":hidden:"] if hidden else [":maxdepth: 2"]
        block = "\n".join(["```{toctree}", *how, "", *lines, "```"])
        self.pages[place] = f"{self.pages[place].rstrip()}\n\n{block}\n"

    def files(self, drawn: Callable[[str, str], str]) -> dict[str, bytes]:
        """Return the content of each file by its place.

        Args:
            drawn: puts pictures for the drawings of a page, given its place and its text.
        """
        return {
            **{place: drawn(place, text).encode() for place, text in self.pages.items()},
            **{place: path.read_bytes() for place, path in self.pictures.items()},
        }


def write_changed(folder: Path, wanted: Mapping[str, bytes]) -> None:
    """Make a folder hold these files and no others; a file that is as wanted keeps its time."""
    there = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    for place, path in there.items():
        if place not in wanted:
            path.unlink()
    for place, content in wanted.items():
        path = folder / place
        if place not in there or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def place_of(name: str) -> str:
    """Return where the site has a file of the repository, as the path of a Markdown page."""
    path = PurePosixPath(name)
    inside = path.parts[0] == "docs"
    place = PurePosixPath(*path.parts[1:]) if inside else PurePosixPath(_SOURCE, path)
    if place.name == "README.md":
        return str(place.with_name("index.md"))
    return str(place) if place.suffix in {".md", ".svg", ".png"} else f"{place}.md"


def title_of(text: str) -> str:
    """Return the title of a page."""
    found = _TITLE.search(text)
    if found is None:
        raise Lost(f"there is no title in: {text[:60]}")
    return found[1]


def _parts(text: str) -> dict[str, str]:
    """Return the text below each heading of the second level."""
    pieces = _PART.split(text)[1:]
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def _module(place: str) -> tuple[str, str]:
    """Return the package and the layer of a module's page."""
    package, layer = PurePosixPath(place).stem.split(".")[:2]
    return package, layer


def links(text: str) -> Iterator[str]:
    """Yield the targets of a page's links."""
    yield from (found["target"] for found in _PASSED_OR_LINK.finditer(text) if found["target"])
