"""The moves of users: they log in, reload, go back and cancel."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from oidc_adapters.testing.attackers.moves.base import NAMES, PROCESSES, TABS, Moves
from oidc_adapters.testing.attackers.world import BROWSERS, HONEST, HOSTILE


class LoginMoves(Moves):
    """The users of all browsers, the attacker included, open pages."""

    @rule(
        name=NAMES,
        number=TABS,
        issuer=st.sampled_from((HONEST, HONEST, HOSTILE)),
        process=PROCESSES,
    )
    def go_on(self, *, name: str, number: int, issuer: str, process: int) -> None:
        """Let a tab open the page that it is led to; one without begins a login."""
        browser, tab = self.browser(name), self.tab(name, number)
        if tab.following:
            self.world.open(browser, tab, tab.following, process=process)
        else:
            self.world.start(browser, tab, issuer, process)

    @rule(name=NAMES, number=TABS, process=PROCESSES)
    def finish_tab(self, *, name: str, number: int, process: int) -> None:
        """Let a tab open the page that it is led to; one without begins one with the attacker."""
        browser, tab = self.browser(name), self.tab(name, number)
        if tab.following:
            self.world.open(browser, tab, tab.following, process=process)
        else:
            self.world.start(browser, tab, HOSTILE, process)

    @rule(name=NAMES, number=TABS, process=PROCESSES)
    def reload(self, *, name: str, number: int, process: int) -> None:
        """Let a tab open again what it shows: a callback comes twice, or late."""
        browser, tab = self.browser(name), self.tab(name, number)
        if "?" in tab.shown:
            self.world.open(browser, tab, tab.shown, process=process)
            self.reached("a page opened again")
        else:
            self.go_on_instead(process, number)

    @rule(name=NAMES, number=TABS)
    def cancel(self, *, name: str, number: int) -> None:
        """Let a user refuse at the provider."""
        browser, tab = self.browser(name), self.tab(name, number)
        if "/authorize?" in tab.following:
            self.world.open(browser, tab, tab.following, approve=False)
            self.reached("a login cancelled")
        else:
            self.go_on_instead(BROWSERS.index(name), number)
