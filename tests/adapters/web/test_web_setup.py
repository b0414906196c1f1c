"""Settings of the web routes, and the place of the application in the web."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_adapters.web.requests import WebRequest
from oidc_adapters.web.web_setup import Site, WebSetup
from oidc_core.wire.errors import UsageError
from tests.adapters.web.visiting import NAVIGATION, house
from tests.parties import refused, relying_party


@pytest.mark.parametrize("name", ["login_path", "logout_path", "home", "goodbye"])
@pytest.mark.parametrize("value", ["", "login", "//evil.example", "/a?b", "/a#b", 1])
def test_paths_are_paths_of_the_application(name: str, value: Any) -> None:
    error = refused(UsageError, "config_invalid", lambda: WebSetup(**{name: value}))

    assert error.about == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("login_by_get", 1),
        ("claims", "name"),
        ("evidence", "yes"),
        ("request", {}),
        ("draw", "html"),
        ("on_failure", "logger"),
        ("admit", True),
    ],
)
def test_other_settings_are_judged(name: str, value: Any) -> None:
    error = refused(UsageError, "config_invalid", lambda: WebSetup(**{name: value}))

    assert error.about == name


def test_no_login_leads_to_itself() -> None:
    error = refused(UsageError, "config_invalid", lambda: WebSetup(home="/login"))

    assert error.about == "home"


def test_claims_may_be_a_list() -> None:
    claims: Any = ["sub"]

    assert WebSetup(claims=claims).claims == ("sub",)


def test_the_place_is_that_of_the_redirect_uris() -> None:
    uris = ("https://RP.example/app/callback", "https://rp.example:443/other?x=1")
    site = Site.of((relying_party(client={"redirect_uris": uris}),))

    assert site.origin == "https://rp.example:443"
    assert site.url_of("/app/callback") == "https://RP.example/app/callback"
    assert site.url_of("/other") == "https://rp.example:443/other"
    assert site.url_of("/app/logout") == "https://RP.example/app/logout"


def test_a_redirect_uri_may_be_the_root() -> None:
    site = Site.of((relying_party(client={"redirect_uris": ("https://rp.example",)}),))

    assert site.url_of("/") == "https://rp.example"
    assert site.url_of("/logout") == "https://rp.example/logout"


def test_one_application_has_one_host() -> None:
    uris = ("https://rp.example/callback", "https://other.example/callback")
    rp = relying_party(client={"redirect_uris": uris})

    error = refused(UsageError, "config_invalid", lambda: Site.of((rp,)))

    assert error.about == "redirect_uri"


def test_a_form_may_post_more() -> None:
    fields = (("csrf_token", "t0"),)
    web = house(settings={"form_fields": lambda: fields, "login_by_get": False}).web
    for path, route in (("/login", web.login), ("/logout", web.logout)):
        reply = route(WebRequest.of("GET", path, headers=NAVIGATION.items()))
        assert b'<input type="hidden" name="csrf_token" value="t0">' in reply.body

    wrong: Any = "csrf_token"
    error = refused(UsageError, "config_invalid", lambda: WebSetup(form_fields=wrong))
    assert error.about == "form_fields"
