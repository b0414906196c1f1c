"""Refreshing tokens in one call, though it is two operations inside.

The provider may have rotated the refresh token by the time the keys to verify the new ID token turn
out to be unobtainable.  So the answer is kept before it is verified, and the same call made again
verifies it then, without sending the refresh token a second time.

All callers who refresh with the same token at the same time share the request, since the token
alone decides the answer. Verifying is not: everyone compares it with the ID token that they gave,
and with the facts that this context knows about the login. Callers who come a moment later get the
same tokens, because sending a refresh token that was replaced revokes the session (RFC 9700
§4.14.2).
"""

from concurrent.futures import CancelledError
from copy import copy, deepcopy
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

from attrs import evolve

from oidc_adapters.context.arguments import check_parameters
from oidc_adapters.context.memory import key_of
from oidc_adapters.context.oidc_ctx import OIDCCtx, check_context, valid_until
from oidc_adapters.context.outcomes import Failure, TokenDict, failure
from oidc_adapters.context.records import AcceptedIdToken, Renewal, Replaced
from oidc_adapters.context.validation import verify_renewed
from oidc_core.jose.jws import claims_kept
from oidc_core.model.claim_values import audience
from oidc_core.model.records import Tokens
from oidc_core.operations import refresh
from oidc_core.operations.logged_in import LoginEvidence
from oidc_core.operations.refresh import Refreshed, TokensRenewed
from oidc_core.wire.errors import OidcError, ProtocolViolation, TransportFailure, UsageError
from oidc_core.wire.http import DEADLINE
from oidc_core.wire.jsontypes import JsonObject

_PATIENCE: Final = DEADLINE + 1
"""Seconds that are waited for another thread to have an answer, which has a deadline itself."""

_PARAMETERS: Final = MappingProxyType(
    {"refresh_token": "text or nothing in it", "id_token": "text or None"}
)
_COMPARED: Final = ("iss", "sub", "aud", "azp", "nonce", "auth_time")


class _Login(NamedTuple):
    """The claims that a refresh is compared with.

    Attributes:
        tokens: the record of its login, as far as it is known.
        original: the claims of its ID token; ``None`` if they are unknown.
        known: what this context remembers of it; ``None`` if only its caller knows.
    """

    tokens: Tokens
    original: JsonObject | None
    known: Tokens | None = None

    def __repr__(self) -> str:
        return f"_Login({self.original is not None})"


def flow_refresh_token(
    ctx: OIDCCtx, refresh_token: str, *, id_token: str | None = None
) -> TokenDict | Failure:
    """Exchange a refresh token for new tokens (OIDC Core §12).

    A new ID token is compared with the one the session began with: issuer, user, audience, nonce
    and time of authentication.  Threads that refresh with the same token at the same time share one
    request, and each compares the answer with the ID token that it gave itself. A caller who comes
    up to a minute later with a token that the provider has replaced gets the same tokens too.
    Sending the old token once more would revoke the session.

    Args:
        ctx: the context.
        refresh_token: as it came with the last answer.
        id_token: the ID token of the login, as the application stored it.  It is needed where this
            context does not know that login: it was another process's, is more than a month ago, or
            there were 100,000 newer ones.  Where it does know it, both have to agree.

    Returns:
        The provider's answer as a plain dict, with the old refresh token if it sent no new one
        (RFC 6749 §6); or an error, as ``login_unknown`` without an ``id_token`` that is needed, or
        ``parameter_invalid`` for an argument of another type.  After ``keys_unavailable`` call
        again with the same token.
    """
    try:
        check_context(ctx)
        given = {"refresh_token": refresh_token, "id_token": id_token}
        check_parameters(given, _PARAMETERS)
        return _refreshed(ctx, refresh_token, id_token)
    except OidcError as fault:
        return failure(fault)


def _refreshed(ctx: OIDCCtx, refresh_token: str, id_token: str | None) -> TokenDict:
    """Renew, keep, verify, and only then hand out."""
    key, login = key_of(refresh_token), _login(ctx, refresh_token, id_token)
    exchange = partial(_exchanged, ctx, key, login.tokens)
    try:
        renewal = ctx.records.refreshing.run(key, exchange, seconds=_PATIENCE)
    except (TimeoutError, CancelledError):
        raise TransportFailure("refresh_in_doubt") from None
    mine = evolve(renewal.renewed, tokens=_of_login(renewal.renewed.tokens, login.tokens))
    if mine.refusal is not None:
        raise copy(mine.refusal)  # what it brought is kept for the next call with this token
    try:
        refreshed = verify_renewed(ctx, mine, login.original)
    except ProtocolViolation:
        if login.original is None or not _holds(ctx, mine):
            ctx.records.unverified.take(key, ctx.shell.clock.now())
        raise  # otherwise another caller, who names the right login, may still wait for it
    except TransportFailure:  # another who verified it with other keys may have dropped it
        if ctx.records.replaced.find(key, ctx.shell.clock.now()) is None:
            ctx.records.unverified.put(key, renewal, ctx.shell.clock.now())
        raise
    _remember(ctx, key, refreshed, login, renewal)
    return {**deepcopy(renewal.answer), "refresh_token": refreshed.tokens.refresh_token}


def _exchanged(ctx: OIDCCtx, key: str, tokens: Tokens) -> Renewal:
    """Send the refresh token, and keep the answer before anybody verifies it.

    If the last answer was refused but brought a new refresh token, that one is sent.
    """
    unverified, now = ctx.records.unverified, ctx.shell.clock.now()
    kept = unverified.find(key, now)
    if kept is not None:
        if kept.renewed.refusal is None:
            return kept
        tokens = _of_login(kept.renewed.tokens, tokens)
    replaced = ctx.records.replaced.find(key, now)  # after the other: it goes from there to here
    if replaced is not None:
        return replaced.renewal
    unverified.check_room(now)
    renewed, answer = ctx.drive(ctx.rp, refresh.renew(ctx.rp, tokens))
    renewal = Renewal(renewed=renewed, answer=answer)
    unverified.put(key, renewal, now)
    return renewal


def _of_login(new: Tokens, login: Tokens) -> Tokens:
    """Return new tokens for this caller's login, no matter who had them fetched."""
    return evolve(
        new,
        id_token=login.id_token,
        subject=login.subject,
        nonce=login.nonce,
        sid=login.sid,
        auth_time=login.auth_time,
    )


def _holds(ctx: OIDCCtx, renewed: TokensRenewed) -> bool:
    """Return whether a renewal holds by all rules but those that compare it with an original."""
    try:
        verify_renewed(ctx, renewed, None)
    except ProtocolViolation:
        return False
    except OidcError:  # nobody can tell right now
        return True
    return True


def _remember(
    ctx: OIDCCtx, key: str, refreshed: Refreshed, login: _Login, renewal: Renewal
) -> None:
    """Keep what a later validation or refresh needs; the old refresh token has been used."""
    now, id_token = ctx.shell.clock.now(), refreshed.id_token
    if id_token is not None and refreshed.evidence is not None:
        accepted = AcceptedIdToken(
            evidence=LoginEvidence(id_token=refreshed.evidence),
            refreshed=True,
            original=login.original,
        )
        until = valid_until(ctx, id_token)
        ctx.records.accepted.put(key_of(id_token.raw), accepted, now, until=until)
    # Each is put where it goes before it is taken from where it was: another thread looks for it.
    if ctx.records.replaced.find(key, now) is None:
        ctx.records.keep_refreshable(refreshed.tokens, now)
        if key_of(refreshed.tokens.refresh_token or "") != key:
            ctx.records.replaced.put(key, Replaced(renewal=renewal, login=login.known), now)
            ctx.records.refreshable.take(key, now)
    ctx.records.unverified.take(key, now)


def _login(ctx: OIDCCtx, refresh_token: str, id_token: str | None) -> _Login:
    """Return what is known of the login, by this context and by its caller.

    Raises:
        UsageError: ``login_unknown`` if that is nothing, unless the context lets it pass;
            ``parameter_invalid`` for an ID token that is damaged or none of this client.
        ProtocolViolation: ``sub_mismatch`` and its like if both know different logins.
    """
    given = None if id_token is None else _given(ctx, id_token)
    known = _known(ctx, key_of(refresh_token))
    if known is not None:
        original = claims_kept(known.id_token)
        if given is not None:
            original = _agreeing(original, given)
        return _Login(evolve(known, refresh_token=refresh_token), original, known)
    if given is None and refresh_token and not ctx.refresh_unknown_logins:
        raise UsageError("login_unknown", about="id_token")
    subject = None if given is None else given.members.get("sub")
    tokens = Tokens(
        issuer=ctx.rp.issuer,
        client_id=ctx.rp.client.client_id,
        access_token="",
        refresh_token=refresh_token or None,
        id_token=id_token or "",
        scope=ctx.rp.client.scope,
        subject=subject if isinstance(subject, str) else "",
    )
    return _Login(tokens, given)


def _known(ctx: OIDCCtx, key: str) -> Tokens | None:
    """Return what this context knows of the login, also a moment after the token was used."""
    now = ctx.shell.clock.now()
    known = ctx.records.refreshable.find(key, now)
    if known is not None:
        return known
    replaced = ctx.records.replaced.find(key, now)
    return None if replaced is None else replaced.login


def _given(ctx: OIDCCtx, id_token: str) -> JsonObject:
    """Read an ID token that the application stored; nobody verifies its signature again."""
    try:
        claims = claims_kept(id_token)
    except ProtocolViolation as fault:
        raise UsageError("parameter_invalid", about="id_token", found=fault.code) from None
    ours = ctx.rp.client.client_id in (audience(claims.members.get("aud")) or ())
    if claims.members.get("iss") != ctx.rp.issuer or not ours:
        raise UsageError("parameter_invalid", about="id_token", expected=ctx.rp.issuer)
    return claims


def _agreeing(known: JsonObject, given: JsonObject) -> JsonObject:
    """Return the facts that both name; a caller who names another login is never passed over.

    A refreshed ID token may stand for that of the login: it may lack what that one has, and its
    ``auth_time`` may be newer.
    """
    ours, theirs = known.members, given.members
    for name in ("iss", "sub", "aud", "azp", "nonce"):
        one, other = ours.get(name), theirs.get(name)
        if name == "aud":
            differ = {*(audience(one) or ())} != {*(audience(other) or ())}
        else:
            differ = one != other and (name in {"iss", "sub"} or None not in {one, other})
        if differ:
            raise ProtocolViolation(f"{name}_mismatch", about=name, of="id_token")
    both = {name: theirs[name] for name in _COMPARED if name in theirs} | {**ours}
    return JsonObject(both)
