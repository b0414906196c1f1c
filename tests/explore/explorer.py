"""Goes through every order of events in which several callers share one refresh token.

A caller reads and writes the record in one step: a write is applied only if nobody else wrote since
the read, so nothing that others do in between can change it.  For the same reason an answer is in
its caller's hands as soon as the provider has given it, or lost.  A write that failed may be
applied later, as long as nobody else has written.  A read that fails changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

from oidc_core.machine.grants import ABANDONED, GUARDS
from tests.explore.changes import IDLE, Changes, Draft, home
from tests.explore.invariants import (
    check_claim,
    check_dropped,
    check_revocation,
    check_sends,
    check_unusable,
    check_use,
    check_write,
    grace_seconds,
)
from tests.explore.records import TARGETS, Book, Decisions, Holding, Judged
from tests.explore.world import Caller, Late, Setting, Taken, World, taken

ALL_TARGETS: Final = (1 << len(TARGETS)) - 1
SHIPPED: Final = Decisions()

MISHAPS: Final = frozenset({"crash", "loss", "fault", "logout", "late write", "strange"})
"""Events that nobody may count on to get out of a dead end."""


class Event(NamedTuple):
    """Something that may happen: its name, the state of its caller, and the world afterwards."""

    what: str
    at: str
    after: World


Events: TypeAlias = list[Event]


class Explorer:
    """The events of a setting, over the decisions that ship or a mutant of them."""

    def __init__(self, setting: Setting, decisions: Decisions = SHIPPED) -> None:
        self.setting = setting
        self.book = Book(setting.rule, setting.clock, decisions)
        self.changes = Changes(setting, self.book)
        self.grace = grace_seconds(setting)
        self.goal = 0
        """About the world that was expanded last: 2 where a caller gets tokens or the session has
        ended, 1 where it hears that only a new login helps, 0 elsewhere."""

    def first(self) -> World:
        """Return the world to begin with."""
        return World(self.book.first(), (IDLE,) * self.setting.callers)

    def expand(self, world: World) -> Events:
        """Return everything that may happen next.

        Raises:
            BrokenError: an invariant does not hold.
        """
        self.goal = 0
        events: Events = []
        twin = None
        for number, caller in enumerate(world.callers):
            if caller == twin:
                continue
            twin = caller
            if caller.at == "idle":
                self._reads(events, world, number, caller)
            elif caller.at == "claimed":
                self._marks(events, world, number, caller)
            elif caller.at == "out":
                self._leaves(events, world, number, caller)
            elif caller.at == "answered":
                self._judges(events, world, number, caller)
            else:
                self._verifies(events, world, number, caller)
            if caller.at != "idle" and self.changes.may(world, "crashes"):
                gone = self.changes.with_caller(world, number, IDLE, "crashes")
                events.append(Event("crash", caller.at, gone))
        self._requests(events, world)
        self._operator(events, world)
        self._ticks(events, world)
        return events

    def _to(self, events: Events, what: str, world: World, number: int, caller: Caller) -> None:
        """Add an event that changes one caller."""
        at = world.callers[number].at
        events.append(Event(what, at, self.changes.with_caller(world, number, caller)))

    def _writes(
        self, events: Events, what: str, world: World, number: int, write: Late, *ways: Caller
    ) -> None:
        """Add a write, after which its caller goes on, and one that fails."""
        changes, at = self.changes, world.callers[number].at
        goes_on, fails = ways
        draft = Draft(world)
        draft.callers[number] = goes_on
        events.append(Event(what, at, changes.written(draft, write, writer=number)))
        if changes.may(world, "faults"):
            lost = world._replace(late=write)
            failed = changes.with_caller(lost, number, fails, "faults")
            events.append(Event("fault", at, failed))
        if "forgets" in self.setting.answers and changes.may(world, "strange"):
            forgotten = changes.with_caller(world, number, goes_on, "strange")
            events.append(Event("strange", at, forgotten))

    # --- one caller ------------------------------------------------------------------------------

    def _reads(self, events: Events, world: World, number: int, caller: Caller) -> None:
        facts = self.book.facts[world.record]
        watches = {0}
        if facts.state in {"claimed", "sending", "doubt"} and self.setting.clock.tick < ABANDONED:
            watches.add(facts.age)
        for target in range(self.setting.targets):
            for watched in watches:
                kind, new, token = self.book.call(world.record, caller.refused, target, watched)
                if kind == "use":
                    self.goal = 2
                    check_use(facts, caller.refused, token)
                    self._uses(events, world, number, caller, token)
                elif kind == "claim":
                    check_claim(facts, caller.refused, target, world.hot)
                    held = Holding("", facts.refresh)
                    on = caller._replace(at="claimed", target=target, parent=1, held=held)
                    self._writes(
                        events, "claims", world, number, Late(new, claims=True), on, caller
                    )
                elif kind == "doubt":
                    self._writes(events, "doubts", world, number, Late(new), caller, caller)
                elif kind == "verify":
                    held = Holding("", id_token=facts.id_token)
                    at = caller._replace(at="verifying", parent=1, number=facts.born, held=held)
                    self._to(events, "takes the ID token", world, number, at)
                else:
                    self._hears(events, world, number, caller, kind)

    def _uses(self, events: Events, world: World, number: int, caller: Caller, token: str) -> None:
        if self.setting.refusing:
            self._to(events, "uses", world, number, caller._replace(refused=""))
            self._to(events, "uses, refused", world, number, caller._replace(refused=token))

    def _hears(self, events: Events, world: World, number: int, caller: Caller, kind: str) -> None:
        if kind in {"login", "final"}:
            ended = self.book.facts[world.record].state == "ended"
            self.goal = max(self.goal, 2 if ended else 1)
        if caller.refused and kind != "wait":
            self._to(events, "gives up", world, number, caller._replace(refused=""))

    def _marks(self, events: Events, world: World, number: int, caller: Caller) -> None:
        new, send = self.book.send(world.record, mine=caller.owns)
        if new < 0:
            self._to(events, "has lost the claim", world, number, home(caller))
            return
        out = caller._replace(at="out", number=send)
        unsent = out._replace(at="answered", held=Holding("unsent"))
        self._writes(events, "marks", world, number, Late(new), out, unsent)

    def _leaves(self, events: Events, world: World, number: int, caller: Caller) -> None:
        """The request leaves, and arrives; or it never leaves."""
        changes, answered = self.changes, caller._replace(at="answered")
        unsent = answered._replace(held=Holding("unsent"))
        self._to(events, "has not sent", world, number, unsent)
        if caller.age:  # too late to send
            return
        sent = world._replace(sends=self._counted(world, caller))
        for result in taken(self.setting.provider, world, caller.held.refresh):
            draft = changes.taken(sent, result, number)
            for held in self._answers(draft.world, result):
                callers = [*draft.callers]
                callers[number] = answered._replace(held=held)
                events.append(Event(held.what, "out", changes.done(draft.world, callers)))
        self._not_taken(events, world, number, answered)
        orphans = tuple(sorted([*sent.orphans, (caller.held.refresh, caller.age)]))
        lost = sent._replace(orphans=orphans)
        if changes.may(world, "losses"):
            silent = answered._replace(held=Holding("no_outcome"))
            events.append(Event("loss", "out", changes.with_caller(lost, number, silent, "losses")))
        if changes.may(world, "crashes"):
            events.append(Event("crash", "out", changes.with_caller(lost, number, IDLE, "crashes")))

    def _counted(self, world: World, caller: Caller) -> tuple[int, int]:
        now, before = world.sends
        sends = (now + (caller.parent == 1), before + (caller.parent == 0))
        check_sends(self.setting, sends)
        return sends

    def _not_taken(self, events: Events, world: World, number: int, answered: Caller) -> None:
        """The provider does not take the refresh token."""
        if "not_taken" in self.setting.answers:
            refused = answered._replace(held=Holding("not_taken"))
            self._to(events, "not_taken", world, number, refused)
        if "bare_400" in self.setting.answers and self.changes.may(world, "strange"):
            refused = answered._replace(held=Holding("bare_400"))
            after = self.changes.with_caller(world, number, refused, "strange")
            events.append(Event("strange", "out", after))

    def _answers(self, world: World, result: Taken) -> Iterable[Holding]:
        held = result.held
        if held.what != "pair":
            return [held]
        found: list[Holding] = []
        if "lies" in self.setting.answers:
            found.append(Holding("not_taken"))
        used = self._used(world) if self.setting.refusing else frozenset[str]()
        number = next(each for each in range(1, 99) if not used & _named(each))
        for id_token in self.setting.id_tokens:
            found.append(held._replace(access=f"{number}.{id_token}", id_token=id_token))
            if "no_access" in self.setting.answers:
                found.append(held._replace(id_token=id_token))
        return found

    def _used(self, world: World) -> frozenset[str]:
        callers = list(world.callers)
        named = self.changes.known_access(world, callers)
        return named | frozenset([each.refused for each in callers])

    def _judges(self, events: Events, world: World, number: int, caller: Caller) -> None:
        """The outcome meets the record as it is now."""
        held, facts, idle = caller.held, self.book.facts[world.record], home(caller)
        judged = Judged(caller.owns, caller.parent, caller.number, caller.target, held)
        kind, new, advance = self.book.answer(world.record, judged)
        if kind == "write":
            after = self.book.facts[new]
            check_write(world, facts, after, ends=False, bare=held.what == "bare_400")
            check_dropped(world, caller, after)
            write = Late(new, advance=advance, hot=_hot(caller))
            self._writes(events, f"writes {held.what}", world, number, write, idle, caller)
            return
        draft = Draft(world)
        if kind != "revoke":
            check_dropped(world, caller, facts)
        elif held.refresh in world.live:
            if facts.state != "ended":
                others = [each for at, each in enumerate(world.callers) if at != number]
                check_revocation(world, facts.refresh, others)
            self.changes.revoke(draft)
        draft.callers[number] = idle
        done = self.changes.done(draft.world, draft.callers)
        events.append(Event(f"{kind}: {held.what}", "answered", done))

    def _verifies(self, events: Events, world: World, number: int, caller: Caller) -> None:
        idle = home(caller)
        self._to(events, "has no keys, or is late", world, number, idle)
        verdict, facts = caller.held.id_token, self.book.facts[world.record]
        new = self.book.verified(world.record, caller.parent, caller.number, verdict)
        if new < 0:
            return
        after = self.book.facts[new]
        check_write(world, facts, after, ends=facts.id_token == "other", bare=False)
        if verdict == "unusable":
            check_unusable(facts, after)
        write = Late(new, hot=0 if verdict == "good" and facts.waits else ALL_TARGETS)
        self._writes(events, f"finds it {verdict}", world, number, write, idle, idle)

    # --- what no caller does ---------------------------------------------------------------------

    def _requests(self, events: Events, world: World) -> None:
        """A request arrives that nobody waits for, or a write that its writer gave up."""
        for at, orphan in enumerate(world.orphans):
            rest = (*world.orphans[:at], *world.orphans[at + 1 :])
            left = world._replace(orphans=rest)
            for result in taken(self.setting.provider, left, orphan[0]):
                draft = self.changes.taken(left, result, None)
                after = self.changes.done(draft.world, draft.callers)
                events.append(Event("late request", "", after))
        if world.late is not None:
            after = self.changes.written(Draft(world), world.late)
            events.append(Event("late write", "", after))

    def _operator(self, events: Events, world: World) -> None:
        """A window of the provider ends, or the user logs out."""
        changes, facts = self.changes, self.book.facts
        if world.window and self.grace is None:
            draft = Draft(world._replace(window=()))
            changes.bury(draft, frozenset([each for each, _ in world.window]))
            after = changes.done(draft.world, draft.callers)
            events.append(Event("window ends", "", after))
        new = self.book.end(world.record) if changes.may(world, "logouts") else -1
        if new < 0:
            return
        check_write(world, facts[world.record], facts[new], ends=True, bare=False)
        draft = Draft(world)
        if facts[world.record].refresh in world.live:
            changes.revoke(draft)
        after = changes.written(draft, Late(new), spends="logouts")
        events.append(Event("logout", "", after))

    def _ticks(self, events: Events, world: World) -> None:
        """Time passes, unless a living holder of a pair would come too late."""
        clock, write = self.setting.clock, world.late
        if write is not None:
            write = write._replace(record=self.book.aged(write.record), hot=0)
        aged = self.book.aged(world.record)
        draft = Draft(world._replace(record=aged, hot=0, late=write))
        if clock.timely and not self._in_time(draft):
            return
        if self.grace is not None:
            window = [(token, age + clock.tick) for token, age in world.window]
            over = frozenset([token for token, age in window if age >= self.grace])
            kept = tuple([each for each in window if each[0] not in over])
            draft.world = draft.world._replace(window=kept)
            self.changes.bury(draft, over)
        after = self.changes.done(draft.world, draft.callers)
        if after != world:
            events.append(Event("time passes", "", after))

    def _in_time(self, draft: Draft) -> bool:
        """Let callers and requests age; return whether that may happen."""
        world, clock = draft.world, self.setting.clock
        stops = world.spent.stops
        for number, caller in enumerate(world.callers):
            if caller.at in {"out", "answered"}:
                age = min(caller.age + clock.tick, clock.cap)
                latest = GUARDS.send if caller.at == "answered" else 1
                if caller.age < latest <= age:
                    stops += 1
                    if caller.held.what == "pair" or stops > self.setting.most.stops:
                        return False
                draft.callers[number] = caller._replace(age=age)
        orphans = [(token, age + clock.tick) for token, age in world.orphans]
        kept = tuple([each for each in orphans if each[1] < GUARDS.send])
        draft.world = world._replace(orphans=kept, spent=world.spent._replace(stops=stops))
        return True


def _hot(caller: Caller) -> int:
    """Return for which targets an exchange has ended with this outcome."""
    held = caller.held
    if held.what == "pair":
        return 1 << caller.target if held.access else ALL_TARGETS
    return ALL_TARGETS if held.what in {"not_taken", "bare_400"} else 0


def _named(number: int) -> frozenset[str]:
    return frozenset([f"{number}.{each}" for each in ("", "good", "unusable", "other")])
