"""The pictures of the pages are what the code says, and each has words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import picture_of_layers
import picture_of_login
import pictures_in_pages
import site_drawings
import site_pages
from tests.docs.pages import ROOT, Page, all_pages

if TYPE_CHECKING:
    from pathlib import Path


def test_the_pictures_are_up_to_date() -> None:
    assert pictures_in_pages.outdated() == [], "run .venv/bin/python scripts/pictures"


def test_a_login_has_its_messages_in_order() -> None:
    lines = [line.strip() for line in picture_of_login.picture().splitlines()]
    needed = [
        "Browser->>Application: GET /login",
        "Note over oidc_core: AwaitingTokens",
        "oidc_core->>Provider: GET /jwks",
        "Provider-->>oidc_core: 200 (keys)",
        "oidc_core-->>Application: LoggedIn",
    ]

    assert [line for line in lines if line in needed] == needed


def test_no_value_of_a_login_is_in_its_picture() -> None:
    assert "op.example" not in picture_of_login.picture()
    assert picture_of_login.picture() == picture_of_login.picture()


def test_the_layers_are_those_of_the_contract() -> None:
    core = [name for row in picture_of_layers.layers_of("oidc_core") for name in row]
    folders = {path.parent.name for path in (ROOT / "src" / "oidc_core").glob("*/__init__.py")}

    assert {*core} == {*folders, "codec"}


def test_an_arrow_that_others_imply_is_left_out() -> None:
    assert picture_of_layers.shortest({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == [
        ("a", "b"),
        ("b", "c"),
    ]


def test_an_outdated_picture_is_named(tmp_path: Path) -> None:
    for page in ("login-flow.md", "layers.md"):
        text = (ROOT / "docs" / "explanation" / page).read_text("utf-8")
        (tmp_path / "docs" / "explanation").mkdir(parents=True, exist_ok=True)
        changed = text.replace("GET /login", "GET /logon")
        (tmp_path / "docs" / "explanation" / page).write_text(changed, "utf-8")

    assert pictures_in_pages.outdated(tmp_path) == ["docs/explanation/login-flow.md: login"]


def test_a_page_without_a_place_for_its_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        pictures_in_pages.drawn("# A page\n", "login", "")


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.path)
def test_each_picture_has_words(page: Page) -> None:
    site_drawings.drawings_of(page.text, page.path)


def test_a_picture_without_words_is_refused() -> None:
    with pytest.raises(site_pages.Lost, match="accTitle"):
        site_drawings.drawings_of("```mermaid\nflowchart TD\n    a --> b\n```\n", "page")
