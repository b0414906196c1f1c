"""Validating an ID token by itself: every rule that its login, or its refresh, was held to."""

from typing import ClassVar, Final

from attrs import evolve, frozen

from oidc_adapters.context.memory import key_of
from oidc_adapters.context.oidc_ctx import OIDCCtx
from oidc_core.endpoints import id_token as id_tokens
from oidc_core.endpoints.id_token import REFRESH_RULES, ExaminedIdToken
from oidc_core.jose.jws import VerifiedJws, claims_kept
from oidc_core.jose.profiles import ID_TOKEN, JwtProfile
from oidc_core.machine.steps import Done, Step
from oidc_core.machine.verification import Verification, verify_jwt
from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
from oidc_core.model.evidence import Evidence, Rule, RuleTable, SkipReason
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import refresh
from oidc_core.operations.refresh import Refreshed, TokensRenewed
from oidc_core.operations.validation import validate
from oidc_core.wire.errors import OidcError, ProtocolViolation
from oidc_core.wire.http import Channel
from oidc_core.wire.jsontypes import JsonObject


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
        return _evidence(verify_renewed(ctx, known.renewed))
    demands = _of_its_login(ctx, id_token, now)
    return ctx.shell.run(ctx.rp, validate(ctx.rp, id_token, demands, now=now)).evidence


def _evidence(refreshed: Refreshed) -> Evidence:
    if refreshed.evidence is None:
        raise ProtocolViolation("id_token_missing", about="id_token")
    return refreshed.evidence


def _of_its_login(ctx: OIDCCtx, id_token: str, now: int) -> Demands:
    """Return what the login demands that sent the nonce; the token is only looked up by it."""
    try:
        nonce = claims_kept(id_token).members.get("nonce")
    except ProtocolViolation:
        nonce = None
    key = key_of(nonce) if isinstance(nonce, str) else ""
    pending = ctx.records.finished.find(key, now) or ctx.records.issued.find(key, now)
    if pending is not None:
        return pending.demands
    # Whatever else is wrong with the token is found first; this nonce nobody can have sent.
    return Demands(nonce=ctx.shell.entropy.token(), started_at=now)


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
    verification = _OfUnknownLogin(
        token=renewed.id_token, tokens=renewed.tokens, channel=renewed.channel
    )
    now = ctx.shell.clock.now()
    return ctx.shell.run(ctx.rp, verify_jwt(ctx.rp, verification, source="solicited", now=now))


@frozen(kw_only=True)
class _OfUnknownLogin(Verification[Refreshed]):
    """The ID token of a refresh whose login this context does not know."""

    profile: ClassVar[JwtProfile] = ID_TOKEN
    tokens: Tokens
    channel: Channel

    def passed(self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject) -> Step[Refreshed]:
        nothing = Demands(nonce=EXPECT_NO_NONCE, started_at=jws.verified_at)
        expected = id_tokens.Expected(nothing, self.tokens.access_token)
        token, evidence = id_tokens.check(
            rp,
            jws,
            claims,
            expected,
            raw=self.token,
            rules=_UNKNOWN_LOGIN,
            channel=self.channel,
        )
        tokens = evolve(self.tokens, id_token=token.raw, subject=token.sub)
        return Done(
            Refreshed(tokens=tokens, id_token=token, claims_refreshed=True, evidence=evidence)
        )


def _incomparable(_token: ExaminedIdToken) -> SkipReason:
    return "this context does not know the login"


def _without_original(rule: Rule[ExaminedIdToken]) -> Rule[ExaminedIdToken]:
    return rule._replace(check=_incomparable) if rule.name.startswith("same_") else rule


_UNKNOWN_LOGIN: Final[RuleTable[ExaminedIdToken]] = RuleTable(
    REFRESH_RULES.of,
    tuple([_without_original(rule) for rule in REFRESH_RULES.rules]),
    optional=REFRESH_RULES.optional,
)
