"""Validating an ID token by itself: every rule that its login, or its refresh, was held to."""

from typing import ClassVar, Final

from attrs import evolve, frozen

from oidc_adapters.context.arguments import check_parameters
from oidc_adapters.context.memory import key_of
from oidc_adapters.context.oidc_ctx import OIDCCtx, check_context
from oidc_adapters.context.records import AcceptedIdToken
from oidc_core.endpoints import id_token as id_tokens
from oidc_core.endpoints.id_token import REFRESH_RULES, CheckedIdToken, ExaminedIdToken
from oidc_core.jose.jws import VerifiedJws, claims_kept
from oidc_core.jose.profiles import ID_TOKEN, JwtProfile
from oidc_core.machine.steps import Done, Step
from oidc_core.machine.verification import Verification, verify_jwt
from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
from oidc_core.model.evidence import Evidence, Rule, RuleTable, SkipReason
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.refresh import IdTokenOfRefresh, Refreshed, TokensRenewed
from oidc_core.operations.validation import KeptIdToken, validate
from oidc_core.wire.errors import OidcError, ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.way import Channel


def flow_validate_id_token(ctx: OIDCCtx, id_token: str) -> bool:
    """Return whether an ID token holds: every rule of OIDC Core §3.1.3.7.

    The nonce must belong to a login of this context, and all demands of this login must be met. A
    refreshed ID token that this context returned is compared with the login's own. It holds until
    it expires, however long ago it was issued. :func:`check_id_token` says why one does not hold.
    A value that is not text does not.
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
        UsageError: ``parameter_invalid`` for anything but text.
    """
    return checked_id_token(ctx, id_token).evidence


def checked_id_token(ctx: OIDCCtx, id_token: str) -> CheckedIdToken:
    """Check an ID token as :func:`check_id_token` does; return its claims too."""
    check_context(ctx)
    check_parameters({"id_token": id_token}, {"id_token": "text or nothing in it"})
    now = ctx.shell.clock.now()
    known = ctx.records.accepted.find(key_of(id_token), now)
    if known is not None and known.refreshed:
        step = verify_jwt(ctx.rp, _kept(id_token, known, now), source="unsolicited", now=now)
    else:
        step = validate(ctx.rp, id_token, _of_its_login(ctx, id_token, now), now=now)
    return ctx.shell.run(ctx.rp, step)


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
    # Every other fault of the token is found first; this nonce nobody can have sent.
    return Demands(nonce=ctx.shell.entropy.token(), started_at=now)


@frozen(kw_only=True)
class _KeptRefreshed(KeptIdToken):
    """An ID token that a refresh returned, some time later."""

    rules: RuleTable[ExaminedIdToken]

    def passed(
        self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject
    ) -> Step[CheckedIdToken]:
        return Done(
            id_tokens.check(
                rp,
                jws,
                claims,
                self.expected,
                raw=self.token,
                rules=self.rules,
                profile=self.profile,
            )
        )


def _kept(id_token: str, known: AcceptedIdToken, now: int) -> _KeptRefreshed:
    nothing = Demands(nonce=EXPECT_NO_NONCE, started_at=now)
    return _KeptRefreshed(
        token=id_token,
        expected=id_tokens.Expected(nothing, original=known.original),
        rules=_UNKNOWN_LOGIN if known.original is None else REFRESH_RULES,
    )


def verify_renewed(ctx: OIDCCtx, renewed: TokensRenewed, original: JsonObject | None) -> Refreshed:
    """Verify the ID token of a refresh, if it brought one (OIDC Core §12.2).

    Where the login is unknown (``original`` is ``None``) there is nothing to compare it with: all
    other rules apply, the evidence says what is missing, and later refreshes are compared with this
    one.

    Raises:
        ProtocolViolation: the code of the first rule that does not hold.
        TransportFailure: ``keys_unavailable``.
    """
    token, tokens = renewed.id_token, renewed.tokens
    if token is None:
        return Refreshed(tokens=tokens)
    now = ctx.shell.clock.now()
    verification: Verification[Refreshed]
    if original is None:
        verification = _OfUnknownLogin(token=token, tokens=tokens, channel=renewed.channel)
    else:
        verification = IdTokenOfRefresh(
            token=token,
            tokens=tokens,
            original=original,
            channel=renewed.channel,
            judged_at=now,
        )
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
