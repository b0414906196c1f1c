"""Refreshing tokens (OIDC Core §12): two operations, with the store of the tokens in between.

:func:`renew` sends the refresh token, once, and returns new tokens whose ID token is still
unverified.  The application stores them *now*: the provider may have rotated the refresh token,
and a key endpoint that is down must not lose it.  :func:`verify` then checks the new ID token
against the one the session began with.
"""

from typing import ClassVar

from attrs import field, frozen

from oidc_core.endpoints import id_token
from oidc_core.endpoints.tokens import (
    Session,
    check_owner,
    check_scope,
    login_claims,
    parse_token_response,
    refresh_request,
    token_answer,
    tokens_of,
)
from oidc_core.jose.jws import VerifiedJws
from oidc_core.jose.profiles import ID_TOKEN, JwtProfile
from oidc_core.machine.steps import Done, Exchange, Step
from oidc_core.machine.verification import Verification, verify_jwt
from oidc_core.model.claims import IdToken
from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
from oidc_core.model.evidence import Evidence
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.http import Answer
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.settings import check_kind
from oidc_core.wire.way import NOT_TOLD, Channel


@frozen(kw_only=True)
class TokensRenewed:
    """New tokens: store them, then :func:`verify`.

    Attributes:
        tokens: the record to store; what the provider left out stays as it was.
        id_token: a new ID token, unverified, if the provider sent one.
        notes: malformed members that nothing hangs on.
        channel: how the answer came.
    """

    tokens: Tokens
    id_token: str | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    channel: Channel = NOT_TOLD


@frozen(kw_only=True)
class Refreshed:
    """The outcome of a refresh.

    Attributes:
        tokens: the tokens, as stored.
        id_token: the claims of the new ID token, if there was one.
        claims_refreshed: whether the provider spoke of the user again; if not, nothing is known
            but that the session goes on.
        evidence: what was checked of the new ID token, if there was one.
    """

    tokens: Tokens
    id_token: IdToken | None = None
    claims_refreshed: bool = False
    evidence: Evidence | None = None


def renew(rp: RelyingParty, tokens: Tokens, *, scope: str = "") -> Step[TokensRenewed]:
    """Exchange a refresh token for new tokens.

    Raises:
        UsageError: ``refresh_token_missing``, ``client_issuer_mismatch``, or ``parameter_invalid``
            for a scope that was not granted, or an argument of another type.
    """
    check_kind(rp, RelyingParty, about="rp")
    check_kind(tokens, Tokens, about="tokens")
    request = refresh_request(rp, tokens, scope=scope)
    asked = scope or tokens.scope
    return AwaitingRenewal(made_for=rp.digest, request=request, tokens=tokens, scope=asked)


@frozen(kw_only=True)
class AwaitingRenewal(Exchange[TokensRenewed]):
    """Waits for the token endpoint to take the refresh token; ``scope`` is what was asked for."""

    tokens: Tokens
    scope: str

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[TokensRenewed]:
        """Take the new tokens: what the provider did not send again stays (RFC 6749 §6)."""
        new = parse_token_response(token_answer(answer, "refresh_in_doubt"))
        check_scope(rp, new, self.scope)
        old = self.tokens
        session = Session(
            id_token=old.id_token,
            subject=old.subject,
            resource=old.resource,
            nonce=old.nonce,
            sid=old.sid,
            auth_time=old.auth_time,
            thumbprint=old.thumbprint,
            refresh_token=old.refresh_token,
        )
        renewed = tokens_of(rp, new, self.scope, session)
        return Done(
            TokensRenewed(
                tokens=renewed, id_token=new.id_token, notes=new.notes, channel=new.channel
            )
        )


def verify(rp: RelyingParty, renewed: TokensRenewed, *, now: int) -> Step[Refreshed]:
    """Verify the new ID token against the original; without one, the identity stays as it was.

    Raises:
        ProtocolViolation: the code of the first rule that does not hold, as ``sub_mismatch`` for
            another user.
        StoreFailure: ``record_invalid`` if the stored ID token is damaged, or of another user or
            issuer than its record.
        UsageError: ``client_issuer_mismatch``; ``parameter_invalid`` for an argument of another
            type.
    """
    check_kind(rp, RelyingParty, about="rp")
    check_kind(renewed, TokensRenewed, about="renewed")
    check_kind(now, int, about="now")
    check_owner(rp, renewed.tokens)
    if renewed.id_token is None:
        return Done(Refreshed(tokens=renewed.tokens))
    verification = IdTokenOfRefresh(
        token=renewed.id_token,
        tokens=renewed.tokens,
        original=login_claims(rp, renewed.tokens),
        channel=renewed.channel,
    )
    return verify_jwt(rp, verification, source="solicited", now=now)


@frozen(kw_only=True)
class IdTokenOfRefresh(Verification[Refreshed]):
    """The ID token of a refresh (OIDC Core §12.2)."""

    profile: ClassVar[JwtProfile] = ID_TOKEN
    tokens: Tokens
    original: JsonObject = field(repr=False)
    channel: Channel

    def passed(self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject) -> Step[Refreshed]:
        """Check that the same session goes on."""
        nothing = Demands(nonce=EXPECT_NO_NONCE, started_at=jws.verified_at)
        expected = id_token.Expected(nothing, self.tokens.access_token, self.original)
        token, evidence = id_token.check(
            rp,
            jws,
            claims,
            expected,
            raw=self.token,
            rules=id_token.REFRESH_RULES,
            channel=self.channel,
        )
        return Done(
            Refreshed(tokens=self.tokens, id_token=token, claims_refreshed=True, evidence=evidence)
        )
