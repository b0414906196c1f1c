"""The wire between a driver and its providers: in memory, judged, and with the faults of a run."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

from attrs import define, evolve, field

from oidc_adapters.testing.drivers.duties import broken
from oidc_adapters.testing.drivers.judging import Interrupted, Judge, Operation, Wish
from oidc_adapters.testing.provider import FakeProvider
from oidc_adapters.testing.signing import is_object, parsed
from oidc_adapters.testing.transports import TellsTime, admitted
from oidc_core.machine.dpop import proof_of
from oidc_core.machine.steps import NeedKeys
from oidc_core.wire.http import Answer, HttpRequest, HttpResponse, NoAnswer, WireRequest

SECONDS: Final = 3
"""How long a slow answer takes."""

FAULTS: Final[Mapping[str, str]] = {
    "unsent": "no connection; the provider knows nothing",
    "lost": "the provider answers, and the answer is lost",
    "unavailable": "status 503",
    "redirect": "status 307 to another URL of the provider",
    "cut": "the answer ends in the middle",
    "too_large": "the answer is larger than it may be",
    "encoded": "the answer has a Content-Encoding",
    "interrupt": "the caller gives up while it waits",
    "slow": "the answer takes some seconds",
    "nonce": "the answer brings a DPoP nonce",
    "demand": "the answer demands a DPoP nonce, where a proof was sent",
    "meanwhile": "another operation of the same driver runs before the answer comes",
}
"""The events that can happen to one exchange, by name."""

HARMLESS: Final = frozenset({"slow", "nonce", "demand", "meanwhile"})
"""After these an operation ends well all the same."""


class Sending(NamedTuple):
    """A request on the wire, for which it is decided what will happen."""

    operation: Operation
    wish: Wish
    request: WireRequest
    fault: str


@define(kw_only=True, eq=False)
class Wire:
    """Takes requests, has them judged, and answers as the provider does or worse.

    Attributes:
        judge: sees all of it.
        providers: by issuer.
        stored: refresh tokens that the application has stored.
        brought: the refresh token that an answer brought and that must be stored next, or empty.
    """

    judge: Judge
    providers: Mapping[str, FakeProvider]
    stored: set[str] = field(factory=set[str])
    brought: str = ""
    _drawn: int = 0

    def begin(self, request: WireRequest) -> Sending:
        """Judge a request.

        Raises:
            DutyBroken: the first duty that is broken.
            Interrupted: as it was drawn.
        """
        judge = self.judge
        found: list[tuple[Operation, Wish]] = []
        judge.keep(lambda: found.append(judge.arrived(request)))
        judge.keep(self.check_stored)
        ((operation, wish),) = found
        fault = operation.faults.pop(0) if operation.faults else ""
        fetches = isinstance(wish.step, NeedKeys)
        if fetches:
            judge.keep(lambda: judge.keys.fetch(request.url, judge.clock.now()))
        if (
            (fault == "demand" and not _may_demand(wish.request))
            or (fault == "meanwhile" and (fetches or len(judge.running) > 1))
            or (fault == "interrupt" and fetches)
        ):
            fault = ""
        if fault and fault not in HARMLESS:
            operation.met.append(fault)
        if fault == "interrupt":
            wish.answers.append(NoAnswer("maybe", "http_timeout", judge.clock.now()))
            raise Interrupted
        return Sending(operation, wish, request, fault)

    def finish(self, sending: Sending, clock: TellsTime) -> Answer:
        """Answer a request, and take note of it."""
        judge, wish = self.judge, sending.wish
        if sending.fault == "slow":
            judge.clock.advance(SECONDS)
        now = judge.clock.now()
        answer = self._answer(sending, now)
        if isinstance(answer, HttpResponse):
            answer = admitted(answer, sending.request)
        if isinstance(wish.step, NeedKeys):
            judge.keys.serve(wish.step.wanted, answer)
        judge.answered(wish, answer)
        self._note_refresh_token(wish.request, answer)
        # the driver's clock may tell another time, which the judge finds in the answer
        if isinstance(answer, HttpResponse):
            return evolve(answer, received_at=clock.now())
        return evolve(answer, at=clock.now())

    def check_stored(self) -> None:
        """Refuse a request, or the end, before new tokens are stored.

        Raises:
            DutyBroken: ``stored-first``.
        """
        if self.brought and self.brought not in self.stored:
            self.brought = ""
            self.judge.keep(_not_stored)

    def _answer(self, sending: Sending, now: int) -> Answer:
        """Answer as the provider does, or instead of it."""
        request = sending.wish.request
        provider = self.providers[request.issuer]
        match sending.fault:
            case "unsent":
                return NoAnswer("no", "http_connect_failed", now, "refused")
            case "unavailable":
                return HttpResponse(503, (("content-type", "text/html"),), b"later", now)
            case "redirect":
                location = f"{provider.issuer}/moved/{request.purpose}"
                return HttpResponse(307, (("location", location),), b"", now)
            case "demand":
                return _demand(request, self._nonce(), now)
            case _:
                said = provider.answer(sending.request, now)
        return said if isinstance(said, NoAnswer) else self._changed(sending, said, now)

    def _changed(self, sending: Sending, said: HttpResponse, now: int) -> Answer:
        """Change what the provider says."""
        match sending.fault:
            case "lost":
                return NoAnswer("maybe", "http_timeout", now)
            case "cut":
                return evolve(said, body=said.body[: len(said.body) // 2])
            case "too_large":
                return evolve(said, body=said.body + b" " * sending.request.max_body)
            case "encoded":
                return evolve(said, headers=(*said.headers, ("content-encoding", "gzip")))
            case "nonce":
                return evolve(said, headers=(*said.headers, ("dpop-nonce", self._nonce())))
            case _:
                return said

    def _nonce(self) -> str:
        self._drawn += 1
        return f"nonce-{self._drawn}"

    def _note_refresh_token(self, request: HttpRequest, answer: Answer) -> None:
        if request.purpose != "refresh" or not isinstance(answer, HttpResponse):
            return
        try:
            members = parsed(answer.body)
        except ValueError:
            return
        if answer.status == 200 and is_object(members):
            self.brought = str(members.get("refresh_token", ""))


def _not_stored() -> None:
    broken("stored-first", "something was sent, or the refresh ended, before they were stored")


def _may_demand(request: HttpRequest) -> bool:
    """Tell whether a server may demand a nonce: only where there is a proof, and once."""
    proof = proof_of(request)
    return proof is not None and not proof.demanded


def _demand(request: HttpRequest, nonce: str, now: int) -> HttpResponse:
    """Return what RFC 9449 has a server answer: §8 for authorization servers, §9 for resources."""
    given = ("dpop-nonce", nonce)
    if request.role == "resource":
        challenge = ("www-authenticate", 'DPoP error="use_dpop_nonce"')
        return HttpResponse(401, (challenge, given), b"", now)
    body = b'{"error":"use_dpop_nonce"}'
    return HttpResponse(400, (("content-type", "application/json"), given), body, now)


class WireTransport:
    """The wire, for a driver that waits."""

    judges_addresses = True

    def __init__(self, wire: Wire, meanwhile: Callable[[], None]) -> None:
        self._wire = wire
        self._meanwhile = meanwhile

    def send(self, request: WireRequest, clock: TellsTime) -> Answer:
        """Send a request and return its answer or its failure."""
        sending = self._wire.begin(request)
        if sending.fault == "meanwhile":
            self._meanwhile()
        return self._wire.finish(sending, clock)


class AsyncWireTransport:
    """The wire, for a driver that awaits."""

    judges_addresses = True

    def __init__(self, wire: Wire, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self._wire = wire
        self._meanwhile = meanwhile

    async def send(self, request: WireRequest, clock: TellsTime) -> Answer:
        """Send a request and return its answer or its failure."""
        sending = self._wire.begin(request)
        if sending.fault == "meanwhile":
            await self._meanwhile()
        return self._wire.finish(sending, clock)
