"""The moves about tokens of sessions: they are used, and messages about them are lost."""

from collections.abc import Callable
from functools import partial
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import rule

from oidc_adapters.testing.attackers.moves.base import BACK, PROCESSES, Moves
from oidc_adapters.testing.attackers.network import LOSSES
from oidc_adapters.testing.attackers.observations import Held, Purpose
from oidc_adapters.testing.attackers.world import HONEST

MEANWHILE: Final = ("nothing", "nothing", "another caller", "a logout", "the provider's logout")


class RefreshMoves(Moves):
    """The application asks for tokens, and the network loses messages."""

    @rule(
        back=BACK,
        process=PROCESSES,
        refused=st.booleans(),
        happens=st.sampled_from(MEANWHILE),
        after=st.sampled_from((0, 6, 301)),
    )
    def use(self, *, back: int, process: int, refused: bool, happens: str, after: int) -> None:
        """Ask for an access token after a while, perhaps in place of one that was refused."""
        held = self.held(back)
        if held is None:
            self.go_on_instead(back)
            return
        self.world.clock.advance(after)
        token = held.handed if refused else None
        self.world.meanwhile(self._happening(held, 1 - process, happens))
        self.world.fresh(held, process, refused=token)
        if self.world.network.meanwhile is None and happens != "nothing":
            self.reached(f"during a refresh: {happens}")
        self.world.meanwhile(None)
        if any(each.purpose == "refresh" for each in self.world.history.calls[-1].sent):
            self.reached("a refresh")

    def _happening(self, held: Held, process: int, what: str) -> Callable[[], None] | None:
        if what == "another caller":
            return partial(self.world.fresh, held, process)
        if what == "a logout":
            return partial(self._leave, held, process)
        if what == "the provider's logout" and held.issuer == HONEST:
            return partial(self._told, held, process)
        return None

    def _leave(self, held: Held, process: int) -> None:
        self.world.leave(held, process)

    def _told(self, held: Held, process: int) -> None:
        now = self.world.clock.now()
        sent = self.world.honest.backchannel_logout(now, sid=held.sid)
        self.world.post(sent.logout_token, process)

    @rule(purpose=st.sampled_from(LOSSES), arrives=st.booleans())
    def cut(self, *, purpose: Purpose, arrives: bool) -> None:
        """Cut off the next request of a kind, or the answer to it."""
        self.world.network.cut[purpose] = "maybe" if arrives else "no"
        self.reached(f"cut: {purpose}")

    @rule(back=BACK)
    def take_back(self, *, back: int) -> None:
        """Let the provider take the grant of a session back."""
        held = self.held(back)
        if held is None or held.issuer != HONEST:
            self.go_on_instead(back)
            return
        known = self.world.honest.ledger.refresh_tokens
        for token in held.refresh_tokens:
            if token in known:
                known[token].family.revoked = True
                held.disturbed = True
                self.reached("a grant taken back")
