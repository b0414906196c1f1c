"""Sessions of browsers in Django's own sessions."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from oidc_adapters.web.requests import WebRequest
from oidc_adapters.web.sessions import Sessions
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import as_setting
from tests.adapters.web.django.project import Project
from tests.parties import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    Made = Callable[..., Project]


def test_it_is_what_the_routes_take(project: Made) -> None:
    from oidc_adapters.web.django.door import Door

    project()
    sessions = Door.of_settings().sessions

    assert as_setting(sessions, Sessions, "sessions") is sessions
    assert len(sessions.reserve()) == 43
    assert sessions.forgotten() == ()


def test_outside_of_a_request_there_is_no_session(project: Made) -> None:
    from oidc_adapters.web.django.door import Door

    project()
    request: Any = WebRequest.of("GET", "/")
    refused(UsageError, "parameter_invalid", lambda: Door.of_settings().web.user(request))


def test_djangos_session_has_the_name_alone(project: Made) -> None:
    site = project()
    site.log_in()

    held = dict(site.browser.session)

    assert {*held} == {"_auth_user_id", "_auth_user_backend", "_auth_user_hash", "oidc_session"}
    assert held["_auth_user_backend"] == "oidc_adapters.web.django.backends.OidcBackend"


def test_a_mistake_in_a_function_of_the_project_is_logged(
    project: Made, caplog: pytest.LogCaptureFixture
) -> None:
    site = project(USER_OF="tests.adapters.web.django.test_accounts.mistaken")
    with caplog.at_level(logging.ERROR, "oidc_adapters.web.django"):
        reply = site.log_in()

    assert reply.status_code == 503
    assert "LookupError: no such group" in caplog.text
    assert site.ask("/").content == b"nobody 1"


def test_a_name_that_is_no_text_is_no_session(project: Made) -> None:
    site = project()
    site.ask("/")
    session = site.browser.session
    session["oidc_session"] = 5
    session.save()

    assert site.ask("/mine").status_code == 303
