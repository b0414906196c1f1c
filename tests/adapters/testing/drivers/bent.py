"""Drivers that break one duty each, and how the machine finds them."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final

import pytest
from attrs import evolve
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from oidc_adapters.credentials.client_credentials import Credentials, credentials_for
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.provider_keys import MemoryProviderKeys, StaticProviderKeys
from oidc_adapters.testing.drivers import (
    Drive,
    DriverMachine,
    DriverWorld,
    DutyBroken,
    Run,
    parties,
)
from oidc_core.jose.key_set import KeySet
from oidc_core.machine.key_fetching import key_set_of
from oidc_core.machine.steps import (
    Done,
    Exchange,
    KeysAnswer,
    KeysFound,
    KeysWithheld,
    Step,
    resume,
)
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import refresh
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import (
    Answer,
    AnswerTo,
    HttpRequest,
    HttpResponse,
    KeysWanted,
    NoAnswer,
    WireRequest,
)

Driver = Callable[[DriverWorld], Any]

SEARCH: Final = settings(
    max_examples=400,
    stateful_step_count=20,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


class Plain:
    """A driver without a fault, made of parts to bend."""

    def __init__(self, world: DriverWorld) -> None:
        self.world = world
        self.keys: Any = world.keys

    def run(self, rp: RelyingParty, step: Step[Any]) -> Any:
        while not isinstance(step, Done):
            if isinstance(step, Exchange):
                step = resume(rp, step, self.told(step.request))
            else:
                step = resume(rp, step, self.found(step.wanted))
        return step.result

    def told(self, request: HttpRequest) -> AnswerTo:
        return AnswerTo(request, self.sent(request))

    def sent(self, request: HttpRequest) -> Answer:
        answer = self.transmitted(self.prepared(request))
        self.noted(request, answer)
        return answer

    def noted(self, request: HttpRequest, answer: Answer) -> None:
        assert self.world.credentials.nonces is not None
        self.world.credentials.nonces.remember(request, answer)

    def prepared(self, request: HttpRequest) -> WireRequest:
        world = self.world
        return world.credentials.prepare(request, now=world.clock.now(), entropy=world.entropy)

    def transmitted(self, request: WireRequest) -> Answer:
        return self.world.transport.send(request, self.world.clock)

    def found(self, wanted: KeysWanted) -> KeysAnswer:
        answer: KeysAnswer = self.keys.find(wanted, self.told, self.world.clock)
        return answer


# --- sending -------------------------------------------------------------------------------------


class SendsTwice(Plain):
    """Sends each request twice."""

    def transmitted(self, request: WireRequest) -> Answer:
        super().transmitted(request)
        return super().transmitted(request)


class TriesAgain(Plain):
    """Sends each failed request again."""

    def sent(self, request: HttpRequest) -> Answer:
        answer = super().sent(request)
        return super().sent(request) if isinstance(answer, NoAnswer) else answer


class FollowsRedirects(Plain):
    """Goes where a redirect points to."""

    def transmitted(self, request: WireRequest) -> Answer:
        answer = super().transmitted(request)
        location = answer.header("location") if isinstance(answer, HttpResponse) else None
        if location is None:
            return answer
        return super().transmitted(evolve(request, url=location))


class WarmsUp(Plain):
    """Opens the connection with another request."""

    def transmitted(self, request: WireRequest) -> Answer:
        head = evolve(request, method="HEAD", url=request.url + "?", body=None)
        super().transmitted(head)
        return super().transmitted(request)


class AltersBodies(Plain):
    """Names the client in each form."""

    def prepared(self, request: HttpRequest) -> WireRequest:
        made = super().prepared(request)
        return made if made.body is None else evolve(made, body=made.body + b"&client_id=client")


class AltersValues(Plain):
    """Writes a value of the form in another way."""

    def prepared(self, request: HttpRequest) -> WireRequest:
        made = super().prepared(request)
        if made.body is None:
            return made
        return evolve(made, body=made.body.replace(b"callback", b"callback/"))


class KeepsCookies(Plain):
    """Sends cookies."""

    def prepared(self, request: HttpRequest) -> WireRequest:
        made = super().prepared(request)
        return evolve(made, headers=(*made.headers, ("cookie", "a=b")))


class DropsHeaders(Plain):
    """Sends ``Accept: */*`` in place of the prepared header."""

    def prepared(self, request: HttpRequest) -> WireRequest:
        made = super().prepared(request)
        others = [each for each in made.headers if each[0] != "accept"]
        return evolve(made, headers=(*others, ("accept", "*/*")))


class SwapsMethods(Plain):
    """Asks for UserInfo by POST."""

    def prepared(self, request: HttpRequest) -> WireRequest:
        made = super().prepared(request)
        return evolve(made, method="POST") if request.purpose == "userinfo" else made


class TakesLargeAnswers(Plain):
    """Has the transport take answers of any size."""

    def prepared(self, request: HttpRequest) -> WireRequest:
        return evolve(super().prepared(request), max_body=10**9)


class WaitsForEver(Plain):
    """Gives each exchange a minute."""

    def prepared(self, request: HttpRequest) -> WireRequest:
        return evolve(super().prepared(request), deadline=60)


# --- credentials ---------------------------------------------------------------------------------


class ForgetsNonces(Plain):
    """Reads no DPoP nonce of a success."""

    def noted(self, request: HttpRequest, answer: Answer) -> None:
        """Remember nothing."""


class SharesNonces(Plain):
    """Knows nonces by origin alone, so a resource gets that of the authorization server."""

    def noted(self, request: HttpRequest, answer: Answer) -> None:
        super().noted(request, answer)
        other: Any = (
            "resource" if request.role == "authorization_server" else "authorization_server"
        )
        super().noted(evolve(request, role=other), answer)


class _OneJti:
    def __init__(self, world: DriverWorld) -> None:
        self.login_secrets = world.entropy.login_secrets

    def token(self) -> str:
        return "always the same"


class ReusesJtis(Plain):
    """Gives each assertion and proof the same identifier."""

    def prepared(self, request: HttpRequest) -> WireRequest:
        world = self.world
        entropy = _OneJti(world)
        return world.credentials.prepare(request, now=world.clock.now(), entropy=entropy)


class RepeatsProofs(Plain):
    """Makes proofs in advance, for the time at which it was made itself."""

    def prepared(self, request: HttpRequest) -> WireRequest:
        world = self.world
        return world.credentials.prepare(request, now=parties.NOW - 100, entropy=world.entropy)


class SignsEarly(Plain):
    """Signs assertions in advance, so that they have expired when they are sent."""

    def prepared(self, request: HttpRequest) -> WireRequest:
        names = {name for name, _ in (*(request.form or ()), *request.headers)}
        world = self.world
        if "client_assertion" not in names or "dpop" in names:
            return super().prepared(request)
        early = parties.NOW - 100_000
        return world.credentials.prepare(request, now=early, entropy=world.entropy)


class MixesSecrets(Plain):
    """Looks secrets up by the client identifier, so the first provider's goes to all."""

    def prepared(self, request: HttpRequest) -> WireRequest:
        if request.form is None:
            return super().prepared(request)
        rp = parties.relying_party(request.issuer, "client_secret_basic")
        secret = parties.secret_at(parties.ISSUERS[0])
        dpop = parties.dpop_keys()
        mixed = Credentials(
            credentials_for(rp, secret=secret, dpop_keys=dpop), nonces=self.world.credentials.nonces
        )
        if any(name == "client_assertion" for name, _ in request.form):
            return super().prepared(request)
        return mixed.prepare(request, now=self.world.clock.now(), entropy=self.world.entropy)


# --- answers -------------------------------------------------------------------------------------


class LagsBehind(Plain):
    """Resumes a step with the answer before its own, as after a lost one on a connection."""

    latest: Answer | None = None

    def sent(self, request: HttpRequest) -> Answer:
        answer = super().sent(request)
        latest, self.latest = self.latest or answer, answer
        return latest


class SharesRequests(Plain):
    """Keeps its request where another operation puts its own."""

    request: HttpRequest

    def told(self, request: HttpRequest) -> AnswerTo:
        self.request = request
        answer = self.sent(request)
        return AnswerTo(self.request, answer)


class CachesAnswers(Plain):
    """Remembers UserInfo by its URL."""

    def __init__(self, world: DriverWorld) -> None:
        super().__init__(world)
        self.known: dict[str, Answer] = {}

    def sent(self, request: HttpRequest) -> Answer:
        if request.purpose != "userinfo":
            return super().sent(request)
        if request.url not in self.known:
            self.known[request.url] = super().sent(request)
        return self.known[request.url]


class ChangesAnswers(Plain):
    """Takes every status below 400 for 200."""

    def sent(self, request: HttpRequest) -> Answer:
        answer = super().sent(request)
        if isinstance(answer, HttpResponse) and answer.status < 400:
            return evolve(answer, status=201 if answer.status == 200 else 200)
        return answer


class DropsFailures(Plain):
    """Raises another error and does not resume the step."""

    def sent(self, request: HttpRequest) -> Answer:
        answer = super().sent(request)
        if isinstance(answer, NoAnswer):
            raise TimeoutError(answer.code)
        return answer


class CallsAllUnsent(Plain):
    """Says of each failure that the request was not sent."""

    def sent(self, request: HttpRequest) -> Answer:
        answer = super().sent(request)
        return evolve(answer, sent="no") if isinstance(answer, NoAnswer) else answer


class RaisesForStatus(Plain):
    """Raises another error for a status of 500 and above."""

    def sent(self, request: HttpRequest) -> Answer:
        answer = super().sent(request)
        if isinstance(answer, HttpResponse) and answer.status >= 500:
            raise ConnectionError(answer.status)
        return answer


class StampsEarly(Plain):
    """Stamps an answer with the time at which it sent the request."""

    def sent(self, request: HttpRequest) -> Answer:
        began, answer = self.world.clock.now(), super().sent(request)
        return evolve(answer, received_at=began) if isinstance(answer, HttpResponse) else answer


# --- steps ---------------------------------------------------------------------------------------


class ResumesWithAnother(Plain):
    """Keeps the relying party that it met first."""

    first: RelyingParty | None = None

    def run(self, rp: RelyingParty, step: Step[Any]) -> Any:
        self.first = self.first or rp
        return super().run(self.first, step)


class SwallowsRefusals(Plain):
    """Returns ``None`` for a refusal."""

    def run(self, rp: RelyingParty, step: Step[Any]) -> Any:
        try:
            return super().run(rp, step)
        except OidcError:
            return None


class RunsForEver(Plain):
    """Answers a wish for an exchange with the step itself."""

    def run(self, rp: RelyingParty, step: Step[Any]) -> Any:
        if isinstance(step, Exchange):
            answer = self.told(step.request)
            for _ in range(100):
                resume(rp, step, answer)
        return None


# --- keys ----------------------------------------------------------------------------------------


class KeepsKeys(Plain):
    """Fetches the keys of a provider once and for all."""

    def __init__(self, world: DriverWorld) -> None:
        super().__init__(world)
        self.kept: dict[str, KeysAnswer] = {}

    def found(self, wanted: KeysWanted) -> KeysAnswer:
        kept = self.kept.get(wanted.issuer)
        if isinstance(kept, KeysFound):
            return evolve(kept, now=self.world.clock.now())
        self.kept[wanted.issuer] = super().found(wanted)
        return self.kept[wanted.issuer]


class FetchesAlways(Plain):
    """Fetches keys for each step."""

    def found(self, wanted: KeysWanted) -> KeysAnswer:
        answer = self.sent(wanted.request)
        if not isinstance(answer, HttpResponse):
            return KeysWithheld("unreachable")
        now = self.world.clock.now()
        try:
            return KeysFound(wanted.issuer, wanted.jwks_uri, key_set_of(answer), now, now)
        except OidcError:
            return KeysWithheld("unreachable")


class DatesKeysNow(Plain):
    """Says of all keys that they are new."""

    def found(self, wanted: KeysWanted) -> KeysAnswer:
        found = super().found(wanted)
        return evolve(found, fetched_at=found.now) if isinstance(found, KeysFound) else found


class KnowsNoKeys(Plain):
    """Has no keys, and asks nobody."""

    def found(self, wanted: KeysWanted) -> KeysAnswer:
        return KeysWithheld("unreachable")


class HasFixedKeys(Plain):
    """Has other keys than the provider."""

    def __init__(self, world: DriverWorld) -> None:
        super().__init__(world)
        self.keys = StaticProviderKeys(KeySet())


class TellsOldTime(Plain):
    """Gives the store of keys a clock that does not move."""

    def __init__(self, world: DriverWorld) -> None:
        super().__init__(world)
        self.keys = MemoryProviderKeys()
        self.clock = FrozenClock(parties.NOW - 1)

    def found(self, wanted: KeysWanted) -> KeysAnswer:
        answer: KeysAnswer = self.keys.find(wanted, self.told, self.clock)
        return answer


# --- the search ----------------------------------------------------------------------------------


class Machine(DriverMachine):
    """Tries one of these."""

    bent: ClassVar[Driver]

    def driver(self, world: DriverWorld) -> Drive:
        run: Drive = type(self).bent(world).run
        return run


class VerifiesFirst(Machine):
    """An application that stores refreshed tokens once they are verified."""

    def driver(self, world: DriverWorld) -> Drive:
        self.clock = world.clock
        return Plain(world).run

    def refreshed(
        self, run: Run, rp: RelyingParty, tokens: Tokens, keep: Callable[[Tokens], None]
    ) -> object:
        renewed = run(rp, refresh.renew(rp, tokens))
        done = run(rp, refresh.verify(rp, renewed, now=self.clock.now()))
        keep(renewed.tokens)
        return done


def machine(driver: Driver) -> type[Machine]:
    """Return the machine that tries a driver."""
    return type("Tried", (Machine,), {"bent": staticmethod(driver)})


def check_finds(tried: type[DriverMachine], duty: str) -> None:
    """Search until the machine finds which duty is broken."""
    with pytest.raises(DutyBroken) as found:
        run_state_machine_as_test(tried, settings=SEARCH)
    assert found.value.duty == duty, found.value


def rows(**duties: Iterable[Driver]) -> list[Any]:
    """Return the parameters of a test: each driver with the duty that it breaks."""
    return [
        pytest.param(driver, duty.replace("_", "-"), id=getattr(driver, "__name__", ""))
        for duty, drivers in duties.items()
        for driver in drivers
    ]
