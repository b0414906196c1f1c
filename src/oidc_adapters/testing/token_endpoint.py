"""The token endpoint: a code or a refresh token in, tokens out (OIDC Core §3.1.3, §12)."""

import hmac
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from attrs import evolve

from oidc_adapters.testing.claims import id_token_draft, sent_id_token
from oidc_adapters.testing.client_authentication import authenticated_client
from oidc_adapters.testing.ledger import (
    AccessToken,
    Family,
    Grant,
    IssuedCode,
    IssuedIdToken,
    RefreshToken,
    keep,
)
from oidc_adapters.testing.oauth_messages import OAuthError, form_parameters, json_answer
from oidc_adapters.testing.parties import FakeClient
from oidc_adapters.testing.provider_state import ProviderState
from oidc_adapters.testing.signing import b64url
from oidc_core.wire.http import Answer, WireRequest

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def token_answer(state: ProviderState, request: WireRequest, now: int) -> Answer:
    """Answer a token request.

    Raises:
        OAuthError: the request breaks a rule; as RFC 6749 §5.2 names it.
    """
    form = form_parameters(request)
    client = authenticated_client(state, request, form, now)
    if state.dialect.pkce == "refused" and "code_verifier" in form:
        raise OAuthError("invalid_client", "code_verifier is not for this client", status=401)
    grant_type = _required(form, "grant_type")
    if grant_type == "authorization_code":
        family = _redeemed(state, client, form, now)
        return _issued(state, family, family.grant.scope, now, refreshing=False)
    if grant_type == "refresh_token":
        family, scope = _refreshed(state, client, form, now)
        return _issued(state, family, scope, now, refreshing=True)
    raise OAuthError("unsupported_grant_type", "authorization_code or refresh_token")


def _redeemed(
    state: ProviderState, client: FakeClient, form: Mapping[str, str], now: int
) -> Family:
    """Return the grant of a code, and use it up: its second use revokes all it gave."""
    code = _required(form, "code")
    issued = state.ledger.codes.get(code)
    if issued is None or issued.family.grant.client_id != client.client_id:
        raise OAuthError("invalid_grant", "the code is unknown or another client's")
    if issued.used:
        issued.family.revoked = True
        raise OAuthError("invalid_grant", "the code was used before; its tokens are revoked")
    issued.used = True
    _check_code(state, issued, form, now)
    _check_user(state, issued.family)
    return issued.family


def _check_code(
    state: ProviderState, issued: IssuedCode, form: Mapping[str, str], now: int
) -> None:
    grant = issued.family.grant
    if issued.expires_at <= now:
        raise OAuthError("invalid_grant", "the code has expired")
    if _required(form, "redirect_uri") != grant.redirect_uri:
        raise OAuthError(
            "invalid_grant",
            "redirect_uri is not the one of the login",
        )
    if state.dialect.pkce == "required":
        _check_verifier(grant, form)


def _check_verifier(grant: Grant, form: Mapping[str, str]) -> None:
    """Hold the client to the login's PKCE: both parts are there, or neither (RFC 9700 §2.1.1)."""
    if not grant.code_challenge:
        if "code_verifier" in form:
            raise OAuthError("invalid_grant", "code_verifier without a code_challenge")
        return
    verifier = _required(form, "code_verifier")
    if not _VERIFIER.fullmatch(verifier):
        raise OAuthError("invalid_request", "code_verifier breaks the grammar of RFC 7636 §4.1")
    challenge = b64url(sha256(verifier.encode("ascii")).digest())
    if not hmac.compare_digest(challenge, grant.code_challenge):
        raise OAuthError("invalid_grant", "code_verifier does not fit the challenge")


def _refreshed(
    state: ProviderState, client: FakeClient, form: Mapping[str, str], now: int
) -> tuple[Family, tuple[str, ...]]:
    """Return the grant of a refresh token, and rotate it (RFC 9700 §4.14.2)."""
    known = state.ledger.refresh_tokens.get(_required(form, "refresh_token"))
    if known is None or known.family.grant.client_id != client.client_id:
        raise OAuthError("invalid_grant", "the refresh token is unknown or another client's")
    if known.spent and not _in_grace(state, known, now):
        known.family.revoked = True
        raise OAuthError("invalid_grant", "the refresh token was used before; all are revoked")
    if known.family.revoked:
        raise OAuthError("invalid_grant", "the grant was revoked")
    granted = known.family.grant.scope
    scope = tuple(form["scope"].split(" ")) if "scope" in form else granted
    if not set(scope) <= set(granted):
        raise OAuthError("invalid_scope", "the scope is wider than the granted scope")
    _check_user(state, known.family)
    if state.dialect.rotates_refresh and not known.spent:
        known.spent, known.spent_at = True, now
    return known.family, scope


def _in_grace(state: ProviderState, token: RefreshToken, now: int) -> bool:
    """Return whether a refresh token that was used may be used once more."""
    return 0 <= now - token.spent_at < state.refresh_grace


def _check_user(state: ProviderState, family: Family) -> None:
    if not state.knows(family.grant.sub):
        raise OAuthError("invalid_grant", "the end-user is known no more")


def _required(form: Mapping[str, str], name: str) -> str:
    if not form.get(name):
        raise OAuthError("invalid_request", f"{name} is missing")
    return form[name]


def _issued(
    state: ProviderState, family: Family, scope: tuple[str, ...], now: int, *, refreshing: bool
) -> Answer:
    """Issue tokens for a grant and answer with them (OIDC Core §3.1.3.3, §12.2)."""
    changes = state.changes("token", refreshing=refreshing)
    ledger, grant = state.ledger, family.grant
    access_token = ledger.fresh("access_token")
    granted = AccessToken(family=family, scope=scope, expires_at=now + state.token_lifetime)
    keep(ledger.access_tokens, access_token, granted)
    members: dict[str, object] = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": state.token_lifetime,
        "scope": " ".join(scope),
    }
    rotates = state.dialect.rotates_refresh or not refreshing
    if rotates and state.gives_refresh_token(grant):
        members["refresh_token"] = ledger.fresh("refresh_token")
        ledger.keep_refresh_token(str(members["refresh_token"]), RefreshToken(family=family))
    if not refreshing or state.refresh_id_token:
        draft = id_token_draft(state, grant, access_token, now, refreshing=refreshing)
        id_token = changes.id_token(draft)
        issued = IssuedIdToken(
            client_id=grant.client_id, sub=grant.sub, sid=grant.sid, kid=draft.key.kid
        )
        keep(ledger.id_tokens, id_token, issued)
        members["id_token"] = sent_id_token(state, grant, id_token, changes)
    members = {**state.dialect.spoken("tokens", members)}
    answer = json_answer(changes.tokens(members), now)
    return changes.answer(evolve(answer, headers=(*answer.headers, ("pragma", "no-cache"))))
