"""What the test, its workers and its provider tell each other over Unix sockets."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from oidc_core.model.resends import ResendInDoubt
from tests.processes.places import Place

Step = Literal["claim", "mark", "send", "store", "verify"]
"""What an exchange consists of: four writes to the store, and the request to the provider."""

When = Literal["before", "after"]


class Point(NamedTuple):
    """A moment of an exchange: right before or right after a step."""

    step: Step
    when: When

    def __str__(self) -> str:
        return f"{self.when}-{self.step}"


class ProviderPlan(NamedTuple):
    """The settings of a provider."""

    token_lifetime: int = 300
    refresh_id_token: bool = True
    refresh_grace: int = 0


class WorkerPlan(NamedTuple):
    """The settings of a worker.

    Attributes:
        issuer: the provider.
        place: where the records are.
        trace: the file that tells what happened.
        down: while a file of this name exists, the store cannot be reached.
        kind: whether its callers are threads, or tasks of one loop.
        preloaded: whether its client is made before the fork.
        resend: the rule for a refresh token in doubt.
        claim, send: the guards.
        patience, trusted: settings of ``Grants``.
        linger: seconds that each exchange takes, beyond its request.
    """

    issuer: str
    place: Place
    trace: str
    down: str
    kind: Literal["threads", "asyncio"] = "threads"
    preloaded: bool = False
    resend: ResendInDoubt = "once"
    claim: int = 5
    send: int = 30
    patience: float = 35
    trusted: float = 5
    linger: float = 0


class Fork(NamedTuple):
    """To the parent: begin a process."""

    name: str
    plan: ProviderPlan | WorkerPlan


class Hello(NamedTuple):
    """From a process: it has begun."""

    pid: int


class Serving(NamedTuple):
    """From the provider: its issuer identifier."""

    issuer: str


class Ask(NamedTuple):
    """To a worker: ask for fresh tokens.

    Attributes:
        grants: of these grants.
        callers: so many, at the same time.
        each: whether each caller asks for all grants; otherwise they share them out.
        leeway: as ``fresh`` has it.
        seed: of the order in which they ask.
        block: so many grants are asked for in another order by each caller, then the next ones.
        again: seconds for which a caller asks again that was told to come back later.
        rounds: how often they go through all grants.
        pace: seconds between two calls of one caller.
    """

    grants: tuple[str, ...]
    callers: int
    each: bool = True
    leeway: int = 30
    seed: int = 0
    block: int = 25
    again: float = 0
    rounds: int = 1
    pace: float = 0


class End(NamedTuple):
    """To a worker: end these grants."""

    grants: tuple[str, ...]


class Hold(NamedTuple):
    """To a worker: stop every exchange that comes to a point."""

    point: Point


class Release(NamedTuple):
    """To a worker: let them go on, and stop none any more."""


class LoseAnswers(NamedTuple):
    """To a worker: raise once for each grant at this step.

    Before it, nothing was written; after it, the write was applied.
    """

    point: Point


class StepClock(NamedTuple):
    """To a worker: set its wall clock forward, or back."""

    seconds: int


class Quit(NamedTuple):
    """To a worker: end the process, and close nothing."""


class Held(NamedTuple):
    """From a worker: so many exchanges stand at the point."""

    standing: int


class Answers(NamedTuple):
    """From a worker: what its callers got, and how often.

    It is an access token, ``!`` and a code, or ``~`` and a code where they asked again later.

    Attributes:
        got: by grant.
        slowest: seconds that one call took.
    """

    got: Mapping[str, Mapping[str, int]]
    slowest: float


class Left(NamedTuple):
    """From a worker: it has closed its client, after so many seconds."""

    seconds: float


Command = Ask | End | Hold | Release | LoseAnswers | StepClock
Report = Hello | Held | Answers | Left
