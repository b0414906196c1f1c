"""The common part of all moves: the world they are made in, and who can be named."""

from typing import Final

from attrs import frozen
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from oidc_adapters.testing.attackers.application import PROCESSES as COUNT
from oidc_adapters.testing.attackers.browsers import TABS as MOST_TABS
from oidc_adapters.testing.attackers.browsers import Browser, Tab
from oidc_adapters.testing.attackers.forging import KEYS
from oidc_adapters.testing.attackers.hostile import LIES
from oidc_adapters.testing.attackers.observations import Held
from oidc_adapters.testing.attackers.world import BROWSERS, HONEST, HOSTILE, World

NAMES: Final = st.sampled_from(BROWSERS)
TABS: Final = st.integers(0, MOST_TABS - 1)
PROCESSES: Final = st.integers(0, COUNT - 1)
BACK: Final = st.sampled_from((0, 0, 0, 1, 1, 2, 3, 4))
"""How many things ago something was learned, or a session begun."""

RESPONSE_PARTS: Final = ("code", "state", "iss")
REQUEST_PARTS: Final = ("nonce", "code_challenge", "state", "redirect_uri", "client_id")
FLAWS: Final = (
    "none",
    "audience",
    "issuer",
    "expired",
    "without events",
    "with nonce",
    "names nobody",
    "another type",
)
"""The ways in which the claims of a forged logout token can be wrong."""


@frozen(kw_only=True)
class Bent:
    """The ways in which the attacker of one run prefers to cheat: a run that mixes all is tame.

    Attributes:
        lies: of the hostile provider.
        keys: that tokens are forged with.
        flaws: of forged logout tokens.
        request_parts, response_parts: parameters that are exchanged.
    """

    lies: tuple[str, ...] = LIES
    keys: tuple[str, ...] = KEYS
    flaws: tuple[str, ...] = FLAWS
    request_parts: tuple[str, ...] = REQUEST_PARTS
    response_parts: tuple[str, ...] = RESPONSE_PARTS


def _few(known: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.tuples(st.sampled_from(known), st.sampled_from(known))


BENTS: Final = st.builds(
    Bent,
    lies=_few(LIES),
    keys=_few(KEYS),
    flaws=_few(FLAWS),
    request_parts=_few(REQUEST_PARTS),
    response_parts=_few(RESPONSE_PARTS),
)
WHICH: Final = st.integers(0, 1)
"""Which of the ways that are preferred."""


class Moves(RuleBasedStateMachine):
    """A machine with a world; its rules are in the classes for each matter."""

    world: World
    bent: Bent = Bent()

    def browser(self, name: str) -> Browser:
        """Return a browser by the name of its user."""
        return self.world.browsers[name]

    def tab(self, name: str, number: int) -> Tab:
        """Return a tab of a browser."""
        return self.world.browsers[name].tabs[number]

    def held(self, back: int, *, of: str = "") -> Held | None:
        """Return the session that was begun so many sessions ago, of anybody or of one user."""
        known = [each for each in self.world.history.sessions.values() if of in {"", each.browser}]
        return known[max(-len(known), -1 - back)] if known else None

    def go_on_instead(self, back: int, number: int = 0) -> None:
        """Let a user go on, where a move cannot be made yet: so no step of a run is lost."""
        browser = self.browser(BROWSERS[back % len(BROWSERS)])
        tab = browser.tabs[number]
        if tab.following:
            self.world.open(browser, tab, tab.following)
        else:
            self.world.start(browser, tab, HONEST if back < len(BROWSERS) else HOSTILE, 0)

    def reached(self, what: str) -> None:
        """Note that something has happened in this run."""
        self.world.reached.add(what)
