"""The middleware: it ends what a provider has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from oidc_core.wire.errors import UsageError
from tests.adapters.web.django.project import ALWAYS, MIDDLEWARE, Project
from tests.adapters.web.visiting import FETCH

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = Callable[..., Project]


def away(site: Project) -> None:
    def fail(_name: str, _key: str) -> None:
        raise ConnectionError("the store is away")

    site.records.before = fail


def test_a_public_page_needs_no_store(project: Made) -> None:
    site = project()
    site.log_in()
    away(site)

    assert site.ask("/admin/jsi18n/").status_code in {200, 302, 503}
    assert site.ask("/goodbye")["location"] == "/"


def test_a_page_for_users_says_that_the_store_is_away(project: Made) -> None:
    site = project()
    site.log_in()
    away(site)

    reply = site.ask("/orders")
    assert (reply.status_code, "store_unavailable" in reply.content.decode()) == (503, True)
    assert site.ask("/orders", headers=FETCH).json()["error"] == "store_unavailable"


def test_so_does_a_project_whose_pages_all_need_a_login(project: Made) -> None:
    site = project(MIDDLEWARE=(*MIDDLEWARE, ALWAYS))
    site.log_in()
    away(site)

    assert site.ask("/orders").status_code == 503


def test_it_costs_one_read_for_a_request(project: Made) -> None:
    site = project()
    site.log_in()
    site.records.calls.clear()

    assert site.ask("/mine").status_code == 200

    assert site.records.calls == ["read"]


def test_a_browser_without_a_session_costs_none(project: Made) -> None:
    site = project()
    site.ask("/orders")

    assert site.records.calls == []


def test_without_it_nobody_is_logged_in(project: Made, caplog: pytest.LogCaptureFixture) -> None:
    site = project(MIDDLEWARE=MIDDLEWARE[:-1])

    assert site.log_in().status_code == 500
    assert "config_invalid (MIDDLEWARE)" in caplog.text
    assert site.ask("/").content == b"nobody 1"


def test_a_mistake_in_the_code_is_left_to_django(project: Made) -> None:
    site = project()

    with pytest.raises(UsageError):
        site.ask("/wrong")


def test_a_session_of_a_client_that_is_gone_is_nobody(project: Made) -> None:
    before = project()
    before.log_in()
    assert before.ask("/").content.startswith(b"somebody")

    after = project(provider=before.provider, RECORDS=before.records, CLIENT_ID="another")

    assert after.ask("/", browser=before.browser).content.startswith(b"nobody")
    assert after.ask("/mine", browser=before.browser).status_code == 303
