"""The UserInfo endpoint: claims for the bearer of an access token (OIDC Core §5.3)."""

from typing import NoReturn

from oidc_adapters.testing.claims import sent_userinfo, userinfo_claims, userinfo_draft
from oidc_adapters.testing.ledger import AccessToken
from oidc_adapters.testing.oauth_messages import OAuthError, json_answer, single_header
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
    """Return the access token in the ``Authorization`` header, the only place it may be in."""
    scheme, _, value = (single_header(request, "authorization") or "").partition(" ")
    if scheme.lower() != "bearer":
        raise OAuthError("invalid_request", "no bearer token", status=401, challenge="Bearer")
    token = state.ledger.access_tokens.get(value)
    if token is None:
        _refuse("the access token is unknown")
    if token.family.revoked:
        _refuse("the access token was revoked")
    if token.expires_at <= now:
        _refuse("the access token has expired")
    return token


def _refuse(why: str) -> NoReturn:
    challenge = f'Bearer error="invalid_token", error_description="{why}"'
    raise OAuthError("invalid_token", why, status=401, challenge=challenge)
