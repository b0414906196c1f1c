"""Validating an ID token by itself: every rule that its login, or its refresh, was held to."""

from typing import ClassVar, Final

from attrs import evolve, field, frozen

from oidc_adapters.context.memory import key_of
from oidc_adapters.context.oidc_ctx import OIDCCtx
from oidc_core.endpoints import id_token as id_tokens
from oidc_core.endpoints.id_token import EXPECT_NO_NONCE, REFRESH_RULES, IdTokenExpectations
from oidc_core.endpoints.id_token.rules import Examined
from oidc_core.jose.jws import VerifiedJws
from oidc_core.machine.keys import Verification, verify_jwt
from oidc_core.machine.steps import Done, Step
from oidc_core.model.evidence import Evidence, Rule, RuleTable, SkipReason
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import refresh
from oidc_core.operations.refresh import Refreshed, TokensRenewed
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import Source
from oidc_core.wire.jsontypes import JsonObject


@frozen(kw_only=True)
class SignedIdToken:
    """An ID token whose signature is verified, and nothing else yet."""

    rp: RelyingParty
    jws: VerifiedJws
    claims: JsonObject
    raw: str = field(repr=False)


@frozen(kw_only=True)
class _Signature(Verification[SignedIdToken]):
    """Verifies the signature; the claims are for the caller to check."""

    types: ClassVar[frozenset[str]] = id_tokens.TYPES

    def passed(self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject) -> Step[SignedIdToken]:
        return Done(SignedIdToken(rp=rp, jws=jws, claims=claims, raw=self.token))


def flow_validate_id_token(ctx: OIDCCtx, id_token: str) -> bool:
    """Return whether an ID token holds: every rule of OIDC Core §3.1.3.7.

    The nonce has to be that of a login of this context, and all that this login asked for has to be
    there.  A refreshed ID token that this context returned is compared with the login's own.
    :func:`check_id_token` says why one does not hold.
    """
    try:
        check_id_token(ctx, id_token)
    except OidcError:
        return False
    return True


def check_id_token(ctx: OIDCCtx, id_token: str) -> Evidence:
    """Check an ID token as :func:`flow_validate_id_token` does, and return the evidence.

    ``at_hash`` is left out, since no access token is at hand; it was checked when the two came.

    Raises:
        ProtocolViolation: the code of the first rule that does not hold.
        TransportFailure: ``keys_unavailable``: nobody can tell right now.
    """
    now = ctx.shell.clock.now()
    known = ctx.records.accepted.find(key_of(id_token), now)
    if known is not None and known.renewed is not None:
        return verify_renewed(ctx, known.renewed).evidence[0]
    signed = _verified_signature(ctx, id_token, source="unsolicited")
    expected = _of_its_login(ctx, signed.claims, now)
    return id_tokens.check(signed.rp, signed.jws, signed.claims, expected, raw=signed.raw)[1]


def _verified_signature(ctx: OIDCCtx, id_token: str, *, source: Source) -> SignedIdToken:
    """Verify the signature of an ID token with the provider's keys.

    Raises:
        ProtocolViolation: what its form, header or signature is refused with.
        TransportFailure: ``keys_unavailable``.
    """
    rp, now = ctx.rp, ctx.shell.clock.now()
    verification = _Signature(token=id_token, algorithms=rp.id_token_algorithms)
    return ctx.shell.run(rp, verify_jwt(rp, verification, source=source, now=now))


def _of_its_login(ctx: OIDCCtx, claims: JsonObject, now: int) -> IdTokenExpectations:
    """Return what the login that sent the nonce expects."""
    nonce = claims.members.get("nonce")
    key = key_of(nonce) if isinstance(nonce, str) else ""
    pending = ctx.records.finished.find(key, now) or ctx.records.issued.find(key, now)
    if pending is None:
        # Whatever else is wrong with the token is found first; this nonce nobody can have sent.
        return IdTokenExpectations(nonce=ctx.shell.entropy.token(), started_at=now)
    return IdTokenExpectations(
        nonce=pending.nonce,
        started_at=pending.created_at,
        max_age=pending.max_age,
        sub=pending.expected_sub,
    )


def verify_renewed(ctx: OIDCCtx, renewed: TokensRenewed) -> Refreshed:
    """Verify the ID token of a refresh, if it brought one (OIDC Core §12.2).

    Where this context does not know the login there is nothing to compare it with: all other rules
    hold, the evidence says what is missing, and later refreshes are compared with this one.

    Raises:
        ProtocolViolation: the code of the first rule that does not hold.
        TransportFailure: ``keys_unavailable``.
    """
    if renewed.tokens.id_token or renewed.id_token is None:
        now = ctx.shell.clock.now()
        return ctx.shell.run(ctx.rp, refresh.verify(ctx.rp, renewed, now=now))
    signed = _verified_signature(ctx, renewed.id_token, source="solicited")
    expected = IdTokenExpectations(
        nonce=EXPECT_NO_NONCE,  # no rule of this table looks at it
        access_token=renewed.tokens.access_token,
        started_at=signed.jws.verified_at,
    )
    token, evidence = id_tokens.check(
        signed.rp, signed.jws, signed.claims, expected, raw=signed.raw, rules=_UNKNOWN_LOGIN
    )
    tokens = evolve(renewed.tokens, id_token=token.raw, subject=token.sub)
    return Refreshed(tokens=tokens, id_token=token, claims_refreshed=True, evidence=(evidence,))


def _incomparable(_token: Examined) -> SkipReason:
    return "this context does not know the login"


def _without_original(rule: Rule[Examined]) -> Rule[Examined]:
    return rule._replace(check=_incomparable) if rule.name.startswith("same_") else rule


_UNKNOWN_LOGIN: Final = RuleTable(
    REFRESH_RULES.of, tuple([_without_original(rule) for rule in REFRESH_RULES.rules])
)
