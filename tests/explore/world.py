"""Everything there is at one moment: the record, the callers, the provider, and what is late."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

from oidc_core.model.resends import ResendInDoubt
from tests.explore.records import TIMELY, Clock, Holding

Provider: TypeAlias = Literal["revokes", "refuses", "grace", "steady", "sometimes"]
"""Its answer to a refresh token that was used: revokes all; refuses it; gives a pair again
within a window, then revokes all; never gives another one; gives another one or not, as it likes,
and revokes all when a replaced one is used."""

NOTHING: Final = Holding("")


class Caller(NamedTuple):
    """One caller: its state, and the tokens that it has.

    Attributes:
        at: ``idle``; ``claimed``; ``out``: its mark is written, and the request leaves or has left;
            ``answered``; ``verifying``.
        owns: whether the record names its exchange.
        parent: the generation that it sends, or verifies; 1 is the current one.
        number: which send of that generation it makes, or which send brought the pair that it
            verifies.
        target: the purpose of the access token.
        held: the outcome in its hands, or the refresh token that it sends.
        age: seconds since its mark.
        refused: the access token that a resource server refused; ``gone`` once no other place
            knows it.
    """

    at: str = "idle"
    owns: bool = False
    parent: int = 0
    number: int = 0
    target: int = 0
    held: Holding = NOTHING
    age: int = 0
    refused: str = ""


class Spent(NamedTuple):
    """The mishaps so far, or how many there may be."""

    crashes: int = 0
    losses: int = 0
    faults: int = 0
    logouts: int = 0
    strange: int = 0
    stops: int = 0


class Late(NamedTuple):
    """A write, which may be late: its writer has given it up, and it may be applied yet.

    Attributes:
        record: what is written.
        claims: whether it begins an exchange.
        advance: by how many generations.
        hot: targets, as bits, for which it ends an exchange.
    """

    record: int
    claims: bool = False
    advance: int = 0
    hot: int = 0


class World(NamedTuple):
    """Everything there is at one moment.

    Attributes:
        record: the number of the record.
        callers: sorted, since they are interchangeable.
        live: the refresh tokens that the provider takes.
        window: those that it takes once more, and for how many seconds so far.
        orphans: requests on their way that nobody waits for: refresh token, and seconds since the
            mark.
        late: a write that may be applied yet.
        sends: how often the refresh token of the current generation, and of the one before, may
            have been taken.
        hot: targets, as bits, for which an exchange ended without any time passing since.
        spent: the mishaps so far.
    """

    record: int
    callers: tuple[Caller, ...]
    live: tuple[int, ...] = (1,)
    window: tuple[tuple[int, int], ...] = ()
    orphans: tuple[tuple[int, int], ...] = ()
    late: Late | None = None
    sends: tuple[int, int] = (0, 0)
    hot: int = 0
    spent: Spent = Spent()


class Setting(NamedTuple):
    """One exploration.

    Attributes:
        rule: whether a refresh token in doubt is sent again.
        provider: what the provider does.
        clock: how time passes.
        callers: how many there are.
        most: how much may go wrong.
        answers: further answers of the provider: ``not_taken``, ``bare_400``, ``no_access``.  Two
            faults that no client survives: ``lies``: the provider says that it did not take a
            token that it took; ``forgets``: the store loses a write that it acknowledged.
        id_tokens: which ID tokens come with a pair; an empty one means a pair without it.
        refusing: whether a resource server may refuse any access token.
        targets: how many kinds of access tokens are asked for.
    """

    rule: ResendInDoubt
    provider: Provider
    clock: Clock = TIMELY
    callers: int = 2
    most: Spent = Spent()
    answers: frozenset[str] = frozenset()
    id_tokens: tuple[str, ...] = ("",)
    refusing: bool = False
    targets: int = 1


class Taken(NamedTuple):
    """The provider after a request.

    Attributes:
        live, window: its refresh tokens afterwards.
        dead: those that it takes no longer.
        held: its answer, without an access token.
        revokes: whether it ended all of them, because one was used again.
    """

    live: tuple[int, ...]
    window: tuple[tuple[int, int], ...]
    dead: frozenset[int]
    held: Holding
    revokes: bool = False


REFUSED: Final = Holding("refused")


def taken(provider: Provider, world: World, token: int) -> list[Taken]:
    """Return what the provider may make of a refresh token, apart from not taking it."""
    live, window = world.live, world.window
    again = token in [each for each, _ in window]
    if token not in live and not again:
        if provider in {"refuses", "steady"}:
            return [Taken(live, window, frozenset(), REFUSED)]
        dead = frozenset([*live, *[each for each, _ in window]])
        return [Taken((), (), dead, REFUSED, revokes=True)]
    results: list[Taken] = []
    if provider in {"steady", "sometimes"}:
        results.append(Taken(live, window, frozenset(), Holding("pair", token)))
    if provider != "steady":
        results.append(_rotated(provider, world, token, again=again))
    return results


def _rotated(provider: Provider, world: World, token: int, *, again: bool) -> Taken:
    """Return the next refresh token, and let the one that was used die or stay in its window."""
    window, dead = world.window, frozenset[int]()
    if provider == "grace" and not again:
        # The use of a pair ends the window of those before it.
        dead = frozenset([each for each, _ in window])
        window = ((token, 0),)
    elif not again:
        dead = frozenset([token])
    live = tuple([each for each in world.live if each != token])
    busy = {*live, *[each for each, _ in window]}
    new = next(each for each in range(1, 99) if each not in busy)
    return Taken((*live, new), window, dead, Holding("pair", new, rotated=True))
