"""The attacker of a subprocess: it stops at the first invariant that it is told to break."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar, Final, NamedTuple

from attrs import evolve
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from oidc_adapters.testing.attackers import AttackerMachine, AttackSettings, Call, Flaw, History
from oidc_adapters.testing.attackers.application import HOME
from oidc_adapters.testing.attackers.forging import KEYS
from oidc_adapters.testing.attackers.knowledge import recent
from oidc_adapters.testing.attackers.machine import InvariantBroken
from oidc_adapters.testing.attackers.moves import (
    FrontChannelMoves,
    HostileMoves,
    LoginMoves,
    LogoutMoves,
    RefreshMoves,
    TimeMoves,
)
from oidc_adapters.testing.attackers.moves.base import BACK, FLAWS, NAMES
from oidc_adapters.testing.attackers.observations import parameters_of
from oidc_adapters.testing.attackers.world import HONEST, HOSTILE
from tests.teeth.defences import Defence, Setting

STEPS: Final = 30
NEWEST: Final = st.integers(0, 1)
"""One of the two things that the attacker learned or made last."""

MOVES: Final = (
    LoginMoves,
    FrontChannelMoves,
    HostileMoves,
    LogoutMoves,
    RefreshMoves,
    TimeMoves,
)
"""The moves of the attacker machine."""

_ALWAYS: Final = frozenset({"walk"})
"""Users begin logins."""


class Found(NamedTuple):
    """What was broken, after how many examples, and why."""

    examples: int
    invariant: str
    why: str


class Hunter(AttackerMachine):
    """Looks for one kind of harm, and for nothing else: other checks are emptied too."""

    wanted: ClassVar[frozenset[str]] = frozenset()
    lies: ClassVar[tuple[str, ...]] = ()
    at_both: ClassVar[bool] = False
    runs: ClassVar[int] = 0
    found: ClassVar[Found | None] = None

    def __init__(self) -> None:
        super().__init__()
        type(self).runs += 1

    # Each is a rule of the attacker machine with fewer arguments, so that a search is short.

    @rule(name=NAMES, hostile=st.booleans())
    def walk(self, *, name: str, hostile: bool) -> None:
        """Let the first tab of a browser begin a login, or go on to the provider's answer."""
        if not self._answered(name):
            issuer = HOSTILE if hostile and self.at_both else HONEST
            LoginMoves.go_on(self, name=name, number=0, issuer=issuer, process=0)

    @rule(name=NAMES)
    def arrive(self, *, name: str) -> None:
        """Let the first tab of a browser bring the provider's answer to the application."""
        if self._answered(name):
            LoginMoves.go_on(self, name=name, number=0, issuer=HONEST, process=0)

    @rule(name=NAMES)
    def read_answer(self, *, name: str) -> None:
        """Learn the answer that a tab is about to bring."""
        if self._answered(name):
            FrontChannelMoves.read(self, name=name, number=0)

    @rule(name=NAMES, back=NEWEST)
    def inject(self, *, name: str, back: int) -> None:
        """Have another tab of a browser open an answer that the attacker knows."""
        url = recent(self.world.knowledge.responses, back)
        if url:
            self.world.open(self.browser(name), self.tab(name, 1), url)

    @rule(name=NAMES, back=NEWEST)
    def inject_request(self, *, name: str, back: int) -> None:
        """Have the first tab of a browser open a request that the attacker knows."""
        url = recent(self.world.knowledge.requests, back)
        if url:
            self.world.open(self.browser(name), self.tab(name, 0), url)

    @rule(base=BACK, other=BACK)
    def splice_code(self, *, base: int, other: int) -> None:
        """Put the code of a known answer into another one."""
        known = self.world.knowledge.responses
        if known:
            to = recent(known, _place(known, base))
            self._splice(to, known, _place(known, other), "code")

    @rule(base=BACK, other=BACK)
    def readdress_request(self, *, base: int, other: int) -> None:
        """Send what one known request says to where another one goes."""
        known = self.world.knowledge.requests
        base, other = _place(known, base), _place(known, other)
        if base != other:
            FrontChannelMoves.readdress(self, base=base, other=other, response=False)

    @rule(number=st.integers(0, 3), sub=NAMES)
    def lie_once(self, *, number: int, sub: str) -> None:
        """Prepare one of the lies that belong to the attack."""
        self.bent = evolve(self.bent, lies=self.lies)
        which = number % len(self.lies)
        HostileMoves.lie(self, which=which, back=0, sub=sub, also=False)

    @rule(sub=NAMES, how=st.sampled_from(KEYS))
    def forge_signature(self, *, sub: str, how: str) -> None:
        """Make a logout token of the honest provider, with the attacker's keys."""
        self.bent = evolve(self.bent, keys=(how,), flaws=("none",))
        LogoutMoves.forge(self, sub=sub, key=0, which=0, own=False)

    @rule(sub=NAMES, flaw=st.sampled_from(FLAWS))
    def forge_claims(self, *, sub: str, flaw: str) -> None:
        """Make a logout token of the hostile provider, with its own keys."""
        self.bent = evolve(self.bent, keys=("own",), flaws=(flaw,))
        LogoutMoves.forge(self, sub=sub, key=0, which=0, own=True)

    def _answered(self, name: str) -> bool:
        return "state" in parameters_of(self.tab(name, 0).following) and (
            self.tab(name, 0).following.startswith(HOME)
        )

    def judged(self, history: History, call: Call) -> Flaw | None:
        """Return the harm, if it was done."""
        if "session integrity" in self.wanted:
            flaw = self._flaw_of_integrity(history, call)
        else:
            flaw = super().judged(history, call)
        if flaw is None or flaw.invariant not in self.wanted:
            return None
        hunter = type(self)
        hunter.found = hunter.found or Found(self.runs, flaw.invariant, flaw.why)
        return flaw

    def _flaw_of_integrity(self, history: History, call: Call) -> Flaw | None:
        """Judge who is logged in alone: a code that was sent in vain does no harm here."""
        issued = history.codes.get(call.given.get("code", ""))
        if call.kind != "finish" or call.entry is None or issued is None:
            return None
        if issued.browser == call.browser:
            return None
        why = f"{call.browser}'s browser is logged in with a code of {issued.browser}'s"
        return Flaw("session integrity", why)


def _place(known: list[str], back: int) -> int:
    """Return which of the known things a number stands for: each as likely as any other."""
    return back % len(known) if known else 0


def _is_rule(kind: type, name: str) -> bool:
    return hasattr(vars(kind)[name], "hypothesis_stateful_rule")


def hunt(
    defence: Defence, weaker: Sequence[Setting], *, number: int, examples: int
) -> Found | None:
    """Search with one seed; the checks were emptied before this module was loaded.

    Args:
        defence: what is attacked.
        weaker: what the honest provider does less.
        number: the seed.
        examples: how many are tried.

    Returns:
        after how many examples what was broken, and why; ``None`` if nothing was.
    """
    attack: dict[str, Any] = dict([*defence.scene, *weaker])
    moves = {name for kind in (*MOVES, Hunter) for name in vars(kind) if _is_rule(kind, name)}
    members: dict[str, Any] = dict.fromkeys(moves - _ALWAYS - {*defence.moves})
    members |= {
        "wanted": frozenset(defence.invariants),
        "lies": defence.lies,
        "at_both": defence.at_both,
        "attack": AttackSettings(**attack),
    }
    hunter: type[Hunter] = seed(number)(type("Hunt", (Hunter,), members))
    search = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    with suppress(InvariantBroken):
        run_state_machine_as_test(hunter, settings=search)
    return hunter.found
