import pickle
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from typing import Any, Final

import pytest
from attrs import evolve, frozen

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.shell import AsyncShell, Shell
from oidc_adapters.credentials.client_credentials import Credentials, credentials_for
from oidc_adapters.credentials.client_keys import AsyncSigner, ClientKeys, Signer
from oidc_adapters.credentials.dpop import DpopKeys
from oidc_adapters.runtime.clock import FrozenClock, SystemClock
from oidc_adapters.runtime.entropy import FixedEntropy, SystemEntropy
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.stores.provider_keys import MemoryProviderKeys, StaticProviderKeys
from oidc_adapters.testing import AsyncInMemoryTransport, FakeProvider, InMemoryTransport
from oidc_core.endpoints.userinfo import userinfo_request
from oidc_core.jose.key_set import KeySet
from oidc_core.machine.dpop import with_proof
from oidc_core.machine.steps import (
    Done,
    Exchange,
    KeysAnswer,
    KeysFound,
    KeysWithheld,
    NeedKeys,
    Step,
)
from oidc_core.model.origins import PUBLIC_ONLY
from oidc_core.model.policy import Policy
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import discovery
from oidc_core.wire.errors import (
    OidcError,
    ProtocolViolation,
    StoreFailure,
    TransportFailure,
    UsageError,
)
from oidc_core.wire.http import (
    Answer,
    AnswerTo,
    HttpRequest,
    HttpResponse,
    KeysWanted,
    NoAnswer,
    WireRequest,
)
from tests.adapters.credentials.test_client_credentials import (
    KEY,
    SECRET,
    RemoteKey,
    claims_of,
    form_of,
    relying_party,
    token_request,
)
from tests.flows.rig import (
    FAKE_CLIENT,
    NOW,
    honest_provider,
    run_asyncio,
    run_trio,
    setup_for,
)
from tests.parties import keys_wanted

Run = Callable[[Callable[[], Awaitable[Any]]], Any]
LIBRARIES = pytest.mark.parametrize("run", [run_asyncio, run_trio])
REFUSED: Final = NoAnswer("no", "http_connect_failed", NOW)


@frozen(kw_only=True)
class Twice(Exchange[tuple[Any, ...]]):
    """Sends the same request twice, then asks for keys; collects the answers."""

    answers: tuple[Any, ...] = ()

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[tuple[Any, ...]]:
        answers = (*self.answers, answer)
        if len(answers) < 2:
            return Twice(made_for=self.made_for, request=self.request, answers=answers)
        return ThenKeys(made_for=self.made_for, wanted=keys_wanted(rp), answers=answers)


@frozen(kw_only=True)
class ThenKeys(NeedKeys[tuple[Any, ...]]):
    """Takes keys and ends."""

    answers: tuple[Any, ...] = ()

    def consume(self, rp: RelyingParty, answer: KeysAnswer) -> Step[tuple[Any, ...]]:
        return Done((*self.answers, answer))


@frozen(kw_only=True)
class Refusing(Exchange[None]):
    """Refuses every request."""

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[None]:
        raise ProtocolViolation("http_status_unexpected", found=599)


class Wire:
    """A transport that answers nothing and writes down what was sent."""

    def __init__(self) -> None:
        self.sent: list[WireRequest] = []

    def send(self, request: WireRequest, clock: Any) -> NoAnswer:
        self.sent.append(request)
        return NoAnswer("no", "http_connect_failed", clock.now())


class AsyncWire:
    """The same, awaited."""

    def __init__(self) -> None:
        self.wire = Wire()

    @property
    def sent(self) -> list[WireRequest]:
        return self.wire.sent

    async def send(self, request: WireRequest, clock: Any) -> NoAnswer:
        return self.wire.send(request, clock)


Transport = type[Wire] | type[AsyncWire]
RP = relying_party("client_secret_jwt")
CREDENTIALS = Credentials(credentials_for(RP, secret=SECRET))
STEP = Twice(made_for=RP.digest, request=token_request(RP))


def world(**named: Any) -> dict[str, Any]:
    return {"clock": FrozenClock(NOW), "entropy": FixedEntropy(1), **named}


def run_step(
    wire: Wire | AsyncWire, step: Step[Any], run: Run | None, rp: RelyingParty = RP
) -> Any:
    """Drive a step under a shell of either kind."""
    if run is None:
        assert isinstance(wire, Wire)
        return Shell(wire, CREDENTIALS, **world()).run(rp, step)
    assert isinstance(wire, AsyncWire)
    shell = AsyncShell(wire, CREDENTIALS, **world())
    return run(lambda: shell.run(rp, step))


KINDS = pytest.mark.parametrize(
    ("wire", "run"), [(Wire, None), (AsyncWire, run_asyncio), (AsyncWire, run_trio)]
)


@KINDS
def test_each_request_is_prepared_anew_and_sent_once(wire: Transport, run: Run | None) -> None:
    transport = wire()

    result = run_step(transport, STEP, run)

    withheld = result[2]
    assert isinstance(withheld, KeysWithheld)
    assert withheld.fault is not None
    assert withheld.fault.code == REFUSED.code
    assert result == (REFUSED, REFUSED, KeysWithheld("unreachable", withheld.fault))
    token, again, keys = transport.sent
    assert [token.url, again.url, keys.url] == [
        "https://op.example/token",
        "https://op.example/token",
        "https://op.example/jwks",
    ]
    first, second = (claims_of(form_of(one)["client_assertion"]) for one in (token, again))
    assert first["jti"] != second["jti"]
    assert first["iat"] == second["iat"] == NOW


@KINDS
def test_a_finished_step_sends_nothing(wire: Transport, run: Run | None) -> None:
    transport = wire()

    assert run_step(transport, Done("result"), run) == "result"
    assert transport.sent == []


@KINDS
def test_a_refusal_ends_the_run(wire: Transport, run: Run | None) -> None:
    transport = wire()
    step = Refusing(made_for=RP.digest, request=token_request(RP))

    with pytest.raises(OidcError) as caught:
        run_step(transport, step, run)

    assert (caught.value.code, caught.value.found) == ("http_status_unexpected", 599)
    assert len(transport.sent) == 1


@KINDS
def test_a_step_of_another_relying_party_is_refused(wire: Transport, run: Run | None) -> None:
    transport = wire()
    other = relying_party("client_secret_jwt", registration={"connection_id": "another"})

    with pytest.raises(UsageError) as caught:
        run_step(transport, STEP, run, other)

    assert caught.value.code == "foreign_step"


def test_the_clock_of_each_transmission_is_the_shells() -> None:
    wire, clock = Wire(), FrozenClock(NOW)
    shell = Shell(wire, CREDENTIALS, clock=clock, entropy=FixedEntropy(1))
    shell.send(token_request(RP))
    clock.advance(30)

    given = shell.send(token_request(RP))

    assert given.answer == NoAnswer("no", "http_connect_failed", NOW + 30)
    stamps = [claims_of(form_of(one)["client_assertion"])["iat"] for one in wire.sent]
    assert stamps == [NOW, NOW + 30]


def test_a_shell_brings_what_is_not_given() -> None:
    for shell in (Shell(Wire(), CREDENTIALS), AsyncShell(AsyncWire(), CREDENTIALS)):
        assert isinstance(shell.clock, SystemClock)
        assert isinstance(shell.entropy, SystemEntropy)
        assert isinstance(shell._keys, MemoryProviderKeys)
        assert shell.credentials is CREDENTIALS


@LIBRARIES
def test_key_sets_come_from_the_store_that_was_given(run: Run) -> None:
    key_set, wanted = KeySet(()), keys_wanted(RP)
    keys, wire = StaticProviderKeys(key_set), AsyncWire()
    awaited = AsyncShell(wire, CREDENTIALS, keys, **world())

    found = KeysFound(wanted.issuer, wanted.jwks_uri, key_set, NOW, NOW)
    assert Shell(Wire(), CREDENTIALS, keys, **world()).keys(wanted) == found
    assert run(lambda: awaited.keys(wanted)) == found
    assert wire.sent == []


@LIBRARIES
def test_a_key_service_signs_under_the_async_shell_only(run: Run) -> None:
    rp, remote = relying_party("private_key_jwt"), RemoteKey()
    credentials = Credentials(credentials_for(rp, keys=ClientKeys[AsyncSigner](remote)))
    wire = AsyncWire()
    awaiting = AsyncShell(wire, credentials, **world())

    run(lambda: awaiting.send(token_request(rp)))
    with pytest.raises(UsageError) as caught:
        Shell(Wire(), credentials, **world()).send(token_request(rp))

    assert (caught.value.code, caught.value.expected) == ("config_invalid", "AsyncShell")
    assert remote.calls == 1
    assert len(wire.sent) == 1


@LIBRARIES
def test_a_provider_takes_what_a_key_service_signed(run: Run) -> None:
    remote = RemoteKey()
    client = evolve(
        FAKE_CLIENT,
        token_endpoint_auth_method="private_key_jwt",
        jwks=({**KEY.public_jwk(), "kid": "remote"},),
    )
    provider = honest_provider(clients=(client,))
    setup = setup_for(provider, client_secret=None, client_keys=ClientKeys[AsyncSigner](remote))
    transport = AsyncInMemoryTransport(provider)

    async def main() -> int:
        oidc = await AsyncOidcClient.discover(
            setup, MemoryPendingLogins(), transport=transport, **world()
        )
        page = await oidc.start_login()
        (cookie,) = page.cookies
        response = provider.authorize(page.url, NOW)
        result = await oidc.finish_login(response.incoming(f"{cookie.name}={cookie.value}"))
        return len(result.logged_in.identity.subject)

    assert run(main) == len("alice")
    assert remote.calls == 1


def test_discovery_needs_no_credentials() -> None:
    provider = FakeProvider()
    rp = setup_for(provider).relying_party()
    shell = Shell(InMemoryTransport(provider), Credentials(), **world())

    found = shell.run(rp, discovery.discover(rp))

    assert found.provider.token_endpoint == "https://op.example/token"
    assert isinstance(shell.keys(keys_wanted(found)), KeysFound)
    with pytest.raises(UsageError) as caught:
        shell.send(userinfo_request(found, "abc"))
    assert caught.value.code == "credential_missing"


def test_a_failing_transport_is_an_answer() -> None:
    rp = setup_for(FakeProvider()).relying_party()
    shell = Shell(Wire(), Credentials(), **world())

    with pytest.raises(TransportFailure) as caught:
        shell.run(rp, discovery.discover(rp))

    assert (caught.value.code, caught.value.sent) == ("http_connect_failed", "no")


def test_answers_are_the_transports_own() -> None:
    provider = FakeProvider()
    transport = InMemoryTransport(provider)
    step = discovery.discover(setup_for(provider).relying_party())
    assert isinstance(step, Exchange)

    given = Shell(transport, Credentials(), **world()).send(step.request)

    ((_, recorded),) = transport.exchanges
    assert given.answer is recorded
    assert isinstance(given.answer, HttpResponse)


@LIBRARIES
def test_an_answer_names_the_request_it_was_given_to(run: Run) -> None:
    request = token_request(RP)
    awaiting = AsyncShell(AsyncWire(), CREDENTIALS, **world())

    given = Shell(Wire(), CREDENTIALS, **world()).send(request)
    awaited = run(lambda: awaiting.send(request))

    assert given.request is awaited.request is request
    assert given == awaited == AnswerTo(request, REFUSED)


class Noncing(Wire):
    """Refuses a request, and hands out a nonce at the same time."""

    def send(self, request: WireRequest, clock: Any) -> Any:
        super().send(request, clock)
        return HttpResponse(400, (("dpop-nonce", f"n-{len(self.sent)}"),), b"{}", clock.now())


class AsyncNoncing(AsyncWire):
    """The same, awaited."""

    def __init__(self) -> None:
        self.wire = Noncing()


@pytest.mark.parametrize("run", [None, run_asyncio, run_trio])
def test_the_newest_nonce_of_a_server_goes_out_with_the_next_proof(run: Run | None) -> None:
    rp = relying_party("none")
    credentials = Credentials(credentials_for(rp, dpop_keys=DpopKeys[Signer](KEY)))
    request = with_proof(token_request(rp), KEY.thumbprint)
    wire: Noncing | AsyncNoncing
    if run is None:
        wire = Noncing()
        shell = Shell(wire, credentials, **world())
        for _ in range(3):
            shell.send(request)
    else:
        wire = AsyncNoncing()
        awaiting = AsyncShell(wire, credentials, **world())
        for _ in range(3):
            run(lambda: awaiting.send(request))

    proofs = [claims_of(dict(sent.headers)["dpop"]) for sent in wire.sent]
    assert [proof.get("nonce") for proof in proofs] == [None, "n-1", "n-2"]


@KINDS
@pytest.mark.parametrize(("spent", "left"), [(0.9, 10), (1.5, 9), (9.5, 1), (10.0, None)])
def test_the_time_to_prepare_a_request_is_part_of_its_deadline(
    monkeypatch: pytest.MonkeyPatch,
    wire: Transport,
    run: Run | None,
    spent: float,
    left: int | None,
) -> None:
    """A key service that hangs must not let a refresh token leave when others send it again."""
    ticks = count()
    monkeypatch.setattr("oidc_adapters.clients.shell.uptime", lambda: spent * next(ticks))
    transport = wire()

    answers = run_step(transport, STEP, run)

    sent = [each for each in transport.sent if each.method == "POST"]
    assert [each.deadline for each in sent] == ([] if left is None else [left, left])
    late = NoAnswer("no", "http_timeout", NOW)
    assert answers[:2] == ((late, late) if left is None else (REFUSED, REFUSED))


class MixedUp(Shell):
    """Gives out an answer to another request."""

    def send(self, request: HttpRequest) -> AnswerTo:
        return super().send(evolve(request, form=(("grant_type", "other"),)))


def test_an_answer_to_another_request_ends_the_run() -> None:
    wire = Wire()

    with pytest.raises(UsageError) as caught:
        MixedUp(wire, CREDENTIALS, **world()).run(RP, STEP)

    assert (caught.value.code, caught.value.expected) == ("answer_foreign", "refresh")
    assert len(wire.sent) == 1


class Mistaken(StaticProviderKeys):
    """A store that answers with another provider's keys."""

    def find(self, wanted: KeysWanted, send: Any, clock: Any, /) -> KeysAnswer:
        other = evolve(wanted, issuer="https://b.example", jwks_uri="https://b.example/jwks")
        return super().find(other, send, clock)


def test_keys_of_another_provider_end_the_run() -> None:
    shell = Shell(Wire(), CREDENTIALS, Mistaken(KeySet(())), **world())
    step = ThenKeys(made_for=RP.digest, wanted=keys_wanted(RP))

    with pytest.raises(UsageError) as caught:
        shell.run(RP, step)

    assert (caught.value.code, caught.value.found) == (
        "answer_foreign",
        ("https://b.example", "https://b.example/jwks"),
    )


def test_no_shell_is_pickled_and_none_shows_a_secret() -> None:
    for shell in (Shell(Wire(), CREDENTIALS), AsyncShell(AsyncWire(), CREDENTIALS)):
        assert SECRET not in f"{shell!r} {shell}"
        with pytest.raises(TypeError):
            pickle.dumps(shell)


class KeysOfTheApplication:
    """A store of key sets that is out of reach."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    def find(self, *_: object) -> KeysAnswer:
        raise self.fault

    async def find_async(self, *_: object) -> KeysAnswer:
        raise self.fault


@pytest.mark.parametrize("fault", [ConnectionError("redis"), TimeoutError(), KeyError("k")])
@pytest.mark.parametrize("run", [None, run_asyncio, run_trio])
def test_a_store_of_keys_that_fails_is_one_typed_failure(fault: Exception, run: Any) -> None:
    keys = KeysOfTheApplication(fault)
    waiting, awaiting = Shell(Wire(), CREDENTIALS, keys), AsyncShell(AsyncWire(), CREDENTIALS, keys)
    call = partial(waiting.keys if run is None else awaiting.keys, keys_wanted(RP))
    with pytest.raises(StoreFailure) as failure:
        call() if run is None else run(call)

    assert (failure.value.code, failure.value.about) == ("store_unavailable", "provider keys")
    assert failure.value.__cause__ is fault


def test_no_request_that_needs_judging_is_sent_by_a_transport_that_does_not_say_it_judges() -> None:
    class Silent:
        def send(self, request: WireRequest, clock: Any) -> Answer:
            raise AssertionError(request)

    class SilentToo:
        async def send(self, request: WireRequest, clock: Any) -> Answer:
            raise AssertionError(request)

    strict = evolve(relying_party(), policy=Policy(addresses=PUBLIC_ONLY))
    asked = strict.keys_wanted["solicited"].request
    shell, awaited = Shell(Silent(), Credentials()), AsyncShell(SilentToo(), Credentials())
    for call in (lambda: shell.send(asked), lambda: run_asyncio(lambda: awaited.send(asked))):
        with pytest.raises(UsageError) as caught:
            call()
        assert (caught.value.code, caught.value.about) == ("config_invalid", "transport")
