"""The scripted browser: it follows redirects, and keeps cookies as Chromium does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from attrs import define, evolve, field

from oidc_adapters.runtime.clock import Clock
from oidc_adapters.testing import FakeProvider, Session
from tests.comparison.sites import Answer, Request, Site

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


LARGEST_COOKIE: Final = 4_096
"""Octets of name and value; Chromium and Firefox refuse a larger cookie, and keep the old one."""
MOST: Final = 30
"""Requests after which a browser gives up on redirects; Chromium takes 20 in one go."""
NAVIGATION: Final = {
    "Accept": "text/html,application/xhtml+xml",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Site": "same-origin",
}
FETCH: Final = {"Accept": "application/json", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}


@define(kw_only=True)
class Browser:
    """A browser.

    Attributes:
        site: the application.
        provider: the provider.
        clock: tells the provider the time.
        user: who sits in front of it.
        cookies: its cookies for the application.
        session: its session at the provider.
        asked: how many requests it made, at the application and at the provider.
    """

    site: Site
    provider: FakeProvider
    clock: Clock
    user: str = "alice"
    cookies: dict[str, str] = field(factory=dict[str, str])
    session: Session | None = None
    asked: int = 0

    def ask(self, *urls: str, headers: Mapping[str, str] = NAVIGATION) -> list[Answer]:
        """Ask the application for several things at once; then keep the cookies, in order."""
        self.asked += len(urls)
        return self._sent([Request(path=_path(url), headers=headers) for url in urls])

    def submit(self, url: str, fields: Mapping[str, str]) -> Answer:
        """Submit a form to the application."""
        body = urlencode(fields).encode()
        headers = {**NAVIGATION, "Content-Type": "application/x-www-form-urlencoded"}
        return self._sent([Request(path=_path(url), headers=headers, method="POST", body=body)])[0]

    def _sent(self, requests: Sequence[Request]) -> list[Answer]:
        header = "; ".join([f"{name}={value}" for name, value in self.cookies.items()])
        held = {"Cookie": header} if header else {}
        whole = [evolve(each, headers={**each.headers, **held}) for each in requests]
        answers = self.site.ask(whole)
        for answer in answers:
            for line in answer.cookies:
                self._keep(line)
        return answers

    def start(self, path: str = "/") -> str:
        """Open a page, and go as far as the provider; return the URL there.

        Raises:
            LookupError: the application does not lead to the provider; the answer is the argument.
        """
        return self.starts([path])[0]

    def starts(self, paths: Sequence[str]) -> list[str]:
        """Open pages in tabs at once; return the URLs at the provider that they arrive at."""
        urls = list(paths)
        for _ in range(MOST):
            going = [place for place, url in enumerate(urls) if not self._is_at_provider(url)]
            if not going:
                return urls
            answers = self.ask(*[urls[place] for place in going])
            for place, answer in zip(going, answers, strict=True):
                if not answer.location:
                    raise LookupError(answer)
                urls[place] = answer.location
        raise LookupError(urls)

    def at_provider(self, url: str, *, approve: bool = True) -> str:
        """Log in at the provider, or come with the session there; return the callback URL."""
        self.asked += 1
        response = self.provider.authorize(
            url, self.clock.now(), user=self.user, approve=approve, session=self.session
        )
        self.session = response.session
        return response.url

    def finish(self, *callbacks: str) -> list[Answer]:
        """Come back to the application in tabs at once, and follow redirects to the end."""
        urls = dict(enumerate(callbacks))
        last: dict[int, Answer] = {}
        for _ in range(MOST):
            here = {tab: url for tab, url in urls.items() if not self._is_at_provider(url)}
            there = {tab: self.at_provider(url) for tab, url in urls.items() if tab not in here}
            answers = self.ask(*here.values()) if here else []
            last |= dict(zip(here, answers, strict=True))
            onward = {tab: last[tab].location for tab in here if last[tab].location}
            urls = {**there, **onward}
            if not urls:
                break
        return [last[tab] for tab in range(len(callbacks))]

    def log_in(self, path: str = "/") -> Answer:
        """Open a page, log in, and return what the browser shows in the end."""
        return self.finish(self.at_provider(self.start(path)))[0]

    def _is_at_provider(self, url: str) -> bool:
        return url.startswith(self.provider.issuer)

    def _keep(self, line: str) -> None:
        pair, _, attributes = line.strip().partition(";")
        name, _, value = pair.partition("=")
        if len(name) + len(value) > LARGEST_COOKIE:
            return
        if "max-age=0" in attributes.lower() or "01 jan 1970" in attributes.lower():
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value


def _path(url: str) -> str:
    parts: Any = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
