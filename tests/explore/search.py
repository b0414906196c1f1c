"""The search through all worlds of a setting, and the shortest way to one that is broken."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from tests.explore.explorer import MISHAPS, SHIPPED, Events, Explorer
from tests.explore.invariants import BrokenError
from tests.explore.records import Decisions
from tests.explore.world import Setting, World

_WRONG: Final = ("crashes", "losses", "faults", "strange")
_WRITES: Final = ("claims", "marks", "doubts", "writes", "finds")


class Explored(NamedTuple):
    """The result of a search.

    Attributes:
        worlds: how many there are.
        moves: each write: the state of the record before, what happened, and the state afterwards.
    """

    worlds: int
    moves: frozenset[tuple[str, str, str]]


@cache
def explore(setting: Setting, decisions: Decisions = SHIPPED) -> Explored:
    """Visit every world that can be reached.

    Raises:
        BrokenError: an invariant does not hold; with the shortest way there.
    """
    return Search(setting, decisions).run()


class Search:
    """A search, breadth first."""

    def __init__(self, setting: Setting, decisions: Decisions) -> None:
        self.explorer = Explorer(setting, decisions)
        first = self.explorer.first()
        self.numbers: dict[World, int] = {first: 0}
        self.worlds: list[World] = [first]
        self.came: list[int] = [0]
        self.goals: list[int] = []
        self.ways: list[tuple[int, ...]] = []
        self.moves: set[tuple[int, str, int]] = set()

    def run(self) -> Explored:
        """Visit all worlds, then look for those that lead nowhere."""
        at = 0
        while at < len(self.worlds):
            try:
                events = self.explorer.expand(self.worlds[at])
            except BrokenError as broken:
                raise self._told(broken, at) from None
            ways = self._entered(events, at)
            self.goals.append(self.explorer.goal)
            self.ways.append(ways if self.explorer.goal < 2 else ())
            at += 1
        self._check_ways()
        facts = self.explorer.book.facts
        named = [(facts[old].state, what, facts[new].state) for old, what, new in self.moves]
        return Explored(len(self.worlds), frozenset(named))

    def _entered(self, events: Events, at: int) -> tuple[int, ...]:
        """Note the worlds that events lead to; return those that no mishap leads to."""
        numbers, worlds = self.numbers, self.worlds
        ways: list[int] = []
        record = worlds[at].record
        for event in events:
            after = event.after
            number = numbers.get(after)
            if number is None:
                number = numbers[after] = len(worlds)
                worlds.append(after)
                self.came.append(at)
            if event.what not in MISHAPS:
                ways.append(number)
            if after.record != record and event.what.startswith(_WRITES):
                self.moves.add((record, event.what, after.record))
        return tuple(ways)

    def _check_ways(self) -> None:
        """From every world something leads on; if nothing went wrong, to tokens or a logout."""
        setting, reach = self.explorer.setting, self._reaching()
        # At any time means that each holder may have stopped before it sent.
        judged = setting.clock.timely or setting.rule == "never"
        for at, best in enumerate(reach):
            spent = self.worlds[at].spent
            if best == 0:
                raise self._told(BrokenError("I7" if spent.crashes else "I11"), at)
            quiet = spent.stops < 2 and not any(getattr(spent, each) for each in _WRONG)
            if best == 1 and quiet and judged:
                raise self._told(BrokenError("I5"), at)

    def _reaching(self) -> list[int]:
        """Return for each world the best goal that some continuation reaches."""
        reach, ways = self.goals, self.ways
        changed = True
        while changed:
            changed = False
            for at in range(len(reach) - 1, -1, -1):
                if reach[at] < 2 and ways[at]:
                    best = max([reach[each] for each in ways[at]])
                    if best > reach[at]:
                        reach[at] = best
                        changed = True
        return reach

    def _told(self, broken: BrokenError, at: int) -> BrokenError:
        """Add the shortest way to an error."""
        events: list[str] = []
        while at:
            before = self.came[at]
            world = self.worlds[at]
            found = next(
                each for each in self.explorer.expand(self.worlds[before]) if each.after == world
            )
            events.append(f"{found.at or 'world'}: {found.what}")
            at = before
        broken.way = tuple(reversed(events))
        return broken
