"""UserInfo alone (OIDC Core §5.3): the provider's claims about a user who is logged in.

:func:`fetch` asks with the access token of a login, at any time while that is valid.  A login takes
the same path, with the access token that has just come: :func:`asked`.
"""

from typing import ClassVar

from attrs import evolve, field, frozen

from oidc_core.endpoints.tokens import check_owner, login_claims
from oidc_core.endpoints.userinfo import (
    CheckedUserInfo,
    check_userinfo,
    decrypted_userinfo,
    parse_userinfo,
    userinfo_request,
)
from oidc_core.jose.jwe import JweHeader
from oidc_core.jose.jws import VerifiedJws
from oidc_core.jose.profiles import USERINFO, JwtProfile
from oidc_core.machine.steps import Done, Exchange, Step
from oidc_core.machine.verification import Verification, verify_jwt
from oidc_core.model.claim_values import text
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.answers import answered
from oidc_core.wire.http import Answer
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.settings import check_kind
from oidc_core.wire.way import Channel


def fetch(rp: RelyingParty, tokens: Tokens) -> Step[CheckedUserInfo]:
    """Ask for UserInfo with the access token of a login.

    Plain, signed or encrypted, it must be about the user of that login. Everything is required
    here: every fault of it is raised. Whether the access token has expired is the
    provider's to say.

    Args:
        rp: the relying party.
        tokens: the record of the login.

    Raises:
        UsageError: ``client_issuer_mismatch`` if the tokens are another provider's or another
            client's; ``unsupported_by_provider`` without a UserInfo endpoint; ``parameter_invalid``
            for an argument of another type.
        StoreFailure: ``record_invalid`` if the stored ID token is damaged, or of another user or
            issuer than its record.
        ProviderError: the provider's error, as in ``invalid_token``.
        ProtocolViolation: the code of the first rule that does not hold, as ``sub_mismatch`` for
            another user.
        TransportFailure: the exchange failed.
    """
    check_kind(rp, RelyingParty, about="rp")
    check_owner(rp, tokens)
    iss = text(login_claims(rp, tokens).members.get("iss"))
    return asked(rp, tokens.access_token, sub=tokens.subject, iss=iss)


def asked(rp: RelyingParty, access_token: str, *, sub: str, iss: str | None) -> "AwaitingClaims":
    """Ask for UserInfo about the user of an ID token; ``iss``: the issuer which that names."""
    request = userinfo_request(rp, access_token)
    return AwaitingClaims(made_for=rp.digest, request=request, sub=sub, iss=iss)


@frozen(kw_only=True)
class AwaitingClaims(Exchange[CheckedUserInfo]):
    """Waits for the UserInfo endpoint; ``sub`` and ``iss`` are the values of the ID token."""

    sub: str = field(repr=False)
    iss: str | None

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[CheckedUserInfo]:
        """Take UserInfo; where it is signed, ask for the keys first."""
        response = answered(answer)
        claims, header = parse_userinfo(rp, response), None
        if isinstance(claims, str):
            if rp.protection[USERINFO.registered_as].algorithms:
                return _verified(rp, self, claims, response.received_at, response.channel)
            claims, header = decrypted_userinfo(rp, claims)
        checked = check_userinfo(
            rp,
            claims,
            sub=self.sub,
            iss=self.iss,
            jws=None,
            now=response.received_at,
            encryption=None if header is None else header.encryption,
            channel=response.channel,
        )
        return Done(checked if header is None else _noted(checked, header))


def _noted(checked: CheckedUserInfo, header: JweHeader) -> CheckedUserInfo:
    """Add to the evidence what of the header was not heeded."""
    evidence = checked.evidence
    remarks = (*header.ignored, *evidence.remarks)
    return checked._replace(evidence=evolve(evidence, remarks=remarks))


def _verified(
    rp: RelyingParty, awaited: AwaitingClaims, token: str, now: int, channel: Channel
) -> Step[CheckedUserInfo]:
    verification = SignedUserInfo(token=token, sub=awaited.sub, iss=awaited.iss, channel=channel)
    return verify_jwt(rp, verification, source="solicited", now=now)


@frozen(kw_only=True)
class SignedUserInfo(Verification[CheckedUserInfo]):
    """Signed UserInfo (OIDC Core §5.3.2)."""

    profile: ClassVar[JwtProfile] = USERINFO
    sub: str = field(repr=False)
    iss: str | None
    channel: Channel

    def passed(
        self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject
    ) -> Step[CheckedUserInfo]:
        """Check which user it is about."""
        return Done(
            check_userinfo(
                rp,
                claims,
                sub=self.sub,
                iss=self.iss,
                jws=jws,
                now=jws.verified_at,
                channel=self.channel,
            )
        )
