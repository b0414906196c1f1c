"""From tokens to a verified user: the one path that every grant takes once its tokens have come.

1. :func:`from_tokens` takes the answer of the token endpoint, checks the scope, and begins to
   verify the ID token (:func:`~oidc_core.machine.verification.verify_jwt`).
2. Once its signature holds, :meth:`IdTokenOfLogin.passed` is called: it checks the claims against
   what the login demands.  The user is known then; it asks for UserInfo.
3. :class:`AwaitingUserInfo` takes UserInfo; where that is signed, :meth:`UserInfoOfLogin.passed` is
   called once its signature holds.

What comes in is what was demanded (:class:`~oidc_core.model.demands.Demands`), not how it was
asked for: a grant without a browser takes the same path.
"""

from typing import ClassVar, Final

from attrs import evolve, fields, frozen

from oidc_core.endpoints import id_token
from oidc_core.endpoints.authorization import CodeResponse
from oidc_core.endpoints.tokens import Session, TokenResponse, check_scope, tokens_of
from oidc_core.endpoints.userinfo import (
    check_userinfo,
    decrypted_userinfo,
    parse_userinfo,
    userinfo_request,
)
from oidc_core.jose.jws import Encryption, VerifiedJws
from oidc_core.jose.profiles import ID_TOKEN, USERINFO, JwtProfile
from oidc_core.machine.steps import Done, Exchange, KeysWithheld, Step
from oidc_core.machine.verification import Verification, verify_jwt
from oidc_core.model.claims import Identity, IdToken, UserInfo
from oidc_core.model.demands import Demands
from oidc_core.model.evidence import Evidence
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.answers import answered
from oidc_core.wire.errors import (
    OidcError,
    ProtocolViolation,
    ProviderError,
    TransportFailure,
    UsageError,
)
from oidc_core.wire.http import Answer
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.way import Channel, ChannelState

_UNOBTAINABLE: Final = frozenset({"http_status_unexpected", "http_redirect_refused"})
_ID_TOKEN_ONLY: Final = frozenset(
    {"iss", "aud", "exp", "iat", "nbf", "jti", "nonce", "azp", "acr", "amr", "auth_time", "sid",
     "at_hash", "c_hash", "s_hash"}
)  # fmt: skip

_PAIRS: Final = (
    frozenset({"email", "email_verified"}),
    frozenset({"phone_number", "phone_number_verified"}),
)


@frozen(kw_only=True)
class Asked:
    """What a grant was asked for, and what was accepted before its tokens came.

    Attributes:
        demands: what is demanded of the tokens.
        response: the authorization response that was accepted, ``None`` if there was none.
        account, return_to: as the login was started with.
    """

    demands: Demands
    response: CodeResponse | None = None
    account: str = ""
    return_to: str = ""


@frozen(kw_only=True)
class LoginEvidence:
    """What was checked in a login, by the name of what was accepted.

    Attributes:
        authorization_response: the callback, ``None`` for a grant without a browser.
        id_token: the ID token.
        userinfo: UserInfo, if it was asked for and could be had.
    """

    authorization_response: Evidence | None = None
    id_token: Evidence
    userinfo: Evidence | None = None

    @property
    def channels(self) -> tuple[tuple[str, Channel], ...]:
        """How each answer came, by what it brought: metadata, ID token, key set, UserInfo."""
        return tuple(dict.fromkeys([told for evidence in self.each for told in evidence.channels]))

    @property
    def channel(self) -> ChannelState:
        """Whether the transport verified the server that the tokens came from."""
        channel = self.id_token.terms.channel
        return "not_told" if channel is None else channel.server

    @property
    def each(self) -> tuple[Evidence, ...]:
        """All there is, in the order in which it was accepted."""
        found: list[object] = [getattr(self, part.name) for part in fields(LoginEvidence)]
        return tuple([evidence for evidence in found if isinstance(evidence, Evidence)])


@frozen(kw_only=True)
class LoggedIn:
    """A user who is logged in, and why that is certain.

    Attributes:
        identity: issuer and subject, the only key to an account.
        id_token: the claims of the verified ID token.
        userinfo: the claims of UserInfo, if it was asked for and could be had.
        tokens: for refresh, logout and calls to the provider; store them as one record.
        asked: what the login was started with.
        id_token_evidence, userinfo_evidence: see :attr:`evidence`.
        notes: what was met and did not stop the login.
    """

    identity: Identity
    id_token: IdToken
    userinfo: UserInfo | None = None
    tokens: Tokens
    asked: Asked
    id_token_evidence: Evidence
    userinfo_evidence: Evidence | None = None
    notes: tuple[str, ...]

    @property
    def evidence(self) -> LoginEvidence:
        """What was checked of authorization response, ID token and UserInfo."""
        response = self.asked.response
        return LoginEvidence(
            authorization_response=None if response is None else response.evidence,
            id_token=self.id_token_evidence,
            userinfo=self.userinfo_evidence,
        )

    @property
    def channel(self) -> ChannelState:
        """Whether the transport verified the server that the tokens came from."""
        return self.evidence.channel

    @property
    def account(self) -> str:
        """Where the identity is to be added to an account: the application's handle of it."""
        return self.asked.account

    @property
    def return_to(self) -> str:
        """Where the application goes on, as the login was started with."""
        return self.asked.return_to

    @property
    def requested_scope(self) -> str:
        """What was asked for, space-delimited; ``tokens.scope`` is what was granted."""
        return self.asked.demands.scope

    @property
    def missing_scope(self) -> tuple[str, ...]:
        """What was asked for and not granted."""
        granted = self.tokens.scope.split()
        return tuple([name for name in self.requested_scope.split() if name not in granted])

    @property
    def claims(self) -> JsonObject:
        """All claims; those of the ID token win over those of UserInfo.

        What is said of the token and of the authentication is the ID token's alone: UserInfo adds
        no ``acr`` to one that has none.  Nor does it vouch for an address of the other's: an
        e-mail address or phone number comes from where its ``…_verified`` does.
        """
        if self.userinfo is None:
            return self.id_token.claims
        held = self.id_token.claims.members
        kept = _ID_TOKEN_ONLY.union(*[pair for pair in _PAIRS if not pair.isdisjoint(held)])
        added = {n: v for n, v in self.userinfo.claims.items() if n not in kept}
        return JsonObject({**added, **held})


def check_can_finish(rp: RelyingParty) -> None:
    """Refuse a login that could not be finished, before the user is asked to do anything.

    Raises:
        UsageError: ``unsupported_by_provider``, naming the endpoint that the metadata lacks.
    """
    if rp.lacking:
        raise UsageError("unsupported_by_provider", about=rp.lacking)


def from_tokens(rp: RelyingParty, asked: Asked, response: TokenResponse) -> Step[LoggedIn]:
    """Go on with an answer of the token endpoint: an OpenID provider always sends an ID token.

    Raises:
        ProtocolViolation: ``id_token_missing``, ``scope_unexpected``, or what the ID token is
            refused with.
    """
    if response.id_token is None:
        raise ProtocolViolation("id_token_missing", about="id_token")
    check_scope(rp, response, asked.demands.scope)
    verification = IdTokenOfLogin(token=response.id_token, asked=asked, response=response)
    return verify_jwt(rp, verification, source="solicited", now=response.received_at)


@frozen(kw_only=True)
class IdTokenOfLogin(Verification[LoggedIn]):
    """The ID token of a login (OIDC Core §3.1.3.7)."""

    profile: ClassVar[JwtProfile] = ID_TOKEN
    asked: Asked
    response: TokenResponse

    def passed(self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject) -> Step[LoggedIn]:
        """Check the claims of the ID token; the user is known then."""
        asked = self.asked
        demands = asked.demands
        answer = self.response
        expected = id_token.Expected(demands, answer.access_token)
        iss = None if asked.response is None else asked.response.iss
        token, evidence = id_token.check(
            rp, jws, claims, expected, raw=self.token, iss=iss, channel=answer.channel
        )
        sub = token.sub
        nonce = demands.nonce
        session = Session(
            id_token=self.token,
            subject=sub,
            resource=demands.resource,
            nonce=nonce if isinstance(nonce, str) else None,
            sid=token.sid,
            auth_time=token.auth_time,
        )
        logged_in = LoggedIn(
            identity=Identity(rp.issuer_rule.identity(token.iss), sub),
            id_token=token,
            tokens=tokens_of(rp, answer, demands.scope, session),
            asked=asked,
            id_token_evidence=evidence,
            notes=answer.notes,
        )
        if rp.policy.userinfo == "never" or (
            rp.policy.userinfo == "optional" and rp.provider.userinfo_endpoint is None
        ):
            return Done(logged_in)
        request = userinfo_request(rp, answer.access_token)
        return AwaitingUserInfo(made_for=rp.digest, request=request, logged_in=logged_in)


@frozen(kw_only=True)
class AwaitingUserInfo(Exchange[LoggedIn]):
    """Waits for UserInfo.  The login is verified; it fails only if UserInfo contradicts it."""

    logged_in: LoggedIn

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[LoggedIn]:
        """Take UserInfo, or go without where the policy lets that pass."""
        try:
            response = answered(answer)
            claims = parse_userinfo(rp, response)
        except (TransportFailure, ProtocolViolation, ProviderError) as fault:
            return _without_userinfo(rp, self.logged_in, fault)
        now, channel = response.received_at, response.channel
        if isinstance(claims, JsonObject):
            return _with_userinfo(rp, self.logged_in, claims, now=now, channel=channel)
        algorithms, encryption = rp.protection[USERINFO.registered_as]
        if not algorithms:
            plain = decrypted_userinfo(rp, claims)
            return _with_userinfo(
                rp, self.logged_in, plain, now=now, encryption=encryption, channel=channel
            )
        verification = UserInfoOfLogin(token=claims, logged_in=self.logged_in, channel=channel)
        return verify_jwt(rp, verification, source="solicited", now=now)


@frozen(kw_only=True)
class UserInfoOfLogin(Verification[LoggedIn]):
    """Signed UserInfo (OIDC Core §5.3.2)."""

    profile: ClassVar[JwtProfile] = USERINFO
    logged_in: LoggedIn
    channel: Channel

    def passed(self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject) -> Step[LoggedIn]:
        """Check whom it is about."""
        return _with_userinfo(
            rp, self.logged_in, claims, jws=jws, now=jws.verified_at, channel=self.channel
        )

    def withheld(self, rp: RelyingParty, answer: KeysWithheld, /) -> Step[LoggedIn]:
        """Go without UserInfo if its keys cannot be had and the policy lets that pass."""
        fault = TransportFailure("keys_unavailable", found=answer.reason, sent="no")
        return _without_userinfo(rp, self.logged_in, fault)


def _with_userinfo(
    rp: RelyingParty,
    logged_in: LoggedIn,
    claims: JsonObject,
    *,
    now: int,
    jws: VerifiedJws | None = None,
    encryption: Encryption | None = None,
    channel: Channel,
) -> Step[LoggedIn]:
    token = logged_in.id_token
    userinfo, evidence = check_userinfo(
        rp,
        claims,
        sub=token.sub,
        iss=token.iss,
        jws=jws,
        now=now,
        encryption=encryption,
        channel=channel,
    )
    return Done(evolve(logged_in, userinfo=userinfo, userinfo_evidence=evidence))


def _without_userinfo(rp: RelyingParty, logged_in: LoggedIn, fault: OidcError) -> Step[LoggedIn]:
    """Let a verified login stand though UserInfo cannot be had; what is malformed stops it."""
    malformed = isinstance(fault, ProtocolViolation) and fault.code not in _UNOBTAINABLE
    if malformed or rp.policy.userinfo == "required":
        raise fault
    return Done(evolve(logged_in, notes=(*logged_in.notes, f"userinfo: {fault.code}")))
