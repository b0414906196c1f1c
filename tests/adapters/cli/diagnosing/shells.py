"""A shell at a provider in memory, whose metadata and keys a test can change."""

from attrs import evolve, field, frozen

from oidc_adapters.clients.shell import Shell
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.clock import Clock, FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.jsontypes import JsonObject, JsonValue, render
from oidc_core.wire.way import Channel

NOW = 1_800_000_000
ISSUER = "https://op.example"
METADATA: dict[str, JsonValue] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
    "id_token_signing_alg_values_supported": ("ES256",),
    "code_challenge_methods_supported": ("S256",),
}
NOTHING = HttpResponse(404, (), b"not found", NOW, Channel("verified", True))


def json_answer(members: dict[str, JsonValue], *headers: tuple[str, str]) -> HttpResponse:
    body = render(JsonObject(members)).encode("ascii")
    json_type = ("content-type", "application/json")
    return HttpResponse(200, (json_type, *headers), body, NOW, Channel("verified", True))


@frozen
class Places:
    """A transport that has an answer for each URL, and 404 for every other."""

    answers: dict[str, HttpResponse]
    asked: list[str] = field(factory=list[str])
    judges_addresses: bool = True

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse | NoAnswer:
        self.asked.append(request.url)
        return self.answers.get(request.url, NOTHING)


def well_known(issuer: str) -> str:
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def places(*issuers: str, keys: tuple[JsonValue, ...] = (), **members: JsonValue) -> Places:
    """Return a transport to the metadata of these issuers; each has the same endpoints."""
    answers = {
        well_known(issuer): json_answer({**METADATA, **members, "issuer": issuer})
        for issuer in issuers or (ISSUER,)
    }
    return Places({**answers, f"{ISSUER}/jwks": json_answer({"keys": keys})})


def shell_at(transport: Places) -> Shell:
    return Shell(transport, Credentials(), clock=FrozenClock(NOW), entropy=FixedEntropy(1))


def with_headers(answer: HttpResponse, *headers: tuple[str, str]) -> HttpResponse:
    return evolve(answer, headers=(*answer.headers, *headers))
