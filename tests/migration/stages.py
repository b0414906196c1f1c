"""The applications of the migration guides, each with a provider on loopback to log in at."""

from __future__ import annotations

import os
import runpy
import sys
import tempfile
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import define, field

from oidc_adapters import MemoryRecords, SystemClock
from oidc_adapters.testing import FakeClient, FakeProvider, ServedProvider, serve
from oidc_core.wire.http import HttpResponse
from tests.comparison.browser import Browser
from tests.comparison.sites import AsgiSite, Site, WsgiSite

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from tests.comparison.sites import Answer

FOLDER: Final = Path(__file__).resolve().parents[2] / "examples" / "migrate"
HOST: Final = "http://localhost"
CLIENT: Final = FakeClient(
    redirect_uris=(f"{HOST}/callback", f"{HOST}/oidc/callback/"),
    post_logout_redirect_uris=(f"{HOST}/logged-out", f"{HOST}/"),
    backchannel_logout_uri=f"{HOST}/backchannel-logout",
)
SECRET: Final = "a secret of the applications that migrate, of 32 octets or more"
SITES: Final[dict[str, Callable[[Any], Site]]] = {"flask": WsgiSite, "fastapi": AsgiSite}
LIFETIME: Final = 30
"""Seconds of an access token; Authlib renews one that has less than 60 left."""


@define
class MovingClock:
    """The clock of the machine, and the seconds that a test has moved it by."""

    moved: int = 0

    def now(self) -> int:
        """Return the seconds since the epoch."""
        return SystemClock().now() + self.moved


class _Form(HTMLParser):
    """The last form of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action, self.fields = held["action"], {}
        elif tag == "input":
            self.fields[held["name"]] = held["value"]


class Visitor(Browser):
    """A browser that presses the button of a page."""

    def press(self, page: str = "/") -> Answer:
        """Submit the form of a page."""
        form = _Form(self.ask(page)[0].text)
        return self.submit(form.action, form.fields)

    def leave(self, page: str = "/") -> tuple[dict[str, list[str]], Answer]:
        """Log out; return what the provider was asked, and what the browser shows in the end."""
        url = self.press(page).location
        assert url.startswith(f"{self.provider.issuer}/end-session?"), url
        back = self.provider.end_session(url, self.clock.now())
        assert back is not None
        self.session = None
        return parse_qs(urlsplit(url).query), self.finish(back)[0]


@define(kw_only=True)
class Stage:
    """An application that has just started, and an honest provider.

    Attributes:
        served: the provider.
        clock: the clock of the provider, and of an application with oidc-core.
        site: the application.
    """

    served: ServedProvider
    clock: MovingClock
    site: Site
    _seen: int = field(default=0, alias="seen")

    @property
    def provider(self) -> FakeProvider:
        """The provider behind the port."""
        return self.served.provider

    def browser(self, user: str = "alice") -> Visitor:
        """Return a new browser."""
        return Visitor(site=self.site, provider=self.provider, clock=self.clock, user=user)

    def token_requests(self) -> list[tuple[str, int]]:
        """Return grant type and status of the token requests since the last call."""
        sent = self.served.exchanges[self._seen :]
        self._seen += len(sent)
        return [
            (parse_qs((request.body or b"").decode())["grant_type"][0], answer.status)
            for request, answer in sent
            if isinstance(answer, HttpResponse) and request.url.endswith("/token")
        ]


def environment(issuer: str, folder: Path) -> dict[str, str]:
    """Return the environment of the applications, before and after."""
    return {
        "ISSUER": issuer,
        "CLIENT_ID": CLIENT.client_id,
        "CLIENT_SECRET": CLIENT.client_secret,
        "SECRET_KEY": SECRET,
        "API": f"{issuer}/",
        "DATA": str(folder),
    }


def given(issuer: str, clock: MovingClock) -> dict[str, Any]:
    """Return what the tests give an application with oidc-core: its clock and its store."""
    return {
        "OIDC_ISSUER": issuer,
        "OIDC_CLIENT_ID": CLIENT.client_id,
        "OIDC_CLIENT_SECRET": CLIENT.client_secret,
        "OIDC_REDIRECT_URI": f"{HOST}/callback",
        "OIDC_POST_LOGOUT_REDIRECT_URI": f"{HOST}/logged-out",
        "OIDC_SCOPE": "openid profile email offline_access",
        "OIDC_LOGIN_BY_GET": True,
        "OIDC_RECORDS": MemoryRecords(clock=clock, elapsed=lambda: float(clock.now())),
        "OIDC_CLOCK": clock,
    }


@contextmanager
def surroundings(more: Mapping[str, Any], settings: ModuleType) -> Generator[None]:
    """Lend an application variables of its environment and a module of settings."""
    with pytest.MonkeyPatch.context() as lent:
        lent.setattr(os, "environ", {**os.environ, **more})
        lent.setitem(sys.modules, "settings", settings)
        yield


@contextmanager
def stage(side: str, framework: str) -> Generator[Stage]:
    """Start a provider on loopback and an application for it."""
    clock, folder = MovingClock(), FOLDER / side / framework
    provider = FakeProvider(clients=(CLIENT,), unasked=("name",))
    with serve(provider, clock) as served, tempfile.TemporaryDirectory() as data:
        named = environment(served.issuer, Path(data))
        own = given(served.issuer, clock)
        settings = ModuleType("settings")
        with surroundings({**named, **own}, settings):
            if (folder / "settings.py").is_file():
                vars(settings).update(runpy.run_path(str(folder / "settings.py")))
            vars(settings).update(own if side == "after" else {})
            app = runpy.run_path(str(folder / "app.py"))["app"]
            site = SITES[framework](app)
            try:
                yield Stage(served=served, clock=clock, site=site)
            finally:
                site.close()
