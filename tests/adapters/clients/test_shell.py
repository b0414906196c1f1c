import pickle
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from attrs import evolve, field, frozen

from oidc_adapters.clients.oidc_client import AsyncOidcClient
from oidc_adapters.clients.shell import AsyncShell, Shell
from oidc_adapters.credentials.client_credentials import Credentials, credentials_for
from oidc_adapters.credentials.client_keys import AsyncSigner, ClientKeys
from oidc_adapters.runtime.clock import FrozenClock, SystemClock
from oidc_adapters.runtime.entropy import FixedEntropy, SystemEntropy
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.stores.provider_keys import MemoryProviderKeys, StaticProviderKeys
from oidc_adapters.testing import AsyncInMemoryTransport, FakeProvider, InMemoryTransport
from oidc_core.endpoints.userinfo import userinfo_request
from oidc_core.jose.jwk import KeySet
from oidc_core.machine.steps import (
    Done,
    Exchange,
    KeysAnswer,
    KeysFound,
    KeysWithheld,
    NeedKeys,
    Step,
    keys_wanted,
)
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import discovery
from oidc_core.wire.errors import OidcError, ProtocolViolation, TransportFailure, UsageError
from oidc_core.wire.http import Answer, HttpResponse, NoAnswer, WireRequest
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
    arrived,
    honest_provider,
    run_asyncio,
    run_trio,
    setup_for,
)

Run = Callable[[Callable[[], Awaitable[Any]]], Any]
LIBRARIES = pytest.mark.parametrize("run", [run_asyncio, run_trio])
REFUSED: Final = NoAnswer("no", "http_connect_failed", NOW)


@frozen(kw_only=True)
class Twice(Exchange[tuple[Any, ...]]):
    """Sends the same request twice, then asks for keys; collects what came."""

    answers: tuple[Any, ...] = ()

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[tuple[Any, ...]]:
        answers = (*self.answers, answer)
        if len(answers) < 2:
            return Twice(made_for=self.made_for, request=self.request, answers=answers)
        return ThenKeys(
            made_for=self.made_for, wanted=keys_wanted(rp, "solicited"), answers=answers
        )


@frozen(kw_only=True)
class ThenKeys(NeedKeys[tuple[Any, ...]]):
    """Takes keys and ends."""

    answers: tuple[Any, ...] = field()

    def consume(self, rp: RelyingParty, answer: KeysAnswer) -> Step[tuple[Any, ...]]:
        return Done((*self.answers, answer))


@frozen(kw_only=True)
class Refusing(Exchange[None]):
    """Refuses whatever comes."""

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

    assert result == (REFUSED, REFUSED, KeysWithheld("unreachable"))
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

    answer = shell.send(token_request(RP))

    assert answer == NoAnswer("no", "http_connect_failed", NOW + 30)
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
    key_set, wanted = KeySet(()), keys_wanted(RP, "solicited")
    keys, wire = StaticProviderKeys(key_set), AsyncWire()
    awaited = AsyncShell(wire, CREDENTIALS, keys, **world())

    assert Shell(Wire(), CREDENTIALS, keys, **world()).keys(wanted) == KeysFound(key_set, NOW, NOW)
    assert run(lambda: awaited.keys(wanted)) == KeysFound(key_set, NOW, NOW)
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
        callback = arrived(provider.authorize(page.url, NOW))
        cookies = {cookie.name: cookie.value for cookie in page.cookies}
        result = await oidc.finish_login(callback, cookies=cookies)
        return len(result.logged_in.identity.subject)

    assert run(main) == len("alice")
    assert remote.calls == 1


def test_discovery_needs_no_credentials() -> None:
    provider = FakeProvider()
    rp = setup_for(provider).relying_party()
    shell = Shell(InMemoryTransport(provider), Credentials(), **world())

    found = shell.run(rp, discovery.discover(rp))

    assert found.provider.token_endpoint == "https://op.example/token"
    assert isinstance(shell.keys(keys_wanted(found, "solicited")), KeysFound)
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

    answer = Shell(transport, Credentials(), **world()).send(step.request)

    ((_, recorded),) = transport.exchanges
    assert answer is recorded
    assert isinstance(answer, HttpResponse)


def test_no_shell_is_pickled_and_none_shows_a_secret() -> None:
    for shell in (Shell(Wire(), CREDENTIALS), AsyncShell(AsyncWire(), CREDENTIALS)):
        assert SECRET not in f"{shell!r} {shell}"
        with pytest.raises(TypeError):
            pickle.dumps(shell)
