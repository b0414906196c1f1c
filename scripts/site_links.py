"""The links of the built site: each leads to a page and an anchor that are there."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Final
from urllib.parse import unquote, urlsplit

_OWN_MACHINE: Final = ("localhost", "127.0.0.1")
_TARGETS: Final = {"a": "href", "link": "href", "img": "src", "script": "src", "form": "action"}


@dataclass
class Seen(HTMLParser):
    """The anchors and targets of one page.

    Attributes:
        anchors: the ids.
        targets: where links, pictures, scripts and styles lead.
        loaded: those that a browser loads by itself.
    """

    anchors: list[str] = field(default_factory=list[str])
    targets: list[str] = field(default_factory=list[str])
    loaded: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write down the anchor and the target of an element."""
        members = dict(attrs)
        if members.get("id"):
            self.anchors.append(members["id"] or "")
        target = members.get(_TARGETS.get(tag, ""))
        if target:
            self.targets.append(target)
            if tag in {"img", "script"} or (tag == "link" and "stylesheet" in _relation(members)):
                self.loaded.append(target)


def _relation(members: dict[str, str | None]) -> str:
    return members.get("rel") or ""


@dataclass(frozen=True)
class Links:
    """The faults of the links of a site, and the addresses of other sites.

    Attributes:
        lost: a line for each fault.
        external: the addresses of other sites.
        checked: how many links lead to the site itself.
    """

    lost: list[str]
    external: list[str]
    checked: int


def links_of(folder: Path) -> Links:
    """Follow every link of the pages below a folder."""
    pages = {path.relative_to(folder).as_posix(): _seen(path) for path in folder.rglob("*.html")}
    lost, external, checked = list[str](), set[str](), 0
    for name, page in sorted(pages.items()):
        lost += [f"{name}: the anchor #{each} is there twice" for each in _twice(page.anchors)]
        lost += [f"{name}: loads {each} from elsewhere" for each in page.loaded if "//" in each]
        for target in page.targets:
            if urlsplit(target).scheme:
                external.add(target)
                continue
            checked += 1
            if not _is_there(folder, pages, name, target):
                lost.append(f"{name}: {target} leads nowhere")
    wrong = [each for each in external if not _has_good_form(each)]
    lost += [f"{each} is no address of a page" for each in wrong]
    return Links(lost=lost, external=sorted(external), checked=checked)


def _seen(path: Path) -> Seen:
    seen = Seen()
    seen.feed(path.read_text("utf-8"))
    return seen


def _twice(anchors: list[str]) -> list[str]:
    return sorted({each for each in anchors if anchors.count(each) > 1})


def _is_there(folder: Path, pages: dict[str, Seen], name: str, target: str) -> bool:
    parts = urlsplit(target)
    path = unquote(parts.path)
    aim = normpath(str(PurePosixPath(name).parent / path)) if path else name
    if aim.startswith("..") or not (folder / aim).is_file():
        return False
    fragment = unquote(parts.fragment)
    return not fragment or aim not in pages or fragment in pages[aim].anchors


def _has_good_form(address: str) -> bool:
    """Say whether an address is one of a public page, or of the reader's own machine."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if host in _OWN_MACHINE:
        return parts.scheme == "http"
    return parts.scheme == "https" and "." in host and not host.endswith((".example", "."))
