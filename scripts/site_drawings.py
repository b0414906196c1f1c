"""The pictures of the site: what pages write in Mermaid, drawn by Mermaid in Chromium.

A code host draws these blocks by itself. The site has them as files, one for light pages and one
for dark pages, so that a reader's browser runs nothing. A drawing is made once for its text and
kept in a folder; only a new one needs Chromium and the package of Mermaid.
"""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.browser import chromium
from tests.interop.install import Unavailable
from tests.interop.node import find_node, installed_packages

from site_pages import Lost

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER: Final = "_drawings"
SCHEMES: Final = ("light", "dark")

_SOURCE: Final = Path(__file__).parent / "site_mermaid"
_MERMAID: Final = "node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js"
_BLOCK: Final = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WORDS: Final = re.compile(r"^ *acc(Title|Descr): (.+)$", re.MULTILINE)
_DRAW: Final = """
async ([name, text, scheme]) => {
    mermaid.initialize({
        startOnLoad: false,
        securityLevel: "strict",
        theme: scheme === "dark" ? "dark" : "neutral",
        fontFamily: "sans-serif",
        fontSize: 12,
        htmlLabels: false,
        flowchart: { htmlLabels: false, useMaxWidth: false, wrappingWidth: 400 },
        sequence: {
            useMaxWidth: false,
            mirrorActors: false,
            width: 100,
            height: 44,
            actorMargin: 20,
            diagramMarginX: 4,
            messageMargin: 28,
        },
        state: { useMaxWidth: false },
    });
    const { svg } = await mermaid.render(name, text);
    const shown = new DOMParser().parseFromString(svg, "text/html").querySelector("svg");
    return new XMLSerializer().serializeToString(shown);
}
"""


@dataclass(frozen=True)
class Drawing:
    """A picture in Mermaid.

    Attributes:
        text: the block of the page.
        title: what it is, for people who do not see it.
        words: what it shows.
    """

    text: str
    title: str
    words: str

    @classmethod
    def of(cls, text: str, place: str) -> Drawing:
        """Return the drawing of a block.

        Raises:
            Lost: it says nothing to people who do not see it.
        """
        words = dict(_WORDS.findall(text))
        if {*words} != {"Title", "Descr"}:
            raise Lost(f"{place}: a picture in Mermaid needs accTitle and accDescr, a line each")
        return cls(text=text, title=words["Title"], words=words["Descr"])

    def file(self, scheme: str) -> str:
        """Return the name of its file; another text, or way to draw, has another name."""
        lock = (_SOURCE / "package-lock.json").read_text("utf-8")
        said = f"{scheme}\n{self.text}\n{_DRAW}\n{lock}"
        return f"{hashlib.sha256(said.encode()).hexdigest()[:16]}-{scheme}.svg"

    def markdown(self) -> str:
        """Return the two pictures in a frame that scrolls, of which a page shows one."""
        alt = re.sub(r"([\[\]\\`*_<])", r"\\\1", self.words)
        shown = " ".join(f"![{alt}](/{FOLDER}/{self.file(s)}){{.only-{s}}}" for s in SCHEMES)
        name = html.escape(self.title)
        frame = f'<div class="picture" role="group" tabindex="0" aria-label="{name}">'
        return f"{frame}\n\n{shown}\n\n</div>\n"


def drawings_of(text: str, place: str) -> list[Drawing]:
    """Return the drawings of a page."""
    return [Drawing.of(found[1], place) for found in _BLOCK.finditer(text)]


def with_pictures(text: str, place: str) -> str:
    """Return the text of a page with pictures in the places of its drawings."""
    return _BLOCK.sub(lambda found: Drawing.of(found[1], place).markdown(), text)


def draw(drawings: Iterable[Drawing], kept: Path) -> dict[str, Path]:
    """Draw what is not yet drawn, and return the file of each drawing by its name.

    Raises:
        Unavailable: Chromium or Mermaid is missing.
    """
    kept.mkdir(parents=True, exist_ok=True)
    files = {each.file(scheme): (each, scheme) for each in drawings for scheme in SCHEMES}
    missing = {name: each for name, each in files.items() if not (kept / name).exists()}
    if missing:
        _draw(missing, kept)
    return {name: kept / name for name in files}


def _draw(missing: dict[str, tuple[Drawing, str]], kept: Path) -> None:
    reason = chromium.lacking()
    if reason is not None:
        raise Unavailable(f"the pictures cannot be drawn: {reason}")
    mermaid = installed_packages(find_node(), _SOURCE) / _MERMAID
    browser = chromium.Chromium()

    async def steps() -> None:
        async with browser.tab() as tab:
            await tab.page.set_content("<!doctype html><title>Pictures</title>")
            await tab.page.add_script_tag(path=mermaid)
            for name, (drawing, scheme) in missing.items():
                asked: list[Any] = [f"d{name[:16]}", drawing.text, scheme]
                svg: str = await tab.page.evaluate(_DRAW, asked)
                (kept / name).write_text(svg, "utf-8")

    try:
        browser.open()
        browser.walk(steps())
    finally:
        browser.close()
