"""The library's verdict on a sample: an empty text if it accepts it, or the code of its refusal.

A driver of an own framework can be compared with it.
"""

from typing import Final, TypeAlias, TypeVar
from urllib.parse import urlencode

from attrs import evolve

from oidc_adapters.stores.pending.in_memory import MemoryPendingLogins
from oidc_adapters.testing.samples.keys import SampleKeySet
from oidc_adapters.testing.samples.messages import (
    SampleCallback,
    SampleMetadata,
    SampleTokenResponse,
)
from oidc_adapters.testing.samples.parties import (
    ACR,
    ISSUER,
    LOGOUT_URI,
    NOW,
    SUB,
    login_secrets,
    registered,
    relying_party,
)
from oidc_adapters.testing.samples.tokens import SignedToken
from oidc_adapters.testing.transports import admitted
from oidc_core.endpoints.authorization import AuthenticationRequest, Callback, pending_id
from oidc_core.jose.key_set import KeySet, parse_key_set
from oidc_core.machine.steps import (
    Done,
    Exchange,
    KeysAnswer,
    KeysFound,
    KeysWithheld,
    NeedKeys,
    Step,
    fetch_fault,
    resume,
)
from oidc_core.model.demands import Demands
from oidc_core.model.policy import DEFAULT_POLICY, Policy
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import backchannel_logout, discovery, login, userinfo, validation
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import Answer, AnswerTo, HttpResponse
from oidc_core.wire.incoming import Incoming

Judged: TypeAlias = (
    SignedToken | SampleKeySet | SampleMetadata | SampleCallback | SampleTokenResponse
)
"""The samples that the library can be asked about."""

_FORM: Final = "application/x-www-form-urlencoded"
_NO_KEYS: Final = KeySet()
T = TypeVar("T")


def judged(sample: Judged, policy: Policy = DEFAULT_POLICY) -> str:
    """Return the code with which this library refuses a sample, empty if it accepts it.

    A key set is accepted if each key in it serves, metadata if a login can begin after it is read,
    a callback if the client asks for tokens, and a token answer if the user is logged in.  UserInfo
    is not part of that login.
    """
    try:
        _judge(sample, policy)
    except OidcError as refusal:
        return refusal.code
    return ""


def _judge(sample: Judged, policy: Policy) -> None:
    match sample:
        case SignedToken():
            answers = (userinfo_answer(sample),) if sample.kind == "userinfo" else ()
            rp = client_for(sample, policy)
            driven(rp, _begun(rp, sample), keys=_published(sample), answers=answers)
        case SampleKeySet():
            found = parse_key_set(sample.document)
            for key in sample.keys:
                found.select(key.kid, key.alg)
        case SampleMetadata():
            rp = relying_party(policy=policy)
            rp = driven(rp, discovery.discover(rp), answers=(sample.answer,))
            driven(rp, login.start(rp, login_secrets(0), now=NOW))
        case SampleCallback():
            _came_back(relying_party(policy=policy), sample)
        case SampleTokenResponse():
            _log_in(sample, evolve(policy, userinfo="never"))


def client_for(token: SignedToken, policy: Policy = DEFAULT_POLICY) -> RelyingParty:
    """Return the client that registered this kind of token as the provider issues it."""
    client = registered(token.kind, token.alg, token.encryption)
    return relying_party(client, policy=policy, key_seed=token.key_seed)


def demands_on(token: SignedToken) -> Demands:
    """Return the demands of the login that an ID token was issued for."""
    return Demands(
        nonce=token.nonce,
        started_at=NOW,
        max_age=300 if token.needs == "max_age" else None,
        required_acr=(ACR,) if token.needs == "acr" else (),
    )


def _begun(rp: RelyingParty, token: SignedToken) -> Step[object]:
    if token.kind == "id_token":
        return validation.validate(
            rp,
            token.text,
            demands_on(token),
            now=NOW,
            access_token=token.access_token,
            source="solicited",
        )
    if token.kind == "logout_token":
        return backchannel_logout.receive(rp, logout_request(token), now=NOW)
    return userinfo.asked(rp, token.access_token, sub=SUB, iss=ISSUER)


def logout_request(token: SignedToken) -> Incoming:
    """Return the request with which the provider brings a logout token."""
    body = urlencode({"logout_token": token.text}).encode("ascii")
    return Incoming(method="POST", url=LOGOUT_URI, body=body, content_type=_FORM)


def userinfo_answer(token: SignedToken) -> HttpResponse:
    """Return the answer of the UserInfo endpoint that holds the token."""
    return HttpResponse(200, (("content-type", "application/jwt"),), token.text.encode(), NOW)


def driven(
    rp: RelyingParty,
    step: Step[T],
    *,
    keys: KeySet | KeysWithheld = _NO_KEYS,
    answers: tuple[Answer, ...] = (),
) -> T:
    """Drive an operation to its end.

    Args:
        rp: the client.
        step: its first step.
        keys: the key set at the provider's ``jwks_uri``, or the failure to fetch it.
        answers: of each exchange, in order.

    Raises:
        OidcError: what ends the operation.
    """
    left = iter(answers)
    second = NOW
    while not isinstance(step, Done):
        if isinstance(step, Exchange):
            answer = admitted(next(left), step.request)
            step = resume(rp, step, AnswerTo(step.request, answer))
        else:
            step = resume(rp, step, _keys_for(step, keys, second))
            second += 1
    return step.result


def _keys_for(step: NeedKeys[T], keys: KeySet | KeysWithheld, second: int) -> KeysAnswer:
    if isinstance(keys, KeysWithheld):
        return keys
    wanted = step.wanted
    return KeysFound(wanted.issuer, wanted.jwks_uri, keys, second, second)


def _published(token: SignedToken) -> KeySet | KeysWithheld:
    """Return the key set of a token as a store of keys answers it."""
    try:
        return parse_key_set(token.published)
    except OidcError as refusal:
        return KeysWithheld("unreachable", fetch_fault(refusal))


def _came_back(rp: RelyingParty, callback: SampleCallback) -> Step[LoggedIn]:
    """Start the login of a callback, and finish it as far as its first request.

    The browser is the one that began it.
    """
    request = AuthenticationRequest(response_mode=callback.response_mode)
    started = driven(rp, login.start(rp, login_secrets(callback.login_seed), request, now=NOW))
    store = MemoryPendingLogins()
    kept = tuple([(cookie.name, cookie.value) for cookie in store.put(rp, started, (), NOW)])
    came = Callback.of(callback.incoming())
    taken = store.take(rp, pending_id(came), kept, NOW)
    return login.finish(
        rp, taken.pending, came, binding=taken.binding, now=NOW, single_use=taken.single_use
    )


def _log_in(response: SampleTokenResponse, policy: Policy) -> None:
    token = response.id_token
    rp = client_for(token, policy)
    begun = _came_back(rp, SampleCallback(login_seed=token.login_seed))
    driven(rp, begun, keys=_published(token), answers=(response.answer,))
