"""A whole login, fresh tokens and a logout through each door of the library at each provider."""

from __future__ import annotations

import http.cookies
import re
from collections.abc import Mapping
from contextlib import ExitStack
from html import unescape
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import pytest

from oidc_adapters.stores.records import MemoryRecords
from oidc_core.model.policy import Policy
from tests.interop.browser import Arrival, Browser
from tests.interop.clients import POST_LOGOUT_REDIRECT_URI, REDIRECT_URI
from tests.interop.doors import DOORS, Ask, Door, Reached
from tests.interop.parties import SCREENS, Party
from tests.interop.test_matrix import party

__all__ = ["party"]

SECRET: Final = "a secret of this application, 32 octets or more"
NAVIGATION: Final = {
    "accept": "text/html",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
}
HERE: Final = {"sec-fetch-site": "same-origin"}
ELSEWHERE: Final = {"sec-fetch-site": "cross-site"}


class Visitor:
    """A browser with one tab, which keeps the cookies of the application."""

    def __init__(self, ask: Ask) -> None:
        self.application = ask
        self.cookies: dict[str, str] = {}

    def ask(
        self, target: str, *, form: Mapping[str, str] | None = None, site: Any = HERE
    ) -> Reached:
        """Navigate to a page, or send a form to it."""
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {**NAVIGATION, **site, "cookie": jar}
        if form is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        body = b"" if form is None else urlencode(form).encode()
        reached = self.application("GET" if form is None else "POST", target, headers, body)
        for name, value in reached.headers:
            if name.lower() == "set-cookie":
                self._keep(value)
        return reached

    def submit(self, target: str) -> Reached:
        """Open a page with one form, and send the form."""
        page = self.ask(target).body.decode()
        (url,) = re.findall(r'action="([^"]*)"', page)
        fields = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page)
        return self.ask(url, form={name: unescape(value) for name, value in fields})

    def arrive(self, arrival: Arrival) -> Reached:
        """Come back from the provider."""
        parts = urlsplit(arrival.url)
        form = None if arrival.form is None else dict(arrival.form)
        return self.ask(f"{parts.path}?{parts.query}", form=form, site=ELSEWHERE)

    def _keep(self, header: str) -> None:
        for name, morsel in http.cookies.SimpleCookie(header).items():
            if morsel["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value


def settings_at(party: Party) -> dict[str, Any]:
    """Register a client, and return the settings of its application."""
    members = {"id_token_signed_response_alg": party.tried.id_token_alg}
    client_id, client_secret = party.register({"auth_method": "client_secret_basic", **members})
    return {
        "OIDC_ISSUER": party.issuer,
        "OIDC_CLIENT_ID": client_id,
        "OIDC_CLIENT_SECRET": client_secret,
        "OIDC_REDIRECT_URI": REDIRECT_URI,
        "OIDC_POST_LOGOUT_REDIRECT_URI": POST_LOGOUT_REDIRECT_URI,
        "OIDC_POLICY": Policy(quirks=frozenset(party.tried.quirks)),
        "OIDC_SECRET": SECRET,
        "OIDC_RECORDS": MemoryRecords(),
    }


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_a_whole_login_and_logout(party: Party, door: Door) -> None:
    with ExitStack() as stack:
        there_and_back(party, Visitor(door.make(settings_at(party), stack)), door.page)


def there_and_back(party: Party, visitor: Visitor, page: str) -> None:
    browser = Browser(party.origin, SCREENS[party.tried.key])

    challenge = visitor.ask(f"{page}?tab=2")
    assert challenge.status == 303
    started = visitor.submit(challenge.header("location"))
    back = visitor.arrive(browser.authorize(started.header("location")))
    assert (back.status, back.header("location")) == (303, f"{page}?tab=2")
    shown = visitor.ask(back.header("location"))
    assert shown.status == 200
    subject, has_token = shown.body.decode().rsplit(" ", 1)
    assert (bool(subject), has_token) == (True, "True")

    left = visitor.submit("/logout")
    came = visitor.arrive(browser.end_session(left.header("location")))

    assert came.header("location") == "/"
    assert visitor.ask(page).status == 303
