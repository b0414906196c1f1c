"""How pages are laid out for the site, and how its links are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import site_build
import site_pages
from oidc_core.wire.codes import CODES
from site_links import links_of
from tests.docs.counts import counted
from tests.docs.pages import ROOT, Page

if TYPE_CHECKING:
    from pathlib import Path


def planted(root: Path, files: dict[str, str]) -> site_pages.Layout:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    layout = site_pages.Layout(root=root)
    layout.lay_out()
    return layout


def contents(text: str) -> list[str]:
    block = text.partition("```{toctree}\n")[2].partition("```")[0]
    return [line for line in block.splitlines() if line and not line.startswith(":")]


README = (
    "# Title\n\n## Do\n\n- [Second](how-to/b.md): b.\n\n## Look up\n\n- [Codes](reference/c.md)\n"
)


def test_a_page_needs_only_to_exist(tmp_path: Path) -> None:
    files = {
        "docs/README.md": README,
        "docs/how-to/b.md": "# Second\n",
        "docs/how-to/z.md": "# A later one\n",
        "docs/migrate/m.md": "# Migrate\n",
        "docs/reference/README.md": "# Reference\n",
        "docs/reference/c.md": "# Codes\n",
        "docs/reference/oidc_core.wire.a.md": "# A\n",
        "docs/reference/oidc_core.wire.b.md": "# B\n",
        "docs/another/o.md": "# Other\n",
        "docs/explanation/e.md": "# E\n",
        "docs/decisions/README.md": "# Decisions\n",
        "docs/decisions/0001.md": "# One\n",
    }

    pages = planted(tmp_path, files).pages

    tops = ["how-to", "migrate", "explanation", "reference", "another"]
    assert contents(pages["index.md"]) == [f"{name}/index.md" for name in tops]
    assert contents(pages["how-to/index.md"]) == ["b.md", "z.md"]
    assert "[Second](b.md): b." in pages["how-to/index.md"]
    assert contents(pages["migrate/index.md"]) == ["m.md"]
    assert contents(pages["explanation/index.md"]) == ["e.md", "../decisions/index.md"]
    assert contents(pages["decisions/index.md"]) == ["0001.md"]
    assert contents(pages["reference/modules-of-oidc_core.wire.md"]) == [
        "oidc_core.wire.a.md",
        "oidc_core.wire.b.md",
    ]


def test_a_link_out_of_the_pages_leads_to_the_text_of_the_file(tmp_path: Path) -> None:
    page = (
        "# B\n\n[an example](../../examples/a.py), [a folder](../../examples), "
        "[c](../reference/c.md)\n[d](#d) [e](https://e.org) `[f](g.md)`\n\n"
        "```text\n[h](i.md)\n```\n"
    )
    files = {
        "docs/README.md": README,
        "docs/how-to/b.md": page,
        "docs/reference/c.md": "# Codes\n",
        "examples/a.py": "print(1)\n",
        "examples/README.md": "# Examples\n\n[code](a.py) [back](../docs/how-to/b.md)\n",
    }

    pages = planted(tmp_path, files).pages

    shown = pages["how-to/b.md"]
    assert "[an example](../source/examples/a.py.md)" in shown
    assert "[a folder](../source/examples/index.md)" in shown
    assert "[c](../reference/c.md)\n[d](#d) [e](https://e.org) `[f](g.md)`" in shown
    assert "[h](i.md)" in shown
    assert "````python\nprint(1)\n````" in pages["source/examples/a.py.md"]
    assert "nosearch: true" in pages["source/examples/a.py.md"]
    assert "[code](a.py.md) [back](../../how-to/b.md)" in pages["source/examples/index.md"]


@pytest.mark.parametrize("target", ["nowhere.md", "../../nowhere.py", "../reference"])
def test_a_link_to_nowhere_is_named(tmp_path: Path, target: str) -> None:
    files = {
        "docs/README.md": README,
        "docs/how-to/b.md": f"# B\n\n[a]({target})\n",
        "docs/reference/c.md": "# Codes\n",
    }

    with pytest.raises(site_pages.Lost, match=r"docs/how-to/b\.md: there is no "):
        planted(tmp_path, files)


def test_a_file_that_is_as_wanted_keeps_its_time(tmp_path: Path) -> None:
    site_pages.write_changed(tmp_path, {"a/b.md": b"1", "c.md": b"2"})
    before = (tmp_path / "c.md").stat().st_mtime_ns
    site_pages.write_changed(tmp_path, {"c.md": b"2", "d.md": b"3"})

    assert (tmp_path / "c.md").stat().st_mtime_ns == before
    assert not (tmp_path / "a" / "b.md").exists()
    assert (tmp_path / "d.md").read_bytes() == b"3"


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<a href="b.html#here">b</a>', ""),
        ('<a href="#top">a</a><p id="top"></p>', ""),
        ('<a href="https://e.org/a">e</a>', ""),
        ('<a href="http://localhost:8000/">e</a>', ""),
        ('<a href="c.html">c</a>', "a.html: c.html leads nowhere"),
        ('<a href="b.html#gone">b</a>', "a.html: b.html#gone leads nowhere"),
        ('<a href="../b.html">b</a>', "a.html: ../b.html leads nowhere"),
        ('<img src="d.svg">', "a.html: d.svg leads nowhere"),
        ('<p id="a"></p><p id="a"></p>', "a.html: the anchor #a is there twice"),
        ('<a href="http://e.org">e</a>', "http://e.org is no address of a page"),
        ('<a href="https://op.example">e</a>', "https://op.example is no address of a page"),
    ],
)
def test_a_link_of_the_site_is_judged(tmp_path: Path, html: str, fault: str) -> None:
    (tmp_path / "a.html").write_text(html, "utf-8")
    (tmp_path / "b.html").write_text('<p id="here">b</p>', "utf-8")

    assert links_of(tmp_path).lost == ([fault] if fault else [])


def test_what_is_loaded_from_elsewhere_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<script src="https://e.org/a.js"></script>', "utf-8")

    assert links_of(tmp_path).lost == ["a.html: loads https://e.org/a.js from elsewhere"]


def test_a_folder_with_something_else_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", "utf-8")

    with pytest.raises(site_pages.Lost, match="something else"):
        site_build._sphinx(tmp_path)
    assert (tmp_path / "mine.txt").exists()


def test_each_how_to_begins_with_words() -> None:
    """The first paragraph tells what a reader can do after it; code and tables come later."""
    pages = [Page(f"docs/how-to/{path.name}") for path in (ROOT / "docs/how-to").glob("*.md")]
    firsts = {page.path: page.text.split("\n\n")[1] for page in pages}

    assert [
        path for path, first in firsts.items() if first.startswith(("```", "|", "<", "#"))
    ] == []


def test_each_code_has_an_anchor() -> None:
    page = Page("docs/reference/codes.md").text

    assert [code for code in CODES if f'<a id="{code}"></a>' not in page] == []
    assert {*CODES} < Page("docs/reference/codes.md").anchors


def test_the_blocks_are_counted() -> None:
    found = counted([Page("README.md"), Page("docs/how-to/command-line.md")])

    assert found["pages"] == 2
    assert found["Python, run"] >= 4
    assert found["terminal sessions, run"] >= 5
