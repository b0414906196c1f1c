"""Proofs of possession through the whole machine, with an operation made for the purpose."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from attrs import evolve, frozen
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oidc_adapters.clients.shell import AsyncShell, Shell
from oidc_adapters.credentials.client_credentials import Credentials, credentials_for
from oidc_adapters.credentials.client_keys import ClientKey, ClientKeys, Signer
from oidc_adapters.credentials.dpop import DpopKeys
from oidc_adapters.runtime.clock import Clock, FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_core.endpoints.tokens import refresh_request
from oidc_core.machine.dpop import with_proof
from oidc_core.machine.steps import Done, Exchange, Step
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.answers import answered
from oidc_core.wire.encoding import b64url_decode
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.http import Answer, HttpRequest, HttpResponse, WireRequest
from oidc_core.wire.jsontypes import parse_object
from oidc_core.wire.way import Way
from tests.dpop_server import ACCESS_TOKEN, DpopServer
from tests.flows.rig import run_asyncio, run_trio
from tests.parties import CLIENT_ID, ISSUER, NOW, refused, relying_party

KEYS: Final = {
    "ES256": ClientKey(generate_private_key(SECP256R1()), alg="ES256", kid="p-256"),
    "EdDSA": ClientKey(Ed25519PrivateKey.generate(), alg="EdDSA", kid="ed"),
}
ASSERTING: Final = ClientKey(Ed25519PrivateKey.generate(), alg="EdDSA", kid="assertions")
RP: Final = relying_party(
    client={
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "EdDSA",
    }
)


@frozen(kw_only=True)
class AwaitingThumbprint(Exchange[str]):
    """Waits for a server to say whose key it saw."""

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[str]:
        response = answered(answer)
        if response.status != 200:
            raise ProtocolViolation("http_status_unexpected", found=response.status)
        return Done(str(parse_object(response.body).members["jkt"]))


class Sending:
    """A shell with both keys, and the server behind it."""

    def __init__(self, server: DpopServer) -> None:
        self.server = server
        self.credentials = Credentials(
            credentials_for(
                RP,
                keys=ClientKeys[Signer](ASSERTING),
                dpop_keys=DpopKeys[Signer](*KEYS.values()),
            )
        )
        self.shell = Shell(
            server, self.credentials, clock=FrozenClock(NOW), entropy=FixedEntropy(1)
        )

    def run(self, request: HttpRequest) -> str:
        return self.shell.run(RP, AwaitingThumbprint(made_for=RP.digest, request=request))

    @property
    def nonces(self) -> list[str | None]:
        return [claims.get("nonce") for _, claims in self.server.proofs]

    @property
    def jtis(self) -> list[str]:
        return [claims["jti"] for _, claims in self.server.proofs]


def token_request(alg: str = "ES256", *, nonce: str | None = None) -> HttpRequest:
    tokens = Tokens(
        issuer=ISSUER,
        client_id=CLIENT_ID,
        access_token="a",
        refresh_token="r",
        id_token="",
        scope="openid",
        subject="alice",
    )
    return with_proof(refresh_request(RP, tokens), KEYS[alg].thumbprint, nonce=nonce)


def resource_request(alg: str = "ES256", *, nonce: str | None = None) -> HttpRequest:
    request = HttpRequest(
        purpose="userinfo",
        method="GET",
        url=f"{ISSUER}/userinfo",
        way=Way(),
        headers=(("authorization", f"DPoP {ACCESS_TOKEN}"),),
        issuer=ISSUER,
        client_id=CLIENT_ID,
        role="resource",
        resend="safe",
        max_body=100,
    )
    thumbprint = KEYS[alg].thumbprint
    return with_proof(request, thumbprint, access_token=ACCESS_TOKEN, nonce=nonce)


REQUESTS: Final[list[Callable[..., HttpRequest]]] = [token_request, resource_request]


@pytest.mark.req("RFC9449-4.2-01")
@pytest.mark.parametrize("asked", REQUESTS)
@pytest.mark.parametrize("alg", KEYS)
def test_a_server_of_its_own_mind_takes_the_proof(
    asked: Callable[..., HttpRequest], alg: str
) -> None:
    """J15."""
    sending = Sending(DpopServer())

    assert sending.run(asked(alg)) == KEYS[alg].thumbprint
    ((header, claims),) = sending.server.proofs
    assert (header["typ"], header["alg"]) == ("dpop+jwt", alg)
    assert claims["iat"] == NOW
    assert "nonce" not in claims


@pytest.mark.req("RFC9449-4.2-02")
def test_each_transmission_has_a_proof_of_its_own() -> None:
    sending = Sending(DpopServer())
    for request in (token_request(), token_request(), resource_request()) * 5:
        sending.run(request)

    assert len({*sending.jtis}) == 15


@pytest.mark.req("RFC9449-4.2-06", "RFC9449-7.3-01", "RFC9449-8-01", "RFC9449-9-01")
@pytest.mark.parametrize("asked", REQUESTS)
def test_a_demanded_nonce_is_sent_once_and_remembered(asked: Callable[..., HttpRequest]) -> None:
    sending = Sending(DpopServer(nonce="n-1"))

    assert sending.run(asked()) == KEYS["ES256"].thumbprint
    assert sending.run(asked("EdDSA")) == KEYS["EdDSA"].thumbprint
    assert sending.nonces == [None, "n-1", "n-1"]
    assert len({*sending.jtis}) == 3


def test_the_assertion_is_made_anew_with_the_proof() -> None:
    """J18."""
    sending = Sending(DpopServer(nonce="n-1"))
    sending.run(token_request())

    payloads = [form["client_assertion"].split(".")[1] for form in sending.server.forms]
    first, second = [json.loads(b64url_decode(payload.encode())) for payload in payloads]

    assert first["jti"] != second["jti"]
    assert {**first, "jti": ""} == {**second, "jti": ""}
    assert len({first["jti"], second["jti"], *sending.jtis}) == 4


@pytest.mark.req("RFC9449-8.2-01")
def test_nonces_of_successes_are_taken_and_kept_when_the_server_falls_silent() -> None:
    """J17."""
    server = DpopServer(gives="n-1")
    sending = Sending(server)
    sending.run(resource_request())
    server.gives = "n-2"
    sending.run(resource_request())
    server.gives = None
    sending.run(resource_request())
    sending.run(resource_request())

    assert sending.nonces == [None, "n-1", "n-2", "n-2"]


def test_a_stale_nonce_is_replaced_by_the_one_demanded() -> None:
    """J16."""
    server = DpopServer(gives="n-1")
    sending = Sending(server)
    sending.run(token_request())
    server.nonce, server.gives = "n-2", None
    sending.run(token_request())

    assert sending.nonces == [None, "n-1", "n-2"]


@pytest.mark.req("RFC9449-9-01")
def test_a_nonce_of_one_role_is_not_told_to_the_other() -> None:
    sending = Sending(DpopServer(gives="n-1"))
    sending.run(token_request())
    sending.run(resource_request())
    sending.run(token_request())

    assert sending.nonces == [None, None, "n-1"]


@pytest.mark.parametrize("asked", REQUESTS)
def test_a_nonce_that_is_named_wins_and_may_be_stale_too(
    asked: Callable[..., HttpRequest],
) -> None:
    server = DpopServer(gives="remembered")
    sending = Sending(server)
    sending.run(asked())
    sending.run(asked(nonce="named"))
    server.nonce = "demanded"
    sending.run(asked(nonce="named"))

    assert sending.nonces == [None, "named", "named", "demanded"]


class Whimsical(DpopServer):
    """Demands another nonce each time."""

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse:
        self.nonce = f"n-{len(self.proofs)}"
        return super().send(request, clock)


@pytest.mark.req("RFC9449-8-01")
@pytest.mark.parametrize("asked", REQUESTS)
def test_a_second_demand_ends_the_operation(asked: Callable[..., HttpRequest]) -> None:
    """J16."""
    sending = Sending(Whimsical())

    refused(ProtocolViolation, "dpop_nonce_repeated", lambda: sending.run(asked()))
    assert sending.nonces == [None, "n-0"]


@pytest.mark.parametrize("nonce", ["x" * 1_025, "a b", 'a"b'])
@pytest.mark.parametrize("asked", REQUESTS)
def test_an_unusable_nonce_is_not_sent_back(asked: Callable[..., HttpRequest], nonce: str) -> None:
    """J16."""
    sending = Sending(DpopServer(nonce=nonce))

    refused(ProtocolViolation, "http_status_unexpected", lambda: sending.run(asked()))
    assert sending.nonces == [None]


STOLEN: Final = ("authorization", "DPoP another-token")


@pytest.mark.parametrize(
    "changed",
    [
        evolve(token_request(), method="PUT"),
        evolve(resource_request(), method="POST"),
        evolve(resource_request(), headers=(STOLEN, resource_request().headers[-1])),
    ],
)
def test_a_proof_for_another_request_is_refused(changed: HttpRequest) -> None:
    """J15: the server is not easily content."""
    sending = Sending(DpopServer())

    refused(ProtocolViolation, "http_status_unexpected", lambda: sending.run(changed))
    assert len(sending.server.proofs) == 1


class AsyncServer:
    def __init__(self, server: DpopServer) -> None:
        self._server = server

    async def send(self, request: WireRequest, clock: Clock) -> HttpResponse:
        return self._server.send(request, clock)


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
@pytest.mark.parametrize("asked", REQUESTS)
def test_it_is_the_same_where_one_awaits(
    asked: Callable[..., HttpRequest], run: Callable[[Callable[[], Awaitable[Any]]], Any]
) -> None:
    sync, other = Sending(DpopServer(nonce="n-1")), Sending(DpopServer(nonce="n-1"))
    shell = AsyncShell(
        AsyncServer(other.server),
        other.credentials,
        clock=FrozenClock(NOW),
        entropy=FixedEntropy(1),
    )
    step = AwaitingThumbprint(made_for=RP.digest, request=asked("EdDSA"))

    assert run(lambda: shell.run(RP, step)) == sync.run(asked("EdDSA"))
    assert other.server.proofs == sync.server.proofs
    assert other.nonces == [None, "n-1"]
