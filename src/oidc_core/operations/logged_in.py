"""From tokens to a verified user: the one path that every grant takes once its tokens have come.

1. :func:`from_tokens` takes the answer of the token endpoint, checks the scope, and begins to
   verify the ID token (:func:`~oidc_core.machine.verification.verify_jwt`).
2. Once its signature is verified, :meth:`IdTokenOfLogin.passed` is called: it checks the claims
   against the demands of the login. The user is known then; it asks for UserInfo.
3. UserInfo takes its own path (:mod:`~oidc_core.operations.userinfo`). :class:`AwaitingUserInfo`
   and :class:`AwaitingUserInfoKeys` wait for the same answers as that path, and decide how the
   login goes on.

The input is the demands (:class:`~oidc_core.model.demands.Demands`), not the request: a grant
without a browser takes the same path.
"""

from typing import ClassVar, Final

from attrs import evolve, fields, frozen

from oidc_core.endpoints import id_token
from oidc_core.endpoints.authorization import CodeResponse
from oidc_core.endpoints.tokens import Session, TokenResponse, check_scope, tokens_of
from oidc_core.endpoints.userinfo import CheckedUserInfo, contradicts
from oidc_core.jose.jws import VerifiedJws
from oidc_core.jose.profiles import ID_TOKEN, JwtProfile
from oidc_core.machine.steps import Done, Exchange, KeysAnswer, NeedKeys, Step
from oidc_core.machine.verification import Verification, verify_jwt
from oidc_core.model.claims import Identity, IdToken, UserInfo
from oidc_core.model.demands import Demands
from oidc_core.model.evidence import Evidence
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.model.standard_claims import StandardClaims
from oidc_core.operations import userinfo
from oidc_core.wire.errors import (
    OidcError,
    ProtocolViolation,
    ProviderError,
    TransportFailure,
    UsageError,
    note_of,
)
from oidc_core.wire.http import Answer
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.way import Channel, ChannelState

_COSTS_USERINFO: Final = (TransportFailure, ProtocolViolation, ProviderError)
"""Faults of the provider, or of the way to it; the application's own faults end a login."""

_ID_TOKEN_ONLY: Final = frozenset(
    {"iss", "aud", "exp", "iat", "nbf", "jti", "nonce", "azp", "acr", "amr", "auth_time", "sid",
     "at_hash", "c_hash", "s_hash"}
)  # fmt: skip

_OFFLINE: Final = "offline_access"
_NO_REFRESH: Final = (
    "offline_access was asked for and no refresh token came: many providers want prompt=consent"
)

_PAIRS: Final = (
    frozenset({"email", "email_verified"}),
    frozenset({"phone_number", "phone_number_verified"}),
)


@frozen(kw_only=True)
class Asked:
    """The demands of a grant, and the answers that were accepted before its tokens came.

    Attributes:
        demands: what is demanded of the tokens.
        response: the authorization response that was accepted, ``None`` without a response.
        account, return_to: as the login was started with.
    """

    demands: Demands
    response: CodeResponse | None = None
    account: str = ""
    return_to: str = ""


@frozen(kw_only=True)
class LoginEvidence:
    """The evidence of a login, by the name of each accepted thing.

    Attributes:
        authorization_response: the callback, ``None`` for a grant without a browser.
        id_token: the ID token.
        userinfo: UserInfo, if it was asked for and available.
    """

    authorization_response: Evidence | None = None
    id_token: Evidence
    userinfo: Evidence | None = None

    @property
    def channels(self) -> tuple[tuple[str, Channel], ...]:
        """The channel of each answer, by its content: metadata, ID token, key set, UserInfo."""
        return tuple(dict.fromkeys([told for evidence in self.each for told in evidence.channels]))

    @property
    def channel(self) -> ChannelState:
        """Whether the transport verified the server that the tokens came from."""
        channel = self.id_token.terms.channel
        return "not_told" if channel is None else channel.server

    @property
    def each(self) -> tuple[Evidence, ...]:
        """Each evidence, in the order of acceptance."""
        found: list[object] = [getattr(self, part.name) for part in fields(LoginEvidence)]
        return tuple([evidence for evidence in found if isinstance(evidence, Evidence)])


@frozen(kw_only=True)
class LoggedIn(StandardClaims):
    """A user who is logged in, and why that is certain.

    Attributes:
        identity: issuer and subject, the only key to an account.
        id_token: the claims of the verified ID token.
        userinfo: the claims of UserInfo, if it was asked for and available.
        tokens: for refresh, logout and calls to the provider; store them as one record.
        asked: the values that the login was started with.
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
        """The evidence of authorization response, ID token and UserInfo."""
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
        """Where an account gets the identity: the application's handle of it."""
        return self.asked.account

    @property
    def return_to(self) -> str:
        """Where the application goes on, as the login was started with."""
        return self.asked.return_to

    @property
    def session_state(self) -> str | None:
        """The provider's session for its frame, if the provider told it.

        See :mod:`~oidc_core.operations.session_management`.
        """
        response = self.asked.response
        return None if response is None else response.session_state

    @property
    def requested_scope(self) -> str:
        """The requested scope, space-delimited; ``tokens.scope`` is the granted scope."""
        return self.asked.demands.scope

    @property
    def missing_scope(self) -> tuple[str, ...]:
        """The scope that was requested and not granted."""
        granted = self.tokens.scope.split()
        return tuple([name for name in self.requested_scope.split() if name not in granted])

    @property
    def claims(self) -> JsonObject:
        """All claims; those of the ID token win over those of UserInfo.

        Only the ID token describes the token and the authentication: UserInfo adds no ``acr`` to an
        ID token without one. It does not confirm an address of the other source either: an e-mail
        address or phone number comes from the same source as its ``…_verified``.
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
    raise UsageError("unsupported_by_provider", about=rp.lacking)


def from_tokens(rp: RelyingParty, asked: Asked, response: TokenResponse) -> Step[LoggedIn]:
    """Go on with an answer of the token endpoint: an OpenID provider always sends an ID token.

    Raises:
        ProtocolViolation: ``id_token_missing``, ``scope_unexpected``, or a code of the ID token's
            refusal.
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
            notes=answer.notes if answer.refresh_token else _notes(answer, demands),
        )
        if rp.policy.userinfo == "never" or (
            rp.policy.userinfo == "optional" and rp.provider.userinfo_endpoint is None
        ):
            return Done(logged_in)
        awaited = userinfo.asked(rp, answer.access_token, sub=sub, iss=token.iss)
        return _with_userinfo(rp, logged_in, awaited)


def _notes(answer: TokenResponse, demands: Demands) -> tuple[str, ...]:
    """Return the notes of an answer without a refresh token (OIDC Core §11)."""
    return (*answer.notes, _NO_REFRESH) if _OFFLINE in demands.scope.split() else answer.notes


@frozen(kw_only=True)
class AwaitingUserInfo(Exchange[LoggedIn]):
    """Waits for UserInfo.  The login is verified; it fails only if UserInfo contradicts it."""

    logged_in: LoggedIn
    awaited: Exchange[CheckedUserInfo]

    def consume(self, rp: RelyingParty, answer: Answer) -> Step[LoggedIn]:
        """Take UserInfo, or go on without it where the policy lets that pass."""
        try:
            step = self.awaited.consume(rp, answer)
        except _COSTS_USERINFO as fault:
            return _without_userinfo(rp, self.logged_in, fault)
        return _with_userinfo(rp, self.logged_in, step)


@frozen(kw_only=True)
class AwaitingUserInfoKeys(NeedKeys[LoggedIn]):
    """Waits for the keys of signed UserInfo, as :class:`AwaitingUserInfo` does for that."""

    logged_in: LoggedIn
    awaited: NeedKeys[CheckedUserInfo]

    def consume(self, rp: RelyingParty, answer: KeysAnswer) -> Step[LoggedIn]:
        """Take UserInfo once its signature is verified, or go on without it."""
        try:
            step = self.awaited.consume(rp, answer)
        except _COSTS_USERINFO as fault:
            return _without_userinfo(rp, self.logged_in, fault)
        return _with_userinfo(rp, self.logged_in, step)


def _with_userinfo(
    rp: RelyingParty, logged_in: LoggedIn, step: Step[CheckedUserInfo]
) -> Step[LoggedIn]:
    """Wait for the same as UserInfo; once it has come, it belongs to the login."""
    if isinstance(step, Done):
        said, evidence = step.result
        return Done(evolve(logged_in, userinfo=said, userinfo_evidence=evidence))
    if isinstance(step, NeedKeys):
        return AwaitingUserInfoKeys(
            made_for=rp.digest, wanted=step.wanted, logged_in=logged_in, awaited=step
        )
    return AwaitingUserInfo(
        made_for=rp.digest, request=step.request, logged_in=logged_in, awaited=step
    )


def _without_userinfo(rp: RelyingParty, logged_in: LoggedIn, fault: OidcError) -> Step[LoggedIn]:
    """Keep a verified login without UserInfo, unless that is required or contradicts it.

    The note says what is wrong with UserInfo, in the provider's words where it has some.
    """
    if rp.policy.userinfo == "required" or contradicts(fault):
        raise fault
    return Done(evolve(logged_in, notes=(*logged_in.notes, f"userinfo: {note_of(fault)}")))
