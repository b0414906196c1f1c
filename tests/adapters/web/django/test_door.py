"""The routes of a project, by its settings."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from oidc_adapters.web.pages import page_html
from tests.adapters.web.django.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from oidc_adapters.web.django.door import Door
    from oidc_adapters.web.pages import Page

    Made = Callable[..., Project]


def door() -> Door:
    from oidc_adapters.web.django.door import Door

    return Door.of_settings()


def plain(page: Page) -> str:
    """Draw a page in the project's own way."""
    return f"ours: {page.title}"


def test_settings_of_django_count(project: Made) -> None:
    project(LOGIN_REDIRECT_URL="/welcome", LOGOUT_REDIRECT_URL="/bye", SESSION_COOKIE_AGE=600)

    assert (door().web.setup.home, door().web.setup.goodbye) == ("/welcome", "/bye")
    assert door().web.setup.draw is page_html


def test_a_name_of_a_route_is_a_place(project: Made) -> None:
    project(LOGIN_REDIRECT_URL="oidc:logout")

    assert door().web.setup.home == "/logout"


def test_our_settings_go_first(project: Made) -> None:
    site = project(HOME="/first", GOODBYE="/last", LOGIN_REDIRECT_URL="/welcome", DRAW=plain)

    assert (door().web.setup.home, door().web.setup.goodbye) == ("/first", "/last")
    assert site.ask("/logout").content == b"ours: Log out?"


def test_a_function_by_its_path(project: Made) -> None:
    site = project(DRAW="tests.adapters.web.django.test_door.plain")

    assert site.ask("/logout").content == b"ours: Log out?"


def test_the_door_is_made_once(project: Made) -> None:
    project()
    first = door()
    assert door() is first

    project()
    assert door() is not first


def test_the_store_is_a_file_next_to_the_project(project: Made, tmp_path: Any) -> None:
    site = project(BASE_DIR=tmp_path, RECORDS=None)
    site.log_in()

    assert (tmp_path / "oidc.db").exists()
    assert site.ask("/mine").status_code == 200
    door().web.clients[0].close()


def test_the_secret_of_the_project_is_replaced(project: Made) -> None:
    site = project()
    site.log_in()
    changed = {"RECORDS": site.records, "TRANSPORT": site.transport, "provider": site.provider}

    newer = "a newer secret of this project, of 32 octets"
    after = project(SECRET_KEY=newer, SECRET_KEY_FALLBACKS=[_old()], **changed)

    assert after.ask("/mine", browser=site.browser).status_code == 200


def test_the_session_lasts_as_long_as_djangos(
    project: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    module: Any = import_module("oidc_adapters.web.django.door")

    held: list[Any] = []

    def spied(config: Any, **named: Any) -> Any:
        held.append(config)
        return made(config, **named)

    made = module.web_login_of
    monkeypatch.setattr(module, "web_login_of", spied)
    project(SESSION_COOKIE_AGE=600)
    door()

    assert (held[0]["OIDC_LIFETIME"], held[0]["OIDC_IDLE"]) == (600, 600)


def _old() -> str:
    from tests.adapters.web.django.project import SECRET

    return SECRET
