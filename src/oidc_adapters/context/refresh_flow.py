"""Refreshing tokens in one call, though it is two operations inside.

The provider may have rotated the refresh token by the time the keys to verify the new ID token turn
out to be unobtainable.  So the answer is kept before it is verified, and the same call made again
verifies it then, without sending the refresh token a second time.
"""

from copy import deepcopy

from oidc_adapters.context.memory import key_of
from oidc_adapters.context.oidc_ctx import OIDCCtx
from oidc_adapters.context.outcomes import APIError, Failure, TokenDict, failure
from oidc_adapters.context.records import AcceptedIdToken, Renewal
from oidc_adapters.context.validation import verify_renewed
from oidc_core.jose.jws import claims_kept
from oidc_core.model.records import Tokens
from oidc_core.operations import refresh
from oidc_core.operations.logged_in import LoginEvidence
from oidc_core.wire.errors import OidcError, ProtocolViolation, TransportFailure, UsageError
from oidc_core.wire.jsontypes import JsonObject


def flow_refresh_token(
    ctx: OIDCCtx, refresh_token: str, *, id_token: str | None = None
) -> TokenDict | Failure:
    """Exchange a refresh token for new tokens (OIDC Core §12).

    A new ID token is compared with the one the session began with: issuer, user, audience, nonce
    and time of authentication.  Threads that refresh with the same token at the same time share one
    request.

    Args:
        ctx: the context.
        refresh_token: as it came with the last answer.
        id_token: the ID token of the login, as the application stored it, where this context does
            not know that login: it was another process's, or is more than a month ago.  Without
            it nothing is compared then, and the evidence says so.

    Returns:
        The provider's answer as a plain dict, with the old refresh token if it sent no new one
        (RFC 6749 §6); or an error.  After ``keys_unavailable`` call again with the same token.
    """
    key = key_of(refresh_token)
    flight = ctx.records.refreshing.board(key)
    if flight is not None:
        return deepcopy(flight.result())
    result: TokenDict | Failure = APIError("refresh_in_doubt")
    try:
        result = _refreshed(ctx, refresh_token, id_token)
    except OidcError as fault:
        result = failure(fault)
    finally:
        ctx.records.refreshing.land(key, deepcopy(result))
    return result


def _refreshed(ctx: OIDCCtx, refresh_token: str, id_token: str | None) -> TokenDict:
    """Renew, keep, verify, and only then hand out."""
    key, now = key_of(refresh_token), ctx.shell.clock.now()
    renewal = ctx.records.unverified.take(key, now) or _renewed(ctx, refresh_token, id_token)
    try:
        refreshed = verify_renewed(ctx, renewal.renewed)
    except TransportFailure:
        ctx.records.unverified.put(key, renewal, now)
        raise
    tokens = refreshed.tokens
    if refreshed.id_token is not None and refreshed.evidence is not None:
        evidence = LoginEvidence(id_token=refreshed.evidence)
        accepted = AcceptedIdToken(evidence=evidence, renewed=renewal.renewed)
        ctx.records.accepted.put(key_of(refreshed.id_token.raw), accepted, now)
    ctx.records.refreshable.take(key, now)
    ctx.records.keep_refreshable(tokens, now)
    return {**renewal.answer, "refresh_token": tokens.refresh_token}


def _renewed(ctx: OIDCCtx, refresh_token: str, id_token: str | None) -> Renewal:
    known = ctx.records.refreshable.find(key_of(refresh_token), ctx.shell.clock.now())
    tokens = known or _of_unknown_login(ctx, refresh_token, id_token)
    renewed, answer = ctx.drive(ctx.rp, refresh.renew(ctx.rp, tokens))
    return Renewal(renewed=renewed, answer=answer)


def _of_unknown_login(ctx: OIDCCtx, refresh_token: str, id_token: str | None) -> Tokens:
    """Return a record of what is known; a damaged ID token is refused before anything is sent."""
    claims = JsonObject({}) if id_token is None else _claims(id_token)
    subject = claims.members.get("sub")
    return Tokens(
        issuer=ctx.rp.issuer,
        client_id=ctx.rp.client.client_id,
        access_token="",
        refresh_token=refresh_token or None,
        id_token=id_token or "",
        scope=ctx.rp.client.scope,
        subject=subject if isinstance(subject, str) else "",
    )


def _claims(id_token: str) -> JsonObject:
    try:
        return claims_kept(id_token)
    except ProtocolViolation:
        raise UsageError("parameter_invalid", about="id_token") from None
