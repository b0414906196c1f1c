"""Small applications, and worlds for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from oidc_adapters.testing.applications.book import Book
from oidc_adapters.testing.applications.browsers import Browser
from oidc_adapters.testing.applications.callers import WsgiCaller
from oidc_adapters.testing.applications.routes import Routes
from oidc_adapters.testing.applications.visits import PageAnswer, SentRequest, Visit
from oidc_adapters.testing.applications.world import World

Page = Callable[[dict[str, Any]], tuple[int, list[tuple[str, str]], str]]
SITE: Final = "https://app.example"


def pages(found: Mapping[str, Page]) -> Callable[..., list[bytes]]:
    """Return a WSGI application with these pages; any other one is a 404."""

    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        page = found.get(environ["PATH_INFO"], shows("not here", 404))
        status, headers, text = page(environ)
        start(f"{status} Told", [("content-type", "text/html"), *headers])
        return [text.encode()]

    return application


def to(url: str, *cookies: str, status: int = 303) -> Page:
    """Return a page that redirects."""
    return lambda _: (status, [("location", url), *[("set-cookie", c) for c in cookies]], "")


def shows(text: str, status: int = 200) -> Page:
    """Return a page that shows a text."""
    return lambda _: (status, [], text)


class House:
    """A world with an application and a browser."""

    def __init__(self, found: Mapping[str, Page], *, connections: int = 1) -> None:
        self.world = World(Routes(), connections)
        self.book = Book(self.world)
        caller = WsgiCaller(pages(found))
        self.browser = Browser(0, self.world, self.book, caller)
        self.other = Browser(1, self.world, self.book, caller)

    def authorization_url(self, state: str, place: int = 0) -> str:
        """Return where a login goes."""
        provider = self.world.providers[place]
        client = provider.clients[0]
        return (
            f"{provider.base}/authorize?response_type=code&client_id={client.client_id}"
            f"&redirect_uri={client.redirect_uris[0]}&scope=openid&state={state}"
            f"&nonce=nonce-of-{state}&code_challenge={'c' * 43}&code_challenge_method=S256"
        )


def visit_of(
    status: int = 200,
    headers: tuple[tuple[str, str], ...] = (),
    text: str = "",
    *,
    url: str = f"{SITE}/",
    told: str = "",
    navigates: bool = True,
    troubled: bool = False,
) -> Visit:
    """Return a visit."""
    return Visit(
        place="browser 0, tab 0",
        request=SentRequest(method="GET", url=url),
        answer=PageAnswer(status=status, headers=headers, body=text.encode(), told=told),
        navigates=navigates,
        troubled=troubled,
    )
