"""Records of a grant in a canonical form, and what the shipped decisions make of them.

The explorer names records by numbers.  Two records have the same number if no later decision can
tell them apart: generations count from the current one, times are ages up to a cap, and members
that only a message shows are left out.  Each decision is made once for each record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

from attrs import evolve

from oidc_core.machine import grant_answers, grant_verdicts, grants
from oidc_core.machine.grant_answers import (
    Discard,
    Kept,
    MarkSending,
    RevokePair,
    Sent,
    Store,
    Swap,
)
from oidc_core.machine.grant_outcomes import (
    NewAccess,
    NoOutcome,
    NotTaken,
    Outcome,
    Pair,
    Refused,
    Unsent,
)
from oidc_core.machine.grant_verdicts import Mismatch, Origin, Refreshed, Unusable
from oidc_core.machine.grant_writes import Fresh
from oidc_core.machine.grants import Ask, Claim, Doubted, Use, Verify, Withhold
from oidc_core.model.grants import Access, Failure, GrantRecord, Target
from oidc_core.model.records import Tokens
from oidc_core.model.resends import ResendInDoubt

NOW: Final = 10_000
DOWN: Final = Failure("http_status_unexpected", "later", "later")
GONE: Final = Failure("provider_error", "stale", "restart")
FRESH: Final = Fresh("v", "mine")
TARGETS: Final = (Target(), Target(scope="less"))
MOST_MISSES: Final = 2
"""The growth of the back-off beyond two failures is not explored."""

_LEEWAY: Final = 30


class Clock(NamedTuple):
    """How time passes in a run.

    Attributes:
        tick: seconds that pass at a time.
        cap: seconds after which everything has passed.
        lifetime: of each access token: it is fresh, then due for a tick, then expired.
        timely: whether a living holder writes its pair before its guard passes, and no request
            arrives after that.
    """

    tick: int
    cap: int
    lifetime: int
    timely: bool


AT_WILL: Final = Clock(100, 200, 120, False)
"""Any time passes at any moment."""

TIMELY: Final = Clock(100, 200, 120, True)
"""Nothing takes time but to wait for a guard."""

BRIEF: Final = Clock(1_000, 2_000, 1_020, True)
"""No caller lives long enough to watch a guard; the store's clock tells what was abandoned."""

FINE: Final = Clock(15, 60, 40, True)
"""Time passes in steps of half a guard."""


class Decisions(NamedTuple):
    """The decisions under test; a mutant takes the place of one."""

    call: Callable[..., Any] = grants.decide_call
    send: Callable[..., Any] = grant_answers.decide_send
    answer: Callable[..., Any] = grant_answers.decide_answer
    verified: Callable[..., Any] = grant_verdicts.decide_verified
    end: Callable[..., Any] = grant_verdicts.decide_end


class Facts(NamedTuple):
    """Members of a record that the explorer reads.

    Attributes:
        state: its state.
        refresh: the number of its refresh token, 0 for one that is dead or absent.
        named: whether it names an exchange.
        fresh: for each target the access token that is not even due, or an empty string.
        tokens: all its access tokens.
        age: for how long the record has not been written.
        born: which send brought the current pair.
        id_token: the new ID token that waits.
        waits: whether an access token waits with it.
    """

    state: str
    refresh: int
    named: bool
    fresh: tuple[str, ...]
    tokens: frozenset[str]
    age: int
    born: int
    id_token: str
    waits: bool


Called: TypeAlias = tuple[str, int, str]
"""``use`` with a token, ``claim`` or ``doubt`` with the record to write, ``verify``, ``wait``,
``withhold``, ``final`` or ``login``."""

Answered: TypeAlias = tuple[str, int, int]
"""``write``, ``keep``, ``discard``, ``revoke`` or ``again``; the record, and by how many
generations it advances."""


class Holding(NamedTuple):
    """An outcome as a caller holds it: what it is, and the tokens of a pair."""

    what: str
    refresh: int = 0
    rotated: bool = False
    access: str = ""
    id_token: str = ""


class Judged(NamedTuple):
    """An outcome that meets the record: whose it is, and which send it is the outcome of."""

    mine: bool
    parent: int
    number: int
    target: int
    held: Holding


class Book:
    """All records of a run, by number, and the decisions about them."""

    def __init__(self, rule: ResendInDoubt, clock: Clock, decisions: Decisions) -> None:
        self.rule = rule
        self.clock = clock
        self.decisions = decisions
        self.records: list[GrantRecord] = []
        self.facts: list[Facts] = []
        self._numbers: dict[GrantRecord, int] = {}
        self._calls: dict[tuple[int, str, int, int], Called] = {}
        self._sends: dict[tuple[int, bool], tuple[int, int]] = {}
        self._answers: dict[tuple[int, Judged], Answered] = {}
        self._verdicts: dict[tuple[int, int, int, str], int] = {}
        self._ends: dict[int, int] = {}
        self._aged: dict[int, int] = {}
        self._renamed: dict[tuple[int, frozenset[int]], int] = {}

    def first(self) -> int:
        """Return the record of a login whose access token has just been stored."""
        access = Access(TARGETS[0], "login", "openid", NOW, self.clock.lifetime)
        record = GrantRecord(
            version="v", tokens=_tokens(1), access=(access,), changed_at=NOW, until=10**6
        )
        return self.put(record)

    def put(self, record: GrantRecord) -> int:
        """Return the number of a record."""
        known = self._canonical(record)
        number = self._numbers.get(known)
        if number is None:
            number = self._numbers[known] = len(self.records)
            self.records.append(known)
            self.facts.append(self._facts(known))
        return number

    # --- decisions -------------------------------------------------------------------------------

    def call(self, number: int, refused: str, target: int, watched: int) -> Called:
        """Return what a caller does that wants an access token."""
        key = (number, refused, target, watched)
        found = self._calls.get(key)
        if found is None:
            found = self._calls[key] = self._call(*key)
        return found

    def _call(self, number: int, refused: str, target: int, watched: int) -> Called:
        ask = Ask(leeway=_LEEWAY, refused=refused or None, target=TARGETS[target])
        record = self.records[number]
        call = self.decisions.call(record, ask, FRESH, now=NOW, watched=watched, resend=self.rule)
        if isinstance(call, Use):
            return "use", -1, call.tokens.access_token
        if isinstance(call, Claim):
            return "claim", self.put(call.new), ""
        if isinstance(call, Doubted):
            return "doubt", self.put(call.new), ""
        if isinstance(call, Verify):
            return "verify", -1, ""
        if isinstance(call, Withhold):
            return "final" if call.seconds is None else "withhold", -1, ""
        return type(call).__name__.lower(), -1, ""

    def send(self, number: int, *, mine: bool) -> tuple[int, int]:
        """Return the record to write before the request leaves and its number, or -1."""
        key = (number, mine)
        found = self._sends.get(key)
        if found is None:
            look = self.decisions.send(self.records[number], _name(mine=mine), FRESH, now=NOW)
            found = (-1, 0)
            if isinstance(look, MarkSending):
                found = (self.put(look.new), look.new.sends)
            self._sends[key] = found
        return found

    def answer(self, number: int, judged: Judged) -> Answered:
        """Return how an outcome changes a record."""
        key = (number, judged)
        found = self._answers.get(key)
        if found is None:
            found = self._answers[key] = self._answer(number, judged)
        return found

    def _answer(self, number: int, judged: Judged) -> Answered:
        record = self.records[number]
        name, target = _name(mine=judged.mine), TARGETS[judged.target]
        sent = Sent(name, judged.parent, judged.number, target)
        outcome = _outcome(judged.held, self.clock.lifetime)
        decision = self.decisions.answer(record, sent, outcome, FRESH, now=NOW)
        if isinstance(decision, Store | Swap):
            advance = decision.new.generation - record.generation
            return "write", self.put(decision.new), advance
        found = [name for kind, name in _KINDS if isinstance(decision, kind)]
        return found[0] if found else "again", -1, 0

    def verified(self, number: int, generation: int, born: int, id_token: str) -> int:
        """Return the record to write with the verdict on an ID token, or -1."""
        key = (number, generation, born, id_token)
        found = self._verdicts.get(key)
        if found is None:
            verdict = _VERDICTS[id_token]
            decision = self.decisions.verified(
                self.records[number], Origin(generation, born), verdict, FRESH, now=NOW
            )
            found = self.put(decision.new) if isinstance(decision, Swap) else -1
            self._verdicts[key] = found
        return found

    def end(self, number: int) -> int:
        """Return the tombstone of a record."""
        found = self._ends.get(number)
        if found is None:
            decision = self.decisions.end(self.records[number], FRESH, now=NOW)
            found = self.put(decision.new) if isinstance(decision, Swap) else -1
            self._ends[number] = found
        return found

    # --- changes ---------------------------------------------------------------------------------

    def aged(self, number: int) -> int:
        """Return a record one tick later."""
        found = self._aged.get(number)
        if found is None:
            found = self._aged[number] = self.put(self._later(self.records[number]))
        return found

    def _later(self, record: GrantRecord) -> GrantRecord:
        tick, waits = self.clock.tick, record.unverified
        if waits is not None and waits.access is not None:
            late = waits.access._replace(stored_at=waits.access.stored_at - tick)
            waits = waits._replace(access=late)
        return evolve(
            record,
            access=tuple(
                [each._replace(stored_at=each.stored_at - tick) for each in record.access]
            ),
            unverified=waits,
            first_sent_at=record.first_sent_at - tick,
            last_sent_at=record.last_sent_at - tick,
            held_until=record.held_until - tick,
            changed_at=record.changed_at - tick,
        )

    def without(self, number: int, dead: frozenset[int]) -> int:
        """Return a record once these refresh tokens are dead."""
        if self.facts[number].refresh not in dead:
            return number
        key = (number, dead)
        found = self._renamed.get(key)
        if found is None:
            record = self.records[number]
            found = self._renamed[key] = self.put(evolve(record, tokens=_tokens(0)))
        return found

    def _canonical(self, record: GrantRecord) -> GrantRecord:
        """Forget differences that no later decision can see."""
        sent = record.sends > 0
        watched = record.state in {"claimed", "sending", "doubt"} or record.misses > 0
        waits = record.unverified
        if waits is not None:
            access = None if waits.access is None else self._dated(waits.access)
            waits = waits._replace(access=access, received_at=0)
        down = record.generation - 1
        return evolve(
            record,
            access=tuple([self._dated(each) for each in record.access]),
            unverified=waits,
            hint=None,
            last_failure=None,
            generation=1,
            parent=max(-1, record.parent - down),
            first_sent_at=self._capped(record.first_sent_at) if sent else 0,
            last_sent_at=self._capped(record.last_sent_at) if sent else 0,
            held_until=max(record.held_until, NOW),
            changed_at=self._capped(record.changed_at) if watched else 0,
            misses=min(record.misses, MOST_MISSES),
        )

    def _dated(self, access: Access) -> Access:
        age = min(NOW - access.stored_at, self.clock.cap)
        return access._replace(stored_at=NOW - age, expires_at=None)

    def _capped(self, time: int) -> int:
        most = self.clock.cap if self.clock == FINE else self.clock.tick
        return max(time, NOW - most)

    def _facts(self, record: GrantRecord) -> Facts:
        waits = record.unverified
        known = [*record.access]
        if waits is not None and waits.access is not None:
            known.append(waits.access)
        refresh = record.tokens.refresh_token
        return Facts(
            state=record.state,
            refresh=0 if refresh is None else int(refresh[1:]),
            named=record.attempt != "",
            fresh=tuple([_fresh(record, target) for target in TARGETS]),
            tokens=frozenset([each.token for each in known]),
            age=min(NOW - record.changed_at, self.clock.cap),
            born=record.born,
            id_token="" if waits is None else waits.id_token,
            waits=waits is not None and waits.access is not None,
        )


_VERDICTS: Final = {"good": Refreshed(), "unusable": Unusable(DOWN), "other": Mismatch(GONE)}
"""The verdict on each ID token that the provider may send."""


_KINDS: Final = ((Kept, "keep"), (Discard, "discard"), (RevokePair, "revoke"))


def _name(*, mine: bool) -> str:
    return "mine" if mine else "another"


def _tokens(refresh: int) -> Tokens:
    return Tokens(
        issuer="i",
        client_id="c",
        access_token="",
        refresh_token=f"r{refresh}",
        id_token="t",
        scope="openid",
        subject="s",
    )


def _fresh(record: GrantRecord, target: Target) -> str:
    access = record.access_for(target)
    if access is None or (access.remaining(NOW) or 0) <= _LEEWAY:
        return ""
    return access.token


def _outcome(held: Holding, lifetime: int) -> Outcome:
    if held.what == "pair":
        new = NewAccess(held.access, "openid", lifetime, None) if held.access else None
        failure = None if new else DOWN
        return Pair(f"r{held.refresh}", held.rotated, new, failure, held.id_token or None)
    outcomes: dict[str, Outcome] = {
        "refused": Refused(GONE),
        "not_taken": NotTaken(DOWN),
        "bare_400": NotTaken(DOWN, bare_400=True),
        "no_outcome": NoOutcome(DOWN),
        "unsent": Unsent(),
    }
    return outcomes[held.what]
