"""The world of one grant: a store, a provider, and callers that may stop anywhere.

Each caller goes through the loop of a client, one action at a time: read and decide, write, look
once more, send, take the answer, write, verify.  Between two actions of one caller anything of the
others may happen: a crash, a lost message, a write that is applied unnoticed, a logout.

Time has no clock here.  Whether a guard has passed is a choice of the explorer: at any moment under
the rule ``never``; otherwise only while no living holder and no message of that exchange is left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

from attrs import evolve, frozen

from oidc_core.machine import grant_answers, grant_verdicts, grants
from oidc_core.machine.grant_answers import (
    ClaimLost,
    Discard,
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
)
from oidc_core.machine.grant_verdicts import Mismatch, Origin, Refreshed, Unusable
from oidc_core.machine.grant_writes import Fresh
from oidc_core.machine.grants import Ask, Claim, Doubted, Use, Verify, Wait
from oidc_core.model.grants import Access, Failure, GrantRecord, Target
from oidc_core.model.records import Tokens

Rule: TypeAlias = Literal["never", "once", "reusable"]
"""The rules of a doubt that are explored."""

Provider: TypeAlias = Literal["revokes", "refuses", "steady", "sometimes"]
"""What it does with a refresh token: rotates and revokes all on reuse; rotates and refuses reuse;
never rotates; rotates or not, as it likes."""

NOW: Final = 1_000
LIFETIME: Final = 100
DOWN: Final = Failure("http_status_unexpected", "later", "later")
GONE: Final = Failure("provider_error", "stale", "restart")
SILENT: Final = Failure("refresh_in_doubt", "stale", "restart")


def access(number: int) -> NewAccess:
    return NewAccess(f"a{number}", "openid", LIFETIME, None)


FIRST: Final = GrantRecord(
    version="0",
    tokens=Tokens(
        issuer="i",
        client_id="c",
        access_token="",
        refresh_token="r0",
        id_token="t",
        scope="openid",
        subject="s",
    ),
    access=(Access(Target(), "a0", "openid", 0, LIFETIME),),
    changed_at=0,
    until=10**6,
)
"""A record whose access token has expired long ago."""


FIRST_ORIGIN: Final = Origin.of(FIRST)


class Write(NamedTuple):
    """A write that a caller is about to make; ``old``: the record has changed since."""

    new: GrantRecord
    then: str
    old: bool = False


@frozen(kw_only=True)
class Caller:
    """One caller: where it stands, and what it holds.

    ``at``: ``idle``, ``write``, ``claimed``, ``marked``, ``waiting``, ``answered``, ``verifying``,
    ``done`` or ``dead``.
    """

    at: str = "idle"
    write: Write | None = None
    sent: Sent | None = None
    refresh: str = ""
    outcome: Outcome | None = None
    origin: Origin = FIRST_ORIGIN
    attempts: int = 0
    got: str = ""


@frozen(kw_only=True)
class Operator:
    """The provider, and the requests and answers on their way, by caller.

    ``counts``: how often each refresh token was sent, without the sends that it did not take.
    """

    live: int = 0
    made: int = 0
    alive: bool = True
    counts: tuple[int, ...] = (0,)
    requests: tuple[tuple[int, str], ...] = ()
    answers: tuple[tuple[int, Outcome], ...] = ()


@frozen(kw_only=True)
class World:
    """Everything there is at one moment."""

    record: GrantRecord = FIRST
    callers: tuple[Caller, ...] = (Caller(), Caller())
    operator: Operator = Operator()
    crashes: int = 0
    losses: int = 0
    faults: int = 0
    logged_out: bool = False


class Limits(NamedTuple):
    """How much may go wrong in one run."""

    crashes: int = 1
    losses: int = 1
    faults: int = 1
    logouts: int = 0
    attempts: int = 2


_MISHAPS: Final = ("crashes", "lost", "cannot", "unnoticed", "logout")
"""Events that nobody may count on to get out of a dead end."""


class BrokenError(AssertionError):
    """An invariant does not hold."""


Action: TypeAlias = tuple[str, World]
Came: TypeAlias = dict[World, tuple[World | None, str]]
"""How each world was reached first: from where, and by what."""


@frozen(kw_only=True)
class Explorer:
    """Goes through every order of events under a rule, at a provider."""

    rule: Rule
    provider: Provider
    limits: Limits

    def explore(self) -> int:
        """Visit every world that can be reached, and return how many there are.

        Raises:
            BrokenError: an invariant does not hold; with the shortest way there.
        """
        start = World()
        came: Came = {start: (None, "")}
        queue = deque([start])
        ends: set[World] = set()
        back: dict[World, list[World]] = {}
        while queue:
            world = queue.popleft()
            for name, after in self.actions(world):
                self.check(world, name, after, came)
                if not any(word in name for word in _MISHAPS):
                    back.setdefault(after, []).append(world)
                if after not in came:
                    came[after] = (world, name)
                    queue.append(after)
            if _settled(world):
                ends.add(world)
                self.check_end(world, came)
        self.check_ways_out(came, ends, back)
        return len(came)

    # --- what may happen -------------------------------------------------------------------------

    def actions(self, world: World) -> Iterator[Action]:
        """Yield everything that may happen next, by name."""
        for number, caller in enumerate(world.callers):
            if caller.at in {"done", "dead"}:
                continue
            yield from self._own(world, number, caller)
            if world.crashes < self.limits.crashes:
                gone = _with(world, number, Caller(at="dead"))
                yield f"{number} crashes", evolve(gone, crashes=world.crashes + 1)
        yield from self._messages(world)
        if not world.logged_out and self.limits.logouts and world.record.state != "ended":
            yield "logout", self._logout(world)

    def _own(self, world: World, number: int, caller: Caller) -> Iterator[Action]:
        if caller.at == "idle":
            for watched in self._watches(world):
                yield f"{number} reads ({watched})", self._read(world, number, caller, watched)
                if world.record.misses:
                    later = self._read(world, number, caller, watched, NOW + grants.MOST_PATIENCE)
                    yield f"{number} reads later ({watched})", later
        elif caller.at == "write":
            yield from self._write(world, number, caller)
        elif caller.at == "claimed":
            yield f"{number} looks", self._look(world, number, caller)
        elif caller.at == "marked":
            yield f"{number} sends", _sent(world, number, caller)
        elif caller.at == "answered":
            yield f"{number} judges", self._judge(world, number, caller)
        elif caller.at == "verifying":
            for verdict in (Refreshed(), Unusable(GONE), Mismatch(GONE)):
                name = f"{number} verifies: {type(verdict).__name__}"
                yield name, self._verified(world, number, caller, verdict)

    def _watches(self, world: World) -> tuple[int, ...]:
        """Return for how long a caller may have watched the record by now."""
        if self.rule == "never":
            return (0, grants.SEND_GUARD)
        attempt = world.record.attempt
        holds = [
            caller.at in {"claimed", "marked", "waiting", "answered", "write"}
            and caller.sent is not None
            and caller.sent.attempt == attempt
            for caller in world.callers
        ]
        busy = any(holds) or world.operator.requests or world.operator.answers
        if world.record.state == "claimed":  # to take a claim over is safe at any time
            return (0, grants.CLAIM_GUARD)
        return (0,) if busy else (0, grants.SEND_GUARD)

    def _read(
        self, world: World, number: int, caller: Caller, watched: int, now: int = NOW
    ) -> World:
        record = world.record
        fresh = Fresh("new", f"{number}.{caller.attempts}")
        call = grants.decide_call(record, Ask(), fresh, now=now, watched=watched, resend=self.rule)
        if isinstance(call, Use):
            return _with(world, number, Caller(at="done", got=call.tokens.access_token))
        if isinstance(call, Wait):
            return world
        if isinstance(call, Verify):
            at = evolve(caller, at="verifying", origin=Origin.of(record))
            return _with(world, number, at)
        if isinstance(call, Doubted):
            return _with(world, number, evolve(caller, at="write", write=Write(call.new, "idle")))
        if isinstance(call, Claim):
            if caller.attempts >= self.limits.attempts:
                return _with(world, number, Caller(at="done"))
            sent = Sent(fresh.attempt, record.generation, 0)
            began = evolve(
                caller,
                at="write",
                write=Write(call.new, "claimed"),
                sent=sent,
                attempts=caller.attempts + 1,
            )
            return _with(world, number, began)
        return _with(world, number, Caller(at="done"))

    def _write(self, world: World, number: int, caller: Caller) -> Iterator[Action]:
        write = caller.write
        assert write is not None
        failed = "answered" if write.then == "stored" else "idle"
        if write.old:
            yield f"{number} is late", _with(world, number, evolve(caller, at=failed, write=None))
            return
        then = "idle" if write.then == "stored" else write.then
        applied = _written(world, number, write.new)
        cleared = evolve(caller, at=then, write=None)
        if then == "idle":
            cleared = evolve(cleared, sent=None, outcome=None)
        yield f"{number} writes {write.new.state}", _with(applied, number, cleared)
        if world.faults < self.limits.faults:
            unnoticed = _with(applied, number, evolve(caller, at=failed, write=None))
            yield f"{number} writes unnoticed", evolve(unnoticed, faults=world.faults + 1)
            lost = _with(world, number, evolve(caller, at=failed, write=None))
            yield f"{number} cannot write", evolve(lost, faults=world.faults + 1)

    def _look(self, world: World, number: int, caller: Caller) -> World:
        assert caller.sent is not None
        look = grant_answers.decide_send(
            world.record, caller.sent.attempt, Fresh("new", ""), now=NOW
        )
        if isinstance(look, ClaimLost):
            return _with(world, number, evolve(caller, at="idle", sent=None))
        assert isinstance(look, MarkSending)
        marked = evolve(
            caller,
            at="write",
            write=Write(look.new, "marked"),
            sent=caller.sent._replace(number=look.new.sends),
            refresh=world.record.tokens.refresh_token or "",
        )
        return _with(world, number, marked)

    def _judge(self, world: World, number: int, caller: Caller) -> World:
        assert caller.sent is not None
        assert caller.outcome is not None
        decision = grant_answers.decide_answer(
            world.record, caller.sent, caller.outcome, Fresh("new", ""), now=NOW
        )
        if isinstance(decision, Store | Swap):
            write = Write(decision.new, "stored")
            return _with(world, number, evolve(caller, at="write", write=write))
        if isinstance(decision, Discard):
            self._check_discard(world, caller)
        if isinstance(decision, RevokePair):
            ended = evolve(world.operator, alive=False)
            world = evolve(world, operator=ended)
        return _with(world, number, evolve(caller, at="idle", sent=None, outcome=None))

    def _verified(
        self, world: World, number: int, caller: Caller, verdict: Refreshed | Unusable | Mismatch
    ) -> World:
        decision = grant_verdicts.decide_verified(
            world.record, caller.origin, verdict, Fresh("new", ""), now=NOW
        )
        if isinstance(decision, Swap):
            write = Write(decision.new, "idle")
            return _with(world, number, evolve(caller, at="write", write=write))
        return _with(world, number, evolve(caller, at="idle"))

    def _logout(self, world: World) -> World:
        ended = grant_verdicts.decide_end(world.record, Fresh("new", ""), now=NOW)
        assert isinstance(ended, Swap)
        after = _written(world, -1, ended.new)
        return evolve(after, logged_out=True, operator=evolve(after.operator, alive=False))

    # --- messages --------------------------------------------------------------------------------

    def _messages(self, world: World) -> Iterator[Action]:
        operator = world.operator
        for request in operator.requests:
            number, refresh = request
            left = tuple([each for each in operator.requests if each is not request])
            for answer, after in self._answer(operator, refresh):
                answers = (*operator.answers, (number, answer))
                taken = evolve(after, requests=left, answers=answers)
                name = f"provider: {type(answer).__name__} to {number}"
                yield name, evolve(world, operator=taken)
            if world.losses < self.limits.losses:
                gone = evolve(world, operator=evolve(operator, requests=left))
                yield f"request of {number} is lost", _silence(gone, number)
        for arrived in operator.answers:
            number, outcome = arrived
            left_answers = tuple([each for each in operator.answers if each is not arrived])
            without = evolve(world, operator=evolve(operator, answers=left_answers))
            yield f"answer to {number} arrives", _delivered(without, number, outcome)
            if world.losses < self.limits.losses:
                yield f"answer to {number} is lost", _silence(without, number)

    def _answer(self, operator: Operator, refresh: str) -> Iterator[tuple[Outcome, Operator]]:
        """Yield what the provider may answer to a refresh token, and what is left of it."""
        number = int(refresh[1:])
        counts = tuple([n - (at == number) for at, n in enumerate(operator.counts)])
        yield NotTaken(DOWN), evolve(operator, counts=counts)
        if not operator.alive:
            yield Refused(GONE), operator
            return
        if refresh != f"r{operator.live}":
            alive = self.provider != "revokes"
            yield Refused(GONE), evolve(operator, alive=alive)
            return
        if self.provider != "steady":
            made = operator.made + 1
            rotated = evolve(operator, live=made, made=made, counts=(*operator.counts, 0))
            yield Pair(f"r{made}", True, access(made), None, "new"), rotated
        if self.provider in {"steady", "sometimes"}:
            made = operator.made + 1
            kept = evolve(operator, made=made, counts=(*operator.counts, 0))
            yield Pair(refresh, False, access(made)), kept

    # --- invariants ------------------------------------------------------------------------------

    def check(self, before: World, name: str, after: World, came: Came) -> None:
        """Check what has to hold of every step."""
        most = {"never": 1, "once": 2, "reusable": 4}[self.rule]
        rotating = self.provider in {"revokes", "refuses"}
        if rotating and max(after.operator.counts) > most:
            raise BrokenError(self._tell(came, before, name, "a token was sent too often"))
        if before.record.state == "ended" and after.record.state != "ended":
            raise BrokenError(self._tell(came, before, name, "an ended session came back"))
        revoked = before.operator.alive and not after.operator.alive
        if revoked and name.startswith("provider") and _held(before):
            raise BrokenError(self._tell(came, before, name, "a pair on its way is revoked"))
        given_up = before.record.state != after.record.state == "refused"
        operator, refresh = after.operator, after.record.tokens.refresh_token
        if given_up and operator.alive and refresh == f"r{operator.live}":
            raise BrokenError(self._tell(came, before, name, "a live token is given up"))
        self._check_hand_out(before, name, after, came)

    def _check_hand_out(self, before: World, name: str, after: World, came: Came) -> None:
        """Nobody is handed a token whose ID token was not accepted."""
        both = zip(after.callers, before.callers, strict=True)
        new = [caller for caller, old in both if caller.got != old.got]
        accepted = {each.token for each in before.record.access}
        if any(each.got and each.got not in accepted for each in new):
            raise BrokenError(self._tell(came, before, name, "an unverified token is handed out"))

    def check_end(self, world: World, came: Came) -> None:
        """Check what has to hold where nothing is under way any more."""
        quiet = not (world.crashes or world.losses or world.faults or world.logged_out)
        if not quiet or world.record.state in {"refused", "ended"}:
            if quiet and world.record.state == "refused":
                raise BrokenError(self._tell(came, world, "", "the grant is lost"))
            return
        live = f"r{world.operator.live}"
        if not world.operator.alive or world.record.tokens.refresh_token != live:
            raise BrokenError(self._tell(came, world, "", "the live pair is lost"))

    def _check_discard(self, world: World, caller: Caller) -> None:
        pair = caller.outcome
        assert isinstance(pair, Pair)
        live = f"r{world.operator.live}"
        alive = world.operator.alive and pair.refresh_token == live
        if alive and world.record.tokens.refresh_token != live:
            raise BrokenError("the only live pair is discarded")

    def check_ways_out(self, came: Came, ends: set[World], back: dict[World, list[World]]) -> None:
        """From every world some continuation without a mishap leads to an end."""
        reached = set(ends)
        queue = deque(ends)
        while queue:
            for before in back.get(queue.popleft(), []):
                if before not in reached:
                    reached.add(before)
                    queue.append(before)
        stuck = [world for world in came if world not in reached]
        if stuck:
            raise BrokenError(self._tell(came, stuck[0], "", "nothing leads on from here"))

    def _tell(self, came: Came, world: World, name: str, what: str) -> str:
        """Return the shortest way to a world, as a list of events."""
        names = [name] if name else []
        at: World | None = world
        while at is not None:
            at, how = came[at]
            names.append(how)
        return f"{what}: " + "; ".join(filter(None, reversed(names)))


def _settled(world: World) -> bool:
    over = all(caller.at in {"done", "dead"} for caller in world.callers)
    return over and not world.operator.requests and not world.operator.answers


def _held(world: World) -> bool:
    """Return whether a pair is on its way to a living caller, or in its hands."""
    live = f"r{world.operator.live}"
    outcomes = [outcome for _, outcome in world.operator.answers] + [
        caller.outcome for caller in world.callers
    ]
    waits = [world.callers[number].at == "waiting" for number, _ in world.operator.answers]
    waits += [caller.at != "dead" for caller in world.callers]
    return any(
        waiting and isinstance(outcome, Pair) and outcome.refresh_token == live
        for waiting, outcome in zip(waits, outcomes, strict=True)
    )


def _with(world: World, number: int, caller: Caller) -> World:
    callers = world.callers
    return evolve(world, callers=(*callers[:number], caller, *callers[number + 1 :]))


def _written(world: World, writer: int, new: GrantRecord) -> World:
    """Apply a write: what others are about to write is late from now on."""
    callers = [
        caller
        if caller.write is None or at == writer
        else evolve(caller, write=caller.write._replace(old=True))
        for at, caller in enumerate(world.callers)
    ]
    return evolve(world, record=new, callers=tuple(callers))


def _sent(world: World, number: int, caller: Caller) -> World:
    operator = world.operator
    refresh = int(caller.refresh[1:])
    counts = tuple([n + (at == refresh) for at, n in enumerate(operator.counts)])
    requests = (*operator.requests, (number, caller.refresh))
    after = evolve(world, operator=evolve(operator, requests=requests, counts=counts))
    return _with(after, number, evolve(caller, at="waiting"))


def _delivered(world: World, number: int, outcome: Outcome) -> World:
    caller = world.callers[number]
    if caller.at != "waiting":  # it has crashed
        return world
    return _with(world, number, evolve(caller, at="answered", outcome=outcome))


def _silence(world: World, number: int) -> World:
    return evolve(_delivered(world, number, NoOutcome(SILENT)), losses=world.losses + 1)
