"""Links between pages lead somewhere, and every page is reached from the index."""

from __future__ import annotations

from typing import Final

import pytest

from tests.docs.pages import ROOT, Page, all_pages, written_pages

PAGES: Final = all_pages()


def targets(page: Page) -> list[str]:
    """The files a page links to, as paths from the root."""
    folder = (ROOT / page.path).parent
    local = [link.partition("#")[0] for link in page.links if "://" not in link]
    return [(folder / link).resolve().relative_to(ROOT).as_posix() for link in local if link]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_links_lead_to_files(page: Page) -> None:
    assert [target for target in targets(page) if not (ROOT / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_links_lead_to_headings(page: Page) -> None:
    folder = (ROOT / page.path).parent
    links = [link.partition("#") for link in page.links if "://" not in link and "#" in link]
    leading = [(folder / name if name else ROOT / page.path, part) for name, _, part in links]
    lost = [
        f"{target}#{part}"
        for target, part in leading
        if target.is_file() and part not in Page(target.as_posix()).anchors
    ]

    assert lost == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    known: set[str] = set()
    waiting = ["README.md"]
    while waiting:
        path = waiting.pop()
        if path not in known and path.endswith(".md"):
            known.add(path)
            waiting += targets(Page(path))

    assert [page.path for page in written_pages() if page.path not in known] == []
