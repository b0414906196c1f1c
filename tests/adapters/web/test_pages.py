"""Pages in plain words, with everything escaped."""

from __future__ import annotations

from typing import get_args

import pytest

from oidc_adapters.web.pages import (
    Failure,
    Page,
    WayOn,
    elsewhere,
    failure_of,
    left_page,
    login_page,
    logout_page,
    page_html,
)
from oidc_core.wire.codes import CODES, Kind
from oidc_core.wire.errors import CallbackError, OidcError, ProviderError

HOME = WayOn(label="Home", url="/")
LOGIN = WayOn(label="Log in", url="/login")


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_of_failure_has_words_and_a_way_on(kind: Kind) -> None:
    error = CallbackError("state_unknown", kind=kind, retry_after=7)
    page = failure_of(error, (LOGIN,), HOME)

    assert (page.status, page.kind, page.code) == (error.answer_status, kind, "state_unknown")
    assert page.title
    assert page.text
    assert page.ways[-1] == HOME
    assert (LOGIN in page.ways) is (kind not in {"configuration", "suspicious"})
    assert page.retry_after == 7


def test_a_person_is_told_what_a_user_can_do() -> None:
    errors = (
        ProviderError("access_denied"),
        CallbackError("account_refused"),
        CallbackError("account_mismatch"),
    )

    titles = [failure_of(error, (LOGIN,), HOME).title for error in errors]

    assert titles == [
        "You are not logged in",
        "You have no account here",
        "Somebody else is logged in",
    ]


def test_every_kind_of_the_table_is_known() -> None:
    assert {row.kind for row in CODES.values()} <= set(get_args(Kind))


def test_a_login_starts_at_the_only_provider_or_at_one_of_several() -> None:
    fields = (("return_to", "/orders"),)
    (only,) = login_page("/login", fields, ["blue"]).ways
    first, second = login_page("/login", fields, ["blue", "https://green.example/a"]).ways

    assert (only.label, only.fields) == ("Log in", fields)
    assert (first.label, second.label) == ("Log in with blue", "Log in with green.example")
    assert second.fields == (*fields, ("provider", "https://green.example/a"))


def test_a_logout_is_asked_for_and_goes_on_by_a_form() -> None:
    fields = (("a", "b"),)
    for page in (logout_page("/logout", fields, HOME), left_page("/logout", fields, HOME)):
        way, home = page.ways
        assert (way.url, way.method, way.fields, home) == ("/logout", "post", fields, HOME)


def test_the_words_of_a_provider_are_not_shown() -> None:
    error: OidcError = ProviderError("<b>x</b>", error_description="<script>alert(1)</script>")

    html = page_html(failure_of(error, (LOGIN,), HOME))

    assert "script" not in html
    assert "<b>" not in html


def test_everything_is_escaped() -> None:
    hostile = "\"><script>'&"
    ways = (
        WayOn(label=hostile, url=hostile),
        WayOn(label=hostile, url=hostile, method="post", fields=((hostile, hostile),)),
    )
    plain = page_html(Page(title=hostile, text=hostile, ways=ways))
    failed = page_html(Failure(title=hostile, text=hostile, ways=(), kind="later", code=hostile))

    assert "<script" not in plain + failed
    assert plain.count("&quot;&gt;&lt;script&gt;&#x27;&amp;") == 9


def test_a_page_says_its_language_and_fits_a_phone() -> None:
    html = page_html(elsewhere(HOME))

    assert html.startswith('<!doctype html><html lang="en">')
    assert 'name="viewport"' in html
    assert html.count("<h1>") == html.count("<main>") == 1


def test_no_address_shows() -> None:
    assert "token" not in repr(WayOn(label="Go on", url="/?token", fields=(("a", "token"),)))
