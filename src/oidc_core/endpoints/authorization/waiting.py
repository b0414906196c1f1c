"""The record of a login's start: its demands, and the facts that its callback must fit."""

from collections.abc import Mapping
from typing import Final

from oidc_core.endpoints.authorization.request import (
    AuthenticationRequest,
    subjects_asked,
    values_asked,
)
from oidc_core.jose.jws import claims_kept
from oidc_core.model.claims import IdToken
from oidc_core.model.demands import Demands, NoNonce, PromptLogin
from oidc_core.model.pending import LoginSecrets, PendingLogin, binding_digest_of, pending_id_of
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import ProtocolViolation, UsageError
from oidc_core.wire.jsontypes import JsonObject

_SHORTEST_LONE_NONCE: Final = 22
_NOTHING: Final = JsonObject({})


def demands_of(
    rp: RelyingParty, request: AuthenticationRequest, nonce: str | NoNonce, now: int
) -> Demands:
    """Write down what a request demands of the tokens that will come: here, and nowhere else.

    ``nonce``: the one that is sent, or the statement that no nonce is sent, as by a grant without a
    browser.

    Raises:
        UsageError: ``parameter_invalid`` for a scope without ``openid`` (OIDC Core §3.1.2.1), or a
            hint that is not an ID token of this issuer.
    """
    scope = request.scope or rp.client.scope
    if "openid" not in scope.split(" "):
        raise UsageError("parameter_invalid", about="scope", found=scope, expected="openid")
    asked = _asked_of_id_token(request)
    sub, sub_iss = _expected_user(rp, request)
    prompt_login = _prompt_login(request)
    return Demands(
        nonce=nonce,
        started_at=now,
        max_age=0 if prompt_login == "proven" else request.max_age,
        required_acr=_required_acr(request, asked.get("acr", _NOTHING)),
        essential_claims=tuple([n for n, h in asked.items() if h.members.get("essential") is True]),
        sub=sub,
        sub_iss=sub_iss,
        scope=scope,
        resource=request.resource,
        prompt_login=prompt_login,
    )


def _check_nonce(rp: RelyingParty, nonce: str) -> None:
    """Take the application's own nonce; without PKCE it must be unguessable by itself."""
    if "omit_pkce" in rp.policy.quirks and len(nonce) < _SHORTEST_LONE_NONCE:
        expected = f"from {_SHORTEST_LONE_NONCE} characters without PKCE"
        raise UsageError("parameter_invalid", about="nonce", found=len(nonce), expected=expected)


def pending_login(
    rp: RelyingParty, request: AuthenticationRequest, secrets: LoginSecrets, now: int
) -> PendingLogin:
    """Write down everything the callback will be compared with.

    Raises:
        UsageError: ``parameter_invalid`` for a redirect URI that is not registered, a nonce that
            can be guessed, or as :func:`demands_of`.
    """
    client = rp.client
    if request.nonce:
        _check_nonce(rp, request.nonce)
    redirect_uri = request.redirect_uri or client.redirect_uri
    if redirect_uri not in client.redirect_uris:
        raise UsageError("parameter_invalid", about="redirect_uri", found=redirect_uri)
    return PendingLogin(
        id=pending_id_of(secrets.state),
        connection=rp.connection,
        state=secrets.state,
        code_verifier=secrets.code_verifier,
        binding_digest=binding_digest_of(secrets.binding),
        redirect_uri=redirect_uri,
        response_mode=request.response_mode,
        expects_iss=rp.expects_iss,
        demands=demands_of(rp, request, request.nonce or secrets.nonce, now),
        account=request.account,
        return_to=request.return_to,
    )


def unasked_login(rp: RelyingParty, secrets: LoginSecrets, now: int) -> PendingLogin:
    """Write down a login that asks for nothing in particular.

    A record in a cookie holds the deviations from it.
    """
    return PendingLogin(
        id=pending_id_of(secrets.state),
        connection=rp.connection,
        state=secrets.state,
        code_verifier=secrets.code_verifier,
        binding_digest=binding_digest_of(secrets.binding),
        redirect_uri=rp.client.redirect_uri,
        expects_iss=rp.expects_iss,
        demands=Demands(nonce=secrets.nonce, started_at=now, scope=rp.client.scope),
    )


def _expected_user(
    rp: RelyingParty, request: AuthenticationRequest
) -> tuple[str | None, str | None]:
    """Find the only user who may come back: as demanded, or as hinted at, or as asked for."""
    if request.id_token_hint is None:
        named = None if request.claims is None else next(subjects_asked(request.claims), None)
        return request.expected_sub or named, None
    sub, iss = _hinted_user(rp, request.id_token_hint)
    return request.expected_sub or sub, iss if rp.issuer_rule.pattern else None


def _hinted_user(rp: RelyingParty, hint: IdToken | str) -> tuple[str, str]:
    """Return subject and issuer of an ID token that this issuer sent earlier."""
    try:
        claims = hint.claims if isinstance(hint, IdToken) else claims_kept(hint)
    except ProtocolViolation as fault:
        raise UsageError("parameter_invalid", about="id_token_hint", found=fault.code) from None
    iss, sub = claims.members.get("iss"), claims.members.get("sub")
    if isinstance(iss, str) and isinstance(sub, str) and rp.issuer_rule.in_token(iss, claims):
        return sub, iss
    raise UsageError("parameter_invalid", about="id_token_hint", expected=rp.issuer)


def _prompt_login(request: AuthenticationRequest) -> PromptLogin:
    """``prompt=login`` alone cannot be verified; with ``max_age=0`` it can (§3.1.2.1).

    An explicit demand stays: 0 is only the default of an absent one.
    """
    if request.max_age is None and "login" in request.prompt.split(" "):
        return request.reauthentication
    return ""


def _asked_of_id_token(request: AuthenticationRequest) -> Mapping[str, JsonObject]:
    """Return how claims of the ID token are asked for, those with requirements (§5.5.1)."""
    if request.claims is None:
        return {}
    wanted = request.claims.members.get("id_token")
    if not isinstance(wanted, JsonObject):
        return {}
    return {name: how for name, how in wanted.items() if isinstance(how, JsonObject)}


def _required_acr(request: AuthenticationRequest, asked: JsonObject) -> tuple[str, ...]:
    """Find the classes one of which has to come back: named, or asked for as essential."""
    if request.required_acr or asked.members.get("essential") is not True:
        return request.required_acr
    return tuple([value for value in values_asked(asked) if isinstance(value, str)])
