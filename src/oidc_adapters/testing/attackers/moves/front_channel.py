"""The moves of the attacker in the front channel: it reads, changes, replays and injects URLs."""

from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import rule

from oidc_adapters.testing.attackers.knowledge import OWN_CHALLENGE, recent, with_parameters
from oidc_adapters.testing.attackers.moves.base import BACK, NAMES, PROCESSES, TABS, WHICH, Moves
from oidc_adapters.testing.attackers.observations import parameters_of
from oidc_adapters.testing.attackers.world import BROWSERS, EVIL, EVIL_CLIENT, HONEST

RESPONSE: Final = st.sampled_from((True, True, False))
HOME: Final = st.sampled_from((True, True, False))


class FrontChannelMoves(Moves):
    """The attacker reads and changes URLs that browsers open."""

    @rule(name=NAMES, number=TABS)
    def read(self, *, name: str, number: int) -> None:
        """Learn the URL that a tab is about to open.

        A request may leak at any time.  A response leaks only where the browser's own login asked
        for it.  An attacker who reads the response to its own request needs nothing else: that is
        the browser swapping of FAPI 2.0, and no client can tell.
        """
        url = self.tab(name, number).following
        if not url:
            self.go_on_instead(BROWSERS.index(name), number)
            return
        parameters = parameters_of(url)
        if "code" in parameters:
            login = self.world.history.logins.get(parameters.get("state", ""))
            issued = self.world.history.codes.get(parameters["code"])
            if login is None or issued is None or login.browser != name:
                return
            if any(login.asked(each) != issued.parameters.get(each, "") for each in _OWN):
                return
            self.reached("a response read")
        else:
            self.reached("a request read")
        self.world.knowledge.see(url)

    @rule(name=NAMES, number=TABS, response=RESPONSE, back=BACK, home=HOME, process=PROCESSES)
    def lead(
        self, *, name: str, number: int, response: bool, back: int, home: bool, process: int
    ) -> None:
        """Have a tab open a URL that the attacker knows, perhaps where its login was begun."""
        knowledge = self.world.knowledge
        url = recent(knowledge.responses if response else knowledge.requests, back)
        if not url:
            self.go_on_instead(back, number)
            return
        login = self.world.history.logins.get(parameters_of(url).get("state", ""))
        where = login.browser if home and login is not None else name
        self.world.open(self.browser(where), self.tab(where, number), url, process=process)
        self.reached("a response injected" if response else "a request injected")

    @rule(base=BACK, other=BACK, which=WHICH)
    def splice_response(self, *, base: int, other: int, which: int) -> None:
        """Put one part of a known response into another one, or take it out."""
        part = self.bent.response_parts[which]
        known = self.world.knowledge.responses
        if not self._splice(recent(known, base), _differing(known, base, part), other, part):
            self.go_on_instead(base)

    @rule(base=BACK, other=BACK, which=WHICH)
    def splice_request(self, *, base: int, other: int, which: int) -> None:
        """Put one part of a known request into another one."""
        part = self.bent.request_parts[which]
        known = self.world.knowledge.requests
        if not self._splice(recent(known, base), _differing(known, base, part), other, part):
            self.go_on_instead(base)

    @rule(base=BACK, other=BACK, response=st.booleans())
    def readdress(self, *, base: int, other: int, response: bool) -> None:
        """Send what one known URL says to where another one goes: a mix-up begins so."""
        knowledge = self.world.knowledge
        known = knowledge.responses if response else knowledge.requests
        said = recent(known, base)
        elsewhere = [url for url in known if url.partition("?")[0] != said.partition("?")[0]]
        to = recent(elsewhere, other)
        if said and to:
            parameters = parameters_of(said)
            if not response:
                wanted = parameters_of(to)
                parameters.update({name: wanted[name] for name in _PLACE if name in wanted})
            knowledge.see(with_parameters(to, parameters))
            self.reached("a URL sent elsewhere")
        else:
            self.go_on_instead(base)

    @rule(base=BACK, verifiable=st.booleans(), name=NAMES, number=TABS)
    def ask_for_own_application(
        self, *, base: int, verifiable: bool, name: str, number: int
    ) -> None:
        """Lead a browser to a request of the attacker's own application, made of a known one."""
        known = recent(self.world.knowledge.requests, base)
        if not known:
            self.go_on_instead(base)
            return
        own = {"client_id": EVIL_CLIENT, "redirect_uri": EVIL}
        if verifiable:
            own["code_challenge"] = OWN_CHALLENGE
        url = with_parameters(f"{HONEST}/authorize", {**parameters_of(known), **own})
        self.world.knowledge.see(url)
        self.world.open(self.browser(name), self.tab(name, number), url)
        self.reached("a request of the attacker's own application")

    def _splice(self, base: str, others: list[str], other: int, part: str) -> bool:
        """Return whether that makes another URL."""
        if not others:
            return False
        parameters, donor = parameters_of(base), parameters_of(recent(others, other))
        if part in donor:
            parameters[part] = donor[part]
        else:
            parameters.pop(part, None)
        self.world.knowledge.see(with_parameters(base, parameters))
        self.reached(f"another {part}")
        return True


_OWN: Final = ("nonce", "code_challenge")
_PLACE: Final = ("client_id", "redirect_uri")


def _differing(known: list[str], base: int, part: str) -> list[str]:
    """Return the known URLs that have another value of a parameter, or none."""
    own = parameters_of(recent(known, base)).get(part)
    return [url for url in known if parameters_of(url).get(part) != own]
