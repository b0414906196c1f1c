"""The parties of unit tests: one provider, one client, and what each of them says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

import pytest
from attrs import evolve

from oidc_adapters.crypto.verification import CryptographyVerifier
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_core.endpoints.authorization import DEFAULT_REQUEST, AuthenticationRequest, Callback
from oidc_core.machine import steps
from oidc_core.machine.steps import Done, Exchange, KeysFound, KeysWithheld, NeedKeys
from oidc_core.model.client import ClientRegistration
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.login import LoginStarted, start
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import AnswerTo, HttpResponse, KeysWanted, NoAnswer
from oidc_core.wire.incoming import Incoming
from tests.signing import SECRET, published, signing_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from oidc_core.jose.jwe import Decrypter
    from oidc_core.jose.key_set import KeySet
    from oidc_core.machine.steps import Step
    from oidc_core.model.pending import LoginSecrets
    from oidc_core.wire.http import Source

T = TypeVar("T")

NOW: Final = 1_800_000_000
ISSUER: Final = "https://op.example"
OTHER_ISSUER: Final = "https://evil.example"
CLIENT_ID: Final = "client-1"
REDIRECT_URI: Final = "https://rp.example/callback"
SUB: Final = "Alice-24400320"
ACCESS_TOKEN: Final = "access-token-1"

METADATA: Final = ProviderMetadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    jwks_uri=f"{ISSUER}/jwks",
    userinfo_endpoint=f"{ISSUER}/userinfo",
    end_session_endpoint=f"{ISSUER}/logout",
    code_challenge_methods_supported=("S256",),
    id_token_signing_alg_values_supported=(
        "RS256",
        "ES256",
        "EdDSA",
        "ES384",
        "HS256",
        "HS384",
        "HS512",
        "none",
    ),
)
CLIENT: Final = ClientRegistration(
    client_id=CLIENT_ID,
    redirect_uris=(REDIRECT_URI, "https://rp.example/other?x=1"),
    post_logout_redirect_uris=("https://rp.example/bye", "https://rp.example/ciao"),
)


def relying_party(
    *,
    provider: dict[str, Any] | None = None,
    client: dict[str, Any] | None = None,
    policy: Policy | None = None,
    rule: IssuerRule | None = None,
    decrypter: Decrypter | None = None,
) -> RelyingParty:
    """Return the relying party with changes to the provider's metadata and the registration."""
    metadata = evolve(METADATA, **(provider or {}))
    registration = evolve(CLIENT, **(client or {}))
    issuer = metadata.issuer if rule is None else rule.canonical
    secrets = {(issuer, registration.client_id): SECRET}
    return RelyingParty(
        provider=metadata,
        client=registration,
        verifier=CryptographyVerifier(secrets),
        decrypter=decrypter,
        policy=policy or Policy(),
        issuer_rule=rule or IssuerRule.exact(metadata.issuer),
    )


RP: Final = relying_party()


def secrets(seed: int = 1) -> LoginSecrets:
    """Return the four secrets of a login."""
    return FixedEntropy(seed).login_secrets()


def done(step: Step[T]) -> T:
    """Return the result of a step that must be the last one."""
    assert isinstance(step, Done)
    return step.result


def started(rp: RelyingParty = RP, *, seed: int = 1, **request: Any) -> LoginStarted:
    """Start a login at :data:`NOW`."""
    asked = AuthenticationRequest(**request) if request else DEFAULT_REQUEST
    return done(start(rp, secrets(seed), asked, now=NOW))


def query_of(url: str) -> list[tuple[str, str]]:
    """Return the parameters of a URL as a server reads them."""
    return parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)


def came(query: str, *, url: str | None = REDIRECT_URI, body: bytes | None = None) -> Callback:
    """Return a callback as it comes over the wire: with a GET, or with a POST if it has a body."""
    if body is None:
        return Callback.of(Incoming(method="GET", url=url, query=query))
    return Callback.of(Incoming(method="POST", url=url, query=query, body=body))


def callback(login: LoginStarted, **parameters: str | None) -> Callback:
    """Return the callback of a login, with parameters set, or left out where ``None``."""
    named = {"code": "code-1", "state": login.pending.state, **parameters}
    return Callback(parameters=tuple([(n, v) for n, v in named.items() if v is not None]))


def claims_for(nonce: str | None = None, /, **changes: object) -> dict[str, object]:
    """Return the claims of a good ID token; a change to ``None`` leaves the claim out."""
    claims: dict[str, object] = {
        "iss": ISSUER,
        "sub": SUB,
        "aud": CLIENT_ID,
        "exp": NOW + 300,
        "iat": NOW,
        "nonce": nonce,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def json_response(
    body: object, *, status: int = 200, content_type: str = "application/json", at: int = NOW
) -> HttpResponse:
    """Return an answer; a body of bytes is sent as it is."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, (("content-type", content_type),), octets, at)


def token_answer(id_token: str | None, **changes: object) -> HttpResponse:
    """Return a good answer of the token endpoint; a change to ``None`` leaves a member out."""
    members = {
        "access_token": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": 3600,
        "id_token": id_token,
        **changes,
    }
    return json_response({name: value for name, value in members.items() if value is not None})


def resume(
    rp: RelyingParty,
    step: Step[T],
    answer: HttpResponse | NoAnswer | AnswerTo | KeysFound | KeysWithheld,
) -> Step[T]:
    """Resume a step as a shell does, which writes down the request of each answer."""
    assert not isinstance(step, Done)
    if isinstance(step, Exchange) and isinstance(answer, HttpResponse | NoAnswer):
        return steps.resume(rp, step, AnswerTo(step.request, answer))
    given: Any = answer
    return steps.resume(rp, step, given)


def keys_wanted(rp: RelyingParty, source: Source = "solicited") -> KeysWanted:
    """Return the request for the provider's keys."""
    return rp.keys_wanted[source]


def keys(key_set: KeySet | None = None, *, fetched_at: int = NOW, now: int = NOW) -> KeysFound:
    """Return the provider's key set as a store answers it."""
    held = published(signing_key()) if key_set is None else key_set
    return KeysFound(ISSUER, f"{ISSUER}/jwks", held, fetched_at, now)


def with_keys(rp: RelyingParty, step: Step[T], key_set: KeySet | None = None) -> Step[T]:
    """Answer a wish for keys, and the second one in the same way."""
    for offset in (0, 1):
        if not isinstance(step, NeedKeys):
            break
        found = keys(key_set, fetched_at=NOW + offset, now=NOW + offset)
        wanted = step.wanted
        step = resume(rp, step, evolve(found, issuer=wanted.issuer, jwks_uri=wanted.jwks_uri))
    return step


def refused(kind: type[OidcError], code: str, operation: Callable[[], object]) -> OidcError:
    """Run an operation that must be refused in exactly this way; return the error."""
    with pytest.raises(OidcError) as caught:
        operation()
    assert (type(caught.value), caught.value.code) == (kind, code)
    return caught.value


def form_of(step: Exchange[Any]) -> dict[str, object]:
    """Return the form of a request; each name must be there once."""
    form = step.request.form
    assert form is not None
    assert len({name for name, _ in form}) == len(form)
    return dict(form)
