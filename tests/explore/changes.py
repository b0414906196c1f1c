"""How an event changes a world: writes, dead refresh tokens, and the canonical form."""

from __future__ import annotations

from typing import Final

from oidc_core.machine.grant_answers import decide_send
from tests.explore.invariants import check_revocation
from tests.explore.records import Book
from tests.explore.world import Caller, Late, Setting, Spent, Taken, World

IDLE: Final = Caller()


class Draft:
    """A world that is being changed; its callers are not yet in order."""

    __slots__ = ("callers", "world")

    def __init__(self, world: World) -> None:
        self.world = world
        self.callers = list(world.callers)


class Changes:
    """The changes of worlds in a setting."""

    def __init__(self, setting: Setting, book: Book) -> None:
        self.setting = setting
        self.book = book
        self._most = setting.most
        self._refusing = setting.refusing
        self._looks = book.decisions.send is decide_send
        self._callers: dict[tuple[Caller, ...], tuple[Caller, ...]] = {}

    def may(self, world: World, what: str) -> bool:
        """Return whether one more of these mishaps may happen."""
        return bool(getattr(world.spent, what) < getattr(self._most, what))

    def with_caller(self, world: World, number: int, caller: Caller, spends: str = "") -> World:
        """Return a world with another caller in the place of one."""
        callers = list(world.callers)
        callers[number] = caller
        if spends:
            world = world._replace(spent=spent_more(world, spends))
        return self.done(world, callers)

    def written(
        self, draft: Draft, late: Late, *, writer: int | None = None, spends: str = ""
    ) -> World:
        """Apply a write: another one that is late is not applied any more."""
        world, callers = draft.world, draft.callers
        named = self.book.facts[late.record].named
        sends = world.sends
        if late.claims or late.advance or not named:
            for number, caller in enumerate(callers):
                if caller.at == "idle":
                    continue
                owns = number == writer if late.claims else caller.owns and named
                if caller.at == "claimed" and not owns and self._looks:
                    callers[number] = home(caller)  # its last look will find that out
                    continue
                parent = max(caller.parent - late.advance, -1)
                if (owns, parent) != (caller.owns, caller.parent):
                    callers[number] = caller._replace(owns=owns, parent=parent)
        if late.advance:
            sends = (0, sends[0])
        after = world._replace(
            record=late.record,
            late=None,
            sends=sends,
            hot=world.hot | late.hot,
            spent=spent_more(world, spends) if spends else world.spent,
        )
        return self.done(after, callers)

    def taken(self, world: World, result: Taken, sender: int | None) -> Draft:
        """Apply what the provider did: everybody's copy of a dead refresh token is dead."""
        draft = Draft(world)
        if result.revokes and world.live:
            others = [each for at, each in enumerate(world.callers) if at != sender]
            check_revocation(world, self.book.facts[world.record].refresh, others)
        draft.world = world._replace(live=result.live, window=result.window)
        self.bury(draft, result.dead)
        return draft

    def revoke(self, draft: Draft) -> None:
        """The provider ends all refresh tokens of the grant."""
        world = draft.world
        dead = frozenset([*world.live, *[each for each, _ in world.window]])
        draft.world = world._replace(live=(), window=())
        self.bury(draft, dead)

    def bury(self, draft: Draft, dead: frozenset[int]) -> None:
        """Number dead refresh tokens as dead, wherever they are."""
        if not dead:
            return
        world, late = draft.world, draft.world.late
        if late is not None:
            late = late._replace(record=self.book.without(late.record, dead))
        orphans = [(0 if token in dead else token, age) for token, age in world.orphans]
        draft.world = world._replace(
            record=self.book.without(world.record, dead),
            late=late,
            orphans=tuple(sorted(orphans)),
        )
        for number, caller in enumerate(draft.callers):
            if caller.held.refresh in dead:
                held = caller.held._replace(refresh=0)
                draft.callers[number] = caller._replace(held=held)

    def done(self, world: World, callers: list[Caller]) -> World:
        """Return a world in its canonical form."""
        if world.live or world.window:
            world = self._pruned(world, callers)
        if self._refusing:
            self._forget(world, callers)
        callers.sort()
        sorted_callers = tuple(callers)
        known = self._callers.setdefault(sorted_callers, sorted_callers)
        return world._replace(callers=known)

    def _pruned(self, world: World, callers: list[Caller]) -> World:
        """Forget refresh tokens that nobody has."""
        known = {self.book.facts[world.record].refresh}
        for caller in callers:
            known.add(caller.held.refresh)
        for token, _ in world.orphans:
            known.add(token)
        if world.late is not None:
            known.add(self.book.facts[world.late.record].refresh)
        if known.issuperset(world.live) and not world.window:
            return world
        live = tuple([each for each in world.live if each in known])
        window = tuple([each for each in world.window if each[0] in known])
        return world._replace(live=live, window=window)

    def _forget(self, world: World, callers: list[Caller]) -> None:
        """A refused token that no other place knows is as good as any other old one."""
        for number, caller in enumerate(callers):
            if caller.refused and caller.refused not in self.known_access(world, callers):
                callers[number] = caller._replace(refused="gone")

    def known_access(self, world: World, callers: list[Caller]) -> frozenset[str]:
        """Return the access tokens of the record and of the pairs that callers have."""
        known = self.book.facts[world.record].tokens
        if world.late is not None:
            known |= self.book.facts[world.late.record].tokens
        return known | frozenset([each.held.access for each in callers])


def home(caller: Caller) -> Caller:
    """Return a caller that begins again."""
    return Caller(refused=caller.refused) if caller.refused else IDLE


def spent_more(world: World, what: str) -> Spent:
    """Return the mishaps so far, and one more."""
    return world.spent._replace(**{what: getattr(world.spent, what) + 1})
