"""The judge of a driver: it sees the wire, and the answer that each step is resumed with.

Steps are values, so an operation can be watched from outside: the judge puts a step of its own
before each step of the core.  The core's ``resume`` calls that, as it calls every step.
"""

from typing import Any, Generic, TypeVar

from attrs import define, evolve, field, frozen

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing.drivers.duties import DutyBroken, broken
from oidc_adapters.testing.drivers.key_watch import KeyWatch
from oidc_adapters.testing.drivers.prepared import Prepared
from oidc_core.machine.dpop import with_demanded_nonce, with_proof
from oidc_core.machine.steps import Done, Exchange, KeysAnswer, NeedKeys, Step
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import OidcError, StoreFailure, UsageError
from oidc_core.wire.http import Answer, HttpRequest, HttpResponse, NoAnswer, WireRequest

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_LONGEST = 50
"""More steps than any operation has."""


class Interrupted(BaseException):
    """The caller of an operation gave it up while a request was on the wire."""


@define(kw_only=True, eq=False)
class Wish:
    """The wish of a step, and the answers that came over the wire for it.

    Attributes:
        step: the step of the core.
        request: what may be sent for it.
        answers: the answer to each transmission so far.
        taken: whether the step was resumed.
    """

    step: Exchange[Any] | NeedKeys[Any]
    request: HttpRequest
    answers: list[Answer] = field(factory=list[Answer])
    taken: bool = False


@define(kw_only=True, eq=False)
class Operation:
    """One operation of a driver.

    Attributes:
        name: which one.
        rp, step: what the driver is given.
        thumbprint: of the key that its requests prove by DPoP, or empty.
        faults: what will go wrong on the wire, in order.
        met: what went wrong.
        wishes: the wishes of its steps.
        outcome: the core's result or refusal.
    """

    name: str
    rp: RelyingParty
    step: Step[Any]
    thumbprint: str = ""
    faults: list[str]
    met: list[str] = field(factory=list[str])
    wishes: list[Wish] = field(factory=list[Wish])
    outcome: Done[Any] | OidcError | None = None

    @property
    def result(self) -> Any:
        """The result of the core, ``None`` without one."""
        return self.outcome.result if isinstance(self.outcome, Done) else None


@frozen(kw_only=True, eq=False)
class WatchedExchange(Exchange[T_co], Generic[T_co]):
    """Stands before an exchange of the core."""

    judge: "Judge" = field(repr=False)
    operation: Operation = field(repr=False)
    wish: Wish

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[T_co]:
        """Judge the answer, and let the core take it."""
        self.judge.keep(lambda: self.judge.check_answer(self.wish, answer))
        return self.judge.followed(self.operation, self.wish, rp, answer)


@frozen(kw_only=True, eq=False)
class WatchedNeedKeys(NeedKeys[T_co], Generic[T_co]):
    """Stands before a wish of the core for keys."""

    judge: "Judge" = field(repr=False)
    operation: Operation = field(repr=False)
    wish: Wish

    def consume(self, rp: RelyingParty, answer: KeysAnswer) -> Step[T_co]:
        """Judge the keys, and let the core take them."""
        judge = self.judge
        judge.keep(lambda: judge.keys.check(self.wanted, answer, judge.clock.now()))
        return judge.followed(self.operation, self.wish, rp, answer)


@define(kw_only=True, eq=False)
class Judge:
    """The facts about a driver, from all operations of a run.

    Attributes:
        clock: the time of the run.
        prepared, keys: judge requests and key sets.
        running: the operations that have begun and not ended, the newest last.
        locations: where redirects pointed to.
        breach: the first duty that was broken; a driver may catch the error.
    """

    clock: FrozenClock
    prepared: Prepared
    keys: KeyWatch = field(factory=KeyWatch)
    running: list[Operation] = field(factory=list[Operation])
    locations: set[str] = field(factory=set[str])
    breach: DutyBroken | None = None

    def keep(self, check: Any) -> None:
        """Remember the first breach, and raise it."""
        try:
            check()
        except DutyBroken as breach:
            self.breach = self.breach or breach
            raise

    # --- steps ---

    def watched(self, operation: Operation, step: Step[T]) -> Step[T]:
        """Return the step that a driver gets in place of one of the core."""
        if isinstance(step, Done):
            operation.outcome = step
            return step
        if len(operation.wishes) >= _LONGEST:
            broken("outcome-told", f"the {operation.name} never ends")
        request = _asked(step, operation.thumbprint)
        wish = Wish(step=step, request=request)
        operation.wishes.append(wish)
        if isinstance(step, Exchange):
            return WatchedExchange(
                made_for=step.made_for, request=request, judge=self, operation=operation, wish=wish
            )
        return WatchedNeedKeys(
            made_for=step.made_for, wanted=step.wanted, judge=self, operation=operation, wish=wish
        )

    def followed(
        self, operation: Operation, wish: Wish, rp: RelyingParty, answer: Any
    ) -> Step[Any]:
        """Give an answer to the core, and watch the step that follows."""
        wish.taken = True
        try:
            return self.watched(operation, wish.step.consume(rp, answer))
        except OidcError as refusal:
            operation.outcome = refusal
            raise

    def check_answer(self, wish: Wish, answer: Answer) -> None:
        """Compare the answer that a step gets with the answer that came for it.

        Raises:
            DutyBroken: it is not the same.
        """
        about = wish.request.purpose
        if not wish.answers:
            broken("own-answer", f"the {about} step got an answer before its request was sent")
        came = wish.answers[-1]
        if answer == came:
            return
        if isinstance(came, NoAnswer):
            found = answer.sent if isinstance(answer, NoAnswer) else "an answer"
            broken("failures-told", f"the {about} step got {found} for {came.sent}, {came.code}")
        if isinstance(answer, HttpResponse) and came == evolve(
            answer, received_at=came.received_at
        ):
            broken("stamped", f"the answer of {came.received_at} is from {answer.received_at}")
        broken("own-answer", f"the {about} step got another answer")

    # --- the wire ---

    def arrived(self, wire: WireRequest) -> tuple[Operation, Wish]:
        """Find whose request it is, and judge it.

        Raises:
            DutyBroken: no step waits for it, it was sent before, or it was changed.
        """
        waiting = [
            (operation, wish)
            for operation in reversed(self.running)
            for wish in operation.wishes[-1:]
            if not wish.taken and wire.url == (wish.request.way.url or wish.request.url)
        ]
        if not waiting:
            duty = "no-redirects" if wire.url in self.locations else "asked-for"
            broken(duty, f"{wire.method} {wire.url} was sent")
        refused: DutyBroken | None = None
        for operation, wish in waiting:
            before = {*self.prepared.jtis}
            try:
                _check_resend(wish)
                self.prepared.check(wish.request, wire, self.clock.now())
            except DutyBroken as breach:
                refused, self.prepared.jtis = refused or breach, before
            else:
                return operation, wish
        raise refused or DutyBroken("asked-for", f"{wire.method} {wire.url} was sent")

    def answered(self, wish: Wish, answer: Answer) -> None:
        """Take note of the answer that a transmission gets."""
        wish.answers.append(answer)
        if not isinstance(answer, HttpResponse):
            return
        location = answer.header("location")
        if location:
            self.locations.add(location)
        self.prepared.remember(wish.request, answer)
        again = with_demanded_nonce(wish.request, answer)
        if again is not None:
            wish.request, wish.answers = again, []

    # --- the end ---

    def check_end(self, operation: Operation, outcome: object) -> None:
        """Compare how an operation ended for its caller, with how the core had it end.

        Raises:
            DutyBroken: an answer did not reach its step, or the outcome did not reach the caller.
        """
        if self.breach is not None:
            raise self.breach
        if isinstance(outcome, Interrupted):
            return
        what = f"the {operation.name} ended with {_described(outcome)}"
        if isinstance(outcome, UsageError):
            broken("no-misuse", what)
        for wish in operation.wishes:
            if isinstance(wish.step, Exchange) and wish.answers and not wish.taken:
                failed = isinstance(wish.answers[-1], NoAnswer)
                broken("failures-told" if failed else "answers-told", what)
        if not isinstance(outcome, StoreFailure):  # which is of the driver's own store of keys
            _check_outcome(operation, outcome, what)


def _check_outcome(operation: Operation, outcome: object, what: str) -> None:
    """Compare the outcome with the core's, and look for the cause of a refusal."""
    core = operation.outcome
    if isinstance(core, Done):
        if outcome is not core.result:
            broken("outcome-told", what)
    elif core is None or outcome is not core:
        broken("outcome-told", what)
    elif not operation.met and core.code != "keys_unavailable":
        broken("honest-passes", what)


def _asked(step: Exchange[Any] | NeedKeys[Any], thumbprint: str) -> HttpRequest:
    """Return the request of a step, with a DPoP proof if the operation has one."""
    if isinstance(step, NeedKeys):
        return step.wanted.request
    request = step.request
    if not thumbprint or request.purpose == "discovery":
        return request
    bearer = [str(value) for name, value in request.headers if name == "authorization"]
    token = "" if request.role != "resource" else bearer[0].partition(" ")[2]
    return with_proof(request, thumbprint, access_token=token)


def _described(outcome: object) -> str:
    name = type(outcome).__name__
    return f"{name} {outcome}" if isinstance(outcome, BaseException) else name


def _check_resend(wish: Wish) -> None:
    """Refuse another transmission, unless the request may be sent again after such answers."""
    resend, about = wish.request.resend, wish.request.purpose
    for came in wish.answers:
        if isinstance(came, HttpResponse):
            broken("sent-once", f"the {about} request was sent again after its answer")
        if resend == "never" or (resend == "if_unsent" and came.sent != "no"):
            broken("sent-once", f"the {about} request was sent again ({resend}) after a failure")
