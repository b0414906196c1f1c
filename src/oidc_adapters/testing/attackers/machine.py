"""The attacker as a state machine of Hypothesis, to be run as it is or subclassed."""

from collections import Counter
from typing import ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.pending import PendingLogins
from oidc_adapters.stores.records import Records
from oidc_adapters.testing.attackers.application import (
    Application,
    Party,
    memory_records,
    party,
    pending_logins,
)
from oidc_adapters.testing.attackers.judge import INVARIANTS, judged
from oidc_adapters.testing.attackers.moves import (
    FrontChannelMoves,
    HostileMoves,
    LoginMoves,
    LogoutMoves,
    RefreshMoves,
    TimeMoves,
)
from oidc_adapters.testing.attackers.moves.base import BENTS, Bent
from oidc_adapters.testing.attackers.network import Network
from oidc_adapters.testing.attackers.observations import Call, Flaw, History
from oidc_adapters.testing.attackers.settings import DEFAULT_ATTACK, AttackSettings
from oidc_adapters.testing.attackers.world import (
    BROWSERS,
    HONEST,
    HOSTILE,
    NOW,
    World,
    honest_provider,
    hostile_provider,
)

LONG: Final = 30
"""Steps from which on a run counts as a long one."""

RUNS: Final = "runs"
LONG_RUNS: Final = "runs of 30 steps or more"
_FIRST: Final = st.tuples(
    st.sampled_from(BROWSERS),
    st.sampled_from((HONEST, HONEST, HOSTILE)),
    st.sampled_from((2, 2, 1, 0)),
)
"""Who logs in first, where, and how many pages that goes on."""

_MOST_SENDS: Final = {"never": 1, "once": 2}


class InvariantBroken(AssertionError):
    """An invariant does not hold.

    Attributes:
        invariant: its name, out of ``INVARIANTS``.
        why: what has happened.
        trace: who did what until then, a line each.
    """

    def __init__(self, invariant: str, why: str, trace: str) -> None:
        rule = INVARIANTS.get(invariant, invariant)
        super().__init__(f"{invariant}: {why}\nwhat must hold: {rule}\n{trace}")
        self.invariant = invariant
        self.why = why
        self.trace = trace

    def __reduce__(self) -> tuple[type["InvariantBroken"], tuple[str, str, str]]:
        return type(self), (self.invariant, self.why, self.trace)


class AttackerMachine(
    LoginMoves, FrontChannelMoves, HostileMoves, RefreshMoves, LogoutMoves, TimeMoves
):
    """Users and an attacker do small things in any order; every invariant holds after each.

    Run it as every machine of Hypothesis: ``TestAttacks = AttackerMachine.TestCase``.  A subclass
    adds further rules and invariants; it reads and changes ``world``.

    Attributes:
        attack: the settings.
        counts: in how many runs each thing has happened, by its name.
        world: everybody who takes part in this run.
    """

    attack: ClassVar[AttackSettings] = DEFAULT_ATTACK
    counts: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._steps = 0

    # --- how the application is made -------------------------------------------------------------

    def records(self, clock: FrozenClock) -> Records:
        """Return where the application keeps grants and sessions: in memory."""
        return memory_records(clock)

    def pending(self, store: str, records: Records) -> PendingLogins:
        """Return where logins wait, by the store that was drawn."""
        return pending_logins(store, records)

    def application(
        self, parties: tuple[Party, ...], network: Network, clock: FrozenClock, store: str
    ) -> Application:
        """Return the application under attack."""
        records = self.records(clock)
        pending = self.pending(store, records)
        return Application(parties, network, clock, pending=pending, records=records)

    # --- a run -----------------------------------------------------------------------------------

    @initialize(data=st.data(), bent=BENTS)
    def begin(self, data: st.DataObject, bent: Bent) -> None:
        """Make the world, and let some users log in, or begin to."""
        self.bent = bent
        layout = data.draw(st.sampled_from(self.attack.layouts))
        store = data.draw(st.sampled_from(self.attack.stores))
        self.world = self._made(layout, store)
        self.world.history.tell("setup", f"{layout}, {store} store")
        most = self.attack.first_logins
        for name, issuer, pages in data.draw(st.lists(_FIRST, max_size=most)):
            browser = self.browser(name)
            tab = browser.tabs[0]
            self.world.start(browser, tab, issuer, 0)
            for _ in range(pages):
                self.world.open(browser, tab, tab.following)

    def _made(self, layout: str, store: str) -> World:
        honest, hostile = honest_provider(self.attack, layout), hostile_provider(layout)
        providers = {each.issuer: each for each in (honest, hostile)}
        client_ids = {each.issuer: each.clients[0].client_id for each in (honest, hostile)}
        most = _MOST_SENDS.get(str(self.attack.policy.resend_in_doubt), 4)
        history, clock = History(client_ids, most), FrozenClock(NOW)
        network = Network(providers, history)
        response_iss = "as_announced" if layout == "own path" else "required"
        parties = tuple(
            [
                party(each.issuer, each.clients[0], response_iss, self.attack.policy)
                for each in (honest, hostile)
            ]
        )
        application = self.application(parties, network, clock, store)
        return World(honest, hostile, network, application, clock, history, judge=self.judged)

    @invariant()
    def every_invariant_holds(self) -> None:
        """Fail with the first invariant that was broken, and the trace of the run."""
        self._steps += 1
        for flaw in self.world.flaws:
            raise InvariantBroken(flaw.invariant, flaw.why, self.world.history.trace())

    def judged(self, history: History, call: Call) -> Flaw | None:
        """Return which invariant a call breaks; a subclass may judge by more."""
        return judged(history, call)

    def teardown(self) -> None:
        """Count what this run has reached."""
        self.counts[RUNS] += 1
        if self._steps >= LONG:
            self.counts[LONG_RUNS] += 1
            self.counts.update(self.world.reached)
