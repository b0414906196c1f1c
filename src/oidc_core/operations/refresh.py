"""Refreshing tokens (OIDC Core §12): two operations, with the store of the tokens in between.

:func:`renew` sends the refresh token, once, and returns new tokens whose ID token is still
unverified.  The application stores them *now*: the provider may have rotated the refresh token,
and a key endpoint that is down must not lose it.  :func:`verify` then checks the new ID token
against the one the session began with.
"""

from copy import copy
from typing import ClassVar, Final

from attrs import evolve, field, frozen

from oidc_core.endpoints import id_token
from oidc_core.endpoints.tokens import (
    Session,
    check_owner,
    check_scope,
    login_claims,
    parse_token_response,
    refresh_request,
    refresh_token_of,
    token_answer,
    tokens_of,
)
from oidc_core.jose.jws import VerifiedJws
from oidc_core.jose.profiles import ID_TOKEN, JwtProfile
from oidc_core.machine.steps import Done, Exchange, Step, locate
from oidc_core.machine.verification import Verification, verify_jwt
from oidc_core.model.claims import IdToken
from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
from oidc_core.model.evidence import Evidence
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import (
    OidcError,
    ProtocolViolation,
    ProviderError,
    TransportFailure,
    note_of,
)
from oidc_core.wire.http import Answer, HttpResponse
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.settings import check_kind
from oidc_core.wire.way import NOT_TOLD, Channel

NO_OAUTH_ERROR: Final = "no_oauth_error"
"""The cause of a status 400 that is not an OAuth error."""

_UNREADABLE: Final = frozenset({"http", "json"})
"""The stages of faults that keep an answer from being read."""


@frozen(kw_only=True)
class TokensRenewed:
    """New tokens: store them, then :func:`verify`.

    An answer may be refused and bring a new refresh token all the same. The provider may have
    replaced the old one by it, so the application must store it, too: then ``tokens`` are the old
    ones with this refresh token, and :func:`verify` raises ``refusal``.

    Attributes:
        tokens: the record to store; what the provider left out stays as it was.
        id_token: a new ID token, unverified, if the provider sent one.
        notes: the malformed members, and what was made of each.
        channel: how the answer came.
        expires_in: for how many seconds the access token is valid, if the provider says so.
        rotated: whether the answer brought another refresh token.
        refusal: why only the refresh token of the answer is used, ``None`` if all of it is.
    """

    tokens: Tokens
    id_token: str | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    channel: Channel = NOT_TOLD
    expires_in: int | None = None
    rotated: bool = False
    refusal: OidcError | None = field(default=None, eq=False)


@frozen(kw_only=True)
class Refreshed:
    """The outcome of a refresh.

    Attributes:
        tokens: the tokens, as stored.
        id_token: the claims of the new ID token, if there was one.
        claims_refreshed: whether the provider spoke about the user again; if not, the client only
            knows that the session goes on.
        evidence: what was checked of the new ID token, if there was one.
        notes: what was met and did not stop the refresh.
    """

    tokens: Tokens
    id_token: IdToken | None = None
    claims_refreshed: bool = False
    evidence: Evidence | None = None
    notes: tuple[str, ...] = ()


def renew(
    rp: RelyingParty, tokens: Tokens, *, scope: str = "", resource: tuple[str, ...] = ()
) -> Step[TokensRenewed]:
    """Exchange a refresh token for new tokens.

    Args:
        rp: the relying party.
        tokens: as they were stored.
        scope: a part of the granted scope, if the access token is for less.
        resource: the resources of the access token, if they differ from the login's (RFC 8707).

    Raises:
        UsageError: ``refresh_token_missing``, ``client_issuer_mismatch``, or ``parameter_invalid``
            for a scope that was not granted, a resource that is not an absolute URI, or an
            argument of another type.
    """
    check_kind(rp, RelyingParty, about="rp")
    check_kind(tokens, Tokens, about="tokens")
    request = refresh_request(rp, tokens, scope=scope, resource=resource)
    return AwaitingRenewal(
        made_for=rp.digest,
        request=request,
        tokens=tokens,
        scope=scope or tokens.scope,
        resource=resource or tokens.resource,
    )


@frozen(kw_only=True)
class AwaitingRenewal(Exchange[TokensRenewed]):
    """Waits for the token endpoint to take the refresh token; the rest is what was requested."""

    tokens: Tokens
    scope: str
    resource: tuple[str, ...]

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[TokensRenewed]:
        """Take the new tokens: what the provider did not send again stays (RFC 6749 §6)."""
        old, response = self.tokens, token_answer(answer, "refresh_in_doubt")
        try:
            new = parse_token_response(response, rp.policy.limits)
            check_scope(rp, new, self.scope)
        except (ProtocolViolation, ProviderError) as fault:
            return self._refused(fault, response)
        session = Session(
            id_token=old.id_token,
            subject=old.subject,
            resource=self.resource,
            nonce=old.nonce,
            sid=old.sid,
            auth_time=old.auth_time,
            thumbprint=old.thumbprint,
            refresh_token=old.refresh_token,
        )
        renewed = tokens_of(rp, new, self.scope, session)
        return Done(
            TokensRenewed(
                tokens=renewed,
                id_token=new.id_token,
                notes=new.notes,
                channel=new.channel,
                expires_in=new.expires_in,
                rotated=renewed.refresh_token != old.refresh_token,
            )
        )

    def _refused(
        self, fault: ProtocolViolation | ProviderError, response: HttpResponse
    ) -> Step[TokensRenewed]:
        """Keep the refresh token of an answer that was refused, if it brought one."""
        new = refresh_token_of(response)
        if new is None:
            meant = _of_refresh(fault, response.status)
            raise meant from (fault.__cause__ if meant is fault else fault)
        locate(fault, self.request)
        old, channel = self.tokens, response.channel
        return Done(
            TokensRenewed(
                tokens=evolve(old, refresh_token=new),
                channel=channel,
                rotated=new != old.refresh_token,
                refusal=fault,
            )
        )


def _of_refresh(fault: ProtocolViolation | ProviderError, status: int) -> OidcError:
    """Return the meaning of an answer without tokens: the refresh token may be used only once.

    After a failure of the server, or a success that nobody can read, it may have been used. A
    status of 400 that is not an OAuth error may come from a gateway, so the token is as good as
    before; the keeper of the record gives up at the second one.
    """
    if status >= 500 or (status < 300 and fault.row.stage in _UNREADABLE):
        return TransportFailure("refresh_in_doubt", found=note_of(fault), cause=fault.code)
    if status == 400 and isinstance(fault, ProtocolViolation):
        fault.retryable = fault.kind = "later"
        fault.cause = NO_OAUTH_ERROR
    return fault


def verify(rp: RelyingParty, renewed: TokensRenewed, *, now: int) -> Step[Refreshed]:
    """Verify the new ID token against the original; without one, the identity stays as it was.

    Args:
        rp: the relying party.
        renewed: the new tokens, as stored.
        now: when the answer was received, in seconds since the epoch.

    Raises:
        OidcError: ``refusal``, if the provider's answer was refused.
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
    if renewed.refusal is not None:
        raise copy(renewed.refusal)  # several may verify one answer
    if renewed.id_token is None:
        return Done(Refreshed(tokens=renewed.tokens, notes=renewed.notes))
    verification = IdTokenOfRefresh(
        token=renewed.id_token,
        tokens=renewed.tokens,
        original=login_claims(rp, renewed.tokens),
        judged_at=now,
        channel=renewed.channel,
        notes=renewed.notes,
    )
    return verify_jwt(rp, verification, source="solicited", now=now)


@frozen(kw_only=True)
class IdTokenOfRefresh(Verification[Refreshed]):
    """The ID token of a refresh (OIDC Core §12.2).

    It is judged at the time when it was received: its session must not end because keys came late.
    """

    profile: ClassVar[JwtProfile] = ID_TOKEN
    tokens: Tokens
    original: JsonObject = field(repr=False)
    channel: Channel
    judged_at: int
    notes: tuple[str, ...] = ()

    def passed(self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject) -> Step[Refreshed]:
        """Check that the same session goes on."""
        jws = jws._replace(verified_at=self.judged_at)
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
            Refreshed(
                tokens=self.tokens,
                id_token=token,
                claims_refreshed=True,
                evidence=evidence,
                notes=self.notes,
            )
        )
