"""Moves of the world around an application: time, keys, outages, hostile providers, logouts."""

from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from oidc_adapters.testing.applications.login_moves import (
    LoginMoves,
    browser_numbers,
    tab_numbers,
    users,
)
from oidc_adapters.testing.applications.visits import SentRequest, Visit
from oidc_adapters.testing.misbehaviours import MISBEHAVIOURS
from oidc_adapters.testing.provider import FakeProvider

SECONDS: Final = (5, 61, 301, 601, 3_601, 90_000)
"""How long nothing happens: until tokens, logins, sessions and cookies expire."""

OUTAGES: Final = ("provider", "keys", "store")

providers = st.integers(0, 3)


class TroubleMoves(LoginMoves):
    """The events around the logins."""

    @rule(seconds=st.sampled_from(SECONDS))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.move(f"wait({seconds})")
        self.world.clock.advance(seconds)

    @precondition(lambda self: any(browser.jar.cookies for browser in self.browsers))
    @rule(browser=browser_numbers, all_of_them=st.booleans())
    def lose_cookies(self, browser: int, *, all_of_them: bool) -> None:
        """Close a browser, or clear its cookies."""
        self.move(f"lose_cookies(browser={browser}, all_of_them={all_of_them})")
        jar = self.browsers[browser].jar
        if all_of_them:
            jar.forget()
        else:
            jar.forget_session_cookies()

    @precondition(lambda self: any(browser.sessions for browser in self.browsers))
    @rule(browser=browser_numbers)
    def forget_at_provider(self, browser: int) -> None:
        """End a browser's sessions at all providers; the application does not hear of it."""
        self.move(f"forget_at_provider(browser={browser})")
        self.browsers[browser].sessions.clear()

    @rule(provider=providers, keep_previous=st.booleans())
    def rotate_keys(self, provider: int, *, keep_previous: bool) -> None:
        """Have a provider sign with other keys."""
        self.move(f"rotate_keys({provider=}, {keep_previous=})")
        self._provider(provider).rotate_keys(keep_previous=keep_previous)
        self.world.disturb()

    @rule(what=st.sampled_from(OUTAGES), provider=providers)
    def outage(self, what: str, provider: int) -> None:
        """Take a provider, its key set or the store away for the next moves."""
        self.move(f"outage({what=}, {provider=})")
        issuer = self._provider(provider).issuer
        if what == "provider":
            self.world.lines.down.add(issuer)
        elif what == "keys":
            self.world.lines.keys_withheld.add(issuer)
        else:
            self.world.outage.down = True
        self.world.begin_trouble()

    @rule(provider=providers, name=st.sampled_from(sorted(MISBEHAVIOURS)))
    def misbehave(self, provider: int, name: str) -> None:
        """Have a provider make a mistake, or attack, during the next moves."""
        self.move(f"misbehave({provider=}, {name=!s})")
        self._provider(provider).misbehave = name
        self.world.begin_trouble()

    @precondition(lambda self: self.world.troubled)
    @rule()
    def all_is_well(self) -> None:
        """Have all providers honest and up, and the store too; some minutes pass."""
        self.move("all_is_well()")
        self.world.heal()
        self.world.calm()

    @precondition(lambda self: bool(self.routes.backchannel_logout))
    @rule(browser=browser_numbers, provider=providers, user=users, by_session=st.booleans())
    def log_out_elsewhere(
        self, browser: int, provider: int, user: str, *, by_session: bool
    ) -> None:
        """Have a provider end a user's sessions, or the session that a browser has there."""
        self.move(f"log_out_elsewhere({browser=}, {provider=}, {user=!s}, {by_session=})")
        told = self._provider(provider)
        held = self.browsers[browser].sessions.get(told.issuer)
        if by_session and held is None:
            return
        sub = user if held is None or not by_session else held.sub
        sid = held.sid if held is not None and by_session else None
        honest = told.misbehave is None
        now = self.world.clock.now()
        logout = told.backchannel_logout(now, sub=sub, sid=sid)
        self.world.clock.advance(1)  # a login of the same second would be ended, too
        answered = self._told(logout.uri or "", logout.form, logout.content_type)
        if honest and answered < 300:
            for each in self.browsers:
                each.session_ended(told.issuer, sub=sub, sid=sid)

    @precondition(lambda self: len(self.world.providers) > 1)
    @rule(browser=browser_numbers, tab=tab_numbers, user=users)
    def mix_up(self, browser: int, tab: int, user: str) -> None:
        """Have the provider of a waiting login send the browser on to another one (RFC 9700 §4.4).

        The request names the honest provider's client, and the state of the waiting login.
        """
        self.move(f"mix_up(browser={browser}, tab={tab}, user={user!r})")
        at, where = self.at(browser, tab)
        at.mixed_up(where)
        self._answer(at, where, user)

    # --- parts -----------------------------------------------------------------------------------

    def _provider(self, number: int) -> FakeProvider:
        return self.world.providers[number % len(self.world.providers)]

    def _told(self, url: str, form: bytes, content_type: str) -> int:
        """Post a logout token, and return the status of the answer."""
        headers = (("content-type", content_type), ("accept", "*/*"))
        request = SentRequest(method="POST", url=url, headers=headers, body=form)
        before = self.world.troubled
        answer = self._caller.ask(request)
        troubled = before or self.world.troubled
        visit = Visit(
            place="provider", request=request, answer=answer, navigates=False, troubled=troubled
        )
        self.book.visited(visit, None)
        return answer.status
