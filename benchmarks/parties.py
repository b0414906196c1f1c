"""Our own side of the benchmarks: relying parties, key sets, whole logins, all in memory."""

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from benchmarks.rounds import Call
from benchmarks.tokens import (
    ACCESS_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    ISSUER,
    NONCE,
    NOW,
    SignedToken,
    signed_token,
)
from oidc_adapters.clients.shell import Shell
from oidc_adapters.credentials.client_credentials import Credentials, credentials_for
from oidc_adapters.crypto import CryptographyVerifier
from oidc_adapters.runtime.clock import Clock, FrozenClock
from oidc_adapters.runtime.entropy import SystemEntropy
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_core.endpoints.authorization import Callback, pending_id
from oidc_core.jose.key_set import KeySet
from oidc_core.machine.steps import Done, KeysFound, NeedKeys, resume
from oidc_core.model.client import ClientRegistration
from oidc_core.model.demands import Demands
from oidc_core.model.policy import Policy
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.login import finish, start
from oidc_core.operations.validation import validate
from oidc_core.wire.http import HttpResponse, WireRequest
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.jsontypes import frozen_json

DEMANDS: Final = Demands(nonce=NONCE, started_at=NOW)


def relying_party(alg: str) -> RelyingParty:
    """Return a relying party for ID tokens of one algorithm, which has not seen an ID token yet."""
    return RelyingParty(
        provider=ProviderMetadata(
            issuer=ISSUER,
            authorization_endpoint=f"{ISSUER}/authorize",
            token_endpoint=f"{ISSUER}/token",
            jwks_uri=f"{ISSUER}/jwks",
            id_token_signing_alg_values_supported=(alg,),
            authorization_response_iss_parameter_supported=True,
        ),
        client=ClientRegistration(
            client_id=CLIENT_ID,
            redirect_uris=("https://rp.example/callback",),
            id_token_signed_response_alg=alg if alg == "HS256" else None,
            scope="openid profile email",
        ),
        verifier=CryptographyVerifier({(ISSUER, CLIENT_ID): CLIENT_SECRET}),
        policy=Policy(userinfo="never"),
    )


def found(token: SignedToken, *others: SignedToken) -> KeysFound:
    """Return the keys of some tokens as a store answers with them."""
    signers = [each.key for each in (token, *others)]
    published = [frozen_json(key.public_jwk()) for key in signers if key.kid is not None]
    return KeysFound(ISSUER, f"{ISSUER}/jwks", KeySet(tuple(published)), NOW, NOW)


def validation(token: SignedToken, keys: KeysFound | None = None) -> Call:
    """Return the whole validation of one ID token, with the provider's keys at hand."""
    rp, text = relying_party(token.alg), token.text
    keys = found(token) if keys is None else keys

    def validated() -> object:
        step = validate(rp, text, DEMANDS, access_token=ACCESS_TOKEN, now=NOW)
        return resume(rp, step, keys) if isinstance(step, NeedKeys) else step

    if not isinstance(validated(), Done):
        message = f"the {token.alg} token was not accepted"
        raise TypeError(message)
    return validated


class CannedTransport:
    """Answers each URL with the answer that was prepared for it."""

    __slots__ = ("_answers",)

    def __init__(self, answers: Mapping[str, HttpResponse]) -> None:
        self._answers = answers

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse:
        """Return the answer of this URL."""
        return self._answers[request.url]


def json_answer(members: object) -> HttpResponse:
    """Return an answer as providers send it."""
    headers = (("content-type", "application/json"), ("cache-control", "no-store"))
    return HttpResponse(200, headers, json.dumps(members).encode(), NOW)


def token_members(id_token: str) -> dict[str, object]:
    """Return the members of an answer of the token endpoint."""
    return {
        "access_token": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": 3_600,
        "scope": "openid profile email",
        "id_token": id_token,
    }


def shell_of(rp: RelyingParty, answers: Mapping[str, object]) -> Shell:
    """Return a shell with prepared answers, by the names of endpoints."""
    canned = {f"{ISSUER}/{name}": json_answer(members) for name, members in answers.items()}
    credentials = Credentials(credentials_for(rp, secret=CLIENT_SECRET))
    return Shell(CannedTransport(canned), credentials, clock=FrozenClock(NOW))


def login(alg: str) -> Call:
    """Return a whole login with ``client_secret_basic``, kept in memory, without UserInfo.

    The secrets are drawn again each time; as the prepared ID token has one nonce, the login goes on
    with the first ones.
    """
    entropy, rp = SystemEntropy(), relying_party(alg)
    secrets = entropy.login_secrets()
    token = signed_token(alg, secrets.nonce)
    shell = shell_of(
        rp, {"token": token_members(token.text), "jwks": {"keys": [token.key.public_jwk()]}}
    )
    store = MemoryPendingLogins()
    answer = {"code": "SplxlOBeZQQYbYS6WxSbIA-0123456789", "state": secrets.state, "iss": ISSUER}
    at, query = rp.client.redirect_uri, urlencode(answer)
    cookie = store.put(rp, shell.run(rp, start(rp, secrets, now=NOW)), (), NOW)[0]
    header = f"{cookie.name}={cookie.value}"

    def logged_in() -> object:
        entropy.login_secrets()
        started = shell.run(rp, start(rp, secrets, now=NOW))
        store.put(rp, started, (), NOW)
        incoming = Incoming(method="GET", url=at, query=query, cookie=header)
        callback = Callback.of(incoming)
        taken = store.take(rp, pending_id(callback), incoming.cookies, NOW)
        step = finish(
            rp,
            taken.pending,
            callback,
            binding=taken.binding,
            now=NOW,
            single_use=taken.single_use,
        )
        return shell.run(rp, step)

    return logged_in
