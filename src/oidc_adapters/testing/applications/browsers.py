"""Browsers with tabs: they keep cookies, follow redirects one by one, and go back.

A person signs in at a provider when the machine says so.  A provider that knows the browser already
answers at once.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from oidc_adapters.testing.applications.book import Book
from oidc_adapters.testing.applications.callers import Caller
from oidc_adapters.testing.applications.cookie_jar import CookieJar
from oidc_adapters.testing.applications.links import (
    PageContent,
    PageForm,
    browser_url,
    content_of,
    origin_of,
)
from oidc_adapters.testing.applications.visits import PageAnswer, SentRequest, Visit
from oidc_adapters.testing.applications.world import World
from oidc_adapters.testing.metadata import endpoint
from oidc_adapters.testing.oauth_messages import RequestRefused
from oidc_adapters.testing.parties import AuthorizationResponse, Session
from oidc_adapters.testing.provider import FakeProvider

MOST_HOPS: Final = 20
"""How many redirects in a row a browser follows before it says that they never end."""

_FORM: Final = "application/x-www-form-urlencoded"
_PAGE: Final = (
    ("accept", "text/html,application/xhtml+xml"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-user", "?1"),
)
_SCRIPT: Final = (
    ("accept", "application/json"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-dest", "empty"),
    ("sec-fetch-site", "same-origin"),
)


class Step(NamedTuple):
    """One request of a navigation.

    Attributes:
        url: the absolute URL.
        form: the encoded form to post; ``None`` for a GET.
        source: the origin of the page with the link or form; empty if the person typed the URL.
    """

    url: str
    form: str | None = None
    source: str = ""


class Tab:
    """A tab of a browser.

    Attributes:
        number: its number.
        history: the pages that it showed, the newest last.
        content: what the person sees of the page of the application; ``None`` elsewhere.
        url: the URL of that page.
        asked: the authorization request that waits for the person; empty without one.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.history: list[str] = []
        self.content: PageContent | None = None
        self.url = ""
        self.asked = ""


class Browser:
    """A browser, and the person in front of it.

    Args:
        number: its number.
        world: where it is.
        book: where its visits are written down.
        caller: asks the application.

    Attributes:
        number: its number.
        jar: its cookies.
        sessions: its sessions at providers, by issuer.
        identities: who may be signed in with it, by issuer and subject, each with the session at
            the provider.
    """

    def __init__(self, number: int, world: World, book: Book, caller: Caller) -> None:
        self.number = number
        self._world = world
        self._book = book
        self._caller = caller
        self._tabs: dict[int, Tab] = {}
        self.jar = CookieJar(world.clock)
        self.sessions: dict[str, Session] = {}
        self.identities: dict[tuple[str, str], str] = {}

    @property
    def tabs(self) -> tuple[Tab, ...]:
        """Its tabs, in the order in which they were opened."""
        return tuple(self._tabs.values())

    def tab(self, number: int) -> Tab:
        """Return the tab of that number; it is opened at its first use."""
        return self._tabs.setdefault(number, Tab(number))

    # --- requests to the application -------------------------------------------------------------

    def fetch(self, path: str) -> PageAnswer:
        """Let a script of the application's own pages fetch something."""
        request = self._request("GET", self._world.routes.url(path), _SCRIPT, None, "same-origin")
        return self._ask(f"browser {self.number}, script", request, navigates=False)

    def _visit(self, tab: Tab, step: Step, *, crossed: bool) -> PageAnswer:
        site = "cross-site" if crossed else "same-origin" if step.source else "none"
        own: list[tuple[str, str]] = [*_PAGE, ("sec-fetch-site", site)]
        if step.form is not None:
            own += [("origin", step.source or self._world.routes.origin), ("content-type", _FORM)]
        request = self._request("POST" if step.form is not None else "GET", step.url, own,
                                step.form, site)  # fmt: skip
        return self._ask(f"browser {self.number}, tab {tab.number}", request, navigates=True)

    def _request(
        self,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]],
        form: str | None,
        site: str,
    ) -> SentRequest:
        here = site != "cross-site"
        cookie = self.jar.header(url, same_site=here, follows_link=method == "GET")
        sent = (*headers, ("cookie", cookie)) if cookie else tuple(headers)
        body = b"" if form is None else form.encode("utf-8")
        return SentRequest(method=method, url=url, headers=sent, body=body)

    def _ask(self, place: str, request: SentRequest, *, navigates: bool) -> PageAnswer:
        before = self._world.troubled
        answer = self._caller.ask(request)
        for header in answer.every("set-cookie"):
            self.jar.keep(request.url, header)
        visit = Visit(
            place=place,
            request=request,
            answer=answer,
            navigates=navigates,
            troubled=before or self._world.troubled,
        )
        self._book.visited(visit, self.number)
        return answer

    # --- navigations -----------------------------------------------------------------------------

    def open(self, tab: Tab, path: str) -> None:
        """Type a path of the application in, and follow where it leads."""
        self.go(tab, Step(self._world.routes.url(path)))

    def press(self, tab: Tab, form: PageForm) -> None:
        """Press the button of a form of the page."""
        query = urlencode(form.fields)
        if form.method == "post":
            self.go(tab, Step(form.action, query, origin_of(tab.url)))
        else:
            base = form.action.partition("?")[0]
            self.go(tab, Step(f"{base}?{query}", None, origin_of(tab.url)))

    def back(self, tab: Tab) -> None:
        """Press the back button: the page before is asked for again, as no cache keeps it."""
        if len(tab.history) > 1:
            tab.history.pop()
            self.go(tab, Step(tab.history.pop(), None, self._world.routes.origin))

    def go(self, tab: Tab, step: Step) -> None:
        """Go somewhere and follow redirects, until a person sees a page or a provider asks them."""
        tab.content, tab.asked = None, ""
        crossed = step.source not in {"", self._world.routes.origin}
        way: list[str] = []
        next_step: Step | None = step
        while next_step is not None:
            step = next_step._replace(url=next_step.url.partition("#")[0])
            way.append(self._book.shown(step.url))
            if len(way) > MOST_HOPS:
                who = f"browser {self.number}, tab {tab.number}"
                self._book.loops.append(f"{who}: {' -> '.join(way[-6:])}")
                return
            provider = self._world.lines.provider_at(step.url)
            if provider is not None:
                crossed = True
                next_step = self._at_provider(tab, provider, step)
            elif origin_of(step.url) == self._world.routes.origin:
                next_step = self._at_application(tab, step, crossed=crossed)
            else:
                return

    def _at_application(self, tab: Tab, step: Step, *, crossed: bool) -> Step | None:
        answer = self._visit(tab, step, crossed=crossed)
        if self._is_logout(step, answer):
            self.signed_out()
        self._arrived(step, answer)
        if answer.location:
            return Step(browser_url(step.url, answer.location), None, step.source)
        tab.url = step.url
        tab.content = content_of(step.url, answer.text)
        if step.form is None:
            tab.history.append(step.url)
        return None

    # --- at a provider ---------------------------------------------------------------------------

    def _at_provider(self, tab: Tab, provider: FakeProvider, step: Step) -> Step | None:
        """Be at a provider: it answers at once, or asks the person, or shows some page."""
        if provider.issuer in self._world.lines.down:
            return None
        base, _, query = step.url.partition("?")
        if base == endpoint(provider.base, "end-session"):
            return self._end_session(provider, step, query)
        if base != endpoint(provider.base, "authorize"):
            return None
        tab.asked = step.url
        if provider.issuer not in self.sessions and "prompt=none" not in query:
            return None
        response = self.answered(tab, None)
        return None if response is None else step_of(response, provider)

    def _end_session(self, provider: FakeProvider, step: Step, query: str) -> Step | None:
        url = step.url if step.form is None else f"{step.url}{'&' if query else '?'}{step.form}"
        self.sessions.pop(provider.issuer, None)
        try:
            went = provider.end_session(url, self._world.clock.now())
        except RequestRefused:
            return None
        return None if went is None else Step(went, None, origin_of(provider.base))

    def answered(
        self, tab: Tab, user: str | None, *, approve: bool = True
    ) -> AuthorizationResponse | None:
        """Let the person answer the request that waits in a tab; return what the provider sends.

        Args:
            tab: the tab.
            user: who signs in, by subject; ``None`` for the session that the provider knows.
            approve: whether the person agrees.
        """
        provider, url = self._world.lines.provider_at(tab.asked), tab.asked
        tab.asked = ""
        if provider is None or provider.issuer in self._world.lines.down:
            return None
        session = self.sessions.get(provider.issuer)
        if user is not None and session is not None and session.sub != user:
            session = None  # the person chose another account
        now = self._world.clock.now()
        try:
            response = provider.authorize(url, now, user=user, approve=approve, session=session)
        except RequestRefused:
            return None
        if response.session is not None:
            self.sessions[provider.issuer] = response.session
        self._book.grant(provider, response, self.number)
        return response

    def mixed_up(self, tab: Tab) -> None:
        """Let the provider of a waiting login send the browser to another provider.

        It names that one's client and redirect URI, and the state of the waiting login.
        """
        lines = self._world.lines
        waiting, url = lines.provider_at(tab.asked), tab.asked
        others = [each for each in lines.providers if each is not waiting]
        if waiting is None or not others:
            return
        client = others[0].clients[0]
        sent = dict(parse_qsl(urlsplit(url).query))
        sent |= {"client_id": client.client_id, "redirect_uri": client.redirect_uris[0]}
        tab.asked = f"{endpoint(others[0].base, 'authorize')}?{urlencode(sent)}"

    def _is_logout(self, step: Step, answer: PageAnswer) -> bool:
        """Whether an answer says that a session has ended here."""
        routes = self._world.routes
        asked = bool(routes.logout) and step.url.partition("?")[0] == routes.url(routes.logout)
        return asked and answer.status < 400 and bool(step.form is not None or answer.location)

    # --- who may be signed in --------------------------------------------------------------------

    def _arrived(self, step: Step, answer: PageAnswer) -> None:
        """Learn who may be signed in from now on, after a visit in which a code was redeemed."""
        for code in self._book.redeemed:
            granted = self._book.granted.get(code)
            if granted is None or granted.browser != self.number:
                continue
            if self._book.starts.get(granted.state) != self.number:
                continue
            who = (granted.issuer, granted.sub)
            to = browser_url(step.url, answer.location) if answer.location else ""
            if origin_of(to) == self._world.routes.origin and not self._world.troubled:
                self.identities = {}  # it went on, so it is this user and no other
            self.identities[who] = granted.sid

    def signed_out(self) -> None:
        """Say that nobody may be signed in with this browser any more."""
        self.identities = {}

    def session_ended(self, issuer: str, *, sub: str | None, sid: str | None) -> None:
        """Say that a session at a provider has ended: all of a user, or that of one browser."""
        self.identities = {
            who: held
            for who, held in self.identities.items()
            if who[0] != issuer or sub not in {None, who[1]} or sid not in {None, held}
        }


def step_of(response: AuthorizationResponse, provider: FakeProvider) -> Step:
    """Return the request with which a browser brings an answer of a provider."""
    form = None if response.form is None else response.form.decode("ascii")
    return Step(response.url, form, origin_of(provider.base))
