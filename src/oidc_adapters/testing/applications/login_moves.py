"""Moves of people with browsers: logins, links, tabs, the back button."""

from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from oidc_adapters.testing.applications.browsers import Browser, Step, Tab, step_of
from oidc_adapters.testing.applications.stage import BROWSERS, USERS, Stage, Who

HOSTILE: Final = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "/\t/evil.example/",
    "https:evil.example/",
    "\\\\evil.example/",
    "///evil.example/",
    "https://app.example@evil.example/",
    "https://app.example.evil.example/",
    "/%5cevil.example/",
    "/..//evil.example/",
    "/\r\nlocation: https://evil.example/",
    "javascript:alert(1)",
)
"""Places that no application sends a user to."""

STRANGE: Final = (
    "",
    "code=a-code-from-nowhere",
    "state=a-state-from-nowhere&code=a-code-from-nowhere",
    "error=access_denied&state=a-state-from-nowhere",
    "error=temporarily_unavailable",
    "code=one&code=two&state=a-state-from-nowhere",
    "state=%00&code=%ff",
    "state=" + "a" * 20_000,
)
"""Queries with which nobody has sent a browser to the callback."""

MANY_TABS: Final = 14

browser_numbers = st.integers(0, BROWSERS - 1)
tab_numbers = st.sampled_from((0, 1, MANY_TABS - 1))
users = st.sampled_from(USERS)
link_numbers = st.integers(0, 2)


class LoginMoves(Stage):
    """Logins, and what comes in between.

    Attributes:
        links: requests that a stranger may have caught or made: to a provider, and back from it.
        caught: ways back from a provider that nobody has opened yet.
        honest: the browser and the user of a login that nothing disturbed, until it is judged.
    """

    def __init__(self) -> None:
        super().__init__()
        self.links: list[Step] = []
        self.caught: list[Step] = []
        self.honest: tuple[int, Who] | None = None

    def at(self, browser: int, tab: int) -> tuple[Browser, Tab]:
        """Return a browser and its tab."""
        return self.browsers[browser], self.browsers[browser].tab(tab)

    def waiting(self) -> list[tuple[Browser, Tab]]:
        """Return the tabs that wait at a provider."""
        every = [(browser, tab) for browser in self.browsers for tab in browser.tabs]
        return [(browser, tab) for browser, tab in every if tab.asked]

    # --- logins ----------------------------------------------------------------------------------

    @rule(browser=browser_numbers, tab=tab_numbers)
    def start_login(self, browser: int, tab: int) -> None:
        """Start a login, and wait at the provider."""
        self.move(f"start_login(browser={browser}, tab={tab})")
        self._start(*self.at(browser, tab), self.routes.login)

    @rule(browser=browser_numbers, tab=tab_numbers, user=users)
    def log_in(self, browser: int, tab: int, user: str) -> None:
        """Log in from start to end."""
        self.move(f"log_in(browser={browser}, tab={tab}, user={user!r})")
        at, where = self.at(browser, tab)
        self._start(at, where, self.routes.login)
        provider = self.world.lines.provider_at(where.asked)
        self._answer(at, where, user)
        if provider is not None and not self.world.troubled:
            self.honest = (browser, (provider.issuer, user))

    @rule(browser=browser_numbers, tab=tab_numbers, user=users, page=st.integers(0, 3))
    def log_in_for_a_page(self, browser: int, tab: int, user: str, page: int) -> None:
        """Open a page, and log in if the application asks for it."""
        path = self.routes.pages[page % len(self.routes.pages)]
        self.move(f"log_in_for_a_page(browser={browser}, tab={tab}, {user=!s}, {path=!s})")
        at, where = self.at(browser, tab)
        self._start(at, where, path)
        self._answer(at, where, user)

    @precondition(lambda self: bool(self.waiting()))
    @rule(waiting=link_numbers, user=users)
    def answer_at_provider(self, waiting: int, user: str) -> None:
        """Sign in at the provider, in one of the tabs that wait there."""
        self.move(f"answer_at_provider(waiting={waiting}, user={user!r})")
        found = self.waiting()
        self._answer(*found[waiting % len(found)], user)

    @precondition(lambda self: bool(self.waiting()))
    @rule(waiting=link_numbers)
    def cancel(self, waiting: int) -> None:
        """Refuse at the provider, in one of the tabs that wait there."""
        self.move(f"cancel(waiting={waiting})")
        found = self.waiting()
        self._answer(*found[waiting % len(found)], None, approve=False)

    @rule(browser=browser_numbers)
    def open_many_tabs(self, browser: int) -> None:
        """Start a login in each of fourteen tabs."""
        self.move(f"open_many_tabs(browser={browser})")
        for tab in range(MANY_TABS):
            self._start(*self.at(browser, tab), self.routes.login)

    # --- links -----------------------------------------------------------------------------------

    @rule(browser=browser_numbers, tab=tab_numbers, user=users)
    def keep_the_callback(self, browser: int, tab: int, user: str) -> None:
        """Log in, but catch the way back from the provider: a link for anybody to open."""
        self.move(f"keep_the_callback(browser={browser}, tab={tab}, user={user!r})")
        at, where = self.at(browser, tab)
        if not where.asked:
            self._start(at, where, self.routes.login)
        self._answer(at, where, user, goes_on=False)

    @rule(browser=browser_numbers, tab=tab_numbers, link=link_numbers)
    def open_link(self, browser: int, tab: int, link: int) -> None:
        """Open a link that somebody caught, in any browser: replay, and login of another.

        Those that nobody has opened come first; if there is none, a stranger makes one with the
        other browser.
        """
        self.move(f"open_link(browser={browser}, tab={tab}, link={link})")
        if not self.caught:
            stranger, elsewhere = self.at(1 - browser, 0)
            self._start(stranger, elsewhere, self.routes.login)
            self._answer(stranger, elsewhere, USERS[1], goes_on=False)
        if self.caught or self.links:
            at, where = self.at(browser, tab)
            step = self._link(link)
            if step in self.caught:
                self.caught.remove(step)
                self.links.append(step)
            at.go(where, step)

    @precondition(lambda self: len(self.links) + len(self.caught) > 1)
    @rule(browser=browser_numbers, tab=tab_numbers, link=link_numbers, other=link_numbers)
    def mix_links(self, browser: int, tab: int, link: int, other: int) -> None:
        """Open a callback with the code of one link and the state of another."""
        self.move(f"mix_links(browser={browser}, tab={tab}, link={link}, other={other})")
        step, taken = self._link(link), self._link(other)
        if step is taken or step.form is not None or taken.form is not None:
            return
        base, _, query = step.url.partition("?")
        state = [pair for pair in parse_qsl(urlsplit(taken.url).query) if pair[0] == "state"]
        pairs = [pair for pair in parse_qsl(query) if pair[0] != "state"] + state
        at, where = self.at(browser, tab)
        at.go(where, Step(f"{base}?{urlencode(pairs)}", None, step.source))

    @rule(browser=browser_numbers, tab=tab_numbers, query=st.sampled_from(STRANGE))
    def open_strange_callback(self, browser: int, tab: int, query: str) -> None:
        """Open a callback that no provider has sent."""
        shown = query if len(query) < 100 else f"{query[:20]}..."
        self.move(f"open_strange_callback(browser={browser}, tab={tab}, query={shown!r})")
        at, where = self.at(browser, tab)
        url = f"{self.world.redirect_uri()}?{query}" if query else self.world.redirect_uri()
        at.go(where, Step(url, None, "https://evil.example"))

    @rule(
        browser=browser_numbers,
        tab=tab_numbers,
        to=st.sampled_from(HOSTILE),
        page=st.integers(0, 4),
        name=st.integers(0, 3),
    )
    def open_hostile_link(self, browser: int, tab: int, to: str, page: int, name: int) -> None:
        """Open a link to the site that names another place to go on to, and go along with it."""
        paths = (self.routes.login, *self.routes.pages, self.routes.logout)
        path = paths[page % len(paths)]
        parameter = self.routes.ways_back[name % len(self.routes.ways_back)]
        shown = f"{path=!s}, {parameter=!s}, {to=}"
        self.move(f"open_hostile_link({browser=}, {tab=}, {shown})")
        at, where = self.at(browser, tab)
        self._start(at, where, f"{path}?{parameter}={quote(to, safe='')}")
        self._answer(at, where, USERS[0])

    # --- other things that people do -------------------------------------------------------------

    @rule(browser=browser_numbers, tab=tab_numbers, page=st.integers(0, 3))
    def visit(self, browser: int, tab: int, page: int) -> None:
        """Open a page."""
        path = self.routes.pages[page % len(self.routes.pages)]
        self.move(f"visit(browser={browser}, tab={tab}, path={path!r})")
        at, where = self.at(browser, tab)
        at.open(where, path)

    @precondition(lambda self: any(tab.history for each in self.browsers for tab in each.tabs))
    @rule(browser=browser_numbers, tab=tab_numbers)
    def go_back(self, browser: int, tab: int) -> None:
        """Press the back button."""
        self.move(f"go_back(browser={browser}, tab={tab})")
        at, where = self.at(browser, tab)
        at.back(where)

    @precondition(lambda self: any(tab.content for each in self.browsers for tab in each.tabs))
    @rule(browser=browser_numbers, tab=tab_numbers)
    def press_button(self, browser: int, tab: int) -> None:
        """Press the first button of the page that a tab shows, however old the page is."""
        self.move(f"press_button(browser={browser}, tab={tab})")
        at, where = self.at(browser, tab)
        forms = () if where.content is None else where.content.forms
        if forms:
            at.press(where, forms[0])

    @precondition(lambda self: bool(self.routes.logout))
    @rule(browser=browser_numbers, tab=tab_numbers)
    def log_out(self, browser: int, tab: int) -> None:
        """Log out by the form of the application."""
        self.move(f"log_out(browser={browser}, tab={tab})")
        at, where = self.at(browser, tab)
        at.open(where, self.routes.logout)
        form = None if where.content is None else self.logout_form(where.content)
        if form is not None:
            at.press(where, form)

    @precondition(lambda self: bool(self.routes.uses_tokens))
    @rule(browser=browser_numbers, seconds=st.sampled_from((0, 299, 301)))
    def refresh_in_two_tabs(self, browser: int, seconds: int) -> None:
        """Open a page that needs fresh tokens in two tabs, perhaps after they have expired."""
        self.move(f"refresh_in_two_tabs(browser={browser}, seconds={seconds})")
        self.world.clock.advance(seconds)
        for tab in (0, 1):
            at, where = self.at(browser, tab)
            at.open(where, self.routes.uses_tokens)

    # --- parts -----------------------------------------------------------------------------------

    def _start(self, browser: Browser, tab: Tab, target: str) -> None:
        self.begin_login(browser, tab, target)
        if tab.asked:
            self.links.append(Step(tab.asked, None, "https://evil.example"))

    def _answer(
        self,
        browser: Browser,
        tab: Tab,
        user: str | None,
        *,
        approve: bool = True,
        goes_on: bool = True,
    ) -> None:
        if not tab.asked:
            return
        provider = self.world.lines.provider_at(tab.asked)
        response = browser.answered(tab, user, approve=approve)
        if response is None or provider is None:
            return
        step = step_of(response, provider)
        state = response.parameter("state") or ""
        if self.book.starts.get(state) == browser.number:
            # Who sends a victim to the provider and reads the way back holds the whole login: no
            # application can tell the two apart (RFC 9700 §4.5, attacker A3), so nobody reads it.
            (self.links if goes_on else self.caught).append(step)
        if goes_on:
            browser.go(tab, step)

    def _link(self, number: int) -> Step:
        """Return a link: first those that nobody has opened, the newest first."""
        every = [*self.caught[::-1], *self.links[::-1]]
        return every[number % len(every)]
