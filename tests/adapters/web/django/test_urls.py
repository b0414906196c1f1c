"""The routes and their paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from tests.adapters.web.django.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = Callable[..., Project]


def places() -> dict[str | None, str]:
    from oidc_adapters.web.django.urls import routes

    return {route.name: str(route.pattern) for route in routes()}


def test_each_route_has_a_name(project: Made) -> None:
    project()

    assert places() == {
        "login": "login",
        "logout": "logout",
        "callback": "callback",
        "after_logout": "goodbye",
        "backchannel_logout": "backchannel-logout",
        "frontchannel_logout": "frontchannel-logout",
    }
    assert reverse("oidc:login") == "/login"


def test_paths_are_below_the_root_of_the_project(project: Made) -> None:
    project(
        FORCE_SCRIPT_NAME="/app",
        LOGIN_PATH="/app/enter",
        REDIRECT_URI="https://rp.example/app/auth/callback",
        POST_LOGOUT_REDIRECT_URI=None,
    )

    assert (places()["login"], places()["callback"]) == ("enter", "auth/callback")
    assert "after_logout" not in places()


def test_a_page_of_the_project_takes_browsers_back(project: Made) -> None:
    project(GOODBYE="/goodbye")

    assert "after_logout" not in places()


def test_a_wrong_setting_leaves_routes_that_say_so(project: Made) -> None:
    site = project(ISSUE="https://op.example")
    site.browser.raise_request_exception = False

    assert places()["login"] == "login"
    assert site.ask("/login").status_code == 500
