"""The application in ``INSTALLED_APPS``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.adapters.web.django.project import Project, apps

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = Callable[..., Project]


def test_the_application_has_a_name_of_its_own() -> None:
    app = apps.get_app_config("oidc")

    assert (app.name, app.verbose_name) == ("oidc_adapters.web.django", "OpenID Connect")
    assert [*app.get_models()] == []


def test_a_logout_by_djangos_own_call_ends_the_grant(project: Made) -> None:
    from oidc_adapters.web.django.door import Door

    site = project()
    site.log_in()
    name = site.browser.session["oidc_session"]
    web = Door.of_settings().web
    kept = Door.of_settings().sessions.named(name)
    assert kept is not None
    assert web.tokens(kept).fresh().access_token

    site.ask("/leave")

    assert Door.of_settings().sessions.named(name) is None
    assert web.tokens(kept).end() is None


def test_the_test_client_may_log_a_user_out(project: Made) -> None:
    site = project()
    site.log_in()

    site.browser.logout()

    assert site.ask("/").content == b"nobody 1"


def test_paths_follow_the_settings(project: Made) -> None:
    project()
    site = project(LOGIN_PATH="/enter")

    assert site.ask("/enter?next=/orders").status_code == 303
    assert site.ask("/login").status_code == 404
