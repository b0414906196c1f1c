"""The search through all worlds of a setting, and the shortest way to one that is broken."""

from __future__ import annotations

from typing import Final

from tests.explore.explorer import MISHAPS, SHIPPED, Explorer
from tests.explore.invariants import BrokenError
from tests.explore.records import Decisions
from tests.explore.world import Setting, World

QUIET: Final = frozenset({"crashes", "losses", "faults", "strange"})


def explore(setting: Setting, decisions: Decisions = SHIPPED, most: int = 5_000_000) -> int:
    """Visit every world that can be reached, and return how many there are.

    Raises:
        BrokenError: an invariant does not hold; with the shortest way there.
    """
    return Search(setting, decisions).run(most)


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

    def run(self, most: int) -> int:
        """Visit all worlds, then look for those that lead nowhere."""
        numbers, worlds, came = self.numbers, self.worlds, self.came
        at = 0
        while at < len(worlds):
            if len(worlds) > most:
                raise OverflowError(len(worlds))
            try:
                events = self.explorer.expand(worlds[at])
            except BrokenError as broken:
                raise self._told(broken, at) from None
            ways = []
            for event in events:
                number = numbers.get(event.after)
                if number is None:
                    number = numbers[event.after] = len(worlds)
                    worlds.append(event.after)
                    came.append(at)
                if event.what not in MISHAPS:
                    ways.append(number)
            self.goals.append(self.explorer.goal)
            self.ways.append(tuple(ways) if self.explorer.goal < 2 else ())
            at += 1
        self._check_ways()
        return len(worlds)

    def _check_ways(self) -> None:
        """From every world something leads on; if nothing went wrong, to tokens or a logout."""
        reach, setting = self._reaching(), self.explorer.setting
        judged = setting.clock.timely or setting.rule == "never"
        for at, best in enumerate(reach):
            spent = self.worlds[at].spent
            if best == 0:
                raise self._told(BrokenError("I7" if spent.crashes else "I11"), at)
            quiet = spent.stops < 2 and not any([getattr(spent, each) for each in QUIET])
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
        events = []
        while at:
            before = self.came[at]
            world = self.worlds[at]
            found = next(
                each for each in self.explorer.expand(self.worlds[before]) if each.after == world
            )
            events.append(f"{found.at or '·'} {found.what}")
            at = before
        broken.way = tuple(reversed(events))
        return broken
