"""The UserInfo endpoint: claims for the bearer of an access token (OIDC Core §5.3)."""

from typing import NoReturn

from oidc_adapters.testing.claims import sent_userinfo, userinfo_claims, userinfo_draft
from oidc_adapters.testing.ledger import AccessToken
from oidc_adapters.testing.oauth_messages import (
    OAuthError,
    form_parameters,
    json_answer,
    single_header,
)
from oidc_adapters.testing.provider_state import ProviderState
from oidc_core.wire.http import Answer, HttpResponse, WireRequest


def userinfo_answer(state: ProviderState, request: WireRequest, now: int) -> Answer:
    """Answer a UserInfo request.

    Raises:
        OAuthError: the access token is missing, unknown, over or revoked (RFC 6750 §3.1).
    """
    token = _presented(state, request, now)
    changes = state.changes("userinfo")
    claims = userinfo_claims(state, token)
    grant = token.family.grant
    draft = userinfo_draft(state, grant, claims, now)
    said = changes.userinfo(claims) if draft is None else changes.userinfo_jwt(draft)
    sent = sent_userinfo(state, grant, said, changes)
    if not isinstance(sent, str):
        return changes.answer(json_answer(sent, now))
    headers = (("content-type", "application/jwt"), ("cache-control", "no-store"))
    return changes.answer(HttpResponse(200, headers, sent.encode("ascii"), now))


def _presented(state: ProviderState, request: WireRequest, now: int) -> AccessToken:
    """Return the access token of a header or of a form (RFC 6750 §2.1, §2.2)."""
    token = state.ledger.access_tokens.get(_bearer(request))
    if token is None:
        _refuse("the access token is unknown")
    if token.family.revoked:
        _refuse("the access token was revoked")
    if token.expires_at <= now:
        _refuse("the access token has expired")
    if not state.knows(token.family.grant.sub):
        _refuse("the end-user is known no more")
    if "openid" not in token.scope:
        challenge = 'Bearer error="insufficient_scope", scope="openid"'
        raise OAuthError("insufficient_scope", "no openid", status=403, challenge=challenge)
    return token


def _bearer(request: WireRequest) -> str:
    """Return the access token as it was sent, by one way only."""
    header = single_header(request, "authorization")
    posted = form_parameters(request).get("access_token") if request.body else None
    if header is not None and posted is not None:
        raise OAuthError("invalid_request", "two access tokens")
    scheme, _, value = (header or "").partition(" ")
    found = value if scheme.lower() == "bearer" else posted
    if found is None:
        raise OAuthError("invalid_request", "no bearer token", status=401, challenge="Bearer")
    return found


def _refuse(why: str) -> NoReturn:
    challenge = f'Bearer error="invalid_token", error_description="{why}"'
    raise OAuthError("invalid_token", why, status=401, challenge=challenge)
